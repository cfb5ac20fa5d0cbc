//! Notices LLMs that push each other out: where a server holds one at a time, warming two would only load them in turns.
//!
//! Pure. It rests on what servers say themselves, and on short gaps: after a long one an LLM may have gone by itself. One
//! that goes by itself after a minute looks the same beside another, so that is ruled out first: it must have been seen to
//! stay as long while nobody warmed the other. Where two are always warmed in turns, one is left alone for a while to see.
//! Times are those of the policy, in seconds.

use std::collections::HashMap;

use crate::target::TargetId;

/// So often each must have been found gone, shortly after the other was warmed.
const TURNS: u32 = 2;
/// The other was warmed this much later than this one's last touch, at least, to be the reason.
const CLEARLY: f64 = 5.0;
/// A gap that is this part of another is as long.
const AS_LONG: f64 = 0.9;

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

/// One warm-up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Find {
    /// What it found.
    pub found: Found,
    /// When it began.
    pub began: f64,
    /// When it ended, which is when it touched the LLM: a load is in between.
    pub at: f64,
    /// How long after the last touch of any kind it began, where that is known.
    pub gap: Option<f64>,
    /// How long the server keeps the LLM after a touch, by its own word.
    pub stays: Option<f64>,
}

/// What follows for two of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They may push each other out, or each goes by itself: leaving the other alone for a while will show.
    Suspected(TargetId),
    /// They push each other out.
    Sure(TargetId),
}

/// How often one was found gone after another had been warmed.
#[derive(Debug, Clone, Copy, Default)]
struct Gone {
    times: u32,
    /// The longest gap of those.
    gap: f64,
    tried: bool,
}

/// The last warm-up of a target.
#[derive(Debug, Clone, Copy)]
struct Last {
    number: u64,
    at: f64,
}

/// The warm-ups at one provider.
#[derive(Debug, Default)]
pub(super) struct Turns {
    last: HashMap<TargetId, Last>,
    number: u64,
    /// The longest gap after which each was still there, although nobody else was warmed in between.
    stayed: HashMap<TargetId, f64>,
    /// The first was found gone after the second had been warmed.
    gone: HashMap<(TargetId, TargetId), Gone>,
}

impl Turns {
    /// Takes in a warm-up. What follows, where it is news.
    pub(super) fn warmed(&mut self, target: &TargetId, find: Find) -> Option<Verdict> {
        self.number += 1;
        let before = self.last.insert(target.clone(), Last { number: self.number, at: find.at });
        if let Some(stays) = find.stays {
            let known = self.stayed.entry(target.clone()).or_default();
            *known = known.max(stays);
        }
        let (before, gap) = (before?, find.gap?);
        let touched = find.began - gap;
        let since: Vec<(&TargetId, &Last)> =
            self.last.iter().filter(|(other, last)| *other != target && last.number > before.number).collect();
        let between: Vec<TargetId> =
            since.iter().filter(|(_, last)| last.at >= touched + CLEARLY).map(|(other, _)| (*other).clone()).collect();
        let alone = since.is_empty();
        match find.found {
            Found::There => {
                // They have room beside each other.
                self.gone.retain(|(one, other), _| one != target || !between.contains(other));
                if alone {
                    let known = self.stayed.entry(target.clone()).or_default();
                    *known = known.max(gap);
                }
            }
            Found::GoneLater => return None,
            // Nobody was there who could have pushed it out.
            Found::GoneSoon if alone => {
                self.stayed.remove(target);
                self.gone.retain(|(one, _), _| one != target);
            }
            Found::GoneSoon => {
                for other in between {
                    let gone = self.gone.entry((target.clone(), other)).or_default();
                    gone.times += 1;
                    gone.gap = gone.gap.max(gap);
                }
            }
        }
        self.judge(target)
    }

