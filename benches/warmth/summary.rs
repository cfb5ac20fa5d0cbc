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

/// Each target of issue 5 beside the figure.
pub(crate) fn judge(columns: &[Column]) {
    let named = |name: &str| columns.iter().find(|column| column.name == name);
    let (Some(seeing), Some(shared)) = (named("seeing"), named("shared")) else { return };
    let unkeepable = seeing.row("T=1m");
    let figures = [
        ("seeing: steady probes, × informed oracle", seeing.steady(), 1.08),
        ("seeing: sessions that met a cold model, mean, %", seeing.mean_hits(), 0.3),
        ("seeing: the same, in the worst feasible world, %", seeing.worst_hits(), 1.4),
        ("seeing: first day, × informed oracle", seeing.first_day(), 1.55),
        ("seeing: probes a day where the model never unloads", seeing.row("never").steady, 2.0),
        ("seeing: probes a day where T = 1 min", unkeepable.steady, 5.0),
        ("shared counter: steady probes, × informed oracle", shared.steady(), 1.6),
    ];
    for (what, figure, target) in figures {
        let verdict = if figure <= target { "met" } else { "MISSED" };
        println!("{what:52} {figure:>7.2}  at most {target:>5.2}  {verdict}");
    }
    let verdict = if unkeepable.state == "unkeepable" { "met" } else { "MISSED" };
    println!("{:52} {:>7}  {:>14}  {verdict}", "seeing: T = 1 min is told as", unkeepable.state, "unkeepable");
}
