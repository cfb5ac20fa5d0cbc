//! `pilotlight demo`: the simulated provider and the prober in one process, with a word on what is seen.
//!
//! Nothing is faked: the simulator is a real server on loopback, the configuration goes through the same loader as
//! anybody's, and every result below is what the probe found. Each act states what must come out, and the demo fails if
//! something else does.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;

use super::check::{PassSettings, Passed, pass, runtime};
use super::readers::Records;
use super::terminal;
use super::{Global, setup};
use crate::config::{self, Environment};
use crate::exit::{Exit, Strictness};
use crate::outcome::{Code, Outcome, Record, Warmth};
use crate::plan::RetryPolicy;
use crate::probe::clock::Clock;
use crate::probe::transport::HttpNetwork;
use crate::report::{Format, Look, Marks};
use crate::run::{Chance, Runner, SystemClock, Treasury, run_id};
use crate::sim::{Options, Scenario, Simulator};

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Watch the daemon keep models warm while they unload, with time sped up (about 45 s)
    #[arg(long, conflicts_with = "exit_code")]
    live: bool,
    /// End with the code that `check` would end with (11), not with 0
    #[arg(long)]
    exit_code: bool,
}

/// What is probed. `{url}` is the simulator's address; keys may stand here because it is a loopback address.
const PROBES: &str = "\
version: 1
defaults:
  expect: { first_token: 1500ms, cold_start: 30s }
providers:
  synthetic: { preset: synthetic, base_url: '{url}/openai/v1', api_key: syn_good }
  bad-key:   { preset: synthetic, base_url: '{url}/openai/v1', api_key: syn_bad }
  spent:     { preset: synthetic, base_url: '{url}/openai/v1', api_key: syn_spent }
  unpaid:    { preset: synthetic, base_url: '{url}/openai/v1', api_key: syn_unpaid }
targets:
  - { name: glm,       provider: synthetic, model: 'hf:zai-org/GLM-4.6' }
  - { name: flash,     provider: synthetic, model: 'hf:zai-org/GLM-4.7-Flash' }
  - { name: wrong-id,  provider: synthetic, model: 'zai-org/glm-4.6' }
  - { name: bad-key,   provider: bad-key,   model: 'hf:zai-org/GLM-4.6' }
  - { name: spent,     provider: spent,     model: 'hf:zai-org/GLM-4.6' }
  - { name: unpaid,    provider: unpaid,    model: 'hf:zai-org/GLM-4.6' }
";

/// One part of the demo.
struct Act {
    title: &'static str,
    says: &'static str,
    /// The targets, and what must come of each: a code, or none.
    targets: &'static [(&'static str, Option<Code>, Option<Warmth>)],
}

const ACTS: [Act; 3] = [
    Act {
        title: "The first call after an idle time",
        says: "glm was unloaded: it loads for 3 s before its first token. A fixed timeout would have called it dead. It is \
               reported as a cold start, which counts as ready (with --strict it would not). flash was loaded.",
        targets: &[("glm", Some(Code::ColdStart), Some(Warmth::Cold)), ("flash", None, Some(Warmth::Warm))],
    },
    Act {
        title: "The same model again",
        says: "Nobody meets a cold start now. This is what a warm-up buys, for one request of 16 tokens at most.",
        targets: &[("glm", None, Some(Warmth::Warm))],
    },
    Act {
        title: "Four failures that look alike from outside",
        says: "Each is named with its rung of the ladder, what was seen, and what to do. None of them \
               cost a token: the wrong id and the refused key were found by free requests, before any model was asked, and \
               the other two were refused when it was. The spent window heals by waiting; the others need a person.",
        targets: &[
            ("wrong-id", Some(Code::ModelNotFound), None),
            ("bad-key", Some(Code::KeyRefused), None),
            ("spent", Some(Code::WindowSpent), None),
            ("unpaid", Some(Code::BalanceSpent), None),
        ],
    },
];

pub(super) fn run(global: &Global, args: &DemoArgs) -> anyhow::Result<Exit> {
    setup::start_log(global)?;
    let environment = Environment::from_process();
    let look = terminal::look(global, &environment);
    let runtime = runtime()?;
    if args.live {
        let exit = runtime.block_on(super::live::play(&look));
        runtime.shutdown_background();
        return exit;
    }
    let worst = runtime.block_on(play(&look))?;
    runtime.shutdown_background();
    Ok(if args.exit_code { worst } else { Exit::Ready })
}

