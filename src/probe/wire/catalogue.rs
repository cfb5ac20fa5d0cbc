//! Looking for one LLM in a provider's list, however large the list is, in little memory.
//!
//! The list is read as it arrives; of its entries only the three nearest ids are kept. What is called `id` or `data`
//! anywhere but in its place does not count.

use super::ScanFault;
use super::json::{Token, TokenScan};
use super::nearest::{Nearest, without_latest};
use super::text::clean;
use crate::target::CatalogueShape;

/// How many reasoning efforts are kept, and how long each may be. Synthetic lists five at most.
const EFFORTS: usize = 16;
const EFFORT: usize = 32;

/// Reads a list of LLMs piece by piece.
#[derive(Debug)]
pub struct CatalogueScan {
    tokens: TokenScan,
    reader: Reader,
}

/// What a catalogue says of the LLM that is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogueFinding {
    /// Whether it is in the list.
    pub listed: bool,
    /// How many the list has.
    pub total: usize,
    /// Ids in the list that are most like the one that is wanted, best first, cleaned, at most three: what differs
    /// only in capitals or in a prefix comes first. Empty where it is listed.
    pub nearest: Vec<String>,
    /// `reasoning_parameters.efforts` of the wanted one (Synthetic).
    pub efforts: Vec<String>,
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
    /// The name of the value that comes next; empty where it is none that matters.
    key: &'static str,
    data: Seen,
    models: Seen,
    failed: bool,
    listed: bool,
    efforts: Vec<String>,
    nearest: Nearest,
    /// Of the entry that is open: whether it has an id, whether that is the wanted one, and its efforts.
    entry_named: bool,
    entry_wanted: bool,
    entry_efforts: Vec<String>,
}

/// The names that matter. All others become an empty one, so that no foreign text is kept.
const NAMES: [&str; 8] = ["data", "models", "id", "name", "model", "key", "reasoning_parameters", "efforts"];

impl Reader {
    fn new(shape: CatalogueShape, wanted: &str, id_prefix: &str) -> Self {
        let wanted = wanted.strip_prefix(id_prefix).unwrap_or(wanted);
        Self {
            shape,
            wanted: wanted.to_owned(),
            id_prefix: id_prefix.to_owned(),
            open: Vec::new(),
            key: "",
            data: Seen::default(),
            models: Seen::default(),
            failed: false,
            listed: false,
            efforts: Vec::new(),
            nearest: Nearest::new(wanted),
            entry_named: false,
            entry_wanted: false,
            entry_efforts: Vec::new(),
        }
    }

    fn read(&mut self, token: Token<'_>) {
        let key = std::mem::take(&mut self.key);
        let inside = self.open.last().copied();
        match token {
            Token::Key("error") if inside == Some(Place::Root) => self.key = "error",
            Token::Key(name) => self.key = NAMES.into_iter().find(|known| *known == name).unwrap_or_default(),
            Token::Object => self.begin(match (inside, key) {
                (None, _) => Place::Root,
                (Some(Place::List(list)), _) => Place::Entry(list),
                (Some(Place::Entry(_)), "reasoning_parameters") => Place::Reasoning,
                _ => Place::Elsewhere,
            }),
            Token::Array => self.begin(match (inside, key) {
                (None, _) | (Some(Place::Root), "data") => Place::List(List::Data),
                (Some(Place::Root), "models") => Place::List(List::Models),
                (Some(Place::Reasoning), "efforts") => Place::Efforts,
                _ => Place::Elsewhere,
            }),
            Token::End => self.end(),
            Token::Text(text) => match (inside, key) {
                (Some(Place::Entry(List::Data)), "id")
                | (Some(Place::Entry(List::Models)), "id" | "name" | "model" | "key") => self.id(text),
                // A list of bare names.
                (Some(Place::List(list)), _) => {
                    self.begin_entry(list);
                    self.id(text);
                    self.end_entry(list);
                }
                (Some(Place::Efforts), _) if self.entry_efforts.len() < EFFORTS => {
                    self.entry_efforts.push(clean(text, EFFORT));
                }
                _ => {}
            },
            // Ollama's list is `null` before the first LLM is pulled.
            Token::Null => match (inside, key) {
                (Some(Place::Root), "data") => self.data.present = true,
                (Some(Place::Root), "models") => self.models.present = true,
                _ => {}
            },
            Token::Number(_) | Token::Truth => {}
        }
        // Whatever an `error` is, `null` apart, the answer is not a catalogue.
        if key == "error" && token != Token::Null {
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
        }
    }

