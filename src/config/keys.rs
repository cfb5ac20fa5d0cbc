//! The language in which the keys of probes.yaml are declared.
//!
//! `table.rs` is one table in this language. The check for unknown and missing keys, the JSON Schema and the reference
//! in the documentation are all made from that table, so that they cannot disagree.

use super::values::Problem;

/// A mapping with fixed keys.
pub(super) struct Section {
    /// Its name in the JSON Schema and the reference: `target`.
    pub(super) name: &'static str,
    /// What to call one in a sentence: "a target".
    pub(super) noun: &'static str,
    /// What it is for, in one line.
    pub(super) doc: &'static str,
    pub(super) keys: &'static [Key],
}

/// One key.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) need: Need,
    /// What it says, in one line.
    pub(super) doc: &'static str,
    /// A value, as one would write it.
    pub(super) example: &'static str,
    /// What holds where it is not written, in words.
    pub(super) default: &'static str,
    /// Other names that people try, which are unknown but known to mean this.
    pub(super) also: &'static [&'static str],
}

/// Whether a key has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}

/// What a value can be.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A single value of some form.
    Scalar(&'static Scalar),
    /// A whole number.
    Number { min: u64, max: u64 },
    /// `true` or `false`.
    Boolean,
    /// One of some words.
    Word(&'static (dyn Words + Sync)),
    /// A list.
    List(&'static Kind),
    /// One, or a list of them.
    OneOrMore(&'static Scalar),
    /// A mapping whose keys are the user's names.
    Map { key: &'static Scalar, value: &'static Kind },
    /// A mapping with fixed keys.
    Section(&'static Section),
    /// A word (`none`, `auto`), or something else.
    OrWord(&'static str, &'static Kind),
    /// A mapping with fixed keys, or a single value.
    SectionOrScalar(&'static Section, &'static Scalar),
}

/// The form of a single value.
pub(super) struct Scalar {
    /// What to call one: "a duration".
    pub(super) noun: &'static str,
    /// Says what is wrong with a text.
    pub(super) check: fn(&str) -> Result<(), Problem>,
    /// The same in a regular expression, as far as one can say it, for editors.
    pub(super) pattern: Option<&'static str>,
    /// Which JSON types an editor should accept.
    pub(super) json: Json,
}

/// The JSON types of a scalar. A plain YAML scalar such as `1.10` is a number to an editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Json {
    Text,
    TextOrNumber,
    One,
}

/// A choice of words, whatever they stand for.
pub(super) trait Words {
    /// The word at an index, with its meaning.
    fn word(&self, index: usize) -> Option<(&'static str, &'static str)>;
}

impl dyn Words + Sync {
    /// Every word with its meaning.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
        (0..).map_while(|index| self.word(index))
    }
}

/// A choice of words and what each stands for.
pub(super) struct Choices<T: 'static>(pub(super) &'static [Choice<T>]);

/// One of the words.
pub(super) struct Choice<T> {
    pub(super) word: &'static str,
    pub(super) doc: &'static str,
    pub(super) value: T,
}

impl<T> Words for Choices<T> {
    fn word(&self, index: usize) -> Option<(&'static str, &'static str)> {
        self.0.get(index).map(|choice| (choice.word, choice.doc))
    }
}

impl<T: Copy + PartialEq> Choices<T> {
    /// What a word stands for.
    pub(super) fn value(&self, word: &str) -> Option<T> {
        self.0.iter().find(|choice| choice.word == word).map(|choice| choice.value)
    }

    /// The word for something.
    pub(super) fn word_for(&self, value: T) -> &'static str {
        self.0.iter().find(|choice| choice.value == value).map_or("", |choice| choice.word)
    }
}

impl Section {
    /// The key of a name.
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl Key {
    /// An optional key.
    pub(super) const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name, kind, need: Need::Optional, doc, example: "", default: "", also: &[] }
    }

    /// Makes it required.
    pub(super) const fn required(mut self) -> Self {
        self.need = Need::Required;
        self
    }

    /// Gives an example.
    pub(super) const fn example(mut self, example: &'static str) -> Self {
        self.example = example;
        self
    }

    /// Says what holds where it is not written.
    pub(super) const fn default(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    /// Names that mean this one.
    pub(super) const fn also(mut self, also: &'static [&'static str]) -> Self {
        self.also = also;
        self
    }
}

impl Kind {
    /// What to call a value of this kind: "a list of names".
    pub(super) fn noun(&self) -> String {
        match self {
            Self::Scalar(scalar) => scalar.noun.to_owned(),
            Self::Number { .. } => "a number".to_owned(),
            Self::Boolean => "`true` or `false`".to_owned(),
            Self::Word(words) => {
                let words: Vec<String> = words.all().map(|(word, _)| format!("`{word}`")).collect();
                words.join(", ")
            }
            Self::List(item) => format!("a list, each {}", item.noun()),
            Self::OneOrMore(scalar) => format!("{}, or a list of them", scalar.noun),
            Self::Map { key, .. } => format!("a mapping, each key {}", key.noun),
            Self::Section(section) => format!("a mapping ({})", section.names()),
            Self::OrWord(word, other) => format!("`{word}`, or {}", other.noun()),
            Self::SectionOrScalar(section, scalar) => {
                format!("{}, or a mapping ({})", scalar.noun, section.names())
            }
        }
    }
}

impl Section {
    /// Its keys in one line.
    pub(super) fn names(&self) -> String {
        let names: Vec<&str> = self.keys.iter().map(|key| key.name).collect();
        names.join(", ")
    }
}

/// The known name that a mistyped one most resembles, if any does.
#[must_use]
pub fn nearest<'k>(wrong: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let folded = fold(wrong);
    let length = folded.chars().count();
    known
        .into_iter()
        .filter_map(|name| {
            let known = fold(name);
            let most = known.chars().count().max(3) / 3;
            // Names of very different lengths need no comparison, which takes time by the product of the lengths.
            if known.chars().count().abs_diff(length) > most {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&folded, &known);
            (distance <= most).then_some((distance, name))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Case, hyphens and underscores are the commonest slips, and count for nothing. Long texts are cut.
fn fold(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).take(100).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let known = ["model", "provider", "first_token", "tags"];
        for (wrong, near) in [
            ("modle", Some("model")),
            ("Model", Some("model")),
            ("firstToken", Some("first_token")),
            ("first-token", Some("first_token")),
            ("tag", Some("tags")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, known), near, "{wrong}");
        }
    }
}
