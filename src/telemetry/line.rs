//! From a tracing event to one line, in a layout of our own.
//!
//! `tracing-subscriber`'s formats are not used: they nest fields, write some twice (`target` is theirs and ours), and
//! their layout would be theirs to change. Spans are not shown; a line says all it has to say itself.

use std::error::Error;
use std::fmt;
use std::io::Write;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::{Context, Layer};

use super::escape::{json, word};
use super::log::{LOG, LogFormat, ORIGIN, Priority, RECORD};
use crate::outcome::SCHEMA;

/// Writes every event it is given as one line, with one write, so that lines of several processes do not mix.
pub(super) struct Lines {
    pub(super) format: LogFormat,
    pub(super) priority: Priority,
    pub(super) writer: BoxMakeWriter,
    pub(super) now: fn() -> Timestamp,
    /// Filled with the system's zone by the first line that needs it: reading it costs more than the whole install.
    pub(super) zone: OnceLock<TimeZone>,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let entry = Entry::of(event);
        let now = (self.now)();
        let mut line = match self.format {
            LogFormat::Json => entry.json(now),
            LogFormat::Text => entry.text(now, self.zone.get_or_init(TimeZone::system)),
        };
        line.push('\n');
        if self.priority == Priority::Marked {
            line.insert_str(0, mark_of(event.metadata()));
        }
        // A log that cannot be written has nowhere to say so, and must not end the process: standard error may be a
        // pipe whose reader is gone.
        let _ = self.writer.make_writer_for(event.metadata()).write_all(line.as_bytes());
    }
}

/// The parts of a line.
struct Entry {
    level: &'static str,
    event: &'static str,
    /// Where an event without a name of ours comes from: the module of a library.
    origin: Option<&'static str>,
    fields: Fields,
}

impl Entry {
    fn of(event: &Event<'_>) -> Self {
        let metadata = event.metadata();
        let named = name_of(metadata);
        let mut fields = Fields { record: None, pairs: Vec::new(), ours: metadata.target() == ORIGIN };
        event.record(&mut fields);
        Self {
            level: level_of(metadata),
            event: named.unwrap_or(LOG),
            origin: named.is_none().then(|| metadata.target()),
            fields,
        }
    }

    fn json(&self, now: Timestamp) -> String {
        let mut line = format!("{{\"ts\":\"{now:.3}\",\"level\":\"{}\",\"event\":{}", self.level, json(&self.event));
        if let Some(record) = &self.fields.record {
            // The record is a JSON object already, in its own order: its members become the line's.
            line.push(',');
            line.push_str(record.strip_prefix('{').unwrap_or(record));
            return line;
        }
        line.push_str(&format!(",\"schema\":{SCHEMA}"));
        let mut names = vec!["ts".to_owned(), "level".to_owned(), "event".to_owned(), "schema".to_owned()];
        let origin = self.origin.map(|origin| ("origin".to_owned(), Value::from(origin)));
        for (name, value) in origin.iter().chain(&self.fields.pairs) {
            // A library may call a field as we do, or give one twice. Both values are kept, under different names.
            let mut name = name.clone();
            while names.contains(&name) {
                name.push('_');
            }
            line.push_str(&format!(",{}:{}", json(&name), json(value)));
            names.push(name);
        }
        line.push('}');
        line
    }

    fn text(&self, now: Timestamp, zone: &TimeZone) -> String {
        let clock = now.to_zoned(zone.clone());
        let mut line = format!(
            "{} {:<5} {:<14}",
            clock.strftime("%H:%M:%S"),
            self.level.to_ascii_uppercase(),
            self.event.escape_debug().to_string()
        );
        let record = self.fields.record.as_deref().and_then(|record| serde_json::from_str::<Pairs>(record).ok());
        let mut pairs = record.map_or_else(Vec::new, |Pairs(pairs)| pairs);
        // A person has the clock in front and knows the layout. What the line is about comes first, and the run last,
        // because it is the same in each.
        pairs.retain(|(name, _)| name != "schema" && name != "started");
        pairs.sort_by_key(|(name, _)| match name.as_str() {
            "target" => 0,
            "verdict" => 1,
            "code" => 2,
            "run_id" => 4,
            _ => 3,
        });
        let origin = self.origin.map(|origin| ("origin".to_owned(), Value::from(origin)));
        for (name, value) in origin.iter().chain(&self.fields.pairs).chain(&pairs) {
            let value = match value {
                Value::String(text) => word(text),
                other => json(other),
            };
            line.push_str(&format!(" {}={value}", word(name)));
        }
        line
    }
}

/// The name that was given to the event. One that was not given is `event src/file.rs:12`.
fn name_of(metadata: &Metadata<'static>) -> Option<&'static str> {
    Some(metadata.name()).filter(|name| !name.starts_with("event "))
}

fn level_of(metadata: &Metadata<'_>) -> &'static str {
    match *metadata.level() {
        tracing::Level::ERROR => "error",
        tracing::Level::WARN => "warn",
        tracing::Level::INFO => "info",
        tracing::Level::DEBUG => "debug",
        tracing::Level::TRACE => "trace",
    }
}

/// The priority of a level, as journald reads it.
fn mark_of(metadata: &Metadata<'_>) -> &'static str {
    match *metadata.level() {
        tracing::Level::ERROR => "<3>",
        tracing::Level::WARN => "<4>",
        tracing::Level::INFO => "<6>",
        tracing::Level::DEBUG | tracing::Level::TRACE => "<7>",
    }
}

/// The fields of an event, in their order.
struct Fields {
    /// The JSON object of a finished probe.
    record: Option<String>,
    pairs: Vec<(String, Value)>,
    /// Whether the event comes from `log.rs`, the only one whose record is taken as it is.
    ours: bool,
}

impl Fields {
    fn push(&mut self, field: &Field, value: Value) {
        self.pairs.push((field.name().to_owned(), value));
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.ours && field.name() == RECORD {
            self.record = Some(value.to_owned());
        } else {
            self.push(field, Value::from(value));
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, Value::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, Value::from(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no infinity and no NaN; what they say is better than null.
        self.push(field, if value.is_finite() { Value::from(value) } else { Value::from(value.to_string()) });
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        self.push(field, Value::from(text));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, Value::from(format!("{value:?}")));
    }
}

/// A JSON object in the order in which it was written.
pub(super) struct Pairs(pub(super) Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
