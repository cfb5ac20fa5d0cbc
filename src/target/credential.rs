//! Keys: where one comes from, how it is sent, and the secret itself, which cannot be printed.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

/// Where a provider's key comes from. Printing a source is safe: it names the place, never the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// The provider needs no key.
    NotNeeded,
    /// An environment variable, or a line of the file given with `--env-file`.
    Env(String),
    /// A file, such as a mounted secret or one of systemd's credentials.
    File(PathBuf),
    /// A program and its arguments; the key is its standard output.
    Command(Vec<String>),
    /// Written in probes.yaml, which is allowed for loopback addresses only.
    Literal(Secret),
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNeeded => f.write_str("no key"),
            Self::Env(name) => write!(f, "the variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            // Arguments may carry what should not be shown; the program's name is enough to find it.
            Self::Command(words) => write!(f, "the command {}", words.first().map_or("", String::as_str)),
            Self::Literal(_) => f.write_str("probes.yaml"),
        }
    }
}

/// A secret text. `Debug` shows `[REDACTED]`, there is no `Display`, and memory is cleared when it is dropped.
#[derive(Debug, Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a secret as it was found, with whatever space or quotes are around it: the `credential` stage judges it.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The text itself. For building a request header and for looking at its shape; never for showing.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

/// Why a key could not be had. No variant carries any part of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialFault {
    /// The environment variable is not set.
    #[error("the variable {0} is not set")]
    VariableUnset(String),
    /// The environment variable is set to nothing.
    #[error("the variable {0} is empty")]
    VariableEmpty(String),
    /// The environment variable is not UTF-8.
    #[error("the variable {0} is not UTF-8 text")]
    VariableNotText(String),
    /// The file could not be read.
    #[error("the file {path} could not be read: {reason}")]
    FileUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file holds nothing.
    #[error("the file {0} is empty")]
    FileEmpty(PathBuf),
    /// The file is too large to be a key (the limit is 64 KiB).
    #[error("the file {0} is larger than 64 KiB, so it is not a key")]
    FileTooLarge(PathBuf),
    /// The command could not be run or failed.
    #[error("the command {program} failed: {reason}")]
    CommandFailed {
        /// The program.
        program: String,
        /// Its exit status, or what the system said.
        reason: String,
    },
    /// The command printed nothing.
    #[error("the command {0} printed nothing")]
    CommandSilent(String),
}

/// A provider's key as it was found, before anything is said of its shape.
#[derive(Debug, Clone)]
pub enum Credential {
    /// The provider needs none.
    NotNeeded,
    /// A secret, with the place it came from.
    Found {
        /// Where it came from.
        source: CredentialSource,
        /// The key, as found.
        secret: Secret,
    },
    /// There is none where one was expected.
    Missing {
        /// Where it should be.
        source: CredentialSource,
        /// What was found instead.
        fault: CredentialFault,
    },
}

impl Credential {
    /// The secret, where there is one.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Found { secret, .. } => Some(secret),
            Self::NotNeeded | Self::Missing { .. } => None,
        }
    }
}

/// The request header that carries the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyHeader {
    /// `Authorization: Bearer <key>`.
    Bearer,
    /// `<name>: <key>`, such as Anthropic's `x-api-key` or Azure's `api-key`. The name is a valid header name.
    Named(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed_by_anything_that_holds_it() {
        let secret = Secret::new("syn_0123456789".to_owned());
        let credential = Credential::Found { source: CredentialSource::Literal(secret.clone()), secret };
        assert!(!format!("{credential:?}").contains("0123"));
        if let Credential::Found { source, .. } = &credential {
            assert!(!format!("{source}").contains("0123"));
        }
    }
}
