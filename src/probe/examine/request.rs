//! The request that warms in a form that can be shown: as it was sent, or as it would be, with variables in place of
//! secrets.

use super::route::Way;
use crate::outcome::{HeaderSeen, Made, RequestSeen};
use crate::probe::dialect::{anthropic, embeddings, ollama, openai};
use crate::probe::transport::Request;
use crate::probe::{Job, Knobs, request};
use crate::target::{Credential, CredentialSource, Dialect, KeyHeader, Kind};

/// Headers of ours that anybody may see. `x-client-request-id` is left out: a repeated request is another one.
const PLAIN: [&str; 4] = ["user-agent", "accept-encoding", "anthropic-version", "content-type"];
/// The variable that stands for a key which is in none.
const ANY_KEY: &str = "API_KEY";

/// What is known of the wording of a request that was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// The catalogue names `none` among the LLM's reasoning efforts.
    NoneListed,
    /// It does not, or was not read.
    Unknown,
}

/// The request of a job: `sent`, or the one that would have been sent.
pub(super) fn seen(job: &Job, sent: Option<&Request>, effort: Effort) -> RequestSeen {
    let provider = &job.target.provider;
    let way = Way::of(provider);
    let unsent;
    let (made, request) = match sent {
        Some(request) => (Made::Sent, request),
        None => {
            unsent = worded(job, effort);
            (Made::NotSent, &unsent)
        }
    };
    RequestSeen {
        made,
        url: provider.base_url.join(&request.path).to_string(),
        headers: headers(job, request),
        body: request.body.clone().unwrap_or_default(),
        key_source: match key_source(job) {
            CredentialSource::NotNeeded => None,
            CredentialSource::Env(name) if is_variable(name) => None,
            source => Some(source.to_string()),
        },
        ca_file: way.ca_file.map(ToOwned::to_owned),
        proxy: way.proxy(),
        only: way.only(),
        client_certificate: way.client_certificate(),
        address: way.pinned.map(|address| (provider.base_url.host(), provider.base_url.port(), address)),
    }
}

/// The first wording of a warm-up, before any repair.
fn worded(job: &Job, effort: Effort) -> Request {
    let target = &job.target;
    // The end of the run's id: as good a nonce as any, and the same for one report.
    let nonce = job.run_id.as_str().rsplit('-').next().unwrap_or_default();
    let knobs = Knobs::of(target);
    let (path, body) = match (target.provider.dialect, target.kind) {
        (Dialect::Ollama, kind) => (ollama::preload_path(kind), ollama::preload_body(target)),
        (Dialect::Anthropic, _) => (anthropic::PATH, anthropic::body(target, &knobs, nonce)),
        (Dialect::OpenAi, Kind::Embedding) => (embeddings::PATH, embeddings::body(target, nonce)),
        (Dialect::OpenAi, _) => (openai::PATH, openai::body(target, &knobs, nonce, effort == Effort::NoneListed)),
    };
    request::post(&target.provider, &job.credential, &job.run_id, path, &body)
}

/// The headers without a secret: the key's and the user's own become variables, and one that is not known to be ours is
/// left out.
fn headers(job: &Job, request: &Request) -> Vec<HeaderSeen> {
    let provider = &job.target.provider;
    let is_own = |name: &str| provider.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    let (key_name, before_key) = match &provider.key_header {
        KeyHeader::Bearer => ("authorization".to_owned(), "Bearer "),
        KeyHeader::Named(name) => (name.to_lowercase(), ""),
    };
    let mut seen: Vec<HeaderSeen> = Vec::new();
    // From the last: of two headers with one name it is the last that is sent.
    for (name, value) in request.headers.iter().rev() {
        if seen.iter().any(|seen| seen.name == *name) {
            continue;
        }
        let (text, variable) = match job.credential.secret() {
            Some(_) if *name == key_name => (before_key.to_owned(), Some(key_variable(job))),
            _ if is_own(name) => (String::new(), Some(variable_of(name))),
            _ if PLAIN.contains(&name.as_str()) => (value.clone(), None),
            _ => continue,
        };
        seen.push(HeaderSeen { name: name.clone(), text, variable });
    }
    seen.reverse();
    let is_there = seen.iter().any(|seen| seen.name == key_name);
    if !is_there && *key_source(job) != CredentialSource::NotNeeded {
        // Whoever repeats it has a key.
        let variable = Some(key_variable(job));
        seen.push(HeaderSeen { name: key_name, text: before_key.to_owned(), variable });
    }
    seen
}

/// Where the key is, also where it was not read because only a connection was asked for.
fn key_source(job: &Job) -> &CredentialSource {
    match &*job.credential {
        Credential::Found { source, .. } | Credential::Missing { source, .. } => source,
        Credential::NotNeeded => &job.target.provider.key,
    }
}

