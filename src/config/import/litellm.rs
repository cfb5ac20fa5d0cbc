//! LiteLLM's `config.yaml`: its `model_list`, directly or through the proxy.
//!
//! The form is that of BerriAI/litellm's `docs/proxy/configs.md` and of litellm 1.106.2: `model_list[]` with a
//! `model_name` (its alias; the same one twice is several deployments) and `litellm_params` (`model` as
//! `provider/model`, `api_base`, `api_key`, `custom_llm_provider`, `mock_response`), where `os.environ/NAME` stands for
//! a variable; `model_info.mode`; `fallbacks` in `litellm_settings` or `router_settings`; `include`.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::draft::{Draft, DraftGate, DraftKey, DraftRule, DraftTarget, RemarkKind, provider_at};
use super::litellm_entry::{Entry, Found, entry};
use super::names::is_key_variable;
use crate::config::mask::quote;
use crate::config::mistakes::{Mistake, Mistakes};
use crate::config::node::{Node, Repeated, Span};
use crate::config::{Environment, parse, values};
use crate::target::{BaseUrl, Kind};

/// Most entries that are mapped. A file with more is a catalogue, not a list of what somebody relies on.
const MOST: usize = 1000;

/// Most fallbacks that are looked at, over all aliases: a thousand aliases may each name all the others.
const MOST_FALLBACKS: usize = 10_000;

/// The proxy itself as the one provider.
#[derive(Debug, Clone)]
pub struct Through {
    /// Where it listens.
    pub url: BaseUrl,
    /// The variable that holds a key for it. Absent: what `general_settings.master_key` refers to.
    pub key_env: Option<String>,
}

/// Makes a draft of a `config.yaml`. The environment only fills in addresses that are variables; no key is read.
///
/// # Errors
/// The file is not YAML, or has no `model_list`.
pub fn litellm(
    path: &Path,
    text: &str,
    environment: &Environment,
    through: Option<&Through>,
) -> Result<Draft, Box<Mistakes>> {
    let mut mistakes = Vec::new();
    let fail = |list: Vec<Mistake>| Box::new(Mistakes::of_others(path, list));
    let Some(root) = parse::parse_as(text, Repeated::Last, &mut mistakes) else {
        if mistakes.is_empty() {
            mistakes.push(Mistake::at(start(), "there is nothing in this file").fix("name LiteLLM's config.yaml"));
        }
        return Err(fail(mistakes));
    };
    let Some(list) = get(&root, "model_list").and_then(Node::items) else {
        let mistake = Mistake::at(start(), "there is no `model_list` in this file, or it is not a list")
            .fix("name LiteLLM's config.yaml; models that are kept in its database are probed with `--through URL`");
        return Err(fail(vec![mistake]));
    };
    let mut draft = Draft::default();
    // LiteLLM reads on where a key is written twice, and so do we.
    for (line, reason) in fail(mistakes).lines() {
        let counts = if reason.ends_with("is written twice") { "; LiteLLM takes this one, the last" } else { "" };
        draft.remark(Some(line), RemarkKind::Odd, format!("{reason}{counts}"));
    }
    if let Some(rest) = list.get(MOST) {
        let text = format!("only the first {MOST} entries of `model_list` are read");
        draft.remark(Some(rest.span.line), RemarkKind::NotMapped, text);
    }
    let mut aliases = Aliases::default();
    for node in list.iter().take(MOST) {
        let Some(entry) = entry(&mut draft, node) else { continue };
        match through {
            Some(through) => relayed(&mut draft, &mut aliases, &entry, &key_of(&root, through), through),
            None => direct(&mut draft, &mut aliases, &entry, environment),
        }
    }
    gates(&mut draft, &root, &aliases);
    elsewhere(&mut draft, &root);
    header(&mut draft, path, through);
    Ok(draft)
}

/// The targets of each alias, in the order of the file.
#[derive(Debug, Default)]
struct Aliases(BTreeMap<String, (u32, Vec<String>)>);

