//! The process as its shell sees it: stopped and continued.

use std::io;

use rustix::process::{Signal, getpgid, getpid, getppid, getsid, kill_process};

/// The signal that Ctrl-Z makes.
pub const SUSPEND: i32 = Signal::TSTP.as_raw();
/// The signal that a stopped process is continued with.
pub const CONTINUE: i32 = Signal::CONT.as_raw();

/// Whether a shell that knows jobs waits for this process. Nobody would ever continue another one.
#[must_use]
pub fn has_shell() -> bool {
    let Some(parent) = getppid() else {
        return false;
    };
    let is_same = |of_parent: io::Result<_>, ours: io::Result<_>| matches!((of_parent, ours), (Ok(one), Ok(other)) if one == other);
    let sid = |pid| getsid(pid).map_err(io::Error::from);
    let group = |pid| getpgid(pid).map_err(io::Error::from);
    is_same(sid(Some(parent)), sid(None)) && !is_same(group(Some(parent)), group(None))
}

/// Stops every thread of this process; comes back once somebody continues it.
///
/// # Errors
/// When the system refuses the signal.
pub fn stop() -> io::Result<()> {
    Ok(kill_process(getpid(), Signal::STOP)?)
}

/// The number of this process.
#[must_use]
pub fn number() -> i32 {
    getpid().as_raw_nonzero().get()
}
