//! Layers of the same keys, the nearest first: a target's own, its provider's, the defaults, a preset's. Each value is
//! taken from the nearest layer that has it, and remembers from which.

use super::super::fields::Fields;
use super::super::keys::Section;
use super::super::node::Node;

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Origin {
    /// Nothing says it; this is what pilotlight does.
    BuiltIn,
    /// The preset.
    Preset,
    /// `defaults`.
    Defaults,
    /// The provider, in probes.yaml.
    Provider,
    /// The target.
    Target,
}

impl Origin {
    /// The word that `config show` writes behind a value.
    pub(in super::super) fn word(self) -> &'static str {
        match self {
            Self::BuiltIn => "built in",
            Self::Preset => "preset",
            Self::Defaults => "defaults",
            Self::Provider => "provider",
            Self::Target => "target",
        }
    }
}

/// Where each value of a provider or target came from, by key (`expect.first_token`). What is not in it was not said
/// anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Origins(Vec<(&'static str, Origin)>);

impl Origins {
    pub(in super::super) fn of(&self, key: &str) -> Origin {
        self.0.iter().find(|(known, _)| *known == key).map_or(Origin::BuiltIn, |(_, origin)| *origin)
    }

    pub(super) fn set(&mut self, key: &'static str, origin: Origin) {
        self.0.push((key, origin));
    }
}

/// Mappings with the same keys, the nearest first.
pub(super) struct Layers<'n, 'a>(Vec<(Origin, Fields<'n, 'a>)>);

impl<'n, 'a> Layers<'n, 'a> {
    pub(super) fn new(layers: impl IntoIterator<Item = (Origin, Option<Fields<'n, 'a>>)>) -> Self {
        Self(layers.into_iter().filter_map(|(origin, fields)| Some((origin, fields?))).collect())
    }

    /// The nearest value of a key.
    pub(super) fn find(&self, key: &str) -> Option<(Origin, &'n Node<'a>)> {
        self.0.iter().find_map(|(origin, fields)| Some((*origin, fields.get(key)?)))
    }

    /// The values of a key in all layers, the nearest first. `none` hides those behind it.
    pub(super) fn each(&self, key: &str) -> impl Iterator<Item = (Origin, &'n Node<'a>)> {
        self.0
            .iter()
            .filter_map(move |(origin, fields)| Some((*origin, fields.get(key)?)))
            .take_while(|(_, node)| node.entries().is_some())
    }

    /// The value of a key in the furthest layer: what would hold if nothing were laid over it.
    pub(super) fn behind(&self, key: &str) -> Option<&'n Node<'a>> {
        self.0.last().and_then(|(_, fields)| fields.get(key))
    }

    /// The nearest value of a key, read; its origin is remembered. A default for what is not said, or not readable
    /// (which is reported elsewhere).
    pub(super) fn value<T>(
        &self,
        origins: &mut Origins,
        key: &'static str,
        default: T,
        read: impl Fn(&'n Node<'a>) -> Option<T>,
    ) -> T {
        match self.find(key) {
            Some((origin, node)) => {
                origins.set(key, origin);
                read(node).unwrap_or(default)
            }
            None => default,
        }
    }

    /// The nearest text of a key that can be switched off with `none`.
    pub(super) fn text_or_none(&self, origins: &mut Origins, key: &'static str) -> Option<String> {
        self.value(origins, key, None, |node| Some(node.text().filter(|text| *text != "none").map(str::to_owned)))
    }

    /// The layers of a mapping within, so that a single key of it can be overridden. `none` hides those behind it.
    pub(super) fn section(&self, key: &str, section: &'static Section) -> Layers<'n, 'a> {
        Layers(
            self.0
                .iter()
                .filter_map(|(origin, fields)| Some((*origin, fields.get(key)?)))
                .map_while(|(origin, node)| Some((origin, Fields::of(node, section)?)))
                .collect(),
        )
    }

    /// Whether no layer says anything.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
