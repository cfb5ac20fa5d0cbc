//! One entry of LiteLLM's `model_list`: what it is here, or why it is nothing.

use super::choose::preset_for;
use super::draft::{Draft, DraftProvider, RemarkKind, provider_at};
use super::litellm::{get, variable};
use super::litellm_key::key;
use super::litellm_providers::{Home, Known, find, inferred, why_not};
use crate::config::mask::quote;
use crate::config::node::Node;
use crate::config::{Environment, presets, values};
use crate::target::{BaseUrl, Dialect, Kind};

/// An entry with what every entry has.
pub(super) struct Entry<'n> {
    /// `model_name`.
    pub(super) alias: &'n str,
    pub(super) line: u32,
    params: &'n Node<'n>,
    model: &'n str,
    info: Option<&'n Node<'n>>,
}

/// What an entry is.
pub(super) struct Found {
    pub(super) provider: DraftProvider,
    pub(super) model: String,
    pub(super) kind: Kind,
}

/// Reads an entry. What is wrong with it is a remark.
pub(super) fn entry<'n>(draft: &mut Draft, node: &'n Node<'n>) -> Option<Entry<'n>> {
    let line = node.span.line;
    let mut missing = |what: &str| {
        draft.remark(Some(line), RemarkKind::NotMapped, format!("this entry of `model_list` has no {what}"));
        None
    };
    let Some(alias) = get(node, "model_name").and_then(Node::text) else { return missing("`model_name`") };
    let Some(params) = get(node, "litellm_params") else { return missing("`litellm_params`") };
    let Some(model) = get(params, "model").and_then(Node::text) else { return missing("`litellm_params.model`") };
    Some(Entry { alias, line, params, model, info: get(node, "model_info") })
}

/// The id as LiteLLM asks for it: at Fireworks a short one is completed (`fireworks_ai/common_utils.py`).
fn asked_for(provider: &str, model: String) -> String {
    let begins = |words: &[&str]| words.iter().any(|word| model.starts_with(word));
    if provider != "fireworks_ai" || begins(&["accounts/", "FW-"]) || model.contains('#') {
        return model;
    }
    let router = model.ends_with("-fast") || matches!(model.as_str(), "firerouter" | "auto" | "auto-instant");
    match model {
        model if begins_with_folder(&model) => format!("accounts/fireworks/{model}"),
        model if router || model.starts_with("firerouter/") => format!("accounts/fireworks/routers/{model}"),
        model => format!("accounts/fireworks/models/{model}"),
    }
}

fn begins_with_folder(model: &str) -> bool {
    model.starts_with("routers/") || model.starts_with("models/")
}

