//! Which preset fits a base URL.

use crate::config::presets::{self, Facts};
use crate::target::{BaseUrl, Dialect};

/// The preset of a base URL: the one whose own is at the same origin and speaks the dialect, the longest common path
/// first; else the plain one of the dialect. Without a dialect, a path that says `anthropic` speaks Anthropic's, and
/// port 11434 without a path is Ollama's own API.
pub(super) fn preset_for(base_url: &BaseUrl, dialect: Option<Dialect>) -> &'static str {
    let guessed = dialect.unwrap_or_else(|| guess(base_url));
    let origin = base_url.join("").origin();
    let candidates: Vec<_> = presets::names()
        .map(|name| (name, presets::facts(name)))
        .filter(|(_, facts)| facts.dialect == guessed)
        .filter_map(|(name, facts)| Some((name, own_url(&facts)?)))
        .filter(|(_, own)| !own.is_loopback() && own.join("").origin() == origin)
        .collect();
    // Of equals the one that stands first in presets.yaml, where `max_by_key` takes the last.
    match candidates.into_iter().rev().max_by_key(|(_, own)| common(own.path(), base_url.path())) {
        Some((name, _)) => name,
        None => presets::plain(guessed),
    }
}

fn own_url(facts: &Facts) -> Option<BaseUrl> {
    BaseUrl::parse(facts.base_url.as_deref()?).ok()
}

fn guess(base_url: &BaseUrl) -> Dialect {
    let says = |word: &str| base_url.path().split('/').any(|part| part == word);
    // Anthropic also answers chat completions under the same base URL; its own API is what its models are known by.
    if base_url.host() == "api.anthropic.com" || says("anthropic") {
        Dialect::Anthropic
    } else if base_url.port() == 11434 && base_url.path().is_empty() {
        Dialect::Ollama
    } else {
        Dialect::OpenAi
    }
}

/// How many parts two paths begin with alike.
fn common(one: &str, other: &str) -> usize {
    one.split('/').zip(other.split('/')).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_says_which_preset_it_is() {
        for (url, dialect, preset) in [
            ("https://api.synthetic.new/openai/v1", None, "synthetic"),
            ("https://api.synthetic.new/v1", None, "synthetic"),
            ("https://api.synthetic.new/anthropic", None, "synthetic-anthropic"),
            ("https://api.openai.com/v1", None, "openai"),
            ("https://api.anthropic.com/v1", None, "anthropic"),
            ("https://api.anthropic.com/v1", Some(Dialect::OpenAi), "openai-compatible"),
            ("https://api.z.ai/api/coding/paas/v4", None, "zai-coding"),
            ("https://api.z.ai/api/paas/v4", None, "zai"),
            ("https://api.z.ai/api/anthropic", None, "anthropic-compatible"),
            ("https://api.deepseek.com/v1", None, "deepseek"),
            ("https://openrouter.ai/api/v1", None, "openrouter"),
            ("http://127.0.0.1:11434", None, "ollama"),
            ("http://127.0.0.1:11434/v1", None, "openai-compatible"),
            ("http://127.0.0.1:8000/v1", None, "openai-compatible"),
            ("https://evil.example/api.openai.com/v1", None, "openai-compatible"),
        ] {
            assert_eq!(preset_for(&BaseUrl::parse(url).unwrap(), dialect), preset, "{url}");
        }
    }
}
