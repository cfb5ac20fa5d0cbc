//! How a provider is reached: through a proxy or not, whom we trust, who we are, and at which address.
//!
//! Plain values. `config/` makes them of probes.yaml and the environment; `probe::transport` dials by them.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::Secret;

/// Largest PEM file that is read, in bytes. A system's whole set of authorities takes a quarter of a MiB.
pub const LARGEST_PEM: usize = 4 * 1024 * 1024;

/// How a provider is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkSettings {
    /// Whether a proxy stands in between.
    pub proxy: Proxy,
    /// PEM file with the certificate authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Who we are, where the server asks for a certificate.
    pub client_certificate: Option<ClientCertificate>,
    /// Which addresses of a name are tried. With a proxy this is the proxy's name.
    pub family: AddressFamily,
    /// The address to connect to instead of what the resolver says. The name in TLS and in `Host` stays. Never set
    /// together with a proxy.
    pub address: Option<IpAddr>,
}

/// Whether a proxy stands between us and a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// None does.
    Direct(Direct),
    /// This one does.
    Through(Box<ForwardProxy>),
}

impl Default for Proxy {
    fn default() -> Self {
        Self::Direct(Direct::NothingSet)
    }
}

impl Proxy {
    /// The proxy, where there is one.
    #[must_use]
    pub fn forward(&self) -> Option<&ForwardProxy> {
        match self {
            Self::Direct(_) => None,
            Self::Through(proxy) => Some(proxy),
        }
    }
}

/// Why no proxy is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Direct {
    /// probes.yaml says `proxy: none`.
    Written,
    /// Nobody names a proxy.
    NothingSet,
    /// The provider is on this machine.
    Loopback,
    /// A list of exceptions has it.
    Exempt {
        /// The variable: `NO_PROXY` or `no_proxy`.
        variable: String,
        /// The entry of it that fits.
        entry: String,
    },
}

/// A proxy that requests are made through: HTTP `CONNECT` for https, whole requests for plain http.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardProxy {
    /// Where it is.
    pub address: ProxyAddress,
    /// `user:password` as the proxy wants them, percent signs decoded. Never sent to anybody but the proxy.
    pub login: Option<Secret>,
    /// Who named it.
    pub source: ProxySource,
}

impl ForwardProxy {
    /// What must not be shown wherever a proxy echoes it: user and password, the password alone, and both as they are sent.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        let Some(login) = self.login.as_ref().map(Secret::expose) else { return Vec::new() };
        let password = login.split_once(':').map_or("", |(_, password)| password);
        vec![
            Secret::new(login.to_owned()),
            Secret::new(password.to_owned()),
            Secret::new(BASE64_STANDARD.encode(login)),
        ]
    }
}

/// Where a proxy is. `Display` is its URL, which has no user and no password in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProxyAddress {
    /// Whether the connection to the proxy itself is encrypted (`https://proxy`).
    pub encrypted: bool,
    /// A name, or an address (IPv6 without brackets).
    pub host: String,
    /// The port; 80 or 443 where the URL has none.
    pub port: u16,
}

impl ProxyAddress {
    /// `host:port`, with brackets round an IPv6 address.
    #[must_use]
    pub fn authority(&self) -> String {
        authority(&self.host, self.port)
    }

    /// Whether it is on this machine: reaching it says nothing of the network.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.encrypted { "https" } else { "http" }, self.authority())
    }
}

/// `host:port`, with brackets round an IPv6 address.
#[must_use]
pub fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Who named a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxySource {
    /// `proxy` in probes.yaml.
    ProbesFile,
    /// `proxy: { env: … }` in probes.yaml, and this variable.
    Named(String),
    /// A variable that every program reads: `HTTPS_PROXY`, `all_proxy`.
    Environment(String),
}

impl fmt::Display for ProxySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProbesFile => f.write_str("`proxy` in probes.yaml"),
            Self::Named(variable) | Self::Environment(variable) => write!(f, "the variable {variable}"),
        }
    }
}

/// Which addresses of a name are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AddressFamily {
    /// All, in the resolver's order.
    #[default]
    Any,
    /// All, IPv4 first.
    PreferV4,
    /// All, IPv6 first.
    PreferV6,
    /// Only IPv4.
    V4,
    /// Only IPv6.
    V6,
}

