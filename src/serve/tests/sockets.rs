//! Unix sockets: who may connect, and whose file it is.

use std::path::Path;
use std::sync::Arc;

use tokio::net::{UnixListener, UnixStream};

use super::{Daemon, exchange, start_at, status};
use crate::serve::{ServeError, Server};

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

async fn get_unix(path: &Path) -> String {
    let stream = UnixStream::connect(path).await.unwrap();
    exchange(stream, "GET /metrics HTTP/1.1\r\nHost: whatever\r\n\r\n").await
}

#[tokio::test]
async fn a_unix_socket_is_made_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.sock");
    let address = format!("unix:{}", path.display());
    let running = start_at(&address, None, Daemon::default()).await;
    assert_eq!(running.address, address);
    assert_eq!(mode(&path), 0o660);
    assert_eq!(status(&get_unix(&path).await), "200");

    let error = Server::bind(&address.parse().unwrap(), None, Arc::new(Daemon::default())).await.unwrap_err();
    assert!(matches!(error, ServeError::InUse(_)), "{error}");
    assert_eq!(status(&get_unix(&path).await), "200", "the first one still answers");
    running.stop().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_on_which_nobody_answers_is_replaced_and_other_files_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.sock");
    let address = format!("unix:{}", path.display());
    // The file of a listener stays when its process is killed.
    drop(UnixListener::bind(&path).unwrap());
    let running = start_at(&address, None, Daemon::default()).await;
    assert_eq!(status(&get_unix(&path).await), "200");

    // Somebody takes its place: that one is not removed at the end.
    std::fs::remove_file(&path).unwrap();
    let other = UnixListener::bind(&path).unwrap();
    running.stop().await;
    assert!(path.exists());
    drop(other);
    std::fs::remove_file(&path).unwrap();

    std::fs::write(&path, "precious").unwrap();
    let error = Server::bind(&address.parse().unwrap(), None, Arc::new(Daemon::default())).await.unwrap_err();
    assert!(matches!(error, ServeError::NoSocket(_)), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    let nowhere = format!("unix:{}/no/p.sock", folder.path().display());
    let error = Server::bind(&nowhere.parse().unwrap(), None, Arc::new(Daemon::default())).await.unwrap_err();
    assert!(matches!(error, ServeError::Bind { .. }) && error.to_string().contains(&nowhere), "{error}");
}
