//! How a provider is reached: from the file, from `defaults`, from the environment; and that no password is shown.

use super::*;
use crate::target::{AddressFamily, Direct, Proxy};

fn load_with(pairs: &[(&str, &str)], text: &str) -> Result<Config, LoadError> {
    load_bytes(Path::new("probes.yaml"), text.as_bytes(), &Environment::from_pairs(pairs.iter().copied()))
}

/// One provider of these keys, with these keys of `defaults`.
fn file(defaults: &str, keys: &str) -> String {
    format!(
        "version: 1\ndefaults: {{ {defaults} }}\nproviders:\n  p: {{ {keys} }}\ntargets:\n  - {{ name: t, provider: p, model: m }}\n"
    )
}

fn mistakes_of(pairs: &[(&str, &str)], text: &str) -> String {
    match load_with(pairs, text) {
        Err(LoadError::Mistakes(mistakes)) => mistakes.render(false),
        other => panic!("{other:?}"),
    }
}

fn proxy(pairs: &[(&str, &str)], defaults: &str, keys: &str) -> (String, String) {
    let config = load_with(pairs, &file(defaults, keys)).unwrap_or_else(|error| panic!("{error}"));
    let found = match &config.providers[0].network.proxy {
        Proxy::Direct(why) => format!("{why:?}"),
        Proxy::Through(proxy) => {
            format!("{} {} {}", proxy.address, proxy.source, if proxy.login.is_some() { "login" } else { "open" })
        }
    };
    (found, config.show())
}

#[test]
fn the_nearest_that_names_a_proxy_counts() {
    let env = [("HTTPS_PROXY", "http://me:hunter2@env:1"), ("COMPANY_PROXY", "http://me:hunter2@named:2")];
    let (far, near) = ("preset: openai, api_key: none", "dialect: openai, base_url: 'http://127.0.0.1:1/v1'");
    for (defaults, keys, found, shown) in [
        ("", far, "http://env:1 the variable HTTPS_PROXY login", "proxy: environment  # built in"),
        ("proxy: 'http://d:3'", far, "http://d:3 `proxy` in probes.yaml open", "proxy: \"http://d:3\"  # defaults"),
        ("proxy: none", far, "Written", "proxy: none  # defaults"),
        ("proxy: 'http://d:3'", near, "Loopback", "proxy: environment  # defaults"),
        ("", near, "Loopback", "proxy: environment  # built in"),
    ] {
        let (is, page) = proxy(&env, defaults, keys);
        assert_eq!(is, found, "{defaults} {keys}");
        assert!(page.contains(shown), "{shown}\n{page}");
        assert!(!page.contains("hunter2"), "{page}");
    }
    for (value, found, shown) in [
        (
            "environment",
            "http://env:1 the variable HTTPS_PROXY login",
            "# proxy in effect: http://env:1 by HTTPS_PROXY",
        ),
        ("none", "Written", "proxy: none  # provider"),
        (
            "'p.example.com:8'",
            "http://p.example.com:8 `proxy` in probes.yaml open",
            "proxy: \"http://p.example.com:8\"  # provider",
        ),
        (
            "{ env: COMPANY_PROXY }",
            "http://named:2 the variable COMPANY_PROXY login",
            "proxy: { env: COMPANY_PROXY }  # provider",
        ),
    ] {
        let (is, page) = proxy(&env, "proxy: 'http://d:3'", &format!("{far}, proxy: {value}"));
        assert_eq!(is, found, "{value}");
        assert!(page.contains(shown), "{shown}\n{page}");
        assert!(!page.contains("hunter2"), "{page}");
    }
    // What is said at the provider itself is meant, also for this machine.
    assert_eq!(proxy(&env, "", &format!("{near}, proxy: 'http://d:3'")).0, "http://d:3 `proxy` in probes.yaml open");
    let exempt = [("HTTPS_PROXY", "env:1"), ("NO_PROXY", "other.test, openai.com")];
    let (is, page) = proxy(&exempt, "", far);
    assert!(is.starts_with("Exempt"), "{is}");
    assert!(page.contains("# proxy in effect: none, by \"openai.com\" in NO_PROXY"), "{page}");
}