fn key_variable(job: &Job) -> String {
    match key_source(job) {
        CredentialSource::Env(name) if is_variable(name) => name.clone(),
        _ => ANY_KEY.to_owned(),
    }
}

/// Whether a shell takes it for a variable's name.
fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The variable for a header of the user's own: `x-team` becomes `X_TEAM`.
fn variable_of(header: &str) -> String {
    let name: String =
        header.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    if is_variable(&name) { name } else { format!("HEADER_{name}") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::outcome::sample::{provider, run_id, target};
    use crate::target::{Depth, Provider, Secret, Target};

    fn job(provider: Provider, source: CredentialSource) -> Job {
        let target = Target { provider: Arc::new(provider), ..target("p", "t", "m") };
        let secret = Secret::new("syn_0123456789".to_owned());
        Job {
            target: Arc::new(target),
            credential: Arc::new(Credential::Found { source, secret }),
            depth: Depth::Warm,
            run_id: run_id(),
            cold_until: None,
        }
    }

    fn shown(seen: &RequestSeen) -> Vec<String> {
        let line = |header: &HeaderSeen| {
            let variable = header.variable.as_ref().map(|name| format!("${name}")).unwrap_or_default();
            format!("{}: {}{variable}", header.name, header.text)
        };
        seen.headers.iter().map(line).collect()
    }

    #[test]
    fn secrets_become_variables() {
        let own = |name: &str| (name.to_owned(), Secret::new("hunter2".to_owned()));
        let provider = Provider { headers: vec![own("x-Team"), own("user-agent"), own("1st")], ..provider("p") };
        let seen = seen(&job(provider, CredentialSource::Env("MY_KEY".to_owned())), None, Effort::Unknown);
        assert_eq!(
            shown(&seen),
            [
                "accept-encoding: identity",
                "x-team: $X_TEAM",
                "user-agent: $USER_AGENT",
                "1st: $HEADER_1ST",
                "authorization: Bearer $MY_KEY",
                "content-type: application/json",
            ]
        );
        assert!(!format!("{seen:?}").contains("hunter2") && !format!("{seen:?}").contains("0123"), "{seen:?}");
        assert_eq!(seen.made, Made::NotSent);
        assert_eq!(seen.key_source, None);
    }

    #[test]
    fn a_key_that_is_in_no_variable_has_one_for_the_line() {
        let header = KeyHeader::Named("api-key".to_owned());
        let job = job(Provider { key_header: header, ..provider("p") }, CredentialSource::File("key.txt".into()));
        let seen = seen(&job, None, Effort::Unknown);
        assert!(shown(&seen).contains(&"api-key: $API_KEY".to_owned()), "{seen:?}");
        assert_eq!(seen.key_source.as_deref(), Some("the file key.txt"));
    }

    #[test]
    fn a_key_that_is_missing_has_its_variable_in_the_line() {
        let source = CredentialSource::Env("MY_KEY".to_owned());
        let fault = crate::target::CredentialFault::VariableUnset("MY_KEY".to_owned());
        let missing = Credential::Missing { source: source.clone(), fault };
        let job = Job { credential: Arc::new(missing), ..job(provider("p"), source) };
        let seen = seen(&job, None, Effort::Unknown);
        assert!(shown(&seen).contains(&"authorization: Bearer $MY_KEY".to_owned()), "{seen:?}");
    }

    #[test]
    fn a_key_that_was_not_read_has_its_variable_in_the_line() {
        let source = CredentialSource::Env("MY_KEY".to_owned());
        let provider = Provider { key: source.clone(), ..provider("p") };
        let connects = Job { credential: Arc::new(Credential::NotNeeded), ..job(provider, source.clone()) };
        let there = seen(&connects, None, Effort::Unknown);
        assert!(shown(&there).contains(&"authorization: Bearer $MY_KEY".to_owned()), "{there:?}");
        let keyless = Provider { key: CredentialSource::NotNeeded, ..Provider::clone(&connects.target.provider) };
        let keyless = Job { credential: Arc::new(Credential::NotNeeded), ..job(keyless, source) };
        let absent = seen(&keyless, None, Effort::Unknown);
        assert!(!absent.headers.iter().any(|header| header.name == "authorization"), "{absent:?}");
    }

    #[test]
    fn what_was_sent_is_shown_as_it_was() {
        let job = job(provider("p"), CredentialSource::Env("MY_KEY".to_owned()));
        let body = serde_json::json!({ "model": "m", "max_completion_tokens": 64 });
        let sent = request::post(&job.target.provider, &job.credential, &job.run_id, "chat/completions", &body);
        let seen = seen(&job, Some(&sent), Effort::Unknown);
        assert_eq!((seen.made, seen.body), (Made::Sent, body.to_string()));
        assert_eq!(seen.url, "https://api.example.com/v1/chat/completions");
    }
}
