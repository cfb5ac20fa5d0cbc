//! Reading the answer of an embedding request: when its first number comes, and how many there are.
//!
//! The numbers themselves are not kept: that the LLM made some is all that a probe wants to know.

use super::ScanFault;
use super::json::{Token, TokenScan, readable};

/// Reads an answer piece by piece.
#[derive(Debug)]
pub struct EmbeddingScan {
    tokens: TokenScan,
    reader: Reader,
}

/// How far the answer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbeddingProgress {
    /// No part of a vector has been seen.
    Waiting,
    /// The first element of the first vector has been seen.
    FirstElement,
}

/// What the answer holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmbeddingFinding {
    /// How many elements the first vector has; 0 where there is none.
    pub dimensions: usize,
    /// How many tokens were read.
    pub input_tokens: Option<u64>,
    /// There is an error in the answer.
    pub error: bool,
}

impl Default for EmbeddingScan {
    fn default() -> Self {
        Self::new()
    }
}

impl EmbeddingScan {
    /// A scan at the beginning of an answer.
    #[must_use]
    pub fn new() -> Self {
        Self { tokens: TokenScan::new(), reader: Reader::default() }
    }

    /// Reads the next piece, which may be cut anywhere. After a fault every call is that fault.
    pub fn push(&mut self, bytes: &[u8]) -> Result<EmbeddingProgress, ScanFault> {
        self.tokens.push(bytes, &mut |token| self.reader.read(token))?;
        let waiting = self.reader.finding.dimensions == 0;
        Ok(if waiting { EmbeddingProgress::Waiting } else { EmbeddingProgress::FirstElement })
    }

    /// The end of the answer. An answer that is cut is a fault, even where a vector has begun.
    pub fn finish(mut self) -> Result<EmbeddingFinding, ScanFault> {
        self.tokens.finish(&mut |token| self.reader.read(token))?;
        Ok(self.reader.finding)
    }
}

/// What a container is, by where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    /// `data` of OpenAI's answer, and an entry of it.
    Data,
    Entry,
    /// `embeddings` of Ollama's.
    Vectors,
    Vector,
    Usage,
    Elsewhere,
}

#[derive(Debug, Default)]
struct Reader {
    open: Vec<Place>,
    key: Key,
    finding: EmbeddingFinding,
    /// The first vector has ended.
    ended: bool,
}

/// The names that matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Key {
    Data,
    Embedding,
    Embeddings,
    Usage,
    InputTokens,
    Error,
    Kind,
    #[default]
    Other,
}

impl Key {
    fn new(name: &[u8]) -> Self {
        match name {
            b"data" => Self::Data,
            b"embedding" => Self::Embedding,
            b"embeddings" => Self::Embeddings,
            b"usage" => Self::Usage,
            // OpenAI's name and Ollama's.
            b"prompt_tokens" | b"prompt_eval_count" => Self::InputTokens,
            b"error" => Self::Error,
            b"type" | b"object" => Self::Kind,
            _ => Self::Other,
        }
    }
}

impl Reader {
    fn read(&mut self, token: Token<'_>) {
        let key = std::mem::take(&mut self.key);
        let inside = self.open.last().copied();
        let root = inside == Some(Place::Root);
        if root && key == Key::Error && token != Token::Null {
            self.finding.error = true;
        }
        match token {
            Token::Key(name) => self.key = Key::new(name),
            Token::Object => self.open.push(match (inside, key) {
                (None, _) => Place::Root,
                (Some(Place::Data), _) => Place::Entry,
                (Some(Place::Root), Key::Usage) => Place::Usage,
                _ => Place::Elsewhere,
            }),
            Token::Array => self.open.push(match (inside, key) {
                (Some(Place::Root), Key::Data) => Place::Data,
                (Some(Place::Root), Key::Embeddings) => Place::Vectors,
                (Some(Place::Entry | Place::Root), Key::Embedding) | (Some(Place::Vectors | Place::Vector), _) => {
                    Place::Vector
                }
                _ => Place::Elsewhere,
            }),
            Token::End => {
                if self.open.pop() == Some(Place::Vector) && self.finding.dimensions > 0 {
                    self.ended = true;
                }
            }
            Token::Number(number) => match (inside, key) {
                (Some(Place::Vector), _) if !self.ended => self.finding.dimensions += 1,
                (Some(Place::Usage | Place::Root), Key::InputTokens) => {
                    self.finding.input_tokens = readable(number).parse().ok();
                }
                _ => {}
            },
            Token::Text(text) => match (inside, key) {
                (Some(Place::Entry), Key::Embedding) if self.finding.dimensions == 0 => {
                    self.finding.dimensions = base64_floats(readable(text));
                    self.ended = self.finding.dimensions > 0;
                }
                (Some(Place::Root), Key::Kind) if text == b"error" => self.finding.error = true,
                _ => {}
            },
            Token::Null | Token::Truth => {}
        }
    }
}

