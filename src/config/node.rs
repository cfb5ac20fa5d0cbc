//! The tree that YAML text becomes: every key and value with its place, every scalar as it was spelled.
//!
//! No type is guessed here. Whether `1.10` is a version, an LLM's name or a mistake is for the table of keys to say, so
//! a scalar keeps its text, and whether it was written plain or in quotes.

use std::borrow::Cow;

/// A place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Span {
    /// Byte offset of the first byte.
    pub(super) start: usize,
    /// Byte offset after the last byte.
    pub(super) end: usize,
    /// Line, from 1.
    pub(super) line: u32,
    /// Column in characters, from 1.
    pub(super) column: u32,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    pub(super) value: Value<'a>,
    pub(super) span: Span,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    /// Nothing, `~` or `null`, written plain.
    Null,
    /// Any other scalar.
    Scalar(Scalar<'a>),
    /// A list.
    Sequence(Vec<Node<'a>>),
    /// Keys and values in the order of the text. A repeated key is reported by the parser and left out here.
    Mapping(Vec<(Key<'a>, Node<'a>)>),
}

/// A scalar as it was spelled, escapes resolved.
#[derive(Debug, Clone)]
pub(super) struct Scalar<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) style: Style,
}

/// How a scalar was written: `8` is a number and `"8"` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Quoted,
}

/// Which of two values counts where a key is written twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeated {
    /// The first: the file is refused in any case.
    First,
    /// The last, as PyYAML has it.
    Last,
}

/// A key of a mapping.
#[derive(Debug, Clone)]
pub(super) struct Key<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) span: Span,
}

impl<'a> Node<'a> {
    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Option<&[Node<'a>]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The keys and values of a mapping.
    pub(super) fn entries(&self) -> Option<&[(Key<'a>, Node<'a>)]> {
        match &self.value {
            Value::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// What to call it in a sentence: "a list".
    pub(super) fn noun(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar(_) => "a single value",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }

    /// How many nodes it is made of, itself included.
    pub(super) fn size(&self) -> usize {
        match &self.value {
            Value::Null | Value::Scalar(_) => 1,
            Value::Sequence(items) => 1 + items.iter().map(Node::size).sum::<usize>(),
            Value::Mapping(entries) => 1 + entries.iter().map(|(_, value)| 1 + value.size()).sum::<usize>(),
        }
    }
}
