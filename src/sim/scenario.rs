//! The scenario file: everything a simulated provider is, as data.
//!
//! `docs/simulator.md` is the manual of these keys. Every struct refuses unknown keys, because a misspelled key that is
//! silently ignored makes a test that proves nothing. Rules that serde cannot express are checked in `validate`.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;

use super::faults::FaultSpec;
use super::flavour::{Flavour, RateDialect};
use super::quota::{QuotaSpec, Used};
use super::spans;
use super::tls::TlsMode;

/// What a simulated provider offers, to whom, and how it misbehaves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// A title, for people.
    pub(crate) name: String,
    /// Whose error bodies, headers and catalogue policy are imitated.
    pub(crate) flavour: Flavour,
    /// The seed of all randomness.
    pub(crate) seed: u64,
    /// How long every answer that is not a generation takes.
    #[serde(deserialize_with = "spans::duration")]
    pub(crate) latency: Duration,
    /// The value of the `Server` header; absent when not given.
    pub(crate) server: Option<String>,
    /// The models on offer.
    pub(crate) models: Vec<ModelSpec>,
    /// How many models fit in memory; loading one more unloads the one that was idle longest.
    pub(crate) max_loaded: Option<usize>,
    /// The keys that are known. Without any, no key is needed.
    pub(crate) accounts: Vec<AccountSpec>,
    /// Whether a key is needed; `auto` means: when there are accounts.
    pub(crate) auth: AuthPolicy,
    /// Who may read the model list; `auto` follows the flavour.
    pub(crate) models_list: ListPolicy,
    /// The quota of every account that has none of its own.
    pub(crate) quota: Option<QuotaSpec>,
    /// Generations per minute and account; the next is refused with 429.
    pub(crate) requests_per_minute: Option<u32>,
    /// How the rate limit is stated; the default follows the flavour.
    pub(crate) rate_headers: Option<RateDialect>,
    /// The doors. Without any there is one, named `plain`.
    pub(crate) listeners: Vec<ListenerSpec>,
    /// How it misbehaves, at every listener that has no list of its own.
    pub(crate) faults: Vec<FaultSpec>,
}

/// Whether a request needs a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AuthPolicy {
    #[default]
    Auto,
    Required,
    Off,
}

/// Who may read the model list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ListPolicy {
    #[default]
    Auto,
    Public,
    Keyed,
}

/// One model and how it behaves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelSpec {
    pub(crate) id: String,
    /// Other ids that reach the same model (`syn:large:text`).
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    /// What the answer's `model` field says; the id when not given.
    #[serde(default)]
    pub(crate) served_as: Option<String>,
    #[serde(default)]
    pub(crate) kind: ModelKind,
    /// How long a cold start takes.
    #[serde(default, deserialize_with = "spans::duration")]
    pub(crate) load: Duration,
    /// Idle time after which it is unloaded.
    #[serde(default, deserialize_with = "spans::or_never")]
    pub(crate) idle_timeout: Option<Duration>,
    /// Mean time between random evictions.
    #[serde(default, deserialize_with = "spans::or_never")]
    pub(crate) evict: Option<Duration>,
    #[serde(default = "fifty_milliseconds", deserialize_with = "spans::duration")]
    pub(crate) first_token: Duration,
    #[serde(default = "ten_milliseconds", deserialize_with = "spans::duration")]
    pub(crate) between_tokens: Duration,
    /// Share by which load and token times vary, 0 to 1.
    #[serde(default)]
    pub(crate) jitter: f64,
    /// Tokens of text that the model would write when nothing caps it.
    #[serde(default = "eight")]
    pub(crate) tokens: u64,
    /// What one request costs, in requests of the default model.
    #[serde(default = "one")]
    pub(crate) price: f64,
    /// Requests that run at once; more of them queue.
    #[serde(default = "one_at_a_time")]
    pub(crate) concurrency: usize,
    /// Claimed in the catalogue; such a model starts loaded and is never unloaded.
    #[serde(default)]
    pub(crate) always_on: bool,
    #[serde(default)]
    pub(crate) reasoning: bool,
    /// Tokens of reasoning before the text.
    #[serde(default = "eight")]
    pub(crate) reasoning_tokens: u64,
    #[serde(default)]
    pub(crate) reasoning_field: ReasoningField,
    /// The reasoning efforts that are accepted and listed.
    #[serde(default = "usual_efforts")]
    pub(crate) efforts: Vec<String>,
    #[serde(default)]
    pub(crate) cap_field: CapField,
    /// The smallest cap that works.
    #[serde(default)]
    pub(crate) min_cap: u64,
    #[serde(default)]
    pub(crate) below_cap: BelowCap,
    #[serde(default)]
    pub(crate) cold_signal: ColdSignal,
    /// Time between two signs of life during a cold start.
    #[serde(default = "one_second", deserialize_with = "spans::duration")]
    pub(crate) signal_every: Duration,
    #[serde(default)]
    pub(crate) first_event: FirstEvent,
    #[serde(default)]
    pub(crate) headers: HeadersAt,
    /// Whether it is in memory at the start; by default when it loads in no time or is always on.
    #[serde(default)]
    pub(crate) loaded: Option<bool>,
    #[serde(default = "usual_context")]
    pub(crate) context_length: u64,
}

