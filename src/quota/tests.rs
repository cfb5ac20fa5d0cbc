//! The ledger and its governor: examples, and laws that hold whatever happens.

mod laws;
mod turns;
mod uses;

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::outcome::{Counter, Limited, Reading, Unit, WindowName};
use crate::target::{ModelId, TargetId};

const MINUTE: i64 = 60_000;

fn at(minutes: i64) -> Stamp {
    // A midnight, UTC.
    Stamp::of_wall(1_795_046_400_000 + minutes * MINUTE)
}

/// One pack of Synthetic's.
pub(super) fn synthetic() -> QuotaSettings {
    let steps = |minutes: u64, amount| Refill::Steps { every: Duration::from_secs(minutes * 60), amount };
    QuotaSettings {
        limits: vec![
            Limit { name: WindowName::FIVE_HOUR, unit: Unit::Requests, max: 500.0, refill: steps(15, 25.0) },
            Limit { name: WindowName::WEEK, unit: Unit::Usd, max: 24.0, refill: steps(202, 0.48) },
        ],
        parallel: Some(1),
        ..QuotaSettings::default()
    }
}

fn wish() -> Wish {
    Wish {
        spending: Spending::Scheduled,
        charge: Charge { requests: 1.0, tokens: 30.0, usd: None },
        at_most_usd: None,
        in_flight: InFlight::No,
        pace: None,
        outstanding: Charge::default(),
    }
}

fn reading(window: WindowName, unit: Unit, remaining: f64, max: f64) -> Reading {
    Reading { window, unit, remaining: Some(remaining), max: Some(max), next: None, gives: None, limited: Limited::No }
}

fn ask(ledger: &mut Ledger, minute: i64) -> Result<Grant, String> {
    ledger.ask(&synthetic(), &wish(), at(minute)).map_err(|withheld| withheld.to_string())
}

#[test]
fn probes_have_their_share_of_each_tick_and_no_more() {
    // 30 % of 25 requests every 15 minutes is 7.5.
    let mut ledger = Ledger::new(at(0));
    let granted = |ledger: &mut Ledger, minute| (0..100).take_while(|_| ask(ledger, minute).is_ok()).count();
    assert_eq!(granted(&mut ledger, 0), 7);
    assert_eq!(
        ask(&mut ledger, 14).unwrap_err(),
        "the probes' share of 30 % is spent: 0.5 requests left of it, 1 request needed (five-hour); again in 1m"
    );
    assert_eq!(granted(&mut ledger, 15), 8, "what was left over counts");
    // Two hours' worth is saved up at most: 60.
    assert_eq!(granted(&mut ledger, 15 + 24 * 60), 60);
}

#[test]
fn the_floor_keeps_what_users_need() {
    let mut ledger = Ledger::new(at(0));
    let mut low = reading(WindowName::FIVE_HOUR, Unit::Requests, 75.5, 500.0);
    low.next = Some(Timestamp::from_millisecond(at(6).wall_ms).unwrap());
    ledger.learn(&synthetic(), &[low], at(0));
    assert_eq!(
        ask(&mut ledger, 1).unwrap_err(),
        "quota below 15 %: 75.5 requests of 500 requests left (five-hour); again in 5m"
    );
    // The tick brings 25: 100.5 are left.
    assert!(ask(&mut ledger, 7).is_ok());
}

#[test]
fn a_week_may_go_lower_than_five_hours() {
    let mut ledger = Ledger::new(at(0));
    ledger.learn(&synthetic(), &[reading(WindowName::WEEK, Unit::Usd, 2.50, 24.0)], at(0));
    assert!(ask(&mut ledger, 1).is_ok());
    ledger.learn(&synthetic(), &[reading(WindowName::WEEK, Unit::Usd, 2.30, 24.0)], at(2));
    assert_eq!(ask(&mut ledger, 2).unwrap_err(), "quota below 10 %: $2.30 of $24.00 left (week)");
}

