//! Presets: what is known of named providers, as data (`presets.yaml`, embedded).
//!
//! A preset is written in the keys of a provider, so that a provider of probes.yaml is laid over it key by key and can
//! override all of it. Only the presets that a file names are parsed: a one-shot command has no time to read them all.

use std::fmt::Write as _;

use super::fields::Fields;
use super::node::Node;
use super::parse::parse;
use super::table::PROVIDER;
use super::words::DIALECTS;
use crate::target::Dialect;

static TEXT: &str = include_str!("presets.yaml");

/// One preset's name and its YAML text.
#[derive(Clone, Copy)]
struct Document {
    name: &'static str,
    text: &'static str,
}

/// Every preset in the order of the file.
fn documents() -> impl Iterator<Item = Document> {
    TEXT.split("\n---\n").skip(1).filter_map(|document| {
        let (first, text) = document.split_once('\n')?;
        let name = first.strip_prefix("name: ")?;
        Some(Document { name, text })
    })
}

/// The names of all presets.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    documents().map(|document| document.name)
}

/// The preset that stands for a dialect where none is named.
pub(super) fn plain(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::OpenAi => "openai-compatible",
        Dialect::Anthropic => "anthropic-compatible",
        Dialect::Ollama => "ollama",
    }
}

/// A preset's tree. `None` where there is no such preset.
pub(super) fn read(name: &str) -> Option<Node<'static>> {
    let document = documents().find(|document| document.name == name)?;
    // The tests read every preset, so there is nothing to report.
    parse(document.text, &mut Vec::new())
}

/// What an import has to know of a preset.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// What people call it: "Synthetic".
    pub(super) title: String,
    /// The wire format.
    pub(super) dialect: Dialect,
    /// Its base URL, as it is written. Absent where it is the user's.
    pub(super) base_url: Option<String>,
    /// The variables that its key may be in, the usual one first.
    pub(super) key_variables: Vec<String>,
    /// Whether it cannot be used without a key.
    pub(super) key_required: bool,
    /// Whether it has a list of models.
    pub(super) has_catalogue: bool,
    /// Whether its LLMs unload.
    pub(super) unloads: bool,
}

/// What is known of a preset. One that is not there has no facts, and speaks `openai`.
pub(super) fn facts(name: &str) -> Facts {
    let node = read(name);
    let fields = node.as_ref().and_then(|node| Fields::of(node, &PROVIDER));
    let text = |key: &str| fields.and_then(|fields| fields.text(key).map(str::to_owned));
    let key = fields.and_then(|fields| fields.section("api_key", &super::table::CREDENTIAL));
    let key_variables = key.map(|key| match key.text("env") {
        Some(name) => vec![name.to_owned()],
        None => key.items("env").iter().filter_map(Node::text).map(str::to_owned).collect(),
    });
    Facts {
        title: text("title").unwrap_or_else(|| name.to_owned()),
        dialect: fields
            .and_then(|fields| super::fields::word(&DIALECTS, fields.get("dialect")?))
            .unwrap_or(Dialect::OpenAi),
        base_url: text("base_url"),
        key_variables: key_variables.unwrap_or_default(),
        key_required: key.is_some_and(|key| key.text("optional") != Some("true")),
        has_catalogue: fields.is_some_and(|fields| fields.section("catalogue", &super::table::CATALOGUE).is_some()),
        unloads: text("unloads").as_deref() != Some("false"),
    }
}

/// The tables of `docs/presets.md`, in Markdown.
#[must_use]
pub fn presets_markdown() -> String {
    let mut out = String::new();
    for (title, local) in [("Hosted", false), ("Your own servers", true)] {
        let _ = writeln!(out, "## {title}\n");
        let _ = writeln!(out, "| preset | what it is | dialect | base URL | key | free check | unloads |");
        let _ = writeln!(out, "|---|---|---|---|---|---|---|");
        for name in names() {
            let Some(node) = read(name) else { continue };
            let Some(fields) = Fields::of(&node, &PROVIDER) else {
                continue;
            };
            let base_url = fields.text("base_url").unwrap_or_default();
            if (base_url.is_empty() || base_url.starts_with("http://")) == local {
                let _ = writeln!(out, "{}", row(name, base_url, &fields));
            }
        }
        out.push('\n');
    }
    out
}

