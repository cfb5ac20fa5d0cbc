//! Every way to misbehave, as data. Which requests it strikes is `faults.rs`'s.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use super::refusals::Situation;
use super::spans;

/// The behaviour of a fault: its bare name, or its name with settings.
#[derive(Debug, Clone)]
pub(crate) struct Then(pub(crate) Arc<Behaviour>);

impl<'de> Deserialize<'de> for Then {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ThenVisitor;
        impl<'de> Visitor<'de> for ThenVisitor {
            type Value = Behaviour;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the name of a behaviour, or a behaviour with its settings")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Behaviour, E> {
                // A bare name is the behaviour with every setting at its default.
                serde_json::from_value(serde_json::json!({ name: {} })).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Behaviour, A::Error> {
                Behaviour::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_any(ThenVisitor).map(|behaviour| Self(Arc::new(behaviour)))
    }
}

/// Every way to misbehave. The manual has the table.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Behaviour {
    /// Waits, then answers as usual.
    Delay {
        #[serde(default = "one_second", deserialize_with = "spans::duration")]
        by: Duration,
    },
    /// Answers exactly this.
    Respond {
        #[serde(default = "ok")]
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[serde(default)]
        body: Option<String>,
        #[serde(default)]
        json: Option<Value>,
        #[serde(default, deserialize_with = "spans::duration")]
        delay: Duration,
    },
    /// Reads the request and never answers.
    Hang {},
    HangAfterHeaders {},
    HangMidStream {
        #[serde(default = "one")]
        after_tokens: u64,
    },
    /// Closes before any byte of the answer.
    Close {},
    /// Resets the connection before any byte of the answer.
    Reset {},
    /// Resets once this many bytes of the usual answer are sent.
    ResetAfter {
        bytes: u64,
    },
    CloseAfter {
        bytes: u64,
    },
    EndlessLine {},
    EndlessStream {
        #[serde(default)]
        kind: EndlessKind,
        #[serde(default = "ten_milliseconds", deserialize_with = "spans::duration")]
        every: Duration,
    },
    EndlessHeaders {},
    EndlessBody {},
    /// The usual answer, one byte at a time.
    Drip {
        #[serde(default = "one_second", deserialize_with = "spans::duration")]
        every: Duration,
    },
    /// The usual answer, with the `Date` of a clock that is wrong by so many seconds; negative for one that is slow.
    DateSkew {
        ahead_s: i64,
    },
    /// A small gzip body that unpacks to `size` bytes.
    Bomb {
        #[serde(default = "one_gibibyte")]
        size: u64,
    },
    Redirect {
        to: String,
        #[serde(default = "temporary_redirect")]
        status: u16,
    },
    Html {
        #[serde(default)]
        which: Page,
        #[serde(default)]
        status: Option<u16>,
    },
    /// An exact script of a streamed answer.
    Stream(Vec<Step>),
    ErrorInStream {
        #[serde(default)]
        after_tokens: u64,
        /// The JSON of the event; the flavour's "overloaded" when not given.
        #[serde(default)]
        body: Option<String>,
    },
    NoDone {},
    FinishWithoutContent {},
    EmptyStream {},
    HalfJson {},
    /// Bytes that are not HTTP.
    Garbage {},
    /// An error message with ESC, BEL, a newline, a bidi override and ANSI colours.
    ControlCharacters {
        #[serde(default = "bad_request")]
        status: u16,
    },
    /// Any of the flavour's documented errors.
    Error(Situation),
    Overloaded {},
    UpstreamError {},
    RateLimited {},
}

/// What an endless stream repeats.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EndlessKind {
    #[default]
    Comments,
    Roles,
    Tokens,
}

/// The pages that are not the API's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Page {
    #[default]
    Nginx,
    CloudflareChallenge,
    #[serde(rename = "login-page")]
    Login,
}

/// One piece of a scripted stream.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// Sent as it is, in one write.
    pub(crate) raw: String,
    /// Virtual time before it.
    #[serde(default, deserialize_with = "spans::duration")]
    pub(crate) delay: Duration,
}

fn one() -> u64 {
    1
}

fn ok() -> u16 {
    200
}

fn bad_request() -> u16 {
    400
}

fn temporary_redirect() -> u16 {
    307
}

fn one_gibibyte() -> u64 {
    1 << 30
}

fn one_second() -> Duration {
    Duration::from_secs(1)
}

fn ten_milliseconds() -> Duration {
    Duration::from_millis(10)
}

impl Behaviour {
    /// Whether the behaviour takes the place of the usual answer instead of changing it.
    pub(crate) fn replaces(&self) -> bool {
        !matches!(
            self,
            Self::Delay { .. }
                | Self::ResetAfter { .. }
                | Self::CloseAfter { .. }
                | Self::Drip { .. }
                | Self::DateSkew { .. }
                | Self::HangMidStream { .. }
                | Self::ErrorInStream { .. }
                | Self::NoDone {}
                | Self::FinishWithoutContent {}
                | Self::EmptyStream {}
        )
    }
}