impl ModelSpec {
    /// Whether the model is in memory when the simulator starts.
    pub(crate) fn starts_loaded(&self) -> bool {
        self.always_on || self.loaded.unwrap_or(self.load.is_zero())
    }

    /// Whether a request for `id` reaches this model. Ids are case-sensitive, as they are at Synthetic.
    pub(crate) fn answers_to(&self, id: &str) -> bool {
        self.id == id || self.aliases.iter().any(|alias| alias == id)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ModelKind {
    #[default]
    Chat,
    Embedding,
}

/// The name of the field that carries reasoning text in a delta.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReasoningField {
    #[default]
    ReasoningContent,
    Reasoning,
}

impl ReasoningField {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ReasoningContent => "reasoning_content",
            Self::Reasoning => "reasoning",
        }
    }
}

/// Which parameter may cap the output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CapField {
    MaxTokens,
    MaxCompletionTokens,
    #[default]
    Both,
}

/// What happens when the cap is smaller than `min_cap` (providers.md, section 3.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum BelowCap {
    /// Refused by validation: the model did not run.
    #[default]
    #[serde(rename = "validation-400")]
    Validation,
    /// The model ran and could not finish: proof of life in a 400.
    #[serde(rename = "could-not-finish-400")]
    CouldNotFinish,
    /// A 200 without any content, finished by `length`.
    #[serde(rename = "empty-200")]
    Empty,
}

/// How a cold start shows on the wire (providers.md, section 3.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum ColdSignal {
    /// Only by the long wait.
    #[default]
    #[serde(rename = "silent")]
    Silent,
    /// llama.cpp: 503 "Loading model".
    #[serde(rename = "503-loading")]
    Loading503,
    /// Fireworks: 503 `DEPLOYMENT_SCALING_UP`; `X-Scale-Up-Timeout` makes it wait, as at Hugging Face.
    #[serde(rename = "503-scaling-up")]
    ScalingUp503,
    /// Hugging Face: 503 with `estimated_time`.
    #[serde(rename = "hf-loading")]
    HfLoading,
    /// 200 at once, then SSE comments.
    #[serde(rename = "keepalive-comments")]
    KeepaliveComments,
    /// 200 at once, then blank lines (DeepSeek), also when not streaming.
    #[serde(rename = "blank-lines")]
    BlankLines,
    /// llama-swap's `sendLoadingState`: reasoning text that no model wrote.
    #[serde(rename = "fake-reasoning")]
    FakeReasoning,
}

impl ColdSignal {
    /// Whether the head of the answer is sent before the model is loaded.
    pub(crate) fn shows_in_stream(self) -> bool {
        matches!(
            self,
            Self::KeepaliveComments | Self::BlankLines | Self::FakeReasoning
        )
    }
}

/// What a stream sends as soon as the model is loaded, before its first token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FirstEvent {
    /// A role prelude (`message_start` and `ping` at Anthropic): an event without content.
    #[default]
    RolePrelude,
    /// An SSE comment.
    Comment,
    /// Nothing: the first event carries content.
    Token,
}

/// When the head of a streamed answer is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HeadersAt {
    /// As soon as the request is accepted, before queue and load.
    AtOnce,
    #[default]
    WhenLoaded,
    WithFirstToken,
}

