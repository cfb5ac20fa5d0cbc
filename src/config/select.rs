//! Which targets a command is about.

use std::collections::HashSet;

use super::Config;
use super::keys::nearest;
use crate::target::Target;

/// How many known names an error lists.
const LISTED: usize = 10;

/// Why nothing can be selected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// A name that nothing has.
    #[error("there is no {kind} `{name}`{} {}: {}", did_you_mean(.nearest.as_deref()), plural(.kind), listed(.known))]
    Unknown {
        /// What it was to be the name of: `target`, `tag` or `provider`.
        kind: &'static str,
        /// The name.
        name: String,
        /// The known name that resembles it most, if any does.
        nearest: Option<String>,
        /// Every known name.
        known: Vec<String>,
    },
    /// No target is everything that was asked for.
    #[error("no target matches {0}")]
    Nothing(String),
}

fn did_you_mean(name: Option<&str>) -> String {
    name.map_or_else(|| ".".to_owned(), |name| format!("; did you mean `{name}`?"))
}

/// What begins the list of what there is.
fn plural(kind: &str) -> &'static str {
    match kind {
        "target" => "Targets",
        "tag" => "Tags",
        _ => "Providers",
    }
}

/// The first of some names, and how many more there are.
fn listed(names: &[String]) -> String {
    let mut out = names.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LISTED) {
        0 if names.is_empty() => "none".to_owned(),
        0 => out,
        more => {
            out.push_str(&format!(" and {more} more"));
            out
        }
    }
}

impl Config {
    /// The targets that have one of the names, one of the tags and one of the providers, in the order of the text. An
    /// empty list asks for nothing. There is always at least one.
    pub fn select<S: AsRef<str>>(&self, names: &[S], tags: &[S], providers: &[S]) -> Result<Vec<Target>, SelectError> {
        known("target", names, self.targets.iter().map(|target| target.id.as_str()))?;
        let all_tags = self.targets.iter().flat_map(|target| &target.tags);
        known("tag", tags, all_tags.map(String::as_str))?;
        known("provider", providers, self.providers.iter().map(|provider| provider.id.as_str()))?;

        let selected: Vec<Target> = self
            .targets
            .iter()
            .filter(|target| {
                asked(names, |name| name == target.id.as_str())
                    && asked(tags, |tag| target.tags.iter().any(|own| own == tag))
                    && asked(providers, |name| name == target.provider.id.as_str())
            })
            .cloned()
            .collect();
        if selected.is_empty() {
            return Err(SelectError::Nothing(described(&[("target", names), ("tag", tags), ("provider", providers)])));
        }
        Ok(selected)
    }
}

/// Whether one of the wanted is it, or none is wanted.
fn asked<S: AsRef<str>>(wanted: &[S], is: impl Fn(&str) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(|wanted| is(wanted.as_ref()))
}

/// Refuses a name that nothing has.
fn known<'c, S: AsRef<str>>(
    kind: &'static str,
    wanted: &[S],
    names: impl Iterator<Item = &'c str>,
) -> Result<(), SelectError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let mut seen = HashSet::new();
    let all: Vec<&str> = names.filter(|name| seen.insert(*name)).collect();
    let unknown = wanted.iter().map(AsRef::as_ref).find(|name| !seen.contains(name));
    match unknown {
        None => Ok(()),
        Some(name) => Err(SelectError::Unknown {
            kind,
            name: name.to_owned(),
            nearest: nearest(name, all.iter().copied()).map(str::to_owned),
            known: all.into_iter().map(str::to_owned).collect(),
        }),
    }
}

/// What was asked for, in words.
fn described<S: AsRef<str>>(asked: &[(&str, &[S])]) -> String {
    let parts: Vec<String> = asked
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(kind, names)| {
            let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
            format!("{kind} {}", names.join(" or "))
        })
        .collect();
    parts.join(" with ")
}
