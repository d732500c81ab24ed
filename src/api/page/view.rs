//! How the page looks: the question with its form, or why there is nothing to decide.

use std::sync::Arc;

use super::facts;
use super::fields::{self, Field, Kind, Submitted};
use super::html::Html;
use super::inputs::input;
use crate::domain::address::Address;
use crate::domain::intent::Intent;
use crate::domain::task::{Decision, HeldAct, Task, TaskSpec, is_negative};
use crate::domain::text::line;
use crate::domain::time::Timestamp;
use crate::domain::via::Via;
use crate::wire::resume::COMMENT_CHARS_MAX;

/// The one style of all pages; nothing else is loaded.
pub(super) const STYLE: &str = include_str!("style.css");

/// A question, and who is asked.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) intent: Arc<Intent>,
    /// What the intent carries, secrets masked.
    pub(super) payload: String,
    pub(super) person: Address,
    /// When the link decides no longer.
    pub(super) expires: Timestamp,
}

/// What was sent back and could not be taken.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) submitted: Option<Submitted>,
    /// By name of a field; the empty name for all of it.
    pub(super) faults: Vec<(String, String)>,
}

/// The end of a link: a few words, and whether they are good ones.
#[derive(Debug, Clone)]
pub(super) struct Words {
    pub(super) title: String,
    /// What was asked; none where the link does not say what it is about.
    pub(super) subject: Option<String>,
    pub(super) text: Vec<String>,
    pub(super) mark: Mark,
}

/// What stands over the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Yes,
    No,
    None,
}

/// The page of an open question.
pub(super) fn question(question: &Question, task: &Task, token: &str, draft: &Draft) -> String {
    let spec = &task.spec;
    let mut html = begin(&spec.title);
    html.raw("<header><p class=\"kicker\">Postroom · ")
        .text(&fields::title_of(spec.task_type.name()))
        .raw("</p><h1>")
        .text(&spec.title)
        .raw("</h1>");
    about(&mut html, question);
    html.raw("</header>");
    notices(&mut html, question, task, draft);
    if let Some(description) = &spec.description {
        html.raw("<section>").lines(description).raw("</section>");
    }
    payload(&mut html, &question.payload);
    form(&mut html, task, token, draft);
    html.raw("<footer><p>Opening this page decides nothing. The link decides once, until ")
        .text(&minute(question.expires))
        .raw("; whoever has it can decide as ")
        .text(name(&question.person))
        .raw(".</p><p>Intent ")
        .text(&question.intent.id.to_string())
        .raw("</p></footer>");
    end(html)
}

/// A page on which nothing can be decided.
pub(super) fn closed(words: &Words) -> String {
    let mut html = begin(&words.title);
    html.raw("<header>");
    match words.mark {
        Mark::Yes => html.raw("<p class=\"mark yes\" aria-hidden=\"true\">✓</p>"),
        Mark::No => html.raw("<p class=\"mark no\" aria-hidden=\"true\">✕</p>"),
        Mark::None => &mut html,
    };
    html.raw("<h1>").text(&words.title).raw("</h1>");
    if let Some(subject) = &words.subject {
        html.raw("<p class=\"subject\">").text(subject).raw("</p>");
    }
    html.raw("</header><section>");
    for text in &words.text {
        html.lines(text);
    }
    html.raw("</section>");
    end(html)
}

/// Who decided what, when and how.
pub(super) fn told(decision: &Decision) -> String {
    format!(
        "{} decided “{}” on {}, through {}.",
        name(&decision.by),
        fields::title_of(&decision.outcome),
        minute(decision.at),
        through(decision.via),
    )
}

const fn through(via: Via) -> &'static str {
    match via {
        Via::Api => "the API",
        Via::Console => "the console",
        Via::Command => "the command line",
        Via::Page => "this page",
        Via::Mcp => "an assistant",
    }
}

/// A person's or a service's name: the last segment of the address.
pub(super) fn name(address: &Address) -> &str {
    address.key().rsplit('/').next().unwrap_or_default()
}

/// An instant for people.
pub(super) fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{} UTC", text.get(..16).unwrap_or(&text).replace('T', " "))
}

