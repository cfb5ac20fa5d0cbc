//! What a look in depth at one target found, rung by rung: the facts behind `pilotlight diagnose`.
//!
//! An [`Outcome`](super::Outcome) stops at the first broken rung; an examination goes on wherever it can. It judges nothing:
//! the verdict is the outcome's. Every text in it is clean: one line, bounded, without control characters, and without any
//! part of a key but a prefix that its provider documents.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Code, QuotaSeen};

/// What was found of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Examination {
    /// Where the connection goes.
    pub route: Route,
    /// How the name became addresses.
    pub name: NameSeen,
    /// Every address, at most 16, in the resolver's order.
    pub addresses: Vec<AddressSeen>,
    /// How many more there were.
    pub more_addresses: usize,
    /// A TLS handshake with the first address of each family that could be reached. Empty where the URL is plain http.
    pub handshakes: Vec<HandshakeSeen>,
    /// How this machine's clock stands against the server's.
    pub skew: Option<Skew>,
    /// The key, seen from outside.
    pub key: KeySeen,
    /// What the free endpoint said, where there is one and it could be asked.
    pub free: Option<Asked>,
    /// What the list of LLMs said, where there is one and it could be asked.
    pub catalogue: Option<CatalogueSeen>,
    /// What the free endpoints said of limits.
    pub quota: QuotaSeen,
    /// Why nothing was asked, where nothing was.
    pub not_asked: Option<String>,
    /// The request that warms.
    pub request: RequestSeen,
}

/// Where a connection goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The host whose name is resolved: the provider's, or the proxy's.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The proxy in use, without a password, and who named it. Then the addresses are the proxy's.
    pub proxy: Option<String>,
    /// What else is worth saying of it: why there is no proxy, which addresses are used.
    pub remarks: Vec<String>,
}

/// How a name became addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameSeen {
    /// The URL has an address in it.
    Literal,
    /// The configuration says which address to use.
    Pinned(IpAddr),
    /// The resolver found some.
    Found(Duration),
    /// It did not.
    Failed {
        /// What that means.
        code: Code,
        /// What was seen.
        evidence: String,
    },
}

/// One address, and whether it takes connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressSeen {
    /// The address and the port.
    pub address: SocketAddr,
    /// What came of connecting.
    pub reached: Reached,
}

/// What came of connecting to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// It took the connection, after this time.
    Open(Duration),
    /// It did not, in a few words.
    Closed(String),
}

impl AddressSeen {
    /// The time to connect, where it could be.
    #[must_use]
    pub fn open(&self) -> Option<Duration> {
        match &self.reached {
            Reached::Open(took) => Some(*took),
            Reached::Closed(_) => None,
        }
    }

    /// `v4` or `v6`.
    #[must_use]
    pub fn family(&self) -> &'static str {
        if self.address.is_ipv4() { "v4" } else { "v6" }
    }
}

/// One TLS handshake. Nothing was sent on its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandshakeSeen {
    /// With whom; absent where it went through a proxy.
    pub address: Option<SocketAddr>,
    /// How long it took, or how long until it failed.
    pub took: Duration,
    /// `TLS 1.3`, where one was agreed on.
    pub version: Option<String>,
    /// `TLS13_AES_256_GCM_SHA384`, where one was agreed on.
    pub cipher: Option<String>,
    /// `http/1.1`, where one was agreed on.
    pub alpn: Option<String>,
    /// The certificates that were shown, the server's own first; at most 10.
    pub chain: Vec<CertificateSeen>,
    /// Why it failed; absent where the certificate was trusted.
    pub fault: Option<(Code, String)>,
}

/// One certificate of a chain, as it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateSeen {
    /// Whose it is: `CN=api.example.com`.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// From when it holds.
    pub from: Option<Timestamp>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// The kind of its key: `ECDSA P-256`, `RSA 2048`.
    pub key: String,
    /// The names in it, at most 8.
    pub names: Vec<String>,
    /// Whether it is for the host that was asked for; absent for all but the server's own.
    pub covers_host: Option<bool>,
}

/// How this machine's clock stands against the `Date` of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skew {
    /// What the server said.
    pub date: Timestamp,
    /// By how much this machine is ahead of that; behind where it is negative.
    pub ahead: SignedDuration,
    /// How far that may be off: half of the round trip, and half of the second that the header is rounded to.
    pub within: Duration,
}

