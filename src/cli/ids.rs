//! Ids as people have them at hand: whole, or the beginning or the end of one, as the console shows it.

use serde_json::Value;

use super::Context;
use super::arguments::{DeadVerb, InboxVerb, IntentsVerb, TasksVerb, Verb};
use super::client::{Call, Client, list, text};
use super::failure::Failure;

/// Letters and dashes of a whole id.
const WHOLE: usize = 36;

/// Fewer letters than this mean nobody.
const PART_MIN: usize = 4;

/// What lists show of an id where there is little room: its last eight letters.
pub(super) fn end(id: &str) -> &str {
    id.get(id.len().saturating_sub(8)..).unwrap_or(id)
}

/// Puts the whole id in the place of each part of one.
///
/// # Errors
/// Refused when several intents have such an id. A part that no intent has is left for the broker to refuse.
pub(super) async fn resolve(verb: &mut Verb, context: &Context) -> Result<(), Failure> {
    let is_inbox = matches!(verb, Verb::Inbox(_));
    for id in ids_of(verb) {
        if is_part(id) {
            *id = whole(id, is_inbox, &context.client()?).await?;
        }
    }
    Ok(())
}

/// The places of a verb in which an intent is named.
fn ids_of(verb: &mut Verb) -> Vec<&mut String> {
    match verb {
        Verb::Explain(arguments) => vec![&mut arguments.id],
        Verb::Intents(IntentsVerb::Show { id })
        | Verb::Dead(DeadVerb::Show { id })
        | Verb::Tasks(TasksVerb::Show { id } | TasksVerb::Reply { id, .. })
        | Verb::Inbox(
            InboxVerb::Show { id } | InboxVerb::Reply { id, .. } | InboxVerb::Take { id, .. },
        ) => vec![id],
        Verb::Intents(IntentsVerb::Cancel { ids, .. } | IntentsVerb::RetryNow { ids, .. }) => {
            ids.iter_mut().collect()
        }
        Verb::Inbox(InboxVerb::Approve(decision) | InboxVerb::Reject(decision)) => {
            vec![&mut decision.id]
        }
        Verb::Inbox(InboxVerb::Decide(decided)) | Verb::Tasks(TasksVerb::Decide(decided)) => {
            vec![&mut decided.decision.id]
        }
        Verb::Inbox(InboxVerb::Delegate(delegated))
        | Verb::Tasks(TasksVerb::Delegate(delegated)) => vec![&mut delegated.id],
        Verb::Dead(DeadVerb::Replay(arguments)) | Verb::Replay(arguments) => {
            arguments.ids.iter_mut().collect()
        }
        Verb::Dead(DeadVerb::Discard(arguments)) => arguments.ids.iter_mut().collect(),
        Verb::Dead(DeadVerb::Diff { id, with }) => [id].into_iter().chain(with).collect(),
        _ => Vec::new(),
    }
}

fn is_part(id: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    (PART_MIN..WHOLE).contains(&id.len()) && id.bytes().all(is_letter)
}

async fn whole(part: &str, is_inbox: bool, client: &Client) -> Result<String, Failure> {
    let call = Call::get("/v1/intents")
        .with("q", part)
        .with("kind", "all")
        .with("limit", 20_u32);
    let answer = client.call(call).await?;
    let part = part.to_lowercase();
    let id_of = |intent: &Value| text(intent, "/intent_id");
    // A correlation id that begins so is none of these.
    let ids: Vec<String> = list(&answer, "/intents")
        .iter()
        .map(id_of)
        .filter(|id| id.starts_with(&part) || id.ends_with(&part))
        .collect();
    let has_more = !text(&answer, "/next_cursor").is_empty();
    if ids.is_empty() && is_inbox {
        thread(part, client).await
    } else {
        only("intents", part, &ids, has_more)
    }
}

/// The one id that was meant; the part itself when there is none.
fn only(what: &str, part: String, ids: &[String], has_more: bool) -> Result<String, Failure> {
    match ids {
        [] => Ok(part),
        [id] if !has_more => Ok(id.clone()),
        [first, ..] => {
            let count = if has_more { "many" } else { "several" };
            let last = ids.last().unwrap_or(first);
            Err(Failure::refused(format!(
                "{count} {what} have an id that begins or ends with {part:?}, such as {first} and {last}"
            ))
            .hint("the end of an id tells more than its beginning, which is a time"))
        }
    }
}

/// A notice has no intent, so a list shows it by its own id.
async fn thread(part: String, client: &Client) -> Result<String, Failure> {
    let call = Call::get("/v1/inbox")
        .with("owner_agent", "*")
        .with("limit", 500_u32);
    let answer = client.call(call).await?;
    let ids = list(&answer, "/threads").iter();
    let ids: Vec<String> = ids
        .map(|thread| text(thread, "/thread_id"))
        .filter(|id| id.starts_with(&part) || id.ends_with(&part))
        .collect();
    let has_more = !text(&answer, "/next_cursor").is_empty();
    only("threads", part, &ids, has_more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_means_two_is_refused_and_never_means_the_first() {
        let meant = |ids: &[&str], has_more| {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            only("threads", "beef".to_owned(), &ids, has_more)
        };
        assert_eq!(meant(&["1beef"], false).unwrap(), "1beef");
        assert_eq!(meant(&[], false).unwrap(), "beef");
        for (ids, has_more) in [(&["1beef", "2beef"][..], false), (&["1beef"], true)] {
            let refused = meant(ids, has_more).unwrap_err().to_string();
            assert!(refused.contains("threads have an id"), "{refused}");
            assert!(refused.contains("1beef"), "{refused}");
        }
    }
}
