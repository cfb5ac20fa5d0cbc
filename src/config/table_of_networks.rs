//! The table of keys, continued: how a provider is reached.
//!
//! The keys are constants, because a provider and `defaults` share some of them.

use super::forms::{ADDRESS, FILE, PROXY_URL, VARIABLE};
use super::keys::{Key, Kind, Section};
use super::words::ADDRESSES;

/// The word for whatever the environment says.
pub(super) const ENVIRONMENT: &str = "environment";

static NAMED_PROXY: Kind = Kind::OrWord(ENVIRONMENT, &Kind::SectionOrScalar(&PROXY, &PROXY_URL));
static CA_FILE: Kind = Kind::Scalar(&FILE);

pub(super) const PROXY_KEY: Key = Key::new(
    "proxy",
    Kind::OrWord("none", &NAMED_PROXY),
    "The proxy on the way: `http://host:port`, `none`, or what `HTTPS_PROXY` and `NO_PROXY` say (`environment`). One with a password comes from a variable: `{ env: NAME }`.",
)
.default("`environment`")
.example("http://proxy.example.com:3128")
.also(&["http_proxy", "https_proxy", "proxies", "proxy_url"]);

pub(super) const CA_FILE_KEY: Key = Key::new(
    "ca_file",
    Kind::OrWord("none", &CA_FILE),
    "PEM file with the certificate authorities to trust instead of the system's; relative to this file.",
)
.default("`none`: the system's")
.example("company-ca.pem")
.also(&["ca", "cert", "cacert", "ca_cert", "verify"]);

pub(super) const ADDRESSES_KEY: Key = Key::new(
    "addresses",
    Kind::Word(&ADDRESSES),
    "Which addresses of the host are tried; with a proxy, which of the proxy's.",
)
.default("`any`")
.example("prefer-v4")
.also(&["ip", "ip_version", "family", "address_family", "ipv4", "ipv6"]);

pub(super) const CLIENT_CERTIFICATE_KEY: Key = Key::new(
    "client_certificate",
    Kind::Section(&CLIENT_CERTIFICATE),
    "Who we are, for a server that asks for a certificate (mTLS).",
)
.example("{ cert: client.pem, key: client.key }")
.also(&["client_cert", "mtls", "certificate", "identity"]);

pub(super) const ADDRESS_KEY: Key = Key::new(
    "address",
    Kind::Scalar(&ADDRESS),
    "The address to connect to instead of what the resolver says; the name in TLS and in `Host` stays.",
)
.example("10.1.2.3")
.also(&["resolve", "connect_to", "pinned_address", "ip_address"]);

/// A proxy's URL from a variable.
pub(super) static PROXY: Section = Section {
    name: "proxy",
    noun: "`proxy`",
    doc: "A proxy's URL from a variable, where it has a password in it.",
    keys: &[Key::new("env", Kind::Scalar(&VARIABLE), "The variable that holds the URL.")
        .required()
        .example("COMPANY_PROXY")
        .also(&["variable", "var"])],
};

/// Our own certificate.
pub(super) static CLIENT_CERTIFICATE: Section = Section {
    name: "client_certificate",
    noun: "`client_certificate`",
    doc: "Who we are, for a server that asks for a certificate. Both files are PEM and relative to this file.",
    keys: &[
        Key::new("cert", Kind::Scalar(&FILE), "Our certificate, then those between it and its authority.")
            .required()
            .example("client.pem")
            .also(&["certificate", "cert_file", "crt"]),
        Key::new("key", Kind::Scalar(&FILE), "Its private key, not encrypted.")
            .default("the same file")
            .example("client.key")
            .also(&["key_file", "private_key"]),
    ],
};

/// A header's value from somewhere else.
pub(super) static HEADER: Section = Section {
    name: "header",
    noun: "a header's value",
    doc: "A header's value from a variable.",
    keys: &[Key::new("env", Kind::Scalar(&VARIABLE), "The variable that holds the value.")
        .required()
        .example("TEAM_TOKEN")],
};
