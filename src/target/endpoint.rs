//! A provider's base URL: what one would paste into its SDK.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// Why a text is not a base URL. The text fits after "failed to"; a user's password in a URL is never repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It is not a URL.
    #[error("it is not a URL: {0}")]
    Syntax(String),
    /// The scheme is neither `http` nor `https`.
    #[error("the scheme `{0}` is not http or https")]
    Scheme(String),
    /// There is a user name or password in it.
    #[error("it has a user name or password in it; put the key under `api_key`")]
    UserInfo,
    /// It has a query or a fragment.
    #[error("it has a `{0}` part; give the URL only up to the path")]
    Extra(char),
    /// It is the address of one operation, not of the API.
    #[error("it ends in `{suffix}`, which is added by the dialect; write {fixed}")]
    Operation {
        /// The path that is too much.
        suffix: &'static str,
        /// The right form.
        fixed: String,
    },
}

/// A base URL: http or https, a host, a path without its trailing slash; no user, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl(Url);

/// Paths of single operations that people paste by mistake.
const OPERATIONS: [&str; 8] = [
    "/chat/completions",
    "/completions",
    "/embeddings",
    "/v1/messages",
    "/messages",
    "/models",
    "/api/chat",
    "/api/generate",
];

impl BaseUrl {
    /// Reads a base URL.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let mut url = Url::parse(text).map_err(|error| BaseUrlError::Syntax(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BaseUrlError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::UserInfo);
        }
        if url.query().is_some() {
            return Err(BaseUrlError::Extra('?'));
        }
        if url.fragment().is_some() {
            return Err(BaseUrlError::Extra('#'));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        for suffix in OPERATIONS {
            if let Some(stem) = path.strip_suffix(suffix) {
                let mut fixed = url.clone();
                fixed.set_path(stem);
                return Err(BaseUrlError::Operation { suffix, fixed: fixed.as_str().trim_end_matches('/').to_owned() });
            }
        }
        Ok(Self(url))
    }

    /// The URL of a path: relative to the base URL (`models`), or to its origin when it begins with a slash
    /// (`/v2/quotas`). It never leaves the base URL's origin, so that a key never does.
    #[must_use]
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        if path.starts_with('/') {
            url.set_path(path);
        } else if !path.is_empty() {
            let base = self.0.path().trim_end_matches('/');
            url.set_path(&format!("{base}/{path}"));
        }
        url.set_query(query);
        url
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The host as written: a name, or an address (IPv6 without brackets).
    #[must_use]
    pub fn host(&self) -> String {
        match self.0.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => String::new(),
        }
    }

    /// The host's address where the URL names one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self.0.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            _ => None,
        }
    }

    /// The port, the scheme's own where none is written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(0)
    }

    /// The path without its trailing slash: `/openai/v1`, or nothing.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.path().trim_end_matches('/')
    }

    /// Whether it names this machine: a literal key may be written for it, and no packet leaves the host.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        }
    }

    /// Whether it is of this machine or of a private network, where asking often is nobody's burden: a private address,
    /// or a name without a dot, as containers have.
    #[must_use]
    pub fn is_near(&self) -> bool {
        let near = match self.0.host() {
            Some(Host::Ipv4(address)) => address.is_private() || address.is_link_local(),
            Some(Host::Ipv6(address)) => address.is_unique_local() || address.is_unicast_link_local(),
            Some(Host::Domain(name)) => !name.contains('.'),
            None => false,
        };
        near || self.is_loopback()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_join_to_the_base_or_to_the_origin() {
        let base = BaseUrl::parse("https://api.synthetic.new/openai/v1/").unwrap();
        assert_eq!(base.to_string(), "https://api.synthetic.new/openai/v1");
        assert_eq!(base.join("models").as_str(), "https://api.synthetic.new/openai/v1/models");
        assert_eq!(base.join("/v2/quotas").as_str(), "https://api.synthetic.new/v2/quotas");
        assert_eq!(base.join("models?limit=1000").query(), Some("limit=1000"));
        let bare = BaseUrl::parse("http://127.0.0.1:11434").unwrap();
        assert_eq!(bare.join("api/ps").as_str(), "http://127.0.0.1:11434/api/ps");
    }

    #[test]
    fn joining_never_leaves_the_origin() {
        let base = BaseUrl::parse("https://api.example.com/v1").unwrap();
        for path in ["//evil.example/x", "https://evil.example/x", "/\\evil.example", "@evil.example", "../../x"] {
            let url = base.join(path);
            assert_eq!(url.host_str(), Some("api.example.com"), "{path}");
            assert_eq!(url.scheme(), "https", "{path}");
        }
    }

    #[test]
    fn the_address_of_one_operation_is_refused_with_the_right_form() {
        let error = BaseUrl::parse("https://api.openai.com/v1/chat/completions").unwrap_err();
        assert!(error.to_string().ends_with("write https://api.openai.com/v1"), "{error}");
        let error = BaseUrl::parse("https://api.anthropic.com/v1/messages/").unwrap_err();
        assert!(error.to_string().ends_with("write https://api.anthropic.com"), "{error}");
    }

    #[test]
    fn a_password_is_not_repeated() {
        let error = BaseUrl::parse("https://me:hunter2@host/v1").unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
        assert_eq!(error, BaseUrlError::UserInfo);
    }

    #[test]
    fn loopback_is_this_machine_only() {
        for (text, loopback) in [
            ("http://127.0.0.1:1/v1", true),
            ("http://[::1]:1", true),
            ("http://localhost:1", true),
            ("http://10.0.0.1", false),
            ("http://localhost.evil.example", false),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap().is_loopback(), loopback, "{text}");
        }
        let near = |text| BaseUrl::parse(text).unwrap().is_near();
        assert!(
            ["http://127.0.0.1:1", "http://192.168.1.9", "http://[fd00::1]", "http://vllm:8000"].into_iter().all(near)
        );
        assert!(!["https://8.8.8.8", "https://api.example.com", "http://172.32.0.1"].into_iter().any(near));
    }
}
