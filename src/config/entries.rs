//! The one table of keys: name, kind, default, meaning, and the reason for the default.
//!
//! The reader, the template, the README and `postroom config` all come from it.

use super::value::{Kind, Unit};

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// `section.name`, or a bare name at the top.
    pub key: &'static str,
    /// What its value must be.
    pub kind: Kind,
    /// The default, written as in the environment.
    pub default: &'static str,
    /// What it means.
    pub what: &'static str,
    /// Why the default is what it is, or when to change it.
    pub why: &'static str,
}

impl Entry {
    /// The section, empty at the top.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.key.split_once('.').map_or("", |(section, _)| section)
    }

    /// The name inside the section.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.key.split_once('.').map_or(self.key, |(_, name)| name)
    }

    /// The environment variable: `POSTROOM_SECTION__NAME`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("POSTROOM_{}", self.key.replace('.', "__").to_uppercase())
    }

    /// False for a key that nothing acts on in this version.
    #[must_use]
    pub fn has_effect(&self) -> bool {
        !WITHOUT_EFFECT.contains(&self.key)
    }

    /// The unit as a word, empty when it has none.
    #[must_use]
    pub const fn unit(&self) -> &'static str {
        match self.kind {
            Kind::Time { unit, .. } => unit.word(),
            Kind::Bytes { .. } => "bytes",
            Kind::Ratio => "share",
            Kind::Times => "durations",
            Kind::Flag => "true/false",
            Kind::Text
            | Kind::Name
            | Kind::Hidden
            | Kind::Path
            | Kind::Listen
            | Kind::Number { .. }
            | Kind::Texts
            | Kind::Networks
            | Kind::Choice(_) => "",
        }
    }
}

const fn entry(
    key: &'static str,
    kind: Kind,
    default: &'static str,
    what: &'static str,
    why: &'static str,
) -> Entry {
    Entry {
        key,
        kind,
        default,
        what,
        why,
    }
}

const fn number(min: u64, max: u64) -> Kind {
    Kind::Number { min, max }
}

const fn seconds(min: i64, max: i64) -> Kind {
    Kind::Time {
        unit: Unit::Seconds,
        min,
        max,
    }
}

const fn millis(min: i64, max: i64) -> Kind {
    Kind::Time {
        unit: Unit::Millis,
        min,
        max,
    }
}

const DAYS: Kind = Kind::Time {
    unit: Unit::Days,
    min: 1,
    max: 36_500,
};

const HOURS: Kind = Kind::Time {
    unit: Unit::Hours,
    min: 1,
    max: 87_600,
};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const DAY_SECONDS: i64 = 86_400;

/// What each section is about, in the order of the template.
pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("", "The broker as a whole."),
    ("tls", "Encrypted listening; both or neither."),
    (
        "env",
        "Which environment this is, for people who operate several.",
    ),
    ("intents", "Intents."),
    ("stream", "The stream binding: agents that listen."),
    ("retry", "Retries of the stream and poll bindings."),
    ("http", "The http binding: agents that are called."),
    ("compat", "Forms that published clients rely on."),
    (
        "limits",
        "Upper bounds. Nothing in the broker grows without one.",
    ),
    ("idempotency", "Repeated requests."),
    (
        "retention",
        "How long what is finished stays. What is unfinished is never removed.",
    ),
    ("dead_letters", "When the operator hears of dead letters."),
    ("mesh", "Liveness of agents."),
    (
        "mail",
        "Mail to people who have a task, with a link to a page that decides it.",
    ),
    ("metrics", "Metrics for scrapers."),
    ("redact", "What is masked in excerpts and on screens."),
    ("store", "The memory that survives."),
    ("shutdown", "Stopping."),
    ("console", "The terminal console."),
    ("header", "Limits of the console's header."),
    ("log", "Logs."),
];

