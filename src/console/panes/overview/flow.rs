//! How much comes and goes, and where everything stands.

use ratatui::layout::Rect;

use crate::console::format;
use crate::console::model::Model;
use crate::console::panes::words;
use crate::console::theme::Role;
use crate::console::view::kit::{Canvas, Span, span, spans_width};
use crate::console::widgets::spark::{bar, spark};
use crate::desk::rows::Overview;
use crate::domain::status::{State, Status};

fn series(values: &[u32]) -> Vec<u64> {
    values.iter().map(|value| u64::from(*value)).collect()
}

/// How much time a series covers and how much one cell of it.
fn window_text(overview: &Overview, columns: usize) -> String {
    let seconds = overview.delivered.len();
    let bucket = seconds.div_ceil(columns.max(1)).max(1);
    let all = match seconds {
        0..=119 => format!("last {seconds} s"),
        _ => format!("last {} min", seconds / 60),
    };
    format!("{all}, {bucket} s/bucket")
}

/// The flow of the last minutes.
pub(super) fn flow(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let inner = canvas.section(area, "Flow", "", None);
    let Some(overview) = &model.overview else {
        return canvas.text(inner, "waiting for the first numbers", Role::Dim);
    };
    let columns = usize::from(inner.width.saturating_sub(5));
    let rates = [
        span("in ", Role::Dim),
        span(words::rate(overview.in_per_second), Role::Strong),
        span("   out ", Role::Dim),
        span(words::rate(overview.out_per_second), Role::Strong),
    ];
    canvas.spans(inner.x, inner.y, inner.width, &rates);
    canvas.text_right(inner, &window_text(overview, columns), Role::Dim);
    let most = overview
        .accepted
        .iter()
        .chain(&overview.delivered)
        .max()
        .map(|most| u64::from(*most));
    let failed = overview.failed.iter().max().map(|most| u64::from(*most));
    // The failures have a scale of their own: a few among many must be seen.
    let lines = [
        (" in  ", series(&overview.accepted), most, Role::Fill),
        (" out ", series(&overview.delivered), most, Role::Fill),
        (" err ", series(&overview.failed), failed, Role::Bad),
    ];
    for ((label, values, most, role), y) in lines.into_iter().zip(inner.y + 2..inner.bottom()) {
        let line = spark(&values, columns, most, canvas.paint.glyphs);
        // The newest second stands at the right edge, also while there are few.
        let line = format!("{line:>columns$}");
        canvas.spans(
            inner.x,
            y,
            inner.width,
            &[span(label, Role::Dim), span(line, role)],
        );
    }
    let [p50, p95, p99] = overview.latency_ms;
    let foot = Rect {
        y: inner.y + 6,
        height: 1,
        ..inner
    };
    if foot.y >= inner.bottom() {
        return;
    }
    let total: u64 = overview.states.iter().sum();
    if total == 0 {
        let text = "no intents yet: see postroom send, or postroom demo";
        canvas.text(foot, text, Role::Dim);
    } else {
        let spans = latency_spans(p50, p95, p99, "   ");
        canvas.spans(foot.x, foot.y, foot.width, &spans);
        if let Some(ok) = overview.ok_percent {
            canvas.text_right(foot, &format!("ok {ok:.1}% in 5 min"), words::ok_role(ok));
        }
    }
}

fn latency_spans(p50: Option<f64>, p95: Option<f64>, p99: Option<f64>, gap: &str) -> Vec<Span> {
    vec![
        span("p50 ", Role::Dim),
        span(words::millis(p50), Role::Text),
        span(format!("{gap}p95 "), Role::Dim),
        span(words::millis(p95), Role::Text),
        span(format!("{gap}p99 "), Role::Dim),
        span(words::millis(p99), Role::Text),
    ]
}