/// One key and the account behind it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountSpec {
    pub(crate) key: String,
    /// What counts and records call it, so that the key is never printed; `account-1` and so on by default.
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) state: AccountState,
    /// A quota of its own.
    #[serde(default)]
    pub(crate) quota: Option<QuotaSpec>,
    /// What of its quota is spent at the start, when it differs from the others only in that.
    #[serde(default)]
    pub(crate) used: Option<Used>,
    /// Money left, as the balance checks state it.
    #[serde(default = "ten_dollars")]
    pub(crate) balance: f64,
}

/// What is the matter with an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AccountState {
    #[default]
    Good,
    /// Refused everywhere, like a key nobody knows.
    Bad,
    /// The free checks pass; a generation does not.
    Unpaid,
    PlanEnded,
    NoPermission,
    /// Chat works, the model list is refused.
    MissingScope,
    RegionBlocked,
    EdgeBlocked,
    Suspended,
}

/// One door of the simulator.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListenerSpec {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) tls: TlsMode,
    /// A fixed port; by default the first listener has the asked one and each other a free one.
    #[serde(default)]
    pub(crate) port: Option<u16>,
    #[serde(default)]
    pub(crate) flavour: Option<Flavour>,
    /// What happens to a connection before anything is read.
    #[serde(default)]
    pub(crate) on_connect: OnConnect,
    /// Its own faults, instead of the scenario's.
    #[serde(default)]
    pub(crate) faults: Option<Vec<FaultSpec>>,
}

/// What happens to a fresh connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnConnect {
    #[default]
    Serve,
    Close,
    Reset,
    Hang,
    Garbage,
}

fn fifty_milliseconds() -> Duration {
    Duration::from_millis(50)
}

fn ten_milliseconds() -> Duration {
    Duration::from_millis(10)
}

fn one_second() -> Duration {
    Duration::from_secs(1)
}

fn eight() -> u64 {
    8
}

fn one() -> f64 {
    1.0
}

fn one_at_a_time() -> usize {
    1
}

fn usual_context() -> u64 {
    202_752
}

fn ten_dollars() -> f64 {
    10.0
}

fn usual_efforts() -> Vec<String> {
    ["none", "low", "medium", "high"]
        .map(str::to_owned)
        .to_vec()
}

/// Why a scenario file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The text is not YAML, or not of the right shape. The message names line and column and shows the place.
    #[error("read the scenario: {message}")]
    Syntax {
        /// The parser's message, with the place in the file.
        message: String,
        /// The line, counted from one, when it is known.
        line: Option<u64>,
        /// The parser's error.
        #[source]
        source: Box<serde_saphyr::Error>,
    },
    /// The shape is right but a rule is broken.
    #[error("use the scenario: {0}")]
    Rule(String),
}

impl Scenario {
    /// Reads a scenario from YAML.
    ///
    /// # Errors
    /// When the text is not YAML, has an unknown key or a value of the wrong kind (with the line), or breaks a rule.
    pub fn from_yaml(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self =
            serde_saphyr::from_str(text).map_err(|error| ScenarioError::Syntax {
                message: error.render(),
                line: error.location().map(|location| location.line()),
                source: Box::new(error),
            })?;
        scenario.validate()?;
        Ok(scenario)
    }

    /// The scenario that `pilotlight sim` plays when it is given none: a Synthetic-like provider with cold models.
    ///
    /// # Errors
    /// Never in a released build: a test reads the embedded file.
    pub fn demo() -> Result<Self, ScenarioError> {
        Self::from_yaml(include_str!("scenarios/demo.yaml"))
    }

    /// The scenario's title; empty when it has none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The ids of the models, in the file's order.
    pub fn model_ids(&self) -> Vec<&str> {
        self.models.iter().map(|model| model.id.as_str()).collect()
    }

    /// The quota of one account: its own, else the scenario's; with its own `used` if it states one.
    pub(crate) fn quota_of(&self, account: &AccountSpec) -> Option<QuotaSpec> {
        let mut quota = match (&account.quota, &self.quota, account.used) {
            (Some(own), _, _) => own.clone(),
            (None, Some(common), _) => common.clone(),
            (None, None, Some(_)) => QuotaSpec::default(),
            (None, None, None) => return None,
        };
        quota.used = account.used.unwrap_or(quota.used);
        Some(quota)
    }

