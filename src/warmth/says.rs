//! What a keeper has come to, as a state and as one sentence. Words only: nothing is decided here.

use std::fmt;

use super::belief::IdleTimeout;
use super::seconds::Span;

/// What a keeper has come to: the data of its sentence. `Display` is the sentence.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Says {
    /// Nothing has been observed.
    New {
        /// When the next warm-up is due after the last touch.
        next: Span,
    },
    /// The idle timeout is not known yet.
    Learning {
        /// Observations so far.
        probes: u32,
        /// The longest gap after which the model was still warm.
        warm_after: Option<Span>,
        /// The shortest gap after which it was cold.
        cold_after: Option<Span>,
        /// When the next warm-up is due after the last touch.
        next: Span,
    },
    /// The idle timeout is known.
    Known {
        /// What it is believed to be.
        timeout: IdleTimeout,
        /// How often the model was found cold.
        unloads: u32,
        /// The gap that is kept.
        every: Span,
        /// The mean cold start.
        cold_start: Span,
    },
    /// The idle timeout is known, and it was another one until lately.
    Changed {
        /// What it was, in seconds.
        was: f64,
        /// What it is now.
        timeout: IdleTimeout,
        /// The gap that is kept.
        every: Span,
    },
    /// The model stays loaded as long as we ever wait.
    NeverUnloads {
        /// The longest gap after which it was still warm.
        up_to: Span,
    },
    /// It is unloaded at random, too often for any gap to help.
    RandomEvictions {
        /// One in about so long.
        one_per: Span,
        /// The share of the time in which it is expected to be cold.
        cold_share: f64,
        /// The gap that is kept.
        every: Span,
    },
    /// It unloads sooner than it may be probed.
    Unkeepable,
    /// Nobody uses it.
    Asleep {
        /// How long ago it was used last, if ever.
        unused_for: Option<Span>,
    },
}

impl Says {
    /// The state as one word: `new`, `learning`, `known`, `changed`, `never-unloads`, `random-evictions`, `unkeepable`,
    /// `asleep`.
    #[must_use]
    pub const fn state(&self) -> &'static str {
        match self {
            Self::New { .. } => "new",
            Self::Learning { .. } => "learning",
            Self::Known { .. } => "known",
            Self::Changed { .. } => "changed",
            Self::NeverUnloads { .. } => "never-unloads",
            Self::RandomEvictions { .. } => "random-evictions",
            Self::Unkeepable => "unkeepable",
            Self::Asleep { .. } => "asleep",
        }
    }
}

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New { next } => write!(f, "nothing observed yet; next in {}", Fine(*next)),
            Self::Learning { probes, warm_after, cold_after, next } => {
                let plural = if *probes == 1 { "" } else { "s" };
                write!(f, "learning ({probes} probe{plural}): ")?;
                match (warm_after, cold_after) {
                    (Some(warm), Some(cold)) => {
                        write!(f, "warm after {}, cold after {}", Coarse(*warm), Coarse(*cold))?
                    }
                    (Some(warm), None) => write!(f, "warm after {}, not yet seen cold", Coarse(*warm))?,
                    (None, Some(cold)) => write!(f, "cold after {}, not yet seen warm", Coarse(*cold))?,
                    (None, None) => write!(f, "neither seen warm nor cold")?,
                }
                write!(f, "; next in {}", Coarse(*next))
            }
            Self::Known { timeout, unloads, every, cold_start } => {
                let plural = if *unloads == 1 { "" } else { "s" };
                write!(
                    f,
                    "idle timeout ~{} ({}), {unloads} unload{plural} seen; warming every {}; cold start ~{}",
                    coarse(timeout.mode),
                    Range(timeout.low, timeout.high),
                    Fine(*every),
                    Fine(*cold_start)
                )
            }
            Self::Changed { was, timeout, every } => write!(
                f,
                "timeout changed: was {}, now ~{} ({}); warming every {}",
                coarse(*was),
                coarse(timeout.mode),
                Range(timeout.low, timeout.high),
                Fine(*every)
            ),
            Self::NeverUnloads { up_to } => write!(f, "no unload seen up to {}", Coarse(*up_to)),
            Self::RandomEvictions { one_per, cold_share, every } => write!(
                f,
                "random evictions, about one per {}: cannot stay under 1 % (expected {:.0} %); warming every {}",
                Coarse(*one_per),
                (cold_share * 100.0).max(1.0),
                Fine(*every)
            ),
            Self::Unkeepable => write!(f, "unloads within 2m: warming cannot keep it"),
            Self::Asleep { unused_for: Some(unused) } => write!(f, "asleep: no use for {}", Coarse(*unused)),
            Self::Asleep { unused_for: None } => write!(f, "asleep: never seen in use"),
        }
    }
}

