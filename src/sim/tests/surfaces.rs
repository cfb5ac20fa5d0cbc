//! Every surface answers in its provider's form.

use serde_json::json;

use super::super::{Options, Scenario, SimError, Simulator};
use super::client::*;

const PLAIN: &str = "
flavour: openai
models:
  - { id: m }
  - { id: think, reasoning: true, reasoning_tokens: 2, tokens: 2 }
  - { id: embed, kind: embedding }
";

#[tokio::test(start_paused = true)]
async fn openai_streams_role_tokens_finish_and_done() {
    let sim = start(PLAIN).await;
    let answer = post(&sim, "/openai/v1/chat/completions", &chat("m")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        Some("text/event-stream; charset=utf-8")
    );
    assert!(answer.header("date").is_some());
    let events = answer.events();
    assert_eq!(
        events[0]["choices"][0]["delta"],
        json!({ "role": "assistant", "content": "" })
    );
    assert_eq!(events[1]["choices"][0]["delta"]["content"], "The");
    assert_eq!(events.len(), 1 + 8 + 1);
    assert_eq!(events[9]["choices"][0]["finish_reason"], "stop");
    assert!(answer.body.ends_with("data: [DONE]\n\n"));
    assert_eq!(sim.counts().generations, 1);
    assert_eq!(sim.counts().completed, 1);
}
