//! Worlds that nobody chose: drawn from a seed, so that the policy is seen where it was not tuned. `-- random 200` draws so many.

use crate::worlds::chance::Chance;
use crate::worlds::scenarios::{HOUR, Kind, MINUTE, Scenario, plain};
use crate::worlds::warmers::{FirstContact, Learned, Oracle, View};
use crate::worlds::{Tally, play};

/// Each world is lived through so often.
const SEEDS: u64 = 3;
/// What is worth a look: so many times the probes of the informed oracle …
const RATIO: f64 = 1.4;
/// … or so many of a hundred sessions that met a cold model.
const HITS: f64 = 1.0;

/// Between two numbers, evenly on a logarithmic scale.
fn between(chance: &mut Chance, least: f64, most: f64) -> f64 {
    least * (most / least).powf(chance.share())
}

/// A world: idle timeouts from 2 minutes to 4 hours, replies and loads that may be near each other, sometimes evictions, a
/// jitter, a change, other tenants.
fn draw(number: u64) -> Scenario {
    let mut chance = Chance::new(number, 77);
    let timeout = between(&mut chance, 2.0 * MINUTE, 4.0 * HOUR);
    let warm = between(&mut chance, 0.15, 4.0);
    let load = between(&mut chance, 3.0_f64.max(2.0 * warm), 200.0);
    let users = between(&mut chance, 0.3, 6.0);
    let odd = chance.share();
    let mut world = Scenario { load, warm, users, ..plain("", timeout) };
    if odd < 0.12 {
        world.eviction = between(&mut chance, 4.0 * HOUR, 48.0 * HOUR);
    } else if odd < 0.24 {
        world.jitter = 0.02 + 0.13 * chance.share();
    } else if odd < 0.36 {
        world.later = Some(between(&mut chance, 3.0 * MINUTE, 2.0 * HOUR));
    } else if odd < 0.44 {
        world.tenants = between(&mut chance, 1.0, 40.0);
    }
    if odd < 0.44 {
        world.kind = Kind::Feasible;
    }
    world.siblings = if chance.share() < 0.3 { 2 } else { 0 };
    world
}

fn live(world: &Scenario, seeds: u64, make: impl Fn() -> Box<dyn crate::worlds::warmers::Warmer>) -> Tally {
    let mut sum = Tally::default();
    for seed in 1..=seeds {
        let tally = play(world, make().as_mut(), seed);
        sum.steady += tally.steady;
        sum.first_day += tally.first_day;
        sum.sessions += tally.sessions;
        sum.hits += tally.hits;
        sum.state = tally.state;
    }
    sum
}

fn percent(tally: &Tally) -> f64 {
    100.0 * tally.hits / tally.sessions.max(1.0)
}

/// Lives through so many, and prints the odd ones and what it comes to.
#[expect(clippy::cast_precision_loss, reason = "a few hundred worlds")]
pub(crate) fn print(worlds: u64) {
    println!("{worlds} worlds drawn at random, {SEEDS} seeds each. Those in which it is worse than it should be:\n");
    for (view, name) in [(View::Seen, "seeing"), (View::Shared, "shared"), (View::Blind, "blind")] {
        let (mut ratios, mut first, mut hits, mut odd) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for number in 1..=worlds {
            let world = draw(number);
            // Who cannot see users is measured by an oracle that cannot either.
            let seen = if view == View::Seen { View::Seen } else { View::Blind };
            let oracle = live(&world, SEEDS, || Box::new(Oracle { timeout: world.timeout, view: seen }));
            let tally = live(&world, SEEDS, || Box::new(Learned::contacting(view, FirstContact::Two)));
            // A probe or two a day more is no ratio to speak of.
            let ratio = (tally.steady + 1.0) / (oracle.steady + 1.0);
            ratios.push(ratio.ln());
            first.push(((tally.first_day + 1.0) / (oracle.first_day + 1.0)).ln());
            hits.push(percent(&tally));
            if (ratio > RATIO && tally.steady - oracle.steady > 3.0 * SEEDS as f64)
                || percent(&tally) > HITS.max(1.2 * percent(&oracle))
            {
                odd += 1;
                println!(
                    "{name:7} {number:>4}: {ratio:>5.2} × {:>6.1} a day, {:>5.2} % cold (oracle {:>5.2} %): T={:.1}m later={} \
                     warm={:.2}s C={:.0}s users={:.1}/h jitter={:.2} evicted 1/{:.0}h tenants={:.0}/h siblings={} {}",
                    oracle.steady / SEEDS as f64,
                    percent(&tally),
                    percent(&oracle),
                    world.timeout / MINUTE,
                    world.later.map_or("-".to_owned(), |later| format!("{:.1}m", later / MINUTE)),
                    world.warm,
                    world.load,
                    world.users,
                    world.jitter,
                    world.eviction / HOUR,
                    world.tenants,
                    world.siblings,
                    tally.state,
                );
            }
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let worst = hits.iter().copied().fold(0.0, f64::max);
        println!(
            "{name:7} steady {:.2} ×, first day {:.2} ×, hits {:.2} % in the mean and {worst:.2} % at worst; {odd} odd\n",
            mean(&ratios).exp(),
            mean(&first).exp(),
            mean(&hits),
        );
    }
}
