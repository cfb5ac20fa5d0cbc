//! What is going on, live, on a terminal: a line per running target and one that counts. It is gone when the run ends,
//! so that the table stands alone; a pipe never sees any of it, and nor does a terminal when a run is over at once.
//!
//! A reader of the event stream like the log. It decides nothing, and the run does not wait for it.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::workflow;
use crate::outcome::words::duration;
use crate::outcome::{Event, Stage, Verdict, judge};
use crate::target::TargetId;

/// A run that is over within this time shows nothing: what flashes by cannot be read.
const QUIET: Duration = Duration::from_millis(300);
/// How often elapsed times move on.
const TICK: Duration = Duration::from_millis(100);
/// How many targets are shown at most; the rest is counted.
const SHOWN: usize = 12;
/// The columns of a target's name; a longer one pushes the rest of its line.
const NAME: usize = 16;

/// The display that is on, for whoever else writes to standard error. A process has one terminal, so it has one of these.
static ON: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// The live display. It ends with [`Progress::finish`], or when it is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    /// Absent where nobody could see it.
    live: Option<Mutex<Live>>,
}

/// The part that costs something.
#[derive(Debug)]
struct Live {
    /// Taken when it ends, which is what tells the painter to stop.
    events: Option<Sender<Event>>,
    painter: Option<JoinHandle<()>>,
}

impl Progress {
    /// Shows the progress of `total` targets on standard error; where that is no terminal it shows nothing and costs
    /// nothing.
    pub(super) fn on_stderr(total: usize) -> Self {
        if io::stderr().is_terminal() {
            Self::start(total, ProgressDrawTarget::stderr(), QUIET)
        } else {
            Self { live: None }
        }
    }

    fn start(total: usize, terminal: ProgressDrawTarget, quiet: Duration) -> Self {
        let (sender, events) = channel();
        // A thread, so that times move on while the run's own thread waits for the network.
        let painter = Builder::new().name("progress".to_owned()).spawn(move || paint(&events, terminal, total, quiet));
        // Without a thread there is no display, and the run goes on.
        let live = painter.ok().map(|painter| Live { events: Some(sender), painter: Some(painter) });
        Self { live: live.map(Mutex::new) }
    }

    /// Takes note of an event.
    pub(super) fn observe(&self, event: &Event) {
        let Some(live) = &self.live else { return };
        if let Some(events) = &lock(live).events {
            // The painter is gone only when the display is over.
            let _ = events.send(event.clone());
        }
    }

    /// Ends the display and clears the terminal. What is written after this stands alone.
    pub(super) fn finish(&self) {
        let Some(live) = &self.live else { return };
        let mut live = lock(live);
        drop(live.events.take());
        if let Some(painter) = live.painter.take() {
            // Clearing is its last act. Had it panicked, there would be nothing better to do.
            let _ = painter.join();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

/// What a panic elsewhere left behind is as good as it was: nothing here is changed in two steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Standard error for the log: a display that is on steps aside for each write, so that neither garbles the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct BesideProgress;

impl Write for BesideProgress {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if workflow::is_one() {
            // A line of the log comes as one piece.
            io::stderr().write_all(&workflow::disarmed(bytes))?;
            return Ok(bytes.len());
        }
        match &*lock(&ON) {
            Some(bar) => bar.suspend(|| io::stderr().write(bytes)),
            None => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Draws until the events end, then clears.
fn paint(events: &Receiver<Event>, terminal: ProgressDrawTarget, total: usize, quiet: Duration) {
    // Hidden until `quiet` has passed; meanwhile it is the stopwatch.
    let bar = ProgressBar::hidden();
    let mut board = Board::new(total);
    let mut terminal = Some(terminal);
    loop {
        match events.recv_timeout(TICK) {
            Ok(event) => {
                board.observe(&event, bar.elapsed());
                for event in events.try_iter() {
                    board.observe(&event, bar.elapsed());
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let now = bar.elapsed();
        if now >= quiet {
            if let Some(terminal) = terminal.take() {
                if let Ok(style) = ProgressStyle::with_template("{msg}") {
                    bar.set_style(style);
                }
                bar.set_draw_target(terminal);
                *lock(&ON) = Some(bar.clone());
            }
            bar.set_message(board.text(now));
        }
    }
    if terminal.is_none() {
        // First out of the way of other writers, who must not draw it again.
        *lock(&ON) = None;
        bar.finish_and_clear();
    }
}

/// What is to be shown. Times are measured from the start of the display.
#[derive(Debug)]
struct Board {
    total: usize,
    finished: usize,
    failed: usize,
    /// In the order in which they began, so that the slowest stand on top.
    running: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    target: TargetId,
    since: Duration,
    stage: Option<Stage>,
    attempt: u32,
}

impl Board {
    fn new(total: usize) -> Self {
        Self { total, finished: 0, failed: 0, running: Vec::new() }
    }

    fn observe(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Started { target, .. } => {
                self.running.push(Running { target: target.clone(), since: now, stage: None, attempt: 1 });
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
            Event::Finished(outcome) => {
                self.running.retain(|running| running.target != outcome.target.id);
                self.finished += 1;
                self.failed += usize::from(judge(outcome) == Verdict::Failed);
            }
            // A pass by hand has neither.
            Event::Told(_) | Event::Service(_) => {}
        }
    }

    fn find(&mut self, target: &TargetId) -> Option<&mut Running> {
        self.running.iter_mut().find(|running| running.target == *target)
    }

    /// The lines, without a line feed at the end.
    fn text(&self, now: Duration) -> String {
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
        let more = self.running.len().saturating_sub(SHOWN);
        if more > 0 {
            let _ = writeln!(text, "  and {more} more");
        }
        let _ = write!(text, "{}/{}", self.finished, self.total.max(self.finished));
        if self.failed > 0 {
            let _ = write!(text, ", {} failed", self.failed);
        }
        let _ = write!(text, ", {}", duration(now));
        text
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use indicatif::TermLike;

    use super::*;
    use crate::outcome::Code;
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

    /// A terminal that keeps what it is sent.
    #[derive(Debug, Clone, Default)]
    struct Paper(Arc<Mutex<Vec<String>>>);

    impl Paper {
        fn note(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push(text.to_owned());
            Ok(())
        }
    }

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            80
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            self.note("<up>")
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            self.note("<down>")
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            self.note("<right>")
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            self.note("<left>")
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.note(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.note(text)
        }
        fn clear_line(&self) -> io::Result<()> {
            self.note("<clear>")
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn sent(quiet: Duration) -> Vec<String> {
        let paper = Paper::default();
        let progress = Progress::start(1, ProgressDrawTarget::term_like_with_hz(Box::new(paper.clone()), 255), quiet);
        progress.observe(&started("glm"));
        progress.observe(&Event::Finished(Arc::new(ready("p", "glm", "m"))));
        progress.finish();
        progress.observe(&started("late"));
        paper.0.lock().unwrap().clone()
    }

    #[test]
    fn a_run_that_is_over_at_once_shows_nothing() {
        assert_eq!(sent(Duration::from_secs(3_600)), [""; 0]);
    }

    #[test]
    fn what_was_drawn_is_cleared() {
        let sent = sent(Duration::ZERO);
        let drawn = sent.iter().rposition(|text| text.contains("/1")).unwrap();
        assert!(sent[drawn..].iter().any(|text| text == "<clear>"), "{sent:?}");
    }
}
