//! The readers of the event stream, on a thread of their own: log lines, progress, records as they come.
//!
//! Writing to a pipe blocks while nobody reads it. On the thread that probes, a slow reader would delay answers, miss
//! deadlines and put its own slowness into the timings; here it can delay only what is written.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc;

use tokio::sync::oneshot;

use super::progress::Progress;
use super::workflow;
use crate::outcome::Event;
use crate::report;
use crate::run::Listener;
use crate::telemetry::log;

/// Whether each record goes to standard output the moment its probe ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Records {
    Streamed,
    Kept,
}

/// The readers of one pass.
pub(super) struct Readers {
    events: mpsc::Sender<Event>,
    done: oneshot::Receiver<io::Result<()>>,
}

impl Readers {
    /// Starts them for `total` targets.
    pub(super) fn start(total: usize, records: Records) -> io::Result<Self> {
        Self::beside(Progress::on_stderr(total), records)
    }

    /// Starts them with this display.
    pub(super) fn beside(progress: Progress, records: Records) -> io::Result<Self> {
        let (events, received) = mpsc::channel();
        let (told, done) = oneshot::channel();
        std::thread::Builder::new().name("readers".to_owned()).spawn(move || {
            let written = read(&received, &progress, records);
            // Nobody waits when the run was ended by a second signal.
            told.send(written).ok();
        })?;
        Ok(Self { events, done })
    }

    /// What a pass tells its events to.
    pub(super) fn listener(&self) -> Listener {
        let events = self.events.clone();
        Arc::new(move |event| {
            // The readers live until every listener is gone.
            events.send(event).ok();
        })
    }

    /// Waits until everything is written; says whether the records were.
    pub(super) async fn finish(self) -> io::Result<()> {
        drop(self.events);
        self.done.await.unwrap_or(Ok(()))
    }
}

fn read(events: &mpsc::Receiver<Event>, progress: &Progress, records: Records) -> io::Result<()> {
    let mut written = Ok(());
    for event in events {
        log::emit(&event);
        progress.observe(&event);
        if records == Records::Streamed
            && written.is_ok()
            && let Event::Finished(outcome) | Event::FinishedAlike(outcome) = &event
        {
            let mut line = Vec::new();
            written = report::line(outcome, &mut line);
            let line = if workflow::is_one() { workflow::disarmed(&line) } else { line.into() };
            written = match written.and_then(|()| io::stdout().lock().write_all(&line)) {
                // A reader that has seen enough is no failure.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                written => written,
            };
        }
    }
    progress.finish();
    written
}
