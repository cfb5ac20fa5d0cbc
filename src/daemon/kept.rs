//! What a learner is set up with, of which LLM it has learned, and what is kept beside the policy's own state. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::learner::Others;
use crate::plan::{TargetSchedule, WarmTrigger};
use crate::target::Target;
use crate::warmth::{Settings, Span};

/// Of the time that a cold start may take at most, it takes this part, as long as none was seen.
const EXPECTED_PART: u32 = 6;

/// What is told to the policy of a target; `None` where it is not warmed by `every: auto`.
#[must_use]
pub fn keeper_settings(target: &Target, schedule: Option<&TargetSchedule>) -> Option<Settings> {
    let warm = schedule?.warm.as_ref()?;
    (warm.trigger == WarmTrigger::Auto).then(|| Settings {
        cold_start: Span::from_seconds((target.expect.cold_start / EXPECTED_PART).as_secs_f64()),
        keep: warm.keep,
    })
}

/// What is kept of a learner in the store, around what the policy keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Of {
    model: String,
    base_url: String,
    /// What users' tools told before is not of this LLM: their target has named another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<Timestamp>,
    /// What the account's counter has told since the last touch.
    #[serde(default)]
    pub(super) others: Others,
}

impl Of {
    pub(super) fn new(target: &Target, since: Option<Timestamp>, others: Others) -> Self {
        Self { model: target.model.as_str().to_owned(), base_url: target.provider.base_url.to_string(), since, others }
    }

    /// Reads it out of what was kept.
    pub(super) fn read(kept: &str) -> Option<Self> {
        serde_json::from_str(kept).ok()
    }

    /// The two as one object, so that whoever knows the policy's can read it.
    pub(super) fn around(&self, policy: String) -> String {
        let of = serde_json::to_string(self).unwrap_or_default();
        match (of.strip_suffix('}'), policy.strip_prefix('{')) {
            (Some(of), Some(policy)) => format!("{of},{policy}"),
            _ => policy,
        }
    }
}

/// Whether what was kept is of a target's LLM.
pub(super) fn is_of(target: &Target, kept: &str) -> bool {
    Of::read(kept).is_some_and(|of| names(target, &of.model, &of.base_url))
}

/// Whether a target names this LLM at this place.
pub(super) fn names(target: &Target, model: &str, base_url: &str) -> bool {
    model == target.model.as_str() && base_url == target.provider.base_url.to_string()
}

/// Whether two targets name the same LLM at the same place: a request of one warms the other.
pub(super) fn share_llm(one: &Target, other: &Target) -> bool {
    one.model == other.model && one.provider.base_url == other.provider.base_url
}

/// Of which LLM something was learned, in words that change with it.
pub(super) fn llm(target: &Target) -> String {
    words(target.model.as_str(), &target.provider.base_url.to_string())
}

/// The same, of what was kept of a learner: by these words its observations are found in the store. `None` where it does
/// not say.
#[must_use]
pub fn llm_of_kept(kept: &str) -> Option<String> {
    Of::read(kept).map(|of| words(&of.model, &of.base_url))
}

fn words(model: &str, base_url: &str) -> String {
    format!("{model} at {base_url}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::sample;

    #[test]
    fn what_an_older_version_kept_is_read_and_its_counter_is_not_trusted() {
        let target = sample::ready("p", "glm", "m").target;
        let url = target.provider.base_url.to_string();
        let kept = format!(r#"{{"model":"m","base_url":"{url}","schema":1,"grid":1}}"#);
        assert!(is_of(&target, &kept));
        assert_eq!(Of::read(&kept).unwrap(), Of::new(&target, None, Others::Untold));
        assert_eq!(llm_of_kept(&kept).unwrap(), llm(&target));
        let other = kept.replace(r#""m""#, r#""n""#);
        assert!(!is_of(&target, &other) && llm_of_kept(&other).unwrap() != llm(&target));
        let since = Some(sample::started());
        let whole = Of::new(&target, since, Others::Still).around(r#"{"schema":1}"#.to_owned());
        assert_eq!(Of::read(&whole).unwrap(), Of::new(&target, since, Others::Still));
        assert!(whole.ends_with(r#","schema":1}"#), "{whole}");
    }
}
