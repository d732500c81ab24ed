//! The program: reads its arguments, runs, ends with an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    postroom::app::run(std::env::args_os())
}
