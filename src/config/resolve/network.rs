//! How a provider is reached: its own keys, then those of `defaults`, then the environment.
//!
//! Files are looked at here, so that a wrong path is a mistake with a line and not a failure of every probe. Whether a
//! key belongs to its certificate is for the dial to find out: files are renewed while the service runs.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::super::fields::{Fields, word};
use super::super::mask::quote;
use super::super::mistakes::Mistake;
use super::super::node::{Node, Value};
use super::super::proxies::{VariableFault, from_environment, from_variable};
use super::super::read_at_most;
use super::super::table::{CLIENT_CERTIFICATE, PROXY};
use super::super::table_of_networks::ENVIRONMENT;
use super::super::words::ADDRESSES;
use super::super::{values, values_of_networks};
use super::Context;
use super::layers::{Layers, Origin, Origins};
use super::provider::Named;
use crate::target::{
    AddressFamily, BaseUrl, ClientCertificate, Direct, ForwardProxy, LARGEST_PEM, NetworkSettings, Proxy, ProxySource,
};

/// How a certificate begins in a PEM file.
const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";
/// How every private key's first line ends, whatever its kind.
const PRIVATE_KEY: &[u8] = b"PRIVATE KEY-----";
/// What an encrypted key has in it: in its first line, or in OpenSSL's older form in a header.
const ENCRYPTED: [&[u8]; 2] = [b"BEGIN ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED"];

/// Reports what is wrong in `defaults` by itself, once for all providers.
pub(super) fn check_defaults(context: &mut Context<'_>, defaults: Fields<'_, '_>) {
    if let Some(node) = defaults.get("proxy")
        && let Some(Err(mistake)) = written(context, node)
    {
        context.report(mistake);
    }
    authorities(context, defaults);
}

/// How a provider is reached. What is wrong is reported.
pub(super) fn resolve(
    context: &mut Context<'_>,
    named: &Named<'_, '_>,
    defaults: Option<Fields<'_, '_>>,
    base_url: &BaseUrl,
    origins: &mut Origins,
) -> NetworkSettings {
    let own = named.own;
    let layers = Layers::new([(Origin::Provider, Some(own)), (Origin::Defaults, defaults)]);
    authorities(context, own);
    let settings = NetworkSettings {
        proxy: proxy(context, named, &layers, base_url, origins),
        ca_file: layers.value(origins, "ca_file", None, |node| Some(node.text().and_then(|text| place(context, text)))),
        client_certificate: client_certificate(context, own, base_url, origins),
        family: layers.value(origins, "addresses", AddressFamily::Any, |node| word(&ADDRESSES, node)),
        address: own.text("address").and_then(|text| values_of_networks::address(text).ok()),
    };
    if settings.address.is_some() {
        origins.set("address", Origin::Provider);
    }
    conflicts(context, named, base_url, &settings);
    hints(context, named, base_url, &settings);
    settings
}

/// A file of probes.yaml; none for the word.
fn place(context: &Context<'_>, text: &str) -> Option<PathBuf> {
    (text != "none").then(|| context.directory.join(text))
}

/// The proxy, from whoever names one first.
fn proxy(
    context: &mut Context<'_>,
    named: &Named<'_, '_>,
    layers: &Layers<'_, '_>,
    base_url: &BaseUrl,
    origins: &mut Origins,
) -> Proxy {
    let found = layers.find("proxy");
    if let Some((origin, node)) = found {
        origins.set("proxy", origin);
        // What is said of all providers is not meant for one on this machine.
        let meant = origin == Origin::Provider || !base_url.is_loopback();
        match written(context, node) {
            Some(Ok(Proxy::Through(_))) if !meant => return Proxy::Direct(Direct::Loopback),
            Some(Ok(proxy)) => return proxy,
            Some(Err(mistake)) => {
                if origin == Origin::Provider {
                    context.report(mistake);
                }
                return Proxy::default();
            }
            None => {}
        }
    }
    match from_environment(context.environment, base_url) {
        Ok(proxy) => proxy,
        Err((variable, fault)) => {
            let span = found.map_or(named.span, |(_, node)| node.span);
            context.report(
                Mistake::at(span, format!("the variable {variable}, which leads to `{}`, {fault}", named.id))
                    .fix(format!("set {variable} to `http://host:port`, or write `proxy: none` at the provider")),
            );
            Proxy::default()
        }
    }
}

