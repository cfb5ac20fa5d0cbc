//! What a probe costs, and how true its times are: one table, each figure beside its peer from the same run.
//!
//! `cargo bench --bench probe` takes about four minutes; `cargo bench --bench probe -- once many` runs some sections.
//! docs/benchmarks.md has the method. Costs are CPU time, because wall time on a shared machine measures the others.
//! Nothing is asserted: a figure that misses its target is marked, and the reader judges.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod daemon;
mod figures;
mod first_token;
mod many;
mod memory;
mod once;
mod plan;
mod probes;
mod simulator;

use figures::Row;

/// A section's name and what measures it.
type Section = (&'static str, fn() -> anyhow::Result<Vec<Row>>);

/// In this order, because a child's peak memory is at least that of the process that starts it: what is measured in
/// this process comes last.
const SECTIONS: [Section; 6] = [
    ("once", once::measure),
    ("plan", plan::measure),
    ("memory", memory::measure),
    ("first-token", first_token::measure),
    ("many", many::measure),
    ("daemon", daemon::measure),
];

fn main() -> anyhow::Result<()> {
    // cargo adds `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let before = load();
    println!("{}", Row::HEADING);
    for (name, measure) in SECTIONS {
        if wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str())) {
            for row in measure()? {
                println!("{row}");
            }
        }
    }
    // Whoever reads the table must know how much of the machine it had.
    println!("\nLoad average over a minute: {before} before, {} after.", load());
    Ok(())
}

/// The system's load average over a minute, its own part included.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}
