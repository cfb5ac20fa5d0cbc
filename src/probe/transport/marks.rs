//! The marks that reqwest's hooks leave while it dials: who is asked when tells the phases apart.
//!
//! reqwest has no events for phases, but every phase passes a hook that we own: the resolver (name), rustls' session
//! store, which is asked while the ClientHello is built (so TCP has ended and TLS begins), and the certificate
//! verifier. Measured against injected delays the error is about a millisecond (shared/reference/dependencies.md).

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

use super::DialMarks;
use crate::probe::clock::Clock;

/// The instants of one dial.
#[derive(Debug, Default)]
pub(super) struct Instants {
    pub begun: Option<Instant>,
    pub resolving: Option<Instant>,
    pub resolved: Option<Instant>,
    pub connected: Option<Instant>,
    pub tunnelled: Option<Instant>,
    pub hello: Option<Instant>,
    pub done: Option<Instant>,
    pub addresses: Vec<IpAddr>,
    pub certificate_ends: Option<Timestamp>,
    pub issuer: Option<String>,
    pub skipped_authorities: Option<String>,
    pub certificate_asked: bool,
}

/// Shared by the hooks of one dial.
#[derive(Clone)]
pub(in crate::probe) struct Marks {
    clock: Arc<dyn Clock>,
    instants: Arc<Mutex<Instants>>,
}

impl std::fmt::Debug for Marks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Marks").field(&*self.lock()).finish()
    }
}

impl Marks {
    pub(in crate::probe) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, instants: Arc::default() }
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// A panic elsewhere must not turn into one here: the marks stay readable.
    pub(super) fn lock(&self) -> MutexGuard<'_, Instants> {
        self.instants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, put: impl FnOnce(&mut Instants, Instant)) {
        let now = self.clock.now();
        put(&mut self.lock(), now);
    }

    /// The phases that were reached.
    pub(in crate::probe) fn read(&self) -> DialMarks {
        let marks = self.lock();
        let between = |from: Option<Instant>, to: Option<Instant>| Some(to?.saturating_duration_since(from?));
        // Without a name to resolve, TCP begins with the dial.
        let tcp_from = marks.resolved.or(if marks.resolving.is_none() { marks.begun } else { None });
        DialMarks {
            dns: between(marks.resolving, marks.resolved),
            tcp: between(tcp_from, marks.connected.or(marks.hello).or(marks.done)),
            tunnel: between(marks.connected, marks.tunnelled),
            tls: between(marks.hello, marks.done),
            addresses: marks.addresses.clone(),
            certificate_ends: marks.certificate_ends,
            issuer: marks.issuer.clone(),
            skipped_authorities: marks.skipped_authorities.clone(),
            certificate_asked: marks.certificate_asked,
        }
    }
}
