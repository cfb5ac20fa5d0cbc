//! Gathers entries and writes them in batches, so that no probe waits for a disk.
//!
//! A batch is written as soon as it is large enough, two seconds after its first entry, or when somebody asks for it. A
//! batch that could not be written is tried again, later each time. Meanwhile entries are taken and kept; when they
//! are more than memory should hold, the oldest go, and are counted.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::{Entry, Store, StoreError};

/// Entries that are written in one transaction.
const BATCH: usize = 500;
/// For how long the first entry of a batch waits for more.
const LINGER: Duration = Duration::from_secs(2);
/// Entries that may be on their way to the writer; who has one more waits.
const ON_THE_WAY: usize = 1000;
/// Entries that are kept while they cannot be written: about 20 MiB.
const KEPT: usize = 10_000;
/// The pause after the first failure; it doubles with each.
const PAUSE: Duration = Duration::from_millis(250);
/// A write that takes longer hangs, and is treated like one that fails: nobody waits for it.
const HANGS: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How the writing goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreHealth {
    /// Whether the last attempt to write succeeded.
    pub ok: bool,
    /// What the last attempt to write ended in; absent when it succeeded.
    pub last_error: Option<String>,
    /// Entries that were taken and are not durable yet, as of the last attempt.
    pub pending: usize,
    /// Entries that were given up, because they could not be written for too long.
    pub dropped: u64,
    /// Entries that are durable.
    pub written: u64,
}

impl Default for StoreHealth {
    /// Nothing was written yet, and nothing went wrong.
    fn default() -> Self {
        Self { ok: true, last_error: None, pending: 0, dropped: 0, written: 0 }
    }
}

/// Why not all is durable. The text fits after "failed to".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("save {pending} outcomes: {reason}")]
pub struct Unsaved {
    /// How many are not.
    pub pending: usize,
    /// What the last attempt ended in.
    pub reason: String,
}

enum Message {
    Entry(Box<Entry>),
    Flush(oneshot::Sender<Result<(), Unsaved>>),
}

/// Takes entries and writes them in the background. It needs a tokio runtime, of whatever kind.
#[derive(Debug)]
pub struct Writer {
    messages: mpsc::Sender<Message>,
    health: watch::Receiver<StoreHealth>,
    store: Arc<Store>,
    task: JoinHandle<()>,
}

impl Writer {
    /// Begins to write to a store.
    #[must_use]
    pub fn start(store: Store) -> Self {
        let store = Arc::new(store);
        let (messages, inbox) = mpsc::channel(ON_THE_WAY);
        let (told, health) = watch::channel(StoreHealth::default());
        let task = Task { store: Arc::clone(&store), inbox, pending: VecDeque::new(), waiting: Vec::new(), told };
        Self { messages, health, store, task: tokio::spawn(task.run()) }
    }

    /// Hands an entry over. It waits while too many are on their way; none is dropped here.
    pub async fn submit(&self, entry: Entry) {
        // The other end is there as long as this is.
        let _ = self.messages.send(Message::Entry(Box::new(entry))).await;
    }

