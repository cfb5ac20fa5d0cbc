//! TLS settings with a witness: the usual verification, plus the certificate that was shown and when TLS began.
//!
//! Verification is never weakened: the witness asks the platform's verifier (or one for the provider's own authorities)
//! and returns its answer.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientSessionStore, Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, DigitallySignedStruct, NamedGroup, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_cert::der::Decode;

use super::DialFault;
use super::identity::{self, Identity, IdentityError};
use super::marks::Marks;
use super::pem;
use crate::target::NetworkSettings;

/// Longest name of an issuer that is kept, in characters.
const LONGEST_NAME: usize = 200;

/// Why TLS cannot even be tried: our own settings. The text fits after "failed to".
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum TlsSetupError {
    #[error("read the certificate authorities in {path}: {reason}")]
    CaFile { path: PathBuf, reason: String },
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("load the system's certificate authorities: {0}")]
    System(String),
    #[error("set up TLS: {0}")]
    Settings(String),
}

/// What decides whom we trust.
#[derive(Clone)]
struct Verifier {
    inner: Arc<dyn ServerCertVerifier>,
    /// What cannot be used in `ca_file`.
    skipped: Option<String>,
}

/// Verifiers, loaded when first needed: reading the system's authorities costs 2.6 ms, which a probe of a plain or
/// private endpoint need not pay. A `ca_file` is read for every dial, for it is renewed while the service runs; its
/// verifier is built anew only where the bytes differ.
pub(in crate::probe) struct Trust {
    crypto: Arc<CryptoProvider>,
    system: Mutex<Option<Arc<dyn ServerCertVerifier>>>,
    files: Mutex<HashMap<PathBuf, (Vec<u8>, Verifier)>>,
}

impl Trust {
    pub(in crate::probe) fn new() -> Self {
        let crypto = Arc::new(rustls::crypto::ring::default_provider());
        Self { crypto, system: Mutex::default(), files: Mutex::default() }
    }

    fn verifier(&self, ca_file: Option<&Path>) -> Result<Verifier, TlsSetupError> {
        match ca_file {
            None => Ok(Verifier { inner: self.system()?, skipped: None }),
            Some(path) => self.file(path).map_err(|reason| TlsSetupError::CaFile { path: path.to_path_buf(), reason }),
        }
    }

    fn system(&self) -> Result<Arc<dyn ServerCertVerifier>, TlsSetupError> {
        let mut system = self.system.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(verifier) = &*system {
            return Ok(Arc::clone(verifier));
        }
        let verifier = rustls_platform_verifier::Verifier::new(Arc::clone(&self.crypto))
            .map_err(|error| TlsSetupError::System(error.to_string()))?;
        let verifier: Arc<dyn ServerCertVerifier> = Arc::new(verifier);
        *system = Some(Arc::clone(&verifier));
        Ok(verifier)
    }

    /// The verifier of a `ca_file` as it is now.
    fn file(&self, path: &Path) -> Result<Verifier, String> {
        let bytes = pem::read(path).map_err(|reason| format!("it {reason}"))?;
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, verifier)) = files.get(path)
            && *known == bytes
        {
            return Ok(verifier.clone());
        }
        let (roots, skipped) = pem::authorities(&bytes)?;
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.crypto))
            .build()
            .map_err(|error| error.to_string())?;
        let verifier = Verifier { inner, skipped: skipped.map(|skipped| format!("in {}, {skipped}", path.display())) };
        files.insert(path.to_path_buf(), (bytes, verifier.clone()));
        Ok(verifier)
    }

    /// Settings for clients that will never use TLS: they trust nobody.
    pub(super) fn unused(&self) -> Result<ClientConfig, TlsSetupError> {
        Ok(ClientConfig::builder_with_provider(Arc::clone(&self.crypto))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsSetupError::Settings(error.to_string()))?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth())
    }

    /// The settings of one probe. Every handshake is a full one: a resumed session would not show the certificate.
    pub(super) fn config(&self, settings: &NetworkSettings, marks: Marks) -> Result<ClientConfig, TlsSetupError> {
        self.made(settings, marks, None)
    }

    fn made(
        &self,
        settings: &NetworkSettings,
        marks: Marks,
        onlooker: Option<Arc<dyn Onlooker>>,
    ) -> Result<ClientConfig, TlsSetupError> {
        let ca_file = settings.ca_file.as_deref();
        let own = match &settings.client_certificate {
            Some(files) => Some(identity::load(files, &self.crypto)?),
            None => None,
        };
        let Verifier { inner, skipped } = self.verifier(ca_file)?;
        let verifier = Arc::new(Witness { inner, skipped, marks: marks.clone(), onlooker });
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.crypto))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsSetupError::Settings(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(Arc::new(Identity { own, marks: marks.clone() }));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = Resumption::store(Arc::new(HelloMark(marks)));
        Ok(config)
    }

    /// The settings of one probe, with somebody who looks on while the certificate is verified.
    pub(in crate::probe) fn watched(
        &self,
        settings: &NetworkSettings,
        marks: Marks,
        onlooker: Arc<dyn Onlooker>,
    ) -> Result<ClientConfig, DialFault> {
        Ok(self.made(settings, marks, Some(onlooker))?)
    }

    /// The settings for the proxy itself: whom we trust is the same, who we are is not its business.
    pub(super) fn proxy_config(&self, settings: &NetworkSettings) -> Result<ClientConfig, TlsSetupError> {
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.crypto))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsSetupError::Settings(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(self.verifier(settings.ca_file.as_deref())?.inner)
            .with_no_client_auth();
        Ok(config)
    }
}

