//! Remedies with the target's own values in them.

use crate::outcome::words::{duration, wait};
use crate::outcome::{Code, Reset};
use crate::target::{ClientCertificate, Credential, CredentialSource, Target};

/// What a failed stage knows that a remedy may name.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known<'a> {
    pub nearest: &'a [String],
    pub location: Option<&'a str>,
    pub reset: Option<&'a Reset>,
    pub deadline: bool,
}

/// The sentences of a code's remedy, joined; those that name something unknown are left out.
pub(super) fn remedy(code: Code, target: &Target, credential: &Credential, known: Known<'_>) -> String {
    let sentences = code.explain().remedy.iter().filter_map(|sentence| fill(sentence, target, credential, known));
    sentences.collect::<Vec<_>>().join(" ")
}

/// One sentence with its places filled, or nothing when a value is not known.
fn fill(sentence: &str, target: &Target, credential: &Credential, known: Known<'_>) -> Option<String> {
    let mut text = String::with_capacity(sentence.len() + 32);
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        text.push_str(before);
        // `{ file: … }` in a remedy is YAML for the reader, not a place to fill.
        if name.starts_with(' ') {
            text.push('{');
            text.push_str(name);
            text.push('}');
        } else {
            text.push_str(&value(name, target, credential, known)?);
        }
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

fn value(name: &str, target: &Target, credential: &Credential, known: Known<'_>) -> Option<String> {
    let provider = &target.provider;
    match name {
        "target" => Some(target.id.to_string()),
        "title" => Some(provider.title.clone()),
        "model" => Some(target.model.to_string()),
        "host" => Some(provider.base_url.host()),
        "base_url" => Some(provider.base_url.to_string()),
        "key_source" => Some(source(credential).unwrap_or(&provider.key).to_string()),
        // Only a key that was looked for in the environment can be missing because the environment is another.
        "variable" => match source(credential).unwrap_or(&provider.key) {
            CredentialSource::Env(name) => Some(name.clone()),
            _ => None,
        },
        "proxy" => provider.network.proxy.forward().map(|proxy| proxy.address.to_string()),
        "proxy_source" => provider.network.proxy.forward().map(|proxy| proxy.source.to_string()),
        "client_certificate" => provider.network.client_certificate.as_ref().map(files),
        "key_page" => provider.key_page.clone(),
        "billing_page" => provider.billing_page.clone(),
        "status_page" => provider.status_page.clone(),
        "cold_start" => Some(format!("now {}", duration(target.expect.cold_start))),
        "nearest" => (!known.nearest.is_empty()).then(|| known.nearest.join(", ")),
        "timeout" => known.deadline.then(|| "--timeout".to_owned()),
        // At `tls-failed` the place that a fault names is our own file.
        "ca_file" => known.location.map(str::to_owned),
        "https_url" => known.location.is_none().then(|| provider.base_url.to_string()),
        "location" => known.location.map(str::to_owned),
        "wait" => known.reset.map(|reset| format!("in {}", wait(reset.after))),
        _ => None,
    }
}

/// The files of our certificate.
fn files(both: &ClientCertificate) -> String {
    let (certificate, key) = (both.certificate.display(), both.key.display());
    if both.certificate == both.key { certificate.to_string() } else { format!("{certificate} and {key}") }
}

fn source(credential: &Credential) -> Option<&CredentialSource> {
    match credential {
        Credential::NotNeeded => None,
        Credential::Found { source, .. } | Credential::Missing { source, .. } => Some(source),
    }
}
