//! What the log of this process warns of.

use std::sync::Arc;

use tracing::Level;

use crate::console::model::{Message, Model, Weight};
use crate::telemetry::LogLine;

/// Lines that are kept.
const LINES_MAX: usize = 300;

/// Keeps warnings for the message log. An error is said on the status line as well.
pub(super) fn take(model: &mut Model, lines: &[Arc<LogLine>]) {
    for line in lines {
        let weight = match line.level {
            Level::ERROR => Weight::Error,
            Level::WARN => Weight::Warn,
            _ => continue,
        };
        let room = line
            .target
            .strip_prefix("postroom::")
            .unwrap_or(&line.target);
        let text = format!("{room}: {}", line.text);
        if weight == Weight::Error {
            model.say(weight, text);
            continue;
        }
        if model.log.len() >= LINES_MAX {
            model.log.pop_front();
        }
        model.log.push_back(Message {
            at: line.at,
            mono: model.at.mono,
            weight,
            text,
            is_read: true,
        });
    }
}
