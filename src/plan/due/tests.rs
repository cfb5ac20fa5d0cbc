//! Timetables as they are met: a first start, a restart, missed runs, a clock that jumps, windows that open.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::plan::{CheckSchedule, CronText, Daily, TargetSchedule, Trigger, WarmSchedule, WarmTrigger, Windows};
use crate::target::TargetId;
use crate::warmth::Keep;

const COLD_START: Duration = Duration::from_secs(180);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn every(seconds: u64) -> Trigger {
    Trigger::Every(Duration::from_secs(seconds))
}

fn cron(text: &str) -> Trigger {
    Trigger::Cron(CronText::new(text).unwrap())
}

fn check(trigger: Trigger) -> Option<CheckSchedule> {
    Some(CheckSchedule { trigger, timezone: TimeZone::get("Europe/Berlin").unwrap() })
}

fn windows(during: &str) -> Windows {
    Windows {
        during: if during.is_empty() { Vec::new() } else { Daily::parse_all(during).unwrap() },
        timezone: TimeZone::get("Europe/Berlin").unwrap(),
        except: Vec::new(),
    }
}

fn warm(trigger: WarmTrigger, during: &str, lead: Option<u64>) -> Option<WarmSchedule> {
    Some(WarmSchedule { trigger, windows: windows(during), lead: lead.map(Duration::from_secs), keep: Keep::WhileUsed })
}

fn timetable(auth: Option<CheckSchedule>, warm: Option<WarmSchedule>) -> Timetable {
    let schedule = TargetSchedule { target: TargetId::new("glm").unwrap(), auth, warm };
    Timetable::new(&schedule, COLD_START, AUTO, &mut CronBook::default()).unwrap()
}

fn fixed(trigger: Trigger, during: &str) -> Timetable {
    timetable(None, warm(WarmTrigger::Fixed(trigger), during, None))
}

/// The dues that follow one another, when each is made on time.
fn dues(timetable: &Timetable, from: Timestamp, past: &mut Past, count: usize) -> Vec<Due> {
    let mut now = from;
    let mut made = Vec::new();
    for _ in 0..count {
        let Some(due) = timetable.next(now, past) else { break };
        assert!(due.at >= now, "{due:?} at {now}");
        now = due.at;
        past.ran(due.depth, now);
        made.push(due);
    }
    made
}

fn told(dues: &[Due]) -> Vec<String> {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let told = |due: &Due| {
        let time = due.at.to_zoned(zone.clone()).strftime("%a %H:%M:%S").to_string();
        format!("{time} {} {}", due.depth.name(), due.why.name())
    };
    dues.iter().map(told).collect()
}

#[test]
fn an_interval_begins_within_itself_and_keeps_its_phase() {
    let minute = timetable(check(every(60)), None);
    let start = at("2026-11-20T08:00:30.5Z");
    let made = dues(&minute, start, &mut Past::default(), 5);
    assert!(made[0].at.duration_since(start).as_secs() < 60);
    for pair in made.windows(2) {
        assert_eq!(pair[1].at.duration_since(pair[0].at).as_secs(), 60);
    }
    // After a restart, an hour later.
    let again = minute.next(at("2026-11-20T09:00:30.5Z"), &Past::default()).unwrap();
    assert_eq!(again.at, made[0].at + SignedDuration::from_hours(1));
    assert_eq!((again.why, again.missed), (Why::Schedule, 0));
}

#[test]
fn a_restart_does_not_warm_again_what_is_warm() {
    let auto = timetable(None, warm(WarmTrigger::Auto, "", None));
    let now = at("2026-11-20T08:00:00Z");
    for seconds in 0..240 {
        let mut past = Past::default();
        past.ran(Depth::Warm, now - SignedDuration::from_secs(seconds));
        let due = auto.next(now, &past).unwrap();
        let pause = due.at.duration_since(past.warm.unwrap()).as_secs();
        assert!((60..=300).contains(&pause), "{pause}");
    }
}

#[test]
fn missed_runs_are_made_up_for_once() {
    let minute = timetable(check(every(60)), None);
    let mut past = Past::default();
    let last = dues(&minute, at("2026-11-20T08:00Z"), &mut past, 1)[0].at;
    let after = |seconds| last + SignedDuration::from_secs(seconds);
    // One passed while the last was still running: the next will do.
    let due = minute.next(after(90), &past).unwrap();
    assert_eq!((due.at, due.why, due.missed), (after(120), Why::Schedule, 1));
    // A suspended machine.
    let due = minute.next(after(3600 + 30), &past).unwrap();
    assert_eq!((due.at, due.why, due.missed), (after(3630), Why::Missed, 60));
    past.ran(Depth::Auth, due.at);
    let due = minute.next(due.at, &past).unwrap();
    assert_eq!((due.at, due.why, due.missed), (after(3660), Why::Schedule, 0));
    // A year.
    let due = minute.next(after(366 * 86400), &past).unwrap();
    assert_eq!((due.why, due.missed), (Why::Missed, 10_000));
}

