//! `pilotlight demo --live`: the daemon keeps models warm at a simulated provider whose time is sped up. A table shows how
//! it learns when each of them unloads, and then what users meet with it and without.
//!
//! Nothing is faked here either: the daemon is the one that `run` starts, with its store; the simulated users are counted
//! by the simulator; and the act fails if models that are kept warm are found cold.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;

use super::check::interrupted;
use super::service_log::ServiceLog;
use super::terminal;
use crate::config::Environment;
use crate::daemon::{Board, Daemon, Manager, Pace, Parts, Row, Signal, Source, TimeScale};
use crate::exit::Exit;
use crate::outcome::words::duration;
use crate::probe::clock::Clock;
use crate::probe::transport::HttpNetwork;
use crate::report::{Look, Style};
use crate::run::{Chance, SystemClock, run_id};
use crate::sim::{Counts, Options, Scenario, Simulator};
use crate::telemetry::Metrics;

/// How many times faster the provider lives: its five minutes until it unloads are three seconds here.
const SPEED: f64 = 100.0;
/// The pause between two rounds of users: longer than a model stays loaded by itself.
const USERS: Duration = Duration::from_secs(8);
/// Rounds of users. The first comes when it is known how long the models stay, or is not learned any more.
const ROUNDS: u32 = 3;
/// For how long at most it is learned before users come.
const LEARNING: Duration = Duration::from_secs(90);
/// So many users may meet a model in the moment in which it is found out whether it would still be there.
const COLD_AT_MOST: u64 = 1;
const FRAME: Duration = Duration::from_millis(250);
/// Without a terminal a table is written this often.
const PLAIN_FRAME: Duration = Duration::from_secs(6);

const SCENARIO: &str = "
name: live
flavour: synthetic
latency: 300ms
accounts: [{ name: good, key: syn_good }]
models:
  - { id: 'hf:zai-org/GLM-4.6', load: 90s, idle_timeout: 5m, first_token: 500ms, between_tokens: 50ms, concurrency: 4 }
  - { id: 'hf:moonshotai/Kimi-K2-Instruct', load: 75s, idle_timeout: 10m, first_token: 500ms, between_tokens: 50ms, concurrency: 4 }
  - { id: 'hf:deepseek-ai/DeepSeek-V3.2', load: 90s, idle_timeout: 5m, first_token: 500ms, between_tokens: 50ms, concurrency: 4 }
  - { id: 'hf:Qwen/Qwen3-Coder-480B', load: 75s, idle_timeout: 10m, first_token: 500ms, between_tokens: 50ms, concurrency: 4 }
";

const PROBES: &str = "\
version: 1
defaults:
  auth: { every: 5s }
providers:
  synthetic:
    preset: synthetic
    base_url: '{url}/openai/v1'
    api_key: syn_good
    # One pack, whose quarter of an hour is nine seconds here.
    limits: [{ name: five-hour, requests: 500, refill: { part: 5%, every: 9s } }]
targets:
  - { name: glm,      provider: synthetic, model: 'hf:zai-org/GLM-4.6',             warm: { every: auto } }
  - { name: kimi,     provider: synthetic, model: 'hf:moonshotai/Kimi-K2-Instruct', warm: { every: auto } }
  - { name: deepseek, provider: synthetic, model: 'hf:deepseek-ai/DeepSeek-V3.2' }
  - { name: qwen,     provider: synthetic, model: 'hf:Qwen/Qwen3-Coder-480B' }
";

/// The targets that are kept warm; the others are only checked.
const KEPT: [&str; 2] = ["glm", "kimi"];

/// A folder that is gone when this is.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> anyhow::Result<Self> {
        let name = format!("pilotlight-demo-{}", run_id(SystemClock.wall(), &Chance::new()));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).with_context(|| format!("failed to make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left to the system: it is in its folder for such things.
        fs::remove_dir_all(&self.0).ok();
    }
}

