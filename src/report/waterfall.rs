//! A picture of one probe: a line for each phase, with a bar where it lay in time.

use std::time::Duration;

use super::Marks;
use super::look::{Look, Role};
use crate::outcome::words::duration;
use crate::outcome::{Outcome, Stage};

/// The columns of a phase's name and of its time, and the space around them.
const NAME: usize = 11;
const TIME: usize = 7;
const BEFORE: usize = 2;
const GAPS: usize = 4;
/// A bar has at least and at most so many columns.
const NARROWEST: usize = 12;
const WIDEST: usize = 60;

/// A slice of time of one probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Phase {
    pub(super) name: &'static str,
    /// From the beginning of the attempt.
    pub(super) start: Duration,
    pub(super) duration: Duration,
}

/// The phases of the last attempt, in order. What was not reached, or not needed, is absent.
pub(super) fn phases(outcome: &Outcome) -> Vec<Phase> {
    let mut phases = Vec::new();
    for passed in &outcome.stages {
        let name = match passed.stage {
            Stage::Credential => continue,
            Stage::Resolve => "dns",
            Stage::Connect => "tcp",
            Stage::Tls => "tls",
            Stage::Authenticate => "key check",
            Stage::Locate => "catalogue",
            // The leave to send it was waited for, and not given.
            Stage::Warm if outcome.withheld.is_some() => continue,
            Stage::Warm => {
                phases.extend(warming(outcome, passed.start, passed.duration));
                continue;
            }
        };
        phases.push(Phase { name, start: passed.start, duration: passed.duration });
    }
    phases
}

/// The phases of the warm-up, which are counted from its last request: that ends with the stage.
fn warming(outcome: &Outcome, start: Duration, whole: Duration) -> Vec<Phase> {
    let timings = &outcome.timings;
    // Without a token the last head that came may have been another request's.
    let Some(last) = timings.last_token.or(timings.first_token).filter(|last| *last <= whole) else {
        return vec![Phase { name: "warm-up", start, duration: whole }];
    };
    let end = start + whole;
    let sent = match timings.last_token {
        Some(_) => end.saturating_sub(last),
        // It broke off; what is known is when it began.
        None => start,
    };
    let mut phases = Vec::new();
    let mut from = Duration::ZERO;
    let marks =
        [("headers", timings.headers), ("first token", timings.first_token), ("last token", timings.last_token)];
    for (name, at) in marks {
        let Some(at) = at.filter(|at| *at >= from) else { continue };
        phases.push(Phase { name, start: sent + from, duration: at - from });
        from = at;
    }
    if timings.last_token.is_none() && sent + from < end {
        phases.push(Phase { name: "waited", start: sent + from, duration: end - sent - from });
    }
    phases
}

/// The picture, a line for each phase. Empty where there are none.
pub(super) fn picture(phases: &[Phase], look: &Look) -> Vec<String> {
    let Some(end) = phases.iter().map(|phase| phase.start + phase.duration).max() else { return Vec::new() };
    let cells = look.width.saturating_sub(BEFORE + NAME + TIME + GAPS).clamp(NARROWEST, WIDEST);
    phases
        .iter()
        .map(|phase| {
            let name = look.paint(Role::Label, &format!("{:<NAME$}", phase.name));
            let bar = bar(phase, end, cells, look.marks);
            format!("{:BEFORE$}{name}  {:>TIME$}  {bar}", "", duration(phase.duration))
        })
        .collect()
}

/// Space up to the beginning, then the bar. A phase is never shown as nothing.
fn bar(phase: &Phase, end: Duration, cells: usize, marks: Marks) -> String {
    let full = match marks {
        Marks::Unicode => "█",
        Marks::Ascii => "#",
    };
    let from = cell(phase.start, end, cells).min(cells.saturating_sub(1));
    let to = cell(phase.start + phase.duration, end, cells).clamp(from + 1, cells.max(from + 1));
    format!("{}{}", " ".repeat(from), full.repeat(to - from))
}

/// The cell at which a moment lies.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few columns"
)]
fn cell(moment: Duration, end: Duration, cells: usize) -> usize {
    let part = moment.as_secs_f64() / end.as_secs_f64().max(f64::MIN_POSITIVE);
    (part * cells as f64).round().clamp(0.0, cells as f64) as usize
}

#[cfg(test)]
mod tests {
    use super::super::sample::{look, ms, ready};
    use super::*;
    use crate::outcome::StageTime;

    fn stage(stage: Stage, start: u64, duration: u64) -> StageTime {
        StageTime { stage, start: ms(start), duration: ms(duration) }
    }

    fn outcome() -> Outcome {
        let mut outcome = ready("p", "t", "m");
        outcome.stages = vec![
            stage(Stage::Credential, 0, 0),
            stage(Stage::Resolve, 0, 10),
            stage(Stage::Connect, 10, 20),
            stage(Stage::Tls, 30, 40),
            stage(Stage::Authenticate, 70, 30),
            stage(Stage::Locate, 100, 50),
            stage(Stage::Warm, 150, 450),
        ];
        outcome
    }

    #[test]
    fn phases_follow_one_another() {
        let phases = phases(&outcome());
        let told: Vec<_> =
            phases.iter().map(|phase| (phase.name, phase.start.as_millis(), phase.duration.as_millis())).collect();
        assert_eq!(
            told,
            [
                ("dns", 0, 10),
                ("tcp", 10, 20),
                ("tls", 30, 40),
                ("key check", 70, 30),
                ("catalogue", 100, 50),
                // The stage ends with the last token, 420 ms after the request; what was before that is not the request's.
                ("headers", 180, 210),
                ("first token", 390, 140),
                ("last token", 530, 70),
            ]
        );
    }

    #[test]
    fn the_picture_is_aligned_and_nothing_is_shown_as_nothing() {
        let phases = phases(&outcome());
        let lines = picture(&phases, &look(54));
        assert_eq!(
            lines,
            [
                "  dns             10ms  █",
                "  tcp             20ms   █",
                "  tls             40ms    ██",
                "  key check       30ms      █",
                "  catalogue       50ms       ███",
                "  headers        210ms           ███████████",
                "  first token    140ms                      ███████",
                "  last token      70ms                             ███",
            ]
        );
        let ascii = picture(&phases, &Look { marks: Marks::Ascii, ..look(40) });
        assert!(ascii.iter().all(|line| line.len() <= 40 && line.contains('#') && line.is_ascii()), "{ascii:#?}");
    }

    #[test]
    fn one_that_broke_off_shows_how_long_it_was_waited_for() {
        let mut outcome = outcome();
        outcome.timings.last_token = None;
        let told = |outcome: &Outcome| -> Vec<_> {
            phases(outcome).iter().skip(5).map(|phase| (phase.name, phase.duration.as_millis())).collect()
        };
        assert_eq!(told(&outcome), [("headers", 210), ("first token", 140), ("waited", 100)]);
        // The head that is known is that of the catalogue.
        outcome.timings.first_token = None;
        assert_eq!(told(&outcome), [("warm-up", 450)]);
        // What was withheld was not waited for.
        outcome.withheld = Some(crate::outcome::Withholding::Floor);
        assert_eq!(told(&outcome), []);
        outcome.stages.clear();
        assert!(picture(&phases(&outcome), &look(80)).is_empty());
    }
}