#[test]
fn a_missed_time_of_cron_is_made_up_for_where_the_next_is_far() {
    let daily = timetable(check(cron("0 8 * * *")), None);
    let mut past = Past::default();
    past.ran(Depth::Auth, at("2026-11-19T08:00:00.003+01:00"));
    let due = daily.next(at("2026-11-20T08:10+01:00"), &past).unwrap();
    assert_eq!((due.at, due.why, due.missed), (at("2026-11-20T08:10+01:00"), Why::Missed, 1));
    let often = timetable(check(cron("*/10 * * * *")), None);
    past.ran(Depth::Auth, at("2026-11-20T08:00:00.003+01:00"));
    let due = often.next(at("2026-11-20T08:10:01+01:00"), &past).unwrap();
    assert_eq!((due.at, due.why, due.missed), (at("2026-11-20T08:20+01:00"), Why::Schedule, 1));
    let due = often.next(at("2027-11-20T08:10:01+01:00"), &past).unwrap();
    assert_eq!((due.why, due.missed), (Why::Missed, 100));
}

#[test]
fn an_opening_is_not_forgotten_for_a_later_time_of_cron() {
    let table = timetable(None, warm(WarmTrigger::Fixed(cron("0 12 * * Wed")), "Mon-Fri 08:00-19:00", Some(60)));
    let made = dues(&table, at("2026-11-22T12:00Z"), &mut Past::default(), 4);
    assert_eq!(
        told(&made),
        [
            "Mon 07:59:00 warm prewarm",
            "Tue 07:59:00 warm prewarm",
            "Wed 07:59:00 warm prewarm",
            "Wed 12:00:00 warm schedule",
        ]
    );
}

#[test]
fn a_clock_that_is_put_back_stops_nothing() {
    for both in [timetable(check(every(60)), None), timetable(check(cron("* * * * *")), None)] {
        let mut past = Past::default();
        past.ran(Depth::Auth, at("2026-11-20T12:00:00Z"));
        let now = at("2026-11-20T08:00:00Z");
        let due = both.next(now, &past).unwrap();
        assert!(due.at.duration_since(now).as_secs() <= 75, "{due:?}");
    }
}

#[test]
fn it_is_warm_when_the_window_opens() {
    let office = fixed(every(3 * 3600), "Mon-Fri 08:00-19:00");
    assert_eq!(office.lead(), COLD_START);
    let mut past = Past::default();
    let made = dues(&office, at("2026-11-20T06:00+01:00"), &mut past, 14);
    let prewarmed: Vec<String> = told(&made).into_iter().filter(|due| due.ends_with("prewarm")).collect();
    assert_eq!(prewarmed, ["Fri 07:57:00 warm prewarm", "Mon 07:57:00 warm prewarm", "Tue 07:57:00 warm prewarm"]);
    // What was learned counts, and what is written counts more.
    past.cold_start = Some(Duration::from_secs(600));
    assert_eq!(office.lead_after(&past), Duration::from_secs(900));
    past.cold_start = Some(Duration::from_secs(2));
    assert_eq!(office.lead_after(&past), Duration::from_secs(30));
    past.cold_start = Some(Duration::from_secs(36000));
    assert_eq!(office.lead_after(&past), Duration::from_secs(3600));
    let written = timetable(None, warm(WarmTrigger::Auto, "Mon-Fri 08:00-19:00", Some(60)));
    assert_eq!(written.lead_after(&past), Duration::from_secs(60));
}

#[test]
fn a_lead_that_grows_shorter_warms_once() {
    let office = timetable(None, warm(WarmTrigger::Auto, "Mon-Fri 08:00-19:00", None));
    let mut past = Past::default();
    let first = dues(&office, at("2026-11-20T06:00+01:00"), &mut past, 1);
    assert_eq!(told(&first), ["Fri 07:57:00 warm prewarm"]);
    past.cold_start = Some(Duration::from_secs(20));
    let next = office.next(first[0].at, &past).unwrap();
    assert_eq!(next.why, Why::Schedule);
    assert!(next.at >= at("2026-11-20T08:00+01:00") && next.at < at("2026-11-20T08:04+01:00"), "{next:?}");
}

