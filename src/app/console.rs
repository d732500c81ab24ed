//! The console: over the broker in this process, or over one elsewhere.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::house::{self, House};
use super::serve::{LOG_DIRECTORY, RING_LINES, end, ground, runtime};
use super::{Console, first};
use crate::cli::Context;
use crate::cli::arguments::ConsoleFlags;
use crate::cli::client::{Call, Client, no_key};
use crate::cli::failure::Failure;
use crate::cli::output::note;
use crate::cli::place::{self, Place};
use crate::config::{self, Config, Glyphs as WantedGlyphs};
use crate::console::action::place::Place as Desks;
use crate::console::run::{self, ConsoleError, ConsoleOptions, Ended};
use crate::console::terminal::{self, Between};
use crate::console::theme::depth::Depth;
use crate::console::theme::glyphs::Glyphs;
use crate::console::theme::{self, Themes};
use crate::desk::Desk;
use crate::desk::local::{LocalDesk, LocalOptions};
use crate::desk::remote::RemoteDesk;
use crate::domain::via::Via;
use crate::shutdown::{Hangup, Shutdown, Tasks};
use crate::telemetry::{LogGuard, LogRing, LogTarget};

/// How often a broker that is starting is asked for, and how many times.
const STARTING: Duration = Duration::from_millis(200);
const STARTING_TRIES: u32 = 50;

/// How long a console that is told to stop may wait for its terminal to be read.
const LAST_FRAMES: Duration = Duration::from_millis(500);

/// `postroom`: the broker and its console, or the console on the broker that is there.
pub(super) fn run(context: &Context, console: &Console) -> Result<(), Failure> {
    needs_terminal()?;
    let lock = house::take(&context.config.data)?;
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        match lock {
            Some(lock) => {
                let (_log, ring) = log(context, &context.config.data.join(LOG_DIRECTORY))?;
                let shutdown = Shutdown::new(Handle::current());
                let leave = shutdown.token().child_token();
                let signals = watch(&shutdown, Hangup::Leaves(leave.clone()))?;
                let house = House::start(ground(context, &shutdown), lock).await?;
                let shown = embedded(&house, context, console, &shutdown, &ring, &leave).await;
                if matches!(shown, Ok(Left::Terminal)) {
                    tracing::warn!(
                        "the terminal is gone; the broker goes on delivering without it"
                    );
                    shutdown.requested().await;
                }
                let report = house.stop().await;
                signals.stop();
                end(&shutdown, &report)?;
                shown.map(drop)
            }
            None => attach(neighbour(context).await?, context, console).await,
        }
    });
    runtime.shutdown_background();
    ended
}

/// `attach`: the console alone.
pub(super) fn attach_to(context: &Context, console: &Console) -> Result<(), Failure> {
    needs_terminal()?;
    let place = place::find(&context.global, &context.config)?;
    let runtime = runtime()?;
    let ended = runtime.block_on(attach(place, context, console));
    runtime.shutdown_background();
    ended
}

/// The broker that owns the data directory. It may be just starting.
async fn neighbour(context: &Context) -> Result<Place, Failure> {
    let data = context.config.data.display();
    let mut last = Failure::unreachable(format!("another postroom owns {data} and has no address"));
    for _ in 0..STARTING_TRIES {
        let found = place::left_by_broker(&context.config.data);
        if let (Some(_), Ok(place)) = (found, place::find(&context.global, &context.config)) {
            match Client::new(&place) {
                Ok(client) => match client.call(Call::get("/health")).await {
                    Ok(_) => {
                        let url = &place.url;
                        note(&format!(
                            "another postroom owns {data}: attached to it at {url}"
                        ));
                        return Ok(place);
                    }
                    Err(failure) => last = failure,
                },
                Err(failure) => last = failure,
            }
        }
        tokio::time::sleep(STARTING).await;
    }
    Err(last)
}

async fn attach(place: Place, context: &Context, console: &Console) -> Result<(), Failure> {
    let Some(key) = &place.key else {
        return Err(no_key(&place));
    };
    // A wrong key or a broker that is not there is told before the screen is taken.
    Client::new(&place)?.call(Call::get("/v1/me")).await?;
    let url = place.url.as_str().trim_end_matches('/');
    let desk = RemoteDesk::new(url, key, "console")
        .map_err(|error| Failure::unreachable(error.to_string()))?
        .with_hold(context.config.undo_hold);
    let (_log, ring) = log(
        context,
        &context.config.data.join(Seat::Attached.log_directory()),
    )?;
    let (shutdown, signals) = watched()?;
    let stop = shutdown.token();
    let seat = (Seat::Attached, &ring, &stop);
    let shown = show(Arc::new(desk), context, console, &shutdown, seat).await;
    signals.stop();
    shown.map(drop)
}

