//! A provider's whole list of LLMs, for a person to choose from: key, dial, one GET, and a scan of what streams past.
//!
//! What goes wrong has the codes, the evidence and the remedies of a probe. Nothing is generated, so it costs nothing,
//! and nothing is tried again.

use std::time::Duration;

use super::climb::{Fault, Job};
use super::clock::Clock;
use super::credential;
use super::dial::judge;
use super::exchange::{ReadFault, piece, unanswered, unread, whole};
use super::remedy::{Known, remedy};
use super::request;
use super::transport::{Answer, Head, Line, Network, Request};
use super::wire::ScanFault;
use super::wire::error_body::{ErrorFacts, has_error};
use super::wire::listing::{Listing, ListingScan};
use super::wire::text::{clean, scrub};
use crate::outcome::words::duration;
use crate::outcome::{Code, Diagnosis, Stage};
use crate::probe::classify::{Context, classify};
use crate::target::{Catalogue, Credential};

/// How much of an answer is kept to say what came instead of a list, in bytes.
const BEGINNING: usize = 2048;
/// Longest id, in characters, when the key has been taken out of it.
const ID: usize = 200;

/// Why there is no list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoList {
    /// The provider has none that is known of.
    None,
    /// It could not be read.
    Failed(Box<Diagnosis>),
}

/// Reads the list of the job's provider. Its LLM and its depth do not matter.
pub async fn list(job: &Job, network: &dyn Network, clock: &dyn Clock) -> Result<Listing, NoList> {
    let Some(catalogue) = job.target.provider.catalogue.clone() else { return Err(NoList::None) };
    let mut job = job.clone();
    // A list that anybody may read is read without a key where there is none that could be sent.
    let unusable = credential::judge(&job.credential, &job.target.provider).is_err();
    if unusable && catalogue.public {
        job.credential = std::sync::Arc::new(Credential::NotNeeded);
    }
    let errand = Errand { job: &job, network, clock };
    match errand.run(&catalogue).await {
        Ok(mut listing) => {
            for entry in &mut listing.entries {
                entry.id = clean(&scrub(&entry.id, job.credential.secret()), ID);
            }
            Ok(listing)
        }
        Err((stage, fault)) => Err(NoList::Failed(Box::new(diagnosis(&job, stage, fault)))),
    }
}

fn diagnosis(job: &Job, stage: Stage, fault: Fault) -> Diagnosis {
    let known = Known {
        nearest: &[],
        location: fault.location.as_deref(),
        reset: fault.reset.as_ref(),
        deadline: fault.deadline,
    };
    let remedy = remedy(fault.code, &job.target, &job.credential, known);
    let evidence = super::shown::evidence(&fault, job);
    Diagnosis { code: fault.code, stage, evidence, remedy, reset: fault.reset, nearest: Vec::new() }
}

/// What one list needs.
struct Errand<'a> {
    job: &'a Job,
    network: &'a dyn Network,
    clock: &'a dyn Clock,
}

impl Errand<'_> {
    async fn run(&self, catalogue: &Catalogue) -> Result<Listing, (Stage, Fault)> {
        let target = &self.job.target;
        let provider = &target.provider;
        credential::judge(&self.job.credential, provider).map_err(|fault| (Stage::Credential, fault))?;
        let dialled = self.network.dial(provider, target.expect.connect).await;
        let marks = dialled.marks;
        let mut line = dialled.line.map_err(|fault| judge(fault, provider, &marks))?;
        let located = |fault| (Stage::Locate, fault);
        let request = request::get(provider, &self.job.credential, &self.job.run_id, &catalogue.path);
        let answer = self.send(&mut *line, request, target.expect.answer).await.map_err(located)?;
        self.read(answer, catalogue).await.map_err(located)
    }

    async fn send(&self, line: &mut dyn Line, request: Request, limit: Duration) -> Result<Answer, Fault> {
        let what = format!("GET {}", request.path);
        match tokio::time::timeout(limit, line.send(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Err(_) => Err(Fault::new(Code::AnswerTimeout, format!("{what}: no answer within {}", duration(limit)))),
            Ok(Err(fault)) => Err(unanswered(fault, &what, &self.job.target.provider)),
        }
    }

    async fn read(&self, mut answer: Answer, catalogue: &Catalogue) -> Result<Listing, Fault> {
        let until = answer.sent + self.job.target.expect.answer;
        if !(200..300).contains(&answer.head.status) {
            let (body, _) = whole(&mut *answer.body, self.clock, until).await;
            return Err(self.refusal(&answer.head, &body, Within::Refusal));
        }
        let mut scan = ListingScan::new(catalogue.shape, catalogue.id_prefix.as_deref());
        let mut beginning: Vec<u8> = Vec::new();
        loop {
            let piece = match piece(&mut *answer.body, self.clock, until).await {
                Err(fault) => return Err(unread(fault, &catalogue.path)),
                Ok(None) => break,
                Ok(Some(piece)) => piece,
            };
            let room = BEGINNING.saturating_sub(beginning.len());
            beginning.extend(piece.iter().take(room));
            match scan.push(&piece) {
                Ok(()) => {}
                Err(ScanFault::TooLarge) => return Err(unread(ReadFault::TooLarge, &catalogue.path)),
                Err(ScanFault::NotJson { .. }) => return Err(self.foreign(&answer.head, &beginning)),
            }
        }
        match scan.finish() {
            Ok(listing) if listing.is_catalogue => Ok(listing),
            _ => Err(self.foreign(&answer.head, &beginning)),
        }
    }

    /// A 2xx that is no list: an error inside a 200, a web page, or something else altogether.
    fn foreign(&self, head: &Head, beginning: &[u8]) -> Fault {
        let inside = serde_json::from_slice(beginning).is_ok_and(|value| has_error(&value));
        self.refusal(head, beginning, if inside { Within::Success } else { Within::Refusal })
    }

    fn refusal(&self, head: &Head, body: &[u8], within: Within) -> Fault {
        let job = self.job;
        let context = Context {
            family: job.target.provider.family,
            stage: Stage::Locate,
            model: job.target.model.as_str(),
            listed: false,
            in_stream: within == Within::Success,
            secret: job.credential.secret(),
        };
        let classified = classify(&context, head, &ErrorFacts::read(body), self.clock.wall());
        let evidence = match &classified.location {
            Some(location) => format!("HTTP {} to {location}", head.status),
            None => classified.evidence,
        };
        Fault { reset: classified.reset, location: classified.location, ..Fault::new(classified.code, evidence) }
    }
}

/// Where a refusal stood.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// In an answer that is not what was asked for.
    Refusal,
    /// Inside a 200.
    Success,
}

#[cfg(test)]
mod tests;