#[test]
fn a_refusal_silences_until_the_stated_time_or_the_next_tick() {
    let settings = synthetic();
    let mut ledger = Ledger::new(at(0));
    ledger.refused(&settings, Some(600.0), at(0));
    assert_eq!(ask(&mut ledger, 9).unwrap_err(), "the provider refuses for now; again in 1m");
    assert!(ask(&mut ledger, 10).is_ok());

    let mut half = reading(WindowName::FIVE_HOUR, Unit::Requests, 250.0, 500.0);
    half.next = Some(Timestamp::from_millisecond(at(24).wall_ms).unwrap());
    ledger.learn(&settings, &[half], at(20));
    ledger.refused(&settings, None, at(20));
    assert!(ask(&mut ledger, 23).is_err());
    assert!(ask(&mut ledger, 24).is_ok());
}

#[test]
fn refusals_without_a_time_silence_for_longer_and_longer() {
    let settings = synthetic();
    let mut ledger = Ledger::new(at(0));
    let mut minute = 0;
    for silent in [1, 2, 4, 8, 16, 32, 60, 60] {
        ledger.refused(&settings, None, at(minute));
        assert!(ask(&mut ledger, minute + silent - 1).is_err() || silent == 1);
        minute += silent;
        // Leave to ask, which is refused again.
        let grant = ask(&mut ledger, minute).unwrap();
        ledger.settle(&settings, grant, None, at(minute));
    }
}

#[test]
fn a_limit_that_is_stated_holds_people_back_too_and_nothing_else_does() {
    let settings = synthetic();
    let mut ledger = Ledger::new(at(0));
    let by_hand = Wish { spending: Spending::ByHand, ..wish() };
    ledger.learn(&settings, &[reading(WindowName::FIVE_HOUR, Unit::Requests, 3.0, 500.0)], at(0));
    for _ in 0..20 {
        ledger.ask(&settings, &by_hand, at(0)).unwrap();
    }
    assert_eq!(ledger.share_left(&WindowName::FIVE_HOUR), Some(0.0), "it counts, though");
    let mut limited = reading(WindowName::FIVE_HOUR, Unit::Requests, 0.0, 500.0);
    limited.limited = Limited::Yes;
    limited.next = Some(Timestamp::from_millisecond(at(15).wall_ms).unwrap());
    ledger.learn(&settings, &[limited], at(1));
    assert_eq!(ledger.ask(&settings, &by_hand, at(1)).unwrap_err().why, WhyWithheld::Limited);
    ledger.ask(&settings, &Wish { spending: Spending::Unlimited, ..wish() }, at(1)).unwrap();
    ledger.ask(&settings, &by_hand, at(15)).unwrap();
}

#[test]
fn the_days_money_is_capped_until_midnight_whatever_the_clock_says() {
    let settings = QuotaSettings { daily_cap: Some(0.01), ..QuotaSettings::default() };
    let price = Price { requests: 1.0, input_usd: Some(3.0), output_usd: Some(15.0) };
    let charge = Charge::expected(price, 16);
    let wish = Wish { charge, at_most_usd: Charge::at_most(price, 16).usd, spending: Spending::ByHand, ..wish() };
    let stamp = |wall_minutes: i64, ms: u64| Stamp { steady: Some(Steady { boot: 1, ms }), ..at(wall_minutes) };
    let mut ledger = Ledger::new(stamp(60, 0));
    let mut spent = 0.0;
    while let Ok(grant) = ledger.ask(&settings, &wish, stamp(61, 1)) {
        ledger.settle(&settings, grant, Some(Charge::of(price, 30, 16)), stamp(61, 1));
        spent += Charge::of(price, 30, 16).usd.unwrap();
    }
    assert!(spent <= 0.01 && spent > 0.007, "{spent}");
    let says = ledger.ask(&settings, &wish, stamp(62, 2)).unwrap_err().to_string();
    assert!(says.starts_with("daily cap of $0.01 reached: $0.0"), "{says}");
    // The clock is set to the next day, and back.
    assert!(ledger.ask(&settings, &wish, stamp(3000, 3)).is_err());
    assert!(ledger.ask(&settings, &wish, stamp(-3000, 4)).is_err());
    // 23 hours later the day is over.
    ledger.ask(&settings, &wish, stamp(60, 23 * 3_600_000)).unwrap();
    // What a model costs must be known.
    let unknown = Wish { at_most_usd: None, ..self::wish() };
    assert_eq!(ledger.ask(&settings, &unknown, stamp(60, 0)).unwrap_err().why, WhyWithheld::PriceUnknown);
}

