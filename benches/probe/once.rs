//! One check of one target, the whole process, beside curl asking for the same.

use std::process::Command;

use anyhow::Context;
use serde_json::{Value, json};

use super::figures::{Row, median, ms};
use super::simulator::{KEY, Simulator, check, cost};

/// How often each command runs.
const ROUNDS: usize = 200;
/// Rounds before those that count.
const FOR_NOTHING: usize = 5;

pub(crate) fn measure() -> anyhow::Result<Vec<Row>> {
    let doors = [json!({ "name": "tls", "tls": "good" })];
    let simulator = Simulator::start(&[json!({ "id": "m" })], &doors)?;
    let url = simulator.url("tls")?;
    let provider = |more: Value| vec![("p", more, vec!["m".to_owned()])];
    let trusting = simulator.probes("ca.yaml", &provider(json!({ "base_url": url, "ca_file": simulator.ca() })))?;
    let system = simulator.probes("system.yaml", &provider(json!({ "base_url": url })))?;
    let curl = || {
        let mut command = Command::new("curl");
        command.args(["-s", "-o", "/dev/null", "-H", &format!("Authorization: Bearer {KEY}")]);
        command.arg(format!("{url}/models"));
        command
    };

    let ca = simulator.ca();
    let (mut ours, mut peers) = (Samples::default(), Samples::default());
    let (mut ours_system, mut peers_system) = (Samples::default(), Samples::default());
    for round in 0..ROUNDS + FOR_NOTHING {
        let counts = round >= FOR_NOTHING;
        ours.run(&mut check(&trusting, "auth"), 0, counts)?;
        peers.run(curl().arg("--cacert").arg(&ca), 0, counts).context("failed to run curl, the peer")?;
        // Both load the system's authorities, and both refuse a certificate that none of them signed.
        ours_system.run(&mut check(&system, "auth"), 10, counts)?;
        peers_system.run(&mut curl(), 60, counts)?;
    }

    let peak = median(&ours.peak);
    Ok(vec![
        Row::ratio("one check, depth `auth`, TLS: CPU, beside curl", median(&ours.cpu), median(&peers.cpu), Some(0.7)),
        Row {
            what: "the same: peak of resident memory".to_owned(),
            ours: format!("{peak:.1} MiB"),
            peer: format!("{:.1} MiB", median(&peers.peak)),
            figure: format!("{peak:.1} MiB"),
            target: Some(("≤ 12 MiB".to_owned(), peak <= 12.0)),
        },
        Row::ratio(
            "the same with the system's authorities (none of which signed): CPU",
            median(&ours_system.cpu),
            median(&peers_system.cpu),
            None,
        ),
    ])
}

/// What every run cost.
#[derive(Default)]
struct Samples {
    cpu: Vec<f64>,
    peak: Vec<f64>,
}

impl Samples {
    fn run(&mut self, command: &mut Command, exits_with: i32, counts: bool) -> anyhow::Result<()> {
        let cost = cost(command, exits_with)?;
        if counts {
            self.cpu.push(ms(cost.cpu));
            self.peak.push(cost.peak);
        }
        Ok(())
    }
}
