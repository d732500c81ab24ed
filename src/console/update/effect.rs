//! What a decision leads to, said before it is made.

use crate::domain::scenario::After;
use crate::domain::task::is_negative;
use crate::domain::time::Span;

/// The words for what an outcome leads to: an end, or another step of the run where there is one.
pub(crate) fn effect_of(outcome: &str, sender: &str, after: Option<&After>, hold: Span) -> String {
    let is_no = is_negative(outcome);
    let next = after.and_then(|after| after.next(is_no));
    let end = match (next, is_no) {
        (Some(step), true) => format!("not FAILED: goes to step {step}, outcome {outcome}"),
        (Some(step), false) => format!("goes to step {step}, outcome {outcome}"),
        (None, true) => format!("FAILED, outcome {outcome}; {sender} is told"),
        (None, false) => format!("COMPLETED, outcome {outcome}; {sender} is told"),
    };
    with_hold(&end, hold)
}

/// The same for many at once: what it does to a question by itself, and that a step may lead on.
pub(super) fn effect_of_many(outcome: &str, hold: Span) -> String {
    let end = if is_negative(outcome) {
        format!("FAILED, outcome {outcome}, each sender is told; the run of a step may go on")
    } else {
        format!("COMPLETED, outcome {outcome}, each sender is told; the run of a step goes on")
    };
    with_hold(&end, hold)
}

fn with_hold(end: &str, hold: Span) -> String {
    let seconds = hold.as_seconds();
    if seconds == 0 {
        format!("{end}. Final at once")
    } else {
        format!("{end}. Held {seconds} s first, u takes it back")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_says_to_which_step_it_leads_and_what_ends() {
        let branch = After {
            success: Some("pay".to_owned()),
            failure: Some("explain".to_owned()),
        };
        let end = After {
            success: None,
            failure: None,
        };
        for (outcome, after, said) in [
            ("approved", None, "COMPLETED, outcome approved; web is told"),
            (
                "approved",
                Some(&branch),
                "goes to step pay, outcome approved",
            ),
            (
                "approved",
                Some(&end),
                "COMPLETED, outcome approved; web is told",
            ),
            (
                "rejected",
                Some(&branch),
                "not FAILED: goes to step explain, outcome rejected",
            ),
            (
                "rejected",
                Some(&end),
                "FAILED, outcome rejected; web is told",
            ),
        ] {
            let words = effect_of(outcome, "web", after, Span::ZERO);
            assert_eq!(words, format!("{said}. Final at once"));
        }
        assert_eq!(
            effect_of_many("approved", Span::from_seconds(5)),
            "COMPLETED, outcome approved, each sender is told; the run of a step goes on. \
             Held 5 s first, u takes it back"
        );
    }
}
