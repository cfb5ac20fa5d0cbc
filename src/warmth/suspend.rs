//! When warming stops for a while: a model that cannot be kept, and one that nobody uses.
//!
//! Counting only. What is said about it is in `says.rs`; a quota that runs out is the governor's business.

use serde::{Deserialize, Serialize};

use super::seconds::{Moment, Span};

/// So many cold starts in a row near the shortest gap, and the model is unkeepable.
const STREAK: u32 = 5;
/// Up to this gap is near the shortest one, in seconds.
const NEAR_SHORTEST: f64 = 150.0;
/// An unkeepable model is tried again after this long, in seconds: tomorrow.
const TOMORROW: f64 = 86_400.0;
/// A model is given up after so many probes without a user's request (ski rental: about what a cold user costs) …
const PATIENCE: u32 = 50;
/// … or after so many times the probes that usually lie between two uses, if that is more …
const PATIENCE_RATIO: f64 = 8.0;
/// … but never after more than this.
const MOST_PATIENCE: f64 = 300.0;
/// How many uses the usual number of probes between them is learned from, at least.
const LEAST_USES: u32 = 2;
/// What the usual number remembers: about the last so many uses.
const MEMORY: f32 = 20.0;

/// A clock that is this much earlier than a suspension was set back, in seconds.
const ASKED_EARLY: f64 = 3600.0;

/// Why nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Suspension {
    /// The model unloads sooner than it may be probed. It is tried again at `until`.
    Unkeepable { since: Moment, until: Moment },
    /// Nobody uses it. It is warmed again when somebody does.
    Unused,
}

/// Whether a model is kept warm although nobody uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// It is given up after many probes without a user's request, until there is one.
    #[default]
    WhileUsed,
    /// It is kept.
    Always,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Counts {
    /// Cold starts in a row near the shortest gap.
    pub streak: u32,
    /// Probes since a user's request was last seen.
    pub unused: u32,
    /// Uses that had at least one probe before them.
    pub uses: u32,
    /// The usual number of probes between two uses.
    pub between: f32,
    /// When a user's request was last seen.
    pub used_at: Option<Moment>,
    /// Why nothing is sent, if so.
    pub suspension: Option<Suspension>,
}

impl Counts {
    /// Takes in a probe's result. `gap` is the time since the last touch, if it is known.
    pub(super) fn probed(&mut self, at: Moment, gap: Option<Span>, chance_cold: f64) {
        let near = gap.is_some_and(|gap| gap.seconds() <= NEAR_SHORTEST);
        if chance_cold > 0.9 && near {
            self.streak = self.streak.saturating_add(1);
        } else if chance_cold < 0.2 && gap.is_some_and(|gap| gap.seconds() >= 0.8 * super::grid::SHORTEST) {
            self.streak = 0;
        }
        if matches!(self.suspension, Some(Suspension::Unkeepable { .. })) {
            self.suspension = None;
        }
        if self.streak >= STREAK && near {
            let until = at.plus(Span::from_seconds(TOMORROW));
            self.suspension = Some(Suspension::Unkeepable { since: at, until });
        }
    }

    /// Counts a probe, seen or not to be of use, where users' requests would have been seen.
    pub(super) fn unused_probe(&mut self, keep: Keep) {
        self.unused = self.unused.saturating_add(1);
        if keep == Keep::WhileUsed && self.suspension.is_none() && self.unused >= self.patience() {
            self.suspension = Some(Suspension::Unused);
        }
    }

    /// After how many probes without a use the model is given up. One that is used seldom but steadily has earned more
    /// patience than one that nobody knows: a number of probes that would be a surprise of one in 3,000.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 to 300")]
    fn patience(&self) -> u32 {
        if self.uses < LEAST_USES {
            return PATIENCE;
        }
        let usual = PATIENCE_RATIO * f64::from(self.between);
        PATIENCE.max(usual.clamp(0.0, MOST_PATIENCE) as u32)
    }

    /// Takes in a user's request.
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    pub(super) fn used(&mut self, at: Moment) {
        // The requests of one session follow each other without a probe; they are one use.
        if self.unused > 0 {
            self.uses = self.uses.saturating_add(1);
            let share = 1.0 / (self.uses as f32).min(MEMORY);
            self.between += share * (self.unused as f32 - self.between);
        }
        self.unused = 0;
        // What is told late changes nothing; what was far ahead was noted by a clock that has been set back since.
        let late = |before: &Moment| *before > at && before.since(at).seconds() < super::keeper::LATE_TOUCH;
        self.used_at = self.used_at.filter(late).or(Some(at));
        if self.suspension == Some(Suspension::Unused) {
            self.suspension = None;
        }
    }

    /// What keeps warming from going on now. A clock that went back before its beginning ends a suspension.
    pub(super) fn suspended(&self, now: Moment) -> Option<Suspension> {
        match self.suspension {
            // Whoever asks may count from a probe's beginning, so an hour before is still now.
            Some(Suspension::Unkeepable { since, until })
                if now >= until || since.since(now).seconds() > ASKED_EARLY =>
            {
                None
            }
            other => other,
        }
    }
}
