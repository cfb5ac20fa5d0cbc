//! Providers, targets and outcomes for tests of any room: small builders, to be changed as a test needs.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{
    Code, Connection, Cost, Diagnosis, Limited, Outcome, Proof, QuotaSeen, Reading, Reset, ResetSource, RunId, Stage,
    StageTime, Timings, Unit, Usage, Uses, Warmth, WindowName, Withholding,
};
use crate::target::{
    BaseUrl, CapField, CredentialSource, Depth, Dialect, Expectation, Family, KeyHeader, Kind, ModelId,
    NetworkSettings, Provider, ProviderId, ReasoningOff, Target, TargetId,
};

pub(crate) const STARTED: &str = "2026-11-20T19:02:11.123Z";

/// A provider without a preset, key or catalogue.
pub(crate) fn provider(name: &str) -> Provider {
    Provider {
        id: ProviderId::new(name).unwrap(),
        preset: name.to_owned(),
        family: Family::Generic,
        title: name.to_owned(),
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
        network: NetworkSettings::default(),
        keep_alive: None,
    }
}

/// A chat LLM at [`provider`].
pub(crate) fn target(provider_name: &str, id: &str, llm: &str) -> Target {
    Target {
        id: TargetId::new(id).unwrap(),
        provider: Arc::new(provider(provider_name)),
        model: ModelId::new(llm),
        kind: Kind::Chat,
        depth: Depth::Warm,
        tags: Vec::new(),
        expect: Expectation::default(),
        max_output_tokens: 16,
        line: 1,
    }
}

pub(crate) fn started() -> Timestamp {
    STARTED.parse().unwrap()
}

pub(crate) fn run_id() -> RunId {
    RunId::new("20261120T190211Z-3f9a2c")
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A ready outcome of depth `warm`, to be changed as the test needs.
pub(crate) fn ready(provider: &str, id: &str, llm: &str) -> Outcome {
    let target = target(provider, id, llm);
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
        cost: Cost::default(),
        quota: QuotaSeen::default(),
        withheld: None,
        withheld_says: None,
        list_price: None,
        http_status: Some(200),
        request_id: None,
        warmth: Warmth::Warm,
        residence: None,
        used: Uses::default(),
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

/// What a provider says is left of 500 requests.
pub(crate) fn left_of_five_hours(remaining: f64) -> Reading {
    Reading {
        window: WindowName::FIVE_HOUR,
        unit: Unit::Requests,
        remaining: Some(remaining),
        max: Some(500.0),
        next: None,
        gives: None,
        limited: Limited::No,
    }
}

/// A warm-up that was withheld for so many seconds, because too little was left.
pub(crate) fn withheld(provider: &str, id: &str, llm: &str, seconds: i64) -> Outcome {
    let mut spared = diagnosis(
        Code::QuotaWithheld,
        Stage::Warm,
        "quota below 15 %: 61.2 requests of 500 requests left (five-hour); again in 4m",
        "",
    );
    spared.remedy = Code::QuotaWithheld.explain().remedy.join(" ").replace("{model}", llm);
    spared.reset = Some(reset_after(seconds));
    let outcome = failed(ready(provider, id, llm), spared, Proof::KeyAcceptedAndListed, Some(200));
    let says = Some("quota below 15 %".to_owned());
    Outcome { withheld: Some(Withholding::Floor), withheld_says: says, ..outcome }
}

pub(crate) fn reset_after(seconds: i64) -> Reset {
    Reset {
        after: Duration::from_secs(u64::try_from(seconds).unwrap()),
        at: started() + SignedDuration::from_secs(seconds),
        source: ResetSource::RetryAfter,
    }
}
