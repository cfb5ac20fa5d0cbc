//! Where probes.yaml is looked for.

use std::fmt;
use std::path::{Path, PathBuf};

use super::Environment;

/// The smallest useful file, for those who have none.
const EXAMPLE: &str = "\
version: 1
providers:
  synthetic: { preset: synthetic }
targets:
  - { name: glm, provider: synthetic, model: \"hf:zai-org/GLM-4.6\" }
";

/// How a file is named.
const EXPLICIT: &str = "--config";
const VARIABLE: &str = "$PILOTLIGHT_CONFIG";

/// There is no probes.yaml. The text says where it was looked for and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFound {
    /// Each place, and what made it one: `--config`, `$PILOTLIGHT_CONFIG`, …
    pub looked: Vec<(PathBuf, &'static str)>,
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [(path, why @ (EXPLICIT | VARIABLE))] = self.looked.as_slice()
            && path.is_dir()
        {
            write!(f, "{} ({why}) is a directory; name the file in it", path.display())?;
            let inside = path.join("probes.yaml");
            return if inside.is_file() { write!(f, ": {}", inside.display()) } else { Ok(()) };
        }
        writeln!(f, "there is no probes.yaml; looked for")?;
        for (path, why) in &self.looked {
            let folder = if path.is_dir() { ", a directory" } else { "" };
            writeln!(f, "  {} ({why}{folder})", path.display())?;
        }
        writeln!(f, "Try `pilotlight demo`, which needs none, or begin with this:\n")?;
        for line in EXAMPLE.lines() {
            writeln!(f, "  {line}")?;
        }
        write!(f, "\nand put the key into the variable SYNTHETIC_API_KEY.")
    }
}

impl std::error::Error for NotFound {}

/// Finds the file: the one that is named, else `$PILOTLIGHT_CONFIG`, else `./probes.yaml`, else
/// `pilotlight/probes.yaml` in the user's configuration folder (`$XDG_CONFIG_HOME`, else `~/.config`), else
/// `/etc/pilotlight/probes.yaml`. A file that is named and is not there is not replaced by another.
pub fn find(explicit: Option<&Path>, environment: &Environment) -> Result<PathBuf, NotFound> {
    let mut looked = Vec::new();
    if let Some(path) = explicit {
        looked.push((path.to_owned(), EXPLICIT));
    } else if let Some(path) = environment.path("PILOTLIGHT_CONFIG") {
        looked.push((path, VARIABLE));
    } else {
        looked.push((PathBuf::from("probes.yaml"), "the current folder"));
        let user =
            environment.path("XDG_CONFIG_HOME").or_else(|| environment.path("HOME").map(|home| home.join(".config")));
        if let Some(folder) = user {
            looked.push((folder.join("pilotlight/probes.yaml"), "your configuration folder"));
        }
        looked.push((PathBuf::from("/etc/pilotlight/probes.yaml"), "the system's"));
    }
    // A folder of that name is not one; any other file is, so that a pipe can be given.
    match looked.iter().find(|(path, _)| path.exists() && !path.is_dir()) {
        Some((path, _)) => Ok(path.clone()),
        None => Err(NotFound { looked }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let xdg = directory.path().join("xdg");
        std::fs::create_dir_all(xdg.join("pilotlight")).unwrap();
        let user = xdg.join("pilotlight/probes.yaml");
        let named = directory.path().join("named.yaml");
        std::fs::write(&user, "").unwrap();
        std::fs::write(&named, "").unwrap();

        // Tests run in the package's folder, which ships a probes.yaml.
        let empty = Environment::default();
        assert_eq!(find(None, &empty), Ok(PathBuf::from("probes.yaml")));
        assert_eq!(find(Some(&named), &empty), Ok(named.clone()));
        let set = Environment::from_pairs([("PILOTLIGHT_CONFIG", named.as_os_str())]);
        assert_eq!(find(None, &set), Ok(named));
        assert_eq!(find(Some(&user), &set), Ok(user));
    }

    #[test]
    fn a_named_file_is_not_replaced_by_another() {
        let error = find(Some(Path::new("/nonexistent.yaml")), &Environment::default()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("/nonexistent.yaml (--config)"), "{text}");
        assert!(text.contains("pilotlight demo"), "{text}");
        assert!(!text.contains("/etc/"), "{text}");
    }

    #[test]
    fn a_directory_is_called_one() {
        let directory = tempfile::tempdir().unwrap();
        let text = find(Some(directory.path()), &Environment::default()).unwrap_err().to_string();
        assert_eq!(text, format!("{} (--config) is a directory; name the file in it", directory.path().display()));
        let file = directory.path().join("probes.yaml");
        std::fs::write(&file, "").unwrap();
        let text = find(Some(directory.path()), &Environment::default()).unwrap_err().to_string();
        assert!(text.ends_with(&format!(": {}", file.display())), "{text}");
    }

    #[test]
    fn the_example_is_a_valid_file() {
        assert!(super::super::load_bytes(Path::new("example"), EXAMPLE.as_bytes(), &Environment::default()).is_ok());
    }
}
