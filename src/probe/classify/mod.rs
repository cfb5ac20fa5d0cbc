//! What an answer means that is not the expected success: one code, and the evidence for it.
//!
//! Signs are trusted in this order: a redirect; machine-readable words of the body, by family; headers of an edge; a
//! web page where an API was expected; words for people, only within a family or together with a status; the bare
//! status. What cannot be told apart is said so in the evidence. The rows are data, in `table.rs`.

mod evidence;
mod repair;
mod table;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
pub use repair::{Repair, repair};

use self::table::{ANY, NO_SUCH, ONLY_NOT_FOUND, PROSE, Rule, STATUS, TYPED, UNKNOWN_PATH};
use crate::outcome::{Code, Cure, Reset, ResetSource, Stage};
use crate::probe::transport::Head;
use crate::probe::wire::error_body::{BodyShape, ErrorFacts};
use crate::probe::wire::reset::reset;
use crate::target::{Family, Secret};

/// A limit that ends later than this is a window's quota and not a rate: nobody waits for it within one probe.
const WINDOW: Duration = Duration::from_secs(600);

/// What the classifier must know beside the answer.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Whose answers these are.
    pub family: Family,
    /// The stage that asked.
    pub stage: Stage,
    /// The LLM that was asked for.
    pub model: &'a str,
    /// The stage `locate` saw the LLM in the catalogue.
    pub listed: bool,
    /// The error stands inside a 200 answer: as an event, or as the whole body.
    pub in_stream: bool,
    /// The key, so that it can be taken out of the evidence.
    pub secret: Option<&'a Secret>,
}

/// What an answer means. All texts are safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classified {
    /// What went wrong.
    pub code: Code,
    /// What was seen, at most 400 characters: `HTTP 401 invalid_request_error/invalid_api_key: "Incorrect API key"`.
    pub evidence: String,
    /// When waiting helps, and the provider says until when.
    pub reset: Option<Reset>,
    /// Where a redirect points: without its query, which can hold a session.
    pub location: Option<String>,
    /// The provider's own id of the request, for its support; at most 100 characters.
    pub request_id: Option<String>,
}

/// Classifies an answer that is not the expected success.
#[must_use]
pub fn classify(context: &Context<'_>, head: &Head, facts: &ErrorFacts, now: Timestamp) -> Classified {
    let answer = Answer::new(*context, head, facts, now);
    let found = answer.find();
    let code = answer.settle(found.code);
    // Gemini's retry delay is a minute's also where a day's quota is spent.
    let believed = |reset: &Reset| {
        let daily = code == Code::WindowSpent && context.family == Family::Gemini;
        code.cure() == Cure::Waiting && !(daily && reset.source == ResetSource::Body && reset.after < WINDOW)
    };
    Classified {
        code,
        evidence: evidence::evidence(context, head, facts, &found.note),
        reset: answer.reset.filter(believed),
        location: evidence::location(context, head),
        request_id: evidence::request_id(context, head),
    }
}

/// A code, and what the evidence must say beside it.
struct Found {
    code: Code,
    note: String,
}

impl Found {
    fn new(code: Code, note: &str) -> Self {
        Self { code, note: note.to_owned() }
    }
}

/// An answer with what is looked at more than once.
struct Answer<'a> {
    context: Context<'a>,
    head: &'a Head,
    facts: &'a ErrorFacts,
    reset: Option<Reset>,
    /// The status that counts.
    status: u16,
    /// The message in lower case.
    message: String,
}

impl<'a> Answer<'a> {
    fn new(context: Context<'a>, head: &'a Head, facts: &'a ErrorFacts, now: Timestamp) -> Self {
        Self {
            context,
            head,
            facts,
            reset: reset(head, facts, context.family, now),
            status: effective_status(head, facts),
            message: facts.message.as_deref().unwrap_or_default().to_lowercase(),
        }
    }

