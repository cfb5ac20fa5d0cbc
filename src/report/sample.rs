//! Outcomes for tests, of this room and of others that render: a small builder, and a pass with one of everything.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Look, Marks, Style};
use crate::outcome::{
    Code, Connection, Diagnosis, Outcome, Proof, Reset, ResetSource, RunId, Stage, StageTime, Timings, Usage, Warmth,
};
use crate::target::{
    BaseUrl, CapField, CredentialSource, Depth, Dialect, Expectation, Family, KeyHeader, Kind, ModelId, Provider,
    ProviderId, ReasoningOff, Target, TargetId,
};

pub(crate) const STARTED: &str = "2026-11-20T19:02:11.123Z";

pub(crate) fn started() -> Timestamp {
    STARTED.parse().unwrap()
}

pub(crate) fn run_id() -> RunId {
    RunId::new("20261120T190211Z-3f9a2c")
}

pub(crate) fn look(width: usize) -> Look {
    Look { width, style: Style::Plain, marks: Marks::Unicode, zone: TimeZone::fixed(jiff::tz::offset(1)) }
}

/// What a rendering writes.
pub(crate) fn text_of(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let mut bytes = Vec::new();
    render(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A ready outcome of depth `warm`, to be changed as the test needs.
pub(crate) fn ready(provider: &str, id: &str, llm: &str) -> Outcome {
    let provider = Provider {
        id: ProviderId::new(provider).unwrap(),
        preset: provider.to_owned(),
        family: Family::Generic,
        title: provider.to_owned(),
        dialect: Dialect::OpenAi,
        base_url: BaseUrl::parse("https://api.example.com/v1").unwrap(),
        key: CredentialSource::NotNeeded,
        key_header: KeyHeader::Bearer,
        key_prefix: None,
        key_page: None,
        billing_page: None,
        status_page: None,
        headers: Vec::new(),
        free_check: None,
        catalogue: None,
        state: None,
        cap_field: CapField::MaxTokens,
        reasoning_off: ReasoningOff::NotSent,
        unloads: true,
        concurrency: 4,
        ca_file: None,
        keep_alive: None,
    };
    let target = Target {
        id: TargetId::new(id).unwrap(),
        provider: Arc::new(provider),
        model: ModelId::new(llm),
        kind: Kind::Chat,
        depth: Depth::Warm,
        tags: Vec::new(),
        expect: Expectation::default(),
        max_output_tokens: 16,
        line: 1,
    };
    Outcome {
        run_id: run_id(),
        target: Arc::new(target),
        depth: Depth::Warm,
        started: started(),
        stage: Stage::Warm,
        proof: Proof::TokenGenerated,
        attempts: 1,
        connection: Some(Connection::Fresh),
        timings: Timings {
            queued: None,
            dns: Some(Duration::from_micros(1_204)),
            tcp: Some(ms(11)),
            tls: Some(ms(23)),
            headers: Some(ms(210)),
            first_token: Some(ms(350)),
            last_token: Some(ms(420)),
            total: ms(612),
        },
        stages: vec![
            StageTime { stage: Stage::Connect, start: ms(1), duration: ms(11) },
            StageTime { stage: Stage::Warm, start: ms(190), duration: ms(422) },
        ],
        usage: Usage { input_tokens: Some(9), output_tokens: Some(16) },
        http_status: Some(200),
        request_id: None,
        warmth: Warmth::Warm,
        certificate_ends: None,
        diagnosis: None,
        warnings: Vec::new(),
        notes: Vec::new(),
    }
}

pub(crate) fn diagnosis(code: Code, stage: Stage, evidence: &str, remedy: &str) -> Diagnosis {
    Diagnosis {
        code,
        stage,
        evidence: evidence.to_owned(),
        remedy: remedy.to_owned(),
        reset: None,
        nearest: Vec::new(),
    }
}

/// The outcome with a failure instead of what it had.
pub(crate) fn failed(mut outcome: Outcome, diagnosis: Diagnosis, proof: Proof, status: Option<u16>) -> Outcome {
    outcome.stage = diagnosis.stage;
    outcome.proof = proof;
    outcome.http_status = status;
    outcome.warmth = Warmth::Unknown;
    outcome.timings.first_token = None;
    outcome.timings.last_token = None;
    outcome.usage = Usage::default();
    outcome.diagnosis = Some(diagnosis);
    outcome
}

pub(crate) fn reset_after(seconds: i64) -> Reset {
    Reset {
        after: Duration::from_secs(u64::try_from(seconds).unwrap()),
        at: started() + SignedDuration::from_secs(seconds),
        source: ResetSource::RetryAfter,
    }
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
