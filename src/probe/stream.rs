//! Reading a warm-up's answer as it comes: an event stream, one whole JSON, or something that is neither.
//!
//! Which it is, is decided by the first byte that is not white space, never by `content-type` alone: servers under load
//! send blank lines first (DeepSeek), and some streams are labelled as JSON. Headers are not readiness.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;

use super::clock::Clock;
use super::dialect::{Progress, Reader};
use super::exchange::{BODY_HELD, ReadFault, piece};
use super::transport::Answer;
use super::wire::sse::{SseDecoder, SseItem};

/// No stream is followed further than this, in bytes.
const STREAM_READ: usize = 1024 * 1024;
/// How much of a foreign answer is kept to say what it was.
const FOREIGN_KEPT: usize = 2048;
/// How long the usage and the end mark may follow the finish reason. Neither is needed.
const AFTERMATH: Duration = Duration::from_secs(2);

/// What became of a warm-up's answer.
pub(super) struct Read {
    pub ended: Ended,
    /// When the first generated content came.
    pub first: Option<Instant>,
    /// When the generation was complete.
    pub last: Option<Instant>,
    /// Whether the server said on the way that it was loading.
    pub loading: bool,
}

/// How it ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The generation is complete.
    Complete,
    /// An error inside the answer.
    Failed(Box<Value>),
    /// Something that is not this API; its beginning.
    Foreign(Vec<u8>),
    /// An end without any content, and no reason for having none.
    Empty,
    /// An end without any mark that it was meant: no finish reason, no end mark, or in the middle of an event.
    Open,
    /// A line without an end.
    LineTooLong,
    /// The body broke off, was too large, or fell silent.
    Broken(ReadFault),
}

/// What kind of answer it is.
enum Layout {
    Unknown,
    Events(SseDecoder),
    Json(Vec<u8>),
    Foreign(Vec<u8>),
}

struct Reading<'a> {
    reader: &'a mut dyn Reader,
    layout: Layout,
    first: Option<Instant>,
    last: Option<Instant>,
    loading: bool,
    verdict: Option<Ended>,
}

/// Reads an answer to its end, or to what ends the reading.
///
/// `limit` is for the first content, from the moment the request was written; `stall` for the silence after it.
pub(super) async fn read(
    answer: &mut Answer,
    reader: &mut dyn Reader,
    clock: &dyn Clock,
    limit: Duration,
    stall: Duration,
) -> Read {
    let mut reading =
        Reading { reader, layout: Layout::Unknown, first: None, last: None, loading: false, verdict: None };
    let mut total = 0_usize;
    let mut latest = answer.sent;
    let ended = loop {
        let until = match (reading.last, reading.first) {
            (Some(last), _) => last + AFTERMATH,
            // Content keeps coming, or the rest of a short answer takes no longer than four silences together.
            (None, Some(first)) => (latest + stall).min(first + stall.saturating_mul(4)),
            (None, None) => answer.sent + limit,
        };
        match piece(&mut *answer.body, clock, until).await {
            // Whatever happens after the finish reason does not unmake the generation.
            Err(_) if reading.last.is_some() => break Ended::Complete,
            Err(fault) => break Ended::Broken(fault),
            Ok(None) => break reading.end(clock.now()),
            Ok(Some(bytes)) => {
                total += bytes.len();
                let now = clock.now();
                if reading.take(&bytes, now) {
                    latest = now;
                }
                if let Some(verdict) = reading.verdict.take() {
                    break verdict;
                }
                if total > STREAM_READ {
                    break if reading.last.is_some() { Ended::Complete } else { Ended::Broken(ReadFault::TooLarge) };
                }
            }
        }
    };
    Read { ended, first: reading.first, last: reading.last, loading: reading.loading }
}

