//! Remedies with the target's own values in them.

use std::time::Duration;

use crate::outcome::{Code, Reset};
use crate::target::{Credential, CredentialSource, Target};

/// What a failed stage knows that a remedy may name.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known<'a> {
    pub nearest: &'a [String],
    pub location: Option<&'a str>,
    pub reset: Option<&'a Reset>,
}

/// The sentences of a code's remedy, joined; those that name something unknown are left out.
pub(super) fn remedy(code: Code, target: &Target, credential: &Credential, known: Known<'_>) -> String {
    let sentences = code.explain().remedy.iter().filter_map(|sentence| fill(sentence, target, credential, known));
    sentences.collect::<Vec<_>>().join(" ")
}

/// One sentence with its places filled, or nothing when a value is not known.
fn fill(sentence: &str, target: &Target, credential: &Credential, known: Known<'_>) -> Option<String> {
    let mut text = String::with_capacity(sentence.len() + 32);
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        text.push_str(before);
        // `{ file: … }` in a remedy is YAML for the reader, not a place to fill.
        if name.starts_with(' ') {
            text.push('{');
            text.push_str(name);
            text.push('}');
        } else {
            text.push_str(&value(name, target, credential, known)?);
        }
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

fn value(name: &str, target: &Target, credential: &Credential, known: Known<'_>) -> Option<String> {
    let provider = &target.provider;
    match name {
        "target" => Some(target.id.to_string()),
        "title" => Some(provider.title.clone()),
        "model" => Some(target.model.to_string()),
        "host" => Some(provider.base_url.host()),
        "base_url" => Some(provider.base_url.to_string()),
        "key_source" => Some(source(credential).unwrap_or(&provider.key).to_string()),
        "key_page" => provider.key_page.clone(),
        "billing_page" => provider.billing_page.clone(),
        "status_page" => provider.status_page.clone(),
        "cold_start" => Some(format!("now {}", words(target.expect.cold_start))),
        "nearest" => (!known.nearest.is_empty()).then(|| known.nearest.join(", ")),
        "location" => known.location.map(str::to_owned),
        "wait" => known.reset.map(|reset| format!("in {}", words(reset.after))),
        _ => None,
    }
}

fn source(credential: &Credential) -> Option<&CredentialSource> {
    match credential {
        Credential::NotNeeded => None,
        Credential::Found { source, .. } | Credential::Missing { source, .. } => Some(source),
    }
}

/// A duration in a sentence: `350ms`, `3.4s`, `45s`, `12m`, `3h 20m`, `2d 4h`. Rounded up, so that nobody comes back too
/// soon.
pub(super) fn words(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        return format!("{}ms", duration.as_millis());
    }
    let tenths = duration.as_millis().div_ceil(100);
    if tenths < 100 && tenths % 10 != 0 {
        return format!("{}.{}s", tenths / 10, tenths % 10);
    }
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=3599 => format!("{}m", seconds.div_ceil(60)),
        3600..=86_399 if minutes == 0 => format!("{hours}h"),
        3600..=86_399 => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well_and_are_never_short() {
        for (seconds, text) in
            [(1, "1s"), (119, "119s"), (121, "3m"), (720, "12m"), (12_000, "3h 20m"), (187_200, "2d 4h")]
        {
            assert_eq!(words(Duration::from_secs(seconds)), text);
        }
        assert_eq!(words(Duration::from_millis(1500)), "1.5s");
        assert_eq!(words(Duration::from_millis(3_410)), "3.5s");
        assert_eq!(words(Duration::from_millis(9_960)), "10s");
        assert_eq!(words(Duration::from_millis(45)), "45ms");
    }
}
