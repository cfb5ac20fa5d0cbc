//! From a name to the addresses that are tried: the system's resolver, and what the provider's settings make of it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::marks::Marks;
use crate::target::{AddressFamily, NetworkSettings};

/// The name has addresses, and the settings exclude every one of them.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Excluded(pub String);

/// Looks names up, and leaves marks.
#[derive(Clone)]
pub(super) struct Names {
    marks: Marks,
    family: AddressFamily,
    pinned: Option<IpAddr>,
}

impl Names {
    pub(super) fn new(marks: Marks, settings: &NetworkSettings) -> Self {
        Self { marks, family: settings.family, pinned: settings.address }
    }

    /// The addresses to try, in order. A pinned one needs no look-up, and so leaves no mark of one.
    pub(super) async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        if let Some(pinned) = self.pinned {
            self.marks.lock().addresses = vec![pinned];
            return Ok(vec![pinned]);
        }
        self.marks.set(|marks, now| marks.resolving = Some(now));
        let found: Vec<IpAddr> =
            tokio::net::lookup_host((name, 0)).await?.map(|address: SocketAddr| address.ip()).collect();
        let wanted = choose(name, found, self.family).map_err(io::Error::other)?;
        self.marks.set(|marks, now| {
            marks.resolved = Some(now);
            marks.addresses.clone_from(&wanted);
        });
        Ok(wanted)
    }
}

/// What the settings leave of a name's addresses.
fn choose(name: &str, found: Vec<IpAddr>, family: AddressFamily) -> Result<Vec<IpAddr>, Excluded> {
    let wanted = family.arrange(found.clone());
    match found.first() {
        Some(other) if wanted.is_empty() => {
            let (has, wants) = if other.is_ipv4() { ("IPv4", "IPv6") } else { ("IPv6", "IPv4") };
            let listed: Vec<String> = found.iter().take(4).map(ToString::to_string).collect();
            let text = format!("{name} has only {has} addresses ({}), and only {wants} is allowed", listed.join(", "));
            Err(Excluded(text))
        }
        _ => Ok(wanted),
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let names = self.clone();
        Box::pin(async move {
            let addresses = names.addresses(name.as_str()).await?;
            // The port is replaced by the connector.
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::transport::DialFault;
    use crate::probe::transport::fault::dial_fault;

    #[test]
    fn a_name_without_an_allowed_address_says_what_it_has() {
        let v4: Vec<IpAddr> = vec!["10.0.0.1".parse().unwrap()];
        assert_eq!(choose("llm.example.test", v4.clone(), AddressFamily::PreferV6).unwrap(), v4);
        let excluded = choose("llm.example.test", v4, AddressFamily::V6).unwrap_err();
        let text = "llm.example.test has only IPv4 addresses (10.0.0.1), and only IPv6 is allowed";
        assert_eq!(excluded.0, text);
        let fault = dial_fault(&io::Error::other(excluded), true, false);
        assert_eq!(fault, DialFault::Excluded(text.to_owned()));
    }
}
