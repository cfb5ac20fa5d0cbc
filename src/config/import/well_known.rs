//! The environment: which well-known key variables are set, and so which providers somebody has an account at.
//!
//! The variables are those of the presets; beside them `OPENAI_BASE_URL` (or `OPENAI_API_BASE`) and `ANTHROPIC_BASE_URL`,
//! which the SDKs of OpenAI and Anthropic read. A variable says nothing of a model, and none is invented here: a target
//! is left without one until somebody chooses it.

use std::collections::BTreeSet;

use super::choose::preset_for;
use super::draft::{Draft, DraftKey, DraftProvider, DraftTarget, RemarkKind, provider_at};
use crate::config::{Environment, presets, values};
use crate::target::{BaseUrl, Depth, Dialect, Kind};

/// Where an SDK is sent elsewhere: the preset whose key it is, and the variables.
const ELSEWHERE: [(&str, &[&str]); 2] =
    [("openai", &["OPENAI_BASE_URL", "OPENAI_API_BASE"]), ("anthropic", &["ANTHROPIC_BASE_URL"])];

/// Makes a draft of the variables that are set: one provider and one target each, at depth `auth`.
#[must_use]
pub fn well_known(environment: &Environment) -> Draft {
    let mut draft = Draft::default();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let is_set = |name: &str| environment.get(name).is_some_and(|value| !value.is_empty());
    for preset in presets::names() {
        let facts = presets::facts(preset);
        let Some(variable) = facts.key_variables.iter().find(|name| is_set(name)) else { continue };
        let home = facts.base_url.as_deref().and_then(|url| BaseUrl::parse(url).ok());
        let Some(home) = home.filter(|url| !url.is_loopback()) else {
            let text =
                format!("{variable} is set, and {} is a server of your own: add it with its address", facts.title);
            draft.remark(None, RemarkKind::NotMapped, text);
            continue;
        };
        if !seen.insert(variable.clone()) {
            let text =
                format!("{variable} is also the key of the preset `{preset}`; change `preset:` where that is meant");
            draft.remark(None, RemarkKind::Odd, text);
            continue;
        }
        let Some(provider) = provider(&mut draft, environment, preset, variable, &home) else { continue };
        let name = draft.provider(DraftProvider { lists_not_all: true, ..provider });
        draft.target(DraftTarget {
            name: name.clone(),
            provider: name.clone(),
            model: None,
            kind: Kind::Chat,
            depth: Some(Depth::Auth),
            warm: None,
            tags: Vec::new(),
            comments: Vec::new(),
            line: 0,
        });
        draft.remark(None, RemarkKind::Mapped, format!("{variable} is set: the key of `{name}`"));
    }
    draft.header.extend([
        "Made from the key variables that were set. No key is in here: they are read from there.".to_owned(),
        String::new(),
        "  pilotlight models PROVIDER   what it offers".to_owned(),
        "  pilotlight check             are the keys accepted, and the models there?".to_owned(),
        String::new(),
        "Targets at `depth: auth` cost nothing. Without it `check` has them generate a token.".to_owned(),
    ]);
    draft
}

/// The variables that are looked for.
#[must_use]
pub fn well_known_variables() -> Vec<String> {
    let all: BTreeSet<String> = presets::names().flat_map(|name| presets::facts(name).key_variables).collect();
    all.into_iter().collect()
}

/// The provider of a key, which a variable may have sent elsewhere.
fn provider(
    draft: &mut Draft,
    environment: &Environment,
    preset: &'static str,
    variable: &str,
    home: &BaseUrl,
) -> Option<DraftProvider> {
    let key = DraftKey::Env(vec![variable.to_owned()]);
    let elsewhere = ELSEWHERE.iter().find(|(owner, _)| *owner == preset).and_then(|(_, variables)| {
        variables.iter().find_map(|name| Some((*name, environment.get(name).filter(|value| !value.is_empty())?)))
    });
    let Some((name, url)) = elsewhere else {
        return Some(provider_at(home, preset, key, 0));
    };
    match values::base_url(url) {
        Ok(url) => {
            let dialect = if preset == "anthropic" { Dialect::Anthropic } else { Dialect::OpenAi };
            // Its name stays that of the key: it is what the SDK would take it for.
            let name = preset.to_owned();
            Some(DraftProvider { name, ..provider_at(&url, preset_for(&url, Some(dialect)), key, 0) })
        }
        Err(problem) => {
            draft.remark(None, RemarkKind::NotMapped, format!("{name}: {}", problem.reason));
            None
        }
    }
}