impl Skew {
    /// Less than this is no news: nothing that a probe meets depends on it.
    const WORTH_TELLING: SignedDuration = SignedDuration::from_secs(2);

    /// Whether a person should know.
    #[must_use]
    pub fn matters(&self) -> bool {
        let surely = SignedDuration::try_from(self.within).unwrap_or(SignedDuration::MAX);
        self.ahead.abs() > Self::WORTH_TELLING.max(surely)
    }
}

/// A key, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySeen {
    /// The provider needs none.
    NotNeeded,
    /// Nobody asked for more than a connection, so it was not read.
    NotRead,
    /// There is none where one was expected.
    Missing {
        /// What was found instead.
        fault: String,
    },
    /// There is one.
    Found {
        /// Where it was found: `the variable SYNTHETIC_API_KEY`.
        source: String,
        /// About how long it is: `32 to 63 characters`.
        length: &'static str,
        /// How it begins.
        prefix: PrefixSeen,
        /// What is wrong with its shape, as the whole sentence of the evidence.
        fault: Option<String>,
    },
}

/// How a key begins, against what its provider documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrefixSeen {
    /// As documented: `syn_`.
    Documented(String),
    /// Otherwise than documented; what was expected.
    Other(String),
    /// Nothing is documented.
    Undocumented,
}

/// Whether a request carried the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carried {
    /// It did.
    Key,
    /// It did not: there is none, it cannot be sent, or the endpoint is public.
    NoKey,
}

/// A free request and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Where: `/v2/quotas`.
    pub path: String,
    /// Whether with the key.
    pub carried: Carried,
    /// The status, where there was an answer.
    pub status: Option<u16>,
    /// To the answer's head.
    pub took: Option<Duration>,
    /// The provider's id of the request, for its support.
    pub request_id: Option<String>,
    /// What it said: the fields of an object, the words of a refusal.
    pub says: String,
    /// What is wrong with it, where something is.
    pub code: Option<Code>,
    /// What that shows, in a few words.
    pub shows: String,
}

/// What a list of LLMs said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueSeen {
    /// The request and its answer.
    pub asked: Asked,
    /// What was in it, where it could be read.
    pub found: Option<Listing>,
}

/// What was in a list of LLMs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// How many there are.
    pub total: usize,
    /// Whether the target's is among them.
    pub listed: bool,
    /// The ids that are nearest to it, where it is not; at most three.
    pub nearest: Vec<String>,
    /// The first ids of the list, at most five.
    pub first: Vec<String>,
}

/// A request, as one would repeat it by hand. No value in it is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSeen {
    /// Whether a probe really sent it, or would have.
    pub made: Made,
    /// The URL.
    pub url: String,
    /// Its headers.
    pub headers: Vec<HeaderSeen>,
    /// The body, byte for byte.
    pub body: String,
    /// Where the key is, for those that are not in a variable: `the file key.txt`.
    pub key_source: Option<String>,
    /// The file with the authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// The proxy.
    pub proxy: ProxySeen,
    /// The one family of addresses that is used, where it is one: `v4`.
    pub only: Option<&'static str>,
    /// Our own certificate and its key.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// The address to use instead of the resolver's.
    pub address: Option<(String, u16, IpAddr)>,
}

/// What a client that repeats a request must know of proxies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxySeen {
    /// It goes through this one, whose URL is without a password.
    Through(String),
    /// It goes through none, whatever the environment says.
    Avoided,
    /// Nothing was said.
    Nothing,
}

/// Whether a request was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Made {
    /// It was sent.
    Sent,
    /// It was not: a rung below broke, or it was not asked for.
    NotSent,
}

/// A header of a request that can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderSeen {
    /// Its name, in lower case.
    pub name: String,
    /// What stands before the variable, or all of it: `Bearer `.
    pub text: String,
    /// The variable of the shell with the rest.
    pub variable: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_or_two_are_no_news_and_nor_is_what_a_slow_answer_leaves_open() {
        let skew = |ahead_ms: i64, within_ms: u64| Skew {
            date: Timestamp::UNIX_EPOCH,
            ahead: SignedDuration::from_millis(ahead_ms),
            within: Duration::from_millis(within_ms),
        };
        assert!(!skew(1_900, 510).matters());
        assert!(skew(2_100, 510).matters());
        assert!(skew(-192_000, 510).matters());
        assert!(!skew(9_000, 10_000).matters(), "an answer of 20 s says little of 9 s");
    }
}
