//! A JSON answer of any size, read piece by piece in little memory: the layer between `actson` and the scans.
//!
//! It adds what the parser lacks: limits on single texts, on nesting and on the whole; a byte order mark at the
//! beginning; and half a surrogate pair (`"\ud83d"`, which JavaScript makes when it cuts a text) becomes `�` instead of
//! making the whole list unreadable.

use std::collections::VecDeque;

use actson::feeder::JsonFeeder;
use actson::options::JsonParserOptionsBuilder;
use actson::{JsonEvent, JsonParser};

/// The longest text or number that is read.
const LONGEST: usize = 64 * 1024;
/// The deepest nesting that is read.
pub(super) const DEEPEST: usize = 64;
/// The largest answer that is read. OpenRouter's catalogue is between 600 KB and 1 MB.
const LARGEST: usize = 8 * 1024 * 1024;
/// What some servers put before their JSON.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];
/// Why an answer cannot be read as the JSON it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScanFault {
    /// It is not JSON, or it ends too soon.
    #[error("the answer is not JSON")]
    NotJson {
        /// It begins like a web page.
        looks_like_html: bool,
    },
    /// A single text of it is longer than 64 KiB, it is nested deeper than 64, or it is larger than 8 MiB.
    #[error("the answer is too large")]
    TooLarge,
}

/// A piece of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `{`
    Object,
    /// `[`
    Array,
    /// `}` or `]`
    End,
    /// The name of an object's next value.
    Key(&'a str),
    /// A string.
    Text(&'a str),
    /// A number, as it is written.
    Number(&'a str),
    /// `null`
    Null,
    /// `true` or `false`
    Truth,
}

/// Reads tokens from pieces that may be cut anywhere.
pub(super) struct TokenScan {
    parser: JsonParser<Feed>,
    depth: usize,
    /// Bytes read, and how many of them when the last token ended.
    read: usize,
    last: usize,
    /// The first byte that is not white space or part of a byte order mark.
    first: Option<u8>,
    fault: Option<ScanFault>,
}

impl std::fmt::Debug for TokenScan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenScan").field("read", &self.read).field("fault", &self.fault).finish_non_exhaustive()
    }
}

impl TokenScan {
    pub(super) fn new() -> Self {
        // One level is the parser's own.
        let options = JsonParserOptionsBuilder::default().with_max_depth(DEEPEST + 2).build();
        Self {
            parser: JsonParser::new_with_options(Feed::default(), options),
            depth: 0,
            read: 0,
            last: 0,
            first: None,
            fault: None,
        }
    }

    /// Reads the next piece and hands over the tokens that it completes. After a fault every call is that fault.
    ///
    /// The parser is stepped byte by byte, so that faults and limits do not depend on where the pieces are cut.
    pub(super) fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(Token<'_>)) -> Result<(), ScanFault> {
        self.check()?;
        for &byte in bytes {
            if let Err(fault) = self.step(byte, each) {
                self.fault = Some(fault);
                return Err(fault);
            }
        }
        Ok(())
    }

