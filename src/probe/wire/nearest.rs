//! The ids of a list that are most like the one that is wanted: for the person who misspelt it, or whose LLM was
//! retired for its next version.

use strsim::normalized_levenshtein;

use super::text::clean;

/// How many near ids are told.
const NEAREST: usize = 3;
/// How similar an id must be to be worth telling; 1 is the same. `glm-4.6` and `glm-5.2` have 0.7.
const SIMILAR: f64 = 0.6;
/// Ids longer than this, in bytes, are not compared: comparing costs their length times that of the wanted one.
const LONGEST_COMPARED: usize = 256;
/// Ids after so many are not compared. OpenRouter lists about 400.
const MOST_COMPARED: usize = 10_000;
/// How many bytes of ids are kept before they are compared. It is enough for OpenRouter's list, so that nothing is
/// compared where the wanted id comes in the end: comparing would cost more than reading the list.
const KEPT: usize = 32 * 1024;
/// Longest id that is told, in characters.
const TOLD: usize = 120;

/// Keeps the nearest of the ids that it is shown. It compares them as late as it can.
#[derive(Debug)]
pub(super) struct Nearest {
    /// The wanted id in lower case.
    wanted: String,
    /// Ids that wait to be compared, one after the other, and the length of each.
    kept: String,
    lengths: Vec<u16>,
    /// Best first.
    near: Vec<Near>,
    shown: usize,
}

#[derive(Debug)]
struct Near {
    id: String,
    score: f64,
}

impl Nearest {
    pub(super) fn new(wanted: &str) -> Self {
        Self { wanted: wanted.to_lowercase(), kept: String::new(), lengths: Vec::new(), near: Vec::new(), shown: 0 }
    }

    /// Shows it an id of the list.
    pub(super) fn note(&mut self, id: &str) {
        let bounded = id.len() <= LONGEST_COMPARED && self.wanted.len() <= LONGEST_COMPARED;
        let Ok(length) = u16::try_from(id.len()) else { return };
        if self.shown == MOST_COMPARED || id.is_empty() || !bounded {
            return;
        }
        self.shown += 1;
        self.kept.push_str(id);
        self.lengths.push(length);
        if self.kept.len() > KEPT {
            self.compare_kept();
        }
    }

    fn compare_kept(&mut self) {
        let (kept, lengths) = (std::mem::take(&mut self.kept), std::mem::take(&mut self.lengths));
        let mut rest = kept.as_str();
        for length in lengths {
            let Some((id, after)) = rest.split_at_checked(length.into()) else { return };
            self.compare(id);
            rest = after;
        }
    }

    fn compare(&mut self, id: &str) {
        let score = self.likeness(id);
        let place = self.near.partition_point(|near| near.score >= score);
        if score < SIMILAR || place >= NEAREST {
            return;
        }
        let id = clean(id, TOLD);
        if !self.near.iter().any(|near| near.id == id) {
            self.near.insert(place, Near { id, score });
            self.near.truncate(NEAREST);
        }
    }

    /// The nearest, best first, cleaned.
    pub(super) fn ids(mut self) -> Vec<String> {
        self.compare_kept();
        self.near.into_iter().map(|near| near.id).collect()
    }

    /// How like an id is to the wanted one. The mistakes that people make score above any that chance makes: wrong
    /// capitals, a missing `hf:` or owner, a missing tag.
    fn likeness(&self, id: &str) -> f64 {
        let (wanted, id) = (self.wanted.as_str(), id.to_lowercase());
        let id = id.as_str();
        let without_prefix = |id: &str| without_latest(strip_scheme(id)).to_owned();
        let tail = |id: &str| without_prefix(id).rsplit('/').next().unwrap_or_default().to_owned();
        if wanted == id {
            4.0
        } else if without_prefix(wanted) == without_prefix(id) {
            3.0
        } else if tail(wanted) == tail(id) {
            2.0
        } else if id.len() >= 4 && wanted.len() >= 4 && (id.contains(wanted) || wanted.contains(id)) {
            // Of ids that hold the whole other one, the one that adds least.
            1.0 + normalized_levenshtein(wanted, id)
        } else {
            normalized_levenshtein(wanted, id)
        }
    }
}

/// The id without what names its kind: Synthetic's `hf:`, Gemini's `models/`.
fn strip_scheme(id: &str) -> &str {
    ["hf:", "models/"].iter().find_map(|scheme| id.strip_prefix(scheme)).unwrap_or(id)
}

/// An Ollama name without the tag that it has when none is given.
pub(super) fn without_latest(name: &str) -> &str {
    name.strip_suffix(":latest").unwrap_or(name)
}
