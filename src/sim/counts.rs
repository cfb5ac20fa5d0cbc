//! The simulator's own truth: what was asked of it, counted exactly.
//!
//! Tests compare a client's claims with these numbers. Requests to `/_sim/` are not counted, nor is a connection that
//! begins with one, so that looking changes nothing. No key is ever kept: a record names the header and the account.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::faults::FaultCount;
use super::models::Found;
use super::wire::Traffic;

/// The newest requests that are kept as records.
const RECORD_LIMIT: usize = 20_000;

/// A snapshot of the counters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Connections accepted (also those that never sent a request).
    pub connections: u64,
    /// Connections that are open now.
    pub open_connections: u64,
    /// Connections whose TLS handshake did not complete.
    pub failed_handshakes: u64,
    /// Requests read completely.
    pub requests: u64,
    /// Requests that could not be read as HTTP.
    pub malformed: u64,
    /// Requests by method and path: `"POST /v1/chat/completions"`.
    pub by_path: BTreeMap<String, u64>,
    /// Requests by listener.
    pub by_listener: BTreeMap<String, u64>,
    /// Answers begun, by status. A request that was never answered is in none.
    pub by_status: BTreeMap<u16, u64>,
    /// Requests by where they carried a credential: a header's name, `query:key`, or `none`.
    pub by_credential: BTreeMap<String, u64>,
    /// Requests with a known key in the path, the query or the body.
    pub misplaced_keys: u64,
    /// Requests that ran a model (chat and embeddings, not preloads).
    pub generations: u64,
    /// Generations whose answer was sent to its end.
    pub completed: u64,
    /// Requests that only loaded or unloaded a model.
    pub preloads: u64,
    /// Loads begun, by whomever.
    pub cold_starts: u64,
    /// Answers with status 401 or 403.
    pub refused_auth: u64,
    /// Answers with status 429.
    pub refused_429: u64,
    /// Uses by `POST /_sim/use` and [`super::Simulator::use_model`].
    pub organic: u64,
    /// Those of them that met a model which was not loaded.
    pub organic_cold: u64,
    /// Bytes of requests.
    pub bytes_received: u64,
    /// Bytes of answers.
    pub bytes_sent: u64,
    /// The same per model id.
    pub models: BTreeMap<String, ModelCounts>,
    /// The scenario's faults, in the file's order.
    pub faults: Vec<FaultCount>,
    /// The faults of listeners that have their own.
    pub listener_faults: BTreeMap<String, Vec<FaultCount>>,
}

/// What happened to one model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ModelCounts {
    /// Requests that ran it.
    pub generations: u64,
    /// Requests that only loaded or unloaded it.
    pub preloads: u64,
    /// Loads begun.
    pub cold_starts: u64,
    /// Generations that met it unloaded or loading.
    pub waited_cold: u64,
    /// Generations that waited for another one to end.
    pub queued: u64,
    /// Tokens sent.
    pub tokens: u64,
    /// Uses by the admin surface.
    pub organic: u64,
    /// Those of them that met it unloaded or loading.
    pub organic_cold: u64,
}

/// One request, as it was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RequestRecord {
    /// Its number, from one.
    pub number: u64,
    /// The number of its connection, from one.
    pub connection: u64,
    /// Real milliseconds since the simulator's start.
    pub at_ms: u64,
    /// The door it came through.
    pub listener: String,
    /// The method.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// The model that its body names.
    pub model: Option<String>,
    /// Where it carried a credential.
    pub credential: Option<String>,
    /// The name of the account that the credential belongs to, when it is known.
    pub account: Option<String>,
    /// The `User-Agent`.
    pub user_agent: Option<String>,
    /// The body as text, cut at 4 KiB, with known keys masked.
    pub body: String,
    /// The status of its answer, once that was begun.
    pub status: Option<u16>,
    /// Whether its answer was sent to its end.
    pub complete: bool,
}

#[derive(Debug, Default)]
struct Book {
    counts: Counts,
    records: Vec<RequestRecord>,
    connections: u64,
    requests: u64,
}

impl Book {
    fn record(&mut self, number: u64) -> Option<&mut RequestRecord> {
        self.records.iter_mut().rev().find(|record| record.number == number)
    }
}

