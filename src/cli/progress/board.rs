//! What the live display says: what each target is doing, how each gate stands, and how much is done. It has no terminal.

use std::fmt::Write as _;
use std::time::Duration;

use crate::outcome::words::{duration, plain, span, wait};
use crate::outcome::{Code, Event, GateNews, GateState, Stage, Verdict, judge};
use crate::target::TargetId;

/// How many targets are shown at most; the rest is counted.
const SHOWN: usize = 12;
/// How many gates are shown at most.
const GATES_SHOWN: usize = 6;
/// The columns of a target's name; a longer one pushes the rest of its line.
const NAME: usize = 16;

/// What is to be shown. Times are measured from the start of the display.
#[derive(Debug)]
pub(super) struct Board {
    total: usize,
    /// For how long is waited, where that is what is done.
    deadline: Option<Duration>,
    finished: usize,
    failed: usize,
    ready: usize,
    /// In the order in which they began, so that the slowest stand on top.
    running: Vec<Running>,
    /// Targets that are asked again later.
    paused: Vec<Paused>,
    gates: Vec<GateNews>,
}

#[derive(Debug)]
struct Running {
    target: TargetId,
    since: Duration,
    stage: Option<Stage>,
    attempt: u32,
}

#[derive(Debug)]
struct Paused {
    target: TargetId,
    code: Code,
    until: Duration,
}

impl Board {
    /// For a pass over so many targets.
    pub(super) fn new(total: usize) -> Self {
        Self {
            total,
            deadline: None,
            finished: 0,
            failed: 0,
            ready: 0,
            running: Vec::new(),
            paused: Vec::new(),
            gates: Vec::new(),
        }
    }

    /// For a wait for so many targets, with so much time.
    pub(super) fn of_a_wait(total: usize, deadline: Duration) -> Self {
        Self { deadline: Some(deadline), ..Self::new(total) }
    }

    /// Takes note of an event.
    pub(super) fn observe(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Started { target, .. } => {
                self.paused.retain(|paused| paused.target != *target);
                // Another attempt of the same probe begins, too.
                if self.find(target).is_none() {
                    self.running.push(Running { target: target.clone(), since: now, stage: None, attempt: 1 });
                }
            }
            Event::Entered { target, stage } => {
                if let Some(running) = self.find(target) {
                    running.stage = Some(*stage);
                }
            }
            Event::Retrying { target, attempt, .. } => {
                if let Some(running) = self.find(target) {
                    running.attempt = *attempt;
                    running.stage = None;
                }
            }
            Event::Finished(outcome) | Event::FinishedAlike(outcome) => {
                self.running.retain(|running| running.target != outcome.target.id);
                self.finished += 1;
                self.failed += usize::from(judge(outcome) == Verdict::Failed);
                self.ready += usize::from(judge(outcome) <= Verdict::Degraded);
            }
            Event::Pausing { target, code, after } => {
                self.paused.push(Paused { target: target.clone(), code: *code, until: now + *after });
            }
            Event::Gate(news) => match self.gates.iter_mut().find(|gate| gate.gate == news.gate) {
                Some(gate) => *gate = news.clone(),
                None => self.gates.push(news.clone()),
            },
            // What is done by hand has neither.
            Event::Told(_) | Event::Service(_) => {}
        }
    }

    fn find(&mut self, target: &TargetId) -> Option<&mut Running> {
        self.running.iter_mut().find(|running| running.target == *target)
    }

    /// The lines, without a line feed at the end.
    pub(super) fn text(&self, now: Duration) -> String {
        let mut text = String::new();
        for running in self.running.iter().take(SHOWN) {
            let stage = running.stage.map_or("", Stage::name);
            let elapsed = duration(now.saturating_sub(running.since));
            // Writing to a String cannot fail.
            let _ = write!(text, "  {:NAME$}  {stage:12}  {elapsed:>7}", running.target);
            if running.attempt > 1 {
                let _ = write!(text, "  attempt {}", running.attempt);
            }
            text.push('\n');
        }
        for paused in self.paused.iter().take(SHOWN.saturating_sub(self.running.len())) {
            let left = wait(paused.until.saturating_sub(now));
            let _ = writeln!(text, "  {:NAME$}  {}, next try in {left}", paused.target, paused.code);
        }
        let more = (self.running.len() + self.paused.len()).saturating_sub(SHOWN);
        if more > 0 {
            let _ = writeln!(text, "  and {more} more");
        }
        for gate in self.gates.iter().take(GATES_SHOWN) {
            let _ = writeln!(text, "{}: {}", plain(&gate.gate), sentence(gate));
        }
        match self.deadline {
            Some(deadline) => self.waited(deadline, now, &mut text),
            None => self.counted(now, &mut text),
        }
        text
    }

    fn counted(&self, now: Duration, text: &mut String) {
        let _ = write!(text, "{}/{}", self.finished, self.total.max(self.finished));
        if self.failed > 0 {
            let _ = write!(text, ", {} failed", self.failed);
        }
        let _ = write!(text, ", {}", duration(now));
    }

    fn waited(&self, deadline: Duration, now: Duration, text: &mut String) {
        let left = span(deadline.saturating_sub(now));
        let _ = write!(text, "{} of {} ready, {}; {left} left", self.ready, self.total, duration(now));
    }
}