/// The same for narrow screens, with the states below.
pub(super) fn flow_small(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(overview) = &model.overview else {
        let inner = canvas.section(area, "Flow", "", None);
        return canvas.text(inner, "waiting for the first numbers", Role::Dim);
    };
    let right = format!(
        "in {}  out {}",
        words::rate(overview.in_per_second),
        words::rate(overview.out_per_second)
    );
    let covered = match overview.delivered.len() {
        seconds @ 0..=119 => format!("{seconds}s"),
        seconds => format!("{}m", seconds / 60),
    };
    let inner = canvas.section(area, &format!("Flow {covered}"), &right, None);
    let columns = usize::from(inner.width.saturating_sub(30));
    let [p50, p95, p99] = overview.latency_ms;
    let ok = overview
        .ok_percent
        .map_or_else(String::new, |ok| format!("   ok {ok:.1}%"));
    let lines = [
        (
            "out ",
            series(&overview.delivered),
            Role::Fill,
            format!("p50 {}  p95 {}", words::millis(p50), words::millis(p95)),
        ),
        (
            "err ",
            series(&overview.failed),
            Role::Bad,
            format!("p99 {}{ok}", words::millis(p99)),
        ),
    ];
    for ((label, values, role, right), y) in lines.into_iter().zip(inner.top()..inner.bottom()) {
        let line = spark(&values, columns, None, canvas.paint.glyphs);
        let line = format!("{line:>columns$}");
        let spans = [span(label, Role::Dim), span(line, role)];
        canvas.spans(inner.x, y, inner.width, &spans);
        let x = inner.x + 4 + u16::try_from(columns).unwrap_or(0) + 2;
        let room = inner.right().saturating_sub(x);
        canvas.spans(x, y, room, &[span(right, Role::Text)]);
    }
    for (line, y) in state_lines(overview, inner.width.into())
        .into_iter()
        .zip(inner.y + 2..inner.bottom())
    {
        canvas.spans(inner.x, y, inner.width, &line);
    }
}

/// What matters most of the states, in two lines of 40 cells.
pub(super) fn state_lines_tiny(overview: &Overview) -> [Vec<Span>; 2] {
    let [queued, flight, retrying, human, _, completed, _, dead] = overview.states;
    let line = |parts: [(&str, u64, Role); 3]| {
        let spans = parts.into_iter().flat_map(|(label, count, role)| {
            [
                span(format!("{label} "), Role::Dim),
                span(format!("{}  ", format::count_short(count)), role),
            ]
        });
        spans.collect()
    };
    [
        line([
            ("queued", queued, Role::Queued),
            ("flight", flight, Role::Active),
            ("retry", retrying, Role::Retry),
        ]),
        line([
            ("dead", dead, Role::Bad),
            ("human", human, Role::Human),
            ("done", completed, Role::Good),
        ]),
    ]
}

/// The eight states in two lines: in full where there is room, else in fewer words and rounded numbers.
fn state_lines(overview: &Overview, columns: usize) -> [Vec<Span>; 2] {
    let full = state_lines_in(overview, Wording::Full);
    if full.iter().all(|line| spans_width(line) <= columns) {
        full
    } else {
        state_lines_in(overview, Wording::Short)
    }
}

/// How much is said of each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wording {
    Full,
    Short,
}

