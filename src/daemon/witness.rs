//! Asks whether this machine is online at all, when a target could not be reached.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::outcome::{Outcome, Witness, WitnessAddress, Witnessed, asks_witness, excuse};
use crate::probe::clock::Clock;
use crate::target::Provider;

/// How long a witness may take to answer: less than any probe takes to give up.
const PATIENCE: Duration = Duration::from_secs(3);
/// For how long an answer holds: forty targets that fail together ask once.
const HOLDS: Duration = Duration::from_secs(5);
/// How many addresses are asked at most: the first that answers settles it.
const ASKED: usize = 8;

/// A provider that was reached within this time can bear witness.
const LATELY: Duration = Duration::from_secs(3_600);

/// Asks the witness, and remembers what it said for a moment.
pub(super) struct Asking {
    settings: Witness,
    /// The providers that were reached lately, and when: each is the witness of the others. One that is gone for good
    /// would make every trouble look like our own.
    reached: Mutex<BTreeMap<WitnessAddress, Instant>>,
    clock: Arc<dyn Clock>,
    /// What was said last, by whom it was not to be about.
    last: Mutex<Option<(Instant, WitnessAddress, Witnessed)>>,
    /// One asks at a time; who comes meanwhile hears the same.
    turn: tokio::sync::Mutex<()>,
}

/// Where a provider is, as far as we see: its proxy, where there is one. `None` for one on this machine: reaching it says nothing of the network.
fn address(provider: &Provider) -> Option<WitnessAddress> {
    let url = &provider.base_url;
    let proxy_here = provider.network.proxy.forward().is_some_and(|proxy| proxy.address.is_loopback());
    if url.is_loopback() || proxy_here {
        return None;
    }
    WitnessAddress::parse(&provider.first_hop())
}

/// Whether an address is one of a private network, as far as it shows: a name does not.
fn is_private(address: &WitnessAddress) -> bool {
    match address.host().parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_private() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_unique_local() || ip.is_unicast_link_local(),
        Err(_) => false,
    }
}

impl Asking {
    pub(super) fn new(settings: Witness, clock: Arc<dyn Clock>) -> Self {
        let reached = Mutex::default();
        Self { settings, reached, clock, last: Mutex::new(None), turn: tokio::sync::Mutex::new(()) }
    }

    /// The same with other settings.
    pub(super) fn anew(&self, settings: Witness) -> Self {
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self { reached: Mutex::new(reached), ..Self::new(settings, Arc::clone(&self.clock)) }
    }

    /// Takes note that a provider was reached.
    pub(super) fn reached(&self, provider: &Provider) {
        if let Some(address) = address(provider) {
            let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.clock.now();
            reached.retain(|_, at| now.saturating_duration_since(*at) < LATELY);
            reached.insert(address, now);
        }
    }

    /// The providers other than the accused that can bear witness for it. One in a private network says nothing of the
    /// way to a public one.
    fn others(&self, accused: &WitnessAddress) -> Vec<WitnessAddress> {
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let lately = reached.iter().filter(|(_, at)| now.saturating_duration_since(**at) < LATELY);
        let others = lately.map(|(address, _)| address);
        others
            .filter(|other| other.host() != accused.host() && (!is_private(other) || is_private(accused)))
            .take(ASKED)
            .cloned()
            .collect()
    }

    /// The outcome in the light of what the witness says, where it raises the question.
    pub(super) async fn judge(&self, outcome: Outcome) -> Outcome {
        let Some(accused) = asks_witness(&outcome).then(|| address(&outcome.target.provider)).flatten() else {
            return outcome;
        };
        let _turn = self.turn.lock().await;
        let witnessed = match self.recall(&accused) {
            Some(witnessed) => witnessed,
            None => {
                let witnessed = self.ask(&accused).await;
                let said = Some((self.clock.now(), accused, witnessed.clone()));
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = said;
                witnessed
            }
        };
        excuse(outcome, &witnessed)
    }