impl Aliases {
    fn add(&mut self, alias: &str, line: u32, target: String) {
        self.0.entry(alias.to_owned()).or_insert_with(|| (line, Vec::new())).1.push(target);
    }
}

/// The value of a key of a mapping.
pub(super) fn get<'n, 'a>(node: &'n Node<'a>, key: &str) -> Option<&'n Node<'a>> {
    node.entries()?.iter().find(|(name, _)| name.text == key).map(|(_, value)| value)
}

/// The variable of `os.environ/NAME`.
pub(super) fn variable(text: &str) -> Option<&str> {
    text.strip_prefix("os.environ/").map(str::trim).filter(|name| is_key_variable(name))
}

fn start() -> Span {
    Span { line: 1, column: 1, ..Span::default() }
}

/// A deployment, at its own provider.
fn direct(draft: &mut Draft, aliases: &mut Aliases, entry: &Entry<'_>, environment: &Environment) {
    let Some(Found { provider, model, kind }) = entry.resolve(draft, environment) else { return };
    let provider = draft.provider(provider);
    add(draft, aliases, entry, &provider, &model, kind);
}

/// An alias, asked for at the proxy.
fn relayed(draft: &mut Draft, aliases: &mut Aliases, entry: &Entry<'_>, key: &DraftKey, through: &Through) {
    let line = entry.line;
    if entry.alias.contains('*') {
        let text = format!("{} is a wildcard and names no model; add those that you use", quote(entry.alias));
        draft.remark(Some(line), RemarkKind::NotMapped, text);
        return;
    }
    if let Err(problem) = values::model(entry.alias) {
        draft.remark(Some(line), RemarkKind::NotMapped, format!("{}: {}", quote(entry.alias), problem.reason));
        return;
    }
    let Some(kind) = entry.kind(draft) else { return };
    if aliases.0.contains_key(entry.alias) {
        let text = format!("a further deployment of {}: the proxy chooses between them", quote(entry.alias));
        draft.remark(Some(line), RemarkKind::Odd, text);
        return;
    }
    let mut provider = provider_at(&through.url, "litellm", key.clone(), line);
    provider.name = "litellm".to_owned();
    // Without a database, `/key/info` answers 500 to every key, and the list 400 to a wrong one (litellm 1.106.2).
    provider.list_proves_key = true;
    let provider = draft.provider(provider);
    add(draft, aliases, entry, &provider, entry.alias, kind);
}

fn add(draft: &mut Draft, aliases: &mut Aliases, entry: &Entry<'_>, provider: &str, model: &str, kind: Kind) {
    let target = draft.target(DraftTarget {
        name: entry.alias.to_owned(),
        provider: provider.to_owned(),
        model: Some(model.to_owned()),
        kind,
        depth: None,
        warm: None,
        tags: vec!["litellm".to_owned()],
        comments: Vec::new(),
        line: entry.line,
    });
    if target != entry.alias {
        draft.comment(format!("LiteLLM calls it {}.", quote(entry.alias)));
    }
    let text = format!("{} is the target `{target}` at `{provider}`", quote(entry.alias));
    draft.remark(Some(entry.line), RemarkKind::Mapped, text);
    aliases.add(entry.alias, entry.line, target);
}

/// The key of the proxy: a variable, or none where it has no master key. A literal one is never taken over.
fn key_of(root: &Node<'_>, through: &Through) -> DraftKey {
    if let Some(name) = through.key_env.as_ref().filter(|name| is_key_variable(name)) {
        return DraftKey::Env(vec![name.clone()]);
    }
    match get(root, "general_settings").and_then(|settings| get(settings, "master_key")).and_then(Node::text) {
        Some(text) => DraftKey::Env(vec![variable(text).unwrap_or("LITELLM_MASTER_KEY").to_owned()]),
        // LiteLLM reads this variable where the file names none.
        None => DraftKey::IfSet("LITELLM_MASTER_KEY".to_owned()),
    }
}