    fn find(&self) -> Found {
        self.redirect()
            .or_else(|| self.other_than_openai())
            .or_else(|| self.row(TYPED))
            .or_else(|| self.edge())
            .or_else(|| self.page())
            .or_else(|| self.row(PROSE))
            .or_else(|| self.not_there())
            .or_else(|| self.rest())
            .or_else(|| self.row(STATUS))
            .unwrap_or_else(|| Found::new(Code::NotThisApi, ""))
    }

    /// The code that fits the stage and the length of the wait.
    fn settle(&self, code: Code) -> Code {
        match code {
            Code::RateLimited if self.is_window() => Code::WindowSpent,
            // Nothing but the key was asked about.
            Code::ModelNotFound if self.context.stage < Stage::Locate => Code::BaseUrlWrong,
            code => code,
        }
    }

    fn is_window(&self) -> bool {
        // At Groq, requests are counted by the day and tokens by the minute, under OpenAI's names.
        let groq = self.context.family == Family::Groq
            && self.head.header("x-ratelimit-remaining-requests").is_some_and(|left| left.trim() == "0");
        groq || self.reset.is_some_and(|reset| reset.after >= WINDOW)
    }

    fn redirect(&self) -> Option<Found> {
        let moved = matches!(self.head.status, 300..=303 | 305 | 307 | 308);
        moved.then(|| Found::new(Code::Redirected, ""))
    }

    /// Two words that money and rate share, and that a promise to be back tells apart. OpenAI's own
    /// `insufficient_quota` never ends by itself; Azure sends it for a minute's saturation. OpenRouter's 402 is for
    /// credit that requests in flight have reserved where it says when to try again.
    fn other_than_openai(&self) -> Option<Found> {
        self.reset?;
        let azure = self.head.headers.iter().any(|(name, _)| name.starts_with("x-ms-") || name == "apim-request-id");
        let saturated = self.is("insufficient_quota") && (azure || self.context.family != Family::OpenAi);
        if saturated && self.status == 429 {
            return Some(Found::new(
                Code::RateLimited,
                "it says when to try again, so it is a rate and not the balance",
            ));
        }
        let reserved = self.context.family == Family::OpenRouter && self.status == 402;
        let reserved = reserved && self.reset.is_some_and(|reset| reset.source == ResetSource::RetryAfter);
        reserved.then(|| Found::new(Code::RateLimited, "requests in flight have reserved the credit that is left"))
    }

    /// What an edge says in its headers, before the API has seen the request; and a load in progress.
    fn edge(&self) -> Option<Found> {
        if self.head.header("cf-mitigated").is_some_and(|value| value.eq_ignore_ascii_case("challenge")) {
            return Some(Found::new(Code::EdgeBlocked, "Cloudflare asks for a browser"));
        }
        let scaling = self.status == 503 && self.head.headers.iter().any(|(name, _)| name.starts_with("x-scale-up"));
        let estimated = self.facts.estimated_time_s.is_some() && matches!(self.status, 500..=599);
        (scaling || estimated).then(|| Found::new(Code::Loading, ""))
    }

    /// A web page: what speaks is an edge, a proxy or a web server, not the API.
    fn page(&self) -> Option<Found> {
        let BodyShape::Html { title } = &self.facts.shape else { return None };
        let title = title.as_deref().unwrap_or_default().to_lowercase();
        let challenge = ["just a moment", "attention required", "access denied", "you have been blocked"]
            .iter()
            .any(|sign| title.contains(sign));
        let code = match self.head.status {
            401 | 402 | 407 | 408 | 429 | 451 => return None,
            403 | 503 if challenge => Code::EdgeBlocked,
            403 => Code::EdgeBlocked,
            404 | 405 | 410 | 421 => Code::BaseUrlWrong,
            500..=599 => return None,
            _ => Code::NotThisApi,
        };
        Some(Found::new(code, ""))
    }

