//! `pilotlight plan` for a thousand targets over thirty days, the whole process: its schedules, and their simulation with
//! users. There is no peer; what is asked for is a time.

use std::fs;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

use super::figures::{Row, median, ms};
use super::simulator::{PILOTLIGHT, cost};

const ROUNDS: usize = 5;
const TARGETS: usize = 1000;

/// Half of the targets by intervals of 4 minutes, half by four patterns of cron; each used once in an hour and a half.
fn probes() -> Value {
    let crons = ["*/4 * * * *", "*/5 8-18 * * Mon-Fri", "1-59/4 * * * *", "30 */4 8-19 * * *"];
    let warm = |number: usize| match number % 2 {
        0 => json!({ "every": "4m", "during": "Mon-Fri 08:00-19:00", "timezone": "Europe/Berlin" }),
        _ => json!({ "cron": crons.get(number / 2 % crons.len()), "timezone": "Europe/Berlin" }),
    };
    let target = |number: usize| {
        json!({ "name": format!("t{number}"), "provider": format!("p{}", number % 10), "model": format!("m{number}"),
            "auth": { "every": "1m" }, "warm": warm(number) })
    };
    let limit = json!({ "name": "five-hour", "requests": 500_000, "refill": { "part": "5%", "every": "15m" } });
    let provider = json!({ "preset": "synthetic", "parallel": 1, "limits": [limit] });
    let providers: serde_json::Map<String, Value> =
        (0..10).map(|number| (format!("p{number}"), provider.clone())).collect();
    json!({
        "version": 1,
        "defaults": { "assume": { "requests_per_hour": 5, "idle_timeout": "15m", "cold_start": "30s" } },
        "providers": providers,
        "targets": (0..TARGETS).map(target).collect::<Vec<_>>(),
    })
}

pub(crate) fn measure() -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("probes.yaml");
    fs::write(&path, probes().to_string())?;
    let mut rows = Vec::new();
    for (what, more) in [("plan", &["--days", "30"]), ("plan --simulate", &["--simulate", "30d"])] {
        let (mut cpu, mut wall, mut peak) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let mut command = Command::new(PILOTLIGHT);
            command.args(["plan", "--from", "2026-11-23", "--config"]).arg(&path).args(more);
            #[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
            let begun = Instant::now();
            let cost = cost(&mut command, 0)?;
            wall.push(ms(begun.elapsed()));
            cpu.push(ms(cost.cpu));
            peak.push(cost.peak);
        }
        let (cpu, wall) = (median(&cpu) / 1000.0, median(&wall) / 1000.0);
        rows.push(Row {
            what: format!("{what}: {TARGETS} targets over 30 days, CPU and wall"),
            ours: format!("{cpu:.2} s, {wall:.2} s, {:.0} MiB", median(&peak)),
            peer: String::new(),
            figure: format!("{wall:.2} s"),
            target: Some(("≤ 2 s".to_owned(), wall <= 2.0)),
        });
    }
    Ok(rows)
}
