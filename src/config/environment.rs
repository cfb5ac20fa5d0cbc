//! The environment, captured once. Everything that depends on a variable takes an [`Environment`], so that tests give
//! it one and nothing reads the process's own behind its caller's back.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use super::Note;
use super::env_file::EnvFile;
use crate::store::StatePlaces;

/// The variables of a process, with those of an optional `.env` file.
#[derive(Clone, Default)]
pub struct Environment {
    variables: HashMap<OsString, OsString>,
    notes: Vec<Note>,
}

/// What a variable holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variable<'e> {
    Unset,
    /// It is set, and not to UTF-8 text.
    NotText,
    Text(&'e str),
}

/// Why a file of variables could not be read. The text fits after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum EnvFileError {
    /// The system did not give it.
    #[error("read the variables of {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is too large to be one (the limit is 1 MiB).
    #[error("read the variables of {0}: it is larger than 1 MiB, so it is no such file")]
    TooLarge(PathBuf),
    /// It is not UTF-8.
    #[error("read the variables of {0}: it is not UTF-8 text")]
    NotText(PathBuf),
}

/// Whether this process belongs to root, as far as the system shows it.
fn is_root() -> bool {
    #[cfg(target_os = "linux")]
    {
        use std::os::linux::fs::MetadataExt;
        std::fs::metadata("/proc/self").is_ok_and(|process| process.st_uid() == 0)
    }
    #[cfg(not(target_os = "linux"))]
    false
}

impl Environment {
    /// The environment of this process, as it is now.
    #[must_use]
    pub fn from_process() -> Self {
        Self { variables: std::env::vars_os().collect(), notes: Vec::new() }
    }

    /// An environment of these variables alone.
    pub fn from_pairs<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        Self {
            variables: pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
            notes: Vec::new(),
        }
    }

    /// Adds the variables of a `.env` file. A variable that the process has already keeps its value, as with other
    /// tools that read such files: what a person sets on the command line counts for more than a file.
    pub fn with_env_file(self, path: &Path) -> Result<Self, EnvFileError> {
        let file = EnvFile::read(path)?;
        let mut environment = self.over(&file);
        environment.notes.extend(file.notes());
        Ok(environment)
    }

    /// The same with a file that was read already, whose notes are told elsewhere.
    #[must_use]
    pub fn over(mut self, file: &EnvFile) -> Self {
        for pair in file.pairs() {
            self.variables.entry(pair.name.clone().into()).or_insert_with(|| pair.value.clone().into());
        }
        self
    }

    /// What is odd about the `.env` file, with its lines. No note has any part of a value.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The text of a variable. `None` where it is not set, or not to UTF-8.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.os(name).and_then(OsStr::to_str)
    }

    /// The value of a variable that names a file, where it is set and not empty.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// Where the state of the service may be kept, `flag` being what was said on the command line.
    #[must_use]
    pub fn state_places(&self, flag: Option<PathBuf>) -> StatePlaces {
        StatePlaces {
            flag,
            state_directory_env: self.path("STATE_DIRECTORY"),
            xdg_state_home: self.path("XDG_STATE_HOME"),
            home: self.path("HOME"),
            root: is_root(),
        }
    }

    /// What a variable holds.
    pub(super) fn look_up(&self, name: &str) -> Variable<'_> {
        match self.os(name) {
            None => Variable::Unset,
            Some(value) => value.to_str().map_or(Variable::NotText, Variable::Text),
        }
    }

    fn os(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }
}

impl fmt::Debug for Environment {
    /// The number of variables: their values hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.variables.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_counts_for_more_than_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".env");
        std::fs::write(&path, "A=file\nB=file\n").unwrap();
        let environment = Environment::from_pairs([("A", "process")]).with_env_file(&path).unwrap();
        assert_eq!(environment.get("A"), Some("process"));
        assert_eq!(environment.get("B"), Some("file"));
        assert_eq!(format!("{environment:?}"), "Environment(2 variables)");
    }

    #[test]
    fn a_file_that_is_none_is_an_error_with_its_path() {
        let error = Environment::default().with_env_file(Path::new("/nonexistent/.env")).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("read the variables of /nonexistent/.env: No such file"), "{text}");
    }
}
