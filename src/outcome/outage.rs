//! One trouble of a provider told once, instead of forty times.
//!
//! Targets of one provider share its address, its key and its balance. When one of those breaks, the first target that
//! goes down tells it for all, and the first that recovers tells that it is over.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Class, Code, Flip, Seen, Status, Verdict};
use crate::target::{ProviderId, TargetId};

/// Whether all targets of a provider share such a trouble. What may concern one LLM alone is not shared.
#[must_use]
pub fn is_shared(code: Code) -> bool {
    match code {
        Code::PermissionDenied => false,
        Code::WindowSpent => true,
        code => matches!(code.class(), Class::Unreachable | Class::Unauthorized | Class::Payment),
    }
}

/// A change that is worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Of one target.
    Target(Flip),
    /// Of all targets at a provider.
    Provider(ProviderFlip),
}

/// The beginning or the end of a provider's trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFlip {
    /// Whose.
    pub provider: ProviderId,
    /// When.
    pub at: Timestamp,
    /// `Down` at its beginning, `Up` at its end.
    pub to: Status,
    /// The trouble.
    pub code: Code,
    /// The target that showed it.
    pub shown_by: TargetId,
    /// How many targets were seen to suffer from it so far.
    pub targets: usize,
}

/// The trouble of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    provider: ProviderId,
    trouble: Option<Code>,
    /// Targets whose own flip was not told because of it.
    hit: BTreeSet<TargetId>,
}

impl Outage {
    /// Of a provider that is not known to be in trouble.
    #[must_use]
    pub fn new(provider: ProviderId) -> Self {
        Self { provider, trouble: None, hit: BTreeSet::new() }
    }

    /// The trouble that is going on.
    #[must_use]
    pub fn trouble(&self) -> Option<Code> {
        self.trouble
    }

    /// Takes what was seen of one of the provider's targets and the change that followed from it, if any; returns what
    /// is to be told.
    pub fn observe(&mut self, seen: &Seen, flip: Option<Flip>) -> Vec<Notice> {
        let shared = seen.code.filter(|code| seen.verdict == Verdict::Failed && is_shared(*code));
        match flip {
            Some(flip) if flip.to == Status::Down => match shared {
                Some(_) if self.trouble.is_some() => {
                    self.hit.insert(flip.target);
                    Vec::new()
                }
                Some(code) => {
                    self.trouble = Some(code);
                    self.hit.insert(flip.target);
                    vec![Notice::Provider(self.flip(seen, Status::Down, code))]
                }
                None => vec![Notice::Target(flip)],
            },
            Some(flip) if self.hit.contains(&flip.target) => {
                self.hit.remove(&flip.target);
                let mut notices = Vec::new();
                // One that answers shows that it is over; and so it is when nobody suffers from it any more.
                if matches!(flip.to, Status::Up | Status::Degraded) || self.hit.is_empty() {
                    notices.extend(self.over(seen));
                }
                // That it is up was never in doubt for those who read of the provider only.
                if flip.to != Status::Up {
                    notices.push(Notice::Target(flip));
                }
                notices
            }
            Some(flip) => vec![Notice::Target(flip)],
            // It is still down although the provider's trouble is over, or for a reason of its own.
            None if seen.verdict == Verdict::Failed && shared.is_none_or(|_| self.trouble.is_none()) => {
                if !self.hit.remove(&seen.target) {
                    return Vec::new();
                }
                let mut notices = Vec::new();
                if self.hit.is_empty() {
                    notices.extend(self.over(seen));
                }
                notices.push(Notice::Target(Flip {
                    target: seen.target.clone(),
                    at: seen.at,
                    from: Status::Up,
                    to: Status::Down,
                    code: seen.code,
                    run_id: seen.run_id.clone(),
                }));
                notices
            }
            None => Vec::new(),
        }
    }

    /// Takes up what was going on before a restart: a target that was down because of a trouble which all share.
    pub fn resume(&mut self, target: TargetId, code: Code) {
        self.trouble.get_or_insert(code);
        self.hit.insert(target);
    }

    /// The end of the trouble, if there is one.
    fn over(&mut self, seen: &Seen) -> Option<Notice> {
        let code = self.trouble.take()?;
        Some(Notice::Provider(self.flip(seen, Status::Up, code)))
    }

    /// Forgets targets that are no longer there; without any, the trouble is forgotten too.
    pub fn retain(&mut self, there: impl Fn(&TargetId) -> bool) {
        self.hit.retain(|target| there(target));
        if self.hit.is_empty() {
            self.trouble = None;
        }
    }

