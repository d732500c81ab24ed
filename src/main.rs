//! The program: reads its arguments, runs, ends with an exit code.

use std::process::ExitCode;

/// Requests are made on one thread and dropped on another all the time, which glibc's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    postroom::app::run(std::env::args_os())
}