fn begin(title: &str) -> Html {
    let mut html = Html::default();
    html.raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>")
        .text(&line(title, 120))
        .raw("</title><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">")
        .raw("<meta name=\"robots\" content=\"noindex,nofollow\"><meta name=\"referrer\" content=\"no-referrer\">")
        .raw("<style>")
        .raw(STYLE)
        .raw("</style></head><body><main>");
    html
}

fn end(mut html: Html) -> String {
    html.raw("</main></body></html>\n");
    html.finish()
}

fn about(html: &mut Html, question: &Question) {
    let intent = &question.intent;
    html.raw("<dl>");
    let mut row = |term: &'static str, value: &str| {
        html.raw("<dt>")
            .raw(term)
            .raw("</dt><dd>")
            .text(value)
            .raw("</dd>");
    };
    row("For", name(&question.person));
    row("Asked by", name(&intent.from));
    row("Asked on", &minute(intent.created_at));
    if let Some(deadline) = intent.deadline {
        row("Due", &minute(deadline));
    }
    html.raw("</dl>");
}

fn notices(html: &mut Html, question: &Question, task: &Task, draft: &Draft) {
    for hold in &question.intent.holds {
        if let HeldAct::Decide { outcome, .. } = &hold.act {
            html.raw("<p class=\"notice\"><b>")
                .text(name(&hold.by))
                .raw("</b> has decided “")
                .text(&fields::title_of(outcome))
                .raw("”; it takes effect on ")
                .text(&minute(hold.effective_at))
                .raw(" unless it is taken back.</p>");
        }
    }
    let form = task
        .spec
        .form_schema
        .as_ref()
        .map(fields::of)
        .unwrap_or_default();
    let is_shown = |key: &str| {
        matches!(key, "comment" | "evidence" | "outcome")
            || form.iter().any(|field| field.key == key)
    };
    let others = draft.faults.iter().filter(|(key, _)| !is_shown(key));
    for (key, fault) in others {
        html.raw("<p class=\"notice bad\" role=\"alert\"><b>Nothing was decided.</b> ");
        if !key.is_empty() {
            html.text(&fields::title_of(key)).raw(": ");
        }
        html.text(fault).raw("</p>");
    }
    if draft.faults.iter().any(|(key, _)| is_shown(key)) {
        html.raw("<p class=\"notice bad\" role=\"alert\"><b>Nothing was decided.</b> Please look at what is marked below.</p>");
    }
}

fn payload(html: &mut Html, text: &str) {
    let (rows, more) = facts::of(text);
    if rows.is_empty() {
        return;
    }
    html.raw("<section><h2>What it is about</h2><dl>");
    for row in rows {
        html.raw("<dt>")
            .text(&row.name)
            .raw("</dt><dd>")
            .text(&row.value)
            .raw("</dd>");
    }
    html.raw("</dl>");
    if more > 0 {
        html.raw("<p class=\"hint\">and ")
            .text(&more.to_string())
            .raw(" more</p>");
    }
    html.raw("</section>");
}

fn form(html: &mut Html, task: &Task, token: &str, draft: &Draft) {
    let spec = &task.spec;
    html.raw("<form method=\"post\" autocomplete=\"off\"><h2>Your decision</h2>")
        // Enter in a field presses the first button: this one, which does nothing.
        .raw("<button type=\"submit\" disabled hidden></button><input type=\"hidden\" name=\"token\"")
        .attribute("value", token)
        .raw("><input type=\"hidden\" name=\"version\"")
        .attribute("value", &task.version.to_string())
        .raw(">");
    let form = spec
        .form_schema
        .as_ref()
        .map(fields::of)
        .unwrap_or_default();
    for (index, field) in form.iter().enumerate() {
        one_field(html, field, index, draft);
    }
    if spec.is_evidence_required {
        let hint = "A link or a reference to what shows it";
        let kind = Kind::Text {
            chars_max: Some(2000),
        };
        own_field(
            html,
            &asked("evidence", "Evidence", Some(hint), true, kind),
            draft,
        );
    }
    let kind = Kind::Long {
        chars_max: Some(COMMENT_CHARS_MAX.into()),
    };
    own_field(
        html,
        &asked("comment", "Comment", None, spec.needs_comment(), kind),
        draft,
    );
    outcomes(html, spec, draft);
    html.raw("</form>");
}

/// Something that the task asks for itself.
fn asked(key: &str, label: &str, hint: Option<&str>, is_required: bool, kind: Kind) -> Field {
    Field {
        key: key.to_owned(),
        label: label.to_owned(),
        hint: hint.map(str::to_owned),
        kind,
        is_required,
        default: None,
    }
}