    /// The end of the answer.
    pub(super) fn finish(&mut self, each: &mut dyn FnMut(Token<'_>)) -> Result<(), ScanFault> {
        self.check()?;
        self.parser.feeder.finish();
        self.tokens(each)
    }

    fn check(&self) -> Result<(), ScanFault> {
        self.fault.map_or(Ok(()), Err)
    }

    fn step(&mut self, byte: u8, each: &mut dyn FnMut(Token<'_>)) -> Result<(), ScanFault> {
        let at = self.read;
        self.read += 1;
        // White space between tokens counts as part of the next: a list with 64 KiB of it is not worth reading.
        if self.read > LARGEST || self.read - self.last > LONGEST {
            return Err(ScanFault::TooLarge);
        }
        if BYTE_ORDER_MARK.get(at) == Some(&byte) {
            return Ok(());
        }
        if self.first.is_none() && !byte.is_ascii_whitespace() {
            self.first = Some(byte);
        }
        self.parser.feeder.push(byte);
        self.tokens(each)
    }

    /// Hands over the tokens in what was fed.
    fn tokens(&mut self, each: &mut dyn FnMut(Token<'_>)) -> Result<(), ScanFault> {
        let not_json = ScanFault::NotJson { looks_like_html: self.first == Some(b'<') };
        loop {
            let event = self.parser.next_event().map_err(|_| not_json)?;
            let token = match event {
                None | Some(JsonEvent::NeedMoreInput) => return Ok(()),
                Some(JsonEvent::StartObject) => self.deeper(Token::Object)?,
                Some(JsonEvent::StartArray) => self.deeper(Token::Array)?,
                Some(JsonEvent::EndObject | JsonEvent::EndArray) => {
                    self.depth = self.depth.saturating_sub(1);
                    Token::End
                }
                // The parser does not look at UTF-8. A text that is not is nothing we look for.
                Some(JsonEvent::FieldName) => Token::Key(self.parser.current_str().unwrap_or_default()),
                Some(JsonEvent::ValueString) => Token::Text(self.parser.current_str().unwrap_or_default()),
                Some(JsonEvent::ValueInt | JsonEvent::ValueFloat) => {
                    Token::Number(self.parser.current_str().unwrap_or_default())
                }
                Some(JsonEvent::ValueNull) => Token::Null,
                Some(JsonEvent::ValueTrue | JsonEvent::ValueFalse) => Token::Truth,
            };
            self.last = self.read;
            each(token);
        }
    }

    fn deeper<'a>(&mut self, token: Token<'a>) -> Result<Token<'a>, ScanFault> {
        self.depth += 1;
        if self.depth > DEEPEST { Err(ScanFault::TooLarge) } else { Ok(token) }
    }
}

/// What the parser reads from: the bytes of the answer with half surrogate pairs replaced.
///
/// An escape is held back until it is known to be whole, and a high surrogate until it is known what follows.
#[derive(Default)]
struct Feed {
    ready: VecDeque<u8>,
    /// The beginning of an escape, or a high surrogate's whole escape and the beginning of the one after it.
    held: Vec<u8>,
    done: bool,
}

/// The length of an escape such as `\ud83d`.
const ESCAPE: usize = 6;

impl Feed {
    fn push(&mut self, byte: u8) {
        // Where in its escape the byte is.
        match self.held.len() % ESCAPE {
            0 if byte == b'\\' => self.held.push(byte),
            0 => {
                self.release();
                self.ready.push_back(byte);
            }
            1 if byte == b'u' => self.held.push(byte),
            2.. if byte.is_ascii_hexdigit() => {
                self.held.push(byte);
                self.settle();
            }
            // Another escape, or none at all, which the parser will say. The byte is no part of what was held: with
            // it, a broken `\ud83$` would look like half a pair.
            _ => {
                self.release();
                self.ready.push_back(byte);
            }
        }
    }

    /// Decides what becomes of escapes that are whole.
    fn settle(&mut self) {
        let kinds = (surrogate(self.held.get(..ESCAPE)), surrogate(self.held.get(ESCAPE..)));
        match kinds {
            // A pair goes on as it is.
            (Surrogate::High, Surrogate::Low) => self.ready.extend(self.held.drain(..)),
            (Surrogate::High, Surrogate::Unfinished) | (Surrogate::Unfinished, _) => {}
            // The second may be the first of a pair.
            (Surrogate::High, Surrogate::High) => {
                self.held.drain(..ESCAPE);
                self.replace();
            }
            _ => self.release(),
        }
    }

    /// Lets everything go that is held. A surrogate in it has no partner.
    fn release(&mut self) {
        if surrogate(self.held.get(..ESCAPE)) == Surrogate::High || surrogate(self.held.get(..ESCAPE)) == Surrogate::Low
        {
            self.held.drain(..ESCAPE);
            self.replace();
        }
        self.ready.extend(self.held.drain(..));
    }

    fn replace(&mut self) {
        self.ready.extend("\u{fffd}".bytes());
    }

    /// The end. Without the space after it, the parser takes a cut `nul` or `1e` for whole.
    fn finish(&mut self) {
        self.release();
        self.ready.push_back(b' ');
        self.done = true;
    }
}

impl JsonFeeder for Feed {
    fn has_input(&self) -> bool {
        !self.ready.is_empty()
    }

    fn is_done(&self) -> bool {
        self.done && self.ready.is_empty()
    }

