//! Reading PEM files when they are needed: only regular files, and never more than a bound. What is in them is for
//! `tls.rs` and `identity.rs`.
//!
//! `config/` looks at the same files when it loads. They are renewed while the service runs, so what held then need not
//! hold now.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::target::LARGEST_PEM;

/// Most sections of a file that are looked at. A system's whole set of authorities has 150.
const MOST_SECTIONS: usize = 20_000;

/// A whole PEM file. The reason where it cannot be had fits after the file's name: `cannot be read: …`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let irregular = || "is no regular file".to_owned();
    // Before it is opened: opening a pipe waits for somebody who writes.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(irregular());
    }
    let file = File::open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(irregular());
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(LARGEST_PEM).unwrap_or(u64::MAX);
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > LARGEST_PEM {
        return Err(format!("is larger than {LARGEST_PEM} bytes"));
    }
    Ok(bytes)
}

/// The authorities in a PEM file, and what is said of those that cannot be used, if there are any. One that is broken
/// does not spoil the others; none that holds is an error.
pub(super) fn authorities(bytes: &[u8]) -> Result<(RootCertStore, Option<String>), String> {
    let mut roots = RootCertStore::empty();
    let (mut seen, mut broken) = (0_usize, 0_usize);
    let mut first = None;
    for certificate in CertificateDer::pem_slice_iter(bytes).take(MOST_SECTIONS) {
        seen += 1;
        let added = certificate.map_err(|error| error.to_string());
        let added = added.and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()));
        if let Err(reason) = added {
            broken += 1;
            first.get_or_insert_with(|| format!("number {seen}: {reason}"));
        }
    }
    let skipped = first.map(|first| format!("{broken} of {seen} certificates cannot be used, {first}"));
    match skipped {
        Some(skipped) if roots.is_empty() => Err(skipped),
        None if roots.is_empty() => Err("there is no PEM certificate in it".to_owned()),
        skipped => Ok((roots, skipped)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_a_bounded_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        assert!(read(&file).unwrap_err().starts_with("cannot be read: "));
        assert_eq!(read(folder.path()).unwrap_err(), "is no regular file");
        std::fs::write(&file, vec![b'-'; LARGEST_PEM]).unwrap();
        assert_eq!(read(&file).unwrap().len(), LARGEST_PEM);
        std::fs::write(&file, vec![b'-'; LARGEST_PEM + 1]).unwrap();
        assert_eq!(read(&file).unwrap_err(), format!("is larger than {LARGEST_PEM} bytes"));
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_pipes_are_not_opened() {
        // It has an end, unlike /dev/zero, so a fault here does no harm.
        assert_eq!(read(Path::new("/dev/null")).unwrap_err(), "is no regular file");
        let folder = tempfile::tempdir().unwrap();
        let (pipe, link) = (folder.path().join("pipe"), folder.path().join("link"));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        assert_eq!(read(&link).unwrap_err(), "is no regular file");
    }

    #[test]
    fn one_broken_certificate_does_not_spoil_the_others() {
        let good = rcgen::generate_simple_self_signed(vec!["a.example.test".to_owned()]).unwrap().cert.pem();
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let garbled = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        let (roots, skipped) = authorities(good.as_bytes()).unwrap();
        assert_eq!((roots.len(), skipped), (1, None));
        let (roots, skipped) = authorities(format!("{broken}{good}{garbled}{good}").as_bytes()).unwrap();
        assert_eq!(roots.len(), 2);
        let skipped = skipped.unwrap();
        assert!(skipped.starts_with("2 of 4 certificates cannot be used, number 1: "), "{skipped}");
        let none = authorities(broken.as_bytes()).unwrap_err();
        assert!(none.starts_with("1 of 1 certificates cannot be used, number 1: "), "{none}");
        assert_eq!(authorities(b"").unwrap_err(), "there is no PEM certificate in it");
    }
}
