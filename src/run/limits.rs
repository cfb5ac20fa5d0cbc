//! Who may start: at most so many probes at a provider, and one at an LLM.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::target::{ModelId, ProviderId, Target};

/// The limits of one pass.
#[derive(Debug, Default)]
pub(super) struct Limits {
    providers: HashMap<ProviderId, Arc<Semaphore>>,
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
}

impl Limits {
    pub(super) fn gate(&mut self, target: &Target) -> Gate {
        let provider = &target.provider;
        let model = (provider.id.clone(), target.model.clone());
        Gate {
            model: Arc::clone(self.models.entry(model).or_insert_with(|| Arc::new(Semaphore::new(1)))),
            provider: Arc::clone(
                self.providers
                    .entry(provider.id.clone())
                    .or_insert_with(|| Arc::new(Semaphore::new(provider.concurrency.max(1)))),
            ),
        }
    }
}

impl Gate {
    /// Waits for leave. The LLM comes first: waiting for it must not hold one of the provider's places.
    pub(super) async fn leave(&self) -> Leave {
        // The semaphores are never closed, so an error cannot come; without a permit the probe would merely be
        // unlimited, which is better than a panic.
        let model = Arc::clone(&self.model).acquire_owned().await.ok();
        let provider = Arc::clone(&self.provider).acquire_owned().await.ok();
        Leave { _model: model, _provider: provider }
    }
}
