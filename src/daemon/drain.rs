//! The end of the daemon: it waits for what is under way, then tells it to stop, and writes what is still to be written.

use std::time::Duration;

use super::board::Phase;
use super::life::Daemon;
use crate::outcome::Service;
use crate::probe::Cause;
use crate::run::Stop;
use crate::target::TargetId;

/// After probes were told to stop, how long they may take to say what they had found: longer than a witness takes.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How long the last writing may take. A disk that hangs must not keep the process.
const CLOSING: Duration = Duration::from_secs(4);

impl Daemon {
    /// Writes what is still to be written.
    pub(super) async fn close(&mut self) {
        let Some(writer) = self.writer.take() else { return };
        let pending = writer.health().borrow().pending;
        let error = match tokio::time::timeout(CLOSING, writer.close()).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("save {pending} outcomes or more: the disk does not answer"),
        };
        self.tell(Service::StoreFailing { error });
    }

    /// Begins to end; asked again, ends at once.
    pub(super) fn end(&mut self) {
        if self.draining.is_some() {
            self.hurry();
            return;
        }
        self.manager.stopping();
        self.board.enter(Phase::Draining);
        self.tell(Service::Draining { running: self.running.len() });
        self.draining = Some(self.clock.now() + self.pace.drain);
        let ids: Vec<TargetId> = self.slots.keys().cloned().collect();
        for id in ids {
            self.trigger.disarm(id);
        }
    }

    /// Tells every probe to stop; they say what they had found.
    pub(super) fn hurry(&mut self) {
        if *self.stop.borrow() != Stop::No {
            return;
        }
        self.stop.send_replace(Stop::Because(Cause::Signal));
        self.draining = Some(self.clock.now() + LAST_WORDS);
    }
}
