//! The words for what was seen, safe to show: cleaned of control characters, scrubbed of the key, bounded.

use url::Url;

use super::Context;
use crate::probe::transport::Head;
use crate::probe::wire::error_body::{BodyShape, ErrorFacts};
use crate::probe::wire::text::{clean, scrub};

/// The longest evidence, in characters.
const EVIDENCE: usize = 400;
/// The longest message in it: what remains is for the words around it.
const MESSAGE: usize = 220;
/// What is written between the parts: quotes, a colon, a semicolon, spaces.
const ROOM: usize = 8;
/// The longest machine-readable word in it.
const WORD: usize = 60;
/// How much of a message is cleaned before the key is looked for in it, in characters.
const CLEANED: usize = 2048;
/// The longest request id and the longest place of a redirect, in characters.
const REQUEST_ID: usize = 100;
const LOCATION: usize = 200;
/// Headers in which providers send their id of a request, the provider's own before its edge's.
const REQUEST_IDS: [&str; 5] = ["x-request-id", "request-id", "apim-request-id", "x-amzn-requestid", "cf-ray"];

/// `HTTP 401 invalid_request_error/invalid_api_key: "Incorrect API key provided"; a note`.
pub(super) fn evidence(context: &Context<'_>, head: &Head, facts: &ErrorFacts, note: &str) -> String {
    let show = |text: &str, limit| clean(&scrub(&clean(text, CLEANED), context.secret), limit);
    let mut text = String::new();
    if context.in_stream {
        text.push_str("an error inside ");
    }
    text.push_str(&format!("HTTP {}", head.status));
    let mut words: Vec<String> = Vec::new();
    for word in [&facts.kind, &facts.code, &facts.status, &facts.reason].into_iter().flatten() {
        let word = show(word, WORD);
        // Many bodies repeat the status as their code.
        if !word.is_empty() && word != head.status.to_string() && !words.contains(&word) {
            words.push(word);
        }
    }
    if !words.is_empty() {
        text.push(' ');
        text.push_str(&words.join("/"));
    }
    // The note is ours and says what the words do not: the message makes room for it.
    let room = EVIDENCE.saturating_sub(text.chars().count() + note.chars().count() + ROOM);
    match (&facts.shape, &facts.message) {
        (BodyShape::Html { title }, _) => {
            text.push_str(", a web page");
            if let Some(title) = title {
                text.push_str(&format!(" titled \"{}\"", show(title, MESSAGE)));
            }
            if let Some(server) = head.header("server") {
                text.push_str(&format!(" from {}", show(server, WORD)));
            }
        }
        (_, Some(message)) => text.push_str(&format!(": \"{}\"", show(message, MESSAGE.min(room)))),
        (BodyShape::Empty, None) => text.push_str(" with an empty body"),
        (_, None) => {}
    }
    if !note.is_empty() {
        text.push_str("; ");
        text.push_str(note);
    }
    clean(&text, EVIDENCE)
}

/// Where a redirect points: origin and path. A query or a user name can hold secrets.
pub(super) fn location(context: &Context<'_>, head: &Head) -> Option<String> {
    let value = head.header("location").filter(|_| (300..400).contains(&head.status))?;
    let place = match Url::parse(value) {
        Ok(url) if url.has_host() => format!("{}{}", url.origin().ascii_serialization(), url.path()),
        // Relative, or nothing that one could follow.
        _ => value.split(['?', '#']).next().unwrap_or_default().to_owned(),
    };
    let place = clean(&scrub(&clean(&place, CLEANED), context.secret), LOCATION);
    (!place.is_empty()).then_some(place)
}

/// The provider's id of the request.
pub(super) fn request_id(context: &Context<'_>, head: &Head) -> Option<String> {
    REQUEST_IDS
        .iter()
        .filter_map(|name| head.header(name))
        .map(|id| clean(&scrub(&clean(id, CLEANED), context.secret), REQUEST_ID))
        .find(|id| !id.is_empty())
}
