//! Texts that may hold what came from the wire, fit to be shown. What is a secret is for the job to say.

use super::climb::{EVIDENCE_KEPT, Fault, Job};
use super::wire::text::{clean, scrub};
use crate::outcome::Code;
use crate::target::Secret;

/// A text without the key, without the values of the user's own headers, which may be keys too, and without the proxy's
/// password. It is cleaned before it is scrubbed, because an invisible character inside an echoed key would hide it.
pub(super) fn shown(text: &str, job: &Job, limit: usize) -> String {
    let proxy = job.target.provider.network.proxy.forward();
    scrubbed(text, job, &proxy.map(|proxy| proxy.secrets()).unwrap_or_default(), limit)
}

/// What was seen of a fault. What a proxy said was scrubbed of its own password where it was heard (`tunnel.rs`): around
/// it are words of ours, and a password such as `wrongpassword` would take a piece out of them that tells what it is.
pub(super) fn evidence(fault: &Fault, job: &Job) -> String {
    match fault.code {
        Code::ProxyUnreachable | Code::ProxyRefused | Code::ProxyFailed => {
            scrubbed(&fault.evidence, job, &[], EVIDENCE_KEPT)
        }
        _ => shown(&fault.evidence, job, EVIDENCE_KEPT),
    }
}

fn scrubbed(text: &str, job: &Job, secrets: &[Secret], limit: usize) -> String {
    let cleaned = clean(text, 4 * EVIDENCE_KEPT);
    let own = job.target.provider.headers.iter().map(|(_, value)| value);
    let all = job.credential.secret().into_iter().chain(own).chain(secrets);
    clean(&all.fold(cleaned, |text, secret| scrub(&text, Some(secret))), limit)
}
