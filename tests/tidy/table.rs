//! The rules of the house that are data: who may import whom, and what may be named where.

/// What each room may import: a room, or one module of it. Its own modules always.
pub(crate) const IMPORTS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("clock", &["domain"]),
    ("telemetry", &["domain", "clock"]),
    ("shutdown", &["domain", "clock", "telemetry"]),
    ("config", &["domain", "clock", "telemetry", "shutdown"]),
    ("engine", &["domain"]),
    ("store", &["domain"]),
    (
        "broker",
        &[
            "domain",
            "clock",
            "telemetry",
            "shutdown",
            "config",
            "engine",
            "store",
        ],
    ),
    (
        "bindings",
        &[
            "domain",
            "clock",
            "telemetry",
            "shutdown",
            "config",
            "engine",
            // What the feed is asked for: mails follow it.
            "store::query",
            "broker",
        ],
    ),
    ("wire", &["domain", "engine"]),
    (
        "api",
        &[
            "domain",
            "clock",
            "telemetry",
            "shutdown",
            "config",
            "engine",
            "store",
            "broker",
            "bindings",
            "wire",
        ],
    ),
    (
        "desk",
        &[
            "domain",
            "clock",
            "config",
            "engine",
            "store::query",
            // What the broker's reads are written against, and what they can fail with.
            "store::Reader",
            "store::error",
            "broker",
            "wire",
        ],
    ),
    (
        "console",
        // `store::query` holds the filters that the desk's own questions are made of.
        &[
            "domain",
            "clock",
            "telemetry",
            "config",
            "engine",
            "store::query",
            "desk",
        ],
    ),
    (
        "cli",
        &["domain", "clock", "shutdown", "config", "desk", "wire"],
    ),
    // The composition root builds every room.
    (
        "app",
        &[
            "domain",
            "clock",
            "telemetry",
            "shutdown",
            "config",
            "engine",
            "store",
            "broker",
            "bindings",
            "wire",
            "api",
            "desk",
            "console",
            "cli",
        ],
    ),
    ("main", &[]),
    ("lib", &[]),
];

/// Something that only some places may name.
#[derive(Debug)]
pub(crate) struct Home {
    /// What is looked for, as a word of its own.
    pub(crate) tokens: &'static [&'static str],
    /// Where it is at home: beginnings of paths.
    pub(crate) homes: &'static [&'static str],
    /// Whether tests may name it as well.
    pub(crate) tests: Tests,
    /// What to do instead.
    pub(crate) way_out: &'static str,
}

/// Whether a rule holds inside `#[cfg(test)]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tests {
    Checked,
    Free,
}

