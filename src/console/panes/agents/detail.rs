//! One agent: how it is served, and what became of its attempts in the last quarter of an hour.

use ratatui::layout::Rect;

use crate::console::format;
use crate::console::model::Model;
use crate::console::model::reads::Slot;
use crate::console::panes::words;
use crate::console::sanitise::fit;
use crate::console::theme::Role;
use crate::console::theme::glyphs::Glyphs;
use crate::console::view::kit::{Canvas, Span, fact, span};
use crate::console::widgets::spark::spark;
use crate::desk::rows::agents::AgentView;
use crate::desk::rows::{AgentRow, RetryRule};
use crate::domain::activity::{Activity, BUCKET_SECONDS, BUCKETS, ErrorCount};
use crate::domain::agent::Binding;
use crate::domain::endpoint::Breaker;
use crate::domain::time::{Span as Length, Timestamp};

use super::limits_text;

const LABEL: u16 = 10;
/// Seconds of the running bucket before it says anything: a third of it.
const RUNNING_MIN: u64 = BUCKET_SECONDS / 3;

/// Where it is, how it is reached and what holds it back.
pub(super) fn standing(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let agent = model.agents.rows.cursor_row();
    let title = agent.map_or("Agent", |agent| agent.address.name());
    let inner = canvas.section(area, &fit(title, 40), "", None);
    let Some(agent) = agent else {
        return;
    };
    let view = model.agents.view.as_ref();
    let mut facts = vec![
        fact("address", agent.address.to_string()),
        fact("binding", binding(agent)),
    ];
    if let Some(stopped) = stopped(agent, model.at.wall) {
        facts.push(("state".to_owned(), span(stopped, Role::Off)));
    }
    if let (Binding::Http, Some(view)) = (agent.binding, view) {
        facts.push(fact("signing", signing(view)));
    }
    let rule = model.hello.as_ref().map(|hello| &hello.retry);
    if let (Some(rule), Some(view)) = (rule, view)
        && let Some(text) = schedule(agent.binding, rule, view.lease)
    {
        facts.push(fact("attempts", text));
    }
    facts.push(fact("limits", limits_text(agent)));
    facts.extend(breaker(agent, view, model.at.wall));
    facts.push(fact("waiting", waiting(agent)));
    canvas.facts(inner, LABEL, &facts);
}

/// The same and its activity in few lines.
pub(super) fn peek(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let agent = model.agents.rows.cursor_row();
    let title = agent.map_or("Agent", |agent| agent.address.name());
    let right = agent.map_or_else(String::new, binding);
    let inner = canvas.section(area, &fit(title, 30), &fit(&right, 46), None);
    let Some(agent) = agent else {
        return;
    };
    let mut y = inner.y;
    if let Some(view) = &model.agents.view {
        let Activity {
            lengths_ms: [p50, p95, p99],
            errors,
            ..
        } = &view.activity;
        let columns = usize::from(inner.width.saturating_sub(30)).min(BUCKETS);
        let [out, err, _] = lines(&view.activity, columns, canvas.paint.glyphs);
        let notes = [
            format!("p50 {}  p95 {}", words::millis(*p50), words::millis(*p95)),
            format!(
                "p99 {}  {}",
                words::millis(*p99),
                errors_text(errors.get(..1).unwrap_or_default(), 1)
            ),
        ];
        for ((label, line, role), note) in [("out ", out, Role::Fill), ("err ", err, Role::Bad)]
            .into_iter()
            .zip(notes)
        {
            let spans = [
                span(label, Role::Dim),
                span(line, role),
                span(format!("  {note}"), Role::Text),
            ];
            canvas.spans(inner.x, y, inner.width, &spans);
            y += 1;
        }
    } else if let Some(error) = model.reads.error(Slot::Activity) {
        canvas.text(inner, error, Role::Warn);
        y += 2;
    } else {
        y += 2;
    }
    let mut facts = Vec::new();
    if let Some(stopped) = stopped(agent, model.at.wall) {
        facts.push(("state".to_owned(), span(stopped, Role::Off)));
    }
    let breaker = breaker(agent, model.agents.view.as_ref(), model.at.wall);
    if let Some((name, (_, role))) = breaker.first() {
        let parts: Vec<&str> = breaker.iter().map(|(_, (text, _))| text.as_str()).collect();
        facts.push((name.clone(), span(parts.join("; "), *role)));
    }
    facts.push(fact("limits", limits_text(agent)));
    facts.push(fact("waiting", waiting(agent)));
    let rest = Rect {
        y,
        height: inner.bottom().saturating_sub(y),
        ..inner
    };
    canvas.facts(rest, LABEL, &facts);
}

