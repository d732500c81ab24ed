//! The input thread: reads the terminal and forwards what happens there.

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossterm::event::{self, Event as Raw, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use parking_lot::{Condvar, Mutex};
use rustix::event::{PollFd, PollFlags, Timespec};

use super::super::event::Event;
use super::answers::Answers;

/// How long keys that may be the beginning of an answer of the terminal are held back. Without any, a read waits
/// for as long as nothing happens: an idle console is woken by nobody.
const PATIENCE: Duration = Duration::from_millis(250);

/// How long a stop or a pause waits for the thread, which is woken for it: far longer than it takes.
const STOP_WAIT: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Reads.
    Reading,
    /// Is asked not to read.
    Pausing,
    /// Does not read.
    Paused,
    /// Throws away what was typed while it did not read.
    Draining,
    /// Is asked to end.
    Ending,
    /// Has ended.
    Ended,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Set while the terminal is not ours: only the end of a line means something then.
    is_aside: AtomicBool,
    changed: Condvar,
    /// Written to when the thread is to look at its state: it may be waiting for a key.
    bell: UnixStream,
}

/// The thread that reads keys, pastes, the mouse and the size of the window.
#[derive(Debug)]
pub struct Input {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Input {
    /// Starts the thread. `forward` takes each event and says whether there will be another; where it
    /// waits, keys stay in the kernel's queue and none is lost.
    pub fn start(forward: impl FnMut(Event) -> bool + Send + 'static) -> io::Result<Self> {
        let (shared, woken) = Shared::new()?;
        let its = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("input".to_owned())
            .spawn(move || {
                read(&its, &woken, forward);
                its.set(State::Ended);
            })?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Starts the thread on a bounded channel. When that is full, the thread waits.
    pub fn to(sender: SyncSender<Event>) -> io::Result<Self> {
        Self::start(move |event| sender.send(event).is_ok())
    }

    /// Stops reading and returns once nothing is read any more, so that another program (an editor, the
    /// shell) gets every key from now on.
    pub fn pause(&self) {
        let mut state = self.shared.state.lock();
        if matches!(*state, State::Reading | State::Draining) {
            *state = State::Pausing;
            self.shared.ring();
        }
        while *state == State::Pausing {
            if self
                .shared
                .changed
                .wait_for(&mut state, STOP_WAIT)
                .timed_out()
            {
                return;
            }
        }
    }

    /// Reads again. What was typed meanwhile and not taken by the other program is thrown away, and that is
    /// over when this returns: what is typed at a screen that is drawn from now on counts.
    pub fn resume(&self) {
        let mut state = self.shared.state.lock();
        if *state == State::Paused {
            *state = State::Draining;
            self.shared.changed.notify_all();
        }
        while *state == State::Draining {
            if self
                .shared
                .changed
                .wait_for(&mut state, STOP_WAIT)
                .timed_out()
            {
                return;
            }
        }
    }

    /// Says whether the terminal is ours. While it is not, a line is read as it was typed there, and
    /// its end is the only key. To be changed between [`Self::pause`] and [`Self::resume`].
    pub fn set_aside(&self, is_aside: bool) {
        self.shared.is_aside.store(is_aside, Ordering::SeqCst);
    }

    /// Stops the thread and waits for it, but not for ever: once its terminal is gone the library may
    /// never come back from a read, and that must not keep the process.
    pub fn stop(mut self) {
        let mut state = self.shared.state.lock();
        if *state != State::Ended {
            *state = State::Ending;
            self.shared.changed.notify_all();
            self.shared.ring();
        }
        while *state != State::Ended {
            if self
                .shared
                .changed
                .wait_for(&mut state, STOP_WAIT)
                .timed_out()
            {
                return;
            }
        }
        drop(state);
        if let Some(thread) = self.thread.take() {
            // A panic there has already ended the process.
            drop(thread.join());
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        if *state != State::Ended {
            *state = State::Ending;
            self.shared.changed.notify_all();
            self.shared.ring();
        }
    }
}

impl Shared {
    /// Reading, with the end that is rung at.
    fn new() -> io::Result<(Arc<Self>, UnixStream)> {
        let (bell, woken) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let shared = Self {
            state: Mutex::new(State::Reading),
            is_aside: AtomicBool::new(false),
            changed: Condvar::new(),
            bell,
        };
        Ok((Arc::new(shared), woken))
    }

    /// Wakes the thread where it waits for a key.
    fn ring(&self) {
        // Full means that it has been rung at and not looked yet; broken, that it has ended.
        drop((&self.bell).write(&[0]));
    }

    fn set(&self, new: State) {
        *self.state.lock() = new;
        self.changed.notify_all();
    }

    /// Everything that was typed during a pause is gone.
    fn drained(&self) {
        let mut state = self.state.lock();
        if *state == State::Draining {
            *state = State::Reading;
            self.changed.notify_all();
        }
    }

    /// Waits while paused; says whether to read on, and whether a pause has just ended.
    fn may_read(&self) -> Next {
        let mut state = self.state.lock();
        loop {
            match *state {
                State::Reading => return Next::Read,
                State::Draining => return Next::Drain,
                State::Ending | State::Ended => return Next::Stop,
                State::Pausing => {
                    *state = State::Paused;
                    self.changed.notify_all();
                }
                State::Paused => self.changed.wait(&mut state),
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Read,
    Drain,
    Stop,
}

fn read(shared: &Shared, woken: &UnixStream, mut forward: impl FnMut(Event) -> bool) {
    // The library may hold more than it gave: after an event it is asked again at once.
    let mut patience = Some(Duration::ZERO);
    let mut answers = Answers::default();
    loop {
        let read = match shared.may_read() {
            Next::Stop => return,
            Next::Drain => {
                let is_aside = shared.is_aside.load(Ordering::SeqCst);
                let drained = if is_aside { Ok(()) } else { drain(woken) };
                shared.drained();
                drained.map(|()| Read::Nothing)
            }
            Next::Read if shared.is_aside.load(Ordering::SeqCst) => read_line(woken),
            Next::Read => read_one(woken, patience),
        };
        let is_patient = patience != Some(Duration::ZERO);
        let is_at_once = matches!(&read, Ok(Read::Event(_) | Read::Unknown));
        let events = match read {
            Ok(Read::Event(event)) => answers.take(event),
            // Asked again at once after an event: whatever was under way is here by now.
            Ok(Read::Nothing) if is_patient => answers.give_up(),
            Ok(Read::Nothing | Read::Unknown) => Vec::new(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Vec::new(),
            Err(error) => {
                forward(Event::InputEnded(error.to_string()));
                return;
            }
        };
        for event in events {
            if !forward(event) {
                return;
            }
        }
        patience = match (is_at_once, answers.is_holding()) {
            (true, _) => Some(Duration::ZERO),
            (false, true) => Some(PATIENCE),
            // A new size of the window is told by the signal, so nothing is missed by waiting.
            (false, false) => None,
        };
    }
}

fn drain(woken: &UnixStream) -> io::Result<()> {
    await_input(io::stdin(), woken, Some(Duration::ZERO))?;
    while event::poll(Duration::ZERO)? {
        event::read()?;
    }
    Ok(())
}

/// What one look at the terminal gave.
#[derive(Debug)]
enum Read {
    /// Nothing is there.
    Nothing,
    /// Something that means nothing to us.
    Unknown,
    /// An event.
    Event(Event),
}

fn read_one(woken: &UnixStream, patience: Option<Duration>) -> io::Result<Read> {
    await_input(io::stdin(), woken, patience)?;
    // Asked even when no key waits: the library may hold more than it gave.
    if event::poll(Duration::ZERO)? {
        let event = event::read().map(translate)?;
        Ok(event.map_or(Read::Unknown, Read::Event))
    } else {
        if await_input(io::stdin(), woken, Some(Duration::ZERO))? {
            announce_again()?;
        }
        Ok(Read::Nothing)
    }
}

/// Makes the kernel say once more that something waits. The library is told of it once; told of a new size of the
/// window at the same time, it takes the size and forgets the key, until another one is pressed. Setting the
/// terminal to what it is set to wakes its readers.
fn announce_again() -> io::Result<()> {
    let input = io::stdin();
    let settings = rustix::termios::tcgetattr(&input)?;
    rustix::termios::tcsetattr(&input, rustix::termios::OptionalActions::Now, &settings)?;
    Ok(())
}

/// Reads what was typed while the terminal is not ours.
fn read_line(woken: &UnixStream) -> io::Result<Read> {
    if !await_input(io::stdin(), woken, None)? {
        return Ok(Read::Nothing);
    }
    let mut bytes = [0; 256];
    let count = rustix::io::read(io::stdin(), &mut bytes)?;
    if bytes.iter().take(count).any(|byte| *byte == b'\n') {
        let enter = KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE);
        return Ok(Read::Event(Event::Key(enter)));
    }
    Ok(Read::Nothing)
}

/// Waits until the terminal has something, until it is rung at, or until `patience` is over if there is an end to
/// it; says whether the terminal has something. The library never comes back from a terminal that hung up, so that
/// is asked for first.
fn await_input(
    input: impl AsFd,
    mut woken: &UnixStream,
    patience: Option<Duration>,
) -> io::Result<bool> {
    let mut polled = [
        PollFd::new(&input, PollFlags::IN),
        PollFd::from_borrowed_fd(woken.as_fd(), PollFlags::IN),
    ];
    let wait = patience.map(|patience| Timespec {
        tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(patience.subsec_nanos()),
    });
    rustix::event::poll(&mut polled, wait.as_ref())?;
    let [of_input, of_bell] = polled.map(|one| one.revents());
    if !of_bell.is_empty() {
        // What it says is that the state has changed; whoever called looks at that next. Empty is fine.
        drop(woken.read(&mut [0; 64]));
    }
    if of_input.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        return Err(io::Error::new(
            io::ErrorKind::BrokenPipe,
            "the terminal hung up",
        ));
    }
    Ok(!of_input.is_empty())
}

fn translate(raw: Raw) -> Option<Event> {
    match raw {
        Raw::Key(key) if key.kind == KeyEventKind::Release => None,
        Raw::Key(key) => Some(Event::Key(key)),
        Raw::Paste(text) => Some(Event::Paste(text)),
        Raw::Mouse(mouse) => Some(Event::Mouse(mouse)),
        Raw::Resize(width, height) => Some(Event::Resize { width, height }),
        Raw::FocusGained => Some(Event::Focus(true)),
        Raw::FocusLost => Some(Event::Focus(false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_dropped_and_everything_else_is_forwarded() {
        let press = KeyEvent::new(KeyCode::Char('a'), KeyModifiers::NONE);
        let release = KeyEvent {
            kind: KeyEventKind::Release,
            ..press
        };
        assert_eq!(translate(Raw::Key(press)), Some(Event::Key(press)));
        assert_eq!(translate(Raw::Key(release)), None);
        assert_eq!(
            translate(Raw::Resize(80, 24)),
            Some(Event::Resize {
                width: 80,
                height: 24
            })
        );
        assert_eq!(
            translate(Raw::Paste("a\n".to_owned())),
            Some(Event::Paste("a\n".to_owned()))
        );
        assert_eq!(translate(Raw::FocusLost), Some(Event::Focus(false)));
    }

    #[test]
    fn a_pause_returns_once_the_thread_has_stopped_reading_and_ends_with_resume() {
        let (shared, _woken) = Shared::new().unwrap();
        let its = Arc::clone(&shared);
        // Stands for the read loop: never the terminal, only the hand-shake.
        let thread = thread::spawn(move || {
            let mut drains = 0;
            loop {
                match its.may_read() {
                    Next::Stop => return drains,
                    Next::Drain => {
                        drains += 1;
                        its.drained();
                    }
                    Next::Read => thread::yield_now(),
                }
            }
        });
        let input = Input {
            shared: Arc::clone(&shared),
            thread: None,
        };
        input.pause();
        assert_eq!(*shared.state.lock(), State::Paused);
        input.resume();
        assert_eq!(
            *shared.state.lock(),
            State::Reading,
            "all is thrown away by now"
        );
        input.pause();
        input.resume();
        drop(input);
        assert_eq!(thread.join().unwrap(), 2);
    }

    #[test]
    fn a_wait_without_end_ends_by_a_key_by_the_bell_and_by_a_hang_up() {
        let (shared, woken) = Shared::new().unwrap();
        let (mut keyboard, input) = UnixStream::pair().unwrap();
        shared.ring();
        assert!(!await_input(&input, &woken, None).unwrap());
        assert!(
            !await_input(&input, &woken, Some(Duration::ZERO)).unwrap(),
            "it is rung at once"
        );
        let waiter = {
            let (input, woken) = (input.try_clone().unwrap(), woken.try_clone().unwrap());
            thread::spawn(move || await_input(&input, &woken, None))
        };
        shared.ring();
        assert!(!waiter.join().unwrap().unwrap());
        keyboard.write_all(b"a").unwrap();
        assert!(await_input(&input, &woken, None).unwrap());
        drop(keyboard);
        let gone = await_input(&input, &woken, None).unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_bell_that_nobody_hears_never_blocks() {
        let (shared, woken) = Shared::new().unwrap();
        for _ in 0..100_000 {
            shared.ring();
        }
        drop(woken);
        shared.ring();
    }
}
