//! What all connections share: the models, the accounts, the counters, the clock.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;

use super::accounts::Accounts;
use super::clock::Clock;
use super::counts::{Counts, Ledger};
use super::faults::FaultBook;
use super::flavour::{Flavour, RateDialect};
use super::models::{Found, Models};
use super::proxy::{self, ProxiedRequest, ProxySpec};
use super::scenario::{ListPolicy, OnConnect, Scenario};
use super::tls::TlsMode;
use super::wire::Traffic;

/// One door, bound and open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Door {
    /// Its name in the scenario.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// `http://…` or `https://…`, without a trailing slash.
    pub base_url: String,
    /// What it does about TLS.
    pub tls: TlsMode,
}

/// A door's own settings.
#[derive(Clone)]
pub(crate) struct Listener {
    pub(crate) name: String,
    pub(crate) flavour: Flavour,
    pub(crate) tls: TlsMode,
    pub(crate) acceptor: Option<TlsAcceptor>,
    pub(crate) on_connect: OnConnect,
    pub(crate) proxy: Option<ProxySpec>,
    pub(crate) faults: Arc<FaultBook>,
}

/// The simulated provider behind all doors.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) scenario: Scenario,
    pub(crate) clock: Clock,
    pub(crate) models: Arc<Models>,
    pub(crate) accounts: Accounts,
    pub(crate) ledger: Ledger,
    pub(crate) traffic: Traffic,
    /// The scenario's faults.
    pub(crate) faults: Arc<FaultBook>,
    /// The fault books of the doors that have their own.
    pub(crate) own_faults: Vec<(String, Arc<FaultBook>)>,
    /// Known once every door is bound.
    pub(crate) doors: OnceLock<Vec<Door>>,
    /// What its proxies were asked, oldest first.
    asked: Mutex<Vec<ProxiedRequest>>,
}

impl Provider {
    pub(crate) fn new(scenario: Scenario, clock: Clock) -> Self {
        let own_faults = scenario
            .listeners
            .iter()
            .filter_map(|listener| Some((listener.name.clone(), Arc::new(FaultBook::new(listener.faults.clone()?)))))
            .collect();
        Self {
            models: Models::new(&scenario, clock),
            accounts: Accounts::new(&scenario),
            ledger: Ledger::default(),
            traffic: Traffic::default(),
            faults: Arc::new(FaultBook::new(scenario.faults.clone())),
            own_faults,
            doors: OnceLock::new(),
            asked: Mutex::default(),
            scenario,
            clock,
        }
    }

    /// Whether the model list is shown to anyone at a door of this flavour.
    pub(crate) fn lists_publicly(&self, flavour: Flavour) -> bool {
        match self.scenario.models_list {
            ListPolicy::Auto => flavour.lists_publicly(),
            ListPolicy::Public => true,
            ListPolicy::Keyed => false,
        }
    }

    /// How the rate limit is stated at a door of this flavour.
    pub(crate) fn rate_dialect(&self, flavour: Flavour) -> RateDialect {
        self.scenario.rate_headers.or_else(|| flavour.rate_dialect()).unwrap_or(RateDialect::None)
    }

    /// Keeps what a proxy was asked.
    pub(crate) fn proxied(&self, request: ProxiedRequest) {
        proxy::keep(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner), request);
    }

    /// What its proxies were asked, oldest first.
    pub(crate) fn asked(&self) -> Vec<ProxiedRequest> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A snapshot of all counters.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = self.ledger.snapshot(&self.traffic);
        counts.faults = self.faults.counts();
        counts.listener_faults = self.own_faults.iter().map(|(name, book)| (name.clone(), book.counts())).collect();
        counts
    }

    /// Everything that changes, as `/_sim/state` shows it.
    pub(crate) fn state(&self) -> Value {
        let now = self.clock.now();
        let models: Vec<Value> = self.models.all().iter().map(|entry| self.models.state(entry)).collect();
        json!({
            "name": self.scenario.name,
            "speed": self.clock.speed(),
            "virtual_ms": u64::try_from(now.elapsed().as_millis()).unwrap_or(u64::MAX),
            "models": models,
            "accounts": self.accounts.state(now),
        })
    }

    /// Puts everything back to the start: models, quotas, counters, faults.
    pub(crate) fn reset(&self) {
        self.models.reset();
        self.accounts.reset();
        self.ledger.reset(&self.traffic);
        self.faults.reset();
        self.own_faults.iter().for_each(|(_, book)| book.reset());
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// A user who is not the client under test runs a model: it loads, keeps others waiting, and stays warm after.
    /// Returns how the model was found, or `None` when there is no such model.
    pub(crate) async fn use_model(&self, id: &str, account: Option<&str>) -> Option<Found> {
        let entry = Arc::clone(self.models.find(id)?);
        if let Some(account) = account.and_then(|name| self.accounts.named(name)) {
            account.charge(entry.spec.price, self.clock.now());
        }
        let seat = self.models.wait_seat(&entry).await?;
        let found = seat.found;
        self.ledger.found(&entry.spec.id, found);
        self.ledger.on_model(&entry.spec.id, |all, model| {
            let cold = u64::from(found != Found::Warm);
            (all.organic, model.organic) = (all.organic + 1, model.organic + 1);
            (all.organic_cold, model.organic_cold) = (all.organic_cold + cold, model.organic_cold + cold);
        });
        self.clock.sleep_until(seat.ready_at.plus(seat.first_token)).await;
        let rest = u32::try_from(entry.spec.tokens.saturating_sub(1)).unwrap_or(u32::MAX);
        self.clock.sleep(entry.spec.between_tokens.saturating_mul(rest)).await;
        Some(found)
    }

    /// Fills `{base_url}` and `{listener.NAME}` in a redirect's target.
    pub(crate) fn fill_addresses(&self, text: &str) -> String {
        let doors = self.doors.get().map(Vec::as_slice).unwrap_or_default();
        let filled = doors
            .iter()
            .fold(text.to_owned(), |text, door| text.replace(&format!("{{listener.{}}}", door.name), &door.base_url));
        match doors.first() {
            Some(door) => filled.replace("{base_url}", &door.base_url),
            None => filled,
        }
    }
}
