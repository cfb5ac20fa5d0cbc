//! The keys of providers while the daemon runs: read with the configuration, and again after one was refused, so that
//! a key that was replaced on disk is used without a restart.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::{self, Environment};
use crate::target::{Credential, CredentialSource, Provider, ProviderId};

/// A key is read again at most this often: a command may unlock a password store.
const PAUSE: Duration = Duration::from_secs(60);

/// The keys, by provider.
#[derive(Default)]
pub(super) struct Keys {
    keys: HashMap<ProviderId, Kept>,
}

struct Kept {
    credential: Arc<Credential>,
    read: Instant,
    stale: bool,
}

/// Reads the key of each provider; may wait for commands, so call it where blocking is allowed.
pub(super) fn read_all<'a>(
    providers: impl Iterator<Item = &'a Arc<Provider>>,
    environment: &Environment,
    directory: &Path,
) -> BTreeMap<ProviderId, Credential> {
    std::thread::scope(|scope| {
        let read = |provider: &Provider| config::read_credential(provider, environment, directory);
        let (slow, quick): (Vec<_>, Vec<_>) =
            providers.partition(|provider| matches!(provider.key, CredentialSource::Command(_)));
        let slow: Vec<_> =
            slow.into_iter().map(|provider| (provider.id.clone(), scope.spawn(move || read(provider)))).collect();
        let quick: Vec<_> = quick.into_iter().map(|provider| (provider.id.clone(), read(provider))).collect();
        // A reader that panicked leaves its provider without a key, and its probes say so.
        let slow = slow.into_iter().filter_map(|(id, reader)| Some((id, reader.join().ok()?)));
        quick.into_iter().chain(slow).collect()
    })
}

impl Keys {
    /// Takes keys that were read just now. Others stay.
    pub(super) fn take(&mut self, keys: BTreeMap<ProviderId, Credential>, now: Instant) {
        for (id, credential) in keys {
            let kept = Kept { credential: Arc::new(credential), read: now, stale: false };
            self.keys.insert(id, kept);
        }
    }

    /// The key of a provider.
    pub(super) fn of(&self, provider: &ProviderId) -> Arc<Credential> {
        self.keys.get(provider).map_or_else(|| Arc::new(Credential::NotNeeded), |kept| Arc::clone(&kept.credential))
    }

    /// A probe said that the key is wrong or missing. Whether it is to be read again now.
    pub(super) fn doubt(&mut self, provider: &ProviderId, now: Instant) -> bool {
        let Some(kept) = self.keys.get_mut(provider) else { return false };
        let due = !kept.stale && now.saturating_duration_since(kept.read) >= PAUSE;
        kept.stale |= due;
        due
    }

    /// It could not be read again: it may be tried again later.
    pub(super) fn give_up(&mut self, provider: &ProviderId, now: Instant) {
        if let Some(kept) = self.keys.get_mut(provider) {
            (kept.stale, kept.read) = (false, now);
        }
    }

    /// Forgets providers that are gone.
    pub(super) fn retain(&mut self, there: impl Fn(&ProviderId) -> bool) {
        self.keys.retain(|id, _| there(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::sample;
    use crate::probe::clock::Clock;
    use crate::run::SystemClock;

    #[test]
    fn a_refused_key_is_read_again_but_not_at_every_probe() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key");
        std::fs::write(&file, "old-key-0123456789").unwrap();
        let mut provider = sample::provider("synthetic");
        provider.key = CredentialSource::File(file.clone());
        let provider = Arc::new(provider);
        let environment = Environment::from_pairs::<&str, &str>([]);
        let read = || read_all([&provider].into_iter(), &environment, directory.path());
        let text = |keys: &Keys| keys.of(&provider.id).secret().map(|secret| secret.expose().to_owned());

        let now = SystemClock.now();
        let mut keys = Keys::default();
        keys.take(read(), now);
        assert_eq!(text(&keys).as_deref(), Some("old-key-0123456789"));
        std::fs::write(&file, "new-key-0123456789").unwrap();
        assert!(!keys.doubt(&provider.id, now + Duration::from_secs(59)), "it was just read");
        assert!(keys.doubt(&provider.id, now + Duration::from_secs(60)));
        assert!(!keys.doubt(&provider.id, now + Duration::from_secs(61)), "it is being read");
        keys.take(read(), now + Duration::from_secs(61));
        assert_eq!(text(&keys).as_deref(), Some("new-key-0123456789"));
        keys.retain(|_| false);
        assert_eq!(text(&keys), None);
    }
}