#[test]
fn what_was_taken_and_not_spent_is_given_back() {
    let settings = synthetic();
    let mut ledger = Ledger::new(at(0));
    let before = ledger.clone();
    let grant = ask(&mut ledger, 0).unwrap();
    assert_eq!(ledger.share_left(&WindowName::FIVE_HOUR), Some(6.5));
    ledger.settle(&settings, grant, None, at(0));
    assert_eq!(ledger.share_left(&WindowName::FIVE_HOUR), Some(7.5));
    assert_eq!(before.share_left(&WindowName::FIVE_HOUR), None);
}

fn stake(name: &str, use_per_hour: f64, requests: f64, warm_ups_per_hour: f64) -> Stake {
    Stake {
        target: TargetId::new(name).unwrap(),
        use_per_hour,
        cold_start_s: 30.0,
        charge: Charge { requests, ..Charge::default() },
        warm_ups_per_hour,
    }
}

#[test]
fn when_short_everybody_has_a_part_and_the_more_useful_a_larger_one() {
    let minutes = |stakes: &[Stake]| -> Vec<(String, f64)> {
        let gaps = gaps(stakes, &synthetic());
        gaps.into_iter().map(|(id, gap)| (id.to_string(), (gap / 6.0).round() / 10.0)).collect()
    };
    // 30 requests an hour are the share, and 28.5 go by turns. Six models every 5 minutes ask for 72.
    let six: Vec<Stake> = ["a", "b", "c", "d", "e", "f"].map(|name| stake(name, 1.0, 1.0, 12.0)).to_vec();
    assert!(minutes(&six).iter().all(|(_, gap)| *gap == 12.6), "{:?}", minutes(&six));
    // Two of them fit as they are.
    assert_eq!(minutes(&six[..2]), []);
    // Who is used twice as much has twice as much; who is cheap asks for less than its part and has all it asks for.
    let mixed = [stake("often", 4.0, 1.0, 60.0), stake("rare", 2.0, 1.0, 60.0), stake("cheap", 2.0, 0.1, 15.0)];
    assert_eq!(minutes(&mixed), [("often".to_owned(), 3.3), ("rare".to_owned(), 6.7)]);
    // What is worth nothing by what is stated is not left out altogether.
    let unused = [stake("used", 10.0, 1.0, 60.0), stake("unused", 0.0, 1.0, 60.0)];
    assert_eq!(minutes(&unused)[1], ("unused".to_owned(), 212.6));
}

#[test]
fn a_target_that_has_had_its_part_waits_for_its_turn() {
    let settings = synthetic();
    let mut ledger = Ledger::new(at(0));
    let paced = |since_s| Wish { pace: Some((720.0, since_s)), ..wish() };
    let withheld = ledger.ask(&settings, &paced(300.0), at(0)).unwrap_err();
    assert_eq!(withheld.to_string(), "the share is enough for one every 12m (five-hour); again in 7m");
    assert!(ledger.ask(&settings, &paced(710.0), at(0)).is_ok());
    assert!(ask(&mut ledger, 0).is_ok(), "of which nothing is known, it has not had its part");
    // 60 are saved up overnight; what can no longer be saved up is for whoever comes.
    let greedy =
        |ledger: &mut Ledger| (0..100).take_while(|_| ledger.ask(&settings, &paced(1.0), at(600)).is_ok()).count();
    assert_eq!(greedy(&mut ledger), 4);
}