/// A button for each outcome; a word and one button where any outcome may be chosen.
fn outcomes(html: &mut Html, spec: &TaskSpec, draft: &Draft) {
    let outcomes = spec.outcomes();
    if outcomes.is_empty() {
        let hint = "One word, such as approved or rejected";
        let kind = Kind::Text {
            chars_max: Some(64),
        };
        own_field(
            html,
            &asked("outcome", "Outcome", Some(hint), true, kind),
            draft,
        );
        html.raw("<div class=\"outcomes\"><button class=\"yes\">Decide</button></div>");
        return;
    }
    fault(html, "outcome", draft);
    html.raw("<div class=\"outcomes\">");
    let first_yes = spec.positive_outcome();
    for outcome in &outcomes {
        let tone = match (is_negative(outcome), first_yes.as_ref() == Some(outcome)) {
            (true, _) => "no",
            (false, true) => "yes",
            (false, false) => "",
        };
        html.raw("<button name=\"outcome\"")
            .attribute("class", tone)
            .attribute("value", outcome)
            // A no needs no form.
            .flag("formnovalidate", is_negative(outcome))
            .raw(">")
            .text(&verb(outcome))
            .raw("</button>");
    }
    html.raw("</div>");
}

/// What a button says that stands for an outcome.
fn verb(outcome: &str) -> String {
    let verb = match outcome {
        "approved" => "Approve",
        "rejected" => "Reject",
        "changes_requested" => "Request changes",
        "provided" => "Send",
        "confirmed" => "Confirm",
        "assigned" => "Take it",
        "declined" => "Decline",
        "override_approved" => "Approve the override",
        "submitted" => "Submit",
        other => return fields::title_of(other),
    };
    verb.to_owned()
}

/// A field of ours.
fn own_field(html: &mut Html, field: &Field, draft: &Draft) {
    let value = draft
        .submitted
        .as_ref()
        .and_then(|sent| sent.get(&field.key));
    wrapped(html, field, &field.key, &field.key, draft, |html, id| {
        input(html, field, &field.key, id, value.unwrap_or_default(), &[]);
    });
}

/// A field of the form.
fn one_field(html: &mut Html, field: &Field, index: usize, draft: &Draft) {
    let (name, id) = (field.name(), format!("f{index}"));
    let default = || {
        let default = field.default.as_ref()?;
        Some(match (&field.kind, default) {
            (
                Kind::Text { .. } | Kind::Long { .. } | Kind::Date | Kind::Moment,
                serde_json::Value::String(text),
            ) => text.clone(),
            _ => default.to_string(),
        })
    };
    let (value, chosen) = match &draft.submitted {
        Some(sent) => (
            sent.get(&name).unwrap_or_default().to_owned(),
            sent.all(&name).map(str::to_owned).collect(),
        ),
        None => (default().unwrap_or_default(), Vec::new()),
    };
    wrapped(html, field, &field.key, &id, draft, |html, id| {
        input(html, field, &name, id, &value, &chosen);
    });
}

/// What stands around a field: its label, what it means, what is wrong with it.
fn wrapped(
    html: &mut Html,
    field: &Field,
    key: &str,
    id: &str,
    draft: &Draft,
    draw: impl FnOnce(&mut Html, &str),
) {
    let is_group = matches!(field.kind, Kind::YesNo | Kind::Several(_))
        || matches!(&field.kind, Kind::Choice(choices) if choices.len() <= 4);
    let is_wrong = draft.faults.iter().any(|(place, _)| place == key);
    let class = if is_wrong { "field wrong" } else { "field" };
    if is_group {
        html.raw("<fieldset")
            .attribute("class", class)
            .raw("><legend>");
    } else {
        html.raw("<div")
            .attribute("class", class)
            .raw("><label")
            .attribute("for", id)
            .raw(">");
    }
    html.text(&field.label);
    html.raw(if field.is_required {
        " <span class=\"must\">(required)</span>"
    } else {
        ""
    });
    html.raw(if is_group { "</legend>" } else { "</label>" });
    if let Some(hint) = &field.hint {
        html.raw("<p class=\"hint\">").text(hint).raw("</p>");
    }
    draw(html, id);
    fault(html, key, draft);
    html.raw(if is_group { "</fieldset>" } else { "</div>" });
}

fn fault(html: &mut Html, key: &str, draft: &Draft) {
    for (_, fault) in draft.faults.iter().filter(|(place, _)| place == key) {
        html.raw("<p class=\"fault\">").text(fault).raw("</p>");
    }
}
