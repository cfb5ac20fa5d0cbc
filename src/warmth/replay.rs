//! A keeper as a filter: one event as a line of JSON in, one answer as a line of JSON out. docs/replay.md is its manual.
//!
//! Text in, text out; the lines are read and written by `cli/replay.rs`. Nothing of a malformed line is repeated in the
//! answer, so nothing in it can do harm there.

use serde::Serialize;
use serde_json::{Map, Value};

use super::keeper::{Again, Answer, Keeper, Settings};
use super::observation::{Hours, Observation, Reply, Sight};
use super::seconds::{Moment, Span};

/// What can be seen of users, for events that do not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Visibility {
    /// Every request, and of which model it is.
    #[default]
    Seen,
    /// A counter of the whole account.
    Shared,
    /// Nothing.
    Blind,
}

/// The policy of one target, driven by lines of JSON.
#[derive(Debug)]
pub struct Filter {
    keeper: Keeper,
    visibility: Visibility,
}

/// Why a line is malformed. The texts are ours: none repeats what was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It is no JSON.
    #[error("not JSON, at column {column}")]
    Json {
        /// Where, from 1.
        column: usize,
    },
    /// It is JSON, but no object.
    #[error("not a JSON object")]
    NoObject,
    /// It is no text.
    #[error("not UTF-8")]
    NotText,
    /// It is longer than a line may be.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// The bytes a line may have.
        limit: usize,
    },
    /// A field that must be there is not.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A field has another type.
    #[error("`{field}` is not {wanted}")]
    Type {
        /// The field.
        field: &'static str,
        /// What it must be.
        wanted: &'static str,
    },
}

/// An answer, as it is written. `docs/replay.md` has the meaning of each field.
#[derive(Serialize)]
struct AnswerLine {
    next_gap_s: Option<Span>,
    resume_at: Option<Moment>,
    lead_s: Span,
    p_cold: f64,
    p_unloaded: f64,
    idle_timeout_s: TimeoutLine,
    never: f64,
    cold_share: f64,
    cold_start_s: Span,
    again: bool,
    state: &'static str,
    says: String,
}

#[derive(Serialize)]
struct TimeoutLine {
    low: f64,
    mode: f64,
    high: f64,
}

#[derive(Serialize)]
struct ErrorLine {
    error: String,
    line: u64,
}

/// Six digits after the point are enough for a chance.
fn chance(value: f64) -> f64 {
    (value.clamp(0.0, 1.0) * 1e6).round() / 1e6
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn line(value: &impl Serialize) -> String {
    // Numbers here are finite and keys are texts: there is nothing that JSON cannot hold.
    serde_json::to_string(value).unwrap_or_default()
}

impl From<&Answer> for AnswerLine {
    fn from(answer: &Answer) -> Self {
        let timeout = answer.idle_timeout;
        Self {
            next_gap_s: answer.next_gap,
            resume_at: answer.resume_at,
            lead_s: answer.lead,
            p_cold: chance(answer.p_cold),
            p_unloaded: chance(answer.p_unloaded),
            idle_timeout_s: TimeoutLine {
                low: tenth(timeout.low),
                mode: tenth(timeout.mode),
                high: tenth(timeout.high),
            },
            never: chance(answer.never),
            cold_share: chance(answer.cold_share),
            cold_start_s: answer.cold_start,
            again: answer.again == Again::AtOnce,
            state: answer.says.state(),
            says: answer.says.to_string(),
        }
    }
}

/// The answer to a malformed line: `{"error":"…","line":N}`.
#[must_use]
pub fn error_line(error: &LineError, number: u64) -> String {
    line(&ErrorLine { error: error.to_string(), line: number })
}

/// A number, if the field is there and not null.
fn number(event: &Map<String, Value>, field: &'static str) -> Result<Option<f64>, LineError> {
    match event.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or(LineError::Type { field, wanted: "a number" }),
    }
}

fn flag(event: &Map<String, Value>, field: &'static str) -> Result<Option<bool>, LineError> {
    match event.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_bool().map(Some).ok_or(LineError::Type { field, wanted: "true or false" }),
    }
}

