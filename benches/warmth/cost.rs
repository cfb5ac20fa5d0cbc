//! What a decision costs, and what a belief takes.

use std::hint::black_box;
use std::time::Duration;

use cpu_time::ProcessTime;
use pilotlight::warmth::{Hours, Keeper, Moment, Observation, Reply, Settings, Sight, Span};

const DECISIONS: u32 = 20_000;
const TARGETS: usize = 10_000;

/// This process' resident memory, in KiB.
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or_default()
}

/// An observation and the answer to it: the gaps and the replies go through all that a model may do.
fn decide(keeper: &mut Keeper, number: u32) {
    let at = Moment::from_seconds(900.0 * f64::from(number));
    let slow = number.is_multiple_of(7);
    keeper.observe(&Observation {
        at,
        gap: Some(Span::from_seconds(150.0 + 37.0 * f64::from(number % 100))),
        slack: Span::ZERO,
        reply: Reply::FirstToken(Span::from_seconds(if slow { 28.0 } else { 0.4 })),
        sight: Sight::Seen,
        hours: Hours::Inside,
    });
    black_box(keeper.answer(at).says.to_string());
}

pub(crate) fn print() {
    let mut keeper = Keeper::new(Settings::default());
    for number in 0..1000 {
        decide(&mut keeper, number);
    }
    let begun = ProcessTime::now();
    for number in 0..DECISIONS {
        decide(&mut keeper, number);
    }
    let each = begun.elapsed().checked_div(DECISIONS).unwrap_or(Duration::ZERO).as_secs_f64() * 1e6;
    let mark = |met: bool| if met { "met" } else { "MISSED" };
    println!(
        "{:58} {each:>7.2}  at most {:>5.2}  {}",
        "a decision with its sentence, µs of CPU",
        20.0,
        mark(each <= 20.0)
    );
    let before = resident();
    let keepers: Vec<Keeper> = (0..TARGETS).map(|_| keeper.clone()).collect();
    let taken = (resident() - before) / 1024.0;
    black_box(&keepers);
    println!("{:58} {taken:>7.2}  at most {:>5.2}  {}", "10,000 targets in memory, MiB", 40.0, mark(taken <= 40.0));
    println!("{:58} {:>7}", "a target as it is kept, bytes of JSON", keeper.keep().len());
}