/// One gate for each alias with several deployments, and one for each that has fallbacks.
fn gates(draft: &mut Draft, root: &Node<'_>, aliases: &Aliases) {
    let mut named: HashSet<&str> = HashSet::new();
    let mut looked_at = 0_usize;
    for section in ["litellm_settings", "router_settings"] {
        let Some(fallbacks) = get(root, section).and_then(|section| get(section, "fallbacks")) else { continue };
        // A list of mappings, each of one alias; some write one mapping.
        let written = fallbacks.items().unwrap_or(std::slice::from_ref(fallbacks));
        for (from, to) in written.iter().filter_map(Node::entries).flatten() {
            if named.contains(&*from.text) {
                continue;
            }
            let Some((_, deployments)) = aliases.0.get(&*from.text) else { continue };
            let Some((main, others)) = deployments.split_first() else { continue };
            let next = to.items().unwrap_or_default().iter().filter_map(Node::text);
            let next = next.filter_map(|alias| aliases.0.get(alias)).flat_map(|(_, targets)| targets);
            let mut known: HashSet<&str> = HashSet::from([main.as_str()]);
            let mut fallback: Vec<String> = Vec::new();
            for target in others.iter().chain(next) {
                looked_at += 1;
                if looked_at > MOST_FALLBACKS {
                    let text =
                        format!("more than {MOST_FALLBACKS} fallbacks are named; from here on they are left out");
                    draft.remark(Some(from.span.line), RemarkKind::NotMapped, text);
                    return;
                }
                if known.insert(target) {
                    fallback.push(target.clone());
                }
            }
            if fallback.is_empty() {
                continue;
            }
            named.insert(&from.text);
            draft.gate(DraftGate {
                name: from.text.to_string(),
                rule: DraftRule::Main { main: main.clone(), fallback },
                comments: vec!["Open when the first is ready, or else one that LiteLLM would fall back to.".to_owned()],
                line: from.span.line,
            });
        }
    }
    for (alias, (line, targets)) in &aliases.0 {
        if targets.len() > 1 && !named.contains(alias.as_str()) {
            draft.gate(DraftGate {
                name: alias.clone(),
                rule: DraftRule::Any(targets.clone()),
                comments: vec![
                    "Deployments of one model, between which LiteLLM balances: one of them is enough.".to_owned(),
                ],
                line: *line,
            });
        }
    }
}

/// What else the file says that a probe would need and does not get.
fn elsewhere(draft: &mut Draft, root: &Node<'_>) {
    if let Some(node) = get(root, "include") {
        let text = "`include` names further files: import each of them too";
        draft.remark(Some(node.span.line), RemarkKind::NotMapped, text);
    }
    if let Some(node) = get(root, "environment_variables") {
        let text = "`environment_variables` are set by LiteLLM for itself: set those that are keys for pilotlight too";
        draft.remark(Some(node.span.line), RemarkKind::Odd, text);
    }
    let master = get(root, "general_settings").and_then(|settings| get(settings, "master_key"));
    if let Some(node) = master
        && node.text().is_some_and(|text| variable(text).is_none())
    {
        let text = "the master key is written in this file; put it into LITELLM_MASTER_KEY and refer to it with \
                    `os.environ/LITELLM_MASTER_KEY`";
        draft.remark(Some(node.span.line), RemarkKind::Odd, text);
    }
}

fn header(draft: &mut Draft, path: &Path, through: Option<&Through>) {
    let path = path.display();
    draft.header.push(format!("Made from {path}, the settings of a LiteLLM proxy. No key is in here."));
    draft.header.push(String::new());
    draft.header.extend(match through {
        Some(_) => [
            "Each model is asked for through the proxy: what is probed is what its users meet, and each warm-up is a"
                .to_owned(),
            "request of the proxy's. docs/litellm.md says what that costs and hides.".to_owned(),
        ],
        None => [
            "Each deployment is asked for at its own provider, past the proxy. To probe what the proxy's users meet,"
                .to_owned(),
            "import with `--through URL` (docs/litellm.md).".to_owned(),
        ],
    });
}
