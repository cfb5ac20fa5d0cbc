//! Looking for one LLM in a provider's list, however large the list is, in little memory.
//!
//! The list is read as it arrives; of its entries only ids are kept, and of these no more than `nearest` needs. What is
//! called `id` or `data` anywhere but in its place does not count.

use super::ScanFault;
use super::json::{Token, TokenScan, readable};
use super::nearest::{Nearest, without_latest};
use super::text::clean;
use crate::outcome::ListPrice;
use crate::target::CatalogueShape;

/// How many reasoning efforts are kept, and how long each may be. Synthetic lists five at most.
const EFFORTS: usize = 16;
const EFFORT: usize = 32;
/// How many of the first ids are kept, and how long each may be, in characters.
const FIRST: usize = 5;
const LONGEST_SHOWN: usize = 120;
/// No price needs more bytes.
const LONGEST_PRICE: usize = 32;
/// Dollars for a million tokens: more is a unit that was misread, or nonsense.
pub(super) const HIGHEST_PRICE: f64 = 10_000.0;

/// Reads a list of LLMs piece by piece.
#[derive(Debug)]
pub struct CatalogueScan {
    tokens: TokenScan,
    reader: Reader,
}

/// What a catalogue says of the LLM that is wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CatalogueFinding {
    /// Whether it is in the list.
    pub listed: bool,
    /// How many the list has.
    pub total: usize,
    /// Ids in the list that are most like the one that is wanted, best first, cleaned, at most three: what differs
    /// only in capitals or in a prefix comes first. Empty where it is listed.
    pub nearest: Vec<String>,
    /// The first ids of the list, cleaned, at most five.
    pub first: Vec<String>,
    /// `reasoning_parameters.efforts` of the wanted one (Synthetic).
    pub efforts: Vec<String>,
    /// `pricing` of the wanted one, where it has both prices (OpenRouter, Synthetic).
    pub list_price: Option<ListPrice>,
    /// Whether the JSON is a catalogue at all, and not an error or something else.
    pub is_catalogue: bool,
}

impl CatalogueScan {
    /// A scan for `wanted`. `id_prefix` is what the list puts before every id (`models/` at Gemini); it may or may not
    /// stand before `wanted` too.
    #[must_use]
    pub fn new(shape: CatalogueShape, wanted: &str, id_prefix: Option<&str>) -> Self {
        Self { tokens: TokenScan::new(), reader: Reader::new(shape, wanted, id_prefix.unwrap_or_default()) }
    }

    /// Reads the next piece, which may be cut anywhere. After a fault every call is that fault.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ScanFault> {
        self.tokens.push(bytes, &mut |token| self.reader.read(token))
    }

    /// The end of the answer.
    pub fn finish(mut self) -> Result<CatalogueFinding, ScanFault> {
        self.tokens.finish(&mut |token| self.reader.read(token))?;
        Ok(self.reader.finish())
    }
}

/// What a container is, by where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The outermost object.
    Root,
    /// The list of entries.
    List(List),
    /// One entry.
    Entry(List),
    /// `reasoning_parameters` of an entry.
    Reasoning,
    /// `efforts` in there.
    Efforts,
    /// `pricing` of an entry.
    Pricing,
    /// Anything else.
    Elsewhere,
}

/// Which of the lists that an answer can have. llama.cpp sends both, with the same LLMs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    /// `data`, or the outermost array.
    Data,
    /// `models`.
    Models,
}

/// What was seen of one list.
#[derive(Debug, Default)]
struct Seen {
    present: bool,
    entries: usize,
    ids: usize,
}

#[derive(Debug)]
struct Reader {
    shape: CatalogueShape,
    wanted: String,
    id_prefix: String,
    /// The containers that are open. `TokenScan` bounds their number.
    open: Vec<Place>,
    /// The name of the value that comes next.
    key: Name,
    data: Seen,
    models: Seen,
    failed: bool,
    listed: bool,
    efforts: Vec<String>,
    list_price: Option<ListPrice>,
    nearest: Nearest,
    first: Vec<String>,
    /// Of the entry that is open: whether it has an id, whether that is the wanted one, its efforts, and its prices for
    /// a million tokens of prompt and completion.
    entry_named: bool,
    entry_wanted: bool,
    entry_efforts: Vec<String>,
    entry_prices: [Option<f64>; 2],
}

/// The names that matter. All others are the same to us.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Name {
    Data,
    Models,
    Id,
    /// Of an LLM in a list of `models`: `name`, `model` or `key`.
    OtherId,
    ReasoningParameters,
    Efforts,
    Pricing,
    Prompt,
    Completion,
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
            b"reasoning_parameters" => Self::ReasoningParameters,
            b"efforts" => Self::Efforts,
            b"pricing" => Self::Pricing,
            b"prompt" => Self::Prompt,
            b"completion" => Self::Completion,
            b"error" => Self::Error,
            _ => Self::Other,
        }
    }
}

impl Reader {
    fn new(shape: CatalogueShape, wanted: &str, id_prefix: &str) -> Self {
        let wanted = wanted.strip_prefix(id_prefix).unwrap_or(wanted);
        Self {
            shape,
            wanted: wanted.to_owned(),
            id_prefix: id_prefix.to_owned(),
            open: Vec::new(),
            key: Name::Other,
            data: Seen::default(),
            models: Seen::default(),
            failed: false,
            listed: false,
            efforts: Vec::new(),
            list_price: None,
            nearest: Nearest::new(wanted),
            first: Vec::new(),
            entry_named: false,
            entry_wanted: false,
            entry_efforts: Vec::new(),
            entry_prices: [None; 2],
        }
    }