    fn flip(&self, seen: &Seen, to: Status, code: Code) -> ProviderFlip {
        ProviderFlip {
            provider: self.provider.clone(),
            at: seen.at,
            to,
            code,
            shown_by: seen.target.clone(),
            targets: self.hit.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Damping, RunId, Stage, Standing, Upkeep};
    use crate::target::Depth;
    use std::collections::BTreeMap;

    struct World {
        outage: Outage,
        standings: BTreeMap<String, Standing>,
        second: i64,
    }

    impl World {
        fn new() -> Self {
            let outage = Outage::new(ProviderId::new("synthetic").unwrap());
            Self { outage, standings: BTreeMap::new(), second: 1_790_000_000 }
        }

        /// Probes a target and returns what is told.
        fn probe(&mut self, name: &str, code: Option<Code>) -> Vec<String> {
            self.second += 1;
            let at = Timestamp::from_second(self.second).unwrap();
            let verdict = if code.is_some() { Verdict::Failed } else { Verdict::Ready };
            let stage = if code.is_some() { Stage::Connect } else { Stage::Warm };
            let target = TargetId::new(name).unwrap();
            let seen = Seen { target, at, depth: Depth::Warm, stage, verdict, code, run_id: RunId::new("r") };
            let standing = self.standings.entry(name.to_owned()).or_insert_with(|| Standing::new(at));
            let flip = standing.observe(&seen, Damping::default(), Upkeep::None);
            let notices = self.outage.observe(&seen, flip);
            let told = notices.iter().map(|notice| match notice {
                Notice::Target(flip) => format!("{} {}", flip.target, flip.to),
                Notice::Provider(flip) => format!("provider {} {}", flip.to, flip.code),
            });
            told.collect()
        }

        fn up(&mut self, names: &[&str]) {
            for name in names {
                assert_eq!(self.probe(name, None), [format!("{name} up")]);
            }
        }
    }

    const REFUSED: Option<Code> = Some(Code::ConnectRefused);
    const NOTHING: [&str; 0] = [];

    #[test]
    fn forty_targets_without_a_provider_are_one_notice() {
        let mut world = World::new();
        let names: Vec<String> = (0..40).map(|index| format!("t{index}")).collect();
        world.up(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let mut told = Vec::new();
        for _ in 0..3 {
            for name in &names {
                told.extend(world.probe(name, REFUSED));
            }
        }
        assert_eq!(told, ["provider down connect-refused"]);
        let over: Vec<String> = names.iter().flat_map(|name| world.probe(name, None)).collect();
        assert_eq!(over, ["provider up connect-refused"]);
        assert!(world.standings.values().all(|standing| standing.status() == Status::Up));
    }

    #[test]
    fn an_llm_with_a_trouble_of_its_own_is_told_of() {
        let mut world = World::new();
        world.up(&["a", "b"]);
        assert_eq!(world.probe("a", Some(Code::FirstTokenTimeout)), NOTHING);
        assert_eq!(world.probe("a", Some(Code::FirstTokenTimeout)), ["a down"]);
        assert_eq!(world.outage.trouble(), None);
    }

    #[test]
    fn what_stays_down_after_the_providers_trouble_is_told_of_then() {
        let mut world = World::new();
        world.up(&["a", "b"]);
        for _ in 0..2 {
            world.probe("a", REFUSED);
            world.probe("b", REFUSED);
        }
        assert_eq!(world.probe("a", None), ["provider up connect-refused"]);
        assert_eq!(world.probe("b", Some(Code::ModelNotFound)), ["b down"]);
        assert_eq!(world.probe("b", Some(Code::ModelNotFound)), NOTHING, "once");
        assert_eq!(world.probe("b", None), ["b up"]);
    }

    #[test]
    fn a_trouble_that_becomes_another_is_over_and_can_come_again() {
        let mut world = World::new();
        world.up(&["a"]);
        assert_eq!(world.probe("a", REFUSED), NOTHING);
        assert_eq!(world.probe("a", REFUSED), ["provider down connect-refused"]);
        assert_eq!(world.probe("a", Some(Code::Overloaded)), ["provider up connect-refused", "a down"]);
        assert_eq!(world.probe("a", None), ["a up"]);
        assert_eq!(world.probe("a", REFUSED), NOTHING);
        assert_eq!(world.probe("a", REFUSED), ["provider down connect-refused"]);
    }

    #[test]
    fn a_trouble_from_before_a_restart_ends_once() {
        let mut world = World::new();
        world.up(&["a", "b"]);
        for name in ["a", "b", "a", "b"] {
            world.probe(name, REFUSED);
        }
        world.outage = Outage::new(ProviderId::new("synthetic").unwrap());
        for name in ["a", "b"] {
            world.outage.resume(TargetId::new(name).unwrap(), Code::ConnectRefused);
        }
        assert_eq!(world.probe("a", REFUSED), NOTHING);
        assert_eq!(world.probe("a", None), ["provider up connect-refused"]);
        assert_eq!(world.probe("b", None), NOTHING);
    }

    #[test]
    fn a_target_that_is_gone_does_not_keep_an_outage_alive() {
        let mut world = World::new();
        world.up(&["a"]);
        world.probe("a", REFUSED);
        world.probe("a", REFUSED);
        assert_eq!(world.outage.trouble(), REFUSED);
        world.outage.retain(|_| false);
        assert_eq!(world.outage.trouble(), None);
    }
}