/// What `proxy` says by itself. `None` where it leaves it to the environment, or has a mistake that is reported already.
fn written(context: &Context<'_>, node: &Node<'_>) -> Option<Result<Proxy, Mistake>> {
    if let Value::Mapping(_) = node.value {
        let fields = Fields::of(node, &PROXY)?;
        let variable = fields.text("env").filter(|name| values::variable(name).is_ok())?;
        let proxy = from_variable(context.environment, variable, ProxySource::Named(variable.to_owned()));
        return Some(proxy.map_err(|fault| {
            let fix = match fault {
                VariableFault::Unset => {
                    format!("set {variable} to `http://user:password@host:port`, or remove the line")
                }
                _ => format!("set {variable} to `http://user:password@host:port`"),
            };
            Mistake::at(fields.span_of("env"), format!("the variable {variable}, which `proxy` needs, {fault}"))
                .fix(fix)
        }));
    }
    match node.text()? {
        "none" => Some(Ok(Proxy::Direct(Direct::Written))),
        ENVIRONMENT => None,
        text => {
            let address = values_of_networks::proxy(text).ok()?;
            let proxy = ForwardProxy { address, login: None, source: ProxySource::ProbesFile };
            Some(Ok(Proxy::Through(Box::new(proxy))))
        }
    }
}

/// Our own certificate, with its key.
fn client_certificate(
    context: &mut Context<'_>,
    own: Fields<'_, '_>,
    base_url: &BaseUrl,
    origins: &mut Origins,
) -> Option<ClientCertificate> {
    let fields = own.section("client_certificate", &CLIENT_CERTIFICATE)?;
    origins.set("client_certificate", Origin::Provider);
    let certificate = fields.text("cert").filter(|text| values::file(text).is_ok())?;
    let key = fields.text("key").unwrap_or(certificate);
    let both = ClientCertificate { certificate: context.directory.join(certificate), key: context.directory.join(key) };
    if let Some(node) = fields.get("cert") {
        pem(context, node, &both.certificate, CERTIFICATE, "no certificate in PEM form");
    }
    if let Some(node) = fields.get("key").or_else(|| fields.get("cert"))
        && let Some(bytes) = pem(context, node, &both.key, PRIVATE_KEY, "no private key in PEM form")
    {
        let shown = quote(&both.key.to_string_lossy());
        if ENCRYPTED.iter().any(|mark| has(&bytes, mark)) {
            context.report(
                Mistake::at(node.span, format!("the private key in {shown} is encrypted"))
                    .fix("write a copy without a passphrase that only the service can read: `umask 077; openssl pkey -in client.key -out plain.key`"),
            );
        }
        if others_can_read(&both.key) {
            context.note(node.span, format!("others can read the private key in {shown}: `chmod 600` it"));
        }
    }
    if !base_url.is_https() {
        context.note(fields.span, "`client_certificate` says nothing to a server without TLS: `base_url` is http");
    }
    Some(both)
}

/// Whether a file is open to more than its owner and group.
#[cfg(unix)]
fn others_can_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o004 != 0)
}

/// Who may read a file is another matter there.
#[cfg(not(unix))]
fn others_can_read(_: &Path) -> bool {
    false
}