fn state_lines_in(overview: &Overview, wording: Wording) -> [Vec<Span>; 2] {
    let [
        queued,
        flight,
        retrying,
        human,
        other,
        completed,
        failed,
        dead,
    ] = overview.states;
    let is_full = wording == Wording::Full;
    let count = |count| match wording {
        Wording::Full => format::count(count),
        Wording::Short => format::count_short(count),
    };
    let due = match overview.retries_due {
        0 => String::new(),
        due => format!(" ({} due)", count(due)),
    };
    let overdue = match overview.tasks_overdue {
        0 => String::new(),
        overdue => format!(" ({overdue} !)"),
    };
    let hour = match overview.dead_last_hour {
        0 => String::new(),
        dead => format!(" +{dead}/h"),
    };
    let slots = if is_full {
        format!("{} ({})", count(flight), words::slots(overview))
    } else {
        count(flight)
    };
    let name = |full: &'static str, short: &'static str| if is_full { full } else { short };
    let lines = [
        [
            ("queued", count(queued), Role::Queued),
            (name("in flight", "flight"), slots, Role::Active),
            (
                name("retrying", "retry"),
                format!("{}{due}", count(retrying)),
                Role::Retry,
            ),
            ("human", format!("{}{overdue}", count(human)), Role::Human),
        ],
        [
            (name("waiting-other", "other"), count(other), Role::Waiting),
            (name("completed", "done"), count(completed), Role::Good),
            ("failed", count(failed), Role::Bad),
            (
                name("dead letters", "dead"),
                format!("{}{hour}", count(dead)),
                Role::Bad,
            ),
        ],
    ];
    let gap = if is_full { "   " } else { "  " };
    lines.map(|pairs| {
        let pairs = pairs.into_iter().enumerate();
        let spans = pairs.flat_map(|(index, (label, value, role))| {
            let gap = if index == 0 { "" } else { gap };
            [span(format!("{gap}{label} "), Role::Dim), span(value, role)]
        });
        spans.collect()
    })
}

/// How many intents are in each state.
pub(super) fn states(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let total: u64 = model
        .overview
        .as_ref()
        .map_or(0, |overview| overview.states.iter().sum());
    let title = format!(
        "States {} {} intents",
        canvas.paint.glyphs.dot,
        format::count(total)
    );
    let inner = canvas.section(area, &title, "", None);
    let Some(overview) = &model.overview else {
        return;
    };
    // Completed would dwarf everything that needs somebody, so it is no part of the scale.
    let most = State::ALL
        .iter()
        .zip(&overview.states)
        .filter(|(state, _)| **state != State::Completed)
        .map(|(_, count)| *count)
        .max()
        .unwrap_or(0);
    let notes = state_notes(model, overview);
    let lines = State::ALL.into_iter().zip(overview.states).zip(notes);
    for (((state, count), note), y) in lines.zip(inner.top()..inner.bottom()) {
        let fill = match state {
            State::Completed => String::new(),
            _ => bar(count, most, 9, canvas.paint.glyphs),
        };
        let name = format!("{:<13}", state.name());
        let number = format!("{:>8}  ", format::count(count));
        let spans = [
            span(name, words::state_role(state)),
            span(number, Role::Strong),
            span(format!("{fill:<9} "), Role::Fill),
            span(note, Role::Dim),
        ];
        canvas.spans(inner.x, y, inner.width, &spans);
    }
}

fn state_notes(model: &Model, overview: &Overview) -> [String; 8] {
    let now = model.at.wall;
    let status = |wanted: Status| {
        let index = Status::ALL.iter().position(|status| *status == wanted);
        index
            .and_then(|index| overview.statuses.get(index).copied())
            .unwrap_or(0)
    };
    let next = overview
        .next_due_at
        .filter(|next| *next > now)
        .map(|next| format!(", next in {}", format::age(next.since(now))))
        .unwrap_or_default();
    let due = format!("{} due{next}", format::count(overview.retries_due));
    let human = match overview.tasks_overdue {
        0 => "none overdue".to_owned(),
        overdue => format!("{} overdue", format::count(overdue)),
    };
    let failed = format!(
        "{} canceled, {} timed out",
        format::count(status(Status::Canceled)),
        format::count(status(Status::TimedOut))
    );
    [
        "not handed over yet".to_owned(),
        attempts_text(overview),
        due,
        human,
        "agent, tool or a moment".to_owned(),
        format!(
            "{} in the last 24h",
            format::count(overview.completed_last_day)
        ),
        failed,
        format!(
            "{} in the last hour",
            format::count(overview.dead_last_hour)
        ),
    ]
}

fn attempts_text(overview: &Overview) -> String {
    match overview.slots {
        0 => format!("{} attempts running", overview.attempts_running),
        slots => format!("{} attempts of {slots} slots", overview.attempts_running),
    }
}