/// What ended the console over the broker in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Its operator, or a request to stop: the broker ends as well.
    Both,
    /// The terminal is gone; the broker can do without.
    Terminal,
}

/// Shows the console over the broker in this process until its user leaves or a signal comes.
pub(super) async fn embedded(
    house: &House,
    context: &Context,
    console: &Console,
    shutdown: &Shutdown,
    ring: &LogRing,
    stop: &CancellationToken,
) -> Result<Left, Failure> {
    let options = LocalOptions {
        identity: house.operator.address.clone(),
        via: Via::Console,
        environment: context.config.env.name.clone(),
        is_protected: context.config.env.is_protected,
        hold: context.config.undo_hold,
        is_read_only: console.flags.read_only,
        is_strict: context.config.is_strict_about_addresses,
        payload_bytes_max: context.config.limits.payload_bytes,
    };
    let desk = LocalDesk::new(house.broker.clone(), options);
    let seat = (Seat::Embedded, ring, stop);
    show(Arc::new(desk), context, console, shutdown, seat).await
}

/// Where the broker of a console is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seat {
    Embedded,
    Attached,
}

impl Seat {
    /// Where the log of this process is, in the data directory.
    const fn log_directory(self) -> &'static str {
        match self {
            Self::Embedded => LOG_DIRECTORY,
            Self::Attached => "log-console",
        }
    }
}

async fn show(
    desk: Arc<dyn Desk>,
    context: &Context,
    console: &Console,
    shutdown: &Shutdown,
    (seat, ring, stop): (Seat, &LogRing, &CancellationToken),
) -> Result<Left, Failure> {
    let mut options = options(&context.config, console, seat);
    options.log = ring.clone();
    options.desk = first_desk(&console.flags)?;
    terminal::panic::install(options.log_path.as_ref().map(PathBuf::from));
    shutdown.on_fault(Arc::new(|_fault| terminal::restore()));
    let screen = shutdown.tasks("console");
    let (clock, its_stop) = (Arc::clone(&context.clock), stop.clone());
    let (ended, mut end) = oneshot::channel();
    let (quit, threads) = (shutdown.clone(), screen.clone());
    screen
        .spawn_thread("console", move || {
            let spawn = |name, work: Box<dyn FnOnce() + Send>| threads.spawn_thread(name, work);
            let shown = run::run(desk, options, clock, &its_stop, &spawn);
            if matches!(shown, Ok(Ended::Quit)) {
                quit.request();
            }
            // Whoever waited for it is gone only when the process ends.
            let _gone = ended.send(shown);
        })
        .map_err(|error| Failure::refused(format!("start the console: {error}")))?;
    // Cancel-safe: a oneshot keeps what was sent.
    let by_itself = tokio::select! {
        ended = &mut end => Some(ended),
        () = overdue(stop) => None,
    };
    let ended = match by_itself {
        Some(ended) => ended,
        None => unread(&mut end).await,
    };
    if stop.is_cancelled() && !matches!(ended, Ok(Ok(Ended::Quit))) {
        // Nobody need be there: room for what gives the terminal back, and for the last words of the process.
        terminal::forget_unread();
        terminal::reset();
    }
    match ended {
        Ok(Ok(Ended::Gone(reason))) => {
            tracing::info!(reason, "the console ended");
            Ok(Left::Terminal)
        }
        // The session hung up, and that alone was told to the console.
        Ok(Ok(Ended::Stopped)) if !shutdown.is_requested() => Ok(Left::Terminal),
        Ok(Ok(Ended::Quit | Ended::Stopped)) => Ok(Left::Both),
        Ok(Err(error @ ConsoleError::Terminal(_))) => {
            Err(Failure::refused(error.to_string()).hint("postroom doctor looks at the terminal"))
        }
        Ok(Err(error)) => Err(Failure::refused(error.to_string())),
        // The thread panicked; the fault says how.
        Err(_gone) => Err(Failure::Silent),
    }
}

/// Told to stop, a console has ended by then, unless it waits for room in its terminal.
async fn overdue(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(LAST_FRAMES).await;
}

/// The end of a console whose terminal nobody reads.
async fn unread<T>(end: &mut oneshot::Receiver<T>) -> Result<T, oneshot::error::RecvError> {
    loop {
        terminal::forget_unread();
        if let Ok(ended) = tokio::time::timeout(LAST_FRAMES, &mut *end).await {
            return ended;
        }
    }
}

