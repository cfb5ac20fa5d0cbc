//! Which LLMs a server has loaded, where it tells for free. Reading it neither loads one nor resets its idle timer.

use jiff::Timestamp;
use serde_json::Value;

use super::climb::Climb;
use super::dialect::ollama;
use super::exchange::{send, whole};
use super::request;
use super::transport::Line;
use crate::outcome::{Code, Residence};
use crate::target::{KeepAlive, StateEndpoint};

/// Whether an LLM is in its server's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// It is, and will be unloaded when idle; when, where the server says so.
    Loaded(Option<Timestamp>),
    /// It is, and stays until somebody unloads it.
    Pinned,
    /// It is not.
    Absent,
}

impl Presence {
    fn of(loaded: bool) -> Self {
        if loaded { Self::Loaded(None) } else { Self::Absent }
    }

    /// Whether it is there.
    pub(super) fn is_loaded(self) -> bool {
        self != Self::Absent
    }
}

/// Whether the target's LLM is loaded; nothing when the server does not tell, or could not be understood. A failure
/// here is no failure of the probe: the warm-up that follows shows what is wrong.
pub(super) async fn presence(climb: &mut Climb<'_>, line: &mut dyn Line) -> Option<Presence> {
    let target = climb.job.target.clone();
    let endpoint = target.provider.state?;
    let path = match endpoint {
        StateEndpoint::OllamaPs => "api/ps",
        StateEndpoint::LlamaCppRouter => "/models",
        StateEndpoint::LlamaSwap => "/running",
    };
    let wanted = request::get(&target.provider, &climb.job.credential, &climb.job.run_id, path);
    let mut answer = send(climb, line, wanted, target.expect.answer, Code::AnswerTimeout).await.ok()?;
    let until = answer.sent + target.expect.answer;
    let (body, read) = whole(&mut *answer.body, climb.clock, until).await;
    if read.is_err() || answer.head.status != 200 {
        return None;
    }
    let now = climb.clock.wall();
    let presence = read_state(endpoint, &serde_json::from_slice(&body).ok()?, target.model.as_str(), now)?;
    let stays = match target.provider.keep_alive {
        Some(KeepAlive::For(time)) => Some(time),
        Some(KeepAlive::Forever) | None => None,
    };
    climb.facts.residence = Some(match presence {
        Presence::Loaded(until) => Residence::Loaded { until, stays },
        Presence::Pinned => Residence::Loaded { until: None, stays: None },
        Presence::Absent => Residence::Absent,
    });
    Some(presence)
}

/// Reads one of the three shapes.
fn read_state(endpoint: StateEndpoint, value: &Value, model: &str, now: Timestamp) -> Option<Presence> {
    match endpoint {
        StateEndpoint::OllamaPs => ollama::presence(value, model, now),
        StateEndpoint::LlamaSwap => {
            let running = value.get("running")?.as_array()?;
            let text = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
            Some(Presence::of(running.iter().any(|entry| {
                text(entry, "model").as_deref() == Some(model) && text(entry, "state").as_deref() == Some("ready")
            })))
        }
        StateEndpoint::LlamaCppRouter => {
            let models = value.get("data")?.as_array()?;
            let entry = models.iter().find(|entry| entry.get("id").and_then(Value::as_str) == Some(model))?;
            // A server that is no router lists its one LLM without a status.
            let status = entry.get("status")?.get("value")?.as_str()?;
            Some(Presence::of(status == "loaded"))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_server_tells_in_its_own_way() {
        let swap = json!({"running":[{"model":"a","state":"ready"},{"model":"b","state":"starting"}]});
        assert_eq!(
            read_state(StateEndpoint::LlamaSwap, &swap, "a", Timestamp::UNIX_EPOCH),
            Some(Presence::Loaded(None))
        );
        assert_eq!(read_state(StateEndpoint::LlamaSwap, &swap, "b", Timestamp::UNIX_EPOCH), Some(Presence::Absent));
        assert_eq!(read_state(StateEndpoint::LlamaSwap, &swap, "c", Timestamp::UNIX_EPOCH), Some(Presence::Absent));
        let router = json!({"data":[{"id":"a","status":{"value":"loaded"}},{"id":"b","status":{"value":"sleeping"}}]});
        assert_eq!(
            read_state(StateEndpoint::LlamaCppRouter, &router, "a", Timestamp::UNIX_EPOCH),
            Some(Presence::Loaded(None))
        );
        assert_eq!(
            read_state(StateEndpoint::LlamaCppRouter, &router, "b", Timestamp::UNIX_EPOCH),
            Some(Presence::Absent)
        );
        assert_eq!(
            read_state(StateEndpoint::LlamaCppRouter, &json!({"data":[{"id":"a"}]}), "a", Timestamp::UNIX_EPOCH),
            None
        );
    }
}