    fn judge(&mut self, target: &TargetId) -> Option<Verdict> {
        let back = |other: &TargetId| (other.clone(), target.clone());
        let often = |gone: &Gone| gone.times >= TURNS;
        let others = self.gone.iter().filter(|((one, _), gone)| one == target && often(gone));
        let mut rivals = others.map(|((_, other), _)| other.clone());
        let rival = rivals.find(|other| self.gone.get(&back(other)).is_some_and(often))?;
        let pairs = [(target.clone(), rival.clone()), back(&rival)];
        let stays = |pair: &(TargetId, TargetId)| {
            let (stayed, gone) = (self.stayed.get(&pair.0), self.gone.get(pair));
            stayed.zip(gone).is_some_and(|(stayed, gone)| *stayed >= AS_LONG * gone.gap)
        };
        if pairs.iter().any(stays) {
            self.gone.retain(|pair, _| !pairs.contains(pair));
            return Some(Verdict::Sure(rival));
        }
        let mut news = false;
        for pair in &pairs {
            news |= self.gone.get_mut(pair).is_some_and(|gone| !std::mem::replace(&mut gone.tried, true));
        }
        news.then_some(Verdict::Suspected(rival))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> [TargetId; 2] {
        ["a", "b"].map(|name| TargetId::new(name).unwrap())
    }

    fn find(found: Found, at: f64, gap: f64) -> Find {
        Find { found, began: at, at, gap: Some(gap), stays: None }
    }

    /// Warms both every two minutes, one a minute after the other; each is found so.
    fn in_turns(turns: &mut Turns, from: f64, rounds: u32, stays: Option<f64>) -> Vec<Verdict> {
        let [a, b] = ids();
        let mut said = Vec::new();
        for round in 0..rounds {
            for (id, late) in [(&a, 0.0), (&b, 60.0)] {
                let find = find(Found::GoneSoon, from + 120.0 * f64::from(round) + late, 120.0);
                said.extend(turns.warmed(id, Find { stays, ..find }));
            }
        }
        said
    }

    #[test]
    fn two_that_would_stay_by_the_servers_word_and_are_gone_in_turns_push_each_other_out() {
        let [a, _] = ids();
        assert_eq!(in_turns(&mut Turns::default(), 0.0, 3, Some(300.0)), [Verdict::Sure(a)]);
    }

    #[test]
    fn two_of_which_nothing_is_known_are_tried_one_at_a_time() {
        let [a, b] = ids();
        let mut turns = Turns::default();
        assert_eq!(in_turns(&mut turns, 0.0, 6, None), [Verdict::Suspected(a.clone())]);
        // The other is left alone meanwhile: the first find is still its doing, the second is not.
        assert_eq!(turns.warmed(&a, find(Found::GoneSoon, 900.0, 120.0)), None);
        assert_eq!(turns.warmed(&a, find(Found::There, 1020.0, 120.0)), Some(Verdict::Sure(b)));
    }

    #[test]
    fn two_that_go_by_themselves_after_a_minute_push_nobody_out() {
        let [a, b] = ids();
        let mut turns = Turns::default();
        assert_eq!(in_turns(&mut turns, 0.0, 3, None).len(), 1, "one is tried");
        assert_eq!(turns.warmed(&a, find(Found::GoneSoon, 900.0, 120.0)), None);
        for round in 0..20 {
            let at = 1020.0 + 120.0 * f64::from(round);
            assert_eq!(turns.warmed(&a, find(Found::GoneSoon, at, 120.0)), None, "nobody else was there");
        }
        // It stays for a minute, and that is no reason to think that it would for two.
        assert_eq!(turns.warmed(&a, find(Found::There, 3480.0, 60.0)), None);
        let sure = |verdict: &Verdict| matches!(verdict, Verdict::Sure(_));
        assert!(!in_turns(&mut turns, 3600.0, 6, None).iter().any(sure));
        assert_eq!(turns.warmed(&b, find(Found::GoneLater, 9000.0, 900.0)), None);
    }

    #[test]
    fn what_was_warmed_at_the_same_moment_is_no_reason() {
        let [a, b] = ids();
        let mut turns = Turns::default();
        for round in 0..20 {
            let at = 120.0 * f64::from(round);
            // A user's request touched it just after the other was warmed.
            let both = [(&a, at, 120.0), (&b, at + 1.0, 121.0)];
            for (id, at, gap) in both {
                let find = Find { stays: Some(300.0), ..find(Found::GoneSoon, at, gap - 3.0) };
                assert_eq!(turns.warmed(id, find), None, "round {round}");
            }
        }
    }

    #[test]
    fn two_that_load_for_a_minute_one_after_the_other_push_each_other_out() {
        let [a, b] = ids();
        let mut turns = Turns::default();
        let mut said = Vec::new();
        // Both are due at the same moment; the second waits until the first has loaded.
        for round in 0..4 {
            let due = 240.0 * f64::from(round);
            for (id, began, gap) in [(&a, due, 180.0), (&b, due + 60.0, 180.0)] {
                let find = Find { found: Found::GoneSoon, began, at: began + 60.0, gap: Some(gap), stays: Some(300.0) };
                said.extend(turns.warmed(id, find));
            }
        }
        assert_eq!(said, [Verdict::Sure(a)]);
    }

    #[test]
    fn one_that_is_there_beside_the_other_ends_the_suspicion() {
        let [a, b] = ids();
        let mut turns = Turns::default();
        for round in 0..20 {
            let at = 120.0 * f64::from(round);
            assert_eq!(turns.warmed(&a, find(Found::GoneSoon, at, 120.0)), None);
            assert_eq!(turns.warmed(&b, find(Found::There, at + 60.0, 120.0)), None);
        }
    }
}