    fn read(&mut self, token: Token<'_>) {
        let key = std::mem::take(&mut self.key);
        let inside = self.open.last().copied();
        match token {
            Token::Key(name) => self.key = Name::of(name),
            Token::Object => self.begin(match (inside, key) {
                (None, _) => Place::Root,
                (Some(Place::List(list)), _) => Place::Entry(list),
                (Some(Place::Entry(_)), Name::ReasoningParameters) => Place::Reasoning,
                (Some(Place::Entry(_)), Name::Pricing) => Place::Pricing,
                _ => Place::Elsewhere,
            }),
            Token::Array => self.begin(match (inside, key) {
                (None, _) | (Some(Place::Root), Name::Data) => Place::List(List::Data),
                (Some(Place::Root), Name::Models) => Place::List(List::Models),
                (Some(Place::Reasoning), Name::Efforts) => Place::Efforts,
                _ => Place::Elsewhere,
            }),
            Token::End => self.end(),
            Token::Text(text) => match (inside, key) {
                (Some(Place::Entry(List::Data)), Name::Id)
                | (Some(Place::Entry(List::Models)), Name::Id | Name::OtherId) => self.id(readable(text)),
                // A list of bare names.
                (Some(Place::List(list)), _) => {
                    self.begin_entry(list);
                    self.id(readable(text));
                    self.end_entry(list);
                }
                (Some(Place::Efforts), _) if self.entry_efforts.len() < EFFORTS => {
                    self.entry_efforts.push(clean(readable(text), EFFORT));
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
            Token::Number(text) if inside == Some(Place::Pricing) => self.price(key, text),
            Token::Number(_) | Token::Truth => {}
        }
        // Whatever an `error` is, `null` apart, the answer is not a catalogue.
        if key == Name::Error && inside == Some(Place::Root) && token != Token::Null {
            self.failed = true;
        }
    }

    fn begin(&mut self, place: Place) {
        match place {
            Place::List(list) => self.seen(list).present = true,
            Place::Entry(list) => self.begin_entry(list),
            _ => {}
        }
        self.open.push(place);
    }

    fn end(&mut self) {
        if let Some(Place::Entry(list)) = self.open.pop() {
            self.end_entry(list);
        }
    }

    fn seen(&mut self, list: List) -> &mut Seen {
        match list {
            List::Data => &mut self.data,
            List::Models => &mut self.models,
        }
    }

    fn begin_entry(&mut self, list: List) {
        self.seen(list).entries += 1;
        self.entry_named = false;
        self.entry_wanted = false;
        self.entry_efforts.clear();
        self.entry_prices = [None; 2];
    }

    fn end_entry(&mut self, list: List) {
        if self.entry_named {
            self.seen(list).ids += 1;
        }
        if self.entry_wanted {
            self.listed = true;
            if self.efforts.is_empty() {
                self.efforts = std::mem::take(&mut self.entry_efforts);
            }
            if let (None, [Some(input), Some(output)]) = (self.list_price, self.entry_prices) {
                self.list_price = Some(ListPrice { input_usd_per_million: input, output_usd_per_million: output });
            }
        }
    }

    fn id(&mut self, id: &str) {
        let id = id.strip_prefix(&self.id_prefix).unwrap_or(id);
        if self.first.len() < FIRST && !self.entry_named {
            self.first.push(clean(id, LONGEST_SHOWN));
        }
        if self.is_wanted(id) {
            self.entry_wanted = true;
        } else if !self.entry_named && !self.listed {
            self.nearest.note(id);
        }
        self.entry_named = true;
    }

    fn price(&mut self, key: Name, text: &[u8]) {
        let [input, output] = &mut self.entry_prices;
        match key {
            Name::Prompt => *input = per_million(text),
            Name::Completion => *output = per_million(text),
            _ => {}
        }
    }

    fn is_wanted(&self, id: &str) -> bool {
        // Ollama takes a name without a tag for the one with `:latest`.
        let bare = |name| match self.shape {
            CatalogueShape::OllamaTags => without_latest(name),
            CatalogueShape::Data => name,
        };
        bare(id) == bare(&self.wanted)
    }

    fn finish(self) -> CatalogueFinding {
        let preferred = match self.shape {
            CatalogueShape::Data => [&self.data, &self.models],
            CatalogueShape::OllamaTags => [&self.models, &self.data],
        };
        let list = preferred.into_iter().find(|seen| seen.present);
        let nearest = if self.listed { Vec::new() } else { self.nearest.ids() };
        CatalogueFinding {
            listed: self.listed,
            total: list.map_or(0, |seen| seen.ids),
            nearest,
            first: self.first,
            efforts: self.efforts,
            list_price: self.list_price,
            // An array whose entries have no ids is the answer of something else, such as Gemini's errors.
            is_catalogue: !self.failed && list.is_some_and(|seen| seen.ids > 0 || seen.entries == 0),
        }
    }
}

/// Dollars for a million tokens, from dollars for one: `"0.00000055"`, `"$0.00000055"`, `5.5e-7`. OpenRouter's are for one
/// token; Synthetic's look the same, and if they were for a million they would be beyond belief. OpenRouter's `-1` is a
/// price that depends on the request.
pub(super) fn per_million(text: &[u8]) -> Option<f64> {
    if text.len() > LONGEST_PRICE {
        return None;
    }
    let text = readable(text).trim();
    let dollars: f64 = text.strip_prefix('$').unwrap_or(text).parse().ok()?;
    // To a millionth of a dollar: the rest is the noise of binary fractions.
    let price = (dollars * 1e12).round() / 1e6 + 0.0;
    (0.0..=HIGHEST_PRICE).contains(&price).then_some(price)
}

#[cfg(test)]
mod tests;
