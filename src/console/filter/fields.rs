//! The fields that each desk's filter knows: for completion, for the explanation of an unknown one.

use crate::console::action::place::Place;
use crate::console::format::nearest;

/// A field of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    /// Its name with the sign after it: `state:`, `age>`.
    pub(crate) name: &'static str,
    /// What it asks, in a few words.
    pub(crate) about: &'static str,
    /// What it takes, where that is a fixed set.
    pub(crate) values: &'static [(&'static str, &'static str)],
}

const fn field(
    name: &'static str,
    about: &'static str,
    values: &'static [(&'static str, &'static str)],
) -> Field {
    Field {
        name,
        about,
        values,
    }
}

const STATES: &[(&str, &str)] = &[
    ("queued", "not handed over yet"),
    ("in-flight", "an agent has it"),
    ("retrying", "failed, waits for its next attempt"),
    ("waiting-human", "waits for a person"),
    ("waiting-other", "waits for an agent, a tool or an instant"),
    ("completed", "done"),
    (
        "failed",
        "failed, canceled or timed out, not an open letter",
    ),
    ("dead-letters", "open dead letters"),
];
const STATUSES: &[(&str, &str)] = &[
    ("CREATED", "of the protocol"),
    ("SUBMITTED", "of the protocol"),
    ("DELIVERED", "of the protocol"),
    ("ACKNOWLEDGED", "of the protocol"),
    ("IN_PROGRESS", "of the protocol"),
    ("WAITING", "of the protocol"),
    ("COMPLETED", "of the protocol, final"),
    ("FAILED", "of the protocol, final"),
    ("CANCELED", "of the protocol, final"),
    ("TIMED_OUT", "of the protocol, final"),
];
const BINDINGS: &[(&str, &str)] = &[
    ("stream", "over a live connection"),
    ("poll", "when the agent asks"),
    ("http", "posted to it"),
    ("inbox", "to people"),
    ("internal", "by the broker itself"),
];
const AGENT_STATES: &[(&str, &str)] = &[
    ("offline", "nobody listens"),
    ("degraded", "fails more often than the limit"),
    ("throttled", "waits because of a rate"),
    ("paused", "an operator paused it"),
    ("killed", "an operator stopped it"),
    ("ok", "none of these"),
];
const LETTER_STATES: &[(&str, &str)] = &[
    ("open", "nobody has dealt with it"),
    ("replayed", "sent again as a new intent"),
    ("discarded", "put aside"),
];
const TASK_STATES: &[(&str, &str)] = &[
    ("open", "nobody has decided"),
    ("decided", "somebody has"),
    ("all", "both"),
];
const TASK_TYPES: &[(&str, &str)] = &[
    ("approval", "a yes or a no"),
    ("review", "of a change"),
    ("clarification", "a question"),
    ("manual_action", "something to do"),
    ("confirmation", "of one sentence"),
    ("assignment", "who takes it"),
    ("override", "of a rule"),
    ("form", "fields to fill in"),
];
const IS_TASK: &[(&str, &str)] = &[
    ("mine", "in my hands"),
    ("overdue", "past its first reminder"),
    ("held", "decided, not final yet"),
    ("marked", "marked with Space"),
];
const IS_INTENT: &[(&str, &str)] = &[
    ("unfinished", "no final status yet"),
    ("mine", "from me or to me"),
    ("held", "something is staged on it"),
    ("marked", "marked with Space"),
    ("replay", "a replay of another one"),
];
const IS_LETTER: &[(&str, &str)] = &[
    ("held", "something is staged on it"),
    ("marked", "marked with Space"),
    ("replay", "a replay that died as well"),
];
const IS_AUDIT: &[(&str, &str)] = &[("refused", "the broker said no"), ("done", "it was done")];

const AGE: [Field; 2] = [
    field("age>", "older than 30s, 5m, 2h, 1d", &[]),
    field("age<", "younger than that", &[]),
];
const ATTEMPTS: Field = field("attempts>=", "so many attempts, also < > = <=", &[]);