/// Every key there is, by section.
#[rustfmt::skip] // a table: one row reads as one thought
pub const ENTRIES: &[Entry] = &[
    entry("data", Kind::Path, "",
        "directory of the store, the lock, `admin.key`, `address` and `log/`",
        "empty means `$XDG_DATA_HOME/postroom`, where the system keeps data of programs"),
    entry("listen", Kind::Listen, "127.0.0.1:8100",
        "address of the HTTP API; port 0 picks a free one",
        "loopback: nothing is reachable from outside until somebody decides so"),
    entry("org", Kind::Name, "local", "name of the one organisation", "completes bare addresses"),
    entry("workspace", Kind::Name, "default", "name of the one workspace", "completes bare addresses"),
    entry("strict_addresses", Kind::Flag, "false",
        "refuse intents to addresses that have no account",
        "a receiver may come later than its first intent"),
    entry("max_delivery_attempts", number(1, 100), "3",
        "attempts of an intent that does not say, the first included",
        "the protocol's default"),
    entry("ack_timeout_seconds", seconds(1, DAY_SECONDS), "300",
        "how long a receiver may hold an attempt without a result",
        "the protocol's default; longer work extends its lease"),
    entry("undo_hold_seconds", seconds(0, 60), "5",
        "how long the console holds a decision or replay before it takes effect",
        "long enough to see a mistake, short enough not to wait"),
    entry("tls.cert", Kind::Path, "",
        "certificate chain, PEM: the API is served over HTTPS alone",
        "none: plain HTTP, meant for loopback or behind a proxy"),
    entry("tls.key", Kind::Path, "", "private key of the certificate, PEM", "none, as the certificate"),
    entry("env.name", Kind::Text, "", "label shown in the console's header", "empty: no label"),
    entry("env.is_protected", Kind::Flag, "false",
        "ask for the count before every act on many, however few they are",
        "on for production"),
    entry("intents.default_ttl_seconds", seconds(0, 36_500 * DAY_SECONDS), "0",
        "deadline of an intent that has none; 0 means none",
        "an intent waits for an offline receiver as long as it takes"),
    entry("stream.credit", number(1, 1024), "16",
        "unacknowledged intents per connection",
        "keeps a receiver busy over a slow network without piling up work in it"),
    entry("stream.keepalive_seconds", seconds(1, 300), "8",
        "pause after which a silent stream gets a comment",
        "impatient proxies give up after 10 s"),
    entry("stream.alone_seconds", seconds(0, 300), "2",
        "how long a listener that asks from zero is the only one before it gets what a listener without a connection holds",
        "one that fell over is back at its work within seconds; others at the address have shown themselves by then"),
    entry("stream.company_seconds", seconds(0, DAY_SECONDS), "3600",
        "how long after two listeners were there at once each lease is left to its own time",
        "one without a connection may be at work; longer than most work takes"),
    entry("stream.early_close", Kind::Choice(&["auto", "always", "never"]), "auto",
        "end the window of a stream 80 ms after its first rows or events",
        "auto: for the clients that look at nothing before its end"),
    entry("retry.stream_base_ms", millis(1, 3_600_000), "1000",
        "delay after the first failed attempt; doubles with each",
        "a receiver that restarts is back within seconds"),
    entry("retry.stream_max_ms", millis(1, 86_400_000), "300000",
        "the longest delay",
        "five minutes: an operator's patience"),
    entry("retry.jitter", Kind::Ratio, "0.2",
        "spread of every delay to either side",
        "enough to break up a herd, little enough to foretell the next try"),
    entry("http.retry_delays", Kind::Times, "5s 30s 2m 10m 30m 1h",
        "delays after attempt 1, 2, 3, ...; the last repeats",
        "the steps of the webhook services that receivers know"),
    entry("http.retry_after_max_seconds", seconds(0, DAY_SECONDS), "3600",
        "the longest `Retry-After` that is obeyed",
        "a receiver may not park an intent for days"),
    entry("http.permanent_4xx", Kind::Flag, "false",
        "a 4xx other than 408, 409, 425 and 429 ends the intent at once",
        "off: a misconfigured receiver is often put right within the hour"),
    entry("http.connect_timeout_seconds", seconds(1, 300), "5",
        "time to connect, TLS included",
        "three lost SYNs"),
    entry("http.timeout_seconds", seconds(1, 3600), "15",
        "time of the whole call",
        "work that takes longer answers 202 and resumes later"),
    entry("http.response_bytes_max", Kind::Bytes { min: 0, max: 16 * MIB, }, "65536",
        "how much of a response is read",
        "a result, not a download"),
    entry("http.allow", Kind::Networks, "",
        "hosts and networks that may be called although private",
        "empty: private ranges only while listening on loopback; link-local never"),
    entry("http.deny", Kind::Networks, "",
        "hosts and networks that may not be called",
        "empty: what the address guard denies anyway"),
    entry("http.ca_cert", Kind::Path, "",
        "certificates of authorities that receivers may use besides those of the system, PEM",
        "none: what the system trusts"),
    entry("http.client_cert", Kind::Path, "",
        "certificate chain shown to receivers that ask for one, PEM",
        "none: the signature says who calls"),
    entry("http.client_key", Kind::Path, "",
        "private key of that certificate, PEM",
        "none, as the certificate"),
    entry("http.default_secret", Kind::Hidden, "",
        "signing secret of agents that have none of their own",
        "empty: they are called unsigned"),
    entry("http.slots", number(1, 4096), "64",
        "calls in flight over all endpoints",
        "64 slow calls cost little memory and no thread"),
    entry("http.per_endpoint_max", number(1, 64), "4",
        "calls in flight to one endpoint at the start; adapts between 1 and 64",
        "a receiver shows that it can take more"),
    entry("compat.flat_intent", Kind::Flag, "true",
        "answer an intent's fields at the top as well",
        "the published clients read them there"),
    entry("compat.watch_inclusive_since", Kind::Flag, "true",
        "a Go program that names no client counts `since` and `next_seq` of events as the next number",
        "`axme scenarios apply --watch` and `axme intents watch` do"),
    entry("limits.payload_bytes", Kind::Bytes { min: 1024, max: 16 * MIB, }, "131072",
        "largest payload",
        "larger ones belong in a file store, with a link here"),
    entry("limits.body_bytes", Kind::Bytes { min: 4096, max: 64 * MIB, }, "1048576",
        "largest request body",
        "a batch of typical payloads"),
    entry("limits.run_bytes", Kind::Bytes { min: 4096, max: 64 * MIB, }, "1048576",
        "largest results of a scenario's steps together, and largest input of a step with them",
        "as the largest request body: the last step is given all of them"),
    entry("limits.controls_bytes", Kind::Bytes { min: 1024, max: MIB, }, "16384",
        "most that changes of controls and policy say of one intent",
        "it is part of every record of the intent's state"),
    entry("limits.requests_per_minute", number(0, 10_000_000), "0",
        "requests per key and minute; 0 is off",
        "off: senders are known"),
    entry("limits.connections_max", number(1, 1_000_000), "1024",
        "open connections",
        "each is an open file: raise it together with that limit of the system"),
    entry("limits.streams_per_key_max", number(1, 1_000_000), "64",
        "agent streams of a key that get rows, and as many streams of events that are told of each commit; further ones stand in line",
        "each is woken by every commit; whoever is beyond it gets a place when one closes, and is never refused"),
    entry("limits.crowded_look_ms", millis(50, 60_000), "1000",
        "how often a stream of events that stands in line looks for news",
        "a second late, for one small read; clients would come back at once if it ended instead"),
    entry("limits.idle_seconds", seconds(15, 3600), "75",
        "how long a kept connection may be without a request",
        "clients use one again within 5 s, proxies within 60 s; under 15 s requests would meet its end"),
    entry("limits.header_bytes", Kind::Bytes { min: 8 * KIB, max: MIB, }, "65536",
        "largest head of a request, at least: what a connection reads at once comes on top",
        "keys and traces take a few hundred bytes"),
    entry("limits.header_read_seconds", seconds(1, 300), "10",
        "time to send the head of a request",
        "a slow client cannot hold a connection"),
    entry("limits.body_read_seconds", seconds(1, 3600), "30",
        "time to send the whole body",
        "1 MiB over 300 kbit/s"),
    entry("limits.commit_queue", number(16, 1_000_000), "4096",
        "commands waiting for the writer",
        "one full batch may wait behind the one at work"),
    entry("limits.batch_commands_max", number(1, 65_536), "4096",
        "commands in one commit",
        "measured: more gains nothing"),
    entry("limits.batch_bytes_max", Kind::Bytes { min: 4 * KIB, max: 64 * MIB, }, "1048576",
        "bytes of payloads in one commit",
        "measured: an fsync of 4 MiB costs six times as much per byte"),
    entry("limits.busy_wait_ms", millis(0, 60_000), "250",
        "how long a request waits for a place in the queue before 503",
        "a passing burst is absorbed, a standing one is told"),
    entry("limits.stall_seconds", seconds(1, 3600), "30",
        "how long a commit may take, or what is due may wait, before `/ready` says no",
        "longer than any healthy disk takes, shorter than an operator's patience"),
    entry("idempotency.retention_hours", HOURS, "168",
        "how long a repeated request gets the first answer",
        "a week: longer than any client retries"),
    entry("retention.finished_days", DAYS, "30",
        "age at which finished intents are removed",
        "a month of looking back"),
    entry("retention.dead_letter_days", DAYS, "90",
        "age at which dead letters are removed",
        "a quarter to replay them"),
    entry("retention.audit_days", DAYS, "90",
        "age at which audit entries are removed",
        "as dead letters, which they explain"),
    entry("retention.job_days", DAYS, "90",
        "age at which finished jobs are removed",
        "as dead letters, which they dealt with"),
    entry("dead_letters.alarm_per_hour", number(0, 1_000_000), "100",
        "dead letters within an hour beyond which the operator is told; 0 is never",
        "a receiver that is down shows within the hour, a few bad messages do not"),
    entry("mesh.degraded_seconds", seconds(1, DAY_SECONDS), "90",
        "silence after which an agent counts as degraded",
        "three missed heartbeats of 30 s"),
    entry("mesh.unreachable_seconds", seconds(1, DAY_SECONDS), "300",
        "silence after which an agent counts as unreachable",
        "ten missed heartbeats of 30 s"),
    entry("mesh.hold_unreachable", Kind::Flag, "true",
        "hold deliveries to unreachable agents",
        "waiting spends no attempt"),
    entry("mail.host", Kind::Text, "",
        "SMTP server that takes mail to people who have a task",
        "empty: no mail is sent, and the page for deciding is shut"),
    entry("mail.port", number(1, 65_535), "587", "its port", "submission of mail (RFC 6409)"),
    entry("mail.tls", Kind::Choice(&["starttls", "implicit", "none"]), "starttls",
        "how the connection to it is encrypted; without STARTTLS nothing is sent",
        "what servers offer at that port; `none` is for one on this machine"),
    entry("mail.ca_cert", Kind::Path, "",
        "certificates of authorities that it may use besides those of the system, PEM",
        "none: what the system trusts"),
    entry("mail.user", Kind::Text, "", "name to log in with", "empty: it asks for none"),
    entry("mail.password", Kind::Hidden, "",
        "password; better in `POSTROOM_MAIL__PASSWORD` or a file",
        "empty: it asks for none"),
    entry("mail.password_file", Kind::Path, "", "file whose first line is the password", "none"),
    entry("mail.from", Kind::Text, "",
        "sender of the mails, such as `Postroom <postroom@example.com>`",
        "yours to say, with `mail.host`"),
    entry("mail.page_url", Kind::Text, "",
        "how people reach this broker, such as `https://postroom.example.com`; links begin with it",
        "yours to say, with `mail.host`"),
    entry("mail.contacts", Kind::Texts, "",
        "who is written to where, as `finance=anna@example.com`",
        "empty: only addresses that are mail addresses, as of `humans[].contact`"),
    entry("mail.domains", Kind::Texts, "",
        "domains of mail addresses that may be written to",
        "empty: any; senders of scenarios choose contacts, so name yours where senders are not trusted"),
    entry("mail.link_hours", HOURS, "72",
        "how long a link decides, from its mail on; never longer than its task is open",
        "a weekend"),
    entry("mail.timeout_seconds", seconds(1, 600), "30",
        "time to give one mail to the server",
        "servers that check what they take are slow"),
    entry("mail.retry_base_seconds", seconds(1, 3600), "10",
        "delay after the first time that a mail was not taken; doubles with each",
        "a server that restarts is back within seconds"),
    entry("mail.retry_max_seconds", seconds(1, DAY_SECONDS), "900",
        "the longest delay; tried until the link would no longer decide",
        "greylisting wants a quarter of an hour"),
    entry("mail.waiting_max", number(1, 100_000), "1000",
        "mails that wait at once; further ones are written once there is room",
        "an outage of the server, with reminders"),
    entry("metrics.public", Kind::Flag, "false",
        "serve `/metrics` without a key",
        "names of agents are nobody else's business"),
    entry("redact.keys", Kind::Texts, "",
        "fields of payloads that are masked, besides the usual names of secrets",
        "empty: only the usual names"),
    entry("store.kind", Kind::Choice(&["sqlite", "memory"]), "sqlite",
        "`sqlite` on disk, or `memory` that dies with the process (`--ephemeral`)",
        "accepted means durable"),
    entry("store.readers", number(1, 64), "3",
        "read-only connections",
        "two to four keep the console and the API apart"),
    entry("store.cache_bytes", Kind::Bytes { min: MIB, max: 1024 * MIB, }, "16777216",
        "page cache of each connection",
        "measured: the live part of a million intents"),
    entry("store.disk_low_bytes", Kind::Bytes { min: 0, max: 1024 * 1024 * MIB, }, "134217728",
        "free bytes of the data directory's file system below which new intents are refused; 0 is never",
        "room for what is under way to end: results, attempts and the write-ahead log"),
    entry("store.disk_check_seconds", seconds(1, 3600), "5",
        "pause between two looks at the free bytes",
        "a disk that fills by 25 MB a second is seen in time"),
    entry("shutdown.grace_seconds", seconds(0, 3600), "10",
        "time for work in flight when stopping",
        "the usual patience of service managers is longer"),
    entry("console.theme", Kind::Name, "terminal",
        "`terminal`, `mono`, `midnight`, `paper`, `high-contrast`, `auto`, or a theme of yours",
        "the terminal's own colours fit it best"),
    entry("console.glyphs", Kind::Choice(&["auto", "unicode", "ascii"]), "auto",
        "signs in tables and graphs",
        "auto: by the locale and the terminal"),
    entry("console.a11y", Kind::Flag, "false",
        "one column of words for screen readers, drawn once a second unless a key is pressed",
        "pictures say more to those who see them"),
    entry("console.mouse", Kind::Flag, "true",
        "clicks and wheel",
        "no click ever decides, replays or discards"),
    entry("console.notices", Kind::Choice(&["bell", "osc9", "osc777", "off"]), "bell",
        "how a terminal without the focus is told of a task, a dead letter over the limit, a paused job, a lost link",
        "every terminal knows the bell; never with a payload"),
    entry("console.notice_pause_seconds", seconds(1, 3600), "30",
        "least time between two of them",
        "one look tells all that came meanwhile"),
    entry("console.dead_letters_per_hour", number(0, 1_000_000), "20",
        "dead letters in the last hour above which the console says so; 0 for never",
        "a receiver that fails for good passes it within minutes"),
    entry("console.record_bytes_max", Kind::Bytes { min: 1024, max: 1 << 40 }, "268435456", "largest record of a session; it ends there and says so", "a day at a busy desk; forgetting it fills no disk"),
    entry("header.ok_percent_warn", number(0, 100), "99", "share of attempts that succeeded in five minutes below which the header warns",
        "one in a hundred is noise"),
    entry("header.ok_percent_crit", number(0, 100), "90", "the same below which it is alarmed",
        "one in ten is an outage somewhere"),
    entry("header.due_lag_seconds_warn", number(0, 86_400), "5", "lag of an agent that is ok above which the header warns",
        "work should be handed over at once"),
    entry("header.due_lag_seconds_crit", number(0, 86_400), "60", "the same above which it is alarmed",
        "a minute is seen by whoever waits"),
    entry("header.oldest_seconds_warn", number(0, 31_536_000), "86400", "age of the oldest unfinished intent above which the header warns",
        "people take a day"),
    entry("header.oldest_seconds_crit", number(0, 31_536_000), "604800", "the same above which it is alarmed",
        "a week is forgotten"),
    entry("header.dead_per_hour_warn", number(0, 1_000_000), "1", "dead letters of the last hour from which on the header warns",
        "each is a loss to somebody"),
    entry("header.dead_per_hour_crit", number(0, 1_000_000), "100", "the same from which on it is alarmed",
        "more than anybody repairs by hand"),
    entry("header.due_retries_warn", number(0, 100_000_000), "1000", "due retries above which the header warns",
        "they should be few: due means now"),
    entry("header.due_retries_crit", number(0, 100_000_000), "100000", "the same above which it is alarmed",
        "hours of work at usual rates"),
    entry("log.filter", Kind::Name, "warn,postroom=info",
        "what is logged, as `level` or `target=level` between commas",
        "our own steps, others' complaints"),
];