    /// Returns when all that was submitted before is durable, or an attempt to make it so has failed.
    pub async fn flush(&self) -> Result<(), Unsaved> {
        let gone = || Unsaved { pending: 0, reason: "the writer has ended".to_owned() };
        let (answer, answered) = oneshot::channel();
        self.messages.send(Message::Flush(answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// The store, for what is not an entry: states and sweeps.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// How the writing goes, as it changes.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<StoreHealth> {
        self.health.clone()
    }

    /// Writes what is left and closes the store. Who still holds [`Writer::store`] keeps it open.
    pub async fn close(self) -> Result<(), Unsaved> {
        let flushed = self.flush().await;
        drop(self.messages);
        let _ = self.task.await;
        if let Some(store) = Arc::into_inner(self.store) {
            store.close().await;
        }
        flushed
    }
}

struct Task {
    store: Arc<Store>,
    inbox: mpsc::Receiver<Message>,
    pending: VecDeque<Entry>,
    waiting: Vec<oneshot::Sender<Result<(), Unsaved>>>,
    told: watch::Sender<StoreHealth>,
}

impl Task {
    async fn run(mut self) {
        let mut pause = PAUSE;
        let mut failed = false;
        loop {
            // A failure is followed by a pause, an entry by a wait for more.
            let wait = if failed { pause } else { LINGER };
            let open = self.gather(wait, failed).await;
            failed = match self.write().await {
                Ok(()) => {
                    pause = PAUSE;
                    false
                }
                Err(error) => {
                    if failed {
                        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                    }
                    self.tell(Some(error));
                    true
                }
            };
            if !open {
                return;
            }
        }
    }

    /// Takes entries until a batch is due. `false` when nobody is left to send any.
    async fn gather(&mut self, wait: Duration, failed: bool) -> bool {
        if self.pending.is_empty() && self.waiting.is_empty() {
            match self.inbox.recv().await {
                Some(message) => take(message, &mut self.pending, &mut self.waiting),
                None => return false,
            }
        }
        let due = sleep(wait);
        tokio::pin!(due);
        loop {
            let enough = !failed && self.pending.len() >= BATCH;
            if enough || !self.waiting.is_empty() {
                return true;
            }
            tokio::select! {
                message = self.inbox.recv() => match message {
                    Some(message) => take(message, &mut self.pending, &mut self.waiting),
                    None => return false,
                },
                () = &mut due => return true,
            }
            self.give_up_the_oldest();
        }
    }

    /// Writes all that is pending, and goes on taking entries meanwhile.
    async fn write(&mut self) -> Result<(), StoreError> {
        // What comes later does not keep those waiting who asked before.
        let asked = std::mem::take(&mut self.waiting);
        let mut left = self.pending.len();
        let mut result = Ok(());
        while left > 0 {
            let size = left.min(BATCH).min(self.pending.len());
            if size == 0 {
                break;
            }
            let batch: Vec<Entry> = self.pending.drain(..size).collect();
            result = self.write_batch(&batch).await;
            if result.is_err() {
                for entry in batch.into_iter().rev() {
                    self.pending.push_front(entry);
                }
                self.give_up_the_oldest();
                break;
            }
            left = left.saturating_sub(batch.len());
            let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
            self.told.send_modify(|health| health.written = health.written.saturating_add(count));
            self.tell(None);
        }
        for answer in asked {
            let told = match &result {
                Ok(()) => Ok(()),
                Err(error) => Err(Unsaved { pending: left, reason: error.to_string() }),
            };
            let _ = answer.send(told);
        }
        result
    }

    async fn write_batch(&mut self, batch: &[Entry]) -> Result<(), StoreError> {
        let store = Arc::clone(&self.store);
        let writing = store.append_all(batch);
        let hang = sleep(HANGS);
        tokio::pin!(writing, hang);
        let mut hangs = false;
        loop {
            // While the disk only is slow, those who submit wait for it, and nothing is lost.
            let room = hangs || self.pending.len() < KEPT;
            tokio::select! {
                done = &mut writing => return done,
                Some(message) = self.inbox.recv(), if room => take(message, &mut self.pending, &mut self.waiting),
                () = &mut hang, if !hangs => hangs = true,
            }
            self.give_up_the_oldest();
        }
    }

    fn give_up_the_oldest(&mut self) {
        let over = self.pending.len().saturating_sub(KEPT);
        if over > 0 {
            self.pending.drain(..over);
            let over = u64::try_from(over).unwrap_or(u64::MAX);
            self.told.send_modify(|health| health.dropped = health.dropped.saturating_add(over));
        }
    }

    fn tell(&self, error: Option<StoreError>) {
        self.told.send_modify(|health| {
            health.ok = error.is_none();
            health.last_error = error.map(|error| error.to_string());
            health.pending = self.pending.len();
        });
    }
}

fn take(message: Message, pending: &mut VecDeque<Entry>, waiting: &mut Vec<oneshot::Sender<Result<(), Unsaved>>>) {
    match message {
        Message::Entry(entry) => pending.push_back(*entry),
        Message::Flush(answer) => waiting.push(answer),
    }
}
