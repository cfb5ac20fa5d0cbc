//! What is expected of a target: the deadlines that tell warm from cold and cold from dead.

use std::time::Duration;

/// The deadlines of one target. All durations are positive.
///
/// A cold start is a success with a cost, so it has a deadline of its own: a first token within `first_token` is what
/// a user expects; one within `cold_start` shows that the LLM works but had to load or to queue; none by then is a
/// failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// First token of a warm LLM, measured from the moment the request is written. Default 10 s.
    pub first_token: Duration,
    /// First token of a cold LLM. Default 180 s: the Kodus and Mesrai guides speak of minutes.
    pub cold_start: Duration,
    /// Longest silence between two pieces of a stream once it has begun. Default 30 s.
    pub stall: Duration,
    /// Name resolution and connection together, and TLS, each. Default 10 s.
    pub connect: Duration,
    /// Answers of the free endpoints (key check, catalogue). Default 15 s, as Kodus' own test.
    pub answer: Duration,
    /// Warn when the certificate ends sooner than this. Default 14 days.
    pub certificate: Duration,
}

impl Default for Expectation {
    fn default() -> Self {
        Self {
            first_token: Duration::from_secs(10),
            cold_start: Duration::from_secs(180),
            stall: Duration::from_secs(30),
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(15),
            certificate: Duration::from_secs(14 * 24 * 3600),
        }
    }
}
