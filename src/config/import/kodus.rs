//! A self-hosted Kodus: the model that its `.env` fixes, as Kodus itself would choose it.
//!
//! The facts are those of kodustech/kodus-ai, `env-llm-config.ts` (`describeEnvLLMConfig`) and `.env.example`, as stored in
//! 2026: `API_LLM_PROVIDER_MODEL` unset or `auto` is Kodus' automatic mode, in which the model is chosen per organization
//! in its web interface and kept in its database. Any other value is the fixed mode:
//!
//! - `gemini-…` without a base URL of somebody else goes to Google: AI Studio with `API_GOOGLE_AI_API_KEY` or
//!   `GOOGLE_GENERATIVE_AI_API_KEY`, else Vertex with `API_VERTEX_AI_API_KEY` (which, when it is no service account, is
//!   used as an AI Studio key);
//! - `claude-…` without one, or at `api.anthropic.com`, goes to Anthropic's own API with `API_OPEN_AI_API_KEY`;
//! - all else goes to an OpenAI-compatible API at `API_OPENAI_FORCE_BASE_URL`, or OpenAI's own, with the same key.

use super::choose::preset_for;
use super::draft::{Draft, DraftKey, DraftProvider, DraftTarget, RemarkKind, provider_at};
use super::names::after_the_id;
use crate::config::env_file::{EnvFile, EnvNote, Pair};
use crate::config::{Environment, presets, values};
use crate::target::{BaseUrl, Depth, Dialect, Kind};

const MODEL: &str = "API_LLM_PROVIDER_MODEL";
const BASE_URL: &str = "API_OPENAI_FORCE_BASE_URL";
const KEY: &str = "API_OPEN_AI_API_KEY";
const VERTEX_KEY: &str = "API_VERTEX_AI_API_KEY";
/// What is taken for Google AI Studio, the first that is set.
const STUDIO_KEYS: [&str; 2] = ["API_GOOGLE_AI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"];
/// Variables whose oddities are told: the others of a Kodus `.env` are no business of a probe.
const OURS: [&str; 6] = [MODEL, BASE_URL, KEY, VERTEX_KEY, STUDIO_KEYS[0], STUDIO_KEYS[1]];
/// The keys of Kodus' `.env` that say by their name whose they are, each with its preset.
const NAMED_KEYS: [(&str, &str); 8] = [
    (KEY, "openai"),
    ("API_ANTHROPIC_API_KEY", "anthropic"),
    (STUDIO_KEYS[0], "gemini"),
    ("API_MOONSHOT_API_KEY", "moonshot"),
    ("API_FIREWORKS_API_KEY", "fireworks"),
    ("API_DEEPSEEK_API_KEY", "deepseek"),
    ("API_GROQ_API_KEY", "groq"),
    ("API_OPEN_ROUTER_API_KEY", "openrouter"),
];

/// Makes a draft of a Kodus `.env`. `environment` is that of the process, without the file: it decides whether the written
/// probes.yaml has to be run with the file.
#[must_use]
pub fn kodus(file: &EnvFile, environment: &Environment) -> Draft {
    let mut draft = Draft::default();
    let model = file.get(MODEL).filter(|model| model.value.trim() != "auto");
    let names = read_in(model.is_none());
    let (ours, others) = file.notes_about(&names);
    for (line, text) in alike(&ours) {
        draft.remark(Some(line), RemarkKind::Odd, text);
    }
    if others > 0 {
        let lines = if others == 1 { "1 more line is odd".to_owned() } else { format!("{others} more lines are odd") };
        let text = format!("{lines}, of variables that have nothing to do with an LLM");
        draft.remark(None, RemarkKind::Odd, text);
    }
    overruled(&mut draft, file, environment, &names);
    match model {
        Some(model) => fixed(&mut draft, file, model),
        None => automatic(&mut draft, file, file.get(MODEL)),
    }
    header(&mut draft, file, environment, &names);
    draft
}

/// The variables that are looked at: in the automatic mode also the keys that are checked.
fn read_in(automatic: bool) -> Vec<&'static str> {
    let named = NAMED_KEYS.iter().map(|(name, _)| *name).filter(|name| automatic && !OURS.contains(name));
    OURS.into_iter().chain(named).collect()
}