    fn recall(&self, accused: &WitnessAddress) -> Option<Witnessed> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, about, witnessed) = last.as_ref()?;
        // That nothing answers holds for everybody; that something did holds for the one it was asked about.
        let fits = about == accused || matches!(witnessed, Witnessed::Offline(_));
        (fits && self.clock.now().saturating_duration_since(*at) < HOLDS).then(|| witnessed.clone())
    }

    async fn ask(&self, accused: &WitnessAddress) -> Witnessed {
        let addresses: Vec<WitnessAddress> = match &self.settings {
            Witness::None => return Witnessed::NoWitness,
            Witness::Addresses(addresses) => addresses.iter().take(ASKED).cloned().collect(),
            Witness::Providers => self.others(accused),
        };
        if addresses.is_empty() {
            return Witnessed::NoWitness;
        }
        let asked = addresses.len();
        let mut asking = JoinSet::new();
        for address in addresses {
            asking.spawn(async move { TcpStream::connect((address.host(), address.port())).await });
        }
        let answered = async {
            while let Some(joined) = asking.join_next().await {
                match joined {
                    // A refusal came from somewhere, so the network works.
                    Ok(Ok(_)) => return true,
                    Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => return true,
                    Ok(Err(_)) | Err(_) => {}
                }
            }
            false
        };
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(true) => Witnessed::Online,
            Ok(false) | Err(_) => Witnessed::Offline(asked),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::outcome::{Code, Proof, Stage, Verdict, judge, sample};
    use crate::run::SystemClock;

    fn unreachable() -> Outcome {
        let ready = sample::ready("synthetic", "glm", "hf:zai-org/GLM-4.6");
        let diagnosis = sample::diagnosis(Code::DnsFailed, Stage::Resolve, "no answer", "Look at the name server.");
        sample::failed(ready, diagnosis, Proof::Nothing, None)
    }

    fn asking(settings: Witness) -> Asking {
        Asking::new(settings, Arc::new(SystemClock))
    }

    /// A port of this machine where somebody listens, or did.
    async fn port() -> (TcpListener, WitnessAddress) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = WitnessAddress::parse(&listener.local_addr().unwrap().to_string()).unwrap();
        (listener, address)
    }

    async fn code(settings: Witness) -> Code {
        asking(settings).judge(unreachable()).await.diagnosis.unwrap().code
    }

    #[tokio::test]
    async fn somebody_else_who_answers_or_refuses_shows_that_we_are_online() {
        let (listener, address) = port().await;
        assert_eq!(code(Witness::Addresses(vec![address.clone()])).await, Code::DnsFailed);
        drop(listener);
        assert_eq!(code(Witness::Addresses(vec![address])).await, Code::DnsFailed);
    }

    #[tokio::test]
    async fn nobody_who_can_be_reached_is_our_own_fault() {
        // A name that cannot exist (RFC 2606).
        let nowhere = WitnessAddress::parse("witness.invalid:443").unwrap();
        let asking = asking(Witness::Addresses(vec![nowhere]));
        let outcome = asking.judge(unreachable()).await;
        assert_eq!(judge(&outcome), Verdict::Unknown);
        assert_eq!(outcome.diagnosis.unwrap().code, Code::Offline);
        // Who fails at the same time hears the same, without another question.
        assert!(asking.recall(&WitnessAddress::parse("other.example:443").unwrap()).is_some());
    }

    #[tokio::test]
    async fn without_anybody_to_ask_the_target_is_blamed() {
        assert_eq!(code(Witness::None).await, Code::DnsFailed);
        assert_eq!(code(Witness::Providers).await, Code::DnsFailed);
    }

    #[tokio::test]
    async fn a_provider_bears_witness_when_it_was_reached_lately() {
        let asking = asking(Witness::Providers);
        let at = |url: &str| {
            let mut provider = sample::provider("p");
            provider.base_url = crate::target::BaseUrl::parse(url).unwrap();
            provider
        };
        let accused = WitnessAddress::parse("api.example.com:443").unwrap();
        assert_eq!(asking.others(&accused), []);
        asking.reached(&at("https://api.example.com/v1"));
        asking.reached(&at("https://10.0.0.7:8000/v1"));
        assert_eq!(asking.others(&accused), [], "neither itself, nor one in a private network");
        asking.reached(&at("https://other.example/v1"));
        let others = asking.others(&accused);
        assert_eq!(others.iter().map(ToString::to_string).collect::<Vec<_>>(), ["other.example:443"]);
        assert_eq!(asking.anew(Witness::Providers).others(&accused), others, "a reload forgets nobody");
    }

    #[test]
    fn the_other_providers_are_the_witness_of_one() {
        let elsewhere = |url: &str| {
            let mut provider = sample::provider("p");
            provider.base_url = crate::target::BaseUrl::parse(url).unwrap();
            address(&provider).map(|address| address.to_string())
        };
        assert_eq!(elsewhere("https://api.example.com/v1").as_deref(), Some("api.example.com:443"));
        assert_eq!(elsewhere("https://[2001:db8::1]:8443/v1").as_deref(), Some("[2001:db8::1]:8443"));
        assert_eq!(elsewhere("http://127.0.0.1:8000/v1"), None);

        // Behind a proxy it is the proxy that we reach, or do not; one on this machine says nothing of the network.
        let behind = |proxy: &str| {
            let (proxy, login) = crate::target::parse_proxy(proxy).unwrap();
            let source = crate::target::ProxySource::ProbesFile;
            let mut provider = sample::provider("p");
            let forward = crate::target::ForwardProxy { address: proxy, login, source };
            provider.network.proxy = crate::target::Proxy::Through(Box::new(forward));
            address(&provider).map(|address| address.to_string())
        };
        assert_eq!(behind("http://proxy.example.com:3128").as_deref(), Some("proxy.example.com:3128"));
        assert_eq!(behind("http://127.0.0.1:3128"), None);
    }
}
