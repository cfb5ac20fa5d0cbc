//! A terminal to look at: tmux, with a server of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A terminal of its own, ended when dropped.
pub(super) struct Tmux {
    socket: PathBuf,
}

impl Tmux {
    pub(super) fn is_there() -> bool {
        Command::new("tmux").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    }

    pub(super) fn start(folder: &Path, command: &str) -> Self {
        let tmux = Self { socket: folder.join("tmux") };
        let size = ["new-session", "-d", "-x", "100", "-y", "30"];
        assert!(tmux.command().args(size).arg(command).status().unwrap().success());
        tmux
    }

    pub(super) fn command(&self) -> Command {
        let mut command = Command::new("tmux");
        command.env("LC_ALL", "C.UTF-8").env_remove("TMUX").arg("-f").arg("/dev/null").arg("-S").arg(&self.socket);
        command
    }

    pub(super) fn screen(&self) -> String {
        let output = self.command().args(["capture-pane", "-p"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Looks at the screen until it shows something.
    #[track_caller]
    pub(super) fn shows(&self, what: &str) -> String {
        let mut screen = String::new();
        for _ in 0..20_000 {
            screen = self.screen();
            if screen.contains(what) {
                return screen;
            }
        }
        panic!("never `{what}`:\n{screen}");
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.command().arg("kill-server").stderr(Stdio::null()).status().ok();
    }
}
