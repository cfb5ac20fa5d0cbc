//! Dues of `every: auto` after something was learned.

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::*;
use crate::plan::{Daily, TargetSchedule, WarmSchedule, WarmTrigger, Windows};
use crate::target::TargetId;
use crate::warmth::Keep;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

fn auto(during: &str, lead: Option<Duration>) -> Timetable {
    let during = if during.is_empty() { Vec::new() } else { Daily::parse_all(during).unwrap() };
    let windows = Windows { during, timezone: TimeZone::get("Europe/Berlin").unwrap(), except: Vec::new() };
    let warm = WarmSchedule { trigger: WarmTrigger::Auto, windows, lead, keep: Keep::WhileUsed };
    let schedule = TargetSchedule { target: TargetId::new("glm").unwrap(), auth: None, warm: Some(warm) };
    Timetable::new(&schedule, minutes(3), AUTO, &mut CronBook::default()).unwrap()
}

/// Touched at a moment, with a gap of so many minutes and a lead of two.
fn learned(touched: &str, gap: u64) -> Past {
    let touched = at(touched);
    let learned = Learned {
        touched,
        next: Some(touched + minutes(gap)),
        gap: Some(minutes(gap)),
        lead: minutes(2),
        fruitless: None,
    };
    Past { warm: Some(touched), learned: Some(learned), ..Past::default() }
}

fn told(timetable: &Timetable, now: &str, past: &Past) -> String {
    timetable.next(at(now), past).map_or("never".to_owned(), |due| {
        let time = due.at.to_zoned(TimeZone::get("Europe/Berlin").unwrap()).strftime("%a %H:%M:%S");
        format!("{time} {} {}", due.why.name(), due.missed)
    })
}

#[test]
fn within_a_window_it_is_due_when_it_was_learned_to_be() {
    let always = auto("", None);
    // 2026-11-20 is a Friday, and Berlin is an hour ahead.
    let past = learned("2026-11-20T08:00:00Z", 14);
    assert_eq!(told(&always, "2026-11-20T08:00:01Z", &past), "Fri 09:14:00 schedule 0");
    assert_eq!(told(&always, "2026-11-20T08:14:30Z", &past), "Fri 09:14:30 schedule 0", "a moment late is not missed");
    assert_eq!(told(&always, "2026-11-20T10:00:00Z", &past), "Fri 11:00:00 missed 1");
}

#[test]
fn nothing_is_warmed_after_a_window_until_shortly_before_the_next() {
    let office = auto("Mon-Fri 08:00-18:00", None);
    let past = learned("2026-11-20T16:50:00Z", 14);
    assert_eq!(told(&office, "2026-11-20T16:50:01Z", &past), "Mon 07:58:00 prewarm 0");
    let own_lead = auto("Mon-Fri 08:00-18:00", Some(minutes(10)));
    assert_eq!(told(&own_lead, "2026-11-20T16:50:01Z", &past), "Mon 07:50:00 prewarm 0");
    // A user came by just before: it is still warm at eight, and due by its own gap.
    let past = learned("2026-11-23T06:55:00Z", 14);
    assert_eq!(told(&office, "2026-11-23T06:55:01Z", &past), "Mon 08:09:00 schedule 0");
    // After the change of the clocks eight is still eight: 2026-10-25 is a Sunday.
    let past = learned("2026-10-23T15:55:00Z", 14);
    assert_eq!(told(&office, "2026-10-23T15:55:01Z", &past), "Mon 07:58:00 prewarm 0");
}

