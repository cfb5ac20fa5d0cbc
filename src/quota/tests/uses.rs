//! Uses that are not ours, as a counter shows them: what neither our own requests nor a tick explains.

use super::*;

/// The five hours, read to have so much left and a tick in so many minutes.
fn five_hours(remaining: f64, now: i64, tick_in: i64) -> [Reading; 1] {
    let next = Timestamp::from_millisecond(at(now + tick_in).wall_ms).ok();
    [Reading { next, gives: Some(25.0), ..reading(WindowName::FIVE_HOUR, Unit::Requests, remaining, 500.0) }]
}

fn used(ledger: &mut Ledger, readings: &[Reading], pending: f64, minute: i64) -> Vec<(f64, u64)> {
    let used = ledger.learn_beside(&synthetic(), readings, pending, at(minute));
    used.seen.iter().map(|used| ((used.requests * 100.0).round() / 100.0, used.since.as_secs())).collect()
}

#[test]
fn a_fall_that_we_did_not_cause_is_a_use() {
    let mut ledger = Ledger::new(at(0));
    assert_eq!(used(&mut ledger, &five_hours(400.0, 0, 14), 0.0, 0), [], "there is nothing to compare with");
    assert_eq!(used(&mut ledger, &five_hours(400.0, 1, 13), 0.0, 1), []);
    assert_eq!(used(&mut ledger, &five_hours(398.7, 3, 11), 0.0, 3), [(1.3, 120)]);
    assert_eq!(used(&mut ledger, &five_hours(398.7, 4, 10), 0.0, 4), [], "it is told once");
}

#[test]
fn what_we_spend_is_not_a_use() {
    let mut ledger = Ledger::new(at(0));
    used(&mut ledger, &five_hours(400.0, 0, 14), 0.0, 0);
    let grant = ask(&mut ledger, 1).unwrap();
    ledger.settle(&synthetic(), grant, Some(Charge { requests: 1.0, ..Charge::default() }), at(1));
    assert_eq!(used(&mut ledger, &five_hours(399.0, 2, 12), 0.0, 2), []);
    // One that was under way when the counter was read may be in it, or come later.
    assert_eq!(used(&mut ledger, &five_hours(399.0, 3, 11), 1.0, 3), []);
    assert_eq!(used(&mut ledger, &five_hours(398.0, 4, 10), 0.0, 4), []);
    assert_eq!(used(&mut ledger, &five_hours(397.0, 5, 9), 0.0, 5), [(1.0, 60)]);
}

#[test]
fn a_tick_hides_no_use_and_makes_none() {
    let mut ledger = Ledger::new(at(0));
    used(&mut ledger, &five_hours(400.0, 0, 5), 0.0, 0);
    assert_eq!(used(&mut ledger, &five_hours(425.0, 10, 10), 0.0, 10), []);
    assert_eq!(used(&mut ledger, &five_hours(446.0, 25, 10), 0.0, 25), [(4.0, 900)]);
    // Just when it may have come, and did not.
    assert_eq!(used(&mut ledger, &five_hours(446.0, 35, 0), 0.0, 35), []);
}

/// What the counter tells of the time until a second reading, `minutes` after the first.
fn told(settings: &QuotaSettings, first: &[Reading], second: &[Reading], minutes: i64) -> Counter {
    let mut ledger = Ledger::new(at(0));
    let unread = ledger.learn(settings, first, at(0)).counter;
    assert_ne!(unread, Counter::Still, "there is nothing to compare with");
    ledger.learn(settings, second, at(minutes)).counter
}

