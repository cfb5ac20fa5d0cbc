//! A file to a [`Config`], or to all that is wrong with it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::mistakes::{Mistake, Mistakes};
use super::node::{Node, Span, Value};
use super::table::ROOT;
use super::{Config, Environment, mask, parse, resolve, shape};

/// Why a file is not a configuration. The text fits after "failed to", but for that of mistakes.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The system did not give it.
    #[error("read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is too large to be one.
    #[error("read {path}: it is larger than {limit} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: usize,
    },
    /// It was read, and something in it is wrong.
    #[error(transparent)]
    Mistakes(Box<Mistakes>),
}

/// Loads a probes.yaml. The environment only decides which of several variables a key comes from, and fills headers
/// that name one: no key is read.
pub fn load(path: &Path, environment: &Environment) -> Result<Config, LoadError> {
    match read_at_most(path, parse::MAX_BYTES) {
        Ok(Some(bytes)) => load_bytes(path, &bytes, environment),
        Ok(None) => Err(too_large(path)),
        Err(source) => Err(LoadError::Unreadable { path: path.to_owned(), source }),
    }
}

/// The same for bytes that are there already. `path` is for messages, and for relative paths within.
pub fn load_bytes(path: &Path, bytes: &[u8], environment: &Environment) -> Result<Config, LoadError> {
    if bytes.len() > parse::MAX_BYTES {
        return Err(too_large(path));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => return Err(not_text(path, bytes, error.valid_up_to())),
    };
    let mut mistakes = Vec::new();
    let root = parse::parse(text, &mut mistakes);
    let config = match &root {
        Some(root) => understand(root, path, environment, &mut mistakes),
        None => {
            if mistakes.is_empty() {
                mistakes.push(empty());
            }
            None
        }
    };
    match config {
        Some(config) if mistakes.is_empty() => Ok(config),
        _ => {
            // A file that could not be read to its end has no tree to say what is secret.
            let masked = match &root {
                Some(root) if !mistakes.iter().any(|mistake| mistake.syntax) => mask::mask_tree(text, root),
                _ => mask::mask_lines(text),
            };
            Err(LoadError::Mistakes(Box::new(Mistakes::new(path, masked, mistakes))))
        }
    }
}

/// Checks and resolves a tree. All mistakes are added.
fn understand(root: &Node<'_>, path: &Path, environment: &Environment, mistakes: &mut Vec<Mistake>) -> Option<Config> {
    if root.entries().is_none() {
        mistakes.push(match &root.value {
            Value::Null => empty(),
            _ => Mistake::at(root.span, format!("the file is {}, and should be a mapping", root.noun()))
                .fix("begin with `version: 1`, `providers:` and `targets:`"),
        });
        return None;
    }
    // The keys of another version are not known, so nothing else can be said of such a file.
    let version = root.entries().unwrap_or_default().iter().find(|(key, _)| key.text == "version");
    if let Some((_, node)) = version
        && let Some(text) = node.text()
        && let Err(problem) = super::values::version(text)
    {
        let mistake = Mistake::at(node.span, problem.reason);
        mistakes.clear();
        mistakes.push(match problem.fix {
            Some(fix) => mistake.fix(fix),
            None => mistake,
        });
        return None;
    }
    shape::check(root, &ROOT, mistakes);
    resolve::resolve(root, path, environment, mistakes)
}

fn empty() -> Mistake {
    let start = Span { line: 1, column: 1, ..Span::default() };
    Mistake::at(start, "there are no keys in this file")
        .fix("begin with `version: 1`, `providers:` and `targets:` (docs/configuration.md)")
}

fn too_large(path: &Path) -> LoadError {
    LoadError::TooLarge { path: path.to_owned(), limit: parse::MAX_BYTES }
}

/// The mistake of bytes that are not text. The text up to there is shown, and its secrets are guessed.
fn not_text(path: &Path, bytes: &[u8], valid: usize) -> LoadError {
    let text = bytes.get(..valid).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    let last = text.rsplit('\n').next().unwrap_or_default();
    let span = Span {
        start: valid,
        end: valid,
        line: u32::try_from(text.matches('\n').count() + 1).unwrap_or(u32::MAX),
        column: u32::try_from(last.chars().count() + 1).unwrap_or(u32::MAX),
    };
    let mistake = Mistake::at(span, "the file is not UTF-8 text").fix("save it as UTF-8");
    LoadError::Mistakes(Box::new(Mistakes::new(path, mask::mask_lines(text), vec![mistake])))
}

/// A whole file, or `None` where it is larger than a limit. No more than the limit is ever held.
pub(super) fn read_at_most(path: &Path, limit: usize) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= limit).then_some(bytes))
}
