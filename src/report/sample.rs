//! Outcomes for tests, of this room and of others that render: a small builder, and a pass with one of everything.

use std::io::{self, Write};
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::{Look, Marks, Style};
pub(crate) use crate::outcome::sample::*;
use crate::outcome::{Code, Outcome, Proof, Record, Stage, Timings, Warmth};
use crate::store::PastOutcome;
use crate::target::Depth;

pub(crate) fn look(width: usize) -> Look {
    Look { width, style: Style::Plain, marks: Marks::Unicode, zone: TimeZone::fixed(jiff::tz::offset(1)) }
}

/// What a rendering writes.
pub(crate) fn text_of(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let mut bytes = Vec::new();
    render(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// An outcome as the store gives it back, begun so many seconds before [`started`].
pub(crate) fn past(outcome: &Outcome, seconds_ago: i64) -> PastOutcome {
    let mut outcome = outcome.clone();
    outcome.started = started() - SignedDuration::from_secs(seconds_ago);
    let mut past: PastOutcome = serde_json::from_value(serde_json::to_value(Record::of(&outcome)).unwrap()).unwrap();
    past.at = outcome.started;
    past
}

/// A refused key, as every target of a provider sees it.
pub(crate) fn refused(provider: &str, id: &str, llm: &str) -> Outcome {
    let refused = diagnosis(
        Code::KeyRefused,
        Stage::Authenticate,
        "HTTP 401 from the quota endpoint, type authentication_error: \"invalid key\"",
        "Check that the variable SYNTHETIC_API_KEY holds the key you think: revoked, of another account, or of \
         another region look the same. Make a new one at https://synthetic.new/user-settings/api.",
    );
    failed(ready(provider, id, llm), refused, Proof::Connected, Some(401))
}

/// One of everything that a reader may meet.
pub(crate) fn pass() -> Vec<Arc<Outcome>> {
    let mut cold = ready("synthetic", "qwen", "hf:Qwen/Qwen3-Coder-480B-A35B-Instruct");
    cold.warmth = Warmth::Cold;
    cold.timings.first_token = Some(ms(74_300));
    cold.timings.total = ms(75_100);
    cold.warnings = vec![diagnosis(
        Code::ColdStart,
        Stage::Warm,
        "first token after 74.3s, expected within 10s",
        "It is warm now. Schedule a warm-up so that no user meets this.",
    )];
    cold.notes = vec!["not in the catalogue, yet it answers".to_owned()];

    let mut listed = ready("openai", "gpt", "gpt-5-mini");
    listed.depth = Depth::Auth;
    listed.stage = Stage::Locate;
    listed.proof = Proof::KeyAcceptedAndListed;
    listed.warmth = Warmth::Unknown;
    listed.timings = Timings { total: ms(212), ..Timings::default() };

    let mut missing = diagnosis(
        Code::ModelNotFound,
        Stage::Locate,
        "HTTP 404, code model_not_found: \"The model `kimi-k3` does not exist\"",
        "Nearest in the catalogue: kimi-k2.5, kimi-k2. Model ids are case-sensitive and are retired often: compare \
         kimi-k3 with the provider's list.",
    );
    missing.nearest = vec!["kimi-k2.5".to_owned(), "kimi-k2".to_owned()];
    let missing = failed(ready("moonshot", "kimi", "kimi-k3"), missing, Proof::KeyAccepted, Some(404));

    let mut spent = diagnosis(
        Code::WindowSpent,
        Stage::Warm,
        "HTTP 429, retry-after 700",
        "It refills by itself in 12m. Retrying sooner only spends more of it.",
    );
    spent.reset = Some(reset_after(700));
    let mut spent = failed(ready("groq", "llama", "llama-3.3-70b-versatile"), spent, Proof::KeyAccepted, Some(429));
    spent.attempts = 3;
    spent.request_id = Some("req_01k9x".to_owned());

    let panicked = diagnosis(
        Code::ProbePanicked,
        Stage::Resolve,
        "a panic in src/probe/resolve.rs:12",
        "Please report it with the evidence; it says nothing about local.",
    );
    let panicked = failed(ready("local", "llama-cpp", "qwen2.5-0.5b"), panicked, Proof::Nothing, None);

    [
        ready("synthetic", "glm", "hf:zai-org/GLM-4.6"),
        cold,
        listed,
        missing,
        spent,
        panicked,
        refused("synthetic-2", "deepseek", "hf:deepseek-ai/DeepSeek-V3.2"),
        refused("synthetic-2", "minimax", "hf:MiniMaxAI/MiniMax-M2"),
    ]
    .into_iter()
    .map(Arc::new)
    .collect()
}