impl From<TlsSetupError> for DialFault {
    fn from(error: TlsSetupError) -> Self {
        match error {
            TlsSetupError::Identity(error) => Self::OwnCertificate(error.to_string()),
            TlsSetupError::CaFile { .. } => Self::Authorities(error.to_string()),
            error => Self::Settings(error.to_string()),
        }
    }
}

/// Who is told which certificates a server shows. It has no say in whether they are good.
pub(in crate::probe) trait Onlooker: std::fmt::Debug + Send + Sync {
    /// They were shown, and are verified next.
    fn shown(&self, end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>], name: &ServerName<'_>);
}

/// Asks the real verifier, and notes what was shown.
#[derive(Debug)]
struct Witness {
    inner: Arc<dyn ServerCertVerifier>,
    skipped: Option<String>,
    marks: Marks,
    onlooker: Option<Arc<dyn Onlooker>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.marks.lock().certificate_ends = end_of(end_entity);
        if let Some(onlooker) = &self.onlooker {
            onlooker.shown(end_entity, intermediates, server_name);
        }
        let verified = self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if verified.is_err() {
            // The nearest to the authority that is missing.
            let mut marks = self.marks.lock();
            marks.issuer = issuer_of(intermediates.last().unwrap_or(end_entity));
            marks.skipped_authorities.clone_from(&self.skipped);
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// When a certificate ends, read from its DER form; nothing when it cannot be read (the verifier will say more).
fn end_of(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let certificate = x509_cert::Certificate::from_der(certificate).ok()?;
    let end = certificate.tbs_certificate.validity.not_after.to_unix_duration();
    Timestamp::from_second(i64::try_from(end.as_secs()).ok()?).ok()
}

/// Who issued a certificate: `CN=Corp Proxy CA,O=Corp`. Whoever made it chose the text, so it is short and clean.
fn issuer_of(certificate: &CertificateDer<'_>) -> Option<String> {
    let certificate = x509_cert::Certificate::from_der(certificate).ok()?;
    let text = certificate.tbs_certificate.issuer.to_string();
    let clean: String = text.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    (!clean.is_empty()).then_some(clean)
}

/// Keeps no session; its being asked marks the moment at which the ClientHello is built.
#[derive(Debug)]
struct HelloMark(Marks);

impl ClientSessionStore for HelloMark {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.set(|marks, now| {
            marks.hello.get_or_insert(now);
        });
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: rustls::client::Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<rustls::client::Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: rustls::client::Tls13ClientSessionValue) {}

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<rustls::client::Tls13ClientSessionValue> {
        self.0.set(|marks, now| {
            marks.hello.get_or_insert(now);
        });
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewed_file_of_authorities_is_seen_and_one_that_stays_is_not_loaded_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let renew = || {
            let made = rcgen::generate_simple_self_signed(vec!["a.example.test".to_owned()]).unwrap();
            std::fs::write(&path, made.cert.pem()).unwrap();
        };
        let trust = Trust::new();
        renew();
        let first = trust.file(&path).unwrap();
        assert!(Arc::ptr_eq(&first.inner, &trust.file(&path).unwrap().inner));
        renew();
        assert!(!Arc::ptr_eq(&first.inner, &trust.file(&path).unwrap().inner));
        std::fs::remove_file(&path).unwrap();
        assert!(trust.file(&path).is_err_and(|reason| reason.starts_with("it cannot be read: ")));
    }
}