const INTENTS: &[Field] = &[
    field("state:", "one of the eight states", STATES),
    field("status:", "a status of the protocol", STATUSES),
    field("agent:", "its receiver; * for any letters", &[]),
    field("from:", "its sender; * for any letters", &[]),
    field("type:", "its type; * for any rest", &[]),
    field("corr:", "its correlation id, whole", &[]),
    field("err:", "words of its last error: err:~timeout", &[]),
    field("binding:", "how it is handed over", BINDINGS),
    ATTEMPTS,
    AGE[0],
    AGE[1],
    field("is:", "a quality", IS_INTENT),
];
const ATTEMPTS_DESK: &[Field] = &[
    field("agent:", "who got it; * for any letters", &[]),
    field("outcome:", "how it ended", &[]),
    field("err:", "a class, or words of the error: err:~upstream", &[]),
    field("binding:", "how it was handed over", BINDINGS),
    field("code:", "its HTTP status: code:503", &[]),
    ATTEMPTS,
    AGE[1],
];
const LETTERS: &[Field] = &[
    field("agent:", "its receiver; * for any letters", &[]),
    field("type:", "its type; * for any rest", &[]),
    field("reason:", "why it died", &[]),
    field("err:", "a class, or words of the error: err:~upstream", &[]),
    field("group:", "its fingerprint, four letters will do", &[]),
    field("state:", "what became of it", LETTER_STATES),
    ATTEMPTS,
    AGE[0],
    AGE[1],
    field("is:", "a quality", IS_LETTER),
];
const TASKS: &[Field] = &[
    field("is:", "a quality", IS_TASK),
    field("state:", "open, unless said otherwise", TASK_STATES),
    field("type:", "the kind of task", TASK_TYPES),
    field("from:", "who asks; * for any letters", &[]),
    field("agent:", "whose inbox; * for any letters", &[]),
    AGE[0],
    AGE[1],
];
const AGENTS: &[Field] = &[
    field("state:", "its state", AGENT_STATES),
    field("binding:", "how it receives", BINDINGS),
    field("agent:", "its name; * for any letters", &[]),
];
const AUDIT: &[Field] = &[
    field("who:", "who did it", &[]),
    field("action:", "what, or how it begins", &[]),
    field("via:", "through api, console or cli", &[]),
    field("target:", "on what", &[]),
    field("is:", "how it went", IS_AUDIT),
    AGE[0],
    AGE[1],
];

/// The fields that a desk's filter knows, the most useful first.
pub(crate) const fn of(place: Place) -> &'static [Field] {
    match place {
        Place::Inbox => TASKS,
        Place::Intents => INTENTS,
        Place::Attempts => ATTEMPTS_DESK,
        Place::DeadLetters => LETTERS,
        Place::Agents => AGENTS,
        Place::Audit => AUDIT,
        Place::Overview | Place::Jobs => &[],
    }
}

/// The field of that name on a desk; `name` has no sign.
pub(crate) fn find(place: Place, name: &str) -> Option<&'static Field> {
    let name = match name {
        "to" => "agent",
        "sender" => "from",
        "correlation" => "corr",
        "class" => "err",
        "by" => "who",
        "verb" => "action",
        other => other,
    };
    of(place)
        .iter()
        .find(|field| field.name.trim_end_matches([':', '>', '<', '=']) == name)
}

/// What is said about a field that a desk does not know: the nearest one, and all there are.
pub(crate) fn unknown(place: Place, name: &str) -> String {
    let bare = |field: &'static Field| field.name.trim_end_matches([':', '>', '<', '=']);
    let near = nearest(name, of(place).iter().map(bare))
        .and_then(|near| find(place, near))
        .map(|field| format!(", did you mean {}?", field.name))
        .unwrap_or_default();
    let all: Vec<&str> = of(place).iter().map(|field| field.name).collect();
    format!(
        "{name}: is not a term of this list{near}; it knows {}",
        all.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::agent::Binding;
    use crate::domain::status::{State, Status};

    #[test]
    fn an_unknown_field_is_answered_with_the_nearest_and_with_all_of_them() {
        let said = unknown(Place::Intents, "agnt");
        assert!(said.contains("did you mean agent:?"), "{said}");
        assert!(said.contains("state: status: agent:"), "{said}");
        let said = unknown(Place::Intents, "colour");
        assert!(!said.contains("did you mean"), "{said}");
    }

    #[test]
    fn the_proposed_values_are_those_of_the_domain() {
        let names = |place, name: &str| -> Vec<&str> {
            let field = find(place, name).unwrap();
            field.values.iter().map(|(value, _)| *value).collect()
        };
        let states = State::ALL.map(|state| state.name().replace(' ', "-"));
        assert_eq!(names(Place::Intents, "state"), states);
        assert_eq!(
            names(Place::Intents, "status"),
            Status::ALL.map(Status::name)
        );
        assert_eq!(
            names(Place::Agents, "binding"),
            Binding::ALL.map(Binding::name)
        );
    }
}
