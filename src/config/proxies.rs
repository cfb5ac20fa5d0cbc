//! From the variables that every program reads (`HTTPS_PROXY`, `NO_PROXY`) to the proxy of one provider.
//!
//! It follows curl, because that is what people try a proxy with: lower case counts before upper case, an empty variable
//! is one that is not set, `HTTP_PROXY` is read in lower case only (a CGI server sets the other from a request's header),
//! and a name in `NO_PROXY` has its subdomains with it. From Go come ports in `NO_PROXY`, and that loopback addresses are
//! never proxied.

use std::net::IpAddr;

use super::Environment;
use super::environment::Variable;
use crate::target::{BaseUrl, Direct, ForwardProxy, Proxy, ProxySource, ProxyUrlError, parse_proxy};

/// Longest list of exceptions that is read, in entries.
const MAX_ENTRIES: usize = 1000;

/// Why a variable names no proxy that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum VariableFault {
    #[error("is not set")]
    Unset,
    #[error("is not UTF-8 text")]
    NotText,
    #[error("names no proxy: {0}")]
    Url(#[from] ProxyUrlError),
}

/// The proxy that the environment has for a base URL, or the variable that is wrong.
pub(super) fn from_environment(
    environment: &Environment,
    base_url: &BaseUrl,
) -> Result<Proxy, (&'static str, VariableFault)> {
    if base_url.is_loopback() {
        return Ok(Proxy::Direct(Direct::Loopback));
    }
    let names: &[&'static str] = if base_url.is_https() {
        &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    } else {
        &["http_proxy", "all_proxy", "ALL_PROXY"]
    };
    let Some(name) = names.iter().copied().find(|name| is_set(environment, name)) else {
        return Ok(Proxy::Direct(Direct::NothingSet));
    };
    if let Some((variable, entry)) = exemption(environment, base_url) {
        return Ok(Proxy::Direct(Direct::Exempt { variable: variable.to_owned(), entry }));
    }
    from_variable(environment, name, ProxySource::Environment(name.to_owned())).map_err(|fault| (name, fault))
}

/// The proxy whose URL a variable holds.
pub(super) fn from_variable(
    environment: &Environment,
    name: &str,
    source: ProxySource,
) -> Result<Proxy, VariableFault> {
    let text = match environment.look_up(name) {
        Variable::Unset | Variable::Text("") => return Err(VariableFault::Unset),
        Variable::NotText => return Err(VariableFault::NotText),
        Variable::Text(text) => text,
    };
    let (address, login) = parse_proxy(text)?;
    Ok(Proxy::Through(Box::new(ForwardProxy { address, login, source })))
}

fn is_set(environment: &Environment, name: &str) -> bool {
    !matches!(environment.look_up(name), Variable::Unset | Variable::Text(""))
}

/// The entry of `NO_PROXY` that a base URL falls under, and the variable.
fn exemption(environment: &Environment, base_url: &BaseUrl) -> Option<(&'static str, String)> {
    let variable = ["no_proxy", "NO_PROXY"].into_iter().find(|name| is_set(environment, name))?;
    let list = environment.get(variable)?;
    let entries = list.split([',', ' ', '\t', '\n']).filter(|entry| !entry.is_empty()).take(MAX_ENTRIES);
    let entry = entries.into_iter().find(|entry| covers(entry, base_url))?;
    Some((variable, entry.chars().filter(|c| !c.is_control()).take(100).collect()))
}

/// Whether an entry of `NO_PROXY` has a base URL in it.
fn covers(entry: &str, base_url: &BaseUrl) -> bool {
    if entry == "*" {
        return true;
    }
    let (host, port) = split_port(entry);
    if port.is_some_and(|port| port != base_url.port()) {
        return false;
    }
    match (base_url.address(), host.split_once('/')) {
        (Some(address), Some((network, bits))) => in_network(address, network, bits),
        (Some(address), None) => host.parse() == Ok(address),
        (None, Some(_)) => false,
        (None, None) => {
            let domain = host.strip_prefix('*').unwrap_or(host).trim_start_matches('.').trim_end_matches('.');
            let name = base_url.host();
            let name = name.trim_end_matches('.');
            let rest = name.len().checked_sub(domain.len()).map(|at| name.split_at_checked(at));
            match rest {
                Some(Some((before, end))) if !domain.is_empty() && end.eq_ignore_ascii_case(domain) => {
                    before.is_empty() || before.ends_with('.')
                }
                _ => false,
            }
        }
    }
}

/// `host:port`, `[address]:port`, or no port at all.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((host, rest)) = entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.rsplit_once(':') {
        // More than one colon is an IPv6 address.
        Some((host, port)) if !host.contains(':') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

