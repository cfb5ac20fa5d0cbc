//! What was learned as one JSON document. docs/learning.md describes it; adding a field is compatible, changing or
//! dropping one raises the schema.
//!
//! Each observation is an event as docs/replay.md has it, so that the list, turned round, can be given to
//! `pilotlight replay`.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::learned::Learned;
use super::status_json::document_of;
use crate::outcome::SCHEMA;
use crate::warmth::{Answer, Hours, Judged, Keeper, Moment, Reply, Sight, Span};

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    target: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    at: String,
    learned: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(flatten)]
    belief: Option<Belief>,
    notes: &'a [String],
    /// How many observations are stored.
    stored: usize,
    observations: Vec<Event>,
}

#[derive(Serialize)]
struct Belief {
    state: &'static str,
    says: String,
    observed: u32,
    unloads: u32,
    next_gap_s: Option<Span>,
    due: Option<String>,
    resume_at: Option<String>,
    lead_s: Span,
    p_unloaded: f64,
    idle_timeout_s: Interval,
    never: f64,
    evictions_per_hour: f64,
    cold_share: f64,
    cold_start_s: Span,
    touched_at: Option<String>,
    used_at: Option<String>,
    distribution: Vec<Cell>,
}

#[derive(Serialize)]
struct Interval {
    low: f64,
    mode: f64,
    high: f64,
}

#[derive(Serialize)]
struct Cell {
    idle_timeout_s: f64,
    probability: f64,
}

/// An observation: the fields of a `probe` event, when it was, and what it was taken for.
#[derive(Serialize)]
struct Event {
    event: &'static str,
    at: Moment,
    when: Option<String>,
    gap_s: Option<Span>,
    slack_s: Span,
    first_token_s: Span,
    loading: bool,
    timed_out: bool,
    visibility: &'static str,
    counter_moved: bool,
    in_window: bool,
    p_cold: Option<f64>,
    believed: &'static str,
}

fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

/// A moment in UTC to the millisecond, as in the log; `None` for one that no calendar has.
fn moment(at: Moment) -> Option<String> {
    timestamp(at).map(|at| format!("{at:.3}"))
}

/// A moment as Unix time.
pub(super) fn timestamp(at: Moment) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "a moment is within three thousand years")]
    let milliseconds = (at.seconds() * 1000.0).round() as i64;
    Timestamp::from_millisecond(milliseconds).ok()
}

fn belief(keeper: &Keeper, answer: &Answer) -> Belief {
    let timeout = answer.idle_timeout;
    let cell = |(span, weight): (Span, f64)| Cell {
        idle_timeout_s: rounded(span.seconds(), 1),
        probability: rounded(weight, 6),
    };
    Belief {
        state: answer.says.state(),
        says: answer.says.to_string(),
        observed: keeper.observations(),
        unloads: keeper.unloads(),
        next_gap_s: answer.next_gap,
        due: answer.due().and_then(moment),
        resume_at: answer.resume_at.and_then(moment),
        lead_s: answer.lead,
        p_unloaded: rounded(answer.p_unloaded, 6),
        idle_timeout_s: Interval {
            low: rounded(timeout.low, 1),
            mode: rounded(timeout.mode, 1),
            high: rounded(timeout.high, 1),
        },
        never: rounded(answer.never, 6),
        evictions_per_hour: rounded(keeper.eviction_rate() * 3600.0, 6),
        cold_share: rounded(answer.cold_share, 6),
        cold_start_s: answer.cold_start,
        touched_at: answer.touched_at.and_then(moment),
        used_at: answer.used_at.and_then(moment),
        distribution: keeper.marginal().map(cell).collect(),
    }
}

fn event(judged: &Judged) -> Event {
    let observation = judged.observation;
    let (visibility, counter_moved) = match observation.sight {
        Sight::Seen => ("seen", false),
        Sight::CounterStill => ("shared", false),
        Sight::CounterMoved => ("shared", true),
        Sight::Blind => ("blind", false),
    };
    Event {
        event: "probe",
        at: observation.at,
        when: moment(observation.at),
        gap_s: observation.gap,
        slack_s: observation.slack,
        first_token_s: observation.reply.span(),
        loading: matches!(observation.reply, Reply::Loading(_)),
        timed_out: matches!(observation.reply, Reply::TimedOut(_)),
        visibility,
        counter_moved,
        in_window: observation.hours == Hours::Inside,
        p_cold: judged.chance_cold.map(|chance| rounded(chance, 6)),
        believed: judged.believed().name(),
    }
}

/// Writes the document, indented: it is read by people too, and a machine does not mind.
pub(super) fn render(view: &Learned<'_>, out: &mut dyn Write) -> io::Result<()> {
    let answer = view.answer();
    let document = Document {
        schema: SCHEMA,
        target: view.target,
        model: view.llm,
        at: format!("{:.3}", view.now),
        learned: answer.is_some(),
        belief: view.keeper.zip(answer).map(|(keeper, answer)| belief(keeper, &answer)),
        notes: view.notes,
        stored: view.judged.len(),
        observations: view.newest().map(event).collect(),
    };
    document_of(&document, out)
}
