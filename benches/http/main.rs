//! The doors under load, beside what the machine allows: `cargo bench --bench http`.
//!
//! One process, two runtimes: the server's threads and the load's share the cores, as in `speed` budgets.
//! Every row runs in each of three rounds on a fresh store; medians, ratios to the ceiling of the same run,
//! and the raw numbers are printed. `cargo bench --bench http -- cycles` runs the rows whose names contain
//! the word; `BENCH_SECONDS` is the length of one run.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark"
)]

mod ceiling;
mod client;
mod house;
mod load;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use client::{Line, request, text_of};
use house::House;
use load::{Gate, Mark, Run, Target};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 3;

/// What is measured.
const ROWS: [&str; 13] = [
    "ceiling accepts 1",
    "broker accepts 1",
    "ceiling accepts 64",
    "broker accepts 64",
    "broker accepts batched",
    "ceiling cycles",
    "broker cycles stream",
    "broker cycles poll",
    "broker cycles batched",
    "broker cycles push",
    "ceiling latency 500/s",
    "broker latency 500/s",
    "broker latency push 500/s",
];

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let seconds = std::env::var("BENCH_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(4);
    let span = Duration::from_secs(seconds);
    let server = runtime("server");
    let load = runtime("load");
    let mut results: BTreeMap<&str, Vec<(Run, f64)>> = BTreeMap::new();
    for round in 0..ROUNDS {
        for row in ROWS {
            if !wanted.is_empty() && !wanted.iter().any(|word| row.contains(word.as_str())) {
                continue;
            }
            let (run, busy) = measure(row, &server, &load, span);
            println!("round {} {row:<26} {}", round + 1, shown(&run, busy));
            results.entry(row).or_default().push((run, busy));
        }
    }
    table(&results);
}

fn runtime(name: &str) -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name(name)
        .enable_all()
        .build()
        .unwrap()
}

/// One run on a fresh directory: what came of it, and microseconds of the server's CPU per piece.
fn measure(row: &str, server: &Runtime, load: &Runtime, span: Duration) -> (Run, f64) {
    let directory = tempfile::tempdir().unwrap();
    if row.starts_with("ceiling") {
        let address = server.block_on(async {
            let path = directory.path().to_owned();
            tokio::spawn(async move { ceiling::serve(&path).await })
                .await
                .unwrap()
        });
        let target = Target {
            address,
            token: "none".to_owned(),
            accept: "/accept".to_owned(),
            stream: "/stream".to_owned(),
            done: "/ack".to_owned(),
            done_body: "{\"action\":\"complete\",\"result\":{\"ok\":1}}".to_owned(),
            body: body("orders"),
        };
        return timed(load, span, drive(row.to_owned(), target, span));
    }
    let path = directory.path().to_owned();
    let house = server
        .block_on(server.spawn(async move { House::open(&path).await }))
        .unwrap();
    let target = Target {
        address: house.address,
        token: house.admin.clone(),
        accept: "/v1/intents".to_owned(),
        stream: "/v1/agents/orders/intents/stream?since=0&wait_seconds=60&max_in_flight=512"
            .to_owned(),
        done: "/v1/intents/{id}/resume".to_owned(),
        done_body: "{\"action\":\"complete\",\"result\":{\"ok\":1}}".to_owned(),
        body: body("orders"),
    };
    let measured = timed(load, span, drive(row.to_owned(), target, span));
    server.block_on(house.close());
    measured
}

/// A create of about 1 KiB.
fn body(agent: &str) -> String {
    let pad = "x".repeat(820);
    format!(
        "{{\"intent_type\":\"intent.order.process.v1\",\"to_agent\":\"{agent}\",\
         \"payload\":{{\"order_id\":\"ORD-1\",\"mark\":\"\",\"items\":[1,2,3],\"pad\":\"{pad}\"}}}}"
    )
}

async fn drive(row: String, mut target: Target, span: Duration) -> Run {
    let gate = load::gate();
    match row.as_str() {
        "ceiling accepts 1" | "broker accepts 1" => load::accepts(target, 1, span).await,
        "ceiling accepts 64" | "broker accepts 64" => load::accepts(target, 64, span).await,
        "broker accepts batched" => {
            target = batched(target, "orders");
            let mut run = load::accepts(target, 8, span).await;
            run.per_second *= 50.0;
            run
        }
        "ceiling cycles" | "broker cycles stream" => {
            let mut receivers = load::streams(&target, &gate).await;
            let run = load::cycles(&target, &gate, 64, span).await;
            receivers.shutdown().await;
            run
        }
        "broker cycles poll" => {
            register(&target, "ledger", "\"delivery_mode\":\"poll\"").await;
            target.body = body("ledger");
            let mut receivers = load::polls(&target, &gate, false);
            let run = load::cycles(&target, &gate, 64, span).await;
            receivers.shutdown().await;
            run
        }
        "broker cycles batched" => {
            register(&target, "ledger", "\"delivery_mode\":\"poll\"").await;
            target = batched(target, "ledger");
            let mut receivers = load::polls(&target, &gate, true);
            let run = load::cycles_of(&target, &gate, 8, span, 50).await;
            receivers.shutdown().await;
            run
        }
        "broker cycles push" => {
            let sink = sink(Some(Arc::clone(&gate)), None).await;
            hook(&target, &sink).await;
            target.body = body("hook");
            load::cycles(&target, &gate, 64, span).await
        }
        "broker latency push 500/s" => {
            let (marks, ended) = mpsc::channel(4096);
            let sink = sink(None, Some(marks)).await;
            hook(&target, &sink).await;
            target.body = body("hook");
            load::paced(&target, ended, 500, span).await
        }
        _ => {
            let mut receivers = JoinSet::new();
            let ended = load::marks(&target, &mut receivers).await;
            let run = load::paced(&target, ended, 500, span).await;
            receivers.shutdown().await;
            run
        }
    }
}

