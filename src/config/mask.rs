//! Keeps secrets out of what is shown: a mistake shows lines of probes.yaml, and keys get pasted into odd places.
//!
//! Masking works on a copy of the text and keeps every byte's place, so that spans still fit. It errs on the side of
//! hiding: an asterisk too many costs a reader nothing.

use std::ops::Range;

use super::keys::nearest;
use super::node::{Node, Value};
use super::values::is_variable_name;

/// How keys begin at the providers we know, so that one is recognised wherever it stands.
const KEY_PREFIXES: [&str; 16] = [
    "sk-", "sk_", "syn_", "gsk_", "hf_", "fw_", "fpk_", "AIza", "key-", "xai-", "r8_", "tgp_", "pplx-", "nvapi-",
    "ghp_", "Bearer ",
];
/// Shorter texts are words, not keys.
const SHORTEST_KEY: usize = 12;
/// Keys of probes.yaml whose names sound secret and whose values are not.
const HARMLESS: [&str; 4] = ["key_header", "key_prefix", "key_page", "max_output_tokens"];
/// Longest name of a file, in bytes (Linux); what is longer is no name.
const LONGEST_PATH: usize = 4096;
/// Longest value that is repeated in a sentence, in characters.
const LONGEST_QUOTE: usize = 60;

/// A value for a sentence: in backticks, without control characters, shortened, and masked if it looks like a key.
pub(super) fn quote(text: &str) -> String {
    if looks_like_a_key(text) {
        return "`***`".to_owned();
    }
    let mut shown: String =
        text.chars().take(LONGEST_QUOTE).map(|c| if is_unseen(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().count() > LONGEST_QUOTE {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// Whether a character has no place of its own and can steer a terminal or change how others look: controls, the marks of
/// writing direction, and what is invisible.
pub(super) fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a text is shaped like some provider's key. `hf_token_of_us` is not, for keys have digits.
pub(super) fn looks_like_a_key(text: &str) -> bool {
    text.len() >= SHORTEST_KEY
        && text.contains(|c: char| c.is_ascii_digit())
        && KEY_PREFIXES.iter().any(|prefix| text.trim_start().starts_with(prefix))
}

/// The text with every secret of a tree masked.
pub(super) fn mask_tree(text: &str, root: &Node<'_>) -> String {
    let mut ranges = Vec::new();
    walk(text, root, Context::Plain, &mut ranges);
    overwrite(text, &ranges)
}

/// What the keys above a value say of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    /// Nothing secret.
    Plain,
    /// A key, or the mapping that says where it is.
    Credential,
    /// A value that may be a secret, such as a header's.
    Secret,
    /// A value under a name that only sounds secret.
    Guessed,
    /// The name of a variable, unless a key was put there.
    Variable,
    /// A proxy: what stands before the `@` is a secret, with a scheme or without.
    Proxy,
    /// The names of files, unless what is in them was put there.
    Files,
}

/// Collects the ranges of secrets.
fn walk(text: &str, node: &Node<'_>, context: Context, ranges: &mut Vec<Range<usize>>) {
    match &node.value {
        Value::Null => {}
        Value::Scalar(scalar) => {
            let secret = match context {
                Context::Secret => true,
                // `api_key: OPENAI_API_KEY` is a common slip, and no secret.
                Context::Credential => !(scalar.text == "none" || is_reference(&scalar.text)),
                Context::Variable => {
                    looks_like_a_key(&scalar.text) || !is_variable_name(&scalar.text) && !is_reference(&scalar.text)
                }
                // `first_tokn: 10s` sounds secret and is not.
                Context::Guessed => !is_amount(&scalar.text),
                Context::Proxy => scalar.text.contains('@'),
                Context::Files => scalar.text.contains("-----") || scalar.text.len() > LONGEST_PATH,
                Context::Plain => looks_like_a_key(&scalar.text),
            };
            if secret {
                ranges.push(node.span.start..node.span.end);
            } else if let Some(range) = user_info(text, node.span.start..node.span.end) {
                ranges.push(range);
            }
        }
        Value::Sequence(items) => {
            for item in items {
                walk(text, item, context, ranges);
            }
        }
        Value::Mapping(entries) => {
            for (key, value) in entries {
                if looks_like_a_key(&key.text) {
                    ranges.push(key.span.start..key.span.end);
                }
                if context == Context::Credential && key.text == "command" {
                    // The program's name is enough to find it; its arguments may carry anything.
                    for argument in value.items().unwrap_or_default().iter().skip(1) {
                        walk(text, argument, Context::Secret, ranges);
                    }
                    continue;
                }
                let inner = match (context, &*key.text) {
                    // However it is misspelt.
                    (Context::Plain, name) if nearest(name, ["headers"]).is_some() => Context::Secret,
                    (Context::Plain, "api_key") => Context::Credential,
                    (Context::Plain, name) if nearest(name, ["proxy", "http_proxy", "https_proxy"]).is_some() => {
                        Context::Proxy
                    }
                    (Context::Plain, "client_certificate") => Context::Files,
                    (Context::Plain, name) if sounds_secret(name) => Context::Guessed,
                    (Context::Plain, _) => Context::Plain,
                    (Context::Proxy, "env") => Context::Proxy,
                    (Context::Files, name) if name.contains("pass") || name.contains("secret") => Context::Secret,
                    (_, "env") => Context::Variable,
                    (Context::Credential, "file" | "optional") => Context::Plain,
                    (other, _) => other,
                };
                walk(text, value, inner, ranges);
            }
        }
    }
}

/// Whether the value of a key with this name is a secret.
fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !HARMLESS.contains(&name.as_str())
        && ["key", "token", "secret", "password", "authorization"]
            .iter()
            .any(|word| name == *word || name.ends_with(word) || name.starts_with("api"))
}

/// Whether a text is a number or a duration: too short and too regular for a key.
fn is_amount(text: &str) -> bool {
    text.len() < 8 && text.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether a text only names a variable: `OPENAI_API_KEY`, `$OPENAI_API_KEY`, `${OPENAI_API_KEY}`.
pub(super) fn is_reference(text: &str) -> bool {
    let name = text.trim_start_matches('$').trim_matches(['{', '}']);
    is_variable_name(name)
        && name.contains('_')
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// The user and password of a URL in some part of the text.
fn user_info(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let url = text.get(range.clone())?;
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    let end = authority.rfind('@')?;
    let start = range.start + scheme.len() + 3;
    Some(start..start + end)
}

/// The text of a file that could not be read, with all that may be a secret masked, line by line.
pub(super) fn mask_lines(text: &str) -> String {
    let mut ranges = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if let Some((key, value)) = line.split_once(':') {
            let name = key.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
            let name = name.rsplit(['{', ',', ' ']).next().unwrap_or_default();
            let value = value.trim();
            let says_where = value.starts_with('{') && !value.contains("sk-") || value == "none";
            if sounds_secret(&name.replace('-', "_")) && !says_where && !is_reference(value) {
                ranges.push(offset + key.len() + 1..offset + line.trim_end().len());
            }
        }
        for prefix in KEY_PREFIXES {
            for (at, _) in line.match_indices(prefix) {
                let word = line.get(at..).unwrap_or_default();
                let skip = prefix.len();
                let length = word
                    .get(skip..)
                    .unwrap_or_default()
                    .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '}' | ']'))
                    .map_or(word.trim_end().len(), |end| end + skip);
                if length >= SHORTEST_KEY {
                    ranges.push(offset + at..offset + at + length);
                }
            }
        }
        if let Some(range) = user_info(text, offset..offset + line.len()) {
            ranges.push(range);
        }
        // A proxy may be written without its scheme.
        if line.contains("proxy")
            && let Some((before, _)) = line.rsplit_once('@')
        {
            let start = before.find(':').map_or(0, |colon| colon + 1);
            ranges.push(offset + start..offset + before.len());
        }
        offset += line.len();
    }
    overwrite(text, &ranges)
}

/// Writes asterisks over some ranges, one for each byte, and leaves line breaks and spaces alone.
fn overwrite(text: &str, ranges: &[Range<usize>]) -> String {
    if ranges.is_empty() {
        return text.to_owned();
    }
    let mut ranges = ranges.to_vec();
    ranges.sort_by_key(|range| range.start);
    let mut ranges = ranges.into_iter().peekable();
    let mut out = String::with_capacity(text.len());
    for (offset, c) in text.char_indices() {
        while ranges.next_if(|range| range.end <= offset).is_some() {}
        let hidden = ranges.peek().is_some_and(|range| range.start <= offset);
        if hidden && !matches!(c, '\n' | '\r' | ' ') {
            out.extend(std::iter::repeat_n('*', c.len_utf8()));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let root = super::super::parse::parse(text, &mut Vec::new()).unwrap();
        mask_tree(text, &root)
    }

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        for text in [
            "api_key: hunter2hunter2",
            "api_key: { env: \"hunter2 hunter2\" }",
            "api_key: { env: sk-hunter2hunter2 }",
            "api_key: { command: [pass, hunter2] }",
            "headers: { x-thing: hunter2 }",
            "token: hunter2",
            "apikey: hunter2",
            "api_key: 12345",
            "api_key: { env: syn_hunter2hunter2 }",
            "model: sk-hunter2hunter2",
            "{ sk-hunter2hunter2: x }",
            "base_url: https://me:hunter2@example.com/v1",
            "api_key: [hunter2]",
            "proxy: http://me:hunter2@proxy:1",
            "proxy: me:hunter2@proxy:1",
            "proxy: { env: me:hunter2@proxy }",
            "https_proxy: hunter2@proxy",
            "client_certificate: { passphrase: hunter2 }",
            "client_certificate: { key: \"-----BEGIN PRIVATE KEY-----hunter2\" }",
        ] {
            assert!(!masked(text).contains("hunter2"), "{text}: {}", masked(text));
            assert_eq!(masked(text).len(), text.len());
        }
        for text in [
            "api_key: \"hunter2",
            "  x-api-key: 'hunter2",
            "{ api_key: hunter2",
            "a: [sk-hunter2hunter2",
            "- { token: hunter2",
            "proxy: me:hunter2@proxy:1",
            "{ proxy: \"hunter2@proxy:1",
        ] {
            assert!(!mask_lines(text).contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn what_only_names_a_place_stays_readable() {
        for text in [
            "api_key: { env: OPENAI_API_KEY }",
            "api_key: $OPENAI_API_KEY",
            "api_key: { file: /run/secrets/key }",
            "key_header: x-api-key",
            "max_output_tokens: 16",
            "first_token: 10s",
            "max_output_token: 16",
            "api_key: { env: $OPENAI_API_KEY }",
            "model: hf:zai-org/GLM-4.6",
            "proxy: http://proxy.example.com:3128",
            "proxy: { env: COMPANY_PROXY }",
            "client_certificate: { cert: client.pem, key: client.key }",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn a_quoted_value_is_short_and_has_no_control_characters() {
        assert_eq!(quote("a\u{1b}[31mb\u{202e}"), "`a\u{fffd}[31mb\u{fffd}`");
        assert_eq!(quote(&"x".repeat(99)).chars().count(), 63);
        assert_eq!(quote("syn_0123456789abcdef"), "`***`");
    }
}
