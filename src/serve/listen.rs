//! Listening: what may be listened at, how many may come at once, and how it ends.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::access::Access;
#[cfg(unix)]
use super::socket::{self, SocketFile};
use super::{ListenAddress, Source, connection, routes};

/// How many connections may be open at once. More wait in the system's queue.
pub(super) const CONNECTIONS: usize = 64;
/// How long answers that are being given may take when the daemon stops.
const GRACE: Duration = Duration::from_secs(5);
/// How long to wait when the system has no more connections to give, which passes when others end.
const EXHAUSTED: Duration = Duration::from_secs(1);

/// Why the server cannot listen. The text fits after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Everybody on the network could read it.
    #[error(
        "listen at {0}: other machines can reach that and there is no token; give one with `--token-file`, or listen at \
         127.0.0.1 or at a Unix socket"
    )]
    Exposed(ListenAddress),
    /// The token could never be sent.
    #[error("use the token: it is empty, or holds something other than visible ASCII characters")]
    Token,
    /// Somebody else is there.
    #[error("listen at {0}: another process already listens there; stop it, or choose another address with `--listen`")]
    InUse(ListenAddress),
    /// There is a file, and it is not ours to remove.
    #[error("listen at unix:{}: there is a file, and it is no socket; remove it, or choose another path", .0.display())]
    NoSocket(PathBuf),
    /// This system has no Unix sockets.
    #[error("listen at unix:{}: there are no Unix sockets on this system; choose an address and a port", .0.display())]
    NoUnix(PathBuf),
    /// The system refused.
    #[error("listen at {address}: {source}")]
    Bind {
        /// Where.
        address: ListenAddress,
        /// What the system said.
        source: io::Error,
    },
}

#[derive(Debug)]
enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        listener: UnixListener,
        /// Dropped after it.
        _file: SocketFile,
    },
}

/// A server that listens and answers once [`run`](Self::run) is awaited.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    address: ListenAddress,
    router: Router,
}

impl Server {
    /// Listens. `/metrics` and `/status` ask for the token where there is one; space around it is no part of it.
    ///
    /// # Errors
    /// When other machines could reach the address and there is no token, when the token cannot be one, or when the
    /// address cannot be had.
    pub async fn bind(
        address: &ListenAddress,
        token: Option<SecretString>,
        source: Arc<dyn Source>,
    ) -> Result<Self, ServeError> {
        let token = token.map(|token| usable(&token)).transpose()?;
        if token.is_none() && !address.is_local() {
            return Err(ServeError::Exposed(address.clone()));
        }
        let (listener, address, access) = match address {
            ListenAddress::Tcp(wanted) => {
                let failed = |source: io::Error| match source.kind() {
                    ErrorKind::AddrInUse => ServeError::InUse(address.clone()),
                    _ => ServeError::Bind { address: address.clone(), source },
                };
                let listener = TcpListener::bind(wanted).await.map_err(failed)?;
                // The port is the system's choice where 0 was asked for.
                let own = listener.local_addr().map_err(failed)?;
                (Listener::Tcp(listener), ListenAddress::Tcp(own), token.map_or(Access::Host(own), Access::Token))
            }
            #[cfg(unix)]
            ListenAddress::Unix(path) => {
                let (listener, file) = socket::bind(path).await?;
                (Listener::Unix { listener, _file: file }, address.clone(), token.map_or(Access::File, Access::Token))
            }
            #[cfg(not(unix))]
            ListenAddress::Unix(path) => return Err(ServeError::NoUnix(path.clone())),
        };
        Ok(Self { listener, address, router: routes::router(source, access) })
    }

    /// Where it listens, with the port that was given: `127.0.0.1:9477`, `unix:/run/pilotlight/pilotlight.sock`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Answers until `stop` ends. Then nobody is let in any more, who has asked gets the answer within a few seconds, and
    /// the file of a Unix socket is removed. Dropping the future ends it at once.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { listener, router, .. } = self;
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        let (stopping, stopped) = watch::channel(());
        let mut connections = JoinSet::new();
        let all = async {
            loop {
                while connections.try_join_next().is_some() {}
                // Never closed; were it, this would be the end.
                let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
                let (router, stopped) = (router.clone(), stopped.clone());
                let accepted = match &listener {
                    Listener::Tcp(listener) => listener.accept().await.map(|(stream, _)| {
                        // Answers are small; waiting for more to send only delays them.
                        let _ = stream.set_nodelay(true);
                        connections.spawn(async move {
                            connection::serve(stream, router, stopped).await;
                            drop(slot);
                        });
                    }),
                    #[cfg(unix)]
                    Listener::Unix { listener, .. } => listener.accept().await.map(|(stream, _)| {
                        connections.spawn(async move {
                            connection::serve(stream, router, stopped).await;
                            drop(slot);
                        });
                    }),
                };
                if let Err(error) = accepted {
                    recover(&error).await;
                }
            }
        };
        tokio::select! {
            () = all => {}
            () = stop => {}
        }
        drop(listener);
        drop(stopping);
        // Those that take longer are cut off when the set is dropped.
        let _ = tokio::time::timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
    }
}

/// A connection that could not be taken: it is gone already, or the system is out of something and needs a pause.
async fn recover(error: &io::Error) {
    let gone = [ErrorKind::ConnectionAborted, ErrorKind::ConnectionReset, ErrorKind::ConnectionRefused];
    if gone.contains(&error.kind()) || error.kind() == ErrorKind::Interrupted {
        return;
    }
    tracing::warn!(name: "serve.accept_failed", error = %error);
    tokio::time::sleep(EXHAUSTED).await;
}

/// The token without the line break that ends its file.
fn usable(token: &SecretString) -> Result<SecretString, ServeError> {
    let text = token.expose_secret().trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ServeError::Token);
    }
    Ok(SecretString::from(text.to_owned()))
}
