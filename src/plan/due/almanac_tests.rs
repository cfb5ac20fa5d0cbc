//! An almanac has what asking a timetable again and again gives, over changes of the clock and odd windows.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::plan::{CheckSchedule, CronText, Daily, TargetSchedule, Trigger, WarmSchedule, WarmTrigger, Windows};
use crate::target::TargetId;

const COLD_START: Duration = Duration::from_secs(180);

/// The moments of warm-ups, and the number of checks, one by one.
fn one_by_one(schedule: &TargetSchedule, from: Timestamp, to: Timestamp) -> (Vec<i64>, u64) {
    let table = Timetable::new(schedule, COLD_START, AUTO, &mut CronBook::default()).unwrap();
    let (mut past, mut now) = (Past::default(), from);
    let (mut warm, mut checks) = (Vec::new(), 0);
    while let Some(due) = table.next(now, &past).filter(|due| due.at < to) {
        match due.depth {
            Depth::Warm => warm.push(nanoseconds(due.at)),
            _ => checks += 1,
        }
        now = due.at;
        past.ran(due.depth, now);
    }
    (warm, checks)
}

fn trigger() -> impl Strategy<Value = Trigger> {
    let crons = vec![
        "*/7 * * * *",
        "30 2 * * *",
        "0 0 1 * Mon",
        "15 */20 8-18 * * *",
        "0 8,12 * * Mon-Fri",
        "0 12 * * Wed",
        "59 23 L * *",
        "*/5 8-19 * * Mon-Fri",
        "0 1-3 * * *",
    ];
    prop_oneof![
        (600u64..100_000).prop_map(|seconds| Trigger::Every(Duration::from_secs(seconds))),
        (2u64..30).prop_map(|half| Trigger::Every(Duration::from_secs(half * 1800))),
        prop::sample::select(crons).prop_map(|text| Trigger::Cron(CronText::new(text).unwrap())),
    ]
}

fn windows() -> impl Strategy<Value = Windows> {
    let during = vec![
        "",
        "Mon-Fri 08:00-19:00",
        "02:30-03:30",
        "Sat 22:00-06:00, Sun 12:00-12:05",
        "daily 08:00-12:00, 12:01-13:00",
        "Mon 20:00-24:00, Tue 00:00-06:00",
        "01:00-01:10, 03:00-03:10, 05:00-05:10",
    ];
    let zones = prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]);
    let except = prop::sample::select(vec![vec![], vec!["2026-03-29"], vec!["2026-10-26", "2026-10-27"]]);
    (prop::sample::select(during), zones, except).prop_map(|(during, zone, except)| Windows {
        during: if during.is_empty() { Vec::new() } else { Daily::parse_all(during).unwrap() },
        timezone: TimeZone::get(zone).unwrap(),
        except: except.iter().map(|day| day.parse().unwrap()).collect(),
    })
}

/// Moments near the changes of the clock in spring and autumn, and in between.
fn begin() -> impl Strategy<Value = Timestamp> {
    let seconds =
        prop_oneof![1_772_900_000i64..1_775_000_000, 1_792_600_000i64..1_793_700_000, 1_780_000_000i64..1_781_000_000,];
    (seconds, prop::sample::select(vec![0, 1, 500_000_000]))
        .prop_map(|(second, nanosecond)| Timestamp::new(second, nanosecond).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn an_almanac_has_what_a_timetable_gives(
        auth in prop::option::of(trigger()),
        warm in prop::option::of((prop::option::of(trigger()), windows(), prop::option::of(0u64..4000))),
        from in begin(),
        hours in 1i64..150,
        name in "[a-z]{1,6}",
    ) {
        let schedule = TargetSchedule {
            target: TargetId::new(&name).unwrap(),
            auth: auth.map(|trigger| CheckSchedule { trigger, timezone: TimeZone::get("Europe/Berlin").unwrap() }),
            warm: warm.map(|(trigger, windows, lead)| WarmSchedule {
                trigger: trigger.map_or(WarmTrigger::Auto, WarmTrigger::Fixed),
                windows,
                lead: lead.map(Duration::from_secs),
                keep: crate::warmth::Keep::WhileUsed,
            }),
        };
        let to = from + SignedDuration::from_hours(hours);
        let (warm, checks) = one_by_one(&schedule, from, to);
        let mut almanac = Almanac::new(from, to);
        let dues = almanac.dues(&schedule, COLD_START, AUTO).unwrap();
        prop_assert_eq!(dues.moments().collect::<Vec<_>>(), warm.clone());
        prop_assert_eq!(dues.checks, checks);
        prop_assert_eq!(dues.warm_ups(), u64::try_from(warm.len()).unwrap());
        let (begin, middle) = (nanoseconds(from), nanoseconds(from + SignedDuration::from_hours(hours / 2)));
        let before = warm.iter().filter(|moment| **moment < middle).count();
        prop_assert_eq!(dues.between(begin, middle), u64::try_from(before).unwrap());
        // The second time from what was kept.
        prop_assert_eq!(almanac.dues(&schedule, COLD_START, AUTO).unwrap(), dues);
    }
}

#[test]
fn a_second_of_cron_takes_no_time_to_expand() {
    let from: Timestamp = "2026-11-20T08:00:00Z".parse().unwrap();
    let schedule = TargetSchedule {
        target: TargetId::new("t").unwrap(),
        auth: Some(CheckSchedule {
            trigger: Trigger::Cron(CronText::new("* * * * * *").unwrap()),
            timezone: TimeZone::get("Europe/Berlin").unwrap(),
        }),
        warm: None,
    };
    let mut almanac = Almanac::new(from, from + SignedDuration::from_hours(24 * 30));
    assert_eq!(almanac.dues(&schedule, COLD_START, AUTO).unwrap().checks, 30 * 86_400);
}