    /// "Not found" is said of LLMs and of paths.
    fn not_there(&self) -> Option<Found> {
        let gone = matches!(self.status, 404 | 410);
        if !gone && !matches!(self.status, 400 | 422) {
            return None;
        }
        let says = |parts: &[&str]| parts.iter().any(|part| self.message.contains(part));
        if gone && (says(UNKNOWN_PATH) || ONLY_NOT_FOUND.contains(&self.message.trim_end_matches('.'))) {
            return Some(Found::new(Code::BaseUrlWrong, ""));
        }
        let model = self.context.model.to_lowercase();
        let named = self.message.contains("model") || (!model.is_empty() && self.message.contains(&model));
        if named && says(NO_SUCH) {
            let note = match self.context.family {
                Family::Fireworks => "not deployed and not permitted are answered alike",
                _ => "",
            };
            return Some(Found::new(Code::ModelNotFound, note));
        }
        if !gone {
            return None;
        }
        let json = self.facts.shape == BodyShape::Json;
        Some(if self.context.stage != Stage::Warm || !json {
            Found::new(Code::BaseUrlWrong, "")
        } else if self.context.listed {
            Found::new(Code::BaseUrlWrong, "the catalogue lists the model, so it is the path that is missing")
        } else if self.context.family == Family::Fireworks {
            Found::new(Code::ModelNotFound, "not deployed and not permitted are answered alike")
        } else {
            Found::new(Code::ModelNotFound, "a wrong path could be answered alike")
        })
    }

    /// What is neither an error status nor decided yet: 429, and answers below 400.
    fn rest(&self) -> Option<Found> {
        match self.status {
            429 => Some(Found::new(Code::RateLimited, "")),
            400.. => None,
            _ if self.context.in_stream => Some(Found::new(Code::UpstreamFailed, "")),
            // A success with nothing in it. `EmptyAnswer` is a word of the stage `warm`.
            _ if self.facts.shape == BodyShape::Empty && self.context.stage == Stage::Warm => {
                Some(Found::new(Code::EmptyAnswer, ""))
            }
            _ => Some(Found::new(Code::NotThisApi, "")),
        }
    }

    fn row(&self, rows: &[Rule]) -> Option<Found> {
        rows.iter().find(|rule| self.fits(rule)).map(|rule| Found::new(rule.code, rule.note))
    }

    fn fits(&self, rule: &Rule) -> bool {
        let (from, to) = rule.status;
        (rule.status == ANY || (from..=to).contains(&self.status))
            && (rule.families.is_empty() || rule.families.contains(&self.context.family))
            && rule.word.is_none_or(|word| self.is(word))
            && rule.says.iter().all(|part| self.message.contains(part))
            && rule.about.is_none_or(|part| self.facts.param.as_deref().is_some_and(|param| param.contains(part)))
    }

    /// Whether a machine-readable field of the body is that word.
    fn is(&self, word: &str) -> bool {
        let facts = self.facts;
        [&facts.code, &facts.kind, &facts.status, &facts.reason]
            .into_iter()
            .flatten()
            .any(|field| field.eq_ignore_ascii_case(word))
    }
}

/// The status that counts: an error inside a 200 has its own in `code` (OpenRouter), or as a word.
fn effective_status(head: &Head, facts: &ErrorFacts) -> u16 {
    if !(200..300).contains(&head.status) {
        return head.status;
    }
    let number = facts.code.as_deref().and_then(|code| code.parse().ok()).filter(|code| (400..600).contains(code));
    number
        .or_else(|| {
            let words = [&facts.kind, &facts.status, &facts.code].into_iter().flatten();
            words
                .filter_map(|word| STATUS_WORDS.iter().find(|(known, _)| known == word))
                .map(|(_, status)| *status)
                .next()
        })
        .unwrap_or(head.status)
}

/// Words that say no more than a status would.
const STATUS_WORDS: [(&str, u16); 8] = [
    ("invalid_request_error", 400),
    ("INVALID_ARGUMENT", 400),
    ("not_found_error", 404),
    ("NOT_FOUND", 404),
    ("NotFoundError", 404),
    ("BadRequestError", 400),
    ("InternalServerError", 500),
    ("internal_server_error", 500),
];
