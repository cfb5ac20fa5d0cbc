//! The facts of a finished probe. No judgement: that is `verdict.rs`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Cost, Diagnosis, ListPrice, QuotaSeen, Uses, Withholding};
use crate::target::{Depth, ForwardProxy, Target};

/// A rung of the ladder, from the lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The key is present and well formed. Nothing is sent.
    Credential,
    /// The host's name becomes addresses.
    Resolve,
    /// A TCP connection.
    Connect,
    /// The TLS handshake and the certificate.
    Tls,
    /// The provider accepts the key.
    Authenticate,
    /// The LLM is in the catalogue.
    Locate,
    /// The LLM generates a token.
    Warm,
}

impl Stage {
    /// Every stage, from the lowest.
    pub const ALL: [Self; 7] =
        [Self::Credential, Self::Resolve, Self::Connect, Self::Tls, Self::Authenticate, Self::Locate, Self::Warm];

    /// The word used everywhere.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Authenticate => "authenticate",
            Self::Locate => "locate",
            Self::Warm => "warm",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One pass over the targets. Every line that belongs to it carries this id, and so does every request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RunId(Arc<str>);

impl RunId {
    /// Takes an id made by `run/`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// How long each phase took. What was not measured is absent, never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings {
    /// From being due to being started: our own queueing, kept apart so that it never enters another figure.
    pub queued: Option<Duration>,
    /// Resolving the name. Absent where the URL holds an address.
    pub dns: Option<Duration>,
    /// The TCP handshake.
    pub tcp: Option<Duration>,
    /// The TLS handshake, with the check of the certificate.
    pub tls: Option<Duration>,
    /// From writing the last request to its response head.
    pub headers: Option<Duration>,
    /// From writing the warm-up to the first event with generated content of any kind.
    pub first_token: Option<Duration>,
    /// From writing the warm-up to the end of its stream.
    pub last_token: Option<Duration>,
    /// The whole probe, all attempts and pauses included.
    pub total: Duration,
}

/// How long one stage took, for waterfalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageTime {
    /// The stage.
    pub stage: Stage,
    /// When it began, from the start of the attempt.
    pub start: Duration,
    /// How long it took.
    pub duration: Duration,
}

/// Tokens that a warm-up used, as the provider counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens of the prompt.
    pub input_tokens: Option<u64>,
    /// Tokens generated, reasoning included.
    pub output_tokens: Option<u64>,
}

impl Usage {
    /// Without numbers that no warm-up can have used: those are not told, whatever was said.
    #[must_use]
    pub fn plausible(self) -> Self {
        const MOST: u64 = 10_000_000;
        let plausible = |tokens: Option<u64>| tokens.filter(|tokens| *tokens <= MOST);
        Self { input_tokens: plausible(self.input_tokens), output_tokens: plausible(self.output_tokens) }
    }

    /// Adds the tokens of another request. What neither told stays absent.
    pub fn add(&mut self, more: Self) {
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        };
        self.input_tokens = sum(self.input_tokens, more.input_tokens);
        self.output_tokens = sum(self.output_tokens, more.output_tokens);
    }
}

/// What the first-token time says of the LLM's state when the probe came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Warmth {
    /// It was loaded.
    Warm,
    /// It had to load.
    Cold,
    /// Nothing is known: it was not warmed, or what was seen fits both.
    Unknown,
}

impl Warmth {
    /// The word used everywhere.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::Cold => "cold",
            Self::Unknown => "unknown",
        }
    }
}

/// What a server itself said of the LLM when the probe came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Residence {
    /// It was in memory.
    Loaded {
        /// When the server would unload it, where it says so.
        until: Option<Timestamp>,
        /// How long after its last use that is, where it is known.
        stays: Option<Duration>,
    },
    /// It was not, or it was being loaded.
    Absent,
}

/// What the outcome's verdict rests on: the strongest thing that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// Nothing was shown.
    Nothing,
    /// A connection was made, with TLS where the URL asks for it.
    Connected,
    /// The server answered as this API does; the key was not proven (it needs none, or the endpoint is public).
    Answered,
    /// The LLM stands in a catalogue that is public: that says nothing of the key.
    CatalogueOnly,
    /// The key was accepted by an endpoint that refuses wrong ones.
    KeyAccepted,
    /// The key was accepted and the LLM stands in the catalogue.
    KeyAcceptedAndListed,
    /// The server says that the LLM is loaded; no request was spent.
    AlreadyLoaded,
    /// The server loaded the LLM on request, without generating.
    Preloaded,
    /// The LLM ran and used up its token budget before it could show a token ("could not finish the message").
    RanOutOfTokens,
    /// The LLM ended a generation in which nothing was to be seen.
    CompletedWithoutContent,
    /// A vector came back.
    Embedded,
    /// A token came out.
    TokenGenerated,
}

