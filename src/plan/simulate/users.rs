//! Simulated users of one LLM: sessions that begin at random while they are there, and now and then when they are not;
//! in each a request, and as many more as chance will have, each a little after the answer to the one before.

use super::super::due::{NANOSECONDS, Spans};
use super::chance::Chance;
use super::llm::milliseconds;

/// How many more requests a session has than one, on average.
const MORE: f64 = 7.0;
/// How much rarer sessions are while users are away.
const AWAY: f64 = 0.03;
/// Between an answer and the next request, on average.
const THINK_S: f64 = 30.0;

/// When a session begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hours {
    /// While users are there.
    Usual,
    /// While they are away, and nothing is kept warm for them.
    Odd,
}

/// The users of one LLM. Times are Unix milliseconds.
#[derive(Debug)]
pub(super) struct Users {
    /// Seconds between the beginnings of two sessions, while they are there. `None`: nobody comes.
    apart_s: Option<f64>,
    spans: Spans,
    /// The window that is looked at.
    span: usize,
    at: i64,
    until: i64,
    sessions: Chance,
    thinking: Chance,
}

impl Users {
    pub(super) fn new(
        requests_per_hour: f64,
        spans: &Spans,
        (from, until): (i64, i64),
        seed: u64,
        number: u64,
    ) -> Self {
        let sessions_per_hour = requests_per_hour / (MORE + 1.0);
        Self {
            apart_s: (sessions_per_hour > 0.0).then(|| 3600.0 / sessions_per_hour),
            spans: spans.clone(),
            span: 0,
            at: from,
            until,
            sessions: Chance::new(seed, 1, number),
            thinking: Chance::new(seed, 2, number),
        }
    }

    /// When the next session begins, how many requests follow its first, and whether users are expected then. `None` where
    /// none begins any more.
    pub(super) fn next_session(&mut self) -> Option<(i64, u32, Hours)> {
        let apart = self.apart_s?;
        loop {
            self.at = self.at.saturating_add(milliseconds(self.sessions.exponential(apart)));
            if self.at >= self.until {
                return None;
            }
            // Drawn whether it is used or not, so that the world is the same for other windows.
            let chance = self.sessions.fraction();
            let hours = if self.are_there() { Hours::Usual } else { Hours::Odd };
            if hours == Hours::Usual || chance <= AWAY {
                return Some((self.at, self.sessions.geometric(MORE), hours));
            }
        }
    }

    /// How long after an answer the next request comes, in milliseconds.
    pub(super) fn think(&mut self) -> i64 {
        milliseconds(self.thinking.exponential(THINK_S))
    }

    fn are_there(&mut self) -> bool {
        let now = self.at.saturating_mul(NANOSECONDS / 1000);
        while self.spans.get(self.span).is_some_and(|(_, close)| *close <= now) {
            self.span += 1;
        }
        self.spans.get(self.span).is_some_and(|(open, _)| *open <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_come_as_often_as_is_stated() {
        let hour = 3_600_000;
        let spans: Spans = [(0, 1000 * hour * 1_000_000)].into();
        let mut users = Users::new(16.0, &spans, (0, 2000 * hour), 1, 1);
        let (mut there, mut away) = (0_u32, 0_u32);
        while let Some((at, more, _)) = users.next_session() {
            *(if at < 1000 * hour { &mut there } else { &mut away }) += more + 1;
        }
        assert!((15_000..17_000).contains(&there) && (300..700).contains(&away), "{there} {away}");
        assert_eq!(Users::new(0.0, &spans, (0, hour), 1, 1).next_session(), None);
    }
}