/// One row of the tables.
fn row(name: &str, base_url: &str, fields: &Fields<'_, '_>) -> String {
    let title = fields.text("title").unwrap_or(name);
    let dialect = fields.text("dialect").unwrap_or(DIALECTS.word_for(Dialect::OpenAi));
    let base_url = if base_url.is_empty() { "yours".to_owned() } else { format!("`{base_url}`") };
    let check = fields
        .section("free_check", &super::table::FREE_CHECK)
        .and_then(|check| {
            let path = check.text("path")?;
            let proves = match check.text("proves") {
                Some("reachable") => " (the server only)",
                _ => "",
            };
            Some(format!("`{path}`{proves}"))
        })
        .unwrap_or_else(|| "none".to_owned());
    let unloads = match fields.text("unloads") {
        Some("false") => "no",
        _ => "yes",
    };
    format!("| `{name}` | {title} | {dialect} | {base_url} | {} | {check} | {unloads} |", key_text(fields))
}

/// Where a preset takes its key from.
fn key_text(fields: &Fields<'_, '_>) -> String {
    let Some(credential) = fields.section("api_key", &super::table::CREDENTIAL) else {
        return match fields.text("api_key") {
            Some(_) => "none".to_owned(),
            None => "yours".to_owned(),
        };
    };
    let names: Vec<String> = match credential.text("env") {
        Some(name) => vec![format!("`{name}`")],
        None => credential.items("env").iter().filter_map(Node::text).map(|name| format!("`{name}`")).collect(),
    };
    let optional = match credential.text("optional") {
        Some("true") => " if set",
        _ => "",
    };
    format!("{}{optional}", names.join(", else "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::shape;
    use super::*;

    #[test]
    fn every_preset_is_well_formed_and_has_its_own_name() {
        let mut seen = BTreeSet::new();
        for document in documents() {
            assert!(seen.insert(document.name), "{} is there twice", document.name);
            let mut mistakes = Vec::new();
            let node = parse(document.text, &mut mistakes).unwrap();
            shape::check(&node, &PROVIDER, &mut mistakes);
            assert!(mistakes.is_empty(), "{}: {mistakes:#?}", document.name);
            let fields = Fields::of(&node, &PROVIDER).unwrap();
            for key in ["title", "family", "dialect", "free_check", "catalogue", "unloads", "concurrency"] {
                assert!(
                    fields.get(key).is_some() || document.name == "anthropic-compatible",
                    "{} has no {key}",
                    document.name
                );
            }
            assert!(fields.get("headers").is_none(), "a preset's headers would be masked and never merged");
        }
        assert_eq!(seen.len(), TEXT.matches("\nname: ").count());
        for name in [
            "synthetic",
            "openai",
            "anthropic",
            "moonshot",
            "moonshot-cn",
            "fireworks",
            "together",
            "groq",
            "zai-coding",
            "deepseek",
            "openrouter",
            "mistral",
            "gemini",
            "huggingface",
            "ollama",
            "llamacpp",
            "llama-swap",
            "vllm",
            "lmstudio",
            "litellm",
            "openai-compatible",
            "anthropic-compatible",
            "synthetic-anthropic",
            "zai",
        ] {
            assert!(seen.contains(name), "{name}");
        }
    }

    #[test]
    fn what_does_not_unload_or_is_hosted_is_encrypted() {
        for name in names() {
            let node = read(name).unwrap();
            let fields = Fields::of(&node, &PROVIDER).unwrap();
            if let Some(url) = fields.text("base_url") {
                let url = crate::target::BaseUrl::parse(url).unwrap();
                assert!(url.is_https() || url.is_loopback(), "{name}");
            }
        }
    }
}
