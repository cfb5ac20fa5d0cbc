//! What is going on, live, on a terminal: a line per running target and one that counts. It is gone when the run ends,
//! so that the table stands alone; a pipe never sees any of it, and nor does a terminal when a run is over at once. What
//! the lines say is `progress/board.rs`'.
//!
//! A reader of the event stream like the log. It decides nothing, and the run does not wait for it.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::workflow;
use crate::outcome::Event;

mod board;
mod screen;

use board::Board;
use screen::Screen;

/// A run that is over within this time shows nothing: what flashes by cannot be read.
const QUIET: Duration = Duration::from_millis(300);
/// How often elapsed times move on.
const TICK: Duration = Duration::from_millis(100);
/// At most.
const DRAWS_A_SECOND: u8 = 20;

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
        Self::of(Board::new(total))
    }

    /// The same for a wait that has so much time.
    pub(super) fn of_a_wait(total: usize, deadline: Duration) -> Self {
        Self::of(Board::of_a_wait(total, deadline))
    }

    fn of(board: Board) -> Self {
        if io::stderr().is_terminal() {
            let screen = ProgressDrawTarget::term_like_with_hz(Box::new(Screen::default()), DRAWS_A_SECOND);
            Self::start(board, screen, QUIET)
        } else {
            Self { live: None }
        }
    }

    fn start(board: Board, terminal: ProgressDrawTarget, quiet: Duration) -> Self {
        let (sender, events) = channel();
        // A thread, so that times move on while the run's own thread waits for the network.
        let painter = Builder::new().name("progress".to_owned()).spawn(move || paint(&events, terminal, board, quiet));
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
fn paint(events: &Receiver<Event>, terminal: ProgressDrawTarget, mut board: Board, quiet: Duration) {
    // Hidden until `quiet` has passed; meanwhile it is the stopwatch.
    let bar = ProgressBar::hidden();
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use indicatif::TermLike;

    use super::*;
    use crate::report::sample::ready;
    use crate::target::{Depth, TargetId};

    fn started(name: &str) -> Event {
        Event::Started { target: TargetId::new(name).unwrap(), depth: Depth::Warm }
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
        let progress =
            Progress::start(Board::new(1), ProgressDrawTarget::term_like_with_hz(Box::new(paper.clone()), 255), quiet);
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