async fn play(look: &Look) -> anyhow::Result<Exit> {
    let simulator =
        Simulator::start(Scenario::demo().context("failed to read the demo's scenario")?, Options::default())
            .await
            .context("failed to start the simulated provider")?;
    let url = simulator.base_url().to_owned();
    // No key of the user's is looked at.
    let nothing = Environment::from_pairs(Vec::<(String, String)>::new());
    let config = config::load_bytes(Path::new("demo.yaml"), PROBES.replace("{url}", &url).as_bytes(), &nothing)
        .context("failed to load the demo's own configuration")?;
    let (clock, chance) = (Arc::new(SystemClock), Arc::new(Chance::new()));
    let runner = Runner::new(
        Arc::new(HttpNetwork::new(clock.clone())),
        clock.clone(),
        Arc::clone(&chance),
        RetryPolicy::default(),
        Arc::new(Treasury::unlimited(clock.clone())),
    );
    say(&format!("A simulated provider listens on {url}. It speaks Synthetic's API; no key, no network.\n"))?;
    let mut all = Vec::new();
    for (number, act) in (1..).zip(&ACTS) {
        heading(look, number, act.title)?;
        let names: Vec<String> = act.targets.iter().map(|(name, ..)| (*name).to_owned()).collect();
        let targets = config.select(&names, &[], &[]).context("failed to select the demo's targets")?;
        let run_id = run_id(clock.wall(), &chance);
        let jobs = setup::jobs(targets, None, &run_id, &nothing, &config.directory);
        let settings = PassSettings { timeout: None, retry: RetryPolicy::default(), records: Records::Kept };
        let passed = pass(&runner, jobs, run_id, &settings).await?;
        if let Some(signal) = passed.signal {
            return Ok(signal);
        }
        let exit = passed.exit(Strictness::Lenient);
        passed.report(Format::Human, look, exit, &[])?;
        say(&format!("\n{}\n", wrapped(act.says, look.width)))?;
        verify(act, &passed)?;
        all.extend(passed.outcomes);
    }
    heading(look, 4, "What a program gets")?;
    log_line(&all)?;
    let counts = simulator.counts();
    let worst = Exit::worst(all.iter().map(|outcome| Exit::of(outcome, Strictness::Lenient)));
    let tokens: u64 = all.iter().filter_map(|outcome| outcome.usage.output_tokens).sum();
    let ending = format!(
        "By the simulator's own count: {} connections, {} requests, {} of them generations ({tokens} tokens); the rest was free. \
         `pilotlight check` on all of these would exit {} ({}).",
        counts.connections,
        counts.requests,
        counts.generations,
        worst.code(),
        worst.name()
    );
    say(&format!("\n{}\n", wrapped(&ending, look.width)))?;
    say(
        "Next: set your provider's key, have `pilotlight init` write a probes.yaml, and run `pilotlight check`; `pilotlight demo --live` shows the daemon.",
    )?;
    simulator.stop().await;
    Ok(worst)
}

/// The demo is a test of itself: what it explains must be what was found.
fn verify(act: &Act, passed: &Passed) -> anyhow::Result<()> {
    for (name, code, warmth) in act.targets {
        let found = passed.outcomes.iter().find(|outcome| outcome.target.id.as_str() == *name);
        let Some(found) = found else { bail!("the demo found nothing of {name}") };
        let found_code = found.foremost().map(|diagnosis| diagnosis.code);
        if found_code != *code || warmth.is_some_and(|warmth| warmth != found.warmth) {
            bail!("the demo expected {code:?} {warmth:?} of {name} and found {found_code:?} {:?}", found.warmth);
        }
    }
    Ok(())
}

/// The record of the refused key, as the log and the JSON report carry it.
fn log_line(outcomes: &[Arc<Outcome>]) -> anyhow::Result<()> {
    let refused = outcomes
        .iter()
        .find(|outcome| outcome.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.code == Code::KeyRefused));
    let Some(refused) = refused else { return Ok(()) };
    say(&format!(
        "One JSON line for each probe on standard error, and an exit code:\n\n{}",
        serde_json::to_string(&Record::of(refused))?
    ))
}

fn heading(look: &Look, number: u32, title: &str) -> anyhow::Result<()> {
    let rule = match look.marks {
        Marks::Unicode => "──",
        Marks::Ascii => "--",
    };
    say(&format!("{rule} {number}. {title}\n"))
}

fn say(text: &str) -> anyhow::Result<()> {
    terminal::output(|out: &mut dyn Write| writeln!(out, "{text}"))?;
    Ok(())
}

/// Breaks a text into lines of at most `width` columns.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let room = lines
            .last()
            .is_some_and(|line| line.is_empty() || line.chars().count() + 1 + word.chars().count() <= width);
        if !room {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}