    /// Checks the rules that the types cannot express.
    fn validate(&self) -> Result<(), ScenarioError> {
        unique(
            "model",
            self.models
                .iter()
                .flat_map(|m| std::iter::once(&m.id).chain(&m.aliases)),
        )?;
        unique(
            "listener",
            self.listeners.iter().map(|listener| &listener.name),
        )?;
        // The keys themselves are not shown: a scenario may be run against a copy of a real configuration.
        let keys: BTreeSet<&str> = self
            .accounts
            .iter()
            .map(|account| account.key.as_str())
            .collect();
        if keys.len() != self.accounts.len() || keys.contains("") {
            return Err(ScenarioError::Rule(
                "every account needs a key of its own".to_owned(),
            ));
        }
        for model in &self.models {
            let rule =
                |text: &str| Err(ScenarioError::Rule(format!("model `{}`: {text}", model.id)));
            if model.concurrency == 0 || model.concurrency > 10_000 {
                return rule("`concurrency` must be between 1 and 10000");
            }
            if !(0.0..=1.0).contains(&model.jitter) {
                return rule("`jitter` must be between 0 and 1");
            }
            if !model.price.is_finite() || model.price < 0.0 {
                return rule("`price` must not be negative");
            }
            if model.tokens == 0 || model.signal_every.is_zero() {
                return rule("`tokens` and `signal_every` must be more than zero");
            }
        }
        if self.max_loaded == Some(0) {
            return Err(ScenarioError::Rule(
                "`max_loaded` must be at least 1".to_owned(),
            ));
        }
        let quotas: Vec<QuotaSpec> = self
            .accounts
            .iter()
            .filter_map(|a| self.quota_of(a))
            .collect();
        self.quota
            .iter()
            .chain(&quotas)
            .map(QuotaSpec::check)
            .collect::<Result<(), String>>()
            .map_err(ScenarioError::Rule)?;
        let own = self
            .listeners
            .iter()
            .filter_map(|listener| listener.faults.as_ref())
            .flatten();
        for fault in self.faults.iter().chain(own) {
            fault.check().map_err(ScenarioError::Rule)?;
        }
        Ok(())
    }
}

impl Default for Scenario {
    /// A provider without accounts, whose three models are warm: the least that a client can talk to.
    fn default() -> Self {
        let model = |id: &str, kind| ModelSpec {
            kind,
            ..ModelSpec::named(id)
        };
        Self {
            name: String::new(),
            flavour: Flavour::default(),
            seed: 1,
            latency: Duration::ZERO,
            server: None,
            models: vec![
                model("sim-large", ModelKind::Chat),
                model("sim-small", ModelKind::Chat),
                model("sim-embed", ModelKind::Embedding),
            ],
            max_loaded: None,
            accounts: Vec::new(),
            auth: AuthPolicy::Auto,
            models_list: ListPolicy::Auto,
            quota: None,
            requests_per_minute: None,
            rate_headers: None,
            listeners: Vec::new(),
            faults: Vec::new(),
        }
    }
}

impl ModelSpec {
    /// A warm chat model with the defaults that the manual states.
    pub(crate) fn named(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            aliases: Vec::new(),
            served_as: None,
            kind: ModelKind::Chat,
            load: Duration::ZERO,
            idle_timeout: None,
            evict: None,
            first_token: fifty_milliseconds(),
            between_tokens: ten_milliseconds(),
            jitter: 0.0,
            tokens: eight(),
            price: one(),
            concurrency: one_at_a_time(),
            always_on: false,
            reasoning: false,
            reasoning_tokens: eight(),
            reasoning_field: ReasoningField::default(),
            efforts: usual_efforts(),
            cap_field: CapField::default(),
            min_cap: 0,
            below_cap: BelowCap::default(),
            cold_signal: ColdSignal::default(),
            signal_every: one_second(),
            first_event: FirstEvent::default(),
            headers: HeadersAt::default(),
            loaded: None,
            context_length: usual_context(),
        }
    }
}

/// Refuses a name that is used twice.
fn unique<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> Result<(), ScenarioError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.is_empty() {
            return Err(ScenarioError::Rule(format!("a {what} has an empty name")));
        }
        if !seen.insert(name) {
            return Err(ScenarioError::Rule(format!(
                "the {what} `{name}` is listed twice"
            )));
        }
    }
    Ok(())
}