/// What is at home in few places, or in none.
pub(crate) const HOMES: &[Home] = &[
    Home {
        tokens: &[
            "SystemTime::now",
            "Instant::now",
            "Timestamp::now",
            "Zoned::now",
        ],
        homes: &["src/clock.rs"],
        tests: Tests::Checked,
        way_out: "take an injected `Clock`",
    },
    Home {
        tokens: &["rand::", "Uuid::now_v7", "Uuid::new_v4", "getrandom::"],
        homes: &["src/clock.rs"],
        tests: Tests::Checked,
        way_out: "take an injected `Entropy`",
    },
    Home {
        tokens: &[
            "unbounded",
            "unbounded_channel",
            "UnboundedSender",
            "UnboundedReceiver",
        ],
        homes: &[],
        tests: Tests::Checked,
        way_out: "use a bounded channel and say what happens when it is full",
    },
    Home {
        tokens: &["thread::sleep"],
        homes: &[],
        tests: Tests::Checked,
        way_out: "wait for the event itself, or for a token with a timeout",
    },
    Home {
        tokens: &[
            "tokio::spawn",
            "task::spawn",
            "thread::spawn",
            "thread::Builder",
        ],
        // The input thread waits in a read that no token can end, and the one that ends a panicking
        // process must not depend on anything that may be what panicked.
        homes: &["src/shutdown/", "src/console/terminal/"],
        tests: Tests::Free,
        // `spawn_blocking` is free: it is awaited where it stands.
        way_out: "spawn through a `shutdown::Tasks` set, so that stopping waits for it",
    },
    Home {
        tokens: &["println!", "eprintln!", "print!", "eprint!"],
        homes: &["src/cli/", "src/main.rs"],
        tests: Tests::Free,
        way_out: "log with `tracing`; the console owns the terminal",
    },
    Home {
        tokens: &[".unwrap()", "panic!", "unreachable!", "unimplemented!"],
        homes: &[],
        tests: Tests::Free,
        way_out: "return an error, or make the case impossible by types",
    },
    Home {
        tokens: &["todo!", "dbg!"],
        homes: &[],
        tests: Tests::Checked,
        way_out: "finish it or leave it out",
    },
    Home {
        tokens: &["#[allow(", "#![allow("],
        homes: &[],
        tests: Tests::Checked,
        way_out: "use `#[expect(lint, reason = \"...\")]`, which tells when it is no longer needed",
    },
    Home {
        tokens: &["process::exit"],
        // The panic hook of the console ends the process: a broken model must not be drawn again.
        homes: &["src/main.rs", "src/console/terminal/panic.rs"],
        tests: Tests::Checked,
        way_out: "return an exit code through `app`, so that everything stops in order",
    },
    Home {
        tokens: &["rusqlite", "refinery"],
        homes: &["src/store/sqlite"],
        tests: Tests::Checked,
        way_out: "go through the `Store` contract",
    },
    Home {
        tokens: &["reqwest"],
        homes: &["src/bindings/http", "src/desk/remote", "src/cli/client"],
        tests: Tests::Free,
        way_out: "only the http binding, the remote desk and the command line's client call out",
    },
    Home {
        tokens: &["lettre"],
        homes: &["src/bindings/mail/post"],
        tests: Tests::Free,
        way_out: "only `bindings/mail/post.rs` sends mail",
    },
    Home {
        tokens: &["axum", "axum_server", "tower_http"],
        homes: &["src/api/", "src/app", "src/cli/bench/", "src/cli/demo/"],
        tests: Tests::Free,
        way_out: "only `api` knows the HTTP framework, and the receivers of the demonstration and of the bench",
    },
    Home {
        tokens: &["ratatui", "crossterm", "tui_textarea", "crokey"],
        homes: &["src/console/", "src/cli/output"],
        tests: Tests::Checked,
        way_out: "only `console` draws; `cli/output.rs` asks how wide the terminal is",
    },
    Home {
        tokens: &[
            "enable_raw_mode",
            "disable_raw_mode",
            "EnterAlternateScreen",
        ],
        homes: &["src/console/terminal"],
        tests: Tests::Checked,
        way_out: "only `console/terminal.rs` touches the terminal",
    },
    Home {
        tokens: &["clap", "comfy_table"],
        homes: &["src/cli/", "src/main.rs", "src/app"],
        tests: Tests::Checked,
        way_out: "only the command line knows its libraries",
    },
];

/// What a place may not name although others may: beginning of the path, words, reason.
pub(crate) const BANS: &[(&str, &[&str], &str)] = &[
    (
        "src/domain/",
        PURE,
        "domain is vocabulary: nothing happens in it",
    ),
    (
        "src/engine/",
        PURE,
        "engine is pure: what it needs comes in its context",
    ),
    (
        "src/store/",
        &["tokio", "tokio_util", "futures_util", "async fn"],
        "store is synchronous: it runs on the writer's and the readers' threads",
    ),
    (
        "src/wire/",
        &["tokio", "std::fs", "std::net::TcpStream"],
        "wire only converts",
    ),
    (
        "src/console/panes/",
        NO_IO,
        "work travels as a `Task` that `feed` runs",
    ),
    (
        "src/console/overlays/",
        NO_IO,
        "work travels as a `Task` that `feed` runs",
    ),
    (
        "src/console/widgets/",
        NO_IO,
        "widgets draw what they are given",
    ),
    ("src/console/view", NO_IO, "drawing waits for nothing"),
    (
        "src/console/update",
        NO_IO,
        "work travels as a `Task` that `feed` runs",
    ),
    (
        "src/console/widgets/",
        &["crate::domain"],
        "widgets know shapes, not intents",
    ),
];

const PURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::thread",
    "std::process",
    "std::env",
    "Instant",
    "SystemTime",
    "tokio",
    "tokio_util",
    "futures_util",
    "tracing",
    "async fn",
    "parking_lot",
    "Mutex",
];

const NO_IO: &[&str] = &[
    "std::fs",
    "std::net",
    "std::thread",
    "std::process",
    "std::env",
    "tokio",
    "async fn",
];

/// Most lines of a file.
pub(crate) const FILE_LINES_MAX: usize = 500;

/// Most lines of a function.
pub(crate) const FUNCTION_LINES_MAX: usize = 70;

/// Files over the limit with their present length. A row may only shrink or go.
pub(crate) const LONG_FILES: &[(&str, usize)] = &[];

/// Functions over the limit with their present length: file, name. A row may only shrink or go.
pub(crate) const LONG_FUNCTIONS: &[(&str, &str, usize)] = &[];
