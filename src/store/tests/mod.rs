//! Tests of the store, each file one promise; here is what they share.

mod bounds;
mod damage;
mod history;
mod kill;
mod migration;
mod numbers;
mod observations;
mod spent;
mod two;
mod writing;

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Entry, Reader, Retention, Store};
use crate::outcome::{Code, Flip, Proof, Record, RunId, Stage, Status, sample};
use crate::target::TargetId;

const NO_PATIENCE: Duration = Duration::from_millis(20);
/// For tests that are not about bounds.
const AMPLE: Retention = Retention { age: Duration::from_hours(10_000), bytes: 1 << 40 };

fn now() -> Timestamp {
    sample::started()
}

fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

async fn open(directory: &Path) -> Store {
    Store::open(directory, NO_PATIENCE, now()).await.unwrap()
}

async fn reader(directory: &Path) -> Reader {
    Reader::open(directory).await.unwrap().unwrap()
}

/// A ready outcome of a target, begun so many seconds ago.
fn ready(target: &str, seconds_ago: i64) -> Entry {
    entry(sample::ready("synthetic", target, "hf:zai-org/GLM-4.6"), seconds_ago)
}

/// A failed one.
fn failed(target: &str, seconds_ago: i64) -> Entry {
    let diagnosis = sample::diagnosis(Code::KeyRefused, Stage::Authenticate, "HTTP 401", "renew the key");
    let outcome = sample::ready("synthetic", target, "hf:zai-org/GLM-4.6");
    entry(sample::failed(outcome, diagnosis, Proof::Connected, Some(401)), seconds_ago)
}

fn entry(mut outcome: crate::outcome::Outcome, seconds_ago: i64) -> Entry {
    outcome.started = ago(seconds_ago);
    Entry {
        record: Record::of(&outcome),
        at: outcome.started,
        counts: true,
        standing: None,
        past: None,
        learned: None,
        flip: None,
    }
}

fn flip(target: &str, seconds_ago: i64, from: Status, to: Status) -> Flip {
    let target = TargetId::new(target).unwrap();
    Flip { target, at: ago(seconds_ago), from, to, code: Some(Code::KeyRefused), run_id: RunId::new("run") }
}
