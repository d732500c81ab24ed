//! How the larger sections of the tree are filled from checked values.

use super::notices::notices;
use super::tree::{Console, EarlyClose, Glyphs, Http, Limits, Stream, Values};
use super::value::Secret;

pub(super) fn stream(values: &mut Values<'_>) -> Stream {
    Stream {
        credit: values.number("stream.credit"),
        keepalive: values.span("stream.keepalive_seconds"),
        alone: values.span("stream.alone_seconds"),
        company: values.span("stream.company_seconds"),
        early_close: match values.text("stream.early_close").as_str() {
            "always" => EarlyClose::Always,
            "never" => EarlyClose::Never,
            _ => EarlyClose::Auto,
        },
    }
}

pub(super) fn http(values: &mut Values<'_>) -> Http {
    Http {
        retry_delays: values.spans("http.retry_delays"),
        retry_after_max: values.span("http.retry_after_max_seconds"),
        is_4xx_permanent: values.flag("http.permanent_4xx"),
        connect_timeout: values.span("http.connect_timeout_seconds"),
        timeout: values.span("http.timeout_seconds"),
        response_bytes_max: values.number("http.response_bytes_max"),
        allow: values.texts("http.allow"),
        deny: values.texts("http.deny"),
        ca_cert: values.path("http.ca_cert"),
        client_cert: values.path("http.client_cert"),
        client_key: values.path("http.client_key"),
        default_secret: Secret::new(values.text("http.default_secret")),
        slots: values.number("http.slots"),
        per_endpoint_max: values.number("http.per_endpoint_max"),
    }
}

pub(super) fn limits(values: &mut Values<'_>) -> Limits {
    Limits {
        payload_bytes: values.number("limits.payload_bytes"),
        body_bytes: values.number("limits.body_bytes"),
        run_bytes: values.number("limits.run_bytes"),
        controls_bytes: values.number("limits.controls_bytes"),
        requests_per_minute: values.number("limits.requests_per_minute"),
        connections_max: values.number("limits.connections_max"),
        streams_per_key_max: values.number("limits.streams_per_key_max"),
        crowded_look: values.span("limits.crowded_look_ms"),
        idle: values.span("limits.idle_seconds"),
        header_bytes: values.number("limits.header_bytes"),
        header_read: values.span("limits.header_read_seconds"),
        body_read: values.span("limits.body_read_seconds"),
        commit_queue: values.number("limits.commit_queue"),
        batch_commands_max: values.number("limits.batch_commands_max"),
        batch_bytes_max: values.number("limits.batch_bytes_max"),
        busy_wait: values.span("limits.busy_wait_ms"),
        stall: values.span("limits.stall_seconds"),
    }
}

pub(super) fn console(values: &mut Values<'_>) -> Console {
    Console {
        theme: values.text("console.theme"),
        glyphs: match values.text("console.glyphs").as_str() {
            "unicode" => Glyphs::Unicode,
            "ascii" => Glyphs::Ascii,
            _ => Glyphs::Auto,
        },
        is_plain: values.flag("console.a11y"),
        is_mouse_on: values.flag("console.mouse"),
        notices: notices(values),
        record_bytes_max: values.number("console.record_bytes_max"),
    }
}
