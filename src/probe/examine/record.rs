//! A network that remembers: the last request that warmed, byte for byte, and what the answers said of the time.
//!
//! It stands between a probe and the real network, so that what is shown as "the request" is the one that was sent. It
//! changes nothing that passes. What it holds has the key in it; [`super::request`] makes the form that can be shown.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::skew::skew;
use crate::outcome::Skew;
use crate::probe::clock::Clock;
use crate::probe::transport::{Answer, Boxed, Dialled, ExchangeFault, Head, Line, Method, Network, Request};
use crate::target::Provider;

/// The network with its memory.
pub struct Recording {
    inner: Arc<dyn Network>,
    clock: Arc<dyn Clock>,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    post: Option<Request>,
    skew: Option<Skew>,
}

impl Recording {
    /// One that remembers nothing yet.
    #[must_use]
    pub fn new(inner: Arc<dyn Network>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, clock, kept: Arc::default() }
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The last POST that was sent: it has the key in it.
    pub(super) fn post(&self) -> Option<Request> {
        lock(&self.kept).post.clone()
    }

    /// What the quickest answer said of the clock.
    pub(super) fn skew(&self) -> Option<Skew> {
        lock(&self.kept).skew
    }
}

/// Nothing here is changed in two steps, so what a panic left is as good as it was.
fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Network for Recording {
    fn dial<'a>(&'a self, provider: &'a Provider, limit: Duration) -> Boxed<'a, Dialled> {
        Box::pin(async move {
            let Dialled { marks, line } = self.inner.dial(provider, limit).await;
            let recorded = |line| {
                let (clock, kept) = (Arc::clone(&self.clock), Arc::clone(&self.kept));
                Box::new(RecordedLine { line, clock, kept }) as Box<dyn Line>
            };
            Dialled { marks, line: line.map(recorded) }
        })
    }
}

struct RecordedLine {
    line: Box<dyn Line>,
    clock: Arc<dyn Clock>,
    kept: Arc<Mutex<Kept>>,
}

impl RecordedLine {
    fn note(&self, head: &Head, took: Duration) {
        let Some(found) = skew(head.header("date"), self.clock.wall(), took) else { return };
        let mut kept = lock(&self.kept);
        if kept.skew.is_none_or(|known| found.within < known.within) {
            kept.skew = Some(found);
        }
    }
}

impl Line for RecordedLine {
    fn send<'a>(&'a mut self, request: Request) -> Boxed<'a, Result<Answer, ExchangeFault>> {
        if request.method == Method::Post {
            lock(&self.kept).post = Some(request.clone());
        }
        Box::pin(async move {
            let answer = self.line.send(request).await?;
            self.note(&answer.head, answer.answered.saturating_duration_since(answer.sent));
            Ok(answer)
        })
    }

    fn reopened(&self) -> bool {
        self.line.reopened()
    }
}