#[test]
fn a_counter_is_still_only_where_it_can_tell() {
    let synthetic = synthetic();
    let hours = |first: [Reading; 1], second: [Reading; 1], minutes| told(&synthetic, &first, &second, minutes);
    assert_eq!(hours(five_hours(400.0, 0, 14), five_hours(400.0, 5, 9), 5), Counter::Still);
    assert_eq!(hours(five_hours(400.0, 0, 14), five_hours(399.0, 5, 9), 5), Counter::Moved);
    assert_eq!(hours(five_hours(400.0, 0, 5), five_hours(425.0, 10, 10), 10), Counter::Still, "the tick is all there");
    assert_eq!(hours(five_hours(400.0, 0, 5), five_hours(421.0, 10, 10), 10), Counter::Moved);
    // A tick may just have come, or not: whoever used something in between cannot be seen.
    assert_eq!(hours(five_hours(400.0, 0, 10), five_hours(400.0, 10, 0), 10), Counter::Untold);
    assert_eq!(hours(five_hours(400.0, 0, 10), five_hours(425.0, 10, 15), 10), Counter::Still, "it has, and untouched");
    // Full: what was used may have come back.
    assert_eq!(hours(five_hours(500.0, 0, 5), five_hours(500.0, 10, 10), 10), Counter::Untold);
    assert_eq!(hours(five_hours(499.0, 0, 5), five_hours(500.0, 10, 10), 10), Counter::Untold);
    assert_eq!(hours(five_hours(500.0, 0, 14), five_hours(500.0, 5, 9), 5), Counter::Still, "nothing came back yet");
    let untimed = |remaining| [Reading { next: None, ..five_hours(remaining, 0, 0)[0].clone() }];
    assert_eq!(hours(untimed(400.0), untimed(400.0), 5), Counter::Untold, "a tick may have come");
}

#[test]
fn a_window_that_may_have_begun_anew_does_not_tell() {
    let nothing = QuotaSettings::default();
    let day = |remaining, next: Option<i64>| {
        let next = next.map(|minute| Timestamp::from_millisecond(at(minute).wall_ms).unwrap());
        [Reading { next, ..reading(WindowName::REQUESTS_DAY, Unit::Requests, remaining, 1000.0) }]
    };
    assert_eq!(told(&nothing, &day(700.0, Some(60)), &day(700.0, Some(60)), 20), Counter::Still);
    assert_eq!(told(&nothing, &day(700.0, Some(60)), &day(999.0, Some(1500)), 70), Counter::Untold);
    assert_eq!(told(&nothing, &day(700.0, None), &day(700.0, None), 20), Counter::Still, "it stands where it stood");
    assert_eq!(told(&nothing, &day(700.0, None), &day(705.0, None), 20), Counter::Untold, "it fills by and by");
    assert_eq!(told(&nothing, &day(1000.0, None), &day(1000.0, None), 20), Counter::Untold, "full again, perhaps");
    assert_eq!(told(&nothing, &day(1000.0, Some(60)), &day(1000.0, Some(60)), 20), Counter::Still);
    assert_eq!(told(&nothing, &day(700.0, None), &[], 20), Counter::Absent, "it was not read");
    // One counter that is sure is enough.
    let both = |first: [Reading; 1], second: [Reading; 1]| [first, second].concat();
    let (full, other) = (five_hours(500.0, 0, 5), five_hours(500.0, 10, 10));
    let (first, second) = (both(full, day(700.0, Some(60))), both(other, day(700.0, Some(60))));
    assert_eq!(told(&synthetic(), &first, &second, 10), Counter::Still);
}

#[test]
fn what_was_under_way_may_not_be_counted_yet() {
    let mut ledger = Ledger::new(at(0));
    let learn = |ledger: &mut Ledger, remaining, pending, minute| {
        ledger.learn_beside(&synthetic(), &five_hours(remaining, minute, 14 - minute), pending, at(minute)).counter
    };
    learn(&mut ledger, 400.0, 0.0, 0);
    let grant = ask(&mut ledger, 1).unwrap();
    assert_eq!(learn(&mut ledger, 400.0, 1.0, 1), Counter::Still, "ours is not in it yet, and nobody else's");
    ledger.settle(&synthetic(), grant, Some(Charge { requests: 1.0, ..Charge::default() }), at(2));
    assert_eq!(learn(&mut ledger, 399.0, 0.0, 3), Counter::Untold, "ours, or ours was in it and this is another's");
    assert_eq!(learn(&mut ledger, 399.0, 0.0, 4), Counter::Still);
}

#[test]
fn other_units_and_brief_windows_tell_nothing() {
    let mut ledger = Ledger::new(at(0));
    for remaining in [400.0, 300.0] {
        let minute = reading(WindowName::REQUESTS_MINUTE, Unit::Requests, remaining, 500.0);
        let money = reading(WindowName::BALANCE, Unit::Usd, remaining, 500.0);
        assert_eq!(used(&mut ledger, &[minute, money], 0.0, 1), []);
    }
}
