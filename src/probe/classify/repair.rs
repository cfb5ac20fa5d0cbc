//! stub
use crate::probe::transport::Head;
use crate::probe::wire::error_body::ErrorFacts;
/// How a refused request can be changed so that it is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// Send the other field that caps the output.
    SwitchCapField,
    /// Ask for at least that many tokens.
    RaiseCap(u32),
    /// Do not try to switch reasoning off.
    DropReasoning,
    /// Do not ask for usage in the stream.
    DropStreamOptions,
    /// Nothing to repair: the LLM generated tokens, and the cap ended the answer before any could be shown.
    AliveButOutOfTokens,
}
/// stub
#[must_use]
pub fn repair(_head: &Head, _facts: &ErrorFacts) -> Option<Repair> {
    None
}
