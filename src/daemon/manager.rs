//! The service manager: tells systemd that we are ready, reload, live and end (`sd_notify(3)`).
//!
//! Without one, every call does nothing. What it is told is no secret and not awaited.

use std::time::Duration;

use sd_notify::NotifyState;

/// The service manager, if there is one.
#[derive(Debug, Default)]
pub struct Manager {
    /// How long it waits for a sign of life before it restarts us.
    patience: Option<Duration>,
    /// The last status line, so that it is sent only when it changes.
    status: String,
}

impl Manager {
    /// The one that started this process. Without one that asks to be told, every call does nothing.
    #[must_use]
    pub fn of_process() -> Self {
        Self { patience: sd_notify::watchdog_enabled(), status: String::new() }
    }

    /// Everything is armed, or a reload is over.
    pub(super) fn ready(&self) {
        tell(&[NotifyState::Ready]);
    }

    /// A reload begins. systemd wants the moment of it.
    pub(super) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(moment) => tell(&[NotifyState::Reloading, moment]),
            Err(_) => tell(&[NotifyState::Reloading]),
        }
    }

    /// A sign of life. Sent only while the scheduler really advances.
    pub(super) fn alive(&self) {
        if self.patience.is_some() {
            tell(&[NotifyState::Watchdog]);
        }
    }

    /// We are ending.
    pub(super) fn stopping(&self) {
        tell(&[NotifyState::Stopping]);
    }

    /// The line that `systemctl status` shows.
    pub(super) fn status(&mut self, line: String) {
        if line != self.status {
            tell(&[NotifyState::Status(&line)]);
            self.status = line;
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    // A manager that does not listen must not stop us.
    sd_notify::notify(states).ok();
}
