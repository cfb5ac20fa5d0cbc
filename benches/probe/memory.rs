//! The memory of a check whose server does not stop sending.

use serde_json::{Value, json};

use super::figures::{Row, percentile};
use super::simulator::{Simulator, check, cost};

/// How often each runs; the worst counts.
const ROUNDS: usize = 7;

/// What the server does, at which path, how far the probe climbs, and the exit code that it must end with.
const HOSTILE: [(&str, &str, &str, i32); 7] = [
    ("a list without an end", "/v1/models", "auth", 17),
    ("a list that unpacks to 1 GiB", "/v1/models", "auth", 17),
    ("headers without an end", "/v1/chat/completions", "warm", 17),
    ("a body without an end", "/v1/chat/completions", "warm", 17),
    ("a stream's line without an end", "/v1/chat/completions", "warm", 17),
    ("tokens without an end", "/v1/chat/completions", "warm", 17),
    ("a stream that unpacks to 1 GiB", "/v1/chat/completions", "warm", 17),
];

fn behaviour(what: &str) -> Value {
    match what {
        "a list without an end" | "a body without an end" => json!("endless_body"),
        "headers without an end" => json!("endless_headers"),
        "a stream's line without an end" => json!("endless_line"),
        "tokens without an end" => json!({ "endless_stream": { "kind": "tokens", "every": "0ms" } }),
        _ => json!({ "bomb": { "size": 1_073_741_824_u64 } }),
    }
}

pub(crate) fn measure() -> anyhow::Result<Vec<Row>> {
    let mut doors = vec![json!({ "name": "plain" })];
    for (number, (what, path, ..)) in HOSTILE.into_iter().enumerate() {
        let fault = json!({ "on": { "path": path }, "then": behaviour(what) });
        doors.push(json!({ "name": format!("door-{number}"), "faults": [fault] }));
    }
    let simulator = Simulator::start(&[json!({ "id": "m", "first_token": "5ms", "tokens": 4 })], &doors)?;
    let worst = |door: &str, depth: &str, exits_with: i32| -> anyhow::Result<f64> {
        let provider = json!({ "base_url": simulator.url(door)? });
        let probes = simulator.probes(&format!("{door}.yaml"), &[("p", provider, vec!["m".to_owned()])])?;
        let mut peaks = Vec::new();
        for _ in 0..ROUNDS {
            peaks.push(cost(&mut check(&probes, depth), exits_with)?.peak);
        }
        Ok(percentile(&peaks, 100))
    };
    let success = worst("plain", "warm", 0)?;
    let mut rows = Vec::new();
    for (number, (what, _, depth, exits_with)) in HOSTILE.into_iter().enumerate() {
        let peak = worst(&format!("door-{number}"), depth, exits_with)?;
        let more = peak - success;
        rows.push(Row {
            what: format!("peak memory, HTTP, {what}; beside a warm-up that succeeds"),
            ours: format!("{peak:.1} MiB"),
            peer: format!("{success:.1} MiB"),
            figure: format!("{more:+.1} MiB"),
            target: Some(("< +2 MiB".to_owned(), more < 2.0)),
        });
    }
    Ok(rows)
}
