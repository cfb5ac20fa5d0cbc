//! Where the key of a LiteLLM entry is. One that is written in the file is never taken over, and no variable that is
//! made here holds the key of two hosts: a key goes to the host that it is for and to no other.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};

use super::draft::{Draft, DraftKey, RemarkKind};
use super::litellm::variable;
use super::litellm_entry::Entry;
use super::litellm_providers::{Home, Known};
use crate::config::mask::quote;
use crate::config::presets;
use crate::target::BaseUrl;

/// What stands where a server wants no key, in LiteLLM's documentation and in people's files.
const PLACEHOLDERS: [&str; 22] = [
    "none",
    "null",
    "empty",
    "na",
    "n/a",
    "no-key",
    "nokey",
    "no_key",
    "any",
    "anything",
    "dummy",
    "fake",
    "placeholder",
    "test",
    "key",
    "api-key",
    "ollama",
    "vllm",
    "lm-studio",
    "not-needed",
    "not_needed",
    "unused",
];
/// Words that no real key has in it.
const PLACEHOLDER_PARTS: [&str; 7] =
    ["dummy", "fake-", "fake_", "placeholder", "not-needed", "no-key-", "your-api-key"];

/// Which variable was named for which written-out key, by fingerprints: a draft holds no key.
#[derive(Default)]
pub(super) struct WrittenOut {
    hasher: RandomState,
    named: HashMap<String, u64>,
}

impl WrittenOut {
    /// The variable for a key of a host: the wish, or with a number where that is another key's.
    fn variable(&mut self, wish: &str, origin: &str, key: Option<&str>) -> String {
        let fingerprint = self.hasher.hash_one((origin, key));
        let mut name = wish.to_owned();
        let mut number = 2_usize;
        loop {
            match self.named.get(&name) {
                None => {
                    self.named.insert(name.clone(), fingerprint);
                    return name;
                }
                Some(known) if *known == fingerprint => return name,
                Some(_) => {
                    name = format!("{wish}_{number}");
                    number += 1;
                }
            }
        }
    }
}

impl fmt::Debug for WrittenOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrittenOut({} variables)", self.named.len())
    }
}

/// Where the key of an entry is, and a remark where it is not where LiteLLM has it, or goes where one would not think.
pub(super) fn key(
    draft: &mut Draft,
    entry: &Entry<'_>,
    known: &Known,
    base_url: &BaseUrl,
    preset: &'static str,
) -> DraftKey {
    let alias = quote(entry.alias);
    let line = entry.line_of("api_key");
    // LiteLLM takes an empty key for none.
    let written = entry.text("api_key").map(str::trim).filter(|text| !text.is_empty());
    if let Some(name) = written.and_then(variable) {
        return DraftKey::Env(vec![name.to_owned()]);
    }
    if let Some(text) = written {
        let own = own_variable(known, base_url, preset);
        if base_url.is_loopback() {
            let text = format!(
                "{alias}: a key is written here, and was not taken over; a server on this machine seldom wants one"
            );
            draft.remark(Some(line), RemarkKind::Odd, text);
            return DraftKey::NotNeeded;
        }
        // A proxy's `sk-1234` may well be its key.
        if own.is_none() && known.name != "litellm_proxy" && is_placeholder(text) {
            let text = format!("{alias}: what is written as its key is a placeholder, so none is sent");
            draft.remark(Some(line), RemarkKind::Odd, text);
            return DraftKey::NotNeeded;
        }
        let name = named(draft, own, base_url, Some(text));
        let text = format!(
            "{alias}: a key is written here, and was not taken over; put it into the variable {name}, and replace it if \
             anybody else has seen this file"
        );
        draft.remark(Some(line), RemarkKind::Odd, text);
        return DraftKey::Env(vec![name]);
    }
    if let Some(credential) = entry.text("litellm_credential_name") {
        let line = entry.line_of("litellm_credential_name");
        let own = own_variable(known, base_url, preset);
        if own.is_none() && !base_url.is_loopback() {
            let name = named(draft, None, base_url, Some(credential));
            let text =
                format!("{alias}: `litellm_credential_name` is not followed; put its key into the variable {name}");
            draft.remark(Some(line), RemarkKind::Odd, text);
            return DraftKey::Env(vec![name]);
        }
        let text = format!("{alias}: `litellm_credential_name` is not followed; see `api_key` of its provider");
        draft.remark(Some(line), RemarkKind::Odd, text);
    }
    let facts = presets::facts(preset);
    if base_url.is_loopback() || (known.home == Home::Yours && !facts.key_required) {
        return if facts.key_variables.is_empty() { DraftKey::NotNeeded } else { DraftKey::Preset };
    }
    if !is_home(known, base_url)
        && (known.home != Home::Yours || known.keys.contains(&"OPENAI_API_KEY"))
        && let Some(first) = known.keys.first()
    {
        let text = format!(
            "{alias}: no key is named, so LiteLLM sends the one in {first} to {}, and so does this file; name another \
             as `api_key` if that host should not have it",
            base_url.host()
        );
        draft.remark(Some(entry.line), RemarkKind::Odd, text);
    }
    DraftKey::Env(known.keys.iter().map(|name| (*name).to_owned()).collect())
}

