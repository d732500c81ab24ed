//! The terminal console: everything an operator sees, and every key that acts.
//!
//! One way: `Event -> Action -> update(&mut Model) -> Vec<Task> -> view(&Model)`. Events come from the
//! terminal's input thread, from timers and from the feed; the keymap turns keys into actions; the
//! reducer changes the model and says what work to do; the view draws the model and nothing else.
//!
//! Invariants:
//! 1. Only `terminal` touches the tty, and it restores it however the process ends.
//! 2. `action` is the only list of what can be done and `keymap` the only place that knows keys; help,
//!    hint lines, palette and the key table of the README are printed from them.
//! 3. Foreign text passes `sanitise` before it is laid out. No control, bidi or zero-width character
//!    reaches a cell, and no text is wider than its cell.
//! 4. Colour and attributes come from `theme` roles alone, signs from its glyph table. A theme can
//!    never stop the console from starting.
//! 5. `widgets` know neither the domain nor the desk: they draw what they are given.
//!
//! Not here: what an operator can see and do (`desk`), and what the words mean (`domain`).
//!
//! Tested: the rules for keys by a lint over the registry, widgets on a test backend at three widths,
//! foreign text by properties, the terminal's escape output by reading it back.

pub mod action;
mod as_of;
mod compare;
pub mod event;
mod export;
mod feed;
pub mod filter;
pub mod format;
pub mod keymap;
mod kinds;
mod memory;
mod model;
mod overlays;
mod panes;
mod record;
mod regroup;
mod rows;
pub mod run;
pub mod sanitise;
pub mod stage;
mod story;
mod task;
pub mod terminal;
pub mod theme;
mod update;
mod view;
pub mod widgets;

#[cfg(test)]
mod tests;
