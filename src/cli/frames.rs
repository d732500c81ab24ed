//! Makes an event stream fit for its reader.
//!
//! The reader is a library that takes text as a well-behaved server sends it. A server, or something on the way to
//! it, may send anything: bytes that are no UTF-8 would end the stream, a mark of byte order would end the program,
//! and an event without an end would fill the memory.

/// Most bytes of one event. A row carries at most its payload, which a broker bounds far below this.
pub const EVENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// More than [`EVENT_BYTES_MAX`] without the end of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than {EVENT_BYTES_MAX} bytes")]
pub struct TooLarge;

/// Cleans a stream, wherever the network cuts it: UTF-8 with U+FFFD for what is none, line feeds for every end of
/// a line, no mark of byte order at the start.
#[derive(Debug, Default)]
pub struct Cleaner {
    /// The beginning of a character whose end has not come yet; three bytes at most.
    cut: Vec<u8>,
    /// True from the first character on.
    has_begun: bool,
    /// The last character was a carriage return, so that a line feed ends the same line.
    is_after_return: bool,
    /// The line under way has nothing in it.
    is_line_empty: bool,
    event_bytes: usize,
}

impl Cleaner {
    /// Takes bytes in; gives the text that they make whole.
    ///
    /// # Errors
    /// [`TooLarge`]; nothing more can be read then.
    pub fn take(&mut self, bytes: &[u8]) -> Result<String, TooLarge> {
        let joined = [std::mem::take(&mut self.cut).as_slice(), bytes].concat();
        let mut text = String::with_capacity(joined.len());
        let mut chunks = joined.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            for character in chunk.valid().chars() {
                self.put(character, &mut text)?;
            }
            let invalid = chunk.invalid();
            if chunks.peek().is_none() && is_cut(invalid) {
                self.cut = invalid.to_vec();
            } else if !invalid.is_empty() {
                self.put(char::REPLACEMENT_CHARACTER, &mut text)?;
            }
        }
        Ok(text)
    }

    fn put(&mut self, character: char, text: &mut String) -> Result<(), TooLarge> {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        let is_second = std::mem::take(&mut self.is_after_return) && character == '\n';
        if is_first {
            // An empty line means nothing, and the reader looks for a mark of byte order at the very start only.
            text.push('\n');
        }
        if is_second || (is_first && character == '\u{feff}') {
            return Ok(());
        }
        if matches!(character, '\n' | '\r') {
            self.is_after_return = character == '\r';
            if std::mem::replace(&mut self.is_line_empty, true) {
                self.event_bytes = 0;
            }
            text.push('\n');
            return Ok(());
        }
        self.is_line_empty = false;
        self.event_bytes = self.event_bytes.saturating_add(character.len_utf8());
        if self.event_bytes > EVENT_BYTES_MAX {
            return Err(TooLarge);
        }
        text.push(character);
        Ok(())
    }
}

/// True when more bytes can make a character of it.
fn is_cut(invalid: &[u8]) -> bool {
    std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without the empty line that every stream begins with.
    fn clean(bytes: &[u8]) -> String {
        let text = Cleaner::default().take(bytes).unwrap();
        text.strip_prefix('\n').unwrap().to_owned()
    }

    #[test]
    fn a_mark_of_byte_order_is_skipped_at_the_start_and_nowhere_else() {
        let stream = "\u{feff}data: a\n\n\u{feff}data: b\n\n";
        assert_eq!(clean(stream.as_bytes()), "data: a\n\n\u{feff}data: b\n\n");
        assert_eq!(clean(b"data: \xff\n\n"), "data: \u{fffd}\n\n");
    }

    #[test]
    fn every_end_of_a_line_is_a_line_feed_as_soon_as_it_is_there() {
        assert_eq!(clean(b"a\r\nb\rc\n\r\r\n\n"), "a\nb\nc\n\n\n\n");
        assert_eq!(clean(b"data: a\r\r"), "data: a\n\n");
    }

    #[test]
    fn a_stream_means_the_same_wherever_it_is_cut() {
        let stream = [
            "\u{feff}id: 1\r\ndata: \u{fc}\u{1f600}\r\n".as_bytes(),
            b"\xf0\x9f x\xe2\x28\r\n\r\ndata: y\n\n",
        ]
        .concat();
        for cut in 0..=stream.len() {
            let mut cleaner = Cleaner::default();
            let mut text = cleaner.take(&stream[..cut]).unwrap();
            text.push_str(&cleaner.take(&stream[cut..]).unwrap());
            assert_eq!(text, format!("\n{}", clean(&stream)), "{cut}");
        }
    }

    #[test]
    fn an_event_without_end_is_refused_before_it_fills_the_memory() {
        let mut cleaner = Cleaner::default();
        let piece = vec![b'x'; EVENT_BYTES_MAX / 4];
        for _piece in 0..4 {
            assert!(cleaner.take(&piece).is_ok());
        }
        assert_eq!(cleaner.take(b"\nx"), Err(TooLarge));
        let mut cleaner = Cleaner::default();
        for _event in 0..5 {
            assert!(cleaner.take(&piece).is_ok());
            assert!(cleaner.take(b"\r\n\r\n").is_ok());
        }
    }
}
