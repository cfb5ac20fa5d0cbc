//! Ollama's native API: what is loaded (`/api/ps`), and the preload that costs no tokens.
//!
//! The OpenAI-compatible route of Ollama is not used: it ignores `keep_alive` (ollama #3645, #2508).

use serde_json::{Value, json};

use crate::target::{KeepAlive, Kind, Target};

/// Path of the request that loads the target's LLM without generating.
pub(in crate::probe) fn preload_path(kind: Kind) -> &'static str {
    match kind {
        Kind::Chat => "api/generate",
        Kind::Embedding => "api/embed",
    }
}

/// A request without a prompt: the server loads the LLM, resets its idle timer and answers.
pub(in crate::probe) fn preload_body(target: &Target) -> Value {
    let mut body = json!({ "model": target.model.as_str(), "stream": false });
    if let Some(fields) = body.as_object_mut() {
        if target.kind == Kind::Embedding {
            fields.insert("input".to_owned(), json!(""));
        }
        if let Some(keep_alive) = target.provider.keep_alive {
            fields.insert("keep_alive".to_owned(), stay(keep_alive));
        }
    }
    body
}

/// `keep_alive` as Ollama reads it: a Go duration, or a negative number for ever.
fn stay(keep_alive: KeepAlive) -> Value {
    match keep_alive {
        KeepAlive::Forever => json!(-1),
        KeepAlive::For(time) if time.subsec_millis() > 0 => json!(format!("{}ms", time.as_millis())),
        KeepAlive::For(time) => json!(format!("{}s", time.as_secs())),
    }
}

/// Whether the answer of `/api/ps` names the LLM as loaded; nothing when it is not such an answer. Ollama completes a
/// bare name with `:latest`.
pub(in crate::probe) fn is_loaded(ps: &Value, model: &str) -> Option<bool> {
    let models = ps.get("models")?.as_array()?;
    let full = |name: &str| if name.contains(':') { name.to_owned() } else { format!("{name}:latest") };
    let wanted = full(model);
    Some(models.iter().any(|entry| {
        ["model", "name"]
            .iter()
            .any(|field| entry.get(*field).and_then(Value::as_str).is_some_and(|name| full(name) == wanted))
    }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn how_long_it_stays_is_written_as_ollama_reads_it() {
        assert_eq!(stay(KeepAlive::For(Duration::from_secs(300))), json!("300s"));
        assert_eq!(stay(KeepAlive::For(Duration::from_millis(1500))), json!("1500ms"));
        assert_eq!(stay(KeepAlive::Forever), json!(-1));
    }

    #[test]
    fn a_bare_name_means_latest() {
        let ps = json!({"models":[{"name":"llama3.2:latest","model":"llama3.2:latest","expires_at":"2026-11-20T19:00:00Z"}]});
        assert_eq!(is_loaded(&ps, "llama3.2"), Some(true));
        assert_eq!(is_loaded(&ps, "llama3.2:latest"), Some(true));
        assert_eq!(is_loaded(&ps, "llama3.2:1b"), Some(false));
        assert_eq!(is_loaded(&json!({"error":"x"}), "llama3.2"), None);
    }
}