/// What is odd, and once where it is odd of several lines: quotes are rarely round one value alone.
fn alike(notes: &[&EnvNote]) -> Vec<(u32, String)> {
    let about = |note: &EnvNote| match &note.name {
        Some(name) => note.text.strip_prefix(name.as_str()).unwrap_or(&note.text).to_owned(),
        None => note.text.clone(),
    };
    let mut kinds: Vec<(String, Vec<&EnvNote>)> = Vec::new();
    for &note in notes {
        let kind = about(note);
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, members)) => members.push(note),
            None => kinds.push((kind, vec![note])),
        }
    }
    let said = kinds.into_iter().filter_map(|(_, members)| {
        let (first, rest) = members.split_first()?;
        let lines: Vec<String> = rest.iter().map(|note| note.line.to_string()).collect();
        let more = match lines.as_slice() {
            [] => String::new(),
            [one] => format!(" (line {one} alike)"),
            [most @ .., last] => format!(" (lines {} and {last} alike)", most.join(", ")),
        };
        Some((first.line, format!("{}{more}", first.text)))
    });
    said.collect()
}

/// A key that is set outside of the file too, to something else, is not the one that Kodus uses.
fn overruled(draft: &mut Draft, file: &EnvFile, environment: &Environment, names: &[&str]) {
    for name in names.iter().copied().filter(|name| *name != MODEL && *name != BASE_URL) {
        let Some(pair) = file.get(name) else { continue };
        if environment.get(name).is_some_and(|value| value != pair.value) {
            let text = format!("{name} is set in the environment too, to something else, and that counts here");
            draft.remark(Some(pair.line), RemarkKind::Odd, text);
        }
    }
}

/// The fixed mode: one model.
fn fixed(draft: &mut Draft, file: &EnvFile, model: &Pair) {
    if let Err(problem) = values::model(&model.value) {
        let fix = problem.fix.map(|fix| format!("; {fix}")).unwrap_or_default();
        draft.remark(Some(model.line), RemarkKind::NotMapped, format!("{MODEL}: {}{fix}", problem.reason));
        return;
    }
    let forced = file.get(BASE_URL);
    let is_anthropic = |url: &str| BaseUrl::parse(url).is_ok_and(|url| url.host() == "api.anthropic.com");
    let via_proxy = forced.is_some_and(|url| !is_anthropic(url.value.trim()));
    let lower = model.value.to_ascii_lowercase();
    let begins = |word: &str| lower.starts_with(&format!("{word}-")) || lower.starts_with(&format!("{word}_"));
    let provider = if begins("gemini") && !via_proxy {
        google(draft, file, model)
    } else {
        let claude = begins("claude") && !via_proxy;
        at_base_url(draft, file, model, forced, claude)
    };
    let Some(provider) = provider else { return };
    let unloads = presets::facts(provider.preset).unloads;
    let name = draft.provider(provider);
    let comments = match unloads {
        true => vec![
            "It may unload when nobody uses it. To keep it warm while people work, add to it:".to_owned(),
            "  warm: { every: auto, during: \"Mon-Fri 08:00-19:00\", timezone: Europe/Berlin }".to_owned(),
        ],
        false => Vec::new(),
    };
    let target = draft.target(DraftTarget {
        name: after_the_id(&model.value),
        provider: name.clone(),
        model: Some(model.value.clone()),
        kind: Kind::Chat,
        depth: None,
        warm: None,
        tags: vec!["kodus".to_owned()],
        comments,
        line: model.line,
    });
    draft.remark(Some(model.line), RemarkKind::Mapped, format!("{MODEL} is the target `{target}` at `{name}`"));
}

/// Google, in whichever of its two forms.
fn google(draft: &mut Draft, file: &EnvFile, model: &Pair) -> Option<DraftProvider> {
    if let Some(key) = STUDIO_KEYS.iter().find_map(|name| file.get(name)) {
        return Some(named("gemini", &key.name, key.line));
    }
    // A service account is JSON in base64: `{"` and `{` with a line break begin like this.
    let is_key = |key: &&Pair| !["ey", "ew"].iter().any(|start| key.value.starts_with(start));
    if let Some(key) = file.get(VERTEX_KEY).filter(is_key) {
        return Some(named("gemini", VERTEX_KEY, key.line));
    }
    let text = match file.get(VERTEX_KEY) {
        Some(_) => format!(
            "{MODEL} is served by Vertex AI, whose tokens are made from a service account: pilotlight cannot make them; \
             a key of AI Studio in {} would do",
            STUDIO_KEYS[0]
        ),
        None => format!("{MODEL} is Google's, and neither {} nor {} is set", STUDIO_KEYS[0], STUDIO_KEYS[1]),
    };
    draft.remark(Some(model.line), RemarkKind::NotMapped, text);
    None
}