#[test]
fn what_came_to_nothing_is_tried_again_after_a_while_and_not_at_once() {
    let always = auto("", None);
    let mut past = learned("2026-11-20T08:00:00Z", 14);
    let fruitless = |past: &mut Past, text: &str| past.learned.as_mut().unwrap().fruitless = Some(at(text));
    fruitless(&mut past, "2026-11-20T08:14:00Z");
    assert_eq!(told(&always, "2026-11-20T08:14:01Z", &past), "Fri 09:18:00 schedule 0");
    let office = auto("Mon-Fri 08:00-18:00", None);
    let mut past = learned("2026-11-20T16:50:00Z", 14);
    fruitless(&mut past, "2026-11-23T06:58:00Z");
    assert_eq!(told(&office, "2026-11-23T06:58:01Z", &past), "Mon 08:02:00 schedule 0");
    let mut past = learned("2026-11-23T07:30:00Z", 2);
    past.learned.as_mut().unwrap().next = Some(at("2026-11-23T07:30:00Z"));
    fruitless(&mut past, "2026-11-23T07:30:01Z");
    assert_eq!(told(&always, "2026-11-23T07:30:02Z", &past), "Mon 08:32:01 schedule 0", "not even a first contact");
}

#[test]
fn a_suspended_warming_waits_for_its_time_or_for_a_use() {
    let office = auto("Mon-Fri 08:00-18:00", None);
    let mut past = learned("2026-11-20T08:00:00Z", 14);
    let suspend = |past: &mut Past, until: Option<&str>| {
        let learned = past.learned.as_mut().unwrap();
        (learned.gap, learned.next) = (None, until.map(at));
    };
    suspend(&mut past, Some("2026-11-21T08:00:00Z"));
    assert_eq!(told(&office, "2026-11-20T08:00:01Z", &past), "Mon 07:58:00 prewarm 0");
    suspend(&mut past, Some("2026-11-23T09:00:00Z"));
    assert_eq!(told(&office, "2026-11-20T08:00:01Z", &past), "Mon 10:00:00 schedule 0");
    suspend(&mut past, None);
    assert_eq!(told(&office, "2026-11-20T08:00:01Z", &past), "never");
}

#[test]
fn a_clock_that_was_put_back_does_not_put_a_warm_up_off() {
    let always = auto("", None);
    let past = learned("2026-11-20T08:00:00Z", 14);
    assert_eq!(told(&always, "2026-11-20T05:00:00Z", &past), "Fri 06:14:00 schedule 0");
}

#[test]
fn who_asks_anew_each_time_is_not_put_off_for_ever_by_a_clock_that_was_put_back() {
    let always = auto("", None);
    let (now, long_ago) = ("2026-11-20T05:00:00Z", at("2026-11-12T05:00:00Z"));
    let mut past = learned("2026-11-20T08:00:00Z", 14);
    past.learned.as_mut().unwrap().fruitless = Some(at("2026-11-20T08:14:00Z"));
    assert_eq!(told(&always, now, &past), "Fri 06:14:00 schedule 0", "and so at each later moment");
    past.learned = past.learned.map(|learned| learned.set_back(at(now), long_ago));
    assert_eq!(told(&always, now, &past), "Fri 06:00:00 missed 1");
    // By a clock that is right nothing changes.
    let right = learned("2026-11-20T04:50:00Z", 14).learned.unwrap();
    assert_eq!(right.set_back(at(now), long_ago), right);
    // Nor does a suspension end, whose end is known.
    let suspended = Learned { gap: None, next: Some(at("2026-11-20T09:00:00Z")), ..past.learned.unwrap() };
    let suspended = Learned { touched: at("2026-11-20T08:00:00Z"), ..suspended };
    assert_eq!(suspended.set_back(at(now), long_ago).next, suspended.next);
}

#[test]
fn what_ended_this_very_moment_is_no_clock_that_was_set_back() {
    // The end of a probe is reckoned; the clock, read right after it, may say a little less.
    let now: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
    let touched = now + SignedDuration::from_millis(3);
    let gap = Duration::from_secs(240);
    let fresh =
        Learned { touched, next: touched.checked_add(gap).ok(), gap: Some(gap), lead: Duration::ZERO, fruitless: None };
    assert_eq!(fresh.set_back(now, now - SignedDuration::from_hours(48)), fresh);
}
