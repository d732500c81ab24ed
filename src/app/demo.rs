//! `demo`: a broker on a scratch directory, outsiders around it, the console on top.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::house::{self, House};
use super::serve::{LOG_DIRECTORY, end, ground, runtime};
use super::{Console, console, first};
use crate::cli::arguments::DemoArguments;
use crate::cli::client::Client;
use crate::cli::demo::{self, Setting};
use crate::cli::failure::Failure;
use crate::cli::output::note;
use crate::cli::place::{KEY_FILE, read_line};
use crate::cli::{Context, place};
use crate::clock::Entropy;
use crate::shutdown::Shutdown;

/// Settings that make a demonstration quick: a failed push is seen again while one looks.
const QUICK: [&str; 4] = [
    "http.retry_delays=2s 5s 10s",
    "retry.stream_base_ms=500",
    "ack_timeout_seconds=30",
    "shutdown.grace_seconds=3",
];

/// How long the outsiders get to go home.
const CURTAIN: Duration = Duration::from_secs(1);

/// The directory of the demonstration; gone when this is dropped, unless it is to be kept.
#[derive(Debug)]
struct Scratch {
    path: PathBuf,
    is_kept: bool,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.is_kept
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "could not remove the scratch directory");
        }
    }
}

pub(super) fn run(
    arguments: &DemoArguments,
    mut context: Context,
    console: &Console,
) -> Result<(), Failure> {
    let scratch = match &context.global.data {
        Some(data) => chosen(data)?,
        None => scratch(arguments, context.entropy.as_ref())?,
    };
    let mut global = context.global.clone();
    global.data = Some(scratch.path.clone());
    global.listen = global.listen.or_else(|| Some("127.0.0.1:0".to_owned()));
    // What the user sets comes later and wins.
    let quick = QUICK.iter().map(|set| (*set).to_owned());
    global.set = quick.chain(global.set).collect();
    context.config = place::configuration(&global, &console.flags, false)?;
    context.global = global;
    let runtime = runtime()?;
    let ended = runtime.block_on(play(arguments, &context, console, &scratch.path));
    runtime.shutdown_background();
    if scratch.is_kept {
        note(&format!(
            "kept {}; postroom --data {0} looks at it again",
            scratch.path.display()
        ));
    }
    ended
}

/// A directory that the user named. Nothing of it is ever removed, and what is in one already is never played with:
/// outsiders who decide and replay by themselves have no business in a real store.
fn chosen(data: &Path) -> Result<Scratch, Failure> {
    first::directory(data)?;
    let mut entries = std::fs::read_dir(data)
        .map_err(|error| Failure::refused(format!("read {}: {error}", data.display())))?;
    if entries.next().is_some() {
        let text = format!("{} is not empty", data.display());
        return Err(Failure::refused(text)
            .hint("a demonstration wants a directory of its own; without --data it makes one"));
    }
    Ok(Scratch {
        path: data.to_path_buf(),
        is_kept: true,
    })
}

fn scratch(arguments: &DemoArguments, entropy: &dyn Entropy) -> Result<Scratch, Failure> {
    let name = format!("postroom-demo-{:08x}", entropy.u64() >> 32);
    let path = std::env::temp_dir().join(name);
    first::directory(&path)?;
    Ok(Scratch {
        path,
        is_kept: arguments.keep,
    })
}

async fn play(
    arguments: &DemoArguments,
    context: &Context,
    console: &Console,
    data: &Path,
) -> Result<(), Failure> {
    let (_log, ring) = console::log(context, &data.join(LOG_DIRECTORY))?;
    let (shutdown, signals) = console::watched()?;
    let lock = house::take(data)?
        .ok_or_else(|| Failure::refused(format!("{} is taken", data.display())))?;
    let house = House::start(ground(context, &shutdown), lock).await?;
    let key = read_line(&data.join(KEY_FILE))
        .ok_or_else(|| Failure::refused(format!("{} has no key", data.display())))?;
    let outsiders = shutdown.tasks("outsiders");
    let setting = Setting {
        url: house.url.clone(),
        key: key.clone(),
        rate: arguments.rate,
        clock: Arc::clone(&context.clock),
        entropy: Arc::clone(&context.entropy),
    };
    demo::start(setting, &outsiders).await?;
    if let Some(seconds) = arguments.seconds {
        let (shutdown, stop) = (shutdown.clone(), outsiders.token().clone());
        outsiders.spawn("demo end", async move {
            // A token and a sleep keep nothing when dropped.
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(Duration::from_secs(seconds)) => shutdown.request(),
            }
        });
    }
    let shown = if arguments.headless {
        headless(&house, &key, context, &shutdown).await
    } else {
        let stop = shutdown.token();
        let shown = console::embedded(&house, context, console, &shutdown, &ring, &stop).await;
        // A demonstration without anybody who looks is over.
        shown.map(drop)
    };
    outsiders.stop();
    // They lose their connections with the doors; nobody waits longer for them.
    let _late = tokio::time::timeout(CURTAIN, outsiders.stopped()).await;
    let report = house.stop().await;
    signals.stop();
    end(&shutdown, &report)?;
    shown
}

async fn headless(
    house: &House,
    key: &str,
    context: &Context,
    shutdown: &Shutdown,
) -> Result<(), Failure> {
    let url = house.url.as_str().trim_end_matches('/');
    let data = context.config.data.display();
    if !context.out.is_json() {
        context.out.line(format!("postroom listens on {url}"))?;
        note(&format!(
            "look at it from elsewhere: postroom --data {data} status"
        ));
    }
    let client = Client::with_key(&house.url, key, "the scratch directory")?;
    demo::narrate(&client, &context.out, shutdown.requested()).await
}