/// Whether an address is at the provider's own host.
fn is_home(known: &Known, base_url: &BaseUrl) -> bool {
    let home = match known.home {
        Home::Preset(preset) => presets::facts(preset).base_url,
        Home::Url(url) => Some(url.to_owned()),
        Home::Yours => None,
    };
    home.is_some_and(|home| is_at(&home, base_url))
}

fn is_at(home: &str, base_url: &BaseUrl) -> bool {
    BaseUrl::parse(home).is_ok_and(|home| home.join("").origin() == base_url.join("").origin())
}

/// The variable that keys of this very host are kept in: the provider's where it is its host, or the preset's.
fn own_variable(known: &Known, base_url: &BaseUrl, preset: &str) -> Option<String> {
    if is_home(known, base_url) {
        return known.keys.first().map(|name| (*name).to_owned());
    }
    let facts = presets::facts(preset);
    facts.base_url.filter(|home| is_at(home, base_url)).and(facts.key_variables.into_iter().next())
}

/// A variable for a key of this host: its own, else one that is named after it.
fn named(draft: &mut Draft, own: Option<String>, base_url: &BaseUrl, key: Option<&str>) -> String {
    let wish = own.unwrap_or_else(|| after_the_host(&base_url.host()));
    draft.written_out.variable(&wish, &base_url.join("").origin().ascii_serialization(), key)
}

/// `LLM_CORP_EXAMPLE_KEY` for `llm.corp.example`, and `LLM_GPU_KEY` for `gpu`.
fn after_the_host(host: &str) -> String {
    let word: String =
        host.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).take(48).collect();
    let word = word.trim_matches('_');
    if word.starts_with("LLM_") { format!("{word}_KEY") } else { format!("LLM_{word}_KEY") }
}

/// Whether a text only stands where a key would: `none`, `EMPTY`, `sk-1234`, `xxx`.
fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let bare = lower.strip_prefix("sk-").unwrap_or(&lower);
    PLACEHOLDERS.contains(&bare)
        || PLACEHOLDER_PARTS.iter().any(|part| lower.contains(part))
        || bare.chars().all(|c| matches!(c, 'x' | '*' | '.' | '-' | '0'))
        || "1234567890".starts_with(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_no_key() {
        for text in ["none", "EMPTY", "dummy", "sk-1234", "sk-12345", "xxx", "sk-xxxx", "fake-key", "anything", "-"] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in ["sk-hunter2", "hunter2", "sk-1234abcd", "gsk_test", "123456789012"] {
            assert!(!is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn a_variable_is_named_after_its_host_and_is_one_keys() {
        assert_eq!(after_the_host("llm.corp.example"), "LLM_CORP_EXAMPLE_KEY");
        assert_eq!(after_the_host("10.0.0.7"), "LLM_10_0_0_7_KEY");
        let mut written = WrittenOut::default();
        assert_eq!(written.variable("K", "https://a", Some("1")), "K");
        assert_eq!(written.variable("K", "https://a", Some("1")), "K");
        assert_eq!(written.variable("K", "https://b", Some("1")), "K_2");
        assert_eq!(written.variable("K", "https://a", Some("2")), "K_3");
        assert_eq!(format!("{written:?}"), "WrittenOut(3 variables)");
    }
}