fn needs_terminal() -> Result<(), Failure> {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        Ok(())
    } else {
        Err(
            Failure::usage("the console needs a terminal, and this is none")
                .hint("postroom serve runs the broker alone"),
        )
    }
}

/// Logging to files: nothing but the console writes to the terminal.
pub(super) fn log(context: &Context, directory: &Path) -> Result<(LogGuard, LogRing), Failure> {
    first::directory(directory)?;
    let ring = LogRing::new(RING_LINES);
    let target = LogTarget::Directory(directory.to_owned());
    let guard = crate::telemetry::start(&context.config.log_filter, &target, &ring, &context.clock)
        .map_err(|error| Failure::usage(error.to_string()))?;
    Ok((guard, ring))
}

/// The request to stop, with signals that make it.
pub(super) fn watched() -> Result<(Shutdown, Tasks), Failure> {
    let shutdown = Shutdown::new(Handle::current());
    let signals = watch(&shutdown, Hangup::Stops)?;
    Ok((shutdown, signals))
}

fn watch(shutdown: &Shutdown, hangup: Hangup) -> Result<Tasks, Failure> {
    let signals = shutdown.tasks("signals");
    shutdown
        .watch_signals(&signals, hangup)
        .map_err(|error| Failure::refused(format!("watch signals: {error}")))?;
    Ok(signals)
}

/// The desk that was asked for.
fn first_desk(flags: &ConsoleFlags) -> Result<Desks, Failure> {
    let Some(name) = &flags.desk else {
        return Ok(Desks::Overview);
    };
    Desks::named(name).ok_or_else(|| {
        let all: Vec<&str> = Desks::ALL.into_iter().map(Desks::word).collect();
        Failure::usage(format!("no desk is called {name}"))
            .hint(format!("there are {}", all.join(", ")))
    })
}

fn options(config: &Config, console: &Console, seat: Seat) -> ConsoleOptions {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let term = variable("TERM");
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(variable);
    let no_color = variable("NO_COLOR");
    let flag = console.flags.theme.as_deref();
    let (theme, _chosen) = theme::choose(flag, Some(&config.console.theme), no_color.as_deref());
    let is_theme_automatic = theme == "auto";
    let theme = match theme {
        "auto" => theme::automatic(variable("COLORFGBG").as_deref()),
        named => named,
    };
    let home = config::usual_file().and_then(|file| file.parent().map(Path::to_owned));
    ConsoleOptions {
        is_read_only: console.flags.read_only,
        is_embedded: seat == Seat::Embedded,
        desk: Desks::Overview,
        is_plain: config.console.is_plain,
        mouse: config.console.is_mouse_on,
        notices: config.console.notices,
        theme: theme.to_owned(),
        is_theme_automatic,
        themes: themes(home.as_deref()),
        depth: Depth::announced(variable("COLORTERM").as_deref(), term.as_deref()),
        glyphs: match config.console.glyphs {
            WantedGlyphs::Auto => Glyphs::announced(term.as_deref(), locale.as_deref()),
            WantedGlyphs::Unicode => &theme::glyphs::UNICODE,
            WantedGlyphs::Ascii => &theme::glyphs::ASCII,
        },
        between: Between::announced(variable("TMUX").as_deref(), term.as_deref()),
        keys: home
            .and_then(|home| std::fs::read_to_string(home.join("keys.toml")).ok())
            .unwrap_or_default(),
        memory: Some(config.data.join("console.json")),
        recordings: Some(config.data.join("recordings")),
        record_bytes_max: config.console.record_bytes_max,
        is_desk_chosen: console.flags.desk.is_some(),
        is_theme_chosen: flag.is_some() || no_color.is_some() || is_theme_automatic,
        editor: variable("VISUAL")
            .or_else(|| variable("EDITOR"))
            .unwrap_or_else(|| "vi".to_owned()),
        log_path: Some(config.data.join(seat.log_directory()).display().to_string()),
        header: config.header,
        log: LogRing::new(1),
    }
}

/// The built-in themes and those of the user, `themes/NAME.toml` beside the configuration.
fn themes(home: Option<&Path>) -> Themes {
    let mut themes = Themes::built_in();
    let files = home.and_then(|home| std::fs::read_dir(home.join("themes")).ok());
    for file in files.into_iter().flatten().flatten() {
        let path = file.path();
        let is_theme = path
            .extension()
            .is_some_and(|extension| extension == "toml");
        let name = path
            .file_stem()
            .map(|name| name.to_string_lossy().into_owned());
        if let (true, Some(name), Ok(text)) = (is_theme, name, std::fs::read_to_string(&path)) {
            themes.add(&name, &text);
        }
    }
    themes
}
