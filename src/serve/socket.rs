//! The file of a Unix socket: made for its owner and group, removed at the end, and never taken from somebody else.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use super::{ListenAddress, ServeError};

/// Owner and group may connect.
const MODE: u32 = 0o660;

/// The file of a socket of ours, which goes with this value.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode: somebody may have put another one in its place.
    identity: Option<(u64, u64)>,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.identity.is_some() && identity(&self.path) == self.identity {
            // If it stays, the next start finds that nobody answers on it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Listens on a socket. One that is left from before is replaced when nobody answers on it.
pub(super) async fn bind(path: &Path) -> Result<(UnixListener, SocketFile), ServeError> {
    let failed = |source| ServeError::Bind { address: ListenAddress::Unix(path.to_owned()), source };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
        Ok(found) if !found.file_type().is_socket() => return Err(ServeError::NoSocket(path.to_owned())),
        Ok(_) => match UnixStream::connect(path).await {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path).map_err(failed)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // Full of connections that wait is not dead.
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(failed(error)),
            _ => return Err(ServeError::InUse(ListenAddress::Unix(path.to_owned()))),
        },
    }
    let listener = UnixListener::bind(path).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => ServeError::InUse(ListenAddress::Unix(path.to_owned())),
        _ => failed(error),
    })?;
    let file = SocketFile { path: path.to_owned(), identity: identity(path) };
    // Until here it had what the umask left of 0777, which is the owner's and at most the group's by any usual umask.
    fs::set_permissions(path, fs::Permissions::from_mode(MODE)).map_err(failed)?;
    Ok((listener, file))
}
