//! Reads typed values from the tree.
//!
//! `shape.rs` has reported whatever is wrong with a value by itself, so these functions only answer `None` there: one
//! mistake is reported once.

use std::time::Duration;

use super::keys::{Choices, Section};
use super::node::{Key, Node, Span, Style, Value};
use super::shape;

/// The values of a mapping with fixed keys.
#[derive(Clone, Copy)]
pub(super) struct Fields<'n, 'a> {
    section: &'static Section,
    entries: &'n [(Key<'a>, Node<'a>)],
    /// Whether a name in it is not in the table. Only then is it worth while to look for what was meant.
    odd: bool,
    /// Where the mapping is.
    pub(super) span: Span,
}

impl<'n, 'a> Fields<'n, 'a> {
    /// The mapping of a node. `None` where it is not one.
    pub(super) fn of(node: &'n Node<'a>, section: &'static Section) -> Option<Self> {
        let entries = node.entries()?;
        let odd = entries.iter().any(|(name, _)| section.key(&name.text).is_none());
        Some(Self { section, entries, odd, span: node.span })
    }

    /// The value of a key, unless it is empty. A misspelt key gives its value too: the misspelling is reported already,
    /// and what is wrong with the value is to be reported in the same run.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node<'a>> {
        debug_assert!(self.section.key(key).is_some(), "{key} is not in the table");
        let exact = self.entries.iter().find(|(name, _)| name.text == key);
        let misspelt = || {
            let taken =
                |name: &str, node| shape::taken_for(name, node, self.section).is_some_and(|taken| taken.name == key);
            self.entries.iter().filter(|_| self.odd).find(|(name, node)| taken(&name.text, node))
        };
        exact.or_else(misspelt).map(|(_, node)| node).filter(|node| !matches!(node.value, Value::Null))
    }

    /// Whether a key is written at all, be it empty or wrong, or under a name that was taken for it.
    pub(super) fn mentions(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, _)| name.text == key || shape::meant(&name.text, self.section) == Some(key))
    }

    /// The text of a key.
    pub(super) fn text(&self, key: &str) -> Option<&'n str> {
        self.get(key).and_then(Node::text)
    }

    /// The place of a key's value, else of the mapping.
    pub(super) fn span_of(&self, key: &str) -> Span {
        self.get(key).map_or(self.span, |node| node.span)
    }

    /// The mapping under a key.
    pub(super) fn section(&self, key: &str, section: &'static Section) -> Option<Fields<'n, 'a>> {
        self.get(key).and_then(|node| Fields::of(node, section))
    }

    /// The items of a list.
    pub(super) fn items(&self, key: &str) -> &'n [Node<'a>] {
        self.get(key).and_then(Node::items).unwrap_or_default()
    }

    /// The names and values of a mapping of the user's names.
    pub(super) fn map(&self, key: &str) -> &'n [(Key<'a>, Node<'a>)] {
        self.get(key).and_then(Node::entries).unwrap_or_default()
    }
}

/// A whole number.
pub(super) fn number(node: &Node<'_>) -> Option<u64> {
    match &node.value {
        Value::Scalar(scalar) if scalar.style == Style::Plain => shape::number(&scalar.text),
        _ => None,
    }
}

/// A boolean.
pub(super) fn boolean(node: &Node<'_>) -> Option<bool> {
    match node.text() {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => None,
    }
}

/// What a word stands for.
pub(super) fn word<T: Copy + PartialEq>(choices: &Choices<T>, node: &Node<'_>) -> Option<T> {
    node.text().and_then(|text| choices.value(text))
}

/// A duration, read by one of the functions of `values.rs`.
pub(super) fn duration(
    read: fn(&str) -> Result<Duration, super::values::Problem>,
    node: &Node<'_>,
) -> Option<Duration> {
    node.text().and_then(|text| read(text).ok())
}
