//! What an import comes to, before it is text: providers, targets, gates and remarks, each with the line it came from.

use std::path::Path;

use super::NO_MODEL;
use super::litellm_key::WrittenOut;
use super::names::Names;
use super::write::{Unnamed, write};
use crate::config::mask::is_unseen;
use crate::config::{Config, Environment, LoadError, load_bytes};
use crate::config::{presets, values};
use crate::target::{BaseUrl, Depth, Kind};

/// A probes.yaml that is being put together. It names variables and holds no key.
#[derive(Debug, Default)]
pub struct Draft {
    /// What stands above everything else, as comments.
    pub(super) header: Vec<String>,
    pub(super) providers: Vec<DraftProvider>,
    pub(super) targets: Vec<DraftTarget>,
    pub(super) gates: Vec<DraftGate>,
    pub(super) remarks: Vec<Remark>,
    /// The variables for keys that are written out in the source.
    pub(super) written_out: WrittenOut,
    provider_names: Names,
    target_names: Names,
    gate_names: Names,
}

/// Something to say about the source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// The line of the source, from 1. Absent where it is about all of it.
    pub line: Option<u32>,
    /// What became of it.
    pub kind: RemarkKind,
    /// One sentence, without any part of a value that may be secret.
    pub text: String,
}

/// What became of a part of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RemarkKind {
    /// It is a target now.
    Mapped,
    /// It could not be mapped; the text says why, and what to do.
    NotMapped,
    /// It was mapped, and there is something to know about it.
    Odd,
}

/// Where a provider's key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DraftKey {
    /// From where its preset says.
    Preset,
    /// It asks for none.
    NotNeeded,
    /// From the first of these variables that is set.
    Env(Vec<String>),
    /// From this variable if it is set; else it asks for none.
    IfSet(String),
}

/// An account.
#[derive(Debug)]
pub(super) struct DraftProvider {
    pub(super) name: String,
    pub(super) preset: &'static str,
    /// What it is where the preset's own is not.
    pub(super) base_url: Option<String>,
    pub(super) key: DraftKey,
    /// Whether an LLM that is not in its list may be there all the same, whatever the preset says.
    pub(super) lists_not_all: bool,
    /// Whether its list of models refuses a wrong key, and is what proves one.
    pub(super) list_proves_key: bool,
    pub(super) comments: Vec<String>,
    pub(super) line: u32,
}

/// A target.
#[derive(Debug, Clone)]
pub(super) struct DraftTarget {
    pub(super) name: String,
    pub(super) provider: String,
    /// Absent where the source names none: it is for somebody to choose.
    pub(super) model: Option<String>,
    pub(super) kind: Kind,
    pub(super) depth: Option<Depth>,
    /// When it is kept warm: `during`, and its time zone.
    pub(super) warm: Option<(String, Option<String>)>,
    pub(super) tags: Vec<String>,
    pub(super) comments: Vec<String>,
    pub(super) line: u32,
}

/// A rule over targets.
#[derive(Debug)]
pub(super) struct DraftGate {
    pub(super) name: String,
    pub(super) rule: DraftRule,
    pub(super) comments: Vec<String>,
    pub(super) line: u32,
}

/// The rules that an import makes.
#[derive(Debug)]
pub(super) enum DraftRule {
    Any(Vec<String>),
    Main { main: String, fallback: Vec<String> },
}

impl Draft {
    /// Adds a provider, or finds the one that is the same but for its name and its comments. Says its name.
    pub(super) fn provider(&mut self, wished: DraftProvider) -> String {
        let of = |provider: &DraftProvider| (provider.preset, provider.base_url.clone(), provider.key.clone());
        let same = self.providers.iter().find(|known| of(known) == of(&wished));
        if let Some(known) = same {
            return known.name.clone();
        }
        let name = self.provider_names.take(&wished.name);
        self.providers.push(DraftProvider { name: name.clone(), ..wished });
        name
    }

    /// Adds a target. Says the name it got.
    pub(super) fn target(&mut self, wished: DraftTarget) -> String {
        let name = self.target_names.take(&wished.name);
        self.targets.push(DraftTarget { name: name.clone(), ..wished });
        name
    }

