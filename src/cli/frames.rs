//! Frames of an event stream on the reading side, as the HTML standard reads them (section 9.2.6).
//!
//! Any bytes are a stream: what is no UTF-8 is replaced, what is no field is skipped, an event that the stream
//! ends in is not told. Only size is refused.

/// Most bytes of one event. A row carries at most its payload, which a broker bounds far below this.
pub const EVENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One event as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// Its name; `message` when it has none.
    pub name: String,
    /// The last id that the stream gave, which may be that of an event before.
    pub id: String,
    /// Its lines.
    pub data: String,
}

/// More than [`EVENT_BYTES_MAX`] without the end of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than {EVENT_BYTES_MAX} bytes")]
pub struct TooLarge;

/// Takes a stream apart, wherever the network cuts it.
#[derive(Debug, Default)]
pub struct Decoder {
    line: Vec<u8>,
    /// True until the first line has begun: a mark of byte order may stand there.
    has_begun: bool,
    /// The last byte was a carriage return, so that a line feed ends the same line.
    is_after_return: bool,
    event: Event,
}

impl Decoder {
    /// Takes bytes in; gives the events that they complete.
    ///
    /// # Errors
    /// [`TooLarge`]; nothing more can be read then.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Vec<Event>, TooLarge> {
        let mut events = Vec::new();
        for byte in bytes {
            let is_second = std::mem::take(&mut self.is_after_return) && *byte == b'\n';
            match byte {
                b'\n' if is_second => {}
                b'\n' | b'\r' => {
                    self.is_after_return = *byte == b'\r';
                    events.extend(self.end_line());
                }
                _ => self.line.push(*byte),
            }
            if self.line.len().saturating_add(self.event.data.len()) > EVENT_BYTES_MAX {
                return Err(TooLarge);
            }
        }
        Ok(events)
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) if !self.has_begun => rest,
            _ => &text,
        };
        self.has_begun = true;
        if text.is_empty() {
            return self.end_event();
        }
        let (field, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                self.event.data.push_str(value);
                self.event.data.push('\n');
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.event.id),
            // A comment has no field; `retry` is the broker's wish, and we have our own.
            _ => {}
        }
        None
    }

    fn end_event(&mut self) -> Option<Event> {
        let next = Event {
            id: self.event.id.clone(),
            ..Event::default()
        };
        let mut event = std::mem::replace(&mut self.event, next);
        // Without data it is nothing; the end of its last line is not part of it.
        event.data.pop()?;
        if event.name.is_empty() {
            "message".clone_into(&mut event.name);
        }
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, id: &str, data: &str) -> Event {
        Event {
            name: name.to_owned(),
            id: id.to_owned(),
            data: data.to_owned(),
        }
    }

    fn read(bytes: &[u8]) -> Vec<Event> {
        Decoder::default().take(bytes).unwrap()
    }

    #[test]
    fn fields_comments_and_every_end_of_a_line_are_understood() {
        let stream = b": hello\nid: 7\nevent: intent.delivered\ndata: {\"a\":1}\n\nretry: 5\r\n\r\ndata:x\rdata\r\r\
            event: gone\n\nid: \0\ndata:  two\nnonsense\n\ndata: unfinished\n";
        assert_eq!(
            read(stream),
            [
                event("intent.delivered", "7", "{\"a\":1}"),
                event("message", "7", "x\n"),
                event("message", "7", " two"),
            ]
        );
    }

    #[test]
    fn a_mark_of_byte_order_is_skipped_at_the_start_and_nowhere_else() {
        let stream = "\u{feff}data: a\n\n\u{feff}data: b\n\n";
        assert_eq!(read(stream.as_bytes()), [event("message", "", "a")]);
        assert_eq!(read(b"data: \xff\n\n"), [event("message", "", "\u{fffd}")]);
    }

    #[test]
    fn a_stream_means_the_same_wherever_it_is_cut() {
        let stream = "\u{feff}id: 1\r\ndata: \u{fc}\r\n\r\ndata: y\n\n".as_bytes();
        for cut in 0..=stream.len() {
            let mut decoder = Decoder::default();
            let mut events = decoder.take(&stream[..cut]).unwrap();
            events.extend(decoder.take(&stream[cut..]).unwrap());
            assert_eq!(events, read(stream), "{cut}");
        }
    }

    #[test]
    fn an_event_without_end_is_refused_before_it_fills_the_memory() {
        let mut decoder = Decoder::default();
        let piece = vec![b'x'; EVENT_BYTES_MAX / 4 + 1];
        for _piece in 0..3 {
            assert_eq!(decoder.take(&piece), Ok(Vec::new()));
        }
        assert_eq!(decoder.take(&piece), Err(TooLarge));
    }
}