/// What became of its attempts, bucket by bucket.
pub(super) fn activity(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let columns = usize::from(area.width.saturating_sub(8)).min(BUCKETS);
    let view = model.agents.view.as_ref();
    let title = view.map_or_else(
        || "Last 15 min".to_owned(),
        |view| window(&view.activity, columns),
    );
    let inner = canvas.section(area, &title, "", None);
    if model.agents.rows.cursor().is_none() {
        return;
    }
    let Some(AgentView { activity, .. }) = view else {
        let text = model.reads.error(Slot::Activity).unwrap_or("reading");
        return canvas.text(inner, text, Role::Dim);
    };
    if sum(&activity.succeeded) + sum(&activity.failed) == 0 {
        let since = format::moment(activity.measured_since, model.at.wall);
        let text = match activity.succeeded.len() {
            0 => format!("no attempt of it has ended since the start at {since}"),
            _ => "no attempt of it has ended lately".to_owned(),
        };
        return canvas.text(inner, &text, Role::Dim);
    }
    let [out, err, p95] = lines(activity, columns, canvas.paint.glyphs);
    let sparks = [
        ("out ", out, Role::Fill),
        ("err ", err, Role::Bad),
        ("p95 ", p95, Role::Fill),
    ];
    for ((label, line, role), y) in sparks.into_iter().zip(inner.top()..inner.bottom()) {
        let spans = [span(label, Role::Dim), span(line, role)];
        canvas.spans(inner.x, y, inner.width, &spans);
    }
    let line = |below: u16| Rect {
        y: inner.y + below,
        height: 1,
        ..inner
    };
    if inner.height < 7 {
        return;
    }
    canvas.text(line(4), &sums(activity), Role::Dim);
    canvas.text(line(5), &errors_text(&activity.errors, 4), Role::Text);
    let [p50, p95, p99] = activity.lengths_ms;
    let mut foot = Vec::new();
    for (name, length) in [("p50 ", p50), ("p95 ", p95), ("p99 ", p99)] {
        foot.push(span(name, Role::Dim));
        foot.push(span(format!("{}   ", words::millis(length)), Role::Text));
    }
    if let Some(agent) = model
        .agents
        .rows
        .cursor_row()
        .filter(|agent| agent.dead > 0)
    {
        let dead = words::counted(agent.dead, "dead letter");
        foot.push(span(dead, Role::Bad));
    }
    canvas.spans(inner.x, inner.y + 6, inner.width, &foot);
}

/// How much time is shown: `Last 15 min, 18 s/bucket`, or less after a start.
fn window(activity: &Activity, columns: usize) -> String {
    let buckets = match activity.succeeded.len() {
        0 => columns,
        kept => kept.min(columns),
    };
    let seconds = u64::try_from(buckets)
        .unwrap_or(u64::MAX)
        .saturating_mul(BUCKET_SECONDS);
    let all = match seconds {
        0..=119 => format!("{seconds} s"),
        _ => format!("{} min", seconds / 60),
    };
    format!("Last {all}, {BUCKET_SECONDS} s/bucket")
}

/// Successes, failures and the slow end of the lengths, each on a scale of its own: a few failures among many
/// successes must be seen. The newest bucket stands at the right edge.
fn lines(activity: &Activity, columns: usize, glyphs: &Glyphs) -> [String; 3] {
    let counts = |counts: &[u32]| -> Vec<Option<u64>> {
        counts.iter().map(|count| Some(u64::from(*count))).collect()
    };
    let lengths = activity.p95_ms.iter().map(|length| length.map(whole));
    [
        counts(&activity.succeeded),
        counts(&activity.failed),
        lengths.collect(),
    ]
    .map(|series| line(activity.running_seconds, &series, columns, glyphs))
}

/// One of them; where nothing ended there is nothing to draw.
fn line(running: u64, series: &[Option<u64>], columns: usize, glyphs: &Glyphs) -> String {
    let mut series = series;
    // A bucket that has just begun would look like an end of everything.
    if running < RUNNING_MIN && series.len() > 1 {
        series = series.split_last().map_or(series, |(_, before)| before);
    }
    let first = series.len().saturating_sub(columns);
    let shown = series.get(first..).unwrap_or_default();
    let values: Vec<u64> = shown.iter().map(|value| value.unwrap_or(0)).collect();
    let drawn = spark(&values, columns, None, glyphs);
    let text: String = drawn
        .chars()
        .zip(shown)
        .map(|(level, value)| if value.is_some() { level } else { ' ' })
        .collect();
    format!("{text:>columns$}")
}

/// A length in whole microseconds, for a scale.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the clamp keeps it within what fits"
)]
fn whole(millis: f64) -> u64 {
    (millis * 1_000.0).clamp(0.0, 1e15) as u64
}

fn sum(counts: &[u32]) -> u64 {
    counts.iter().map(|count| u64::from(*count)).sum()
}

/// What the bars add up to, and how high the last row of them goes.
fn sums(activity: &Activity) -> String {
    let slowest = activity.p95_ms.iter().copied().flatten().reduce(f64::max);
    format!(
        "{} ok, {} failed   slowest bucket {}",
        format::count(sum(&activity.succeeded)),
        format::count(sum(&activity.failed)),
        words::millis(slowest),
    )
}

