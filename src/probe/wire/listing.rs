//! The whole of a provider's list, however large it is: ids, and what they cost and hold where the provider says so.
//!
//! It is read as it arrives, and bounded: so many entries, so much text. What is called `id` anywhere but in its place
//! does not count. `catalogue.rs` looks for one LLM in the same lists, in less memory.

use super::ScanFault;
use super::catalogue::{HIGHEST_PRICE, per_million};
use super::json::{Token, TokenScan, readable};
use super::text::clean;
use crate::target::CatalogueShape;

/// Most entries that are kept. OpenRouter lists some 400.
pub const MOST_LISTED: usize = 5_000;
/// Longest id that is kept, in characters; a longer one is no id.
const LONGEST_ID: usize = 200;
/// Most tokens that are believed.
const MOST_TOKENS: u64 = 1_000_000_000;

/// An LLM of a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listed {
    /// Its id as one asks for it, cleaned: without the list's prefix, on one line, at most 200 characters.
    pub id: String,
    /// How many tokens it can hold.
    pub context: Option<u64>,
    /// Dollars for a million tokens of prompt.
    pub input_usd_per_million: Option<f64>,
    /// Dollars for a million tokens of completion.
    pub output_usd_per_million: Option<f64>,
}

/// A whole list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listing {
    /// What it names, in its order; at most [`MOST_LISTED`].
    pub entries: Vec<Listed>,
    /// How many it names.
    pub total: usize,
    /// Whether the JSON is a list of LLMs at all, and not an error or something else.
    pub is_catalogue: bool,
}

/// Reads a list of LLMs piece by piece.
#[derive(Debug)]
pub struct ListingScan {
    tokens: TokenScan,
    reader: Reader,
}

impl ListingScan {
    /// A scan. `id_prefix` is what the list puts before every id (`models/` at Gemini).
    #[must_use]
    pub fn new(shape: CatalogueShape, id_prefix: Option<&str>) -> Self {
        let reader = Reader { shape, id_prefix: id_prefix.unwrap_or_default().to_owned(), ..Reader::default() };
        Self { tokens: TokenScan::new(), reader }
    }

    /// Reads the next piece, which may be cut anywhere. After a fault every call is that fault.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ScanFault> {
        self.tokens.push(bytes, &mut |token| self.reader.read(token))
    }

    /// The end of the answer.
    pub fn finish(mut self) -> Result<Listing, ScanFault> {
        self.tokens.finish(&mut |token| self.reader.read(token))?;
        Ok(self.reader.finish())
    }
}

/// What a container is, by where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    List(Which),
    Entry(Which),
    Pricing,
    Elsewhere,
}

/// Which of the lists that an answer can have. llama.cpp sends both, with the same LLMs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// `data`, or the outermost array.
    Data,
    /// `models`.
    Models,
}

/// What was seen of one list.
#[derive(Debug, Default)]
struct Seen {
    present: bool,
    /// How many things stand in it, and how many of them have an id.
    things: usize,
    named: usize,
    entries: Vec<Listed>,
}

/// The names that matter. All others are the same to us.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Name {
    Data,
    Models,
    Id,
    /// Of an LLM in a list of `models`: `name`, `model` or `key`.
    OtherId,
    Pricing,
    /// Dollars for one token: OpenRouter's and Synthetic's `prompt`.
    Prompt,
    Completion,
    /// Dollars for a million tokens: Together's `input`, from memory.
    Input,
    Output,
    /// `context_length` (OpenRouter, Synthetic, Together), `context_window` (Groq), `max_model_len` (vLLM),
    /// `max_context_length` (Mistral, LM Studio).
    Context,
    Error,
    #[default]
    Other,
}

impl Name {
    fn of(text: &[u8]) -> Self {
        match text {
            b"data" => Self::Data,
            b"models" => Self::Models,
            b"id" => Self::Id,
            b"name" | b"model" | b"key" => Self::OtherId,
            b"pricing" => Self::Pricing,
            b"prompt" => Self::Prompt,
            b"completion" => Self::Completion,
            b"input" => Self::Input,
            b"output" => Self::Output,
            b"context_length" | b"context_window" | b"max_model_len" | b"max_context_length" => Self::Context,
            b"error" => Self::Error,
            _ => Self::Other,
        }
    }
}

#[derive(Debug)]
struct Reader {
    shape: CatalogueShape,
    id_prefix: String,
    /// The containers that are open. `TokenScan` bounds their number.
    open: Vec<Place>,
    /// The name of the value that comes next.
    key: Name,
    data: Seen,
    models: Seen,
    failed: bool,
    /// The entry that is open.
    entry: Listed,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            shape: CatalogueShape::Data,
            id_prefix: String::new(),
            open: Vec::new(),
            key: Name::Other,
            data: Seen::default(),
            models: Seen::default(),
            failed: false,
            entry: Listed::default(),
        }
    }
}

