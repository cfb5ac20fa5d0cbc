//! A key seen from outside: where it came from and its shape, never what it is.

use crate::outcome::{KeySeen, PrefixSeen};
use crate::probe::Job;
use crate::probe::credential::judge;
use crate::target::{Credential, Depth};

/// The lengths that are told, by how many characters are enough for each: an exact one would help a guess.
const LENGTHS: [(usize, &str); 5] = [
    (8, "fewer than 8 characters"),
    (24, "8 to 23 characters"),
    (48, "24 to 47 characters"),
    (96, "48 to 95 characters"),
    (256, "96 to 255 characters"),
];

/// Looks at the key of a job.
pub(super) fn look(job: &Job) -> KeySeen {
    let provider = &job.target.provider;
    match &*job.credential {
        // A probe that only connects has no use for a key, so none was read.
        Credential::NotNeeded if job.depth == Depth::Connect => KeySeen::NotRead,
        Credential::NotNeeded => KeySeen::NotNeeded,
        Credential::Missing { fault, .. } => KeySeen::Missing { fault: fault.to_string() },
        Credential::Found { source, secret } => {
            let key = secret.expose().trim();
            let length = key.chars().count();
            let band =
                LENGTHS.iter().find(|(enough, _)| length < *enough).map_or("256 characters or more", |band| band.1);
            let prefix = match &provider.key_prefix {
                None => PrefixSeen::Undocumented,
                Some(prefix) if key.starts_with(prefix.as_str()) => PrefixSeen::Documented(prefix.clone()),
                Some(prefix) => PrefixSeen::Other(prefix.clone()),
            };
            KeySeen::Found {
                source: source.to_string(),
                length: band,
                prefix,
                fault: judge(&job.credential, provider).err().map(|fault| fault.evidence),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::outcome::sample::{provider, run_id, target};
    use crate::target::{CredentialSource, Provider, Secret};

    fn job(key: &str, prefix: Option<&str>) -> Job {
        let provider = Provider { key_prefix: prefix.map(str::to_owned), ..provider("p") };
        let source = CredentialSource::Env("THE_KEY".to_owned());
        Job {
            target: Arc::new(crate::target::Target { provider: Arc::new(provider), ..target("p", "t", "m") }),
            credential: Arc::new(Credential::Found { source, secret: Secret::new(key.to_owned()) }),
            depth: Depth::Warm,
            run_id: run_id(),
            cold_until: None,
        }
    }

    #[test]
    fn nothing_of_a_key_is_shown_but_a_prefix_that_is_public() {
        let seen = look(&job("syn_0123456789abcdef0123456789abcdef", Some("syn_")));
        let KeySeen::Found { source, length, prefix, fault } = &seen else { panic!("{seen:?}") };
        assert_eq!((source.as_str(), *length), ("the variable THE_KEY", "24 to 47 characters"));
        assert_eq!((prefix, fault), (&PrefixSeen::Documented("syn_".to_owned()), &None));
        assert!(!format!("{seen:?}").contains("0123"));
    }

    #[test]
    fn another_prefix_is_told_by_the_one_that_was_expected() {
        let seen = look(&job("sk-other-0123", Some("syn_")));
        assert!(!format!("{seen:?}").contains("sk-"), "{seen:?}");
        assert!(matches!(seen, KeySeen::Found { prefix: PrefixSeen::Other(wanted), .. } if wanted == "syn_"));
    }

    #[test]
    fn a_wrong_shape_is_told() {
        let seen = look(&job("\"syn_0123456789\"\n", None));
        assert!(matches!(&seen, KeySeen::Found { fault: Some(fault), .. } if fault.contains("line break")), "{seen:?}");
    }
}
