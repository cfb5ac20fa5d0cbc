//! The daemon's log: events are written on a thread of their own, from a queue that is bounded.
//!
//! Writing to a pipe blocks while nobody reads it. That must delay no probe, and over months it must not fill the memory
//! either: what finds no room is counted, and said when there is room again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender, TrySendError};

use tokio::sync::oneshot;

use crate::outcome::Event;
use crate::run::Listener;
use crate::telemetry::log;

/// How many events may wait: minutes of a thousand targets.
const PLACES: usize = 16 * 1024;

/// The log of a service.
pub(super) struct ServiceLog {
    events: SyncSender<Event>,
    done: oneshot::Receiver<()>,
    dropped: Arc<AtomicU64>,
}

impl ServiceLog {
    pub(super) fn start() -> std::io::Result<Self> {
        let (events, received) = mpsc::sync_channel::<Event>(PLACES);
        let (told, done) = oneshot::channel();
        let dropped = Arc::<AtomicU64>::default();
        let lost = Arc::clone(&dropped);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || {
            for event in received {
                log::emit(&event);
                let lost = lost.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    log::dropped(lost);
                }
            }
            // Nobody waits when the process was told twice to end.
            told.send(()).ok();
        })?;
        Ok(Self { events, done, dropped })
    }

    pub(super) fn listener(&self) -> Listener {
        let (events, dropped) = (self.events.clone(), Arc::clone(&self.dropped));
        Arc::new(move |event| {
            if log::wants(&event)
                && let Err(TrySendError::Full(_)) = events.try_send(event)
            {
                dropped.fetch_add(1, Ordering::Relaxed);
            }
        })
    }

    /// Waits until everything is written, for a moment: a log that nobody reads must not keep the process.
    pub(super) async fn finish(self) {
        drop(self.events);
        tokio::time::timeout(std::time::Duration::from_secs(2), self.done).await.ok();
    }
}