#[test]
fn an_opening_that_was_missed_is_made_up_for() {
    let office = timetable(None, warm(WarmTrigger::Auto, "Mon-Fri 08:00-19:00", None));
    let mut past = Past::default();
    past.ran(Depth::Warm, at("2026-11-19T18:58+01:00"));
    for (now, why) in [
        ("2026-11-20T07:58:30+01:00", Why::Prewarm),
        ("2026-11-20T08:00:01+01:00", Why::Missed),
        ("2026-11-20T10:00:00+01:00", Why::Missed),
    ] {
        let due = office.next(at(now), &past).unwrap();
        assert_eq!((due.at, due.why), (at(now), why));
    }
    // Not outside: the evening is over.
    let due = office.next(at("2026-11-20T19:00+01:00"), &past).unwrap();
    assert_eq!(told(&[due]), ["Mon 07:57:00 warm prewarm"]);
}

#[test]
fn windows_that_touch_have_no_opening_between_them() {
    let nights = timetable(None, warm(WarmTrigger::Auto, "Mon 20:00-24:00, Tue 00:00-06:00", None));
    let made = dues(&nights, at("2026-11-23T19:00+01:00"), &mut Past::default(), 120);
    assert_eq!(made.iter().filter(|due| due.why == Why::Prewarm).count(), 1);
    let always = timetable(None, warm(WarmTrigger::Auto, "daily 00:00-24:00", None));
    let made = dues(&always, at("2026-11-23T19:00+01:00"), &mut Past::default(), 1000);
    assert!(made.iter().all(|due| due.why == Why::Schedule && due.missed == 0));
    assert_eq!(timetable(None, warm(WarmTrigger::Auto, "", None)).lead(), Duration::ZERO);
}

#[test]
fn cron_warms_within_windows_alone() {
    let hourly = fixed(cron("0 */4 * * *"), "Mon-Fri 08:00-19:00");
    assert_eq!(hourly.lead(), Duration::ZERO);
    let made = dues(&hourly, at("2026-11-20T06:00+01:00"), &mut Past::default(), 5);
    let times = ["Fri 08:00:00", "Fri 12:00:00", "Fri 16:00:00", "Mon 08:00:00", "Mon 12:00:00"];
    assert_eq!(told(&made), times.map(|time| format!("{time} warm schedule")));
    assert_eq!(fixed(cron("0 3 * * *"), "Mon-Fri 08:00-19:00").next(at("2026-11-20T06:00Z"), &Past::default()), None);
    let led = timetable(None, warm(WarmTrigger::Fixed(cron("0 12 * * *")), "Mon-Fri 08:00-19:00", Some(300)));
    let made = dues(&led, at("2026-11-20T06:00+01:00"), &mut Past::default(), 3);
    let expected = ["Fri 07:55:00 warm prewarm", "Fri 12:00:00 warm schedule", "Mon 07:55:00 warm prewarm"];
    assert_eq!(told(&made), expected);
}

#[test]
fn a_warm_up_stands_for_the_check_that_is_due_with_it() {
    let both = timetable(check(every(60)), warm(WarmTrigger::Fixed(every(300)), "", None));
    assert_eq!(both.depths(), [Depth::Auth, Depth::Warm]);
    let made = dues(&both, at("2026-11-20T08:00Z"), &mut Past::default(), 50);
    assert_eq!(made.iter().filter(|due| due.depth == Depth::Warm).count(), 10);
    for pair in made.windows(2) {
        assert_eq!(pair[1].at.duration_since(pair[0].at).as_secs(), 60);
    }
    // Within a second, in either order.
    for (auth, warm_up) in [("5 * * * * *", "6 * * * * *"), ("6 * * * * *", "5 * * * * *")] {
        let near = timetable(check(cron(auth)), warm(WarmTrigger::Fixed(cron(warm_up)), "", None));
        let made = dues(&near, at("2026-11-20T08:00Z"), &mut Past::default(), 5);
        assert!(made.iter().all(|due| due.depth == Depth::Warm), "{made:?}");
    }
}

#[test]
fn many_timetables_share_what_was_read() {
    let mut book = CronBook::default();
    let schedule = TargetSchedule { target: TargetId::new("t").unwrap(), auth: check(cron("*/5 * * * *")), warm: None };
    let tables: Vec<Timetable> =
        (0..10_000).map(|_| Timetable::new(&schedule, COLD_START, AUTO, &mut book).unwrap()).collect();
    assert_eq!((tables.len(), book.len()), (10_000, 1));
}

