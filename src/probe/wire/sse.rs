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
                if self.data.len() + value.len() + 1 > LIMIT {
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

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use futures_core::Stream;
    use proptest::prelude::*;

    use super::*;

    /// Events as `name|data`, comments as `:`.
    fn read(pieces: &[&[u8]]) -> (Vec<String>, Result<(), LineTooLong>) {
        let mut items = Vec::new();
        let mut each = |item: SseItem<'_>| match item {
            SseItem::Event { name, data } => items.push(format!("{name}|{data}")),
            SseItem::Comment => items.push(":".to_owned()),
        };
        let mut decoder = SseDecoder::new();
        let result = pieces.iter().try_for_each(|piece| decoder.push(piece, &mut each));
        decoder.finish(&mut each);
        (items, result)
    }

    #[test]
    fn streams_are_read_as_the_standard_says() {
        let cases: &[(&[u8], &[&str])] = &[
            (b"data: a\n\n", &["message|a"]),
            (b"data:a\n\ndata:  b\n\n", &["message|a", "message| b"]),
            (b"event: ping\ndata: {}\n\n", &["ping|{}"]),
            (b"data: one\ndata: two\ndata\n\n", &["message|one\ntwo\n"]),
            (b": OPENROUTER PROCESSING\n\n:\n\ndata: x\n\n", &[":", ":", "message|x"]),
            (b"\xef\xbb\xbfdata: bom\n\n\xef\xbb\xbfdata: no\n\n", &["message|bom"]),
            (b"data: cr\r\rdata: crlf\r\n\r\ndata: mixed\n\r\n", &["message|cr", "message|crlf", "message|mixed"]),
            (b"event: lost\n\ndata: x\n\n", &["message|x"]),
            (b"event: a\nevent\ndata: x\n\n", &["message|x"]),
            (b"data:\n\n", &["message|"]),
            (b"id: 1\nretry: 5\nunknown: y\ndata: x\n\n", &["message|x"]),
            (b"data: \xff\xf0\x9f\n\n", &["message|\u{fffd}\u{fffd}"]),
            (b"data: caf\xc3\xa9\n\n", &["message|caf\u{e9}"]),
            // The last event without its blank line, or without even the end of its line.
            (b"data: a\n\ndata: [DONE]\n", &["message|a", "message|[DONE]"]),
            (b"data: [DONE]", &["message|[DONE]"]),
            (b"event: end", &[]),
            (b"", &[]),
            (b"\n\n\n", &[]),
        ];
        for (stream, expected) in cases {
            assert_eq!(read(&[stream]), (expected.iter().map(ToString::to_string).collect(), Ok(())), "{stream:?}");
            let bytes: Vec<&[u8]> = stream.chunks(1).collect();
            assert_eq!(read(&bytes), read(&[stream]), "{stream:?} byte by byte");
        }
    }

    #[test]
    fn lines_and_events_are_bounded() {
        let line = |length: usize| format!("data: a\n\ndata: {}\n\n", "x".repeat(length));
        assert_eq!(read(&[line(LIMIT - 6).as_bytes()]).1, Ok(()));
        let (items, result) = read(&[line(LIMIT).as_bytes()]);
        assert_eq!((items.len(), result), (1, Err(LineTooLong)));
        let lines = format!("data: {}\n", "x".repeat(1000)).repeat(100);
        assert_eq!(read(&[lines.as_bytes()]).1, Err(LineTooLong));
        // Empty lines of data add a line feed each.
        assert_eq!(read(&["data\n".repeat(LIMIT + 2).as_bytes()]).1, Err(LineTooLong));
        let mut decoder = SseDecoder::new();
        assert_eq!(decoder.push(&[b'x'; LIMIT + 1], &mut |_| {}), Err(LineTooLong));
        assert_eq!(decoder.push(b"\n", &mut |_| {}), Err(LineTooLong));
    }

    struct Pieces(VecDeque<Vec<u8>>);

    impl Stream for Pieces {
        type Item = Result<Vec<u8>, Infallible>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(self.0.pop_front().map(Ok))
        }
    }

    /// What `sseer` reads: events only.
    fn oracle(pieces: &[&[u8]]) -> Vec<String> {
        let pieces = Pieces(pieces.iter().map(|piece| piece.to_vec()).collect());
        let mut stream = Box::pin(sseer::event_stream::EventStream::new(pieces));
        let mut context = Context::from_waker(Waker::noop());
        let mut items = Vec::new();
        while let Poll::Ready(Some(event)) = stream.as_mut().poll_next(&mut context) {
            let event = event.unwrap();
            items.push(format!("{}|{}", event.event, event.data));
        }
        items
    }

    fn cut<'a>(mut rest: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
        let mut pieces = Vec::new();
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.index(rest.len() + 1));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        pieces
    }

    /// Any byte, but often one that means something.
    fn byte() -> impl Strategy<Value = u8> {
        prop_oneof![any::<u8>(), prop::sample::select(b"data: event\r\n".to_vec())]
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(
            stream in "(\u{feff})?((data|event|id|x|)(:| |: |é)?[a-c:é]{0,4}(\n|\r|\r\n){1,2}){0,8}(data: x)?",
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            prop_assert_eq!(read(&cut(stream.as_bytes(), &cuts)), read(&[stream.as_bytes()]));
        }

        #[test]
        fn any_bytes_are_survived(
            stream in prop::collection::vec(byte(), 0..200),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            prop_assert_eq!(read(&cut(&stream, &cuts)), read(&[&stream]));
        }

        /// A field `event` without a colon is left out: it clears the name, which sseer 0.3.1 does not do.
        #[test]
        fn another_decoder_reads_the_same(
            stream in "(\u{feff})?(((event:|id|x|data|data:|)( )?[a-c:é]{0,4}|data|)(\n|\r|\r\n){1,2}){0,8}",
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let stream = format!("{stream}\n\n");
            let mut ours = read(&[stream.as_bytes()]).0;
            ours.retain(|item| item != ":");
            prop_assert_eq!(ours, oracle(&cut(stream.as_bytes(), &cuts)));
        }
    }
}
