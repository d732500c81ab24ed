//! The console: over the broker in this process, or over one elsewhere.

use super::house::House;
use crate::cli::Context;
use crate::cli::failure::Failure;
use crate::shutdown::Shutdown;
use crate::telemetry::LogRing;

/// Runs the console over the broker in this process until its user leaves.
pub(super) async fn embedded(
    _house: &House,
    _context: &Context,
    _shutdown: &Shutdown,
    _ring: &LogRing,
) -> Result<(), Failure> {
    std::future::ready(()).await;
    Err(Failure::refused("the console is not built yet").hint("use --headless"))
}
