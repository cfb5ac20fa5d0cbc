//! Every address of a name, each connected to apart: a name with one dead address fails for some and not for others.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::route::Way;
use crate::outcome::words::duration;
use crate::outcome::{AddressSeen, NameSeen, Reached};
use crate::probe::clock::Clock;
use crate::probe::transport::{DialFault, DialMarks, ProxyFault, name_fault};
use crate::probe::wire::text::clean;

/// How many addresses are tried. A name with more is a network of its own.
const TRIED: usize = 16;
/// The longest text of a fault, in characters.
const FAULT: usize = 120;

/// What a name came to.
pub(super) struct Resolved {
    pub name: NameSeen,
    pub addresses: Vec<SocketAddr>,
    /// How many were left out.
    pub more: usize,
}

/// Asks the resolver for all addresses of a way.
pub(super) async fn resolve(way: &Way<'_>, limit: Duration, clock: &dyn Clock) -> Resolved {
    let fixed = way.literal.map(|address| (NameSeen::Literal, address));
    let fixed = way.pinned.map(|address| (NameSeen::Pinned(address), address)).or(fixed);
    if let Some((name, address)) = fixed {
        return Resolved { name, addresses: vec![SocketAddr::new(address, way.port)], more: 0 };
    }
    let began = clock.now();
    let looked = tokio::time::timeout(limit, tokio::net::lookup_host((way.host.as_str(), way.port))).await;
    let fault = match looked {
        Ok(Ok(found)) => {
            let took = clock.now().saturating_duration_since(began);
            let mut addresses: Vec<SocketAddr> = Vec::new();
            for address in found {
                // The resolver names an address once for each kind of socket.
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            let more = addresses.len().saturating_sub(TRIED);
            addresses.truncate(TRIED);
            return Resolved { name: NameSeen::Found(took), addresses, more };
        }
        Ok(Err(error)) if way.is_proxied() => {
            DialFault::Proxy(ProxyFault::Unreachable(format!("its name: {}", clean(&error.to_string(), FAULT))))
        }
        Ok(Err(error)) => name_fault(clean(&error.to_string(), FAULT)),
        Err(_) => DialFault::ConnectTimeout { resolving: true },
    };
    let (code, evidence) = way.judged(fault, &DialMarks::default());
    let name = NameSeen::Failed { code, evidence };
    Resolved { name, addresses: Vec::new(), more: 0 }
}

/// Connects to each, all at the same time, and drops the connections. The order is that of the addresses.
pub(super) async fn connect_all(addresses: &[SocketAddr], limit: Duration, clock: &Arc<dyn Clock>) -> Vec<AddressSeen> {
    let mut trying = JoinSet::new();
    for (place, address) in addresses.iter().copied().enumerate() {
        let clock = Arc::clone(clock);
        trying.spawn(async move {
            let began = clock.now();
            let reached = match tokio::time::timeout(limit, TcpStream::connect(address)).await {
                Ok(Ok(_)) => Reached::Open(clock.now().saturating_duration_since(began)),
                Ok(Err(error)) => Reached::Closed(says(&error)),
                Err(_) if limit.is_zero() => Reached::Closed("not tried: the time was up".to_owned()),
                Err(_) => Reached::Closed(format!("no answer within {}", duration(limit))),
            };
            (place, AddressSeen { address, reached })
        });
    }
    let mut seen = Vec::new();
    while let Some(tried) = trying.join_next().await {
        seen.extend(tried.ok());
    }
    seen.sort_by_key(|(place, _)| *place);
    seen.into_iter().map(|(_, address)| address).collect()
}

/// Why a connection could not be made, in a few words.
fn says(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "refused".to_owned(),
        io::ErrorKind::TimedOut => "no answer in time".to_owned(),
        io::ErrorKind::NetworkUnreachable => "this machine has no way there".to_owned(),
        io::ErrorKind::HostUnreachable => "a router says that it cannot be reached".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine has no address of this family".to_owned(),
        io::ErrorKind::PermissionDenied => "forbidden on this machine (a firewall, a sandbox)".to_owned(),
        _ => clean(&error.to_string(), FAULT),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use jiff::Timestamp;

    use super::*;
    use crate::outcome::sample::provider;
    use crate::target::{BaseUrl, Provider};

    struct TestClock;

    #[expect(clippy::disallowed_methods, reason = "sockets run on real time")]
    impl Clock for TestClock {
        fn now(&self) -> Instant {
            Instant::now()
        }
        fn wall(&self) -> Timestamp {
            Timestamp::now()
        }
    }

    fn at(url: &str) -> Provider {
        Provider { base_url: BaseUrl::parse(url).unwrap(), ..provider("p") }
    }

    #[tokio::test]
    async fn each_family_is_told_apart_in_the_order_of_the_resolver() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        // The same port of the other family: nobody listens there.
        let closed = SocketAddr::new("::1".parse().unwrap(), open.port());
        let clock: Arc<dyn Clock> = Arc::new(TestClock);
        let seen = connect_all(&[closed, open], Duration::from_secs(5), &clock).await;
        let said: Vec<_> = seen.iter().map(|seen| (seen.address, seen.family(), seen.open().is_some())).collect();
        assert_eq!(said, [(closed, "v6", false), (open, "v4", true)]);
        assert!(matches!(&seen[0].reached, Reached::Closed(why) if !why.is_empty()), "{seen:?}");
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_has_its_code() {
        let way = at("http://no-such-host.invalid:1/v1");
        let resolved = resolve(&Way::of(&way), Duration::from_secs(5), &TestClock).await;
        let NameSeen::Failed { evidence, .. } = &resolved.name else { panic!("{:?}", resolved.name) };
        assert!(evidence.starts_with("no-such-host.invalid: "), "{evidence}");
        assert!(resolved.addresses.is_empty());
    }

    #[tokio::test]
    async fn an_address_in_the_url_is_not_resolved() {
        let way = at("http://[::1]:8080/v1");
        let resolved = resolve(&Way::of(&way), Duration::ZERO, &TestClock).await;
        assert_eq!((resolved.name, resolved.addresses), (NameSeen::Literal, vec!["[::1]:8080".parse().unwrap()]));
    }
}