/// Keys that are read and checked, but that nothing acts on in this version. Setting one warns.
/// A row leaves with the commit that makes it work.
pub(super) const WITHOUT_EFFECT: &[&str] = &[];

/// The entry of `key`.
#[must_use]
pub fn find(key: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_unique_grouped_by_listed_sections_and_name_their_unit() {
        let mut seen_sections = Vec::new();
        for (index, entry) in ENTRIES.iter().enumerate() {
            assert!(
                !ENTRIES[..index].iter().any(|other| other.key == entry.key),
                "{}",
                entry.key
            );
            if seen_sections.last() != Some(&entry.section()) {
                seen_sections.push(entry.section());
            }
            if let Kind::Time { unit, .. } = entry.kind {
                let suffix = match unit {
                    Unit::Millis => "_ms",
                    Unit::Seconds => "_seconds",
                    Unit::Hours => "_hours",
                    Unit::Days => "_days",
                };
                assert!(entry.key.ends_with(suffix), "{}", entry.key);
            }
            assert!(
                !entry.what.is_empty() && !entry.why.is_empty(),
                "{}",
                entry.key
            );
        }
        assert!(WITHOUT_EFFECT.iter().all(|key| find(key).is_some()));
        let sections: Vec<&str> = SECTIONS.iter().map(|(section, _)| *section).collect();
        assert_eq!(seen_sections, sections);
    }
}