impl Filter {
    /// Knows nothing of its target. `visibility` is for events that do not tell theirs.
    #[must_use]
    pub fn new(settings: Settings, visibility: Visibility) -> Self {
        Self { keeper: Keeper::new(settings), visibility }
    }

    /// Takes one event in and answers it, without the line's end. An event that is malformed changes nothing.
    ///
    /// # Errors
    /// What is wrong with the line; [`error_line`] makes the answer of it.
    pub fn answer(&mut self, text: &str) -> Result<String, LineError> {
        let value: Value = serde_json::from_str(text).map_err(|error| LineError::Json { column: error.column() })?;
        let Value::Object(event) = value else { return Err(LineError::NoObject) };
        let wanted = "\"probe\", \"touch\" or \"ask\"";
        let kind = event.get("event").ok_or(LineError::Missing("event"))?;
        let kind = kind.as_str().ok_or(LineError::Type { field: "event", wanted })?;
        let at = number(&event, "at")?.map(Moment::from_seconds);
        let at = at.ok_or(LineError::Missing("at"))?;
        match kind {
            "probe" => {
                if flag(&event, "observed")?.unwrap_or(true) {
                    let observation = self.observation(&event, at)?;
                    self.keeper.observe(&observation);
                }
            }
            "touch" => {
                let slack = number(&event, "slack_s")?.map_or(Span::ZERO, Span::from_seconds);
                self.keeper.touch(at, slack);
            }
            "ask" => {}
            _ => return Err(LineError::Type { field: "event", wanted }),
        }
        Ok(line(&AnswerLine::from(&self.keeper.answer(at))))
    }

    /// Takes an observation in that was stored, and answers as of then, without the line's end.
    pub fn replay(&mut self, observation: &Observation) -> String {
        self.keeper.observe(observation);
        line(&AnswerLine::from(&self.keeper.answer(observation.at)))
    }

    /// What it has come to.
    #[must_use]
    pub fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    fn observation(&self, event: &Map<String, Value>, at: Moment) -> Result<Observation, LineError> {
        let took =
            number(event, "first_token_s")?.map(Span::from_seconds).ok_or(LineError::Missing("first_token_s"))?;
        let loading = flag(event, "loading")?.unwrap_or(false);
        let timed_out = flag(event, "timed_out")?.unwrap_or(false);
        let reply = match (loading, timed_out) {
            (true, _) => Reply::Loading(took),
            (false, true) => Reply::TimedOut(took),
            (false, false) => Reply::FirstToken(took),
        };
        let wanted = "\"seen\", \"shared\" or \"blind\"";
        let visibility = match event.get("visibility") {
            None | Some(Value::Null) => self.visibility,
            Some(value) => match value.as_str() {
                Some("seen") => Visibility::Seen,
                Some("shared") => Visibility::Shared,
                Some("blind") => Visibility::Blind,
                _ => return Err(LineError::Type { field: "visibility", wanted }),
            },
        };
        let moved = flag(event, "counter_moved")?;
        let sight = match (visibility, moved) {
            (Visibility::Seen, _) => Sight::Seen,
            (Visibility::Blind, _) => Sight::Blind,
            (Visibility::Shared, Some(false)) => Sight::CounterStill,
            // A counter that was not read may have moved.
            (Visibility::Shared, _) => Sight::CounterMoved,
        };
        let inside = flag(event, "in_window")?.unwrap_or(true);
        let gap = number(event, "gap_s")?.map(Span::from_seconds);
        // Before anything is known of the model, "no time at all" means that nobody knows.
        let unknown = self.keeper.idle(at).is_none() && gap == Some(Span::ZERO);
        Ok(Observation {
            at,
            gap: gap.filter(|_| !unknown),
            slack: number(event, "slack_s")?.map_or(Span::ZERO, Span::from_seconds),
            reply,
            sight,
            hours: if inside { Hours::Inside } else { Hours::Outside },
        })
    }
}
