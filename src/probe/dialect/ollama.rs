//! Ollama's native API: what is loaded (`/api/ps`), and the preload that costs no tokens.
//!
//! The OpenAI-compatible route of Ollama is not used: it ignores `keep_alive` (ollama #3645, #2508).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::probe::state::Presence;
use crate::target::{KeepAlive, Kind, Target};

/// Nobody keeps an LLM for a year by a timer.
const PINNED: SignedDuration = SignedDuration::from_hours(24 * 365);

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

/// What the answer of `/api/ps` says of the LLM; nothing when it is not such an answer. Ollama completes a bare name with
/// `:latest`, and gives one that is pinned (`keep_alive: -1`) an end in the far future.
pub(in crate::probe) fn presence(ps: &Value, model: &str, now: Timestamp) -> Option<Presence> {
    let models = ps.get("models")?.as_array()?;
    let full = |name: &str| if name.contains(':') { name.to_owned() } else { format!("{name}:latest") };
    let wanted = full(model);
    let text = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    let is_it = |entry: &&Value| {
        ["model", "name"].iter().any(|name| text(entry, name).is_some_and(|name| full(&name) == wanted))
    };
    let Some(entry) = models.iter().find(is_it) else { return Some(Presence::Absent) };
    let ends = text(entry, "expires_at").and_then(|end| end.parse::<Timestamp>().ok());
    let pinned = ends.is_some_and(|end| end.duration_since(now) > PINNED);
    Some(if pinned { Presence::Pinned } else { Presence::Loaded(ends) })
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
        let now: Timestamp = "2026-11-20T18:58:00Z".parse().unwrap();
        let ps = json!({"models":[{"name":"llama3.2:latest","model":"llama3.2:latest","expires_at":"2026-11-20T19:00:00Z"},
            {"name":"pinned:7b","expires_at":"2318-03-01T00:00:00Z"}]});
        let ends = Presence::Loaded("2026-11-20T19:00:00Z".parse().ok());
        assert_eq!(presence(&ps, "llama3.2", now), Some(ends));
        assert_eq!(presence(&ps, "llama3.2:latest", now), Some(ends));
        assert_eq!(presence(&ps, "llama3.2:1b", now), Some(Presence::Absent));
        assert_eq!(presence(&ps, "pinned:7b", now), Some(Presence::Pinned));
        assert_eq!(presence(&json!({"error":"x"}), "llama3.2", now), None);
    }
}
