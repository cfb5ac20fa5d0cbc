//! Where to listen: a port of this machine, or a Unix socket.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// Where it listens when nothing else is said.
pub const DEFAULT_ADDRESS: ListenAddress =
    ListenAddress::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_PORT));

const DEFAULT_PORT: u16 = 9477;

/// The longest path that a Unix socket can have: `sun_path` without its final zero.
const LONGEST_PATH: usize = 107;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// An address and a port; port 0 lets the system choose one.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// Why a text is no address. The text fits after "failed to".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It has none of the forms.
    #[error(
        "read the address `{0}`: write `127.0.0.1:9477`, `[::1]:9477`, `:9477` for this machine only, or \
         `unix:/run/pilotlight/pilotlight.sock`"
    )]
    Form(String),
    /// A path that depends on the folder that the daemon was started in.
    #[error("read the address `unix:{0}`: the path of a socket must begin with `/`")]
    Relative(String),
    /// A path that the system cannot take.
    #[error("read the address `unix:{0}`: the path of a socket has at most 107 bytes")]
    Long(String),
}

impl FromStr for ListenAddress {
    type Err = AddressError;

    /// Reads `127.0.0.1:9477`, `[::1]:9477`, `localhost:9477`, `:9477` or `unix:/path`. Without a host it is this machine
    /// only (127.0.0.1): what other programs take for "every address" must be asked for by name (`0.0.0.0:9477`).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:") {
            if !path.starts_with('/') {
                return Err(AddressError::Relative(path.to_owned()));
            }
            if path.len() > LONGEST_PATH {
                return Err(AddressError::Long(path.to_owned()));
            }
            return Ok(Self::Unix(path.into()));
        }
        let port = text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':'));
        let address = match port {
            Some(port) => port.parse().ok().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
            None => text.parse().ok(),
        };
        address.map(Self::Tcp).ok_or_else(|| AddressError::Form(text.to_owned()))
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl ListenAddress {
    /// Whether only this machine can reach it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written() {
        for (text, shown) in [
            ("127.0.0.1:9477", "127.0.0.1:9477"),
            ("[::1]:9477", "[::1]:9477"),
            (":9477", "127.0.0.1:9477"),
            ("localhost:80", "127.0.0.1:80"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("unix:/run/pilotlight/pilotlight.sock", "unix:/run/pilotlight/pilotlight.sock"),
        ] {
            let address: ListenAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(shown.parse::<ListenAddress>().unwrap(), address);
        }
        assert_eq!(DEFAULT_ADDRESS.to_string(), "127.0.0.1:9477");
    }

    #[test]
    fn what_is_no_address_is_told_with_the_forms() {
        for text in ["", "9477", "127.0.0.1", "example.com:80", ":", ":65536", "http://127.0.0.1:80", "::1:9477x"] {
            let error = text.parse::<ListenAddress>().unwrap_err();
            assert!(error.to_string().contains("write `127.0.0.1:9477`"), "{text}: {error}");
        }
        assert_eq!("unix:a.sock".parse::<ListenAddress>(), Err(AddressError::Relative("a.sock".to_owned())));
        let long = format!("/{}", "x".repeat(107));
        assert_eq!(format!("unix:{long}").parse::<ListenAddress>(), Err(AddressError::Long(long)));
    }

    #[test]
    fn local_is_what_only_this_machine_reaches() {
        for text in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1", ":1", "unix:/x"] {
            assert!(text.parse::<ListenAddress>().unwrap().is_local(), "{text}");
        }
        for text in ["0.0.0.0:1", "[::]:1", "192.168.0.1:1", "[fe80::1]:1"] {
            assert!(!text.parse::<ListenAddress>().unwrap().is_local(), "{text}");
        }
    }
}
