//! probes.yaml: from text to targets and settings.
//!
//! The way of a file: `parse` makes a tree of it, in which every value has its place; `shape` compares the tree with
//! the one table of keys (`table`); `resolve` merges the layers (target, provider, defaults, preset) and looks names
//! up; what comes out is a [`Config`] of the types of other rooms. Every mistake on the way is collected and reported
//! at once ([`Mistakes`]). The JSON Schema and the reference in the documentation are made from the same table.
//!
//! Nothing is printed here, and no key is read but by [`read_credential`].

mod credential;
mod env_file;
mod env_value;
mod environment;
mod fields;
mod find;
mod forms;
pub mod import;
mod keep_alive;
mod keys;
mod load;
mod mask;
mod mistakes;
mod node;
mod notes;
mod parse;
mod presets;
mod proxies;
mod reference;
mod resolve;
mod schema;
mod select;
mod shape;
mod show;
mod show_network;
mod show_quota;
mod table;
mod table_of_networks;
mod table_of_quota;
mod table_of_times;
mod values;
mod values_of_networks;
mod values_of_quota;
mod values_of_times;
mod words;
mod zones;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use credential::read_credential;
pub use env_file::EnvFile;
pub use environment::{EnvFileError, Environment};
pub use find::{NotFound, find};
pub use import::{AdHoc, AdHocError, NO_MODEL, ad_hoc};
pub use keys::nearest;
pub use load::{LoadError, load, load_bytes};
pub use mistakes::Mistakes;
pub use presets::presets_markdown;
pub use reference::reference_markdown;
pub use schema::schema;
pub use select::SelectError;
pub use values::is_variable_name;

use load::read_at_most;

use crate::outcome::{Damping, Witness};
use crate::plan::{Assumed, Maintenance, NamedGate, TargetSchedule};
use crate::quota::QuotaSettings;
use crate::store::Retention;
use crate::target::{Provider, ProviderId, Target, TargetId};

/// A valid probes.yaml.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The file, as it was named.
    pub path: PathBuf,
    /// Its folder: what relative paths in it are relative to.
    pub directory: PathBuf,
    /// The providers, in the order of the text. At least one.
    pub providers: Vec<Arc<Provider>>,
    /// The targets, in the order of the text. At least one.
    pub targets: Vec<Target>,
    /// The gates, in the order of the text.
    pub gates: Vec<NamedGate>,
    /// The schedules of those targets that have any.
    pub schedules: BTreeMap<TargetId, TargetSchedule>,
    /// What is stated of the use of those targets of which anything is.
    pub assumptions: BTreeMap<TargetId, Assumed>,
    /// What is said of each provider's quota.
    pub quotas: BTreeMap<ProviderId, QuotaSettings>,
    /// How many outcomes change a status.
    pub damping: Damping,
    /// When somebody works on what, in the order of the text.
    pub maintenance: Vec<Maintenance>,
    /// Who tells whether this machine is online.
    pub witness: Witness,
    /// For how long history is kept.
    pub retention: Retention,
    /// What is allowed and probably not meant, in the order of the text.
    pub notes: Vec<Note>,
    provider_origins: resolve::ProviderOrigins,
    target_origins: resolve::TargetOrigins,
}

/// A hint about a line of a file. It has no part of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The line, from 1.
    pub line: u32,
    /// The hint, in one sentence.
    pub text: String,
    /// What it is about. Empty where it is about the file.
    pub about: Vec<Subject>,
}

/// What a note is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A provider, and so every target of it.
    Provider(ProviderId),
    /// A target.
    Target(TargetId),
}

impl Config {
    fn empty(path: &Path, directory: &Path) -> Self {
        Self {
            path: path.to_owned(),
            directory: directory.to_owned(),
            providers: Vec::new(),
            targets: Vec::new(),
            gates: Vec::new(),
            schedules: BTreeMap::new(),
            assumptions: BTreeMap::new(),
            quotas: BTreeMap::new(),
            damping: Damping::default(),
            maintenance: Vec::new(),
            witness: Witness::default(),
            retention: Retention::default(),
            notes: Vec::new(),
            provider_origins: BTreeMap::new(),
            target_origins: BTreeMap::new(),
        }
    }
}
