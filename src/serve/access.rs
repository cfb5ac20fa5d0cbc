//! Who may ask: those with the token, or, where there is none, those who asked for this machine by its own name.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{HeaderMap, Version};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// The rule of a server.
#[derive(Debug)]
pub(super) enum Access {
    /// This token, in `Authorization: Bearer`.
    Token(SecretString),
    /// No token; this is where it listens. A page of another site can have its name mean 127.0.0.1 (DNS rebinding) and so
    /// have a browser ask us, but that browser then says the other name in `Host`.
    Host(SocketAddr),
    /// A Unix socket, which no browser can reach and whose file says who may.
    File,
}

/// Whether a request may pass.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Granted,
    /// The token is missing or another one.
    Unauthorized,
    /// It was not this machine that was asked for.
    WrongHost,
}

/// Whether a page is for those who may see everything, or for anybody, such as a load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    Anybody,
    Trusted,
}

impl Access {
    pub(super) fn judge(&self, audience: Audience, version: Version, headers: &HeaderMap) -> Answer {
        match self {
            Self::File => Answer::Granted,
            Self::Token(_) if audience == Audience::Anybody => Answer::Granted,
            Self::Token(token) if is_bearer(headers, token) => Answer::Granted,
            Self::Token(_) => Answer::Unauthorized,
            Self::Host(address) if is_own_host(headers, version, *address) => Answer::Granted,
            Self::Host(_) => Answer::WrongHost,
        }
    }
}

/// Compares in a time that does not depend on where the token differs. (That its length could be measured is no secret
/// worth keeping.)
fn is_bearer(headers: &HeaderMap, token: &SecretString) -> bool {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Some((scheme, credentials)) = value.as_bytes().split_at_checked("Bearer ".len()) else { return false };
    scheme.eq_ignore_ascii_case(b"bearer ")
        && bool::from(credentials.trim_ascii().ct_eq(token.expose_secret().as_bytes()))
}

fn is_own_host(headers: &HeaderMap, version: Version, own: SocketAddr) -> bool {
    let mut values = headers.get_all(HOST).iter();
    match (values.next(), values.next()) {
        // Only HTTP/1.0 may go without; load balancers ask so, browsers never do.
        (None, _) => version == Version::HTTP_10,
        (Some(value), None) => value.to_str().is_ok_and(|host| names(host, own)),
        (Some(_), Some(_)) => false,
    }
}

/// Whether a `Host` means this machine. The port is of no matter: a page cannot choose another name by it.
fn names(host: &str, own: SocketAddr) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address, rest),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let is_port = |text: &str| text.parse::<u16>().is_ok() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
        return false;
    }
    match name.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback() || address == own.ip(),
        Err(_) => name.trim_end_matches('.').eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(pairs: &[(axum::http::HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        let own: SocketAddr = "127.0.0.1:9477".parse().unwrap();
        for host in
            ["127.0.0.1:9477", "127.0.0.1", "localhost", "LocalHost:80", "localhost.", "[::1]:9477", "127.1.2.3"]
        {
            assert!(names(host, own), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:9477",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "localhost:80:80",
            "localhost:+80",
            "localhost:x",
            "[::1]x",
            "[::1",
            "user@localhost",
            "0.0.0.0",
            "127.0.0.1@evil.example",
        ] {
            assert!(!names(host, own), "{host}");
        }
    }

    #[test]
    fn a_host_is_said_once() {
        let access = Access::Host("127.0.0.1:9477".parse().unwrap());
        let judge = |version, pairs: &[_]| access.judge(Audience::Anybody, version, &headers(pairs));
        assert_eq!(judge(Version::HTTP_11, &[(HOST, "localhost")]), Answer::Granted);
        assert_eq!(judge(Version::HTTP_11, &[(HOST, "localhost"), (HOST, "evil.example")]), Answer::WrongHost);
        assert_eq!(judge(Version::HTTP_11, &[]), Answer::WrongHost);
        assert_eq!(judge(Version::HTTP_10, &[]), Answer::Granted);
        assert_eq!(judge(Version::HTTP_10, &[(HOST, "evil.example")]), Answer::WrongHost);
    }

    #[test]
    fn a_token_is_the_whole_token() {
        let access = Access::Token(SecretString::from("s3cret-token".to_owned()));
        let judge = |pairs: &[_]| access.judge(Audience::Trusted, Version::HTTP_11, &headers(pairs));
        for value in ["Bearer s3cret-token", "bearer s3cret-token", "BEARER  s3cret-token"] {
            assert_eq!(judge(&[(AUTHORIZATION, value)]), Answer::Granted, "{value}");
        }
        for value in
            ["", "Bearer", "Bearer ", "Bearer s3cret", "Bearer s3cret-tokenx", "Basic s3cret-token", "s3cret-token"]
        {
            assert_eq!(judge(&[(AUTHORIZATION, value)]), Answer::Unauthorized, "{value}");
        }
        let twice = [(AUTHORIZATION, "Bearer s3cret-token"), (AUTHORIZATION, "Bearer s3cret-token")];
        assert_eq!(judge(&twice), Answer::Unauthorized);
        assert_eq!(judge(&[]), Answer::Unauthorized);
        assert_eq!(access.judge(Audience::Anybody, Version::HTTP_11, &HeaderMap::new()), Answer::Granted);
    }
}