#[test]
fn a_price_is_measured_by_the_least_of_what_was_seen() {
    let model = ModelId::new("hf:zai-org/GLM-4.7-Flash");
    let mut ledger = Ledger::new(at(0));
    let price = |ledger: &Ledger| ledger.price(&synthetic(), &model).requests;
    ledger.measure(&model, 1.1);
    assert_eq!(price(&ledger), 1.0, "one sample may be a user's");
    ledger.measure(&model, 499.9 - 499.8);
    assert_eq!(price(&ledger), 0.1);
    for odd in [0.0, -1.0, f64::NAN, 1e9] {
        ledger.measure(&model, odd);
    }
    assert_eq!(price(&ledger), 0.1);
    for _ in 0..8 {
        ledger.measure(&model, 0.5);
    }
    assert_eq!(price(&ledger), 0.5, "prices change; the last eight count");
}

#[test]
fn a_ledger_survives_being_written() {
    let settings = synthetic();
    let mut ledger = Ledger::new(at(0));
    ledger.learn(&settings, &[reading(WindowName::FIVE_HOUR, Unit::Requests, 154.3, 500.0)], at(0));
    ledger.refused(&settings, Some(30.0), at(0));
    ledger.measure(&ModelId::new("m"), 0.3);
    assert_eq!(Ledger::from_json(&ledger.to_json()), Some(ledger.clone()));
    for broken in ["", "{}", "[1]", &ledger.to_json().replace("\"schema\":1", "\"schema\":9")] {
        assert_eq!(Ledger::from_json(broken), None, "{broken}");
    }
    let negative = ledger.to_json().replace("\"silent_s\":30.0", "\"silent_s\":-30.0");
    assert_ne!(negative, ledger.to_json());
    assert_eq!(Ledger::from_json(&negative), None);
    // One that was lost begins with nothing.
    let mut lost = Ledger::after_loss(at(0), &settings);
    assert!(ask(&mut lost, 1).is_err());
    assert!(ask(&mut lost, 15).is_ok());
}

#[test]
fn what_is_left_follows_the_ticks() {
    let settings = synthetic();
    let mut ledger = Ledger::new(at(0));
    let mut seen = reading(WindowName::FIVE_HOUR, Unit::Requests, 100.0, 500.0);
    seen.next = Some(Timestamp::from_millisecond(at(5).wall_ms).unwrap());
    ledger.learn(&settings, &[seen], at(0));
    let left = |ledger: &mut Ledger, minute| {
        ledger.learn(&settings, &[], at(minute));
        let one = ledger.left(&settings).next().map(|left| (left.remaining, left.next_s));
        one.unwrap()
    };
    assert_eq!(left(&mut ledger, 4), (100.0, Some(60.0)));
    assert_eq!(left(&mut ledger, 5), (125.0, Some(900.0)));
    assert_eq!(left(&mut ledger, 36), (175.0, Some(840.0)));
    assert_eq!(left(&mut ledger, 1400).0, 500.0);
}

#[test]
fn a_window_of_one_request_does_not_block_for_ever() {
    let settings = QuotaSettings::default();
    let mut ledger = Ledger::new(at(0));
    let mut second = reading(WindowName::REQUESTS_SECOND, Unit::Requests, 1.0, 1.0);
    ledger.learn(&settings, &[second.clone()], at(0));
    assert!(ledger.ask(&settings, &wish(), at(0)).is_ok(), "a full window that is never above its floor");
    second.remaining = Some(0.0);
    ledger.learn(&settings, &[second.clone()], at(1));
    assert!(ledger.ask(&settings, &wish(), at(1)).is_err());
    assert!(ledger.ask(&settings, &wish(), at(2)).is_ok(), "a second is over after a minute");
    let nothing = Reading { max: None, ..reading(WindowName::REQUESTS, Unit::Requests, 0.0, 0.0) };
    ledger.learn(&settings, &[nothing], at(3));
    assert!(ledger.ask(&settings, &wish(), at(3)).is_err());
    assert!(ledger.ask(&settings, &wish(), at(5)).is_ok());
}