impl Reader {
    fn read(&mut self, token: Token<'_>) {
        let key = std::mem::take(&mut self.key);
        let inside = self.open.last().copied();
        match token {
            Token::Key(name) => self.key = Name::of(name),
            Token::Object => self.begin(match (inside, key) {
                (None, _) => Place::Root,
                (Some(Place::List(which)), _) => Place::Entry(which),
                (Some(Place::Entry(_)), Name::Pricing) => Place::Pricing,
                _ => Place::Elsewhere,
            }),
            Token::Array => self.begin(match (inside, key) {
                (None, _) | (Some(Place::Root), Name::Data) => Place::List(Which::Data),
                (Some(Place::Root), Name::Models) => Place::List(Which::Models),
                _ => Place::Elsewhere,
            }),
            Token::End => {
                if let Some(Place::Entry(which)) = self.open.pop() {
                    self.end_entry(which);
                }
            }
            Token::Text(text) => match (inside, key) {
                (Some(Place::Entry(Which::Data)), Name::Id)
                | (Some(Place::Entry(Which::Models)), Name::Id | Name::OtherId) => self.id(readable(text)),
                // A list of bare names.
                (Some(Place::List(which)), _) => {
                    self.entry = Listed::default();
                    self.id(readable(text));
                    self.end_entry(which);
                }
                (Some(Place::Pricing), _) => self.price(key, text),
                _ => {}
            },
            // Ollama's list is `null` before the first LLM is pulled.
            Token::Null => match (inside, key) {
                (Some(Place::Root), Name::Data) => self.data.present = true,
                (Some(Place::Root), Name::Models) => self.models.present = true,
                _ => {}
            },
            Token::Number(text) => match (inside, key) {
                (Some(Place::Pricing), _) => self.price(key, text),
                (Some(Place::Entry(_)), Name::Context) => {
                    let tokens = readable(text).parse().ok().filter(|tokens| (1..=MOST_TOKENS).contains(tokens));
                    self.entry.context = self.entry.context.or(tokens);
                }
                _ => {}
            },
            Token::Truth => {}
        }
        // Whatever an `error` is, `null` apart, the answer is not a list.
        if key == Name::Error && inside == Some(Place::Root) && token != Token::Null {
            self.failed = true;
        }
    }

    fn begin(&mut self, place: Place) {
        match place {
            Place::List(which) => self.seen(which).present = true,
            Place::Entry(_) => self.entry = Listed::default(),
            _ => {}
        }
        self.open.push(place);
    }

    fn seen(&mut self, which: Which) -> &mut Seen {
        match which {
            Which::Data => &mut self.data,
            Which::Models => &mut self.models,
        }
    }

    fn end_entry(&mut self, which: Which) {
        let entry = std::mem::take(&mut self.entry);
        let seen = self.seen(which);
        seen.things += 1;
        if !entry.id.is_empty() {
            seen.named += 1;
            if seen.entries.len() < MOST_LISTED {
                seen.entries.push(entry);
            }
        }
    }

    fn id(&mut self, id: &str) {
        let id = id.strip_prefix(&self.id_prefix).unwrap_or(id);
        if self.entry.id.is_empty() {
            self.entry.id = clean(id, LONGEST_ID);
        }
    }

    fn price(&mut self, key: Name, text: &[u8]) {
        match key {
            Name::Prompt => self.entry.input_usd_per_million = per_million(text),
            Name::Completion => self.entry.output_usd_per_million = per_million(text),
            Name::Input => self.entry.input_usd_per_million = dollars(text),
            Name::Output => self.entry.output_usd_per_million = dollars(text),
            _ => {}
        }
    }

    fn finish(self) -> Listing {
        let preferred = match self.shape {
            CatalogueShape::Data => [self.data, self.models],
            CatalogueShape::OllamaTags => [self.models, self.data],
        };
        let list = preferred.into_iter().find(|seen| seen.present);
        // An array whose entries have no ids is the answer of something else, such as Gemini's errors.
        let is_catalogue = !self.failed && list.as_ref().is_some_and(|seen| seen.named > 0 || seen.things == 0);
        let list = list.unwrap_or_default();
        Listing { total: list.named, entries: list.entries, is_catalogue }
    }
}

/// Dollars for a million tokens, as they are written.
fn dollars(text: &[u8]) -> Option<f64> {
    let price: f64 = readable(text).parse().ok()?;
    (0.0..=HIGHEST_PRICE).contains(&price).then_some(price + 0.0)
}

#[cfg(test)]
mod tests;