impl Reading<'_> {
    /// Takes a piece; whether it brought content.
    fn take(&mut self, bytes: &Bytes, now: Instant) -> bool {
        let mut rest: &[u8] = bytes;
        if matches!(self.layout, Layout::Unknown) {
            let Some(start) = rest.iter().position(|byte| !byte.is_ascii_whitespace()) else { return false };
            rest = rest.get(start..).unwrap_or_default();
            self.layout = match rest.first() {
                // Fields of an event stream (data, event, id, retry), a comment, or a byte order mark.
                Some(b'd' | b'e' | b'i' | b'r' | b':' | 0xEF) => Layout::Events(SseDecoder::new()),
                Some(b'{' | b'[') => Layout::Json(Vec::new()),
                _ => Layout::Foreign(Vec::new()),
            };
        }
        match &mut self.layout {
            Layout::Unknown => false,
            Layout::Events(_) => self.take_events(rest, now),
            Layout::Json(held) => {
                held.extend_from_slice(rest);
                if held.len() > BODY_HELD {
                    self.verdict = Some(Ended::Broken(ReadFault::TooLarge));
                }
                false
            }
            Layout::Foreign(held) => {
                held.extend(rest.iter().take(FOREIGN_KEPT.saturating_sub(held.len())));
                if held.len() >= FOREIGN_KEPT {
                    self.verdict = Some(Ended::Foreign(std::mem::take(held)));
                }
                false
            }
        }
    }

    fn take_events(&mut self, bytes: &[u8], now: Instant) -> bool {
        let Layout::Events(decoder) = &mut self.layout else { return false };
        let (reader, mut seen) = (&mut *self.reader, Vec::new());
        let pushed = decoder.push(bytes, &mut |item| {
            if let SseItem::Event { name, data } = item {
                seen.push(note(reader, name, data));
            }
        });
        let content = self.weigh(seen, now);
        if pushed.is_err() && self.verdict.is_none() {
            self.verdict = Some(Ended::LineTooLong);
        }
        content
    }

    /// Weighs what a piece brought, in order; the first thing that ends the reading wins.
    fn weigh(&mut self, seen: Vec<(Progress, Option<Vec<u8>>)>, now: Instant) -> bool {
        let mut content = false;
        for (progress, text) in seen {
            match progress {
                Progress::Nothing => {}
                Progress::Loading => self.loading = true,
                Progress::Token => {
                    content = true;
                    self.first.get_or_insert(now);
                }
                Progress::Finished { content: with } => {
                    content = true;
                    if with {
                        self.first.get_or_insert(now);
                    }
                    self.last.get_or_insert(now);
                }
                Progress::Failed(value) => {
                    self.verdict = Some(Ended::Failed(value));
                    return content;
                }
                Progress::Foreign => {
                    // Junk after the generation is complete unmakes nothing.
                    if self.last.is_none() {
                        self.verdict = Some(Ended::Foreign(text.unwrap_or_default()));
                    }
                    return content;
                }
            }
        }
        if self.reader.is_over() {
            self.verdict = Some(match (self.first, self.last) {
                (None, None) => Ended::Empty,
                (_, last) => {
                    self.last = last.or(Some(now));
                    Ended::Complete
                }
            });
        }
        content
    }

    /// The body ended by itself.
    fn end(&mut self, now: Instant) -> Ended {
        match std::mem::replace(&mut self.layout, Layout::Unknown) {
            Layout::Unknown => return Ended::Empty,
            Layout::Foreign(held) => return Ended::Foreign(held),
            Layout::Json(held) => return self.end_whole(held, now),
            Layout::Events(mut decoder) => {
                let (reader, mut seen) = (&mut *self.reader, Vec::new());
                decoder.finish(&mut |item| {
                    if let SseItem::Event { name, data } = item {
                        seen.push(note(reader, name, data));
                    }
                });
                self.weigh(seen, now);
            }
        }
        match self.verdict.take() {
            // The last event was not complete, so what it was meant to be cannot be told.
            Some(Ended::Foreign(_)) | None if self.last.is_none() => Ended::Open,
            Some(Ended::Foreign(_)) | None => Ended::Complete,
            Some(verdict) => verdict,
        }
    }

    /// The answer came in one piece although a stream was asked for.
    fn end_whole(&mut self, held: Vec<u8>, now: Instant) -> Ended {
        let Ok(value) = serde_json::from_slice::<Value>(&held) else {
            return Ended::Foreign(held);
        };
        match self.reader.whole(&value) {
            Progress::Finished { content } => {
                self.first = content.then_some(now);
                self.last = Some(now);
                Ended::Complete
            }
            Progress::Failed(value) => Ended::Failed(value),
            Progress::Token | Progress::Nothing | Progress::Loading => Ended::Empty,
            Progress::Foreign => Ended::Foreign(held),
        }
    }
}

/// One event's progress, with its text where it is not understood.
fn note(reader: &mut dyn Reader, name: &str, data: &str) -> (Progress, Option<Vec<u8>>) {
    let progress = reader.event(name, data);
    let text = (progress == Progress::Foreign).then(|| data.bytes().take(FOREIGN_KEPT).collect());
    (progress, text)
}

#[cfg(test)]
mod tests;
