//! A draft as the text of a probes.yaml, with the line of the source that each of its lines came from.

use super::NO_MODEL;
use super::draft::{Draft, DraftKey, DraftProvider, DraftRule, DraftTarget};
use crate::config::mask::is_unseen;
use crate::config::presets;
use crate::target::Kind;

/// The text, and of each of its lines the source's, 0 where it has none.
pub(super) struct Written {
    pub(super) text: String,
    pub(super) origins: Vec<u32>,
}

/// What is written of a target without a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unnamed {
    /// A comment, for somebody to finish.
    Commented,
    /// A target all the same.
    Kept,
}

/// Puts lines together.
#[derive(Default)]
struct Pen {
    text: String,
    origins: Vec<u32>,
}

impl Pen {
    fn line(&mut self, origin: u32, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
        self.origins.push(origin);
    }

    fn comment(&mut self, indent: &str, text: &str) {
        // A comment is a line: what came from a file of others must not begin another.
        let text = one_line(text);
        self.line(0, format!("{indent}# {text}").trim_end());
    }
}

/// Writes a draft.
pub(super) fn write(draft: &Draft, unnamed: Unnamed) -> Written {
    let mut pen = Pen::default();
    for text in &draft.header {
        pen.comment("", text);
    }
    pen.line(0, "version: 1");
    pen.line(0, "");
    pen.line(0, "providers:");
    for provider in &draft.providers {
        write_provider(&mut pen, provider);
    }
    pen.line(0, "");
    pen.line(0, "targets:");
    for target in &draft.targets {
        match (&target.model, unnamed) {
            (Some(model), _) => write_target(&mut pen, target, model),
            (None, Unnamed::Kept) => write_target(&mut pen, target, NO_MODEL),
            (None, Unnamed::Commented) => {
                let (name, provider) = (plain(&target.name), plain(&target.provider));
                pen.comment("  ", &format!("Choose a model (pilotlight models {provider}), and take this in:"));
                pen.comment("  ", &format!("- {{ name: {name}, provider: {provider}, model: …, depth: auth }}"));
            }
        }
    }
    if !draft.gates.is_empty() {
        pen.line(0, "");
        pen.line(0, "gates:");
        for gate in &draft.gates {
            for text in &gate.comments {
                pen.comment("  ", text);
            }
            let rule = match &gate.rule {
                DraftRule::Any(targets) => format!("any: [{}]", names(targets)),
                DraftRule::Main { main, fallback } if fallback.is_empty() => format!("main: {}", plain(main)),
                DraftRule::Main { main, fallback } => {
                    format!("main: {}, fallback: [{}]", plain(main), names(fallback))
                }
            };
            pen.line(gate.line, &format!("  {}: {{ {rule} }}", plain(&gate.name)));
        }
    }
    Written { text: pen.text, origins: pen.origins }
}

fn write_provider(pen: &mut Pen, provider: &DraftProvider) {
    for text in &provider.comments {
        pen.comment("  ", text);
    }
    let line = provider.line;
    let facts = presets::facts(provider.preset);
    pen.line(line, &format!("  {}:", plain(&provider.name)));
    if provider.preset == presets::plain(facts.dialect) && provider.base_url.is_some() {
        pen.line(line, &format!("    dialect: {}", facts.dialect));
    } else {
        pen.line(line, &format!("    preset: {}", provider.preset));
    }
    if let Some(base_url) = &provider.base_url {
        pen.line(line, &format!("    base_url: {}", quoted(base_url)));
    }
    match &provider.key {
        DraftKey::Preset => {
            let variable = facts.key_variables.first().filter(|_| facts.key_required);
            if let Some(name) = variable {
                pen.comment("    ", &format!("Its key is read from the variable {name}."));
            }
        }
        DraftKey::IfSet(name) => {
            pen.line(line, &format!("    api_key: {{ env: {}, optional: true }}", plain(name)));
        }
        DraftKey::NotNeeded => pen.line(line, "    api_key: none"),
        DraftKey::Env(variables) => match variables.as_slice() {
            [one] => pen.line(line, &format!("    api_key: {{ env: {} }}", plain(one))),
            several => pen.line(line, &format!("    api_key: {{ env: [{}] }}", names(several))),
        },
    }
    if provider.list_proves_key {
        pen.line(line, "    free_check: { path: models, proves: key, name: the list of models }");
    }
    if provider.lists_not_all && facts.has_catalogue {
        pen.line(line, "    catalogue: { partial: true }");
    }
}

fn write_target(pen: &mut Pen, target: &DraftTarget, model: &str) {
    for text in &target.comments {
        pen.comment("  ", text);
    }
    let line = target.line;
    pen.line(line, &format!("  - name: {}", plain(&target.name)));
    pen.line(line, &format!("    provider: {}", plain(&target.provider)));
    pen.line(line, &format!("    model: {}", quoted(model)));
    if target.kind == Kind::Embedding {
        pen.line(line, "    kind: embedding");
    }
    if let Some(depth) = target.depth {
        pen.line(line, &format!("    depth: {depth}"));
    }
    if !target.tags.is_empty() {
        pen.line(line, &format!("    tags: [{}]", names(&target.tags)));
    }
    if let Some((during, zone)) = &target.warm {
        let zone = zone.as_ref().map(|zone| format!(", timezone: {}", quoted(zone))).unwrap_or_default();
        pen.line(line, &format!("    warm: {{ every: auto, during: {}{zone} }}", quoted(during)));
    }
}

/// A name. Names have letters, digits, `.`, `_` and `-` only, but `8`, `1.5` or `null` would read as something else.
fn plain(name: &str) -> String {
    let word = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !matches!(
            name.to_ascii_lowercase().as_str(),
            "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if word { name.to_owned() } else { quoted(name) }
}

fn names(names: &[String]) -> String {
    names.iter().map(|name| plain(name)).collect::<Vec<_>>().join(", ")
}

/// A text in double quotes, so that nothing in it is YAML's.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            // Line separators and byte order marks are more than a character to some YAML readers, and marks of direction
            // make a text look like another.
            c if is_unseen(c) => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A text without anything that could end its line.
fn one_line(text: &str) -> String {
    text.replace(is_unseen, "\u{fffd}")
}
