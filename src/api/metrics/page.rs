//! The text that scrapers read: families with what they mean, samples with their labels.
//!
//! Written after the description of the exposition format 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::Write;

use crate::telemetry::BucketCounts;

/// What a family of samples is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Gauge,
    Counter,
    Histogram,
}

/// A page in the making. A family is begun once, and its samples follow at once.
#[derive(Debug, Default)]
pub(super) struct MetricsPage {
    text: String,
}

impl MetricsPage {
    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Begins a family.
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        self.put(format_args!("# HELP postroom_{name} {help}\n"));
        self.put(format_args!("# TYPE postroom_{name} {kind}\n"));
    }

    /// A sample of the family that was begun last.
    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.put(format_args!("postroom_{name}"));
        for (index, (label, text)) in labels.iter().enumerate() {
            let opening = if index == 0 { '{' } else { ',' };
            let text = text
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            self.put(format_args!("{opening}{label}=\"{text}\""));
        }
        let closing = if labels.is_empty() { "" } else { "}" };
        self.put(format_args!("{closing} {value}\n"));
    }

    /// A family of one sample without labels.
    pub(super) fn single(&mut self, name: &str, kind: Kind, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// The samples of one histogram: its buckets, their sum and their count, each with these labels.
    pub(super) fn histogram(&mut self, name: &str, labels: &[(&str, &str)], counts: &BucketCounts) {
        let bucket = format!("{name}_bucket");
        let bounds = counts
            .cumulative()
            .map(|(bound, count)| (bound.as_secs_f64().to_string(), count))
            .chain(std::iter::once(("+Inf".to_owned(), counts.count())));
        for (bound, count) in bounds {
            let mut labels = labels.to_vec();
            labels.push(("le", &bound));
            self.sample(&bucket, &labels, number(count));
        }
        let sum = counts.sum().as_secs_f64();
        self.sample(&format!("{name}_sum"), labels, sum);
        self.sample(&format!("{name}_count"), labels, number(counts.count()));
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        let written = self.text.write_fmt(text);
        debug_assert!(written.is_ok(), "a String takes everything");
    }
}

#[expect(clippy::cast_precision_loss, reason = "metrics are floating point")]
pub(super) const fn number(count: u64) -> f64 {
    count as f64
}
