//! A configuration of one provider and one target, from a bare URL: for a question that is asked once.

use std::path::Path;

use super::choose::preset_for;
use super::draft::{Draft, DraftKey, DraftTarget, provider_at};
use super::names::{after_the_id, is_key_variable};
use crate::config::values::{self, Problem};
use crate::config::{Config, Environment, LoadError, Mistakes, presets};
use crate::target::{Depth, Dialect, Kind};

/// The id of the target's LLM where none was named. It is evidently none, and no probe at depth `auth` asks for it.
pub use crate::target::NO_MODEL;

/// What is known of a provider that is named by its URL alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct AdHoc<'a> {
    /// The base URL, as one would give it to an SDK.
    pub url: &'a str,
    /// Its dialect; guessed from the URL where absent (a preset's host, a path with `anthropic`, Ollama's port).
    pub dialect: Option<Dialect>,
    /// The variable that holds the key. Absent: the preset's variable, if one of them is set; else no key.
    pub key_env: Option<&'a str>,
    /// The LLM. Absent: the target is [`NO_MODEL`] at depth `auth`.
    pub model: Option<&'a str>,
}

/// Why no configuration can be made of a URL. The text fits after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum AdHocError {
    /// A part of it cannot be what it should be.
    #[error("read {what}: {reason}{}", .fix.as_ref().map(|fix| format!("; {fix}")).unwrap_or_default())]
    Wrong {
        /// Which part: "the base URL".
        what: &'static str,
        /// What is wrong with it.
        reason: String,
        /// How to write it.
        fix: Option<String>,
    },
    /// The parts do not fit together.
    #[error("make a provider of this URL: {0}")]
    Mistakes(Box<Mistakes>),
}

/// Makes a configuration of a URL. Its one provider is named after the preset that fits the URL, its one target after
/// its LLM (`endpoint` where there is none); its path is the URL. No key is read: which variables are set decides
/// only where the key is looked for.
pub fn ad_hoc(asked: &AdHoc<'_>, environment: &Environment) -> Result<Config, AdHocError> {
    let wrong = |what| move |problem: Problem| AdHocError::Wrong { what, reason: problem.reason, fix: problem.fix };
    let base_url = values::base_url(asked.url).map_err(wrong("the base URL"))?;
    let preset = preset_for(&base_url, asked.dialect);
    let key = match asked.key_env {
        Some(name) if is_key_variable(name) => DraftKey::Env(vec![name.to_owned()]),
        // It may be a key that was given in place of its variable, so it is not repeated.
        Some(_) => {
            let problem = Problem::new("this is not a variable's name").fix(
                "name the variable that holds the key, such as OPENAI_API_KEY; the key itself is never written out",
            );
            return Err(wrong("the variable of the key")(problem));
        }
        None => {
            let facts = presets::facts(preset);
            let is_set = |name: &&String| environment.get(name).is_some_and(|value| !value.is_empty());
            match facts.key_variables.iter().find(is_set) {
                Some(name) => DraftKey::Env(vec![name.clone()]),
                // Somebody else's API wants a key, and a probe says best that it is missing.
                None if facts.key_required => DraftKey::Preset,
                None => DraftKey::NotNeeded,
            }
        }
    };
    let model = match asked.model {
        Some(model) => {
            values::model(model).map_err(wrong("the model's id"))?;
            model
        }
        None => NO_MODEL,
    };
    let mut draft = Draft::default();
    let mut provider = provider_at(&base_url, preset, key, 1);
    provider.lists_not_all = asked.model.is_none();
    let provider = draft.provider(provider);
    draft.target(DraftTarget {
        name: asked.model.map_or_else(|| "endpoint".to_owned(), after_the_id),
        provider,
        model: Some(model.to_owned()),
        kind: Kind::Chat,
        depth: asked.model.is_none().then_some(Depth::Auth),
        warm: None,
        tags: Vec::new(),
        comments: Vec::new(),
        line: 1,
    });
    draft.config(Path::new(asked.url), environment).map_err(|error| match error {
        LoadError::Mistakes(mistakes) => AdHocError::Mistakes(mistakes),
        other => AdHocError::Wrong { what: "the base URL", reason: other.to_string(), fix: None },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::CredentialSource;

    fn made(asked: &AdHoc<'_>, variables: &[(&str, &str)]) -> Config {
        ad_hoc(asked, &Environment::from_pairs(variables.iter().copied())).unwrap()
    }

    #[test]
    fn a_url_is_enough() {
        let config = made(&AdHoc { url: "http://127.0.0.1:8000/v1", ..AdHoc::default() }, &[]);
        let target = &config.targets[0];
        assert_eq!((target.id.as_str(), target.model.as_str(), target.depth), ("endpoint", NO_MODEL, Depth::Auth));
        assert_eq!(target.provider.key, CredentialSource::NotNeeded);
        assert!(target.provider.catalogue.as_ref().unwrap().partial);

        let config = made(&AdHoc { url: "https://api.openai.com/v1", ..AdHoc::default() }, &[]);
        assert_eq!(config.targets[0].provider.key, CredentialSource::Env("OPENAI_API_KEY".to_owned()));
    }

    #[test]
    fn what_is_said_counts() {
        let asked = AdHoc {
            url: "https://llm.example.com/v1/",
            dialect: Some(Dialect::Anthropic),
            key_env: Some("MINE"),
            model: Some("org/Big-1"),
        };
        let config = made(&asked, &[]);
        let target = &config.targets[0];
        assert_eq!((target.id.as_str(), target.model.as_str(), target.depth), ("big-1", "org/Big-1", Depth::Warm));
        assert_eq!(target.provider.dialect, Dialect::Anthropic);
        assert_eq!(target.provider.base_url.to_string(), "https://llm.example.com");
        assert_eq!(target.provider.key, CredentialSource::Env("MINE".to_owned()));
    }

    #[test]
    fn each_preset_can_be_asked_for_by_its_url() {
        for name in presets::names() {
            let Some(url) = presets::facts(name).base_url else { continue };
            for model in [None, Some("m")] {
                let config = made(&AdHoc { url: &url, model, ..AdHoc::default() }, &[]);
                assert_eq!(config.providers.len(), 1, "{name}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_a_key() {
        for (asked, expected) in [
            (AdHoc { url: "api.openai.com/v1", ..AdHoc::default() }, "the scheme is missing"),
            (AdHoc { url: "https://x.example/v1/chat/completions", ..AdHoc::default() }, "write https://x.example/v1"),
            (
                AdHoc { url: "https://x.example/v1", key_env: Some("sk-hunter2"), ..AdHoc::default() },
                "is not a variable's name",
            ),
            (AdHoc { url: "https://x.example/v1", model: Some(""), ..AdHoc::default() }, "is empty"),
        ] {
            let error = ad_hoc(&asked, &Environment::default()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