impl AddressFamily {
    /// Whether an address may be tried at all.
    #[must_use]
    pub fn accepts(self, address: IpAddr) -> bool {
        match self {
            Self::Any | Self::PreferV4 | Self::PreferV6 => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }

    /// The addresses to try, in order. The resolver's order holds within a family.
    #[must_use]
    pub fn arrange(self, mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
        addresses.retain(|address| self.accepts(*address));
        match self {
            Self::PreferV4 => addresses.sort_by_key(IpAddr::is_ipv6),
            Self::PreferV6 => addresses.sort_by_key(IpAddr::is_ipv4),
            Self::Any | Self::V4 | Self::V6 => {}
        }
        addresses
    }
}

/// What we show to a server that asks who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// PEM file with our certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// PEM file with its private key, not encrypted. May be the same file.
    pub key: PathBuf,
}

/// Why a text is not the URL of a proxy. No variant repeats a user or a password. The text fits after "failed to".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyUrlError {
    /// It is not a URL, or has no host.
    #[error("it is not the URL of a proxy")]
    Syntax,
    /// A scheme that is not spoken here.
    #[error("a proxy of the scheme `{0}` is not supported: only http and https are")]
    Scheme(String),
    /// There is a path, a query or a fragment: it was meant for something else.
    #[error("it has a path; a proxy is only scheme, host and port")]
    Path,
}

/// Reads the URL of a proxy, with or without its scheme (`proxy:3128` is `http://proxy:3128`), and the user and
/// password in it.
pub fn parse_proxy(text: &str) -> Result<(ProxyAddress, Option<Secret>), ProxyUrlError> {
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&whole).map_err(|_| ProxyUrlError::Syntax)?;
    let encrypted = match url.scheme() {
        "http" => false,
        "https" => true,
        other => return Err(ProxyUrlError::Scheme(other.chars().take(20).collect())),
    };
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(ProxyUrlError::Path);
    }
    let host = match url.host() {
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(host) => host.to_string(),
        None => return Err(ProxyUrlError::Syntax),
    };
    let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(ProxyUrlError::Syntax)?;
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let named = !url.username().is_empty() || url.password().is_some();
    let login = named.then(|| {
        let password = url.password().unwrap_or_default();
        Secret::new(format!("{}:{}", decoded(url.username()), decoded(password)))
    });
    Ok((ProxyAddress { encrypted, host, port }, login))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_scheme_host_and_port() {
        for (text, shown, login) in [
            ("http://proxy.example.test:3128", "http://proxy.example.test:3128", None),
            ("proxy.example.test:3128", "http://proxy.example.test:3128", None),
            ("https://proxy.example.test/", "https://proxy.example.test:443", None),
            ("http://10.0.0.1", "http://10.0.0.1:80", None),
            ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128", None),
            ("http://me:hunter2@proxy:1", "http://proxy:1", Some("me:hunter2")),
            ("me:p%40ss%3Aword@proxy:1", "http://proxy:1", Some("me:p@ss:word")),
            ("http://me@proxy:1", "http://proxy:1", Some("me:")),
        ] {
            let (address, found) = parse_proxy(text).unwrap();
            assert_eq!(address.to_string(), shown, "{text}");
            assert_eq!(found.as_ref().map(Secret::expose), login, "{text}");
            assert!(!format!("{address:?} {found:?}").contains("hunter2"));
        }
    }

    #[test]
    fn what_is_no_proxy_is_said_without_its_password() {
        for text in ["", "http://", "socks5://me:hunter2@proxy:1080", "http://me:hunter2@proxy/pac", "http://a b"] {
            let error = parse_proxy(text).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        assert_eq!(parse_proxy("socks5h://p:1"), Err(ProxyUrlError::Scheme("socks5h".to_owned())));
    }

    #[test]
    fn families_filter_and_order() {
        let addresses: Vec<IpAddr> = ["::1", "10.0.0.1", "::2", "10.0.0.2"].map(|text| text.parse().unwrap()).into();
        let arranged = |family: AddressFamily| {
            let texts: Vec<String> = family.arrange(addresses.clone()).iter().map(ToString::to_string).collect();
            texts.join(" ")
        };
        assert_eq!(arranged(AddressFamily::Any), "::1 10.0.0.1 ::2 10.0.0.2");
        assert_eq!(arranged(AddressFamily::PreferV4), "10.0.0.1 10.0.0.2 ::1 ::2");
        assert_eq!(arranged(AddressFamily::PreferV6), "::1 ::2 10.0.0.1 10.0.0.2");
        assert_eq!(arranged(AddressFamily::V4), "10.0.0.1 10.0.0.2");
        assert_eq!(arranged(AddressFamily::V6), "::1 ::2");
    }
}
