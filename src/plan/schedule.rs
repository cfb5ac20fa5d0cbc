//! When passes happen, as it is said in probes.yaml: intervals, cron, and warm windows. What is due when is reckoned in
//! `due/`.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::Windows;
use crate::target::TargetId;
use crate::warmth::Keep;

/// The schedules of one target. At least one is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetSchedule {
    /// The target.
    pub target: TargetId,
    /// When its key and the catalogue are checked, which is free.
    pub auth: Option<CheckSchedule>,
    /// When it is warmed, which costs a request each time.
    pub warm: Option<WarmSchedule>,
}

/// When a free check is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckSchedule {
    /// How it is set off.
    pub trigger: Trigger,
    /// The zone in which cron fields are meant. UTC unless said.
    pub timezone: TimeZone,
}

/// When an LLM is warmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarmSchedule {
    /// How it is set off.
    pub trigger: WarmTrigger,
    /// When it may be.
    pub windows: Windows,
    /// How long before a window opens it is warmed, so that it is warm when it opens. `None`: as long as a cold start
    /// takes. An hour at most.
    pub lead: Option<Duration>,
    /// Whether it is kept warm although nobody uses it. Of `every: auto` alone, and where use can be seen.
    pub keep: Keep,
}

/// What sets a pass off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// A time since the last pass began. From a second to a week.
    Every(Duration),
    /// Cron fields.
    Cron(CronText),
}

/// What sets a warm-up off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WarmTrigger {
    /// The learned idle timeout of the LLM: shortly before it would unload.
    Auto,
    /// A fixed trigger.
    Fixed(Trigger),
}

/// Cron fields as they were written. Their number and characters are checked; [`CronBook::check`](super::CronBook::check)
/// understands them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CronText(String);

/// Why a text is not cron fields. The text fits after "failed to".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// There are neither 5 nor 6 fields.
    #[error("it has {0} fields, and cron has 5 or 6")]
    Fields(usize),
    /// A field has a character that none has.
    #[error("the field `{0}` is not one of cron's")]
    Field(String),
    /// The fields cannot be understood; why, in the words of the library that reads them.
    #[error("{0}")]
    Refused(String),
    /// No date has what they ask for: the 30th of February.
    #[error("it never fires: no date is like that")]
    Never,
}

impl CronText {
    /// Takes 5 fields, or 6 of which the first is the second of the minute.
    pub fn new(text: &str) -> Result<Self, CronError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        if !matches!(fields.len(), 5 | 6) {
            return Err(CronError::Fields(fields.len()));
        }
        let known = |c: char| c.is_ascii_alphanumeric() || "*/,-?#".contains(c);
        let ends = |field: &str| field.starts_with([',', '/', '-']) || field.ends_with([',', '/', '-']);
        match fields.iter().find(|field| !field.chars().all(known) || ends(field)) {
            Some(field) => Err(CronError::Field((*field).to_owned())),
            None => Ok(Self(fields.join(" "))),
        }
    }

    /// The fields, each separated by one space.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cron_is_only_looked_at_lightly() {
        assert_eq!(CronText::new(" */5  8-19 * * Mon-Fri ").unwrap().as_str(), "*/5 8-19 * * Mon-Fri");
        assert!(CronText::new("0 0 12 L * ?").is_ok());
        assert_eq!(CronText::new("@daily"), Err(CronError::Fields(1)));
        assert_eq!(CronText::new("a; b * * *"), Err(CronError::Field("a;".into())));
        assert_eq!(CronText::new("*/ * * * *"), Err(CronError::Field("*/".into())));
    }
}