/// Keeps the counters.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Book>);

impl Ledger {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a fresh connection and numbers it.
    pub(crate) fn connected(&self) -> u64 {
        let mut book = self.book();
        book.connections += 1;
        book.counts.connections += 1;
        book.counts.open_connections += 1;
        book.connections
    }

    /// Takes an administrator's connection out of the counts.
    pub(crate) fn uncount_connection(&self) {
        let mut book = self.book();
        book.counts.connections = book.counts.connections.saturating_sub(1);
        book.counts.open_connections = book.counts.open_connections.saturating_sub(1);
    }

    pub(crate) fn disconnected(&self) {
        let mut book = self.book();
        book.counts.open_connections = book.counts.open_connections.saturating_sub(1);
    }

    pub(crate) fn handshake_failed(&self) {
        self.book().counts.failed_handshakes += 1;
    }

    pub(crate) fn malformed(&self) {
        self.book().counts.malformed += 1;
    }

    /// Counts a request and returns its number. The record's own number is set here.
    pub(crate) fn requested(&self, mut record: RequestRecord, misplaced_key: bool) -> u64 {
        let mut book = self.book();
        book.requests += 1;
        record.number = book.requests;
        let counts = &mut book.counts;
        counts.requests += 1;
        *counts.by_path.entry(format!("{} {}", record.method, record.path)).or_default() += 1;
        *counts.by_listener.entry(record.listener.clone()).or_default() += 1;
        let place = record.credential.clone().unwrap_or_else(|| "none".to_owned());
        *counts.by_credential.entry(place).or_default() += 1;
        counts.misplaced_keys += u64::from(misplaced_key);
        if book.records.len() >= RECORD_LIMIT {
            // Half at once, so that the cost of forgetting is rare.
            book.records.drain(..RECORD_LIMIT / 2);
        }
        book.records.push(record);
        book.requests
    }

    /// Notes the status of an answer, just before its first byte is sent: whoever has read the answer finds it counted.
    pub(crate) fn answering(&self, number: u64, status: u16) {
        let mut book = self.book();
        *book.counts.by_status.entry(status).or_default() += 1;
        book.counts.refused_429 += u64::from(status == 429);
        book.counts.refused_auth += u64::from(matches!(status, 401 | 403));
        if let Some(record) = book.record(number) {
            record.status = Some(status);
        }
    }

    /// Notes that an answer was sent to its end.
    pub(crate) fn answered(&self, number: u64) {
        if let Some(record) = self.book().record(number) {
            record.complete = true;
        }
    }

    /// Changes the counters of a model.
    pub(crate) fn on_model(&self, id: &str, change: impl FnOnce(&mut Counts, &mut ModelCounts)) {
        let mut book = self.book();
        let mut model = book.counts.models.remove(id).unwrap_or_default();
        change(&mut book.counts, &mut model);
        book.counts.models.insert(id.to_owned(), model);
    }

    /// Counts a load, if one was begun.
    pub(crate) fn found(&self, id: &str, found: Found) {
        if found == Found::Cold {
            self.on_model(id, |all, model| {
                all.cold_starts += 1;
                model.cold_starts += 1;
            });
        }
    }

    /// A copy of the counters.
    pub(crate) fn snapshot(&self, traffic: &Traffic) -> Counts {
        let mut counts = self.book().counts.clone();
        counts.bytes_received = traffic.received.load(Ordering::Relaxed);
        counts.bytes_sent = traffic.sent.load(Ordering::Relaxed);
        counts
    }

    /// The kept records, oldest first.
    pub(crate) fn records(&self) -> Vec<RequestRecord> {
        self.book().records.clone()
    }

    /// Puts all counters to zero; open connections stay counted as open.
    pub(crate) fn reset(&self, traffic: &Traffic) {
        let mut book = self.book();
        let open_connections = book.counts.open_connections;
        book.counts = Counts { open_connections, ..Counts::default() };
        book.records.clear();
        traffic.received.store(0, Ordering::Relaxed);
        traffic.sent.store(0, Ordering::Relaxed);
    }
}
