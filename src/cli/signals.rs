//! SIGINT and SIGTERM: heeded from before the first report is opened to the last byte of the last one.

use tokio::runtime::Runtime;

use super::check::interrupted;
use crate::exit::Exit;

/// The signals that end a command. From its making on they are kept until somebody asks; they end nothing by themselves.
pub(super) struct Signals {
    #[cfg(unix)]
    kinds: Option<(tokio::signal::unix::Signal, tokio::signal::unix::Signal)>,
}

impl Signals {
    /// Begins to heed them. Call it within a runtime.
    pub(super) fn heed() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Self { kinds: signal(SignalKind::interrupt()).ok().zip(signal(SignalKind::terminate()).ok()) }
        }
        #[cfg(not(unix))]
        Self {}
    }

    /// Waits for the next one, and says what the process is to end with.
    pub(super) async fn next(&mut self) -> Exit {
        #[cfg(unix)]
        {
            // Without handlers the signals end the process by themselves.
            let Some((interrupt, terminate)) = &mut self.kinds else { return std::future::pending().await };
            tokio::select! {
                _ = interrupt.recv() => Exit::Interrupted,
                _ = terminate.recv() => Exit::Terminated,
            }
        }
        #[cfg(not(unix))]
        interrupted().await
    }
}

/// Lets a signal end the process at once from here on: a report that nobody reads is not waited for. The runtime is not
/// shut down, because name look-ups run on threads that cannot be cancelled.
pub(super) fn end_at_once(runtime: Runtime) {
    let ending = std::thread::Builder::new().name("signals".to_owned());
    let ending = ending.spawn(move || {
        let exit = runtime.block_on(interrupted());
        std::process::exit(exit.code().into());
    });
    // Without a thread the report is written all the same.
    drop(ending);
}
