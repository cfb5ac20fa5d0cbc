//! One target in depth: every address, the whole certificate chain, the clock, the key's shape, each free endpoint. What
//! `pilotlight diagnose` shows beside an ordinary probe.
//!
//! [`examine`] costs nothing and warms nothing; the probe that follows does, over the same [`Recording`], which then knows
//! the request as it was sent. Every part is bounded: 16 addresses, 10 certificates, the sizes that probes read, and one
//! moment at which all of it ends. A part that could not be is absent, and says why where that is not plain.

mod addresses;
mod ask;
mod certificate;
mod handshake;
mod key;
mod record;
mod request;
mod route;
mod skew;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use record::Recording;
use tokio::task::JoinSet;

use self::ask::Answers;
use self::handshake::Limits;
use self::route::Way;
use super::Job;
use super::climb::OnEvent;
use super::clock::Clock;
use super::transport::Trust;
use crate::outcome::{AddressSeen, Carried, Event, Examination, HandshakeSeen, KeySeen, QuotaSeen, Stage};
use crate::target::{Depth, Provider};

/// What an examination found, and what it takes to finish it when the probe is done.
pub struct Examined {
    seen: Examination,
    effort: request::Effort,
}

impl Examined {
    /// The whole of it, after the probe: with its request, and with the time of the quickest answer of all.
    #[must_use]
    pub fn finish(self, job: &Job, network: &Recording) -> Examination {
        let request = request::seen(job, network.post().as_ref(), self.effort);
        Examination { request, skew: network.skew(), ..self.seen }
    }
}

/// Examines the target of a job until `until` at most. Never fails: whatever happens is in what it returns.
pub async fn examine(job: &Job, network: &Recording, until: Instant, on_event: OnEvent<'_>) -> Examined {
    let target = &job.target;
    let clock = Arc::clone(network.clock());
    let entered = |stage| on_event(Event::Entered { target: target.id.clone(), stage });
    let left = |most: Duration| until.saturating_duration_since(clock.now()).min(most);
    on_event(Event::Started { target: target.id.clone(), depth: job.depth });

    entered(Stage::Credential);
    let key = key::look(job);

    let way = Way::of(&target.provider);
    entered(Stage::Resolve);
    let resolved = addresses::resolve(&way, left(target.expect.connect), &*clock).await;
    entered(Stage::Connect);
    let addresses = addresses::connect_all(&resolved.addresses, left(target.expect.connect), &clock).await;
    let handshakes = if target.provider.base_url.is_https() {
        entered(Stage::Tls);
        let connect = target.expect.connect;
        // What a proxy takes to get through has a limit of its own.
        let most = if way.is_proxied() { connect * 2 } else { connect };
        let limits = Limits { way: left(connect), whole: left(most) };
        shake_all(&target.provider, &addresses, limits, &clock).await
    } else {
        Vec::new()
    };

    let carried = match &key {
        KeySeen::Found { fault: None, .. } => Carried::Key,
        _ => Carried::NoKey,
    };
    let answers = if job.depth == Depth::Connect {
        Answers {
            free: None,
            catalogue: None,
            quota: QuotaSeen::default(),
            effort: request::Effort::Unknown,
            not_asked: Some("the target is only connected to".to_owned()),
        }
    } else {
        entered(Stage::Authenticate);
        ask::ask(job, carried, network, &*clock, until).await
    };
    let seen = Examination {
        route: way.seen(),
        name: resolved.name,
        addresses,
        more_addresses: resolved.more,
        handshakes,
        skew: network.skew(),
        key,
        free: answers.free,
        catalogue: answers.catalogue,
        quota: answers.quota,
        not_asked: answers.not_asked,
        request: request::seen(job, None, answers.effort),
    };
    Examined { seen, effort: answers.effort }
}

/// Shakes hands with the first address of each family that took a connection, both at the same time; through a proxy
/// once, where that took one.
async fn shake_all(
    provider: &Arc<Provider>,
    addresses: &[AddressSeen],
    limits: Limits,
    clock: &Arc<dyn Clock>,
) -> Vec<HandshakeSeen> {
    let (trust, way) = (Arc::new(Trust::new()), Way::of(provider));
    let open = |family: &str| {
        let mut open = addresses.iter().filter(|seen| seen.family() == family && seen.open().is_some());
        open.next().map(|seen| Some(seen.address))
    };
    let mut tried: Vec<Option<SocketAddr>> =
        ["v4", "v6"].into_iter().filter(|family| way.uses(family)).filter_map(open).collect();
    if way.is_proxied() && !tried.is_empty() {
        tried = vec![None];
    }
    let mut shaking = JoinSet::new();
    for address in tried {
        let (provider, trust, clock) = (Arc::clone(provider), Arc::clone(&trust), Arc::clone(clock));
        shaking.spawn(async move { handshake::shake(&Way::of(&provider), address, &trust, limits, &clock).await });
    }
    let mut seen: Vec<HandshakeSeen> = Vec::new();
    while let Some(shaken) = shaking.join_next().await {
        seen.extend(shaken.ok());
    }
    let place = |seen: &HandshakeSeen| addresses.iter().position(|known| Some(known.address) == seen.address);
    seen.sort_by_key(place);
    seen
}
