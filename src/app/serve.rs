//! `serve`: the broker alone.

use std::sync::Arc;

use serde_json::json;
use tokio::runtime::Runtime;

use super::console;
use super::house::{self, Ground, House};
use crate::cli::Context;
use crate::cli::failure::Failure;
use crate::cli::keys::client_lines;
use crate::cli::output::note;
use crate::cli::place;
use crate::config::Config;
use crate::shutdown::{Shutdown, StopReport};
use crate::telemetry::{LogRing, LogTarget};

/// Where the log of a process with a console is, in the data directory.
pub(super) const LOG_DIRECTORY: &str = "log";
/// Lines that the log view can look back over.
pub(super) const RING_LINES: usize = 2000;

pub(super) fn run(context: Context) -> Result<(), Failure> {
    let runtime = runtime()?;
    let ended = runtime.block_on(serve(context));
    // What is still running was told to stop and had its time.
    runtime.shutdown_background();
    ended
}

/// The runtime of a broker.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("runtime")
        .build()
        .map_err(|error| Failure::refused(format!("start the runtime: {error}")))
}

async fn serve(context: Context) -> Result<(), Failure> {
    let ring = LogRing::new(RING_LINES);
    let _log = crate::telemetry::start(
        &context.config.log_filter,
        &LogTarget::Stderr,
        &ring,
        &context.clock,
    )
    .map_err(|error| Failure::usage(error.to_string()))?;
    let (shutdown, signals) = console::watched()?;
    let lock = house::take(&context.config.data)?.ok_or_else(|| taken(&context.config))?;
    let house = House::start(ground(&context, &shutdown), lock).await?;
    ready(&house, &context)?;
    shutdown.requested().await;
    let report = house.stop().await;
    signals.stop();
    end(&shutdown, &report)
}

/// What the house stands on.
pub(super) fn ground(context: &Context, shutdown: &Shutdown) -> Ground {
    Ground {
        config: Arc::new(context.config.clone()),
        clock: Arc::clone(&context.clock),
        entropy: Arc::clone(&context.entropy),
        shutdown: shutdown.clone(),
    }
}

/// Another process owns the data directory.
fn taken(config: &Config) -> Failure {
    let data = config.data.display();
    let failure = Failure::refused(format!("another postroom owns data directory {data}"));
    match place::left_by_broker(&config.data) {
        Some(url) => failure.hint(format!("it answers at {url}; postroom attach looks at it")),
        None => failure.hint("it is starting or stopping; choose another with --data DIR"),
    }
}

/// One line on standard output, when requests are taken. Everything else goes to standard error.
fn ready(house: &House, context: &Context) -> Result<(), Failure> {
    let url = house.url.as_str().trim_end_matches('/');
    let registry = house.broker.registry();
    if house.operator.is_new {
        let file = &house.operator.key_file;
        note(&format!(
            "first start: made {} with an admin key",
            house.operator.address
        ));
        for line in client_lines(url, file, &registry.org_id, &registry.workspace_id) {
            note(&line);
        }
    }
    let said = json!({
        "ok": true,
        "url": url,
        "data": context.config.data.display().to_string(),
        "org_id": registry.org_id,
        "workspace_id": registry.workspace_id,
    });
    context
        .out
        .either(&said, |out| out.line(format!("postroom listens on {url}")))?;
    notify("READY=1");
    Ok(())
}

/// Tells the service manager, where there is one (`sd_notify(3)`).
fn notify(state: &str) {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    let socket = socket.to_string_lossy().into_owned();
    let address = match socket.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&socket),
    };
    let sent = address
        .and_then(|address| UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address));
    if let Err(error) = sent {
        tracing::warn!(%error, socket, "could not notify the service manager");
    }
}

/// The one line about the end, and the exit code.
pub(super) fn end(shutdown: &Shutdown, report: &StopReport) -> Result<(), Failure> {
    note(&report.to_string());
    match shutdown.fault() {
        Some(fault) => Err(Failure::refused(fault)),
        None => Ok(()),
    }
}
