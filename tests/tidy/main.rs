//! What keeps the house in order: rules over the text of `src` and over the tables of the README.

#![expect(
    clippy::string_slice,
    reason = "offsets come from searches in the same text"
)]

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod fixtures;
mod parity;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod source;
#[cfg(test)]
mod table;

#[test]
fn the_house_is_in_order() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = source::read_all(root, "src");
    assert!(
        sources.len() > 10,
        "no sources found below {}",
        root.display()
    );
    let complaints = rules::check(&sources);
    let count = complaints.len();
    assert!(
        complaints.is_empty(),
        "{count} complaints:\n{}",
        complaints.join("\n")
    );
}
