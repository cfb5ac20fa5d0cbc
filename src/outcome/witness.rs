//! Whose fault it is that nothing was reached: the target's, or our own connectivity's.
//!
//! The rules only. Somebody else asks the witness, which is any other address that ought to be reachable.

use std::fmt;

use super::{Class, Code, Diagnosis, Outcome};

/// An address that ought to be reachable whenever this machine is online: a host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WitnessAddress {
    host: String,
    port: u16,
}

impl WitnessAddress {
    /// Reads `host:port` or `[v6]:port`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port > 0)?;
        let bare = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').filter(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())?,
            None if host.contains(':') => return None,
            None => host,
        };
        let known = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        (!bare.is_empty() && bare.len() <= 253 && bare.chars().all(known)).then(|| Self { host: bare.to_owned(), port })
    }

    /// The name or address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for WitnessAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Who is asked whether this machine is online.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Witness {
    /// The hosts of the other providers: they are up, each on its own.
    #[default]
    Providers,
    /// These addresses. At least one.
    Addresses(Vec<WitnessAddress>),
    /// Nobody.
    None,
}

/// What the witness said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Witnessed {
    /// Something else could be reached, so this machine is online.
    Online,
    /// Nothing else could be reached: how many addresses were asked.
    Offline(usize),
    /// There was nobody to ask.
    NoWitness,
}

/// Whether an outcome raises the question: it could not be reached, in a way that a lost network of our own would
/// explain. A refused connection came from somewhere, so the network works; a target on this machine needs none.
#[must_use]
pub fn asks_witness(outcome: &Outcome) -> bool {
    let Some(diagnosis) = &outcome.diagnosis else { return false };
    let unexplained = match diagnosis.code {
        Code::ConnectRefused => false,
        Code::DnsNotFound
        | Code::DnsFailed
        | Code::ConnectTimeout
        | Code::ConnectFailed
        | Code::ProxyUnreachable
        | Code::TlsTimeout => true,
        code => code.class() == Class::Unreachable && code == Code::ConnectionLost,
    };
    unexplained && !outcome.target.provider.base_url.is_loopback()
}

/// The outcome in the light of what the witness said: nothing is blamed on a target while we are offline.
#[must_use]
pub fn excuse(mut outcome: Outcome, witnessed: &Witnessed) -> Outcome {
    if let (Witnessed::Offline(asked), Some(blamed)) = (witnessed, &outcome.diagnosis) {
        let others = if *asked == 1 { "one other address".to_owned() } else { format!("{asked} other addresses") };
        let stage = blamed.stage;
        let evidence = format!("{others} could not be reached either; {}: {}", blamed.code, blamed.evidence);
        outcome.diagnosis = Some(Diagnosis {
            code: Code::Offline,
            stage,
            evidence,
            remedy: "Nothing can be said of the target: look at this machine's own network, name server and firewall."
                .to_owned(),
            reset: None,
            nearest: Vec::new(),
        });
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Proof, Stage, Verdict, judge, sample};
    use crate::target::BaseUrl;
    use std::sync::Arc;

    fn broken(code: Code) -> Outcome {
        let ready = sample::ready("synthetic", "glm", "hf:zai-org/GLM-4.6");
        let diagnosis = sample::diagnosis(code, Stage::Resolve, "no such host", "Look at the name.");
        sample::failed(ready, diagnosis, Proof::Nothing, None)
    }

    #[test]
    fn addresses_read_as_people_write_them() {
        for text in ["example.com:443", "192.0.2.1:53", "[2001:db8::1]:443"] {
            assert_eq!(WitnessAddress::parse(text).unwrap().to_string(), text);
        }
        for text in ["example.com", "example.com:0", ":443", "2001:db8::1:443", "https://a:443", "a:99999", "[x]:1"] {
            assert_eq!(WitnessAddress::parse(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_is_blamed_on_a_target_while_we_are_offline() {
        let outcome = broken(Code::DnsNotFound);
        assert!(asks_witness(&outcome));
        let excused = excuse(outcome.clone(), &Witnessed::Offline(2));
        assert_eq!(judge(&excused), Verdict::Unknown);
        let diagnosis = excused.diagnosis.unwrap();
        assert_eq!(diagnosis.code, Code::Offline);
        assert_eq!(diagnosis.evidence, "2 other addresses could not be reached either; dns-not-found: no such host");
        for witnessed in [Witnessed::Online, Witnessed::NoWitness] {
            assert_eq!(judge(&excuse(outcome.clone(), &witnessed)), Verdict::Failed);
        }
    }

    #[test]
    fn a_refusal_or_an_answer_needs_no_witness() {
        for code in [Code::ConnectRefused, Code::KeyRefused, Code::TlsUntrusted, Code::FirstTokenTimeout] {
            assert!(!asks_witness(&broken(code)), "{code}");
        }
        assert!(!asks_witness(&sample::ready("synthetic", "glm", "m")));
    }

    #[test]
    fn a_target_on_this_machine_needs_no_network() {
        let mut outcome = broken(Code::ConnectTimeout);
        let mut target = (*outcome.target).clone();
        let mut provider = (*target.provider).clone();
        provider.base_url = BaseUrl::parse("http://127.0.0.1:8000/v1").unwrap();
        target.provider = Arc::new(provider);
        outcome.target = Arc::new(target);
        assert!(!asks_witness(&outcome));
    }
}
