//! Where the store lives. Pure: the environment is captured once, in `config/`.

use std::path::{Path, PathBuf};

/// All that says where state belongs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatePlaces {
    /// What the command line or the configuration says.
    pub flag: Option<PathBuf>,
    /// `$STATE_DIRECTORY`, which systemd sets from `StateDirectory=`: one directory, or several with colons between.
    pub state_directory_env: Option<PathBuf>,
    /// `$XDG_STATE_HOME`. Ignored when relative, as its specification asks.
    pub xdg_state_home: Option<PathBuf>,
    /// `$HOME`.
    pub home: Option<PathBuf>,
    /// Whether the process runs as root.
    pub root: bool,
}

/// The directory of the store: what was asked for, else systemd's, else root's, else the user's. `None` when there is
/// not even a home directory.
#[must_use]
pub fn state_directory(places: &StatePlaces) -> Option<PathBuf> {
    if let Some(flag) = named(places.flag.as_deref()) {
        return Some(flag.to_owned());
    }
    if let Some(first) = places.state_directory_env.as_deref().and_then(first_of_list) {
        return Some(first);
    }
    if places.root {
        return Some(PathBuf::from("/var/lib/pilotlight"));
    }
    let xdg = named(places.xdg_state_home.as_deref()).filter(|path| path.is_absolute()).map(Path::to_owned);
    let state = xdg.or_else(|| named(places.home.as_deref()).map(|home| home.join(".local/state")))?;
    Some(state.join("pilotlight"))
}

fn named(path: Option<&Path>) -> Option<&Path> {
    path.filter(|path| !path.as_os_str().is_empty())
}

/// systemd joins several directories with colons; the first is ours.
fn first_of_list(list: &Path) -> Option<PathBuf> {
    let first = match list.to_str() {
        Some(text) => PathBuf::from(text.split(':').next().unwrap_or_default()),
        // No text, so it cannot be split safely.
        None => list.to_owned(),
    };
    named(Some(&first)).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Option<PathBuf> {
        Some(PathBuf::from(text))
    }

    #[test]
    fn the_most_particular_place_wins() {
        let mut places = StatePlaces {
            flag: path("/srv/state"),
            state_directory_env: path("/var/lib/private/pilotlight:/var/lib/other"),
            xdg_state_home: path("/home/ann/.state"),
            home: path("/home/ann"),
            root: true,
        };
        assert_eq!(state_directory(&places), path("/srv/state"));
        places.flag = None;
        assert_eq!(state_directory(&places), path("/var/lib/private/pilotlight"));
        places.state_directory_env = path("");
        assert_eq!(state_directory(&places), path("/var/lib/pilotlight"));
        places.root = false;
        assert_eq!(state_directory(&places), path("/home/ann/.state/pilotlight"));
        places.xdg_state_home = path("relative");
        assert_eq!(state_directory(&places), path("/home/ann/.local/state/pilotlight"));
        places.home = None;
        assert_eq!(state_directory(&places), None);
    }
}
