//! `postroom bench` with symbols, for profilers: `cargo bench --bench http`.
//!
//! What is behind `--` goes to the verb: `cargo bench --bench http -- --only cycles --seconds 60`.

use std::ffi::OsString;
use std::process::ExitCode;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let words = ["postroom", "bench"].map(OsString::from);
    // Cargo adds a word of its own.
    let given = std::env::args_os().skip(1).filter(|word| word != "--bench");
    postroom::app::run(words.into_iter().chain(given))
}
