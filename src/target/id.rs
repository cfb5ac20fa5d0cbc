//! The names of things: providers, targets and LLMs. Each is its own type, so that one is never taken for another.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// Why a name cannot be one. The text fits after "failed to".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The name is empty.
    #[error("a name cannot be empty")]
    Empty,
    /// The name has a character that would have to be escaped in a shell, a metric label or a file name.
    #[error("`{0}` is not allowed in a name: use letters, digits, `.`, `_` and `-`")]
    Character(char),
    /// The name is longer than 100 characters.
    #[error("a name has at most 100 characters, this one has {0}")]
    Length(usize),
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        pub struct $name(Arc<str>);

        impl $name {
            /// A name from text: 1 to 100 letters, digits, `.`, `_` and `-`.
            pub fn new(text: &str) -> Result<Self, IdError> {
                let length = text.chars().count();
                if length == 0 {
                    return Err(IdError::Empty);
                }
                if length > 100 {
                    return Err(IdError::Length(length));
                }
                match text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))) {
                    Some(c) => Err(IdError::Character(c)),
                    None => Ok(Self(text.into())),
                }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name! {
    /// The name of a provider, unique within one configuration.
    ProviderId
}
name! {
    /// The name of a target, unique within one configuration. Logs, metrics, history and gates all use it.
    TargetId
}

/// The id of an LLM as its provider spells it (`hf:zai-org/GLM-4.6`). Case matters to most providers, so it is kept
/// as it was written; `config/` refuses control characters and surrounding space.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ModelId(Arc<str>);

/// The id that stands for none, where a target was made of a base URL alone. Nothing is asked for by it.
pub const NO_MODEL: &str = "(none named)";

impl ModelId {
    /// Takes the id as it stands.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_needs_no_escaping_anywhere() {
        assert!(TargetId::new("glm-4.6_review").is_ok());
        assert_eq!(TargetId::new(""), Err(IdError::Empty));
        assert_eq!(TargetId::new("a b"), Err(IdError::Character(' ')));
        assert_eq!(TargetId::new("a\u{1b}b"), Err(IdError::Character('\u{1b}')));
        assert_eq!(ProviderId::new(&"x".repeat(101)), Err(IdError::Length(101)));
    }
}
