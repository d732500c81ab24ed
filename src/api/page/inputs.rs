//! The inputs of a field: what a browser fills it in with.

use super::facts;
use super::fields::{Choice, Field, Kind};
use super::html::Html;

/// The inputs of one field, with what stands in them.
pub(super) fn input(
    html: &mut Html,
    field: &Field,
    name: &str,
    id: &str,
    value: &str,
    chosen: &[String],
) {
    match &field.kind {
        Kind::Text { chars_max } => line_of(html, "text", name, id, value, *chars_max),
        Kind::Date => line_of(html, "date", name, id, value, None),
        Kind::Moment => {
            let value = value.get(..16).unwrap_or(value);
            line_of(html, "datetime-local", name, id, value, None);
            html.raw("<p class=\"hint\">UTC</p>");
        }
        Kind::Number { is_whole, min, max } => {
            html.raw("<input type=\"number\" inputmode=\"decimal\"");
            html.attribute("step", if *is_whole { "1" } else { "any" });
            html.attribute("name", name)
                .attribute("id", id)
                .attribute("value", value);
            for (bound, limit) in [("min", min), ("max", max)] {
                if let Some(limit) = limit {
                    html.attribute(bound, limit);
                }
            }
            html.raw(">");
        }
        Kind::Long { chars_max } => area(html, name, id, value, *chars_max),
        Kind::Lines => {
            area(html, name, id, value, None);
            html.raw("<p class=\"hint\">One a line</p>");
        }
        Kind::Json => area(html, name, id, value, None),
        Kind::YesNo => {
            for (word, label) in [("true", "Yes"), ("false", "No")] {
                pick(html, "radio", name, word, label, value == word);
            }
        }
        Kind::Choice(choices) if choices.len() <= 4 => {
            for choice in choices {
                let word = choice.word();
                pick(html, "radio", name, &word, &choice.label, value == word);
            }
        }
        Kind::Choice(choices) => select(html, name, id, choices, value),
        Kind::Several(choices) => {
            for choice in choices {
                let word = choice.word();
                pick(
                    html,
                    "checkbox",
                    name,
                    &word,
                    &choice.label,
                    chosen.contains(&word),
                );
            }
        }
        Kind::Fixed(fixed) => {
            html.raw("<p class=\"prose\">")
                .text(&facts::shown(fixed))
                .raw("</p>");
        }
    }
}

fn line_of(html: &mut Html, kind: &str, name: &str, id: &str, value: &str, chars_max: Option<u64>) {
    html.raw("<input")
        .attribute("type", kind)
        .attribute("name", name)
        .attribute("id", id);
    if let Some(chars) = chars_max {
        html.attribute("maxlength", &chars.to_string());
    }
    html.attribute("value", value).raw(">");
}

fn area(html: &mut Html, name: &str, id: &str, value: &str, chars_max: Option<u64>) {
    html.raw("<textarea")
        .attribute("name", name)
        .attribute("id", id);
    if let Some(chars) = chars_max {
        html.attribute("maxlength", &chars.to_string());
    }
    // The first line end after the tag is not part of the text.
    html.raw(">\n").value(value).raw("</textarea>");
}

fn pick(html: &mut Html, kind: &str, name: &str, word: &str, label: &str, is_on: bool) {
    html.raw("<label class=\"pick\"><input")
        .attribute("type", kind)
        .attribute("name", name)
        .attribute("value", word)
        .flag("checked", is_on)
        .raw("><span>")
        .text(label)
        .raw("</span></label>");
}

fn select(html: &mut Html, name: &str, id: &str, choices: &[Choice], value: &str) {
    html.raw("<select")
        .attribute("name", name)
        .attribute("id", id)
        .raw("><option value=\"\">Please choose</option>");
    for choice in choices {
        let word = choice.word();
        html.raw("<option")
            .attribute("value", &word)
            .flag("selected", word == value)
            .raw(">")
            .text(&choice.label)
            .raw("</option>");
    }
    html.raw("</select>");
}
