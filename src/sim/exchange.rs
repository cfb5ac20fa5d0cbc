//! One request and its answer: what every handler is given.

use std::sync::Arc;

use super::accounts::{Account, Purpose};
use super::clock::Moment;
use super::http::{Request, Response};
use super::provider::{Listener, Provider};
use super::refusals::{self, Details, Situation};
use super::wire::{Ended, Wire};

/// How a fault bends a generated answer without replacing it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bend {
    pub(crate) hang_after_tokens: Option<u64>,
    /// After so many tokens, this event and then the end.
    pub(crate) error_after_tokens: Option<(u64, Option<String>)>,
    pub(crate) ending: Ending,
}

/// How a generated answer ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    #[default]
    Proper,
    /// The finish event is sent, but nothing that marks the stream's end.
    NoDone,
    /// Finished without a single token.
    WithoutContent,
    /// A 200 whose body is empty.
    Empty,
}

/// One request, the connection it came on, and the provider that answers.
pub(crate) struct Exchange<'a> {
    pub(crate) wire: &'a mut Wire,
    pub(crate) request: &'a Request,
    pub(crate) provider: &'a Arc<Provider>,
    pub(crate) listener: &'a Listener,
    /// When the request was read completely.
    pub(crate) received: Moment,
    pub(crate) bend: Bend,
}

impl Exchange<'_> {
    /// The flavour's answer to a situation.
    pub(crate) fn error(&self, situation: Situation, details: Details<'_>) -> Response {
        let mut all = vec![("method", self.request.method.as_str()), ("path", self.request.path.as_str())];
        // First the caller's details, so that they win over what stands in for them.
        let mut filled = details.to_vec();
        filled.append(&mut all);
        let model = self.request.model().unwrap_or("unknown");
        filled.extend([("model", model), ("seconds", "20"), ("estimated", "20.0"), ("message", "Bad request.")]);
        let reset = self.provider.clock.timestamp_in(std::time::Duration::from_secs(3600));
        let reset = utc8(reset);
        filled.push(("reset_utc8", &reset));
        refusals::answer(self.listener.flavour, situation, &filled)
    }

    /// Sends the flavour's answer to a situation.
    pub(crate) async fn refuse(&mut self, situation: Situation, details: Details<'_>) -> Result<(), Ended> {
        let response = self.error(situation, details);
        self.wire.send(response).await
    }

    /// Sends a complete answer that is not a generation, after the provider's latency.
    pub(crate) async fn reply(&mut self, response: Response) -> Result<(), Ended> {
        let latency = self.provider.scenario.latency;
        if !latency.is_zero() {
            self.wire.sleep(latency).await?;
        }
        self.wire.send(response).await
    }

    /// Lets the request in, or returns the answer that refuses it.
    pub(crate) fn admit(&self, purpose: Purpose) -> Result<Arc<Account>, Box<Response>> {
        self.provider.accounts.admit(self.request, purpose).map_err(|situation| Box::new(self.error(situation, &[])))
    }

    /// Like [`Self::admit`] for a list that may be public. A key that is sent is not looked at where the list is public,
    /// as at Synthetic: that is why such a list proves nothing.
    pub(crate) fn admit_to_list(&self) -> Result<(), Box<Response>> {
        if self.provider.lists_publicly(self.listener.flavour) {
            return Ok(());
        }
        self.admit(Purpose::List).map(|_| ())
    }
}

/// A time the way Z.AI states it: in UTC+8, without saying so.
pub(crate) fn utc8(moment: jiff::Timestamp) -> String {
    let there = moment.checked_add(jiff::SignedDuration::from_hours(8)).unwrap_or(moment);
    there.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
