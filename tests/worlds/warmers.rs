//! Who decides when to warm up: the keeper under test, fixed crons, AIMD, and two oracles.

use pilotlight::warmth::{Again, Hours, Keep, Keeper, Moment, Observation, Reply, Settings, Sight, Span};

/// What can be seen of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    Seen,
    Shared,
    Blind,
}

/// What a probe found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Probed {
    /// When it ended.
    pub(crate) at: f64,
    /// Since the last touch that the prober knows of.
    pub(crate) gap: Option<f64>,
    pub(crate) slack: f64,
    pub(crate) first_token: f64,
    pub(crate) sight: Sight,
    pub(crate) inside: bool,
    /// The idle timeout at the time, for those who know it.
    pub(crate) timeout: f64,
}

/// When the next warm-up is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Wish {
    /// So long after the last known touch.
    After(f64),
    /// At a certain time.
    At(f64),
    /// Not before somebody uses the model.
    Asleep,
}

/// One who decides.
pub(crate) trait Warmer {
    fn view(&self) -> View {
        View::Blind
    }
    fn wish(&self, now: f64) -> Wish;
    fn lead(&self) -> f64 {
        60.0
    }
    fn probed(&mut self, _: &Probed) {}
    fn used(&mut self, _at: f64, _slack: f64) {}
    /// The last word on the target.
    fn state(&self, _now: f64) -> &'static str {
        ""
    }
}

/// The policy under test.
pub(crate) struct Learned {
    pub(crate) keeper: Keeper,
    pub(crate) view: View,
    first_contact: FirstContact,
}

/// What follows the first warm-up, where the policy would like a second at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstContact {
    /// The next one by its gap: the least that a caller can do.
    One,
    /// The second, as the daemon does.
    Two,
}

impl Learned {
    pub(crate) fn new(view: View) -> Self {
        Self::contacting(view, FirstContact::One)
    }

    pub(crate) fn contacting(view: View, first_contact: FirstContact) -> Self {
        Self { keeper: Keeper::new(Settings { keep: Keep::WhileUsed, ..Settings::default() }), view, first_contact }
    }
}

impl Warmer for Learned {
    fn view(&self) -> View {
        self.view
    }

    fn wish(&self, now: f64) -> Wish {
        let answer = self.keeper.answer(Moment::from_seconds(now));
        match (answer.next_gap, answer.resume_at) {
            // As the daemon does.
            (Some(_), _) if self.first_contact == FirstContact::Two && answer.again == Again::AtOnce => {
                Wish::After(0.0)
            }
            (Some(gap), _) => Wish::After(gap.seconds()),
            (None, Some(resume)) => Wish::At(resume.seconds()),
            (None, None) => Wish::Asleep,
        }
    }

    fn lead(&self) -> f64 {
        self.keeper.answer(Moment::from_seconds(0.0)).lead.seconds()
    }

    fn probed(&mut self, probed: &Probed) {
        self.keeper.observe(&Observation {
            at: Moment::from_seconds(probed.at),
            gap: probed.gap.map(Span::from_seconds),
            slack: Span::from_seconds(probed.slack),
            reply: Reply::FirstToken(Span::from_seconds(probed.first_token)),
            sight: probed.sight,
            hours: if probed.inside { Hours::Inside } else { Hours::Outside },
        });
    }

    fn used(&mut self, at: f64, slack: f64) {
        self.keeper.touch(Moment::from_seconds(at), Span::from_seconds(slack));
    }

    fn state(&self, now: f64) -> &'static str {
        self.keeper.answer(Moment::from_seconds(now)).says.state()
    }
}

/// A probe every so many seconds by the clock.
pub(crate) struct Cron(pub(crate) f64);

impl Warmer for Cron {
    fn wish(&self, now: f64) -> Wish {
        Wish::At(((now / self.0).floor() + 1.0) * self.0)
    }
}

/// A minute longer after a warm reply, half as long after a cold one.
pub(crate) struct Aimd(pub(crate) f64);

impl Warmer for Aimd {
    fn view(&self) -> View {
        View::Seen
    }

    fn wish(&self, _: f64) -> Wish {
        Wish::After(self.0)
    }

    fn probed(&mut self, probed: &Probed) {
        let gap = if probed.first_token > 2.5 { self.0 / 2.0 } else { self.0 + 60.0 };
        self.0 = gap.clamp(120.0, 14_400.0);
    }
}

/// Knows the idle timeout; sees users or not.
pub(crate) struct Oracle {
    pub(crate) timeout: f64,
    pub(crate) view: View,
}

impl Warmer for Oracle {
    fn view(&self) -> View {
        self.view
    }

    fn wish(&self, _: f64) -> Wish {
        // A second before it goes. Four hours are the longest for everybody.
        Wish::After((self.timeout - 1.0).clamp(60.0, 14_400.0))
    }

    fn lead(&self) -> f64 {
        240.0_f64.min(0.9 * self.timeout)
    }

    fn probed(&mut self, probed: &Probed) {
        self.timeout = probed.timeout;
    }
}