    fn next_input(&mut self) -> Option<u8> {
        self.ready.pop_front()
    }
}

/// What a `\u` escape stands for.
#[derive(PartialEq, Eq)]
enum Surrogate {
    High,
    Low,
    Neither,
    Unfinished,
}

fn surrogate(escape: Option<&[u8]>) -> Surrogate {
    match escape {
        Some([_, _, b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', _, _]) => Surrogate::High,
        Some([_, _, b'd' | b'D', b'c'..=b'f' | b'C'..=b'F', _, _]) => Surrogate::Low,
        Some([_, _, _, _, _, _]) => Surrogate::Neither,
        _ => Surrogate::Unfinished,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn read(pieces: &[&[u8]]) -> (String, Result<(), ScanFault>) {
        let mut scan = TokenScan::new();
        let mut seen = String::new();
        let mut result = Ok(());
        for piece in pieces {
            result = scan.push(piece, &mut |token| seen.push_str(&format!("{token:?} ")));
        }
        let result = result.and_then(|()| scan.finish(&mut |token| seen.push_str(&format!("{token:?} "))));
        (seen, result)
    }

    const NOT_JSON: Result<(), ScanFault> = Err(ScanFault::NotJson { looks_like_html: false });

    #[test]
    fn tokens_come_in_order() {
        let text = b"\xef\xbb\xbf {\"a\": [1, -2.5e3, \"x\\n\"], \"b\": {\"c\": null}, \"d\": true}\n\n";
        let (seen, result) = read(&[text]);
        assert_eq!(
            seen,
            "Object Key(\"a\") Array Number(\"1\") Number(\"-2.5e3\") Text(\"x\\n\") End \
             Key(\"b\") Object Key(\"c\") Null End Key(\"d\") Truth End "
        );
        assert_eq!(result, Ok(()));
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced() {
        for (text, expected) in [
            (r#""\ud83d\ude00""#, "Text(\"😀\") "),
            (r#""a\ud83db""#, "Text(\"a�b\") "),
            (r#""\ud83d""#, "Text(\"�\") "),
            (r#""\ud83d\ud83d\ude00""#, "Text(\"�😀\") "),
            (r#""\ude00\u0041""#, "Text(\"�A\") "),
            (r#""\ud83d\u0041\n""#, "Text(\"�A\\n\") "),
            (r#""\ud83d\\ude00""#, "Text(\"�\\\\ude00\") "),
            (r#"["\ud83d","\ud83d\ude00"]"#, "Array Text(\"�\") Text(\"😀\") End "),
        ] {
            assert_eq!(read(&[text.as_bytes()]), (expected.to_owned(), Ok(())), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_is_said_to_be() {
        assert_eq!(read(&[b"<!DOCTYPE html>"]).1, Err(ScanFault::NotJson { looks_like_html: true }));
        for text in [
            "",
            "{",
            "[1",
            "{\"a\":1}}",
            "not json",
            "\"\\ud83d",
            "\"\\u12g4\"",
            "\"\\ud83$\"",
            "nul",
            "1e",
            "[1]]",
            "[1],",
        ] {
            assert_eq!(read(&[text.as_bytes()]).1, NOT_JSON, "{text}");
        }
    }

    #[test]
    fn limits_hold() {
        let text = |length: usize| format!("[\"{}\"]", "x".repeat(length));
        assert_eq!(read(&[text(LONGEST - 2).as_bytes()]).1, Ok(()));
        assert_eq!(read(&[text(LONGEST).as_bytes()]).1, Err(ScanFault::TooLarge));
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(read(&[nested(DEEPEST).as_bytes()]).1, Ok(()));
        assert_eq!(read(&[nested(DEEPEST + 1).as_bytes()]).1, Err(ScanFault::TooLarge));
        let list = format!("[{}0]", "0,".repeat(LARGEST / 2));
        assert_eq!(read(&[list.as_bytes()]).1, Err(ScanFault::TooLarge));
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "(?s).{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("(?s).{0,4}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn all_json_is_read_and_cuts_do_not_matter(value in json(), cut in any::<prop::sample::Index>()) {
            let text = value.to_string();
            let (before, after) = text.as_bytes().split_at(cut.index(text.len()));
            let whole = read(&[text.as_bytes()]);
            prop_assert_eq!(whole.1, Ok(()));
            prop_assert_eq!(read(&[before, after]), whole);
        }

        #[test]
        fn any_bytes_are_survived(text in "[\\[\\]{}:,\"\\\\ud8cef01 -]{0,40}", cut in any::<prop::sample::Index>()) {
            let (before, after) = text.as_bytes().split_at(cut.index(text.len().max(1)).min(text.len()));
            prop_assert_eq!(read(&[before, after]), read(&[text.as_bytes()]));
        }
    }
}
