//! Notices LLMs that push each other out: where a server holds one at a time, warming two would only load them in turns.
//!
//! Pure. It rests on what servers say themselves, and on short gaps: after a long one an LLM may have gone by itself.

use std::collections::HashMap;

use crate::target::TargetId;

/// So often each must have been found gone, shortly after the other was warmed.
const TURNS: u32 = 2;

/// What a warm-up found, by the server's own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It was loaded.
    There,
    /// It was not, although it had been warmed a moment before.
    GoneSoon,
    /// It was not, after a longer time.
    GoneLater,
}

/// The warm-ups at one provider.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// The number of each target's last warm-up.
    last: HashMap<TargetId, u64>,
    number: u64,
    /// How often the first was found gone after the second had been warmed.
    gone: HashMap<(TargetId, TargetId), u32>,
}

impl Turns {
    /// Takes in a warm-up. Returns the target with which it pushes each other out, once that is sure.
    pub(super) fn warmed(&mut self, target: &TargetId, found: Found) -> Option<TargetId> {
        let before = self.last.get(target).copied();
        self.number += 1;
        self.last.insert(target.clone(), self.number);
        let before = before?;
        let others = self.last.iter().filter(|(other, number)| *other != target && **number > before);
        let others: Vec<TargetId> = others.map(|(other, _)| other.clone()).collect();
        for other in others {
            let pair = (target.clone(), other);
            match found {
                // They have room beside each other.
                Found::There => drop(self.gone.remove(&pair)),
                Found::GoneLater => {}
                Found::GoneSoon => {
                    let own = self.gone.entry(pair.clone()).or_default();
                    *own += 1;
                    let own = *own;
                    let back = (pair.1.clone(), pair.0.clone());
                    if own >= TURNS && self.gone.get(&back).is_some_and(|count| *count >= TURNS) {
                        self.gone.remove(&pair);
                        self.gone.remove(&back);
                        return Some(pair.1);
                    }
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> [TargetId; 2] {
        ["a", "b"].map(|name| TargetId::new(name).unwrap())
    }

    #[test]
    fn two_that_are_found_gone_in_turns_push_each_other_out() {
        let [a, b] = ids();
        let mut turns = Turns::default();
        let mut said = Vec::new();
        for _ in 0..3 {
            said.extend([turns.warmed(&a, Found::GoneSoon), turns.warmed(&b, Found::GoneSoon)]);
        }
        assert_eq!(said, [None, None, None, None, None, Some(a)], "the first find of each tells nothing");
    }

    #[test]
    fn one_that_unloads_by_itself_pushes_nobody_out() {
        let [a, b] = ids();
        let mut turns = Turns::default();
        for _ in 0..20 {
            assert_eq!(turns.warmed(&a, Found::GoneSoon), None);
            assert_eq!(turns.warmed(&b, Found::There), None);
        }
        for _ in 0..20 {
            assert_eq!(turns.warmed(&a, Found::GoneLater), None);
            assert_eq!(turns.warmed(&b, Found::GoneLater), None);
        }
        let mut alone = Turns::default();
        assert!((0..20).all(|_| alone.warmed(&a, Found::GoneSoon).is_none()));
    }
}
