//! Names for what is imported: valid, short, and each once.

use std::collections::BTreeSet;

use crate::config::is_variable_name;
use crate::config::mask::looks_like_a_key;

/// Longest name that is made, in characters. A name may have 100, and a number may follow.
const LONGEST: usize = 60;

/// The names that are taken.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// A name like the wish that nobody has yet. It is taken from then on.
    pub(super) fn take(&mut self, wish: &str) -> String {
        let wish = name_of(wish);
        let mut name = wish.clone();
        let mut number = 2_usize;
        while !self.0.insert(name.clone()) {
            name = format!("{wish}-{number}");
            number += 1;
        }
        name
    }
}

/// The name of a target after its LLM's id: what stands after the last slash, in small letters. `hf:zai-org/GLM-4.6` is
/// `glm-4.6`, `qwen3:8b` is `qwen3-8b`.
pub(super) fn after_the_id(id: &str) -> String {
    let last = id.rsplit('/').find(|part| part.contains(|c: char| c.is_ascii_alphanumeric())).unwrap_or(id);
    last.to_ascii_lowercase()
}

/// Whether a text names the variable of a key and is not the key itself: those of some providers would pass for a name.
#[must_use]
pub fn is_key_variable(text: &str) -> bool {
    let mixed = text.contains(|c: char| c.is_ascii_lowercase()) && text.contains(|c: char| c.is_ascii_digit());
    is_variable_name(text) && !looks_like_a_key(text) && !(text.len() > 20 && mixed)
}

/// A text as a name: what a name may not have becomes a hyphen, and never two in a row.
fn name_of(text: &str) -> String {
    let mut name = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || matches!(character, '.' | '_') {
            name.push(character);
        } else if !name.ends_with('-') {
            name.push('-');
        }
        if name.len() >= LONGEST {
            break;
        }
    }
    match name.trim_matches(['-', '.', '_']) {
        "" => "llm".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::target::TargetId;

    #[test]
    fn a_name_says_which_llm_it_is() {
        for (id, name) in [
            ("hf:zai-org/GLM-4.6", "glm-4.6"),
            ("accounts/fireworks/models/kimi-k2", "kimi-k2"),
            ("qwen3:8b", "qwen3-8b"),
            ("syn:large:text", "syn-large-text"),
            ("模型", "llm"),
            ("a/", "a"),
            ("--x--", "x"),
        ] {
            assert_eq!(Names::default().take(&after_the_id(id)), name, "{id}");
        }
    }

    proptest! {
        #[test]
        fn every_name_is_valid_and_there_once(ids in proptest::collection::vec("\\PC{0,80}", 1..20)) {
            let mut names = Names::default();
            let mut seen = BTreeSet::new();
            for id in ids {
                let name = names.take(&after_the_id(&id));
                prop_assert!(TargetId::new(&name).is_ok(), "{}", name);
                prop_assert!(seen.insert(name));
            }
        }
    }
}
