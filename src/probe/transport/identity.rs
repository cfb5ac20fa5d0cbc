//! Who we are, for a server that asks for a certificate: our certificate and its key, and the note that it was asked for.

use std::path::Path;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::marks::Marks;
use super::pem;
use crate::target::ClientCertificate;

/// Why our certificate cannot be used. The text fits after "failed to"; no part of a key is in it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("use the client certificate: {0}")]
pub(super) struct IdentityError(pub String);

/// Reads our certificate and its key. They are read for every dial: both are renewed while the service runs.
pub(super) fn load(files: &ClientCertificate, crypto: &CryptoProvider) -> Result<Arc<CertifiedKey>, IdentityError> {
    let (certificate, key) = (files.certificate.display(), files.key.display());
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(&files.certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|error| IdentityError(format!("{certificate}: {error}")))?;
    if chain.is_empty() {
        return Err(IdentityError(format!("there is no PEM certificate in {certificate}")));
    }
    let bytes = read(&files.key)?;
    let encrypted = [&b"ENCRYPTED PRIVATE KEY"[..], b"Proc-Type: 4,ENCRYPTED"];
    if encrypted.iter().any(|mark| bytes.windows(mark.len()).any(|window| window == *mark)) {
        return Err(IdentityError(format!("the private key in {key} is encrypted")));
    }
    // What the parser says of a key may repeat parts of it, so it is not shown.
    let private = PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|_| IdentityError(format!("there is no PEM private key in {key}")))?;
    CertifiedKey::from_der(chain, private, crypto).map(Arc::new).map_err(|error| {
        IdentityError(match error {
            rustls::Error::InconsistentKeys(_) => {
                format!("the private key in {key} does not belong to the certificate in {certificate}")
            }
            error => format!("{key}: {error}"),
        })
    })
}

fn read(path: &Path) -> Result<Vec<u8>, IdentityError> {
    pem::read(path).map_err(|reason| IdentityError(format!("{} {reason}", path.display())))
}

/// Gives our certificate to a server that asks for one, and notes that it did.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) own: Option<Arc<CertifiedKey>>,
    pub(super) marks: Marks,
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.marks.lock().certificate_asked = true;
        let own = self.own.as_ref()?;
        own.key.choose_scheme(schemes).map(|_| Arc::clone(own))
    }

    fn has_certs(&self) -> bool {
        self.own.is_some()
    }
}