/// Plays it.
pub(super) async fn play(look: &Look) -> anyhow::Result<Exit> {
    let scenario = Scenario::from_yaml(SCENARIO).context("failed to read the scenario")?;
    let options = Options { speed: SPEED, ..Options::default() };
    let simulator = Arc::new(Simulator::start(scenario, options).await.context("failed to start the provider")?);
    let scratch = Scratch::new()?;
    let path = scratch.0.join("probes.yaml");
    fs::write(&path, PROBES.replace("{url}", simulator.base_url())).context("failed to write the configuration")?;
    say(&format!(
        "A simulated provider lives {SPEED} times faster than real time. It unloads glm when nobody has used it for 5 minutes\n\
         (3 seconds here), kimi after 10, and loading one takes it more than a minute (a second here). The daemon knows\n\
         nothing of that: it finds out from its own warm-ups, and leaves deepseek and qwen alone. Then users call them all.\n"
    ))?;

    let log = ServiceLog::start()?;
    let clock = Arc::new(SystemClock);
    let board = Arc::new(Board::new(clock.now()));
    let parts = Parts {
        source: Source::of(path, Environment::from_pairs(Vec::<(String, String)>::new())),
        network: Arc::new(HttpNetwork::new(clock.clone())),
        clock: clock.clone(),
        chance: Arc::new(Chance::new()),
        listener: log.listener(),
        state: Some(scratch.0.join("state")),
        manager: Manager::default(),
        board: Arc::clone(&board),
        metrics: Metrics::new(env!("CARGO_PKG_VERSION"), []),
        pace: Pace::default(),
        time_scale: TimeScale::new(SPEED),
    };
    let daemon = Daemon::start(parts).await?;
    let (signals, received) = mpsc::unbounded_channel();
    let running = tokio::spawn(daemon.run(received));

    let mut screen = Screen::new(look);
    let shown = watch(&simulator, &board, &mut screen).await;
    // It ends by itself when nobody can ask it to.
    signals.send(Signal::Interrupt).ok();
    running.await?;
    log.finish().await;
    if let Some(signal) = shown? {
        return Ok(signal);
    }
    let counts = simulator.counts();
    let ending = verdict(&counts)?;
    say(&format!("\n{ending}"))?;
    Ok(Exit::Ready)
}

/// Shows the table while users come and go.
async fn watch(simulator: &Arc<Simulator>, board: &Board, screen: &mut Screen<'_>) -> anyhow::Result<Option<Exit>> {
    let mut frame = tokio::time::interval(if screen.live { FRAME } else { PLAIN_FRAME });
    let mut interrupted = Box::pin(interrupted());
    let mut users = Box::pin(visit(Arc::clone(simulator), board));
    loop {
        tokio::select! {
            biased;
            exit = &mut interrupted => return Ok(Some(exit)),
            () = &mut users => {
                screen.show(&table(screen.look, &board.rows(), simulator))?;
                return Ok(None);
            }
            _ = frame.tick() => screen.show(&table(screen.look, &board.rows(), simulator))?,
        }
    }
}

/// Users call every model, again and again, after the daemon has learned how long those stay that it keeps.
async fn visit(simulator: Arc<Simulator>, board: &Board) {
    let learned = async {
        while !KEPT.iter().all(|kept| board.rows().iter().any(|row| row.target.as_str() == *kept && is_known(row))) {
            tokio::time::sleep(FRAME).await;
        }
    };
    tokio::time::timeout(LEARNING, learned).await.ok();
    for _ in 0..ROUNDS {
        tokio::time::sleep(USERS).await;
        let mut calls = tokio::task::JoinSet::new();
        for row in board.rows() {
            let simulator = Arc::clone(&simulator);
            calls.spawn(async move { simulator.use_model(row.model.as_str()).await });
        }
        while calls.join_next().await.is_some() {}
    }
}

fn is_known(row: &Row) -> bool {
    row.learned.as_ref().is_some_and(|says| says.starts_with("idle timeout"))
}

/// The table, its lines without an end.
fn table(look: &Look, rows: &[Row], simulator: &Simulator) -> Vec<String> {
    let (counts, state) = (simulator.counts(), simulator.state());
    let absent = look.marks.absent();
    let header =
        ["target", "kept warm", "the provider says", "status", "first token", "next due", "users' calls", "met cold"];
    let mut cells = vec![header.map(str::to_owned).to_vec()];
    for row in rows {
        let of_model = counts.models.get(row.model.as_str());
        let models = state.get("models").and_then(Value::as_array).into_iter().flatten();
        let text = |model: &Value, key| model.get(key).and_then(Value::as_str).map(str::to_owned);
        let says = models
            .filter(|model| text(model, "id").as_deref() == Some(row.model.as_str()))
            .find_map(|model| text(model, "state"));
        let kept = KEPT.contains(&row.target.as_str());
        let due = row.due.map_or_else(|| "now".to_owned(), in_seconds);
        cells.push(vec![
            row.target.to_string(),
            if kept { "auto" } else { "no" }.to_owned(),
            says.unwrap_or_else(|| absent.to_owned()),
            row.status.to_string(),
            row.first_token_ms.map_or_else(|| absent.to_owned(), |ms| duration(Duration::from_secs_f64(ms / 1000.0))),
            if row.running { "probing".to_owned() } else { due },
            of_model.map_or(0, |model| model.organic).to_string(),
            of_model.map_or(0, |model| model.organic_cold).to_string(),
        ]);
    }
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut lines = Vec::new();
    for (number, row) in cells.iter().enumerate() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a String cannot fail.
            let _ = write!(line, "  {cell:<width$}");
        }
        let line = line.trim_end().to_owned();
        let cold = row.last().is_some_and(|cold| cold != "0");
        lines.push(match (look.style, number, cold) {
            (Style::Plain, ..) => line,
            (Style::Coloured, 0, _) => format!("\u{1b}[2m{line}\u{1b}[0m"),
            (Style::Coloured, _, true) => format!("\u{1b}[33m{line}\u{1b}[0m"),
            (Style::Coloured, _, false) => format!("\u{1b}[32m{line}\u{1b}[0m"),
        });
    }
    // In the provider's minutes, as the daemon learned them.
    let learned = rows.iter().filter_map(|row| Some(format!("  {:<10}{}", row.target, row.learned.as_ref()?)));
    lines.extend(learned);
    lines
}

