//! A provider's base URL: what one would paste into the dialect's SDK, in the form that the dialect's paths begin from.

use super::super::mistakes::Mistake;
use super::super::values;
use super::Context;
use super::layers::{Layers, Origin, Origins};
use super::provider::Named;
use crate::target::{BaseUrl, Dialect};

/// The base URL. `None` where there is none or it is wrong, which is reported.
pub(super) fn resolve(
    context: &mut Context<'_>,
    named: &Named<'_, '_>,
    layers: &Layers<'_, '_>,
    dialect: Dialect,
    origins: &mut Origins,
) -> Option<BaseUrl> {
    let own = named.own;
    // A dialect stands for a server of one's own, whose address nobody else knows.
    let found =
        layers.find("base_url").filter(|(origin, _)| *origin == Origin::Provider || own.get("preset").is_some());
    let Some((origin, node)) = found else {
        if !own.mentions("base_url") {
            context.report(Mistake::at(named.span, format!("the provider `{}` has no `base_url`", named.id)).fix(
                match dialect {
                    Dialect::OpenAi => {
                        "add what one would give to an SDK, such as `base_url: http://127.0.0.1:8000/v1`"
                    }
                    Dialect::Anthropic => {
                        "add what one would give to an SDK, such as `base_url: https://api.example.com`"
                    }
                    Dialect::Ollama => "add the root of the server, such as `base_url: http://127.0.0.1:11434`",
                },
            ));
        }
        return None;
    };
    origins.set("base_url", origin);
    let base_url = values::base_url(node.text()?).ok()?;
    let path = base_url.path();
    match dialect {
        // The SDK adds `/v1/messages`, so both forms are common. Ours begin without it.
        Dialect::Anthropic => match path.strip_suffix("/v1") {
            Some(stem) => with_path(&base_url, stem),
            None => Some(base_url),
        },
        Dialect::Ollama => {
            let stem = path.strip_suffix("/v1").or_else(|| path.strip_suffix("/api"));
            let Some(stem) = stem else {
                return Some(base_url);
            };
            let root = with_path(&base_url, stem)?;
            context.report(
                Mistake::at(node.span, "this is not the root of an Ollama server")
                    .fix(format!("write {root}, or use `dialect: openai` for its compatible API")),
            );
            None
        }
        Dialect::OpenAi => {
            if path.is_empty() && origin == Origin::Provider {
                context.note(node.span, format!("`base_url` has no path, and most servers want one: {base_url}/v1"));
            }
            Some(base_url)
        }
    }
}

/// The same address with another path.
fn with_path(base_url: &BaseUrl, path: &str) -> Option<BaseUrl> {
    let mut url = base_url.join("");
    url.set_path(path);
    BaseUrl::parse(url.as_str()).ok()
}