    fn id(&mut self, id: &str) {
        let id = id.strip_prefix(&self.id_prefix).unwrap_or(id);
        if self.is_wanted(id) {
            self.entry_wanted = true;
        } else if !self.entry_named && !self.listed {
            self.nearest.compare(id);
        }
        self.entry_named = true;
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
            efforts: self.efforts,
            // An array whose entries have no ids is the answer of something else, such as Gemini's errors.
            is_catalogue: !self.failed && list.is_some_and(|seen| seen.ids > 0 || seen.entries == 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn scan(shape: CatalogueShape, wanted: &str, prefix: Option<&str>, body: &str) -> CatalogueFinding {
        let mut scan = CatalogueScan::new(shape, wanted, prefix);
        scan.push(body.as_bytes()).unwrap();
        scan.finish().unwrap()
    }

    fn data(wanted: &str, body: &str) -> CatalogueFinding {
        scan(CatalogueShape::Data, wanted, None, body)
    }

    #[test]
    fn an_llm_is_found_with_its_efforts() {
        let body = json!({"object": "list", "data": [
            {"id": "hf:zai-org/GLM-5.2", "reasoning_parameters": {"efforts": ["none", "high"]}, "name": "x"},
            {"reasoning_parameters": {"efforts": ["low", "max"], "efforts_note": "n"}, "id": "hf:moonshotai/Kimi-K3"},
            {"id": "syn:large:text", "reasoning_parameters": null},
        ]})
        .to_string();
        let finding = data("hf:moonshotai/Kimi-K3", &body);
        assert_eq!(
            finding,
            CatalogueFinding {
                listed: true,
                total: 3,
                nearest: vec![],
                efforts: vec!["low".to_owned(), "max".to_owned()],
                is_catalogue: true
            }
        );
        assert!(data("syn:large:text", &body).efforts.is_empty());
    }

    #[test]
    fn every_shape_is_read() {
        for (shape, prefix, wanted, body, total) in [
            (CatalogueShape::Data, None, "a/b", r#"[{"id":"a/b"},{"id":"c"}]"#, 2),
            (CatalogueShape::Data, None, "a", r#"["b", "a"]"#, 2),
            (CatalogueShape::Data, Some("models/"), "gemini-x", r#"{"data":[{"id":"models/gemini-x"}]}"#, 1),
            (CatalogueShape::Data, Some("models/"), "models/gemini-x", r#"{"data":[{"id":"models/gemini-x"}]}"#, 1),
            (CatalogueShape::Data, None, "q", r#"{"models":[{"name":"q","model":"q"}],"data":[{"id":"q"}]}"#, 1),
            (CatalogueShape::Data, None, "lm/x", r#"{"models":[{"display_name":"X","key":"lm/x"}]}"#, 1),
            (CatalogueShape::OllamaTags, None, "llama3", r#"{"models":[{"name":"llama3:latest","model":"m"}]}"#, 1),
            (CatalogueShape::OllamaTags, None, "llama3:latest", r#"{"models":[{"name":"llama3"}]}"#, 1),
            (CatalogueShape::OllamaTags, None, "llama3:8b", r#"{"models":[{"name":"llama3:8b","details":{}}]}"#, 1),
        ] {
            let finding = scan(shape, wanted, prefix, body);
            assert!(finding.listed && finding.is_catalogue, "{body}");
            assert_eq!(finding.total, total, "{body}");
        }
        let finding = scan(CatalogueShape::OllamaTags, "llama3", None, r#"{"models":[{"name":"llama3:8b"}]}"#);
        assert_eq!((finding.listed, finding.nearest), (false, vec!["llama3:8b".to_owned()]));
        assert!(!data("x", r#"{"data":[{"id":"x:latest"}]}"#).listed);
    }

    #[test]
    fn names_out_of_place_do_not_confuse_it() {
        for body in [
            r#"{"data":[{"id":"other","meta":{"id":"wanted"},"data":[{"id":"wanted"}],"tags":["wanted"]}]}"#,
            r#"{"meta":{"data":[{"id":"wanted"}]},"data":[{"name":"wanted","id":"other","owner":"id"}]}"#,
            r#"{"id":"wanted","data":[{"id":"other"},[{"id":"wanted"}]]}"#,
            r#"{"data":[{"id":"other","reasoning_parameters":{"id":"wanted"},"efforts":["wanted"]}],"x":["wanted"]}"#,
        ] {
            let finding = data("wanted", body);
            assert!(!finding.listed && finding.is_catalogue, "{body}");
        }
    }

    #[test]
    fn what_is_no_catalogue_is_said_to_be_none() {
        for (body, is_catalogue) in [
            (r#"{"data":[]}"#, true),
            ("[]", true),
            (r#"{"object":"list","data":null}"#, true),
            (r#"{"models":null}"#, true),
            (r#"{"error":null,"data":[{"id":"a"}]}"#, true),
            (r#"{"error":"no","data":[]}"#, false),
            (r#"{"error":{"message":"no"}}"#, false),
            (r#"[{"error":{"code":400}}]"#, false),
            (r#"{"data":[{"embedding":[0.1]}]}"#, false),
            (r#"{"data":{"id":"a"}}"#, false),
            (r#"{"status":"ok"}"#, false),
            (r#""models""#, false),
            ("1", false),
        ] {
            assert_eq!(data("wanted", body).is_catalogue, is_catalogue, "{body}");
        }
    }

    #[test]
    fn the_usual_mistakes_are_told_first() {
        let body = json!({"data": [
            {"id": "hf:zai-org/GLM-4.5"},
            {"id": "hf:zai-org/GLM-4.6-Flash"},
            {"id": "hf:zai-org/GLM-4.6"},
            {"id": "syn:large:text"},
            {"id": "hf:other/GLM-4.6"},
        ]})
        .to_string();
        for (wanted, first) in [
            ("hf:ZAI-org/glm-4.6", "hf:zai-org/GLM-4.6"),
            ("zai-org/GLM-4.6", "hf:zai-org/GLM-4.6"),
            ("zai-org/glm-4.6", "hf:zai-org/GLM-4.6"),
            ("hf:zai-org/GLM-4.7", "hf:zai-org/GLM-4.5"),
            ("GLM-4.6", "hf:zai-org/GLM-4.6"),
            ("GLM-4.6-Flash", "hf:zai-org/GLM-4.6-Flash"),
        ] {
            let finding = data(wanted, &body);
            assert_eq!(finding.nearest.first().map(String::as_str), Some(first), "{wanted}: {:?}", finding.nearest);
            assert!(finding.nearest.len() <= 3);
        }
        assert!(data("completely-different", &body).nearest.is_empty());
        assert_eq!(data("abc\u{202e}defgi", r#"["abc\u001b[2J\u202edefgh"]"#).nearest, ["abcdefgh"]);
    }

    #[test]
    fn a_huge_list_is_read_in_little_time() {
        let entry = json!({"id": "vendor/model-name-0", "description": "x".repeat(1500)}).to_string();
        let body = format!("{{\"data\":[{}{{\"id\":\"last\"}}]}}", format!("{entry},").repeat(4000));
        let finding = data("last", &body);
        assert!(finding.listed);
        assert_eq!(finding.total, 4001);
    }

    #[test]
    fn a_cut_list_is_a_fault() {
        let mut scan = CatalogueScan::new(CatalogueShape::Data, "a", None);
        scan.push(br#"{"data":[{"id":"a"}"#).unwrap();
        assert_eq!(scan.finish(), Err(ScanFault::NotJson { looks_like_html: false }));
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(
            body in "(\\{\"(data|models|error)\":)?\\[?(\\{?\"(id|name|key)\":\"[ab/]{0,4}\"\\},?){0,4}\\]?\\}?",
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        ) {
            let read = |pieces: &[&[u8]]| {
                let mut scan = CatalogueScan::new(CatalogueShape::OllamaTags, "a/b", Some("b"));
                pieces.iter().try_for_each(|piece| scan.push(piece)).and_then(|()| scan.finish())
            };
            let mut pieces = Vec::new();
            let mut rest = body.as_bytes();
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.index(rest.len() + 1));
                pieces.push(piece);
                rest = after;
            }
            pieces.push(rest);
            prop_assert_eq!(read(&pieces), read(&[body.as_bytes()]));
        }

        #[test]
        fn any_bytes_are_survived(body in prop::collection::vec(any::<u8>(), 0..200), wanted in "(?s).{0,20}") {
            let mut scan = CatalogueScan::new(CatalogueShape::Data, &wanted, None);
            if scan.push(&body).is_ok() {
                let _ = scan.finish();
            }
        }
    }
}
