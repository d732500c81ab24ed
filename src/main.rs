//! Postroom.
fn main() {}