/// Any other API, at the base URL that is forced or at the provider's own.
fn at_base_url(
    draft: &mut Draft,
    file: &EnvFile,
    model: &Pair,
    forced: Option<&Pair>,
    claude: bool,
) -> Option<DraftProvider> {
    if file.get(KEY).is_none() {
        let text = format!("{KEY} is not set in this file, and Kodus takes the key from there");
        draft.remark(None, RemarkKind::Odd, text);
    }
    let own = if claude { "anthropic" } else { "openai" };
    let Some(forced) = forced else {
        return Some(named(own, KEY, model.line));
    };
    let base_url = match values::base_url(forced.value.trim()) {
        Ok(base_url) => base_url,
        Err(problem) => {
            let fix = problem.fix.map(|fix| format!("; {fix}")).unwrap_or_default();
            let text = format!("{BASE_URL}: {}{fix}", problem.reason);
            draft.remark(Some(forced.line), RemarkKind::NotMapped, text);
            return None;
        }
    };
    let dialect = if claude { Dialect::Anthropic } else { Dialect::OpenAi };
    let preset = preset_for(&base_url, Some(dialect));
    Some(provider_at(&base_url, preset, DraftKey::Env(vec![KEY.to_owned()]), forced.line))
}

/// The automatic mode: what is used is not in this file, but keys may be, and a key can be checked.
fn automatic(draft: &mut Draft, file: &EnvFile, auto: Option<&Pair>) {
    let line = auto.map(|pair| pair.line);
    let said = if auto.is_some() { "is `auto`" } else { "is not set" };
    draft.remark(
        line,
        RemarkKind::NotMapped,
        format!(
            "{MODEL} {said}: Kodus is in its automatic mode, and its models are chosen in its web interface, not in this \
             file; name one here, or in probes.yaml"
        ),
    );
    let forced = file.get(BASE_URL).and_then(|url| values::base_url(url.value.trim()).ok());
    for (variable, preset) in NAMED_KEYS {
        let Some(key) = file.get(variable) else { continue };
        let provider = match &forced {
            Some(base_url) if variable == KEY => {
                let preset = preset_for(base_url, Some(Dialect::OpenAi));
                provider_at(base_url, preset, DraftKey::Env(vec![KEY.to_owned()]), key.line)
            }
            _ => named(preset, variable, key.line),
        };
        let name = draft.provider(DraftProvider { lists_not_all: true, ..provider });
        let target = draft.target(DraftTarget {
            name: name.clone(),
            provider: name,
            model: None,
            kind: Kind::Chat,
            depth: Some(Depth::Auth),
            warm: None,
            tags: vec!["kodus".to_owned()],
            comments: Vec::new(),
            line: key.line,
        });
        draft.remark(Some(key.line), RemarkKind::Mapped, format!("the key in {variable} is checked as `{target}`"));
    }
}

/// A preset with its key in Kodus' variable.
fn named(preset: &'static str, variable: &str, line: u32) -> DraftProvider {
    DraftProvider {
        name: preset.to_owned(),
        preset,
        base_url: None,
        key: DraftKey::Env(vec![variable.to_owned()]),
        lists_not_all: false,
        list_proves_key: false,
        comments: Vec::new(),
        line,
    }
}

fn header(draft: &mut Draft, file: &EnvFile, environment: &Environment, names: &[&str]) {
    let path = file.path().display().to_string();
    let needs_file = names.iter().any(|name| file.get(name).is_some() && environment.get(name).is_none());
    let option = if needs_file { format!("--env-file {path} ") } else { String::new() };
    draft.header.extend([
        format!("Made from {path}, the settings of a self-hosted Kodus. No key is in here: they are read from there."),
        String::new(),
        format!("  pilotlight {option}check    are the models ready, now?"),
        format!("  pilotlight {option}run      keep them warm"),
        String::new(),
        "Every key of this file is described in docs/configuration.md; docs/kodus.md says how to go on.".to_owned(),
    ]);
}
