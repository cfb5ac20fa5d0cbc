//! What is shown of a belief: its distribution, and what each observation was taken for. Read-only; nothing is decided
//! here.

use super::grid::GRID;
use super::keeper::{Keeper, Settings};
use super::likelihood::{SURELY_COLD, SURELY_WARM};
use super::observation::Observation;
use super::seconds::Span;

/// What an observation was taken for when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Believed {
    /// The model was loaded.
    Warm,
    /// It had to load.
    Cold,
    /// Either is possible.
    Unclear,
    /// It taught nothing: a wait that was given up too early.
    Nothing,
}

impl Believed {
    /// The word: `warm`, `cold`, `unclear`, `nothing`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::Cold => "cold",
            Self::Unclear => "unclear",
            Self::Nothing => "nothing",
        }
    }
}

/// An observation, and what it was taken for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// What was seen.
    pub observation: Observation,
    /// The chance that the model was cold, 0 to 1, as it was believed then; `None` where it taught nothing.
    pub chance_cold: Option<f64>,
}

impl Judged {
    /// What it was taken for.
    #[must_use]
    pub fn believed(&self) -> Believed {
        match self.chance_cold {
            None => Believed::Nothing,
            Some(chance) if chance > SURELY_COLD => Believed::Cold,
            Some(chance) if chance < SURELY_WARM => Believed::Warm,
            Some(_) => Believed::Unclear,
        }
    }

    /// Goes through a history, the oldest first, and says what each was taken for in the light of those before it.
    #[must_use]
    pub fn all(settings: Settings, history: &[Observation]) -> Vec<Self> {
        let mut keeper = Keeper::new(settings);
        let judge = |observation: &Observation| {
            let before = keeper.facts.observations;
            keeper.observe(observation);
            let taught = keeper.facts.observations > before;
            let chance_cold = taught.then(|| f64::from(keeper.facts.chance_cold));
            Self { observation: *observation, chance_cold }
        };
        history.iter().map(judge).collect()
    }
}

impl Keeper {
    /// The finite idle timeouts that are thought of, the shortest first, each with its probability. With
    /// [`Answer::never`](super::Answer::never) they add up to 1.
    pub fn marginal(&self) -> impl Iterator<Item = (Span, f64)> {
        let (finite, _) = self.belief.timeouts();
        GRID.timeouts.into_iter().map(Span::from_seconds).zip(finite)
    }

    /// The expected rate of random evictions, in evictions a second.
    #[must_use]
    pub fn eviction_rate(&self) -> f64 {
        self.belief.eviction_rate()
    }

    /// How many observations it rests on. It remembers what it learned from more than are recorded.
    #[must_use]
    pub fn observations(&self) -> u32 {
        self.facts.observations
    }

    /// In how many of them the model was found cold.
    #[must_use]
    pub fn unloads(&self) -> u32 {
        self.facts.unloads
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Hours, Moment, Reply, Sight};
    use super::*;

    fn observation(at: f64, gap: f64, reply: Reply) -> Observation {
        let (at, gap) = (Moment::from_seconds(at), Some(Span::from_seconds(gap)));
        Observation { at, gap, slack: Span::ZERO, reply, sight: Sight::Seen, hours: Hours::Inside }
    }

    #[test]
    fn the_marginal_is_a_distribution_from_two_minutes_to_twelve_hours() {
        let keeper = Keeper::new(Settings::default());
        let marginal: Vec<(Span, f64)> = keeper.marginal().collect();
        let sum: f64 = marginal.iter().map(|(_, weight)| weight).sum();
        let never = keeper.answer(Moment::default()).never;
        assert!((sum + never - 1.0).abs() < 1e-4, "{sum} {never}");
        assert_eq!(marginal[0].0, Span::from_seconds(120.0));
        assert!(marginal.is_sorted_by(|one, other| one.0 < other.0));
    }

    #[test]
    fn each_observation_is_taken_for_what_it_was() {
        let took = |seconds| Reply::FirstToken(Span::from_seconds(seconds));
        let history = [
            observation(0.0, 300.0, took(0.4)),
            observation(400.0, 400.0, took(0.4)),
            observation(800.0, 400.0, Reply::TimedOut(Span::from_seconds(5.0))),
            observation(9000.0, 8200.0, Reply::Loading(Span::from_seconds(30.0))),
        ];
        let judged = Judged::all(Settings::default(), &history);
        let words: Vec<&str> = judged.iter().map(|judged| judged.believed().name()).collect();
        assert_eq!(words, ["warm", "warm", "nothing", "cold"]);
        let kept = Keeper::rebuild(Settings::default(), &history);
        assert_eq!((kept.observations(), kept.unloads()), (3, 1));
        assert!(kept.eviction_rate() > 0.0);
    }
}
