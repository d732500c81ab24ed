//! A second reader of event streams, by the letter of the HTML standard (section 9.2.6), to hold the product's
//! against.
//!
//! Any bytes are a stream: what is no UTF-8 is replaced, what is no field is skipped, an event that the stream
//! ends in is not told.

/// One event as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Event {
    /// Its name; `message` when it has none.
    pub(crate) name: String,
    /// The last id that the stream gave, which may be that of an event before.
    pub(crate) id: String,
    /// Its lines.
    pub(crate) data: String,
}

/// Takes a stream apart, wherever the network cuts it.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    line: Vec<u8>,
    /// True until the first line has begun: a mark of byte order may stand there.
    has_begun: bool,
    /// The last byte was a carriage return, so that a line feed ends the same line.
    is_after_return: bool,
    event: Event,
}

impl Decoder {
    /// Takes bytes in; gives the events that they complete.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<Event> {
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
        }
        events
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