/// `503 ×1,702   timeout ×88`.
fn errors_text(errors: &[ErrorCount], most: usize) -> String {
    if errors.is_empty() {
        return "no failures".to_owned();
    }
    let mut parts: Vec<String> = errors
        .iter()
        .take(most)
        .map(|error| {
            let name = match error.http_status {
                Some(status) => status.to_string(),
                None => error.class.name().replace('_', " "),
            };
            format!("{name} ×{}", format::count(error.count))
        })
        .collect();
    let rest = errors.len().saturating_sub(most);
    if rest > 0 {
        parts.push(format!("{rest} more"));
    }
    parts.join("   ")
}

/// How it is reached.
fn binding(agent: &AgentRow) -> String {
    let reached = match (agent.binding, &agent.callback_url) {
        (Binding::Http, Some(url)) => format!("http, POST {url}"),
        (Binding::Http, None) => "http, no address to post to".to_owned(),
        (Binding::Stream, _) => format!("stream, {}", words::counted(agent.listeners, "listener")),
        (Binding::Poll, _) => format!(
            "poll, {} in the last minute",
            words::counted(agent.listeners, "poller")
        ),
        (Binding::Inbox, _) => "inbox, people answer".to_owned(),
        (Binding::Internal, _) => "internal, the broker does it itself".to_owned(),
    };
    if agent.is_registered {
        reached
    } else {
        format!("{reached}; nobody registered it")
    }
}

/// Who stopped it, when and why.
fn stopped(agent: &AgentRow, now: Timestamp) -> Option<String> {
    let stop = agent.kill.as_ref().or(agent.pause.as_ref())?;
    Some(format!(
        "{} by {} at {}: \"{}\"",
        agent.state.name(),
        words::actor(&stop.by),
        format::moment(stop.at, now),
        stop.reason
    ))
}

/// By what the calls to it are signed.
fn signing(view: &AgentView) -> String {
    let older = view.older_key_until.map_or_else(String::new, |until| {
        format!(", the older one until {}", format::clock_short(until))
    });
    match view.signing_keys {
        0 => "no key of its own; http.default_secret if set".to_owned(),
        1 => format!("HMAC-SHA256 over the body, a key of its own{older}"),
        keys => format!("HMAC-SHA256 over the body, {keys} keys{older}"),
    }
}

/// `max 6, lease 15s, then 5s 30s 2m 10m 30m ±20%`; none where nothing is tried again.
fn schedule(binding: Binding, rule: &RetryRule, lease: Length) -> Option<String> {
    let plain = |span: Length| format::age(span).replace(".0s", "s");
    let waits = match binding {
        Binding::Http => rule
            .push_delays
            .iter()
            .map(|delay| plain(*delay))
            .collect::<Vec<_>>()
            .join(" "),
        Binding::Stream | Binding::Poll => {
            format!(
                "{} doubling to {}",
                plain(rule.pull_base),
                plain(rule.pull_max)
            )
        }
        Binding::Inbox | Binding::Internal => return None,
    };
    Some(format!(
        "max {}, lease {}, {waits} ±{}%",
        rule.max_attempts,
        plain(lease),
        rule.jitter_percent
    ))
}

/// What its breaker does now, and what it did before.
fn breaker(agent: &AgentRow, view: Option<&AgentView>, now: Timestamp) -> Vec<(String, Span)> {
    let Some(endpoint) = agent.endpoint else {
        return Vec::new();
    };
    let history = view.map(|view| view.activity.breaker).unwrap_or_default();
    let left = |until: Timestamp| format::age(until.since(now).max(Length::ZERO));
    let (mut stands, role) = match (endpoint.breaker, endpoint.open_until) {
        (Breaker::Closed, _) => match history.closed_at {
            Some(at) => (format!("closed since {}", format::clock(at)), Role::Text),
            None => ("closed".to_owned(), Role::Text),
        },
        (Breaker::Open, Some(until)) => (format!("open, a probe in {}", left(until)), Role::Bad),
        (Breaker::Open, None) => ("open".to_owned(), Role::Bad),
        (Breaker::HalfOpen, _) => ("half-open, one probe is out".to_owned(), Role::Warn),
    };
    if let Some(until) = endpoint.held_until {
        stands = format!("{stands}; it asked for no calls for {}", left(until));
    }
    let Some(at) = history.opened_at else {
        return vec![("breaker".to_owned(), span(stands, role))];
    };
    let is_today = format::day(at) == format::day(now);
    if is_today {
        stands = format!("{stands}, opened {}× today", history.opened_on_day);
    }
    let class = history.opened_for.map_or_else(String::new, |class| {
        format!(", {}", class.name().replace('_', " "))
    });
    let last = format!("last opened {}{class}", format::moment(at, now));
    vec![
        ("breaker".to_owned(), span(stands, role)),
        (String::new(), span(last, Role::Text)),
    ]
}

/// Where its unfinished intents stand.
fn waiting(agent: &AgentRow) -> String {
    let mut parts = vec![format!("{} ready", format::count(agent.queued))];
    for (count, words) in [
        (agent.leased, "with it"),
        (agent.retrying, "between attempts"),
        (agent.held, "held"),
    ] {
        if count > 0 {
            parts.push(format!("{} {words}", format::count(count)));
        }
    }
    parts.join(", ")
}
