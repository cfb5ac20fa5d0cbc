//! The seam to the quota: whether a warm-up may be made. What decides is `run/`'s; here is only the question, asked when
//! all that is free has been done, and so with what the provider has just said of its limits.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::outcome::{Code, ListPrice, QuotaSeen, Withholding};

/// Gives leave to warm-ups.
pub trait Permit: Send + Sync {
    /// Asks for leave to make one request that costs.
    fn ask<'a>(&'a self, known: KnownOfQuota<'a>) -> Leave<'a>;
}

/// The answer, in time.
pub type Leave<'a> = Pin<Box<dyn Future<Output = Result<(), NotPermitted>> + Send + 'a>>;

/// What this probe has seen so far.
#[derive(Debug, Clone, Copy)]
pub struct KnownOfQuota<'a> {
    /// What the provider has said of its limits.
    pub seen: &'a QuotaSeen,
    /// What its catalogue says that the LLM costs.
    pub list_price: Option<ListPrice>,
}

/// Why there is no leave.
#[derive(Debug, Clone, PartialEq)]
pub struct NotPermitted {
    /// What it means: that we withheld it, or that the provider has said beforehand that it refuses.
    pub code: Code,
    /// The reason.
    pub why: Withholding,
    /// The same in a few words, as a table has room for: `quota below 15 %`.
    pub says: String,
    /// In words: `quota below 15 %: 61.2 requests of 500 left`.
    pub evidence: String,
    /// When it may be otherwise.
    pub after: Option<Duration>,
}

/// Leave for everything: nothing is spent here, or nobody minds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Free;

impl Permit for Free {
    fn ask<'a>(&'a self, _: KnownOfQuota<'a>) -> Leave<'a> {
        Box::pin(std::future::ready(Ok(())))
    }
}
