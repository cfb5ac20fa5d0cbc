//! Who may start: at most so many probes at a provider, and one at an LLM. The limits hold across passes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::target::{ModelId, ProviderId, Target};

/// The limits of a runner.
#[derive(Debug, Default)]
pub(super) struct Limits {
    /// With how many places each was made: a configuration that is read again may say otherwise.
    providers: HashMap<ProviderId, (usize, Arc<Semaphore>)>,
    models: HashMap<(ProviderId, ModelId), Arc<Semaphore>>,
}

/// Leave to start; giving it up lets the next one in.
#[derive(Debug)]
pub(super) struct Leave {
    _model: Option<OwnedSemaphorePermit>,
    _provider: Option<OwnedSemaphorePermit>,
}

/// What a target must ask.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    model: Arc<Semaphore>,
    provider: Arc<Semaphore>,
    beyond: Arc<Notify>,
}

/// What a probe must wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// For a place at the provider.
    Provider,
    /// For the LLM too, of which one is asked at a time.
    Model,
}

impl Limits {
    pub(super) fn gate(&mut self, target: &Target) -> Gate {
        let provider = &target.provider;
        let model = (provider.id.clone(), target.model.clone());
        let places = provider.concurrency.max(1);
        let fresh = || (places, Arc::new(Semaphore::new(places)));
        let at_provider = self.providers.entry(provider.id.clone()).or_insert_with(fresh);
        if at_provider.0 != places {
            // Probes under the old limit end by themselves; only new ones ask this.
            *at_provider = fresh();
        }
        Gate {
            model: Arc::clone(self.models.entry(model).or_insert_with(|| Arc::new(Semaphore::new(1)))),
            provider: Arc::clone(&at_provider.1),
            beyond: Arc::default(),
        }
    }

    /// Forgets what no target of these needs, unless a probe still holds it.
    pub(super) fn retain<'a>(&mut self, targets: impl Iterator<Item = &'a Target>) {
        let mut providers = HashSet::new();
        let mut models = HashSet::new();
        for target in targets {
            providers.insert(&target.provider.id);
            models.insert((&target.provider.id, &target.model));
        }
        self.providers.retain(|id, (_, places)| providers.contains(id) || Arc::strong_count(places) > 1);
        self.models.retain(|(id, model), place| models.contains(&(id, model)) || Arc::strong_count(place) > 1);
    }
}

impl Gate {
    /// Waits for leave. The LLM comes first: waiting for it must not hold one of the provider's places.
    pub(super) async fn leave(&self, lane: Lane) -> Leave {
        // The semaphores are never closed, so an error cannot come; without a permit the probe would merely be
        // unlimited, which is better than a panic.
        let model = match lane {
            Lane::Model => Arc::clone(&self.model).acquire_owned().await.ok(),
            Lane::Provider => None,
        };
        let provider = tokio::select! {
            biased;
            place = Arc::clone(&self.provider).acquire_owned() => place.ok(),
            () = self.beyond.notified() => None,
        };
        Leave { _model: model, _provider: provider }
    }

    /// Lets it leave, once notified, although the provider has no place. Another probe of its LLM is waited for even so.
    pub(super) fn beyond(&self) -> Arc<Notify> {
        Arc::clone(&self.beyond)
    }
}
