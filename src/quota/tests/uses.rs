//! Uses that are not ours, as a counter shows them: what neither our own requests nor a tick explains.

use super::*;

/// The five hours, read to have so much left and a tick in so many minutes.
fn five_hours(remaining: f64, now: i64, tick_in: i64) -> [Reading; 1] {
    let next = Timestamp::from_millisecond(at(now + tick_in).wall_ms).ok();
    [Reading { next, gives: Some(25.0), ..reading(WindowName::FIVE_HOUR, Unit::Requests, remaining, 500.0) }]
}

fn used(ledger: &mut Ledger, readings: &[Reading], pending: f64, minute: i64) -> Vec<(f64, u64)> {
    let used = ledger.learn_beside(&synthetic(), readings, pending, at(minute));
    used.iter().map(|used| ((used.requests * 100.0).round() / 100.0, used.since.as_secs())).collect()
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

#[test]
fn other_units_and_brief_windows_tell_nothing() {
    let mut ledger = Ledger::new(at(0));
    for remaining in [400.0, 300.0] {
        let minute = reading(WindowName::REQUESTS_MINUTE, Unit::Requests, remaining, 500.0);
        let money = reading(WindowName::BALANCE, Unit::Usd, remaining, 500.0);
        assert_eq!(used(&mut ledger, &[minute, money], 0.0, 1), []);
    }
}
