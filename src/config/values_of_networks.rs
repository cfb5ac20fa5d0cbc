//! Reads single values of how a provider is reached. A proxy's password is never repeated.

use std::net::IpAddr;

use super::mask::quote;
use super::values::Problem;
use crate::target::{ProxyAddress, ProxyUrlError, parse_proxy};

/// How a proxy with a password is given.
pub(super) const PASSWORD_FIX: &str = "put the whole URL into a variable and write `proxy: { env: NAME }`, or set HTTPS_PROXY; then change the password, for this file may have been shared";

/// A proxy's URL that is written in the file: without a password.
pub(super) fn proxy(text: &str) -> Result<ProxyAddress, Problem> {
    match parse_proxy(text) {
        Ok((_, Some(_))) => {
            Err(Problem::new("a user or a password of the proxy is written in this file").fix(PASSWORD_FIX))
        }
        Ok((address, None)) => Ok(address),
        Err(error) => Err(not_a_proxy(&error, text)),
    }
}

/// What is wrong with a proxy's URL.
fn not_a_proxy(error: &ProxyUrlError, text: &str) -> Problem {
    let shown = if text.contains('@') { "`***`".to_owned() } else { quote(text) };
    match error {
        ProxyUrlError::Syntax => Problem::new(format!("{shown} is not the URL of a proxy")),
        ProxyUrlError::Scheme(scheme) => Problem::new(format!("a proxy of the scheme `{scheme}` is not supported")),
        ProxyUrlError::Path => Problem::new(format!("{shown} has a path: a proxy is only scheme, host and port")),
    }
    .fix("write `http://host:port` (or `https://`, where the proxy itself speaks TLS), `none`, or `environment`")
}

/// An address without a port.
pub(super) fn address(text: &str) -> Result<IpAddr, Problem> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let wrong =
        |reason: String| Problem::new(reason).fix("write an address alone, such as `10.1.2.3` or `2001:db8::1`");
    match bare.parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() || address.is_multicast() => {
            Err(wrong(format!("nothing can be reached at {}", quote(text))))
        }
        Ok(address) => Ok(address),
        Err(_) if text.parse::<std::net::SocketAddr>().is_ok() => {
            Err(wrong(format!("{} has a port, and the port is that of `base_url`", quote(text))))
        }
        Err(_) => Err(wrong(format!("{} is not an address", quote(text)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_alone() {
        for text in ["127.0.0.1", "::1", "[2001:db8::1]"] {
            assert!(address(text).is_ok(), "{text}");
        }
        for (text, reason) in [
            ("127.0.0.1:8000", "has a port"),
            ("[::1]:8000", "has a port"),
            ("example.com", "is not an address"),
            ("0.0.0.0", "nothing can be reached"),
        ] {
            assert!(address(text).unwrap_err().reason.contains(reason), "{text}");
        }
    }

    #[test]
    fn a_password_in_the_file_is_refused_and_not_repeated() {
        for text in ["http://me:hunter2@proxy:1", "me:hunter2@proxy:1", "socks5://me:hunter2@proxy", "me:hunter2@"] {
            let problem = proxy(text).unwrap_err();
            assert!(!format!("{problem:?}").contains("hunter2"), "{problem:?}");
        }
        assert!(proxy("proxy.example.com:3128").is_ok());
    }
}
