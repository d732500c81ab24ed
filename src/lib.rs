//! Postroom: reliable delivery of intents between services, with a terminal console inside.
//!
//! This page is the map. An *intent* is one unit of work from a sender to an *agent*; the broker
//! keeps it, offers it until the agent has answered, and shows a person what did not work.
//!
//! # Reading order
//!
//! 1. `domain`: the words. Start with `intent` and `status`.
//! 2. `engine`: the rules. `decide` says what happens, `evolve` what is true then, `effects_of`
//!    what the world must do.
//! 3. `store`: the contract of the memory, then one memory.
//! 4. `broker`: the one writer, and what hangs on a commit.
//! 5. One of `bindings`, then the side you came for: `api` or `console`.
//!
//! The same feature has the same file name in every room: looking for `inbox` or `dead_letters`
//! lists it from rule to screen.
//!
//! # Rooms
//!
//! Each room imports only rooms to its left; `tests/tidy` has the exact table and fails otherwise.
//! `domain < clock < telemetry < shutdown < config < engine < store < broker < bindings < wire <
//! api < desk < console < cli < app`
//!
//! - [`domain`]: vocabulary. Types that are valid by construction; nothing happens here.
//! - [`clock`]: the ports to time and chance, and the only place that reads either.
//! - [`telemetry`]: log lines to a file and a bounded ring; counters, rates, latencies.
//! - [`shutdown`]: named task sets, the one request to stop, the order of the end.
//! - [`config`]: every number, name and switch, from one table with units and reasons.
//! - [`engine`]: the rules, pure and deterministic: no clock, no chance, no I/O, no async.
//! - [`store`]: memory that survives; one contract, several memories.
//! - [`broker`]: one writer thread that commits in groups and only then answers, publishes and
//!   hands out.
//! - [`bindings`]: the ways an intent reaches somebody.
//! - [`wire`]: bodies of the HTTP API, read into the vocabulary and written from it.
//! - [`api`]: the HTTP door: routes, keys, streams.
//! - [`desk`]: everything an operator can see and do, as one trait.
//! - [`console`]: the terminal console; knows the broker only as a desk.
//! - [`cli`]: the command line, a client of the public HTTP API.
//! - [`app`]: the composition root: starts every room and stops it in order.
//!
//! # What must stay true
//!
//! 1. Nothing is observable before its commit: no reply, no event, no effect.
//! 2. Facts of one intent have consecutive numbers from 1; the state is the fold of the facts.
//! 3. A finished intent never changes again; a replay is a new intent that names the old one.
//! 4. An unfinished intent has a due instant, or somebody named it waits for.
//! 5. An outcome of an old attempt changes nothing; every fact caused by an attempt names it.
//! 6. Attempts never exceed the budget; neither waiting nor our own congestion spends it.
//! 7. Losing every queue, session and cache loses nothing but time and, at most, the attempt in
//!    flight.
//! 8. Same key, same sender, same body: same answer. Different body: conflict.
//! 9. Every queue, batch, page, body, timeout and retry has a limit in `config`.
//! 10. The console draws from its model alone; nothing waits for it and it waits for nothing.

pub mod api;
pub mod app;
pub mod bindings;
pub mod broker;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod desk;
pub mod domain;
pub mod engine;
pub mod shutdown;
pub mod store;
pub mod telemetry;
pub mod wire;