#[test]
fn what_the_provider_states_last_counts() {
    let settings = synthetic();
    let mut ledger = Ledger::new(at(0));
    let mut limited = reading(WindowName::FIVE_HOUR, Unit::Requests, 0.0, 500.0);
    limited.limited = Limited::Yes;
    limited.next = Some(Timestamp::from_millisecond(at(60 * 24 * 29).wall_ms).unwrap());
    ledger.learn(&settings, &[limited.clone()], at(0));
    let withheld = ledger.ask(&settings, &wish(), at(1)).unwrap_err();
    assert_eq!(withheld.why, WhyWithheld::Limited);
    assert!(withheld.until_s.unwrap() <= 5.0 * 3600.0, "no longer than the window: {withheld}");
    ledger.learn(&settings, &[reading(WindowName::FIVE_HOUR, Unit::Requests, 500.0, 500.0)], at(2));
    assert!(ask(&mut ledger, 2).is_ok());
    // Without a time it holds for a tick, and people too.
    limited.next = None;
    ledger.learn(&settings, &[limited], at(3));
    let by_hand = Wish { spending: Spending::ByHand, ..wish() };
    assert_eq!(ledger.ask(&settings, &by_hand, at(4)).unwrap_err().until_s, Some(14.0 * 60.0));
    // A request that is answered ends a silence.
    ledger.learn(&settings, &[reading(WindowName::FIVE_HOUR, Unit::Requests, 500.0, 500.0)], at(5));
    ledger.refused(&settings, Some(86_400.0), at(5));
    assert!(ask(&mut ledger, 6).is_err());
    let grant = ledger.ask(&settings, &by_hand, at(6)).unwrap();
    ledger.settle(&settings, grant, Some(wish().charge), at(6));
    assert!(ask(&mut ledger, 6).is_ok());
}

#[test]
fn the_floor_holds_for_those_that_run_together() {
    let settings = synthetic();
    let mut ledger = Ledger::new(at(0));
    let mut outstanding = Charge::default();
    let mut granted = 0;
    for _ in 0..6 {
        // Each has just read the same.
        ledger.learn(&settings, &[reading(WindowName::FIVE_HOUR, Unit::Requests, 77.0, 500.0)], at(0));
        if let Ok(grant) = ledger.ask(&settings, &Wish { outstanding, ..wish() }, at(0)) {
            granted += 1;
            outstanding = outstanding.and(grant.taken());
        }
    }
    assert_eq!(granted, 2, "75 must be left");
}

#[test]
fn the_share_is_of_what_the_provider_states_where_that_is_less() {
    let mut settings = synthetic();
    settings.limits[0].max = 2500.0;
    settings.limits[0].refill = Refill::Steps { every: Duration::from_secs(900), amount: 125.0 };
    let mut ledger = Ledger::new(at(0));
    ledger.learn(&settings, &[reading(WindowName::FIVE_HOUR, Unit::Requests, 500.0, 500.0)], at(0));
    for minute in [15, 30] {
        ledger.learn(&settings, &[reading(WindowName::FIVE_HOUR, Unit::Requests, 500.0, 500.0)], at(minute));
        while ledger.ask(&settings, &wish(), at(minute)).is_ok() {}
    }
    ledger.learn(&settings, &[], at(45));
    let left = ledger.share_left(&WindowName::FIVE_HOUR).unwrap();
    assert!((7.5..8.5).contains(&left), "{left}");
}

#[test]
fn an_absurd_cost_is_paid_for_within_the_window() {
    let settings = synthetic();
    let mut ledger = Ledger::new(at(0));
    let grant = ask(&mut ledger, 0).unwrap();
    ledger.settle(&settings, grant, Some(Charge { requests: 1e18, tokens: 1e30, usd: Some(f64::MAX) }), at(0));
    let until = ledger.ask(&settings, &wish(), at(0)).unwrap_err().until_s.unwrap();
    assert!(until <= 20.0 * 3600.0, "{until}");
}

#[test]
fn half_a_price_is_none() {
    let half = Price { requests: 1.0, input_usd: None, output_usd: Some(0.01) };
    assert_eq!(Charge::at_most(half, 16).usd, None);
}