/// A step of a clock, in milliseconds: usually on, sometimes far on or back.
fn steps() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(prop_oneof![6 => 0i64..20_000, 1 => 0i64..100_000_000, 1 => -100_000_000i64..0], 1..200)
}

proptest! {
    /// Whatever the clock does: dues are in time, not too many, and they go on.
    #[test]
    fn a_jumping_clock_neither_bursts_nor_starves(
        seconds in 1u64..400,
        start in 0i64..4_000_000_000,
        steps in steps(),
        depth in prop::sample::select(vec![Depth::Auth, Depth::Warm]),
    ) {
        let table = match depth {
            Depth::Warm => fixed(every(seconds), ""),
            _ => timetable(check(every(seconds)), None),
        };
        let interval = i64::try_from(seconds).unwrap() * 1000;
        let mut now = Timestamp::from_second(start).unwrap();
        let mut past = Past::default();
        let mut due = table.next(now, &past).unwrap();
        let (mut made, mut jumps, mut elapsed) = (0, 0, 0);
        for step in steps {
            now += SignedDuration::from_millis(step);
            if (0..20_000).contains(&step) { elapsed += step } else { jumps += 1 }
            if step < 0 {
                // Who runs it sees that the clock went back, and asks again.
                due = table.next(now, &past).unwrap();
            }
            prop_assert!(due.at.duration_since(now) <= SignedDuration::from_millis(interval + interval / 4));
            while due.at <= now {
                past.ran(due.depth, now);
                made += 1;
                due = table.next(now, &past).unwrap();
                prop_assert!(due.at > now);
            }
        }
        // A run between two points may be followed by one after three quarters.
        prop_assert!(made <= elapsed / (interval * 3 / 4).max(1) + jumps + 2, "{made} in {elapsed} ms, {jumps} jumps");
    }

    /// Made on time, dues of an interval are exactly an interval apart, but for those before an opening; and all are
    /// between the lead before a window and its close.
    #[test]
    fn dues_keep_to_their_windows(
        seconds in 20u64..20_000,
        lead in prop::option::of(0u64..3600),
        start in 1_700_000_000i64..1_900_000_000,
        during in prop::sample::select(vec!["Mon-Fri 08:00-19:00", "02:30-03:30", "Sat 22:00-06:00, Sun 12:00-12:05", "daily 08:00-12:00, 12:01-13:00"]),
    ) {
        let table = timetable(None, warm(WarmTrigger::Fixed(every(seconds)), during, lead));
        let made = dues(&table, Timestamp::from_second(start).unwrap(), &mut Past::default(), 30);
        prop_assert_eq!(made.len(), 30);
        let (windows, lead) = (windows(during), SignedDuration::try_from(table.lead()).unwrap());
        for due in &made {
            let open = windows.span(due.at).is_some();
            let soon = windows.next_opening(due.at).is_some_and(|(open, _)| open.duration_since(due.at) <= lead);
            prop_assert!(open || (soon && due.why == Why::Prewarm), "{due:?}");
        }
        for pair in made.windows(2) {
            let apart = pair[1].at.duration_since(pair[0].at);
            prop_assert!(apart > SignedDuration::ZERO);
            if pair.iter().all(|due| due.why == Why::Schedule) && windows.span(pair[0].at) == windows.span(pair[1].at) && !lead.is_zero() {
                prop_assert_eq!(apart, SignedDuration::from_secs(i64::try_from(seconds).unwrap()));
            }
            prop_assert!(pair[1].why == Why::Prewarm || apart >= SignedDuration::from_millis(i64::try_from(seconds * 250).unwrap()));
        }
    }

    /// The next is after the last run, or now when runs were missed.
    #[test]
    fn the_next_is_after_the_last(
        text in prop::sample::select(vec!["*/7 * * * *", "30 2 * * *", "0 0 1 * Mon", "15 */20 8-18 * * *"]),
        last in 1_700_000_000i64..1_900_000_000,
        gone in 0i64..10_000_000,
    ) {
        let table = timetable(check(cron(text)), None);
        let last = Timestamp::from_second(last).unwrap();
        let now = last + SignedDuration::from_secs(gone);
        let mut past = Past::default();
        past.ran(Depth::Auth, last);
        let due = table.next(now, &past).unwrap();
        prop_assert!(due.at >= now && due.at > last || due.at == now && due.why == Why::Missed);
        prop_assert_eq!(due.why == Why::Missed, due.at == now && due.missed > 0);
    }
}