fn sentence(gate: &GateNews) -> String {
    let says = plain(&gate.says);
    match gate.state {
        GateState::Open | GateState::Degraded => format!("open, {says}"),
        GateState::Waiting | GateState::Shut | GateState::Late => says,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::report::sample::{ms, ready, refused};
    use crate::target::Depth;

    fn id(name: &str) -> TargetId {
        TargetId::new(name).unwrap()
    }

    fn started(name: &str) -> Event {
        Event::Started { target: id(name), depth: Depth::Warm }
    }

    #[test]
    fn the_board_shows_what_runs() {
        let mut board = Board::new(4);
        for (event, now) in [
            (started("glm"), 0),
            (started("kimi"), 100),
            (started("gone"), 100),
            (Event::Entered { target: id("glm"), stage: Stage::Warm }, 200),
            (Event::Retrying { target: id("kimi"), attempt: 2, code: Code::Overloaded }, 900),
            (Event::Entered { target: id("kimi"), stage: Stage::Connect }, 950),
            (Event::Finished(Arc::new(refused("p", "gone", "m"))), 1_000),
        ] {
            board.observe(&event, ms(now));
        }
        assert_eq!(
            board.text(ms(4_200)),
            "  glm               warm             4.2s\n  \
               kimi              connect          4.1s  attempt 2\n\
             1/4, 1 failed, 4.2s"
        );
    }

    #[test]
    fn at_most_twelve_targets_are_shown() {
        let mut board = Board::new(40);
        for number in 0..40 {
            board.observe(&started(&format!("t{number}")), ms(0));
        }
        let text = board.text(ms(1_000));
        assert_eq!(text.lines().count(), SHOWN + 2);
        assert!(text.ends_with("  and 28 more\n0/40, 1.0s"), "{text}");
    }

    #[test]
    fn events_of_unknown_targets_are_ignored() {
        let mut board = Board::new(0);
        board.observe(&Event::Entered { target: id("x"), stage: Stage::Tls }, ms(0));
        board.observe(&Event::Finished(Arc::new(ready("p", "x", "m"))), ms(1));
        assert_eq!(board.text(ms(2)), "1/1, 2ms");
    }

    #[test]
    fn a_wait_shows_pauses_gates_and_what_is_left() {
        let mut board = Board::of_a_wait(3, Duration::from_secs(600));
        let waits = |says: &str| {
            Event::Gate(GateNews { gate: "review".to_owned(), state: GateState::Waiting, says: says.to_owned() })
        };
        let code = Code::Overloaded;
        for (event, now) in [
            (waits("waits for glm"), 0),
            (started("glm"), 0),
            (started("kimi"), 100),
            (Event::Finished(Arc::new(ready("p", "kimi", "m"))), 500),
            (Event::Finished(Arc::new(refused("p", "glm", "m"))), 1_000),
            (Event::Pausing { target: id("glm"), code, after: ms(4_000) }, 1_000),
            (started("gpt"), 1_000),
            (waits("waits for glm (overloaded at warm), gpt"), 1_000),
        ] {
            board.observe(&event, ms(now));
        }
        assert_eq!(
            board.text(ms(2_500)),
            "  gpt                                1.5s\n  \
               glm               overloaded, next try in 3s\n\
             review: waits for glm (overloaded at warm), gpt\n\
             1 of 3 ready, 2.5s; 9m 57s left"
        );
        board.observe(&started("glm"), ms(5_000));
        assert!(!board.text(ms(5_000)).contains("next try"), "it is being tried");
    }
}
