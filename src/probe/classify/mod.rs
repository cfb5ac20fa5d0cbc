//! stub
mod repair;
use crate::outcome::{Code, Reset, Stage};
use crate::probe::transport::Head;
use crate::probe::wire::error_body::ErrorFacts;
use crate::target::{Family, Secret};
use jiff::Timestamp;
pub use repair::{Repair, repair};
/// What the classifier must know beside the answer.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Whose errors these are.
    pub family: Family,
    /// The stage that asked.
    pub stage: Stage,
    /// The LLM that was asked for.
    pub model: &'a str,
    /// The stage `locate` saw the LLM in the catalogue.
    pub listed: bool,
    /// The error is an event inside a 200 answer.
    pub in_stream: bool,
    /// The key, so that it can be taken out of the evidence.
    pub secret: Option<&'a Secret>,
}
/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classified {
    /// What went wrong.
    pub code: Code,
    /// What was seen.
    pub evidence: String,
    /// stub
    pub reset: Option<Reset>,
    /// stub
    pub location: Option<String>,
    /// stub
    pub request_id: Option<String>,
}
/// stub
#[must_use]
pub fn classify(_context: &Context<'_>, _head: &Head, _facts: &ErrorFacts, _now: Timestamp) -> Classified {
    Classified { code: Code::BadRequest, evidence: String::new(), reset: None, location: None, request_id: None }
}
