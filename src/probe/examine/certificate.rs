//! A certificate as a person wants to see it: whose, by whom, from when until when, for which names, with what key.

use std::net::IpAddr;

use jiff::Timestamp;
use rustls::client::verify_server_name;
use rustls::server::ParsedCertificate;
use rustls_pki_types::{CertificateDer, ServerName};
use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Reader, SliceReader};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::Time;

use crate::outcome::CertificateSeen;
use crate::probe::wire::text::clean;

/// The longest name that is shown, in characters, and how many names of a certificate are.
const NAME: usize = 120;
const NAMES: usize = 8;

/// Reads a certificate. `host` is given for the server's own. One that cannot be read has only that to say.
pub(super) fn read(der: &CertificateDer<'_>, host: Option<&ServerName<'_>>) -> CertificateSeen {
    let covers_host = host.map(|host| {
        ParsedCertificate::try_from(der).is_ok_and(|certificate| verify_server_name(&certificate, host).is_ok())
    });
    let Ok(certificate) = Certificate::from_der(der) else {
        let unread = "a certificate that cannot be read".to_owned();
        return CertificateSeen {
            subject: unread,
            issuer: String::new(),
            from: None,
            until: None,
            key: String::new(),
            names: Vec::new(),
            covers_host,
        };
    };
    let content = &certificate.tbs_certificate;
    CertificateSeen {
        subject: clean(&content.subject.to_string(), NAME),
        issuer: clean(&content.issuer.to_string(), NAME),
        from: moment(content.validity.not_before),
        until: moment(content.validity.not_after),
        key: key(&content.subject_public_key_info),
        names: names(&certificate),
        covers_host,
    }
}

fn moment(time: Time) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(time.to_unix_duration().as_secs()).ok()?).ok()
}

/// The kind of a key. One that is not known is told by its number, which can be looked up.
fn key(info: &SubjectPublicKeyInfoOwned) -> String {
    const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
    const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
    const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
    const CURVES: [(&str, &str); 3] =
        [("1.2.840.10045.3.1.7", "ECDSA P-256"), ("1.3.132.0.34", "ECDSA P-384"), ("1.3.132.0.35", "ECDSA P-521")];
    match info.algorithm.oid {
        RSA => rsa_bits(info).map_or_else(|| "RSA".to_owned(), |bits| format!("RSA {bits}")),
        EC => {
            let curve = info.algorithm.parameters.as_ref().and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok());
            let curve = curve.map(|curve| curve.to_string());
            let known = CURVES.iter().find(|(number, _)| Some(*number) == curve.as_deref());
            known.map_or_else(|| "ECDSA".to_owned(), |(_, name)| (*name).to_owned())
        }
        ED25519 => "Ed25519".to_owned(),
        other => format!("key algorithm {other}"),
    }
}

/// The length of an RSA modulus.
fn rsa_bits(info: &SubjectPublicKeyInfoOwned) -> Option<usize> {
    let bytes = info.subject_public_key.as_bytes()?;
    let mut reader = SliceReader::new(bytes).ok()?;
    reader
        .sequence(|inside| {
            let modulus = UintRef::decode(inside)?;
            let _exponent = UintRef::decode(inside)?;
            Ok(modulus.as_bytes().len() * 8)
        })
        .ok()
}

fn names(certificate: &Certificate) -> Vec<String> {
    let Ok(Some((_, SubjectAltName(names)))) = certificate.tbs_certificate.get::<SubjectAltName>() else {
        return Vec::new();
    };
    let name = |name: &GeneralName| match name {
        GeneralName::DnsName(name) => Some(clean(name.as_str(), NAME)),
        GeneralName::IpAddress(octets) => address(octets.as_bytes()).map(|address| address.to_string()),
        _ => None,
    };
    names.iter().filter_map(name).take(NAMES).collect()
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    fn made() -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["api.example.com".to_owned(), "::1".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "api\u{1b}[2J.example.com");
        params.not_before = rcgen::date_time_ymd(2026, 1, 2);
        params.not_after = rcgen::date_time_ymd(2026, 12, 31);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().into()
    }

    #[test]
    fn a_certificate_is_read_and_cleaned() {
        let seen = read(&made(), Some(&ServerName::try_from("api.example.com").unwrap()));
        assert!(seen.subject.contains("example.com") && !seen.subject.contains('\u{1b}'), "{}", seen.subject);
        assert_eq!(seen.subject, seen.issuer);
        assert_eq!(seen.from.unwrap().to_string(), "2026-01-02T00:00:00Z");
        assert_eq!(seen.until.unwrap().to_string(), "2026-12-31T00:00:00Z");
        assert_eq!(seen.key, "ECDSA P-256");
        assert_eq!(seen.names, ["api.example.com", "::1"]);
        assert_eq!(seen.covers_host, Some(true));
        let other = read(&made(), Some(&ServerName::try_from("other.example.com").unwrap()));
        assert_eq!(other.covers_host, Some(false));
    }

    #[test]
    fn what_is_no_certificate_is_said_so() {
        let seen = read(&CertificateDer::from(vec![0x30, 0x80, 1, 2, 3]), None);
        assert_eq!((seen.subject.as_str(), seen.from), ("a certificate that cannot be read", None));
    }
}
