//! Stage `credential`: what is wrong with a key is told before anything is sent, without printing it.
//!
//! Most 401s that people report come from here: a value with quotes or a trailing space in a `.env`, a file with two
//! lines, `Bearer ` pasted along, an example that was never replaced.

use crate::outcome::Code;
use crate::target::{Credential, Provider};

use super::climb::Fault;

/// Judges the shape of a key. A hint that is no fault ("usually begins with syn_") is returned as a note.
pub(super) fn judge(credential: &Credential, provider: &Provider) -> Result<Option<String>, Fault> {
    match credential {
        Credential::NotNeeded => Ok(None),
        Credential::Missing { fault, .. } => Err(Fault::new(Code::CredentialMissing, fault.to_string())),
        Credential::Found { source, secret } => {
            let key = secret.expose();
            if let Some(wrong) = malformed(key) {
                return Err(Fault::new(Code::CredentialMalformed, format!("the key in {source} {wrong}")));
            }
            Ok(provider.key_prefix.as_deref().filter(|prefix| !key.starts_with(prefix)).map(|prefix| {
                format!("keys of {} usually begin with {prefix}; the one in {source} does not", provider.title)
            }))
        }
    }
}

/// What is wrong with the shape of a key, as the end of a sentence; nothing of the key is repeated.
fn malformed(key: &str) -> Option<&'static str> {
    const QUOTES: [char; 6] = ['"', '\'', '`', '“', '”', '’'];
    let trimmed = key.trim();
    if trimmed.is_empty() {
        return Some("is blank");
    }
    if trimmed.contains(['\n', '\r']) {
        return Some("has several lines: it must be the key alone");
    }
    if key.ends_with(['\n', '\r']) || key.starts_with(['\n', '\r']) {
        return Some("has a line break around it");
    }
    if trimmed.len() != key.len() {
        return Some("has spaces around it");
    }
    if key.starts_with(QUOTES) || key.ends_with(QUOTES) {
        return Some("has quotes around it");
    }
    let lower = key.to_lowercase();
    if lower.starts_with("bearer ") || lower.starts_with("authorization:") {
        return Some("begins with `Bearer `, which pilotlight adds itself");
    }
    if is_placeholder(&lower) {
        return Some("is a placeholder, not a key");
    }
    if key.contains(char::is_whitespace) {
        return Some("has a space inside");
    }
    if key.chars().any(char::is_control) {
        return Some("has a control character inside");
    }
    if !key.is_ascii() {
        return Some("has a character that is not ASCII, often an invisible one that was pasted along");
    }
    None
}

/// Whether a key (in lower case) is an example that was never replaced.
fn is_placeholder(key: &str) -> bool {
    const PARTS: [&str; 10] =
        ["your_", "your-", "yourkey", "<", "${", "{{", "api_key_here", "changeme", "xxxxx", "..."];
    const WHOLE: [&str; 7] = ["null", "none", "undefined", "todo", "api_key", "key", "secret"];
    PARTS.iter().any(|part| key.contains(part)) || WHOLE.contains(&key) || key.starts_with("op://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_told_apart() {
        for (key, says) in [
            ("", "blank"),
            ("   ", "blank"),
            ("syn_abc\n", "line break"),
            ("syn_abc\nsyn_def", "several lines"),
            (" syn_abc", "spaces around"),
            ("\"syn_abc\"", "quotes"),
            ("'syn_abc'", "quotes"),
            ("Bearer syn_abc", "Bearer"),
            ("sk-your-key", "placeholder"),
            ("<API_KEY>", "placeholder"),
            ("sk-...", "placeholder"),
            ("${SYNTHETIC_API_KEY}", "placeholder"),
            ("syn abc", "space inside"),
            ("syn_\u{7}abc", "control"),
            ("syn_\u{200b}abc", "not ASCII"),
        ] {
            let found = malformed(key);
            assert!(found.is_some_and(|text| text.contains(says)), "{key:?}: {found:?}");
        }
    }

    #[test]
    fn real_keys_pass() {
        for key in ["syn_0123456789abcdef", "sk-proj-Ab_9-x", "sk-1234", "ollama", "gsk_XyZ", "a.b.c", "hf_abc", "test"]
        {
            assert_eq!(malformed(key), None, "{key}");
        }
    }
}
