//! Times at which somebody works on a provider or an LLM: what probes find then is not held against it.

use jiff::Timestamp;

use super::Windows;
use crate::target::{ProviderId, Target, TargetId};

/// An announced maintenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// What people call it.
    pub name: Option<String>,
    /// When it is.
    pub time: MaintenanceTime,
    /// What it is about.
    pub selection: Selection,
}

/// When a maintenance is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaintenanceTime {
    /// Every week.
    Weekly(Windows),
    /// Once: from a moment to before another, which is later.
    Once {
        /// Its beginning.
        from: Timestamp,
        /// Its end.
        to: Timestamp,
    },
}

/// Some targets: those that have one of the names, one of the tags and one of the providers, as on the command line. An
/// empty list asks for nothing, so that three of them are every target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Names of targets.
    pub targets: Vec<TargetId>,
    /// Tags.
    pub tags: Vec<String>,
    /// Names of providers.
    pub providers: Vec<ProviderId>,
}

impl Selection {
    /// Whether a target is one of them.
    #[must_use]
    pub fn has(&self, target: &Target) -> bool {
        (self.targets.is_empty() || self.targets.contains(&target.id))
            && (self.tags.is_empty() || self.tags.iter().any(|tag| target.tags.contains(tag)))
            && (self.providers.is_empty() || self.providers.contains(&target.provider.id))
    }
}

impl Maintenance {
    /// Whether a target is under maintenance at a moment.
    #[must_use]
    pub fn covers(&self, target: &Target, at: Timestamp) -> bool {
        self.ends(at).is_some() && self.selection.has(target)
    }

    /// When the maintenance that is on at a moment will be over.
    #[must_use]
    pub fn ends(&self, at: Timestamp) -> Option<Timestamp> {
        match &self.time {
            MaintenanceTime::Weekly(windows) => windows.span(at).map(|(_, close)| close),
            MaintenanceTime::Once { from, to } => (*from..*to).contains(&at).then_some(*to),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::outcome::sample;
    use crate::plan::Daily;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_maintenance_is_of_its_targets_at_its_time() {
        let target = |provider, name| {
            let mut target = (*sample::ready(provider, name, "m").target).clone();
            target.tags = vec!["review".to_owned()];
            target
        };
        let (glm, gpt) = (target("synthetic", "glm"), target("openai", "gpt"));
        let once = MaintenanceTime::Once { from: at("2026-11-20T22:00Z"), to: at("2026-11-21T02:00Z") };
        let mut maintenance = Maintenance { name: None, time: once, selection: Selection::default() };
        let (night, morning) = (at("2026-11-20T22:00Z"), at("2026-11-21T02:00Z"));
        assert!(maintenance.covers(&glm, night) && maintenance.covers(&gpt, night));
        assert!(!maintenance.covers(&glm, morning));
        assert_eq!(maintenance.ends(night), Some(morning));
        assert_eq!(maintenance.ends(morning), None);
        maintenance.selection.tags.push("review".to_owned());
        maintenance.selection.providers.push(ProviderId::new("synthetic").unwrap());
        assert!(maintenance.covers(&glm, night) && !maintenance.covers(&gpt, night));
        maintenance.selection.targets.push(TargetId::new("gpt").unwrap());
        assert!(!maintenance.covers(&glm, night) && !maintenance.covers(&gpt, night));
    }

    #[test]
    fn a_weekly_maintenance_is_by_the_clock_of_its_zone() {
        let windows = Windows {
            during: Daily::parse_all("Sun 02:00-04:00").unwrap(),
            timezone: TimeZone::get("Europe/Berlin").unwrap(),
            except: Vec::new(),
        };
        let time = MaintenanceTime::Weekly(windows);
        let maintenance = Maintenance { name: None, time, selection: Selection::default() };
        assert_eq!(maintenance.ends(at("2026-11-22T03:59:59+01:00")), Some(at("2026-11-22T04:00+01:00")));
        assert_eq!(maintenance.ends(at("2026-11-22T04:00+01:00")), None);
        assert_eq!(maintenance.ends(at("2026-11-21T03:00+01:00")), None);
    }
}