    /// Says something above the target that was added last.
    pub(super) fn comment(&mut self, text: String) {
        if let Some(target) = self.targets.last_mut() {
            target.comments.push(text);
        }
    }

    /// Adds a gate.
    pub(super) fn gate(&mut self, wished: DraftGate) {
        let name = self.gate_names.take(&wished.name);
        self.gates.push(DraftGate { name, ..wished });
    }

    /// Adds a remark.
    pub(super) fn remark(&mut self, line: Option<u32>, kind: RemarkKind, text: impl Into<String>) {
        // Names and ids in it come from a file of others.
        let text = text.into().replace(is_unseen, "\u{fffd}");
        self.remarks.push(Remark { line, kind, text });
    }

    /// What is to be said of the source, in the order of its lines.
    #[must_use]
    pub fn remarks(&self) -> Vec<Remark> {
        let mut remarks = self.remarks.clone();
        remarks.sort_by_key(|remark| remark.line);
        remarks
    }

    /// How many targets there are that name a model. A draft with none is no probes.yaml.
    #[must_use]
    pub fn target_count(&self) -> usize {
        self.targets.iter().filter(|target| target.model.is_some()).count()
    }

    /// The targets that still want a model, and the provider of each.
    #[must_use]
    pub fn wanting(&self) -> Vec<(String, String)> {
        let wanting = self.targets.iter().filter(|target| target.model.is_none());
        wanting.map(|target| (target.name.clone(), target.provider.clone())).collect()
    }

    /// Names the model of a target that wants one, and says above it why that one. Says what is wrong with the id, if
    /// anything is.
    pub fn choose(&mut self, target: &str, model: &str, why: &str) -> Result<(), String> {
        values::model(model).map_err(|problem| problem.reason)?;
        if let Some(target) = self.targets.iter_mut().find(|known| known.name == target && known.model.is_none()) {
            target.model = Some(model.to_owned());
            target.comments.push(why.to_owned());
        }
        Ok(())
    }

    /// The text of a probes.yaml, with comments. Targets without a model are comments too.
    #[must_use]
    pub fn yaml(&self) -> String {
        write(self, Unnamed::Commented).text
    }

    /// The configuration that this is. Its places are those of `source`, the file it was made from. A target without a
    /// model has [`NO_MODEL`](super::NO_MODEL), which no probe at depth `auth` asks for.
    ///
    /// # Errors
    /// Only where this draft has no targets, or what was mapped is not allowed after all.
    pub fn config(&self, source: &Path, environment: &Environment) -> Result<Config, LoadError> {
        let written = write(self, Unnamed::Kept);
        let mut config = load_bytes(source, written.text.as_bytes(), environment)?;
        let origin = |line: u32| {
            let index = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
            written.origins.get(index).copied().filter(|line| *line > 0).unwrap_or(1)
        };
        for target in &mut config.targets {
            target.line = origin(target.line);
        }
        for gate in &mut config.gates {
            gate.line = origin(gate.line);
        }
        // What is said of an id that is none helps nobody.
        config.notes.retain(|note| !note.text.contains(NO_MODEL));
        for note in &mut config.notes {
            note.line = origin(note.line);
        }
        Ok(config)
    }
}

/// A provider at a base URL, with the preset that fits it and no more said than has to be.
pub(super) fn provider_at(base_url: &BaseUrl, preset: &'static str, key: DraftKey, line: u32) -> DraftProvider {
    let known = presets::facts(preset);
    let base_url = base_url.to_string();
    let key = match (&key, known.key_variables.first()) {
        (DraftKey::Env(names), Some(first)) if names.len() == 1 && names.first() == Some(first) => DraftKey::Preset,
        _ => key,
    };
    DraftProvider {
        name: preset.to_owned(),
        preset,
        base_url: (known.base_url.as_deref() != Some(base_url.as_str())).then_some(base_url),
        key,
        lists_not_all: false,
        list_proves_key: false,
        comments: Vec::new(),
        line,
    }
}
