//! The learned policy in a few worlds of the benchmark, with margins: a change that spoils it is caught here, and
//! `cargo bench --bench warmth` shows by how much.

use crate::worlds::scenarios::{HOUR, Kind, MINUTE, SCENARIOS, Scenario, plain};
use crate::worlds::warmers::{Aimd, Cron, Learned, Oracle, View, Warmer};
use crate::worlds::{Tally, play};

fn live(world: &Scenario, seeds: u32, make: impl Fn() -> Box<dyn Warmer>) -> Tally {
    let mut sum = Tally::default();
    for seed in 1..=seeds {
        let tally = play(world, make().as_mut(), u64::from(seed));
        sum.steady += tally.steady / f64::from(seeds);
        sum.first_day += tally.first_day / f64::from(seeds);
        sum.sessions += tally.sessions;
        sum.hits += tally.hits;
        sum.state = tally.state;
    }
    sum
}

fn world(name: &str) -> Scenario {
    *SCENARIOS.iter().find(|world| world.name == name).unwrap()
}

fn learned(world: &Scenario, view: View) -> Tally {
    live(world, 3, || Box::new(Learned::new(view)))
}

fn informed(world: &Scenario) -> Tally {
    live(world, 3, || Box::new(Oracle { timeout: world.timeout, view: View::Seen }))
}

#[test]
fn a_timeout_is_learned_and_little_more_than_an_oracle_would_send_is_sent() {
    for name in ["T=5m", "T=15m", "T=30m", "15m, C=4s", "15m, C=120s"] {
        let world = world(name);
        assert_eq!(world.kind, Kind::Hard);
        let (tally, oracle) = (learned(&world, View::Seen), informed(&world));
        assert!(tally.steady < 1.2 * oracle.steady, "{name}: {} {}", tally.steady, oracle.steady);
        assert!(tally.first_day < 2.5 * oracle.first_day, "{name}: {} {}", tally.first_day, oracle.first_day);
        assert!(tally.hits < 0.015 * tally.sessions, "{name}: {} {}", tally.hits, tally.sessions);
    }
}

#[test]
fn without_seeing_users_it_costs_more_and_is_as_safe() {
    let other = Scenario { load: 60.0, users: 0.8, ..plain("12m, C=60s", 12.0 * MINUTE) };
    for view in [View::Shared, View::Blind] {
        let (tally, oracle) = (learned(&other, view), informed(&other));
        assert!(tally.steady < 1.5 * oracle.steady, "{view:?}: {} {}", tally.steady, oracle.steady);
        assert!(tally.hits < 0.015 * tally.sessions, "{view:?}: {} {}", tally.hits, tally.sessions);
    }
}

#[test]
fn a_model_that_stays_is_left_alone_and_one_that_goes_at_once_is_given_up() {
    let stays = learned(&world("never"), View::Seen);
    assert!(stays.steady <= 2.0 && stays.state == "never-unloads", "{stays:?}");
    let goes = learned(&world("T=1m"), View::Seen);
    assert!(goes.steady <= 5.0 && goes.state == "unkeepable", "{goes:?}");
    let random = learned(&world("memoryless 60m"), View::Seen);
    // Nothing helps there; without any warming 37 % of the sessions would meet a cold model.
    assert!(random.hits < 0.1 * random.sessions, "{random:?}");
}

#[test]
fn a_change_is_followed() {
    let tally = learned(&world("60m to 5m"), View::Seen);
    assert!(tally.hits < 0.03 * tally.sessions, "{tally:?}");
}

#[test]
fn what_people_do_today_is_worse() {
    let world = world("T=15m");
    let learned = learned(&world, View::Seen);
    let cron = live(&world, 3, || Box::new(Cron(300.0)));
    assert!(cron.steady > 2.5 * learned.steady, "{cron:?} {learned:?}");
    let other = plain("20m", HOUR / 3.0);
    let aimd = live(&other, 3, || Box::new(Aimd(300.0)));
    let learned = self::learned(&other, View::Seen);
    assert!(aimd.steady > 1.2 * learned.steady, "{aimd:?} {learned:?}");
}
