//! A JSON answer of any size, read piece by piece in little memory: the layer below the scans.
//!
//! It is strict about JSON's grammar, with three exceptions: a byte order mark at the beginning is passed over; half a
//! surrogate pair (`"\ud83d"`, which JavaScript makes when it cuts a text) becomes `�` instead of making the whole list
//! unreadable; and a text that is not UTF-8 is an empty one, because it is nothing that we look for. Single texts,
//! nesting and the whole are bounded.
//!
//! It is ours because a catalogue is the largest thing that a probe reads: with a general parser fed byte by byte, so
//! that its faults did not depend on where the network cuts, the list of OpenRouter cost more than ten times its TLS
//! handshake (docs/benchmarks.md). Texts without escapes are handed over where they stand, in one piece.

mod number;
#[cfg(test)]
mod tests;

use number::Number;

/// The longest text or number that is read.
const LONGEST: usize = 64 * 1024;
/// The deepest nesting that is read. A bit of [`TokenScan::objects`] each.
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

/// A piece of JSON. Texts are bytes, because few of them are ever looked at; [`readable`] makes them texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `{`
    Object,
    /// `[`
    Array,
    /// `}` or `]`
    End,
    /// The name of an object's next value.
    Key(&'a [u8]),
    /// A string.
    Text(&'a [u8]),
    /// A number, as it is written.
    Number(&'a [u8]),
    /// `null`
    Null,
    /// `true` or `false`
    Truth,
}

/// A token's text, or nothing where it is not UTF-8.
pub(super) fn readable(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Reads tokens from pieces that may be cut anywhere.
#[derive(Debug)]
pub(super) struct TokenScan {
    expected: Expected,
    within: Within,
    /// How many containers are open, and of each, the innermost lowest, whether it is an object.
    depth: usize,
    objects: u64,
    /// What there is of a text or number that is not handed over in one piece.
    held: Vec<u8>,
    /// A high surrogate in a text, until it is known what follows.
    high: Option<u16>,
    /// Bytes read, and how many of them when the last token ended.
    read: usize,
    last: usize,
    /// The first byte that is not white space or part of a byte order mark.
    first: Option<u8>,
    fault: Option<ScanFault>,
}

/// What may come next, between tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    Nothing,
}

/// The token that has begun and not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    None,
    Text,
    /// After a backslash.
    Escape,
    /// In `\u12ab`: how many digits there were, and their value.
    Unicode(u8, u16),
    Number(Number),
    /// `true`, `false` or `null`: what is still to come of it.
    Word(&'static [u8], Token<'static>),
}

impl TokenScan {
    pub(super) fn new() -> Self {
        Self {
            expected: Expected::Value,
            within: Within::None,
            depth: 0,
            objects: 0,
            held: Vec::new(),
            high: None,
            read: 0,
            last: 0,
            first: None,
            fault: None,
        }
    }

    /// Reads the next piece and hands over the tokens that it completes. After a fault every call is that fault.
    /// Faults and limits do not depend on where the pieces are cut.
    pub(super) fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(Token<'_>)) -> Result<(), ScanFault> {
        self.fault.map_or(Ok(()), Err)?;
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.step(rest, each) {
                Ok(taken) => rest = rest.get(taken..).unwrap_or_default(),
                Err(fault) => {
                    self.fault = Some(fault);
                    return Err(fault);
                }
            }
        }
        Ok(())
    }

    /// The end of the answer.
    pub(super) fn finish(&mut self, each: &mut dyn FnMut(Token<'_>)) -> Result<(), ScanFault> {
        self.fault.map_or(Ok(()), Err)?;
        if let Within::Number(number) = self.within {
            self.end_number(number, each)?;
        }
        if self.within == Within::None && self.expected == Expected::Nothing { Ok(()) } else { Err(self.not_json()) }
    }

    fn not_json(&self) -> ScanFault {
        ScanFault::NotJson { looks_like_html: self.first == Some(b'<') }
    }

    /// Reads the beginning of what there is, as far as one state reaches, and says how many bytes that was.
    #[inline]
    fn step(&mut self, rest: &[u8], each: &mut dyn FnMut(Token<'_>)) -> Result<usize, ScanFault> {
        // White space between tokens counts as part of the next: a list with 64 KiB of it is not worth reading.
        let room = LARGEST.min(self.last + LONGEST).saturating_sub(self.read);
        let rest = rest.get(..room).unwrap_or(rest);
        let Some(&byte) = rest.first() else { return Err(ScanFault::TooLarge) };
        match self.within {
            Within::None => self.between(byte, each)?,
            Within::Text => return self.text(rest, each),
            Within::Number(number) => match number.then(byte) {
                Some(longer) => {
                    self.within = Within::Number(longer);
                    self.held.push(byte);
                }
                None => {
                    self.end_number(number, each)?;
                    return Ok(0);
                }
            },
            Within::Escape => self.escape(byte)?,
            Within::Unicode(digits, code) => self.unicode(byte, digits, code)?,
            Within::Word(left, token) => match left.split_first() {
                Some((&wanted, left)) if wanted == byte => {
                    self.within = Within::Word(left, token);
                    if left.is_empty() {
                        self.read += 1;
                        self.end_value(token, each);
                        return Ok(1);
                    }
                }
                _ => return Err(self.not_json()),
            },
        }
        self.read += 1;
        Ok(1)
    }

    /// A byte between tokens, or the first of one.
    #[inline]
    fn between(&mut self, byte: u8, each: &mut dyn FnMut(Token<'_>)) -> Result<(), ScanFault> {
        use Expected::{Colon, CommaOrEnd, Key, KeyOrEnd, Value, ValueOrEnd};
        if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') || BYTE_ORDER_MARK.get(self.read) == Some(&byte) {
            return Ok(());
        }
        self.first.get_or_insert(byte);
        let in_object = self.objects & 1 == 1;
        match (byte, self.expected) {
            (b'"', Value | ValueOrEnd | Key | KeyOrEnd) => self.within = Within::Text,
            (b':', Colon) => self.expected = Value,
            (b',', CommaOrEnd) => self.expected = if in_object { Key } else { Value },
            (b'{', Value | ValueOrEnd) => self.open(Token::Object, KeyOrEnd, each)?,
            (b'[', Value | ValueOrEnd) => self.open(Token::Array, ValueOrEnd, each)?,
            (b'}', KeyOrEnd) => self.close(each),
            (b'}', CommaOrEnd) if in_object => self.close(each),
            (b']', ValueOrEnd) => self.close(each),
            (b']', CommaOrEnd) if !in_object => self.close(each),
            (b't', Value | ValueOrEnd) => self.within = Within::Word(b"rue", Token::Truth),
            (b'f', Value | ValueOrEnd) => self.within = Within::Word(b"alse", Token::Truth),
            (b'n', Value | ValueOrEnd) => self.within = Within::Word(b"ull", Token::Null),
            (_, Value | ValueOrEnd) => {
                self.within = Within::Number(Number::begin(byte).ok_or_else(|| self.not_json())?);
                self.held.push(byte);
            }
            _ => return Err(self.not_json()),
        }
        Ok(())
    }

    fn open(
        &mut self,
        token: Token<'static>,
        expected: Expected,
        each: &mut dyn FnMut(Token<'_>),
    ) -> Result<(), ScanFault> {
        if self.depth == DEEPEST {
            return Err(ScanFault::TooLarge);
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u64::from(token == Token::Object);
        self.expected = expected;
        self.last = self.read + 1;
        each(token);
        Ok(())
    }

    fn close(&mut self, each: &mut dyn FnMut(Token<'_>)) {
        self.depth -= 1;
        self.objects >>= 1;
        self.last = self.read + 1;
        self.expected = self.after_value();
        each(Token::End);
    }

    fn after_value(&self) -> Expected {
        if self.depth == 0 { Expected::Nothing } else { Expected::CommaOrEnd }
    }

    /// Hands over a value that is no container.
    fn end_value(&mut self, token: Token<'_>, each: &mut dyn FnMut(Token<'_>)) {
        self.within = Within::None;
        self.last = self.read;
        self.expected = self.after_value();
        each(token);
    }

    fn end_number(&mut self, number: Number, each: &mut dyn FnMut(Token<'_>)) -> Result<(), ScanFault> {
        if !number.is_whole() {
            return Err(self.not_json());
        }
        let held = std::mem::take(&mut self.held);
        self.end_value(Token::Number(&held), each);
        self.reuse(held);
        Ok(())
    }

    /// Reads a text up to its end, its next escape, or the end of the piece.
    #[inline]
    fn text(&mut self, rest: &[u8], each: &mut dyn FnMut(Token<'_>)) -> Result<usize, ScanFault> {
        let length = plain(rest);
        let (plain, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        let ends = match after.first() {
            Some(b'"') => true,
            Some(b'\\') | None => false,
            Some(_) => return Err(self.not_json()),
        };
        let taken = length + usize::from(!after.is_empty());
        self.read += taken;
        if ends && self.held.is_empty() && self.high.is_none() {
            self.end_text(plain, each);
            return Ok(taken);
        }
        if ends || !plain.is_empty() {
            self.replace_half();
        }
        self.held.extend_from_slice(plain);
        if ends {
            let held = std::mem::take(&mut self.held);
            self.end_text(&held, each);
            self.reuse(held);
        } else if !after.is_empty() {
            self.within = Within::Escape;
        }
        Ok(taken)
    }

    /// What has grown once is used again.
    fn reuse(&mut self, mut held: Vec<u8>) {
        held.clear();
        self.held = held;
    }

    #[inline]
    fn end_text(&mut self, text: &[u8], each: &mut dyn FnMut(Token<'_>)) {
        if matches!(self.expected, Expected::Key | Expected::KeyOrEnd) {
            self.within = Within::None;
            self.last = self.read;
            self.expected = Expected::Colon;
            each(Token::Key(text));
        } else {
            self.end_value(Token::Text(text), each);
        }
    }

    fn escape(&mut self, byte: u8) -> Result<(), ScanFault> {
        let meant = match byte {
            b'u' => {
                self.within = Within::Unicode(0, 0);
                return Ok(());
            }
            b'"' | b'\\' | b'/' => byte,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            _ => return Err(self.not_json()),
        };
        self.replace_half();
        self.held.push(meant);
        self.within = Within::Text;
        Ok(())
    }

    fn unicode(&mut self, byte: u8, digits: u8, code: u16) -> Result<(), ScanFault> {
        let digit = char::from(byte).to_digit(16).and_then(|digit| u16::try_from(digit).ok());
        let code = code << 4 | digit.ok_or_else(|| self.not_json())?;
        if digits < 3 {
            self.within = Within::Unicode(digits + 1, code);
            return Ok(());
        }
        self.within = Within::Text;
        match (self.high, code) {
            (Some(high), 0xdc00..=0xdfff) => {
                self.high = None;
                self.hold(char::decode_utf16([high, code]).next().and_then(Result::ok));
            }
            // The second may be the first of a pair.
            (_, 0xd800..=0xdbff) => {
                self.replace_half();
                self.high = Some(code);
            }
            _ => {
                self.replace_half();
                self.hold(char::from_u32(code.into()));
            }
        }
        Ok(())
    }

    /// A high surrogate that is still waiting has no partner.
    fn replace_half(&mut self) {
        if self.high.take().is_some() {
            self.hold(None);
        }
    }

    fn hold(&mut self, character: Option<char>) {
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        self.held.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// How many bytes of a text there are before its end, its next escape, or a byte that it may not have.
///
/// Eight at a time, because most of a catalogue is text: in a word from which `ONES * n` is taken, the lowest byte that
/// borrows is the lowest one below `n`.
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHEST: u64 = u64::from_ne_bytes([0x80; 8]);
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGHEST;
    let same = |word: u64, byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let (words, rest) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = same(word, b'"') | same(word, b'\\') | below(word, 0x20);
        if found != 0 {
            return number * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
    words.len() * 8 + length
}
