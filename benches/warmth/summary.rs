//! What a policy came to over all worlds, and whether that is what it must reach.

use crate::worlds::Tally;
use crate::worlds::scenarios::{Kind, SCENARIOS, Scenario};

/// One policy in all worlds.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    steady: Vec<f64>,
    first_day: Vec<f64>,
    hits: Vec<f64>,
    rows: Vec<(&'static str, Tally)>,
}

/// Sessions that met a cold model, in percent.
pub(crate) fn percent(tally: &Tally) -> f64 {
    100.0 * tally.hits / tally.sessions.max(1.0)
}

/// How many worlds have one exact timeout.
pub(crate) fn hard() -> usize {
    SCENARIOS.iter().filter(|world| world.kind == Kind::Hard).count()
}

#[expect(clippy::cast_precision_loss, reason = "22 worlds")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

impl Column {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, steady: Vec::new(), first_day: Vec::new(), hits: Vec::new(), rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, world: &Scenario, tally: &Tally, informed: &Tally) {
        if world.kind == Kind::Hard {
            self.steady.push((tally.steady / informed.steady).ln());
            self.first_day.push((tally.first_day / informed.first_day).ln());
        }
        if world.kind != Kind::Infeasible {
            self.hits.push(percent(tally));
        }
        self.rows.push((world.name, *tally));
    }

    /// Steady probes, as a multiple of the informed oracle's.
    pub(crate) fn steady(&self) -> f64 {
        mean(&self.steady).exp()
    }

    pub(crate) fn first_day(&self) -> f64 {
        mean(&self.first_day).exp()
    }

    pub(crate) fn mean_hits(&self) -> f64 {
        mean(&self.hits)
    }

    pub(crate) fn worst_hits(&self) -> f64 {
        self.hits.iter().copied().fold(0.0, f64::max)
    }

    fn row(&self, name: &str) -> Tally {
        self.rows.iter().find(|(world, _)| *world == name).map_or_else(Tally::default, |(_, tally)| *tally)
    }
}

pub(crate) fn print(columns: &[Column], cell: impl Fn(&Column) -> String, name: &str) {
    let cells: String = columns.iter().map(cell).collect();
    println!("{name:20}{cells}");
}

/// Each target of issue 5 beside the figure, for both ways of a first contact.
pub(crate) fn judge(columns: &[Column]) {
    let named = |name: &str| columns.iter().find(|column| column.name == name);
    for column in ["seeing", "seeing, twice"].into_iter().filter_map(named) {
        let unkeepable = column.row("T=1m");
        tell(column, "steady probes, × informed oracle", column.steady(), 1.08);
        tell(column, "sessions that met a cold model, mean, %", column.mean_hits(), 0.3);
        tell(column, "the same, in the worst feasible world, %", column.worst_hits(), 1.4);
        tell(column, "first day, × informed oracle", column.first_day(), 1.55);
        tell(column, "probes a day where the model never unloads", column.row("never").steady, 2.0);
        tell(column, "probes a day where T = 1 min", unkeepable.steady, 5.0);
        let verdict = if unkeepable.state == "unkeepable" { "met" } else { "MISSED" };
        let what = format!("{}: T = 1 min is told as", column.name);
        println!("{what:58} {:>7}  {:>14}  {verdict}", unkeepable.state, "unkeepable");
    }
    for shared in ["shared", "shared, twice"].into_iter().filter_map(named) {
        tell(shared, "steady probes, × informed oracle", shared.steady(), 1.6);
    }
}

fn tell(column: &Column, what: &str, figure: f64, target: f64) {
    let verdict = if figure <= target { "met" } else { "MISSED" };
    let what = format!("{}: {what}", column.name);
    println!("{what:58} {figure:>7.2}  at most {target:>5.2}  {verdict}");
}
