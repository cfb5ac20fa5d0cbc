//! The scenario file: everything a simulated provider is, as data.
//!
//! `docs/simulator.md` is the manual of these keys. Every struct refuses unknown keys, because a misspelled key that is
//! silently ignored makes a test that proves nothing. Rules that serde cannot express are checked in `validate`.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;

use super::faults::FaultSpec;
use super::flavour::{Flavour, RateDialect};
use super::model_spec::{ModelKind, ModelSpec};
use super::proxy::ProxySpec;
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
    /// Makes it a forward proxy instead of a door of the provider.
    #[serde(default)]
    pub(crate) proxy: Option<ProxySpec>,
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

fn ten_dollars() -> f64 {
    10.0
}

/// Why a scenario file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The text is not YAML, or not of the right shape.
    #[error("read the scenario: {}{message}", place(*.at))]
    Syntax {
        /// The parser's message, without the place.
        message: String,
        /// Line and column, counted from one, when they are known.
        at: Option<(u64, u64)>,
    },
    /// The shape is right but a rule is broken.
    #[error("use the scenario: {0}")]
    Rule(String),
}

/// A place before a message.
fn place(at: Option<(u64, u64)>) -> String {
    at.map_or_else(String::new, |(line, column)| format!("line {line}, column {column}: "))
}

impl ScenarioError {
    /// The error of a file for people, as it fits after "failed to": `read the scenario s.yaml:2:1: unknown field …`.
    /// Of a long list of fields only the nearest and the first are named.
    #[must_use]
    pub fn of_file(&self, path: &str) -> String {
        match self {
            Self::Syntax { message, at } => {
                let at = at.map_or_else(String::new, |(line, column)| format!(":{line}:{column}"));
                format!("read the scenario {path}{at}: {}", shortened(message))
            }
            Self::Rule(rule) => format!("use the scenario {path}: {rule}"),
        }
    }
}

/// serde's list of all that could stand there, with the nearest first and the rest counted.
fn shortened(message: &str) -> String {
    const LISTED: usize = 8;
    let Some((what, choices)) = message.split_once(", expected one of ") else { return message.to_owned() };
    let choices: Vec<&str> = choices.split(", ").map(|name| name.trim_matches('`')).collect();
    let wrong = what.split('`').nth(1).unwrap_or_default();
    let nearest = choices
        .iter()
        .map(|name| (strsim::damerau_levenshtein(wrong, name), *name))
        .filter(|(distance, name)| *distance <= name.len().max(3) / 3)
        .min_by_key(|(distance, _)| *distance);
    let hint = nearest.map_or_else(String::new, |(_, name)| format!("; did you mean `{name}`?"));
    let listed: Vec<&str> = choices.iter().take(LISTED).copied().collect();
    let more = match choices.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more (docs/simulator.md)"),
    };
    let hint = if hint.is_empty() { "." } else { &hint };
    format!("{what}{hint} Known: {}{more}", listed.join(", "))
}

impl Scenario {
    /// Reads a scenario from YAML.
    ///
    /// # Errors
    /// When the text is not YAML, has an unknown key or a value of the wrong kind (with the line), or breaks a rule.
    pub fn from_yaml(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = serde_saphyr::from_str(text).map_err(|error| {
            let message = error.without_snippet().to_string();
            // The parser puts the place into its text, behind the list of what could stand there.
            let at = error.location().map(|location| (location.line(), location.column()));
            let spelt = at.map_or_else(String::new, |(line, column)| format!(" at line {line}, column {column}"));
            ScenarioError::Syntax { message: message.replacen(&spelt, "", 1), at }
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
        unique("model", self.models.iter().flat_map(|m| std::iter::once(&m.id).chain(&m.aliases)))?;
        unique("listener", self.listeners.iter().map(|listener| &listener.name))?;
        // The keys themselves are not shown: a scenario may be run against a copy of a real configuration.
        let keys: BTreeSet<&str> = self.accounts.iter().map(|account| account.key.as_str()).collect();
        if keys.len() != self.accounts.len() || keys.contains("") {
            return Err(ScenarioError::Rule("every account needs a key of its own".to_owned()));
        }
        for model in &self.models {
            let rule = |text: &str| Err(ScenarioError::Rule(format!("model `{}`: {text}", model.id)));
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
            return Err(ScenarioError::Rule("`max_loaded` must be at least 1".to_owned()));
        }
        let quotas: Vec<QuotaSpec> = self.accounts.iter().filter_map(|a| self.quota_of(a)).collect();
        for quota in self.quota.iter().chain(&quotas) {
            quota.check().map_err(ScenarioError::Rule)?;
        }
        let own = self.listeners.iter().filter_map(|listener| listener.faults.as_ref()).flatten();
        for fault in self.faults.iter().chain(own) {
            fault.check().map_err(ScenarioError::Rule)?;
        }
        Ok(())
    }
}

impl Default for Scenario {
    /// A provider without accounts, whose three models are warm: the least that a client can talk to.
    fn default() -> Self {
        let model = |id: &str, kind| ModelSpec { kind, ..ModelSpec::named(id) };
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

/// Refuses a name that is used twice.
fn unique<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> Result<(), ScenarioError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.is_empty() {
            return Err(ScenarioError::Rule(format!("a {what} has an empty name")));
        }
        if !seen.insert(name) {
            return Err(ScenarioError::Rule(format!("the {what} `{name}` is listed twice")));
        }
    }
    Ok(())
}
