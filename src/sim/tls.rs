//! TLS for the simulator's doors: certificates made at the start, good ones and each kind of bad one.
//!
//! A private authority signs them; [`Authority::pem`] is what a client must trust. Nothing is written to disk.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use serde::Deserialize;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

const DAY: Duration = Duration::from_secs(86_400);

/// What a door does about TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum TlsMode {
    /// Plain HTTP.
    #[default]
    Off,
    /// A certificate for `localhost`, `llm.example.test` and the loopback addresses, signed by the simulator's authority.
    Good,
    /// Ended a week ago.
    Expired,
    /// Good, and clients must show a certificate that the simulator's authority signed.
    ClientCertificate,
    /// Begins in a week.
    NotYetValid,
    /// Good, but ends soon.
    Expiring {
        /// Days until it ends.
        days: u32,
    },
    /// For another name.
    WrongName,
    /// Signed by an authority that nobody has heard of.
    Untrusted,
    /// Accepts the connection and never answers the handshake.
    Hang,
    /// Answers the handshake with bytes that are not TLS.
    Garbage,
    /// Refuses the handshake with the alert of a server that only speaks older versions.
    OldProtocol,
}

impl TlsMode {
    /// Whether clients reach this door with `https`.
    pub(crate) fn is_encrypted(self) -> bool {
        self != Self::Off
    }
}

/// Why certificates could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The certificate itself.
    #[error("make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// The server's TLS settings.
    #[error("configure the TLS server")]
    Server(#[from] tokio_rustls::rustls::Error),
    /// The check of clients' certificates.
    #[error("configure the check of clients' certificates")]
    Clients(#[from] VerifierBuilderError),
}

/// A certificate authority that lives as long as the simulator.
#[derive(Debug)]
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    now: SystemTime,
}

impl Authority {
    /// Makes an authority. `now` is the wall-clock time that validity is counted from.
    pub(crate) fn new(name: &str, now: SystemTime) -> Result<Self, TlsError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        // Older than any certificate that it signs, or a client would complain about the authority instead.
        params.not_before = now.checked_sub(400 * DAY).unwrap_or(now).into();
        params.not_after = now.checked_add(400 * DAY).unwrap_or(now).into();
        let own = params.self_signed(&key)?;
        let (certificate, pem) = (own.der().clone(), own.pem());
        Ok(Self { issuer: Issuer::new(params, key), certificate, pem, now })
    }

    /// A client's certificate that it signed, with its private key.
    pub(crate) fn client_pem(&self) -> Result<String, TlsError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "pilotlight sim client");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = self.now.checked_sub(DAY).unwrap_or(self.now).into();
        params.not_after = self.now.checked_add(90 * DAY).unwrap_or(self.now).into();
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
    }

    /// The authority's certificate, for a client to trust.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Makes the server side of a door; `None` for the modes that never complete a handshake.
    pub(crate) fn acceptor(&self, mode: TlsMode) -> Result<Option<TlsAcceptor>, TlsError> {
        let later = |span: Duration| self.now.checked_add(span).unwrap_or(self.now);
        let earlier = |span: Duration| self.now.checked_sub(span).unwrap_or(self.now);
        let validity = match mode {
            TlsMode::Off | TlsMode::Hang | TlsMode::Garbage | TlsMode::OldProtocol => {
                return Ok(None);
            }
            TlsMode::Good | TlsMode::ClientCertificate | TlsMode::WrongName | TlsMode::Untrusted => {
                (earlier(DAY), later(90 * DAY))
            }
            TlsMode::Expired => (earlier(97 * DAY), earlier(7 * DAY)),
            TlsMode::NotYetValid => (later(7 * DAY), later(97 * DAY)),
            TlsMode::Expiring { days } => (earlier(83 * DAY), later(DAY.saturating_mul(days))),
        };
        let names = match mode {
            TlsMode::WrongName => vec!["wrong.example.test".to_owned()],
            _ => ["localhost", "127.0.0.1", "::1", "llm.example.test"].map(str::to_owned).to_vec(),
        };
        let stranger = Self::new("pilotlight sim stranger", self.now)?;
        let issuer = if mode == TlsMode::Untrusted { &stranger.issuer } else { &self.issuer };
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "pilotlight sim");
        (params.not_before, params.not_after) = (validity.0.into(), validity.1.into());
        let certificate: CertificateDer<'static> = params.signed_by(&key, issuer)?.into();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let crypto = Arc::new(ring::default_provider());
        let verifier = if mode == TlsMode::ClientCertificate {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate.clone())?;
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&crypto)).build()?
        } else {
            WebPkiClientVerifier::no_client_auth()
        };
        let mut config = ServerConfig::builder_with_provider(crypto)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Some(TlsAcceptor::from(Arc::new(config))))
    }
}

/// A fatal `protocol_version` alert in a TLS 1.0 record: what a server that is too old sends.
pub(crate) const OLD_PROTOCOL_ALERT: &[u8] = &[0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46];

/// Whether an address is one that the simulator may bind.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => {
            address == Ipv6Addr::LOCALHOST || address.to_ipv4_mapped().is_some_and(|v4: Ipv4Addr| v4.is_loopback())
        }
    }
}