fn in_seconds(due: Timestamp) -> String {
    let left = due.duration_since(SystemClock.wall()).as_secs_f64().max(0.0);
    format!("in {left:.0} s")
}

/// What came of it, which must be what was promised.
fn verdict(counts: &Counts) -> anyhow::Result<String> {
    let sum = |ids: &[&str], of: fn(&crate::sim::ModelCounts) -> u64| -> u64 {
        ids.iter().filter_map(|id| counts.models.get(*id)).map(of).sum()
    };
    let kept = ["hf:zai-org/GLM-4.6", "hf:moonshotai/Kimi-K2-Instruct"];
    let left = ["hf:deepseek-ai/DeepSeek-V3.2", "hf:Qwen/Qwen3-Coder-480B"];
    let (calls, cold) = (sum(&kept, |model| model.organic), sum(&kept, |model| model.organic_cold));
    let (other_calls, other_cold) = (sum(&left, |model| model.organic), sum(&left, |model| model.organic_cold));
    if cold > COLD_AT_MOST {
        bail!("{cold} of {calls} users met a cold model that was to be kept warm");
    }
    if other_cold == 0 {
        bail!("the models that were left alone did not unload, so this has shown nothing");
    }
    Ok(format!(
        "By the simulator's own count, {cold} of {calls} users met a cold model among those that are kept warm, and \
         {other_cold} of {other_calls}\namong those that are not. That cost {} warm-ups of 16 tokens at most.",
        counts.generations
    ))
}

/// Where the table is drawn: over itself on a terminal, one after the other in a pipe.
struct Screen<'l> {
    look: &'l Look,
    live: bool,
    drawn: usize,
}

impl<'l> Screen<'l> {
    fn new(look: &'l Look) -> Self {
        Self { look, live: io::stdout().is_terminal(), drawn: 0 }
    }

    fn show(&mut self, lines: &[String]) -> anyhow::Result<()> {
        let mut text = String::new();
        if self.live && self.drawn > 0 {
            // Up to the first line, then erase to the end of the screen.
            let _ = write!(text, "\u{1b}[{}A\u{1b}[J", self.drawn);
        }
        for line in lines {
            // A line that wraps would be two to go up.
            let shown: String = if self.live { cut(line, self.look.width) } else { line.clone() };
            let _ = writeln!(text, "{shown}");
        }
        if !self.live {
            text.push('\n');
        }
        self.drawn = lines.len();
        terminal::output(|out| out.write_all(text.as_bytes()))?;
        Ok(())
    }
}

/// The line in so many columns; what colours it takes none.
fn cut(line: &str, width: usize) -> String {
    let (mut shown, mut columns, mut escape) = (String::new(), 0, false);
    for character in line.chars() {
        match character {
            '\u{1b}' => escape = true,
            'm' if escape => escape = false,
            _ if escape => {}
            _ if columns >= width => continue,
            _ => columns += 1,
        }
        shown.push(character);
    }
    shown
}

fn say(text: &str) -> anyhow::Result<()> {
    terminal::output(|out: &mut dyn Write| writeln!(out, "{text}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_without_its_colour_being_cut() {
        assert_eq!(cut("\u{1b}[32mabcdef\u{1b}[0m", 3), "\u{1b}[32mabc\u{1b}[0m");
        assert_eq!(cut("abc", 3), "abc");
    }
}