/// The same create fifty times in one call.
fn batched(target: Target, agent: &str) -> Target {
    let items = vec![body(agent); 50];
    Target {
        accept: "/v1/intents/batch".to_owned(),
        body: format!("{{\"intents\":[{}]}}", items.join(",")),
        ..target
    }
}

async fn register(target: &Target, name: &str, more: &str) {
    let body = format!("{{\"name\":\"{name}\",{more}}}");
    let ask = request(
        "POST",
        "/v1/service-accounts",
        &target.token,
        body.as_bytes(),
    );
    Line::open(target.address).await.call(&ask).await;
}

async fn hook(target: &Target, sink: &str) {
    let more = format!("\"delivery_mode\":\"http\",\"callback_url\":\"{sink}\"");
    register(target, "hook", &more).await;
}

/// A receiver of pushes that finishes each at once and tells who wants to know.
async fn sink(gate: Option<Arc<Gate>>, marks: Option<mpsc::Sender<Mark>>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route(
        "/hook",
        post(move |body: Bytes| {
            if let Some(gate) = &gate {
                gate.finish(1);
            }
            if let (Some(marks), Some(mark)) = (&marks, text_of(&body, "mark")) {
                marks
                    .try_send((mark.parse().unwrap(), Instant::now()))
                    .unwrap();
            }
            std::future::ready("{\"result\":{\"ok\":1}}")
        }),
    );
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    format!("http://{address}/hook")
}

/// Runs the load and divides the CPU time of everybody else by what it did.
fn timed(
    load: &Runtime,
    span: Duration,
    drive: impl Future<Output = Run> + Send + 'static,
) -> (Run, f64) {
    let before = busy();
    let began = Instant::now();
    let run = load.block_on(load.spawn(drive)).unwrap();
    let share = span.as_secs_f64() / began.elapsed().as_secs_f64().max(span.as_secs_f64());
    let used: u64 = busy()
        .iter()
        .map(|(thread, nanos)| nanos.saturating_sub(before.get(thread).copied().unwrap_or(0)))
        .sum();
    let used = Duration::from_nanos(used).as_secs_f64() * share;
    let per_piece = used * 1e6 / (run.per_second * span.as_secs_f64()).max(1.0);
    (run, per_piece)
}

/// CPU nanoseconds of every thread but the load's and the main one.
fn busy() -> BTreeMap<String, u64> {
    let mut used = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if name.starts_with("load") || name.starts_with("http-") {
            continue;
        }
        let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        let nanos = text.split(' ').next().unwrap_or("0").parse().unwrap_or(0);
        used.insert(task.file_name().to_string_lossy().into_owned(), nanos);
    }
    used
}

fn quantile(sorted: &[f64], percent: usize) -> f64 {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

fn shown(run: &Run, busy: f64) -> String {
    if run.latencies.is_empty() {
        return format!("{:>9.0} /s   {busy:>6.1} us CPU each", run.per_second);
    }
    format!(
        "p50 {:.2} ms, p90 {:.2}, p99 {:.2}, {} of them; {busy:.1} us CPU each",
        quantile(&run.latencies, 50),
        quantile(&run.latencies, 90),
        quantile(&run.latencies, 99),
        run.latencies.len()
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Medians, ratios to the ceiling of the same run, and the raw numbers.
fn table(results: &BTreeMap<&str, Vec<(Run, f64)>>) {
    println!("\n| row | median | of the ceiling | CPU us each | raw |\n|---|---|---|---|---|");
    let middle = |row: &str| -> Option<f64> {
        let runs = results.get(row)?;
        Some(median(runs.iter().map(|(run, _)| run.per_second).collect()))
    };
    for row in ROWS {
        let Some(runs) = results.get(row) else {
            continue;
        };
        let busy = median(runs.iter().map(|(_, busy)| *busy).collect());
        if row.contains("latency") {
            let at = |percent| {
                let values = runs
                    .iter()
                    .map(|(run, _)| quantile(&run.latencies, percent));
                median(values.collect())
            };
            let raw: Vec<String> = runs
                .iter()
                .map(|(run, _)| {
                    let (low, high) = (quantile(&run.latencies, 50), quantile(&run.latencies, 99));
                    format!("{low:.2}/{high:.2}")
                })
                .collect();
            let (low, high) = (at(50), at(99));
            println!(
                "| {row} | p50 {low:.2} ms, p99 {high:.2} ms | | {busy:.1} | {} |",
                raw.join(" ")
            );
            continue;
        }
        let own = middle(row).unwrap_or(f64::NAN);
        let ceiling = match row {
            _ if row.starts_with("ceiling") => None,
            "broker accepts 1" => middle("ceiling accepts 1"),
            _ if row.contains("accepts") => middle("ceiling accepts 64"),
            _ => middle("ceiling cycles"),
        };
        let ratio = ceiling.map_or(String::new(), |ceiling| format!("{:.2}", own / ceiling));
        let raw: Vec<String> = runs
            .iter()
            .map(|(run, _)| format!("{:.0}", run.per_second))
            .collect();
        println!(
            "| {row} | {own:.0} /s | {ratio} | {busy:.1} | {} |",
            raw.join(" ")
        );
    }
}