/// Settings that exclude one another.
fn conflicts(context: &mut Context<'_>, named: &Named<'_, '_>, base_url: &BaseUrl, settings: &NetworkSettings) {
    let own = named.own;
    let family = |address: IpAddr| if address.is_ipv4() { "IPv4" } else { "IPv6" };
    let words = ADDRESSES.word_for(settings.family);
    if let Some(address) = settings.address {
        let span = own.span_of("address");
        if let Some(proxy) = settings.proxy.forward() {
            context.report(
                Mistake::at(
                    span,
                    format!("`address` is for a direct connection, and {} leads through a proxy", proxy.source),
                )
                .fix("add `proxy: none`, or remove `address`: behind a proxy it is the proxy that looks up the name"),
            );
        }
        if base_url.address().is_some() {
            context.report(
                Mistake::at(span, "`base_url` has an address in it already, so there is no name to find one for")
                    .fix("write the name that the certificate is for in `base_url`, or remove `address`"),
            );
        }
        if !settings.family.accepts(address) {
            context.report(
                Mistake::at(span, format!("`address` is {}, and `addresses: {words}` excludes it", family(address)))
                    .fix("remove one of them"),
            );
        }
    } else if let Some(address) = base_url.address()
        && settings.proxy.forward().is_none()
        && !settings.family.accepts(address)
        && own.get("addresses").is_some()
    {
        context.report(
            Mistake::at(
                own.span_of("addresses"),
                format!("the address in `base_url` is {}, and `addresses: {words}` excludes it", family(address)),
            )
            .fix("remove `addresses`, or write another address"),
        );
    }
}

/// What is allowed and probably not meant.
fn hints(context: &mut Context<'_>, named: &Named<'_, '_>, base_url: &BaseUrl, settings: &NetworkSettings) {
    if base_url.is_https() {
        return;
    }
    let span = if named.own.get("proxy").is_some() { named.own.span_of("proxy") } else { named.span };
    if let Some(proxy) = settings.proxy.forward() {
        let text = format!(
            "without TLS the proxy {} reads every request of `{}`, its key included: `base_url` is http",
            proxy.address, named.id
        );
        context.note(span, text);
    } else if settings.proxy == Proxy::Direct(Direct::NothingSet)
        && context.environment.get("HTTP_PROXY").is_some_and(|value| !value.is_empty())
    {
        context.note(span, "`HTTP_PROXY` is not read, only `http_proxy` is, as curl does; or write `proxy`".to_owned());
    }
}

/// Looks at the certificate authorities.
fn authorities(context: &mut Context<'_>, fields: Fields<'_, '_>) {
    let Some(node) = fields.get("ca_file") else { return };
    let Some(path) = node.text().filter(|text| values::file(text).is_ok()).and_then(|text| place(context, text)) else {
        return;
    };
    pem(context, node, &path, CERTIFICATE, "no certificate in PEM form");
}

/// Looks at a PEM file: whether it can be read and has a mark in it. What is wrong is reported; the bytes where nothing
/// is.
fn pem(context: &mut Context<'_>, node: &Node<'_>, path: &Path, mark: &[u8], lack: &str) -> Option<Vec<u8>> {
    let shown = quote(&path.to_string_lossy());
    let reason = match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => format!("there is no file {shown}"),
        Err(error) => format!("{shown} cannot be read: {error}"),
        Ok(file) if file.is_dir() => format!("{shown} is a directory"),
        // It is read anew for every probe: a pipe would be empty by then, or wait for ever, and a device may have no end.
        Ok(file) if !file.is_file() => format!("{shown} is no regular file"),
        Ok(_) => match read_at_most(path, LARGEST_PEM) {
            Err(error) => format!("{shown} cannot be read: {error}"),
            Ok(None) => format!("{shown} is larger than {LARGEST_PEM} bytes"),
            Ok(Some(bytes)) if has(&bytes, mark) => return Some(bytes),
            Ok(Some(_)) => format!("{shown} holds {lack}"),
        },
    };
    let begins = if mark == CERTIFICATE { "-----BEGIN CERTIFICATE-----" } else { "-----BEGIN PRIVATE KEY-----" };
    context.report(
        Mistake::at(node.span, reason)
            .fix(format!("name a PEM file (`{begins}`); a relative path begins at the folder of this file")),
    );
    None
}

fn has(bytes: &[u8], mark: &[u8]) -> bool {
    bytes.windows(mark.len()).any(|window| window == mark)
}