/// Whether an address is in a network such as `10.0.0.0/8`.
fn in_network(address: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    let same = |a: u128, b: u128, width: u32| match width.checked_sub(bits) {
        None => false,
        Some(128) => true,
        Some(free) => a >> free == b >> free,
    };
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(pairs: &[(&str, &str)], url: &str) -> String {
        let environment = Environment::from_pairs(pairs.iter().copied());
        match from_environment(&environment, &BaseUrl::parse(url).unwrap()) {
            Ok(Proxy::Direct(why)) => format!("{why:?}"),
            Ok(Proxy::Through(proxy)) => format!("{} by {}", proxy.address, proxy.source),
            Err((variable, fault)) => format!("{variable} {fault}"),
        }
    }

    #[test]
    fn the_variables_are_read_as_curl_reads_them() {
        let (https, http) = ("https://api.example.com/v1", "http://api.example.com/v1");
        for (pairs, url, expected) in [
            (&[][..], https, "NothingSet"),
            (&[("HTTPS_PROXY", "http://p:1")], https, "http://p:1 by the variable HTTPS_PROXY"),
            (&[("HTTPS_PROXY", "p:1")], https, "http://p:1 by the variable HTTPS_PROXY"),
            (&[("HTTPS_PROXY", "http://p:1"), ("https_proxy", "q:2")], https, "http://q:2 by the variable https_proxy"),
            (&[("HTTPS_PROXY", "http://p:1"), ("https_proxy", "")], https, "http://p:1 by the variable HTTPS_PROXY"),
            (&[("ALL_PROXY", "p:1")], https, "http://p:1 by the variable ALL_PROXY"),
            (&[("ALL_PROXY", "p:1"), ("HTTPS_PROXY", "q:2")], https, "http://q:2 by the variable HTTPS_PROXY"),
            (&[("HTTPS_PROXY", "p:1")], http, "NothingSet"),
            (&[("HTTP_PROXY", "p:1")], http, "NothingSet"),
            (&[("http_proxy", "p:1")], http, "http://p:1 by the variable http_proxy"),
            (&[("http_proxy", "p:1")], https, "NothingSet"),
            (&[("all_proxy", "p:1")], http, "http://p:1 by the variable all_proxy"),
            (&[("HTTPS_PROXY", "p:1")], "https://127.0.0.1/v1", "Loopback"),
            (&[("http_proxy", "p:1")], "http://localhost:8000/v1", "Loopback"),
            (
                &[("HTTPS_PROXY", "socks5://me:hunter2@p:1")],
                https,
                "HTTPS_PROXY names no proxy: a proxy of the scheme `socks5` is not supported: only http and https are",
            ),
        ] {
            assert_eq!(ask(pairs, url), expected, "{pairs:?} {url}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_list_and_no_url_panics(list in "[\\PC]{0,60}", url in "[\\PC]{0,60}", host in "[a-zé.]{1,20}") {
            let Ok(base_url) = BaseUrl::parse(&format!("https://{host}/v1")) else { return Ok(()) };
            let pairs = [("HTTPS_PROXY", &*url), ("NO_PROXY", &*list)];
            let _ = from_environment(&Environment::from_pairs(pairs), &base_url);
        }
    }

    #[test]
    fn exceptions_are_names_networks_and_ports() {
        let exempt =
            |list: &str, url: &str| ask(&[("HTTPS_PROXY", "p:1"), ("NO_PROXY", list)], url).starts_with("Exempt");
        for (list, url) in [
            ("*", "https://api.example.com"),
            ("example.com", "https://example.com"),
            ("example.com", "https://api.example.com"),
            (".example.com", "https://api.example.com"),
            (".example.com", "https://example.com"),
            ("*.example.com", "https://api.example.com"),
            ("EXAMPLE.com.", "https://api.example.com"),
            ("a.test, b.test ,api.example.com", "https://api.example.com"),
            ("a.test b.test example.com", "https://api.example.com"),
            ("example.com:443", "https://api.example.com"),
            ("10.1.2.3", "https://10.1.2.3"),
            ("10.0.0.0/8", "https://10.1.2.3"),
            ("10.1.2.3:8443", "https://10.1.2.3:8443"),
            ("0.0.0.0/0", "https://10.1.2.3"),
            ("2001:db8::/32", "https://[2001:db8::1]"),
            ("[2001:db8::1]:443", "https://[2001:db8::1]"),
            ("2001:db8::1", "https://[2001:db8::1]"),
            ("::/0", "https://[2001:db8::1]"),
        ] {
            assert!(exempt(list, url), "{list} {url}");
        }
        for (list, url) in [
            ("", "https://api.example.com"),
            ("example.com", "https://notexample.com"),
            ("api.example.com", "https://example.com"),
            ("example.com:8443", "https://api.example.com"),
            ("exam*", "https://example.com"),
            ("10.0.0.0/8", "https://11.1.2.3"),
            ("10.0.0.0/33", "https://10.1.2.3"),
            ("10.0.0.0/x", "https://10.1.2.3"),
            ("10.0.0.0/8", "https://[::ffff:a01:203]"),
            (".", "https://example.com"),
            ("é", "https://example.com"),
        ] {
            assert!(!exempt(list, url), "{list} {url}");
        }
        let lower_first = [("HTTPS_PROXY", "p:1"), ("NO_PROXY", "*"), ("no_proxy", "other.test")];
        assert!(ask(&lower_first, "https://example.com").starts_with("http://p:1"));
    }
}
