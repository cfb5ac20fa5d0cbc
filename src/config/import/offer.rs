//! What `pilotlight init` can offer, and the draft of what was answered.

use super::choose::preset_for;
use super::draft::{Draft, DraftGate, DraftKey, DraftProvider, DraftRule, DraftTarget, provider_at};
use super::names::{after_the_id, is_key_variable};
use crate::config::mask::is_unseen;
use crate::config::presets;
use crate::config::values::{self, Problem};
use crate::config::zones::Zones;
use crate::plan::Daily;
use crate::target::{BaseUrl, Dialect, Kind};

/// A preset that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its name.
    pub preset: &'static str,
    /// What people call it.
    pub title: String,
    /// Its base URL. Absent where it is the user's own.
    pub base_url: Option<String>,
    /// The variable of its key. Absent where it has none of its own.
    pub key_variable: Option<String>,
    /// Whether it cannot be used without a key.
    pub key_required: bool,
    /// Whether its models unload, so that warming them buys something.
    pub unloads: bool,
}

/// Every preset, in the order of the documentation.
#[must_use]
pub fn offers() -> Vec<Offer> {
    let offer = |preset: &'static str| {
        let facts = presets::facts(preset);
        Offer {
            preset,
            title: facts.title,
            base_url: facts.base_url,
            key_variable: facts.key_variables.first().cloned(),
            key_required: facts.key_required,
            unloads: facts.unloads,
        }
    };
    presets::names().map(offer).collect()
}

/// What somebody answered.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// The preset.
    pub preset: String,
    /// The base URL, where it is not the preset's.
    pub base_url: Option<String>,
    /// The variable of the key, where it is not the preset's. Empty: no key.
    pub key_env: Option<String>,
    /// The models' ids. At least one.
    pub models: Vec<String>,
    /// When the models are kept warm (`Mon-Fri 08:00-19:00`), and the time zone.
    pub warm: Option<(String, Option<String>)>,
}

/// The draft of a first probes.yaml.
///
/// # Errors
/// What is wrong with an answer, in one sentence with the fix.
pub fn started(answers: &Answers) -> Result<Draft, String> {
    let said = |what: &'static str| {
        move |problem: Problem| {
            format!("{what}: {}{}", problem.reason, problem.fix.map(|fix| format!("; {fix}")).unwrap_or_default())
        }
    };
    let Some(preset) = presets::names().find(|name| *name == answers.preset) else {
        let known: Vec<&str> = presets::names().collect();
        return Err(format!(
            "there is no preset `{}`; the presets are {}",
            printable(&answers.preset),
            known.join(", ")
        ));
    };
    let facts = presets::facts(preset);
    let base_url = match (&answers.base_url, &facts.base_url) {
        (Some(url), _) | (None, Some(url)) => values::base_url(url).map_err(said("the base URL"))?,
        (None, None) => return Err(format!("`{preset}` has no base URL of its own: give yours")),
    };
    let key = key(answers, &facts, &base_url)?;
    let mut draft = Draft::default();
    let provider = provider_of(preset, &base_url, key);
    let comment = match &provider.key {
        DraftKey::Env(names) => names.first().map(|name| format!("The key is read from the variable {name}.")),
        _ => None,
    };
    let provider = draft.provider(DraftProvider { comments: comment.into_iter().collect(), ..provider });
    if let Some((during, zone)) = &answers.warm {
        Daily::parse_all(during).map_err(|error| format!("the warm windows: {error}"))?;
        if let Some(zone) = zone
            && Zones::default().get(zone).is_none()
        {
            return Err(format!("there is no time zone `{}`; write one such as Europe/Berlin", printable(zone)));
        }
    }
    let mut targets = Vec::new();
    for model in &answers.models {
        values::model(model).map_err(said("the model's id"))?;
        targets.push(draft.target(DraftTarget {
            name: after_the_id(model),
            provider: provider.clone(),
            model: Some(model.clone()),
            kind: Kind::Chat,
            depth: None,
            warm: answers.warm.clone(),
            tags: Vec::new(),
            comments: Vec::new(),
            line: 0,
        }));
    }
    let Some((main, fallback)) = targets.split_first() else { return Err("name at least one model".to_owned()) };
    draft.gate(DraftGate {
        name: "ready".to_owned(),
        rule: DraftRule::Main { main: main.clone(), fallback: fallback.to_vec() },
        comments: vec!["Open when the first is ready, or else one of the others: `pilotlight wait ready`.".to_owned()],
        line: 0,
    });
    draft.header.extend([
        "probes.yaml: what pilotlight probes. Every key is described in docs/configuration.md.".to_owned(),
        String::new(),
        "  pilotlight config validate   is this file right?".to_owned(),
        "  pilotlight check             are the models ready, now? Costs one small request each".to_owned(),
        "  pilotlight run               keep them warm".to_owned(),
    ]);
    Ok(draft)
}

/// The provider, under the preset that was asked for. A plain one at a known host becomes that host's.
fn provider_of(preset: &'static str, base_url: &BaseUrl, key: DraftKey) -> DraftProvider {
    let preset = match preset {
        "openai-compatible" => preset_for(base_url, Some(Dialect::OpenAi)),
        "anthropic-compatible" => preset_for(base_url, Some(Dialect::Anthropic)),
        other => other,
    };
    let mut provider = provider_at(base_url, preset, key, 0);
    if provider.base_url.is_some() && preset.ends_with("-compatible") {
        provider.name = base_url.host();
    }
    provider
}

fn key(answers: &Answers, facts: &presets::Facts, base_url: &BaseUrl) -> Result<DraftKey, String> {
    match answers.key_env.as_deref() {
        Some("") => Ok(DraftKey::NotNeeded),
        Some(name) if is_key_variable(name) => Ok(DraftKey::Env(vec![name.to_owned()])),
        // It may be the key itself, so it is not repeated.
        Some(_) => Err("that is not a variable's name; name the variable that holds the key, such as OPENAI_API_KEY: \
                        the key itself is never written into probes.yaml"
            .to_owned()),
        None if !facts.key_variables.is_empty() => Ok(DraftKey::Preset),
        None if base_url.is_loopback() => Ok(DraftKey::NotNeeded),
        None => Err("name the variable that holds the key, such as LLM_API_KEY (or say that there is none)".to_owned()),
    }
}

/// What somebody typed, fit to be shown.
fn printable(text: &str) -> String {
    text.chars().take(60).map(|c| if is_unseen(c) { '\u{fffd}' } else { c }).collect()
}