/// A time to the minute, to ten seconds below ten minutes, to the hour above a day: `14m`, `8m20s`, `1h15m`, `3d2h`.
#[derive(Debug, Clone, Copy)]
pub struct Coarse(pub Span);

/// A time to five seconds below an hour: `14m30s`, `28s`, `1h15m`.
#[derive(Debug, Clone, Copy)]
pub struct Fine(pub Span);

/// Two times as a range: `13–17m`, `8m20s–9m`, `50m–1h10m`.
struct Range(f64, f64);

fn coarse(seconds: f64) -> Coarse {
    Coarse(Span::from_seconds(seconds))
}

fn rounded(span: Span, step: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a span is at most ten years")]
    let whole = ((span.seconds() / step).round() * step) as u64;
    whole
}

/// Writes whole seconds with at most two units.
fn write_seconds(f: &mut fmt::Formatter<'_>, seconds: u64) -> fmt::Result {
    let (large, small, rest, unit) = match seconds {
        0..60 => return write!(f, "{seconds}s"),
        60..3600 => ("m", "s", seconds % 60, 60),
        3600..86_400 => ("h", "m", seconds % 3600 / 60, 3600),
        _ => ("d", "h", seconds % 86_400 / 3600, 86_400),
    };
    write!(f, "{}{large}", seconds / unit)?;
    if rest > 0 { write!(f, "{rest}{small}") } else { Ok(()) }
}

impl fmt::Display for Coarse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.0.seconds() {
            second if second < 60.0 => 1.0,
            second if second < 590.0 => 10.0,
            second if second < 86_400.0 => 60.0,
            _ => 3600.0,
        };
        write_seconds(f, rounded(self.0, step))
    }
}

impl fmt::Display for Fine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.0.seconds() {
            second if second < 60.0 => 1.0,
            second if second < 3600.0 => 5.0,
            _ => 60.0,
        };
        write_seconds(f, rounded(self.0, step))
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = (coarse(self.0).to_string(), coarse(self.1).to_string());
        let minutes = |text: &str| text.ends_with('m') && !text.contains('h');
        match low.strip_suffix('m') {
            Some(number) if minutes(&low) && minutes(&high) => write!(f, "{number}–{high}"),
            _ => write!(f, "{low}–{high}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(seconds: f64) -> Span {
        Span::from_seconds(seconds)
    }

    #[test]
    fn the_sentences() {
        let timeout = IdleTimeout { low: 780.0, mode: 910.0, high: 1020.0 };
        let says = [
            Says::New { next: span(170.0) },
            Says::Learning { probes: 7, warm_after: Some(span(840.0)), cold_after: None, next: span(900.0) },
            Says::Learning { probes: 1, warm_after: None, cold_after: Some(span(500.0)), next: span(150.0) },
            Says::Known { timeout, unloads: 3, every: span(870.0), cold_start: span(28.2) },
            Says::Changed {
                was: 900.0,
                timeout: IdleTimeout { low: 380.0, mode: 420.0, high: 450.0 },
                every: span(401.0),
            },
            Says::NeverUnloads { up_to: span(14_400.0) },
            Says::RandomEvictions { one_per: span(4500.0), cold_share: 0.06, every: span(600.0) },
            Says::Unkeepable,
            Says::Asleep { unused_for: Some(span(200_000.0)) },
            Says::Asleep { unused_for: None },
        ];
        let told: Vec<String> = says.iter().map(|says| format!("{}: {says}", says.state())).collect();
        let expected = [
            "new: nothing observed yet; next in 2m50s",
            "learning: learning (7 probes): warm after 14m, not yet seen cold; next in 15m",
            "learning: learning (1 probe): cold after 8m20s, not yet seen warm; next in 2m30s",
            "known: idle timeout ~15m (13–17m), 3 unloads seen; warming every 14m30s; cold start ~28s",
            "changed: timeout changed: was 15m, now ~7m (6m20s–7m30s); warming every 6m40s",
            "never-unloads: no unload seen up to 4h",
            "random-evictions: random evictions, about one per 1h15m: cannot stay under 1 % (expected 6 %); warming every 10m",
            "unkeepable: unloads within 2m: warming cannot keep it",
            "asleep: asleep: no use for 2d8h",
            "asleep: asleep: never seen in use",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_time_has_at_most_two_units() {
        let times = [(0.0, "0s"), (595.0, "10m"), (3599.0, "1h"), (86_399.0, "1d"), (3.0e8, "3472d5h")];
        for (seconds, text) in times {
            assert_eq!(coarse(seconds).to_string(), text);
        }
    }
}