impl Proof {
    /// The word in JSON and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Connected => "connected",
            Self::Answered => "answered",
            Self::CatalogueOnly => "catalogue-only",
            Self::KeyAccepted => "key-accepted",
            Self::KeyAcceptedAndListed => "key-accepted-and-listed",
            Self::AlreadyLoaded => "already-loaded",
            Self::Preloaded => "preloaded",
            Self::RanOutOfTokens => "ran-out-of-tokens",
            Self::CompletedWithoutContent => "completed-without-content",
            Self::Embedded => "embedded",
            Self::TokenGenerated => "token-generated",
        }
    }

    /// A few words for people.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::Nothing => "nothing was shown",
            Self::Connected => "connected; nothing was asked",
            Self::Answered => "the server answers; no key was proven",
            Self::CatalogueOnly => "in a public catalogue; the key is not proven",
            Self::KeyAccepted => "key accepted",
            Self::KeyAcceptedAndListed => "key accepted, model listed",
            Self::AlreadyLoaded => "already loaded, nothing spent",
            Self::Preloaded => "loaded on request, nothing generated",
            Self::RanOutOfTokens => "it ran, and reached its token limit before a visible token",
            Self::CompletedWithoutContent => "it ran, and ended without visible content",
            Self::Embedded => "returned an embedding",
            Self::TokenGenerated => "generated a token",
        }
    }
}

/// How the connection of a probe fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connection {
    /// Made for this probe and used by all its stages.
    Fresh,
    /// The server closed it between stages, so another was made.
    Reopened,
}

impl Connection {
    /// The word in JSON and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Reopened => "reopened",
        }
    }
}

/// The facts of a finished probe.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The pass it belongs to.
    pub run_id: RunId,
    /// What was probed.
    pub target: Arc<Target>,
    /// How far it was asked to climb.
    pub depth: Depth,
    /// When it began.
    pub started: Timestamp,
    /// The stage it ended in: the highest one when it succeeded, the broken one when it did not.
    pub stage: Stage,
    /// The strongest thing that was shown.
    pub proof: Proof,
    /// How many attempts it took; 0 when it was stopped before it began.
    pub attempts: u32,
    /// What happened to the connection; absent when none was made.
    pub connection: Option<Connection>,
    /// Phases of the last attempt.
    pub timings: Timings,
    /// Stages of the last attempt, in order.
    pub stages: Vec<StageTime>,
    /// Tokens of the warm-ups, all attempts added.
    pub usage: Usage,
    /// What it cost, all attempts added.
    pub cost: Cost,
    /// What the provider said of its limits.
    pub quota: QuotaSeen,
    /// What the provider's catalogue says that the LLM costs.
    pub list_price: Option<ListPrice>,
    /// Why the warm-up was withheld, where it was.
    pub withheld: Option<Withholding>,
    /// The same in a few words: `quota below 15 %`.
    pub withheld_says: Option<String>,
    /// The last HTTP status.
    pub http_status: Option<u16>,
    /// The provider's id of the last request, for its support.
    pub request_id: Option<String>,
    /// What the warm-up says of the LLM's state.
    pub warmth: Warmth,
    /// What the server itself said of it before the warm-up, where it did.
    pub residence: Option<Residence>,
    /// Uses of the provider's account that were not ours, as its counter showed them.
    pub used: Uses,
    /// When the server's certificate ends.
    pub certificate_ends: Option<Timestamp>,
    /// What went wrong; absent when nothing did.
    pub diagnosis: Option<Diagnosis>,
    /// What a person should know although nothing failed (a cold start, a certificate near its end).
    pub warnings: Vec<Diagnosis>,
    /// Things worth knowing that need no action ("not in the catalogue, yet it answers").
    pub notes: Vec<String>,
}

impl Outcome {
    /// The diagnosis, or else the first warning: what is told first.
    #[must_use]
    pub fn foremost(&self) -> Option<&Diagnosis> {
        self.diagnosis.as_ref().or_else(|| self.warnings.first())
    }

    /// The proxy that it went through, or was to. None where it ended before anything was dialled.
    #[must_use]
    pub fn proxy(&self) -> Option<&ForwardProxy> {
        self.target.provider.network.proxy.forward().filter(|_| self.stage > Stage::Credential)
    }
}
