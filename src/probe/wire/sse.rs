//! Server-sent events, as the WHATWG HTML standard reads them, with every size bounded.
//!
//! Deliberate differences: bad UTF-8 is replaced, as the standard says; `id` and `retry` are ignored, because a probe
//! never reconnects; comments are reported, because they are the keep-alives of a queued request; and the last event
//! is delivered although the blank line after it is missing, because LLM servers leave it out.

/// The longest line, and the longest event, in bytes. The longest event seen from a provider is about 4 KiB.
pub const LIMIT: usize = 64 * 1024;

/// A line or an event of the stream is longer than [`LIMIT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line or an event of the stream is longer than 64 KiB")]
pub struct LineTooLong;

/// What a stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SseItem<'a> {
    /// An event.
    Event {
        /// Its `event` field, `message` where it has none.
        name: &'a str,
        /// Its `data` fields, joined by line feeds.
        data: &'a str,
    },
    /// A line that begins with a colon.
    Comment,
}

/// Turns the bytes of a stream into events. The pieces may be cut anywhere.
#[derive(Debug, Default)]
pub struct SseDecoder {
    /// The line that is not complete yet.
    line: Vec<u8>,
    /// The event that is not complete yet.
    name: String,
    data: String,
    has_data: bool,
    /// The last byte was a carriage return: a line feed that follows belongs to it.
    after_return: bool,
    /// The first line has been read: only that one can begin with a byte order mark.
    begun: bool,
    /// A limit was exceeded: what follows makes no sense.
    failed: bool,
}

impl SseDecoder {
    /// A decoder at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the next piece and hands over what it completes. After an error every call is an error.
    pub fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(SseItem<'_>)) -> Result<(), LineTooLong> {
        if self.failed {
            return Err(LineTooLong);
        }
        let result = self.read(bytes, each);
        self.failed = result.is_err();
        result
    }

    fn read(&mut self, mut bytes: &[u8], each: &mut dyn FnMut(SseItem<'_>)) -> Result<(), LineTooLong> {
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.after_return) && first == b'\n' {
                bytes = bytes.get(1..).unwrap_or_default();
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            if self.line.len() + part.len() > LIMIT {
                return Err(LineTooLong);
            }
            self.line.extend_from_slice(part);
            let Some((end, rest)) = rest.split_first() else { break };
            self.after_return = *end == b'\r';
            bytes = rest;
            self.end_of_line(each)?;
        }
        Ok(())
    }

    /// The end of the stream. A line and an event that are not complete are taken as if they were, if there is data;
    /// whether that data is whole is for the reader of the JSON in it to find.
    pub fn finish(&mut self, each: &mut dyn FnMut(SseItem<'_>)) {
        if self.failed {
            return;
        }
        let ended = if self.line.is_empty() { Ok(()) } else { self.end_of_line(each) };
        if ended.is_ok() {
            self.dispatch(each);
        }
        *self = Self::new();
    }

    fn end_of_line(&mut self, each: &mut dyn FnMut(SseItem<'_>)) -> Result<(), LineTooLong> {
        // The buffer is lent out and given back, so that it is allocated once for the whole stream.
        let mut bytes = std::mem::take(&mut self.line);
        let line = if std::mem::replace(&mut self.begun, true) {
            bytes.as_slice()
        } else {
            bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)
        };
        let result = self.field(&String::from_utf8_lossy(line), each);
        bytes.clear();
        self.line = bytes;
        result
    }

    fn field(&mut self, line: &str, each: &mut dyn FnMut(SseItem<'_>)) -> Result<(), LineTooLong> {
        if line.is_empty() {
            self.dispatch(each);
            return Ok(());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => each(SseItem::Comment),
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if self.data.len() + value.len() > LIMIT {
                    return Err(LineTooLong);
                }
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            _ => {}
        }
        Ok(())
    }

    fn dispatch(&mut self, each: &mut dyn FnMut(SseItem<'_>)) {
        if std::mem::take(&mut self.has_data) {
            let name = if self.name.is_empty() { "message" } else { &self.name };
            each(SseItem::Event { name, data: &self.data });
        }
        self.name.clear();
        self.data.clear();
    }
}