#[test]
fn mistakes_of_the_environment_name_the_variable_and_never_its_value() {
    let keys = "preset: openai, api_key: none";
    let socks = mistakes_of(&[("ALL_PROXY", "socks5://me:hunter2@p:1")], &file("", keys));
    assert!(socks.contains("the variable ALL_PROXY, which leads to `p`, names no proxy"), "{socks}");
    assert!(socks.contains("write `proxy: none` at the provider") && !socks.contains("hunter2"), "{socks}");
    let unset = mistakes_of(&[], &file("", &format!("{keys}, proxy: {{ env: COMPANY_PROXY }}")));
    assert!(unset.contains("the variable COMPANY_PROXY, which `proxy` needs, is not set"), "{unset}");
    let wrong = mistakes_of(&[("COMPANY_PROXY", "http://hunter2@p/x")], &file("proxy: { env: COMPANY_PROXY }", keys));
    assert_eq!(wrong.matches("error: ").count(), 1, "{wrong}");
    assert!(wrong.contains("names no proxy: it has a path") && !wrong.contains("hunter2"), "{wrong}");
    let pinned = mistakes_of(&[("HTTPS_PROXY", "p:1")], &file("", &format!("{keys}, address: 10.1.2.3")));
    assert!(pinned.contains("the variable HTTPS_PROXY leads through a proxy"), "{pinned}");
    assert!(
        load_with(&[("HTTPS_PROXY", "p:1")], &file("", &format!("{keys}, address: 10.1.2.3, proxy: none"))).is_ok()
    );
}

#[test]
fn what_defaults_say_holds_for_every_provider() {
    let config = load_with(&[], &file("addresses: v4", "preset: openai, api_key: none")).unwrap();
    let network = &config.providers[0].network;
    assert_eq!((network.family, &network.proxy), (AddressFamily::V4, &Proxy::Direct(Direct::NothingSet)));
    assert!(config.show().contains("addresses: v4  # defaults"), "{}", config.show());
    let config = load_with(&[], &file("addresses: v4", "preset: openai, api_key: none, addresses: prefer-v6")).unwrap();
    assert_eq!(config.providers[0].network.family, AddressFamily::PreferV6);
}

#[test]
fn the_files_of_our_certificate_are_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("probes.yaml");
    let load = |keys: &str| load_bytes(&path, file("", keys).as_bytes(), &environment());
    let keys = "preset: openai, client_certificate: { cert: c.pem, key: k.pem }";
    let reason = || match load(keys) {
        Ok(config) => format!("fine {}", notes(&config)),
        Err(LoadError::Mistakes(mistakes)) => mistakes.lines().map(|(_, reason)| format!("{reason}\n")).collect(),
        Err(other) => panic!("{other}"),
    };
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    assert_eq!(reason().matches("there is no file").count(), 2, "{}", reason());
    write("c.pem", "-----BEGIN CERTIFICATE-----\n");
    write("k.pem", "-----BEGIN CERTIFICATE-----\n");
    assert!(reason().contains("holds no private key in PEM form"), "{}", reason());
    write("k.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
    assert!(reason().contains("is encrypted"), "{}", reason());
    write("k.pem", "-----BEGIN EC PRIVATE KEY-----\n");
    assert!(reason().starts_with("fine"), "{}", reason());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |mode| {
            std::fs::set_permissions(folder.path().join("k.pem"), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(0o644);
        assert!(reason().contains("others can read the private key"), "{}", reason());
        mode(0o600);
        assert_eq!(reason(), "fine ");
    }
    let config = load(keys).unwrap();
    assert!(config.show().contains("client_certificate: { cert: c.pem, key: k.pem }  # provider"), "{}", config.show());
    write("both.pem", "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n");
    let config = load("preset: openai, client_certificate: { cert: both.pem }").unwrap();
    let both = config.providers[0].network.client_certificate.clone().unwrap();
    assert_eq!(both.certificate, both.key);
}