/// How many 32-bit numbers a base64 text holds: what OpenAI's SDKs ask for by default.
fn base64_floats(text: &str) -> usize {
    text.trim_end_matches('=').len() * 3 / 4 / 4
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn finding(dimensions: usize, input_tokens: Option<u64>) -> EmbeddingFinding {
        EmbeddingFinding { dimensions, input_tokens, error: false }
    }

    fn scan(body: &str) -> Result<EmbeddingFinding, ScanFault> {
        let mut scan = EmbeddingScan::new();
        scan.push(body.as_bytes())?;
        scan.finish()
    }

    #[test]
    fn vectors_are_counted_in_every_shape() {
        for (body, expected) in [
            (
                r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,-2,3e-5]},
                   {"embedding":[1]}],"model":"m","usage":{"prompt_tokens":5,"total_tokens":6}}"#,
                finding(3, Some(5)),
            ),
            // Three floats are 12 bytes, 16 characters.
            (r#"{"data":[{"embedding":"AAAAAAAAAAAAAAAA"}]}"#, finding(3, None)),
            (r#"{"data":[{"embedding":"AAAAAA=="}]}"#, finding(1, None)),
            (r#"{"data":[{"embedding":[[1,2],[3]]}]}"#, finding(2, None)),
            (r#"{"embeddings":[[1,2,3,4],[5]],"prompt_eval_count":7}"#, finding(4, Some(7))),
            (r#"{"data":[],"usage":{"prompt_tokens":-1}}"#, finding(0, None)),
            (r#"{"data":[{"embedding":[]}],"meta":{"embedding":[1],"prompt_tokens":3}}"#, finding(0, None)),
            (r#"{"error":null,"data":[{"embedding":[1]}]}"#, finding(1, None)),
        ] {
            assert_eq!(scan(body), Ok(expected), "{body}");
        }
    }

    #[test]
    fn an_error_in_the_answer_is_seen() {
        for body in [r#"{"error":{"message":"no"}}"#, r#"{"error":"no"}"#, r#"{"object":"error","message":"no"}"#] {
            assert!(scan(body).unwrap().error, "{body}");
        }
        assert!(!scan(r#"{"data":[{"error":"x","object":"error"}]}"#).unwrap().error);
    }

    #[test]
    fn the_first_element_is_told_when_it_comes() {
        let mut scan = EmbeddingScan::new();
        assert_eq!(scan.push(b"\n\n{\"data\":[{\"embedding\":["), Ok(EmbeddingProgress::Waiting));
        assert_eq!(scan.push(b"0.1"), Ok(EmbeddingProgress::Waiting));
        assert_eq!(scan.push(b",0.2"), Ok(EmbeddingProgress::FirstElement));
        assert_eq!(scan.finish(), Err(ScanFault::NotJson { looks_like_html: false }));
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter_and_any_bytes_are_survived(
            body in "(\\{\"(data|usage|error|embeddings)\":){0,2}[\\[{]{0,3}\
                     (\"(embedding|prompt_tokens)\":|[0-9],?|\"A*\"|[\\]},]){0,12}",
            cut in any::<prop::sample::Index>(),
        ) {
            let (before, after) = body.as_bytes().split_at(cut.index(body.len() + 1));
            let mut pieces = EmbeddingScan::new();
            let read = pieces.push(before).and_then(|_| pieces.push(after)).and_then(|_| pieces.finish());
            prop_assert_eq!(read, scan(&body));
        }
    }
}
