//! When each target had its last warm-up: it outlives the process, and does not grow without bound.

use super::*;

fn target(number: usize) -> TargetId {
    TargetId::new(&format!("target-{number}")).unwrap()
}

#[test]
fn a_turn_is_remembered_over_a_restart() {
    let mut ledger = Ledger::new(at(0));
    assert_eq!(ledger.since_turn(&target(1), at(0)), None);
    ledger.took_turn(&target(1), at(0));
    ledger.took_turn(&target(2), at(5));
    let again = Ledger::from_json(&ledger.to_json()).unwrap();
    assert_eq!(again.since_turn(&target(1), at(10)), Some(600.0));
    assert_eq!(again.since_turn(&target(2), at(10)), Some(300.0));
    assert_eq!(again.since_turn(&target(3), at(10)), None);
    ledger.took_turn(&target(1), at(9));
    assert_eq!(ledger.since_turn(&target(1), at(10)), Some(60.0), "the last one counts");
    // A ledger of before there were turns.
    let mut older: serde_json::Value = serde_json::from_str(&ledger.to_json()).unwrap();
    older.as_object_mut().unwrap().remove("turns").unwrap();
    let older = Ledger::from_json(&older.to_string()).unwrap();
    assert_eq!(older.since_turn(&target(1), at(10)), None);
}

#[test]
fn of_five_hundred_turns_the_oldest_makes_room() {
    let mut ledger = Ledger::new(at(0));
    let minute = |number: usize| i64::try_from(number).unwrap();
    for number in 0..500 {
        ledger.took_turn(&target(number), at(minute(number)));
    }
    ledger.took_turn(&target(0), at(500));
    assert!(ledger.since_turn(&target(1), at(502)).is_some(), "one that is known needs no room");
    ledger.took_turn(&target(500), at(501));
    assert_eq!(ledger.since_turn(&target(1), at(502)), None);
    let kept = (0..=500).filter(|number| ledger.since_turn(&target(*number), at(502)).is_some()).count();
    assert_eq!(kept, 500);
}