impl Entry<'_> {
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        get(self.params, key).and_then(Node::text)
    }

    pub(super) fn line_of(&self, key: &str) -> u32 {
        get(self.params, key).map_or(self.line, |node| node.span.line)
    }

    /// Says why this entry is not mapped.
    fn refuse<T>(&self, draft: &mut Draft, line: u32, why: &str) -> Option<T> {
        draft.remark(Some(line), RemarkKind::NotMapped, format!("{}: {why}", quote(self.alias)));
        None
    }

    /// Whether it generates or embeds. What does neither is refused.
    pub(super) fn kind(&self, draft: &mut Draft) -> Option<Kind> {
        let mode = self.info.and_then(|info| get(info, "mode"));
        match mode.and_then(Node::text) {
            None | Some("chat" | "responses" | "completion") => Some(Kind::Chat),
            Some("embedding") => Some(Kind::Embedding),
            Some(other) => {
                let line = mode.map_or(self.line, |node| node.span.line);
                self.refuse(
                    draft,
                    line,
                    &format!("its mode is {}, and pilotlight probes chat and embeddings", quote(other)),
                )
            }
        }
    }

    /// The provider and the model, past the proxy.
    pub(super) fn resolve(&self, draft: &mut Draft, environment: &Environment) -> Option<Found> {
        let kind = self.kind(draft)?;
        if self.text("mock_response").is_some() {
            let why = "LiteLLM answers it itself (`mock_response`), so there is nothing behind it to probe";
            return self.refuse(draft, self.line_of("mock_response"), why);
        }
        let (name, model) = self.split(draft)?;
        let Some(known) = find(&name) else {
            return self.refuse(draft, self.line_of("model"), &why_not(&name));
        };
        let model = asked_for(&name, self.without_wildcard(draft, &name, model)?);
        if let Err(problem) = values::model(&model) {
            return self.refuse(draft, self.line_of("model"), &problem.reason);
        }
        let (base_url, preset) = self.place(draft, known, environment)?;
        let key = key(draft, self, known, &base_url, preset);
        let line = self.line_of("model");
        let mut provider = provider_at(&base_url, preset, key, line);
        if preset == presets::plain(presets::facts(preset).dialect) && preset != "ollama" {
            // `openai/` with an address is any server that speaks like it.
            provider.name = match known.home {
                Home::Preset(_) if base_url.is_loopback() => "local".to_owned(),
                Home::Preset(_) => base_url.host(),
                Home::Url(_) | Home::Yours => name,
            };
        }
        Some(Found { provider, model, kind })
    }

    /// The provider's name and the model's id.
    fn split(&self, draft: &mut Draft) -> Option<(String, String)> {
        if let Some(provider) = self.text("custom_llm_provider") {
            let model = self.model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(self.model);
            return Some((provider.to_owned(), model.to_owned()));
        }
        match self.model.split_once('/') {
            Some((provider, model)) => Some((provider.to_owned(), model.to_owned())),
            None => match inferred(self.model) {
                Some(provider) => Some((provider.to_owned(), self.model.to_owned())),
                None if self.model == "*" => Some(("*".to_owned(), "*".to_owned())),
                None => {
                    let why = "LiteLLM finds the provider of this model in a table of its own; write `provider/model`";
                    self.refuse(draft, self.line_of("model"), why)
                }
            },
        }
    }

    /// A wildcard stands for no model, unless it names one for its own health check.
    fn without_wildcard(&self, draft: &mut Draft, provider: &str, model: String) -> Option<String> {
        if !(model.contains('*') || self.alias.contains('*')) {
            return Some(model);
        }
        let check = self.info.and_then(|info| get(info, "health_check_model")).and_then(Node::text);
        if let Some(check) = check {
            return Some(
                check.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(check).to_owned(),
            );
        }
        let preset = find(provider).map_or(provider, |known| match known.home {
            Home::Preset(preset) => preset,
            _ => known.name,
        });
        let why = format!(
            "a wildcard names no model; `pilotlight models {preset}` lists what there is: add those that you use, or name \
             one as `model_info.health_check_model`"
        );
        self.refuse(draft, self.line_of("model"), &why)
    }

    /// Where it is reached, and the preset that fits.
    fn place(&self, draft: &mut Draft, known: &Known, environment: &Environment) -> Option<(BaseUrl, &'static str)> {
        let written = ["api_base", "base_url"].into_iter().find_map(|key| Some((key, self.text(key)?)));
        let home = match known.home {
            Home::Preset(preset) => presets::facts(preset).base_url,
            Home::Url(url) => Some(url.to_owned()),
            Home::Yours => None,
        };
        let (line, text) = match (written, home) {
            (Some((key, text)), _) => match variable(text) {
                None => (self.line_of(key), text.to_owned()),
                Some(name) => match environment.get(name).filter(|value| !value.is_empty()) {
                    Some(value) => (self.line_of(key), value.to_owned()),
                    None => {
                        let why =
                            format!("its address is in the variable {name}, which is not set: set it, or --env-file");
                        return self.refuse(draft, self.line_of(key), &why);
                    }
                },
            },
            (None, Some(home)) => (self.line, home),
            (None, None) => return self.refuse(draft, self.line, "it has no `api_base`"),
        };
        let ollama = known.home == Home::Preset("ollama");
        // LiteLLM adds `/api/…` to what is the root of an Ollama server, whatever it was given.
        let text = match text.trim_end_matches('/') {
            text if ollama => text.trim_end_matches("/v1").trim_end_matches("/api"),
            text => text,
        };
        let base_url = match values::base_url(text) {
            Ok(base_url) => base_url,
            Err(problem) => {
                let fix = problem.fix.map(|fix| format!("; {fix}")).unwrap_or_default();
                return self.refuse(draft, line, &format!("{}{fix}", problem.reason));
            }
        };
        let preset = match known.home {
            Home::Preset("anthropic") => preset_for(&base_url, Some(Dialect::Anthropic)),
            _ if ollama => "ollama",
            _ => preset_for(&base_url, Some(Dialect::OpenAi)),
        };
        Some((base_url, preset))
    }
}
