//! Where the configuration comes from, and when it has changed.
//!
//! Polling, not notifications: it works on every file system and through the symbolic links of Kubernetes, and costs one
//! look every two seconds. What counts is the content; a file that was merely touched is not read in again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::config::{self, Config, Environment, LoadError};
use crate::daemon::keys;
use crate::target::{Credential, Provider, ProviderId, Target};

/// Where the configuration comes from, and which of its targets are wanted.
#[derive(Debug, Clone)]
pub struct Source {
    /// probes.yaml.
    pub path: PathBuf,
    /// The variables of the process.
    pub environment: Environment,
    /// A `.env` file, which is read again with the configuration.
    pub env_file: Option<PathBuf>,
    /// Names of targets; all where empty.
    pub names: Vec<String>,
    /// Tags of targets.
    pub tags: Vec<String>,
    /// Names of providers.
    pub providers: Vec<String>,
}

/// A configuration that was read, with its keys.
pub(super) struct Loaded {
    pub config: Config,
    pub targets: Vec<Arc<Target>>,
    pub keys: BTreeMap<ProviderId, Credential>,
}

/// Why it could not be read, as people are shown it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The file has mistakes, with their places.
    #[error("{0}")]
    Mistakes(String),
    /// The file or what belongs to it could not be read. The text fits after "failed to".
    #[error("failed to {0}")]
    Unreadable(String),
}

impl Source {
    /// All targets of a file, with these variables.
    #[must_use]
    pub fn of(path: PathBuf, environment: Environment) -> Self {
        Self { path, environment, env_file: None, names: Vec::new(), tags: Vec::new(), providers: Vec::new() }
    }

    /// Reads everything; may wait for the commands that print keys, so call it where blocking is allowed.
    pub(super) fn load(&self) -> Result<Loaded, SourceError> {
        let environment = self.environment()?;
        let config = config::load(&self.path, &environment).map_err(|error| match error {
            LoadError::Mistakes(mistakes) => SourceError::Mistakes(mistakes.to_string().trim_end().to_owned()),
            error => SourceError::Unreadable(error.to_string()),
        })?;
        let targets = config
            .select(&self.names, &self.tags, &self.providers)
            .map_err(|error| SourceError::Mistakes(error.to_string()))?;
        let targets: Vec<_> = targets.into_iter().map(Arc::new).collect();
        let keys = keys::read_all(used(&targets).values(), &environment, &config.directory);
        Ok(Loaded { config, targets, keys })
    }

    /// The same, where it holds up nothing else.
    pub(super) async fn load_elsewhere(&self) -> Result<Loaded, SourceError> {
        let source = self.clone();
        // It panics only if the runtime is ending.
        tokio::task::spawn_blocking(move || source.load())
            .await
            .unwrap_or_else(|error| Err(SourceError::Unreadable(format!("read the configuration: {error}"))))
    }

    /// The files that it is read from.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        std::iter::once(self.path.clone()).chain(self.env_file.clone()).collect()
    }

    /// A first look at them.
    pub(super) async fn look(&self) -> Vec<Looks> {
        let files = self.files();
        let look = move || files.iter().map(|path| Looks::of(path)).collect();
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }

    /// Reads the key of one provider again.
    pub(super) fn key(&self, provider: &Arc<Provider>) -> Result<BTreeMap<ProviderId, Credential>, SourceError> {
        let environment = self.environment()?;
        let directory = self.path.parent().unwrap_or(Path::new("."));
        Ok(keys::read_all(std::iter::once(provider), &environment, directory))
    }

    fn environment(&self) -> Result<Environment, SourceError> {
        let environment = self.environment.clone();
        match &self.env_file {
            None => Ok(environment),
            Some(path) => environment.with_env_file(path).map_err(|error| SourceError::Unreadable(error.to_string())),
        }
    }
}

/// The providers of these targets, each once.
fn used(targets: &[Arc<Target>]) -> BTreeMap<ProviderId, Arc<Provider>> {
    targets.iter().map(|target| (target.provider.id.clone(), Arc::clone(&target.provider))).collect()
}

/// What a file looked like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Looks {
    stamp: Option<(SystemTime, u64, u64)>,
    content: Vec<u8>,
}

impl Looks {
    /// A first look.
    pub(super) fn of(path: &Path) -> Self {
        Self { stamp: stamp(path), content: fs::read(path).unwrap_or_default() }
    }

    /// Looks again; says whether there is new content. A file that cannot be read now, because it is being replaced, is
    /// looked at again later.
    pub(super) fn changed(&mut self, path: &Path) -> bool {
        let stamp = stamp(path);
        if stamp == self.stamp {
            return false;
        }
        let Ok(content) = fs::read(path) else { return false };
        self.stamp = stamp;
        let changed = content != self.content;
        self.content = content;
        changed
    }
}

/// What changes when a file is written or replaced: time, inode, size.
fn stamp(path: &Path) -> Option<(SystemTime, u64, u64)> {
    let metadata = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let inode = 0;
    Some((metadata.modified().ok()?, inode, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_is_noticed_and_a_touched_or_missing_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("probes.yaml");
        fs::write(&path, "one").unwrap();
        let mut looks = Looks::of(&path);
        assert!(!looks.changed(&path));
        let write = |text: &str| {
            let fresh = directory.path().join("fresh");
            fs::write(&fresh, text).unwrap();
            fs::rename(&fresh, &path).unwrap();
        };
        write("two");
        assert!(looks.changed(&path));
        write("two");
        assert!(!looks.changed(&path), "the same content");
        fs::remove_file(&path).unwrap();
        assert!(!looks.changed(&path), "an editor may be replacing it");
        write("three");
        assert!(looks.changed(&path));
    }
}
