//! The learned policy beside fixed crons, AIMD and two oracles, in the worlds of section 6 of the reference: one table,
//! and the figures that it must reach. Nothing is asserted: a figure that misses its target is marked.
//!
//! `cargo bench --bench warmth` takes a minute or two; a number as an argument is that of the seeds (8). With `-- random 200`
//! it draws so many other worlds and tells in which of them the policy is worse than it should be.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

#[path = "../../tests/worlds/mod.rs"]
mod worlds;

mod cost;
mod random;
mod summary;

use worlds::Tally;
use worlds::scenarios::{Kind, SCENARIOS, Scenario};
use worlds::warmers::{Aimd, Cron, FirstContact, Learned, Oracle, View, Warmer};

/// Where nothing else is said, each world is lived through so often.
const SEEDS: u64 = 8;
/// How many worlds are drawn at random, where that is asked for.
const RANDOM: u64 = 200;

/// A policy's name and what makes one for a world.
type Maker = (&'static str, fn(&Scenario) -> Box<dyn Warmer>);

/// In the order of the columns. The first is what the others are measured by.
const POLICIES: [Maker; 11] = [
    ("informed", |world| Box::new(Oracle { timeout: world.timeout, view: View::Seen })),
    ("oracle", |world| Box::new(Oracle { timeout: world.timeout, view: View::Blind })),
    ("cron 5m", |_| Box::new(Cron(300.0))),
    ("cron 10m", |_| Box::new(Cron(600.0))),
    ("cron 15m", |_| Box::new(Cron(900.0))),
    ("AIMD", |_| Box::new(Aimd(300.0))),
    ("seeing", |_| Box::new(Learned::new(View::Seen))),
    ("seeing, twice", |_| Box::new(Learned::contacting(View::Seen, FirstContact::Two))),
    ("shared", |_| Box::new(Learned::new(View::Shared))),
    ("shared, twice", |_| Box::new(Learned::contacting(View::Shared, FirstContact::Two))),
    ("blind", |_| Box::new(Learned::new(View::Blind))),
];

/// What one policy came to in one world, over all seeds: means for probes, sums for sessions.
fn live(world: &Scenario, make: fn(&Scenario) -> Box<dyn Warmer>, seeds: u64) -> Tally {
    let mut sum = Tally::default();
    #[expect(clippy::cast_precision_loss, reason = "few seeds")]
    let share = 1.0 / seeds as f64;
    for seed in 1..=seeds {
        let tally = worlds::play(world, make(world).as_mut(), seed);
        sum.first_day += tally.first_day * share;
        sum.steady += tally.steady * share;
        sum.sessions += tally.sessions;
        sum.hits += tally.hits;
        sum.state = tally.state;
    }
    sum
}

fn main() {
    let mut words = std::env::args().skip(1).skip_while(|word| word != "random");
    if words.next().is_some() {
        return random::print(words.next().and_then(|word| word.parse().ok()).unwrap_or(RANDOM));
    }
    let seeds = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(SEEDS).max(1);
    println!(
        "Probes a working day in weeks 2 and 3, and the share of sessions that met a cold model; {seeds} seeds.\n"
    );
    print!("{:20}", "world");
    for (name, _) in POLICIES {
        print!("{name:>15}");
    }
    println!("  says");
    let mut columns: Vec<summary::Column> = POLICIES.iter().map(|(name, _)| summary::Column::new(name)).collect();
    for world in &SCENARIOS {
        let row: Vec<Tally> = POLICIES.iter().map(|(_, make)| live(world, *make, seeds)).collect();
        print!("{:20}", world.name);
        for (tally, column) in row.iter().zip(&mut columns) {
            print!("{:>7.1} {:>5.2} %", tally.steady, summary::percent(tally));
            column.add(world, tally, row.first().unwrap_or(tally));
        }
        println!("  {}", row.get(6).map_or("", |seeing| seeing.state));
    }
    println!();
    summary::print(&columns, |column| format!("{:>15.2}", column.steady()), "steady, × informed");
    summary::print(&columns, |column| format!("{:>15.2}", column.first_day()), "first day, ×");
    summary::print(&columns, |column| format!("{:>13.2} %", column.mean_hits()), "mean hits");
    summary::print(&columns, |column| format!("{:>13.2} %", column.worst_hits()), "worst hits");
    let infeasible = SCENARIOS.iter().filter(|world| world.kind == Kind::Infeasible).count();
    println!(
        "Ratios: geometric means over the {} worlds with one exact timeout. Hits: over all but the {infeasible}",
        summary::hard()
    );
    println!("worlds where nothing helps. `informed` knows the timeout and sees users, `oracle` knows the timeout.\n");
    summary::judge(&columns);
    cost::print();
}
