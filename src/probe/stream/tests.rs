//! Streams that end at any byte, in any pieces: the end is told from the beginning, and never from junk.

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::probe::dialect::anthropic::MessageReader;
use crate::probe::dialect::openai::ChatReader;
use crate::probe::transport::{Body, BodyFault, Boxed, Head};
use crate::run::SystemClock;

/// A body of given pieces, and how it ends.
struct Pieces {
    pieces: Vec<Bytes>,
    breaks: bool,
}

impl Body for Pieces {
    fn chunk(&mut self) -> Boxed<'_, Result<Option<Bytes>, BodyFault>> {
        Box::pin(async {
            match (self.pieces.is_empty(), self.breaks) {
                (false, _) => Ok(Some(self.pieces.remove(0))),
                (true, true) => Err(BodyFault("connection reset".to_owned())),
                (true, false) => Ok(None),
            }
        })
    }
}

async fn read_pieces(pieces: Vec<Bytes>, breaks: bool, reader: &mut dyn Reader) -> Read {
    let now = SystemClock.now();
    let mut answer =
        Answer { head: Head::default(), sent: now, answered: now, body: Box::new(Pieces { pieces, breaks }) };
    read(&mut answer, reader, &SystemClock, Duration::from_secs(5), Duration::from_secs(1)).await
}

const CHAT: &str = concat!(
    ": queued\n\n",
    "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n",
    "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"pong\"}}]}\n\n",
    "data: {\"id\":\"c\",\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: [DONE]\n\n",
);

const MESSAGE: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":8}}}\n\n",
    "event: ping\ndata: {\"type\":\"ping\"}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);

/// Cuts a stream at every byte. `content` and `finish` are the ends of the data that carry them.
async fn sweep(text: &str, reader: impl Fn() -> Box<dyn Reader>, content: &str, finish: &str) {
    let end_of = |part: &str| text.find(part).unwrap() + part.len();
    let (content, finish) = (end_of(content), end_of(finish));
    for cut in 0..=text.len() {
        for breaks in [false, true] {
            let piece = Bytes::copy_from_slice(&text.as_bytes()[..cut]);
            let found = read_pieces(vec![piece], breaks, &mut *reader()).await;
            let ended = format!("{:?}", found.ended);
            let expected = match (cut, breaks) {
                (0, false) => "Empty",
                // Complete JSON counts also where the empty line after it is missing, but for a break, which drops it.
                (cut, false) if cut >= finish => "Complete",
                (cut, true) if cut >= finish + 2 => "Complete",
                (_, false) => "Open",
                (_, true) => "Broken",
            };
            assert!(ended.starts_with(expected), "cut at {cut} of {}, breaks {breaks}: {ended}", text.len());
            assert_eq!(
                found.first.is_some(),
                cut >= content + usize::from(breaks) * 2,
                "cut at {cut}, breaks {breaks}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_chat_cut_at_any_byte_is_cut() {
    sweep(CHAT, || Box::new(ChatReader::default()), "\"pong\"}}]}", "\"stop\"}]}").await;
}

#[tokio::test(start_paused = true)]
async fn a_message_cut_at_any_byte_is_cut() {
    sweep(MESSAGE, || Box::new(MessageReader::default()), "\"text\":\"hi\"}}", "\"end_turn\"}}").await;
}

#[tokio::test(start_paused = true)]
async fn how_it_is_cut_into_pieces_does_not_matter() {
    for size in 1..40 {
        let pieces = CHAT.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
        let found = read_pieces(pieces, false, &mut ChatReader::default()).await;
        assert!(matches!(found.ended, Ended::Complete) && found.first.is_some(), "{size}: {:?}", found.ended);
    }
}

#[tokio::test(start_paused = true)]
async fn junk_is_foreign_and_a_page_too() {
    for text in ["<!DOCTYPE html><html>", "data: junk\n\ndata: more\n\n", "hello"] {
        let found = read_pieces(vec![Bytes::from_static(text.as_bytes())], false, &mut ChatReader::default()).await;
        assert!(matches!(found.ended, Ended::Foreign(_)), "{text}: {:?}", found.ended);
    }
}
