//! What the daemon keeps of one target: its pause, its first contact, and what it has at stake.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::scale::TimeScale;
use super::settle::Memory;
use super::slot::Slot;
use super::stakes::Stakes;
use crate::outcome::{Outcome, Standing, sample};
use crate::plan::{
    AUTO, CronBook, Daily, Learned, Past, TargetSchedule, Timetable, WarmSchedule, WarmTrigger, Windows,
};
use crate::quota::QuotaSettings;
use crate::target::Depth;
use crate::warmth::Keep;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A target with `every: auto` from 9 to 18 UTC, as it is set up.
fn slot(memory: &Memory, past: Past, now: Timestamp) -> Slot {
    let target = sample::ready("p", "glm", "m").target;
    let windows =
        Windows { during: Daily::parse_all("09:00-18:00").unwrap(), timezone: TimeZone::UTC, except: Vec::new() };
    let warm = WarmSchedule { trigger: WarmTrigger::Auto, windows, lead: None, keep: Keep::WhileUsed };
    let schedule = TargetSchedule { target: target.id.clone(), auth: None, warm: Some(warm) };
    let timetable = Timetable::new(&schedule, Duration::from_secs(180), AUTO, &mut CronBook::default()).unwrap();
    let mut slot = Slot::new(Arc::clone(&target), Some(schedule), Some(timetable), Standing::new(now), past);
    slot.prepare(memory, TimeScale::REAL, now);
    slot
}

#[test]
fn a_pause_is_told_by_the_governors_own_words_and_not_by_what_evidence_looks_like() {
    let mut slot = slot(&Memory::default(), Past::default(), at("2026-11-20T12:00:00Z"));
    let mut withheld = sample::withheld("p", "glm", "m", 240);
    withheld.diagnosis.as_mut().unwrap().evidence = "61.2 of 500 (five-hour): less than what must be left".to_owned();
    slot.ran(&withheld, withheld.started);
    let pause = slot.pause.clone().unwrap();
    assert_eq!(pause.why, "quota below 15 %");
    assert_eq!(pause.until, Some(withheld.started + SignedDuration::from_secs(240)));
    slot.ran(&Outcome { depth: Depth::Warm, ..sample::ready("p", "glm", "m") }, withheld.started);
    assert_eq!(slot.pause, None);
}

#[test]
fn the_first_contact_is_at_once_within_a_window_and_only_then() {
    let (noon, night) = (at("2026-11-20T12:00:00Z"), at("2026-11-20T22:00:00Z"));
    let fresh = |now| slot(&Memory::default(), Past::default(), now);
    assert_eq!(fresh(noon).first_contact(noon).unwrap().at, noon);
    assert_eq!(fresh(night).first_contact(night), None);
    // One that was tried in vain is tried again by the interval.
    let tried = Past { warm: Some(at("2026-11-20T11:59:00Z")), ..Past::default() };
    assert_eq!(slot(&Memory::default(), tried, noon).first_contact(noon), None);
}

#[test]
fn what_a_target_asks_for_is_reckoned_anew_where_its_gap_has_changed_by_more_than_a_quarter() {
    let noon = at("2026-11-20T12:00:00Z");
    let mut slot = slot(&Memory::default(), Past::default(), noon);
    let settings = BTreeMap::from([(slot.target.provider.id.clone(), QuotaSettings::default())]);
    let mut stakes = Stakes::new(settings, BTreeMap::new());
    let treasury = crate::run::Treasury::unlimited(Arc::new(crate::run::SystemClock));
    let learned = |seconds| {
        let gap = Some(Duration::from_secs(seconds));
        Some(Learned { touched: noon, next: None, gap, lead: Duration::ZERO, fruitless: None })
    };
    assert!(!stakes.is_outdated(&slot), "it was never reckoned");
    stakes.put([&slot].into_iter(), &treasury);
    for (seconds, outdated) in [(240, false), (290, false), (310, true), (200, false), (180, true), (900, true)] {
        slot.past.learned = learned(seconds);
        assert_eq!(stakes.is_outdated(&slot), outdated, "{seconds} s in place of 240");
    }
    stakes.put([&slot].into_iter(), &treasury);
    assert!(!stakes.is_outdated(&slot));
}

/// What a store remembers of `glm` and a model: when a warm-up began.
fn remembered(model: &str, warm: &str) -> Memory {
    let url = sample::ready("p", "glm", "m").target.provider.base_url.to_string();
    let past = format!(r#"{{"model":"{model}","base_url":"{url}","warm":"{warm}"}}"#);
    Memory::new(Vec::new(), vec![("glm".to_owned(), past)])
}

#[test]
fn what_tools_told_before_a_target_named_its_model_is_not_of_it() {
    let noon = at("2026-11-20T12:00:00Z");
    let tell = |memory: &Memory, told: &str| {
        let target = sample::ready("p", "glm", "m").target;
        let past = memory.find(&target, noon).map(|(_, past)| past).unwrap_or_default();
        slot(memory, past, noon).learner.unwrap().told(at(told), noon + SignedDuration::from_hours(1))
    };
    assert!(tell(&Memory::default(), "2026-11-20T11:00:00Z"), "of a target that is new everything counts");
    let another = remembered("another", "2026-11-20T10:00:00Z");
    assert!(!tell(&another, "2026-11-20T11:00:00Z"));
    assert!(tell(&another, "2026-11-20T12:30:00Z"));
    // The same model, which a fixed schedule has warmed meanwhile.
    let fixed = remembered("m", "2026-11-20T10:00:00Z");
    assert!(!tell(&fixed, "2026-11-20T09:00:00Z"));
    assert!(tell(&fixed, "2026-11-20T11:00:00Z"));
}
