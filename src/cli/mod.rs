//! The command line: one file per subcommand. The only room that prints.

mod check;
mod completions;
mod config;
mod demo;
mod diagnose;
mod ended;
mod explain;
mod forms;
mod from;
mod gaps;
mod history;
mod import;
mod init;
mod learned;
mod listing;
mod live;
mod models;
mod pending;
mod plan;
mod progress;
mod prompt;
mod quotas;
mod readers;
mod replay;
mod reports;
#[cfg(test)]
mod reports_read_back;
#[cfg(test)]
mod reports_tests;
mod run;
mod service_log;
mod setup;
mod shell;
mod signals;
mod sim;
mod status;
mod step_summary;
mod terminal;
mod touch;
mod wait;
mod wanted;
mod workflow;
mod write_file;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use self::ended::Ended;
use crate::exit::Exit;
use crate::telemetry::log::LogFormat;

/// Colours of `--help`, as cargo has them.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const AFTER_HELP: &str = "\
Exit codes: 0 ready, 2 usage, 3 unknown, 4 degraded (--strict), 10 unreachable, 11 unauthorized, 12 not-found, \
13 rate-limited, 14 payment, 15 provider-error, 16 too-slow, 17 unusable, 1 internal, 130/143 interrupted.

Try `pilotlight demo`: no key, no network, no configuration.";

/// Keeps hosted LLMs warm, and says exactly what is wrong when one is not ready.
#[derive(Debug, Parser)]
#[command(name = "pilotlight", version, styles = STYLES, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options that every subcommand takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// The configuration [default: $PILOTLIGHT_CONFIG, ./probes.yaml, then the user's and the system's folder]
    #[arg(long, short, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read variables from a .env file; variables that are set already win
    #[arg(long, global = true, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// Colour [default: where there is a terminal, unless NO_COLOR is set]
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    pub color: ColorWhen,
    /// Form of the log on standard error [default: json; none on a terminal]
    #[arg(long, global = true, value_name = "FORMAT")]
    pub log_format: Option<LogFormatArg>,
    /// What is logged: off, error (failures), warn, info (every probe), debug (their beginnings), trace (their stages)
    #[arg(long, global = true, value_name = "FILTER", env = "PILOTLIGHT_LOG")]
    pub log_level: Option<String>,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorWhen {
    Auto,
    Always,
    Never,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormatArg {
    Json,
    Text,
}

impl From<LogFormatArg> for LogFormat {
    fn from(format: LogFormatArg) -> Self {
        match format {
            LogFormatArg::Json => Self::Json,
            LogFormatArg::Text => Self::Text,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Probe targets once and report
    Check(check::CheckArgs),
    /// Wait until a gate opens: until the models are ready, or waiting cannot make them so
    Wait(wait::WaitArgs),
    /// Look at one target in depth: every rung with its evidence, the request to repeat, a paragraph for a ticket
    Diagnose(diagnose::DiagnoseArgs),
    /// Stay up and keep the models warm on their schedules, or with --once probe what is due
    Run(run::RunArgs),
    /// Show how every target stands, from the history that `run` keeps
    Status(status::StatusArgs),
    /// Show what one target came to over time
    History(history::HistoryArgs),
    /// Show what the schedules will do and spend, before they do; with --simulate what users would meet
    Plan(plan::PlanArgs),
    /// Draw what was learned of when a target's model unloads, and what that rests on
    Learned(learned::LearnedArgs),
    /// Say that a model was just used, so that its next warm-up can wait: for the tools that use it
    Touch(touch::TouchArgs),
    /// Answer events on standard input with what `every: auto` would do next, line by line (docs/replay.md)
    Replay(replay::ReplayArgs),
    /// List what a provider offers, with price and context: a provider, a preset, or a base URL
    Models(models::ModelsArgs),
    /// Write a first probes.yaml: asks on a terminal, or takes --provider and --model
    Init(init::InitArgs),
    /// Make a probes.yaml of what another tool is set up with
    Import(import::ImportArgs),
    /// Look at the configuration
    Config(config::ConfigArgs),
    /// Say what a code means and what to do about it
    Explain(explain::ExplainArgs),
    /// See pilotlight at work on a simulated provider: no key, no network
    Demo(demo::DemoArgs),
    /// Run the simulated provider on loopback
    Sim(sim::SimArgs),
    /// Write completions for a shell to standard output
    Completions(completions::CompletionsArgs),
    /// Write the man page: one of everything, one of a subcommand, or all of them into a folder
    #[command(hide = true)]
    Man(completions::ManArgs),
}

/// Reads the arguments and does what they say.
#[must_use]
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(terminal::panicked));
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` are no failures; a broken pipe while printing them is none either.
            error.print().ok();
            return ExitCode::from(match error.use_stderr() {
                true => ended::code_of_failure(Exit::Usage, "the arguments are not valid; standard error has more"),
                false => Exit::Ready.code(),
            });
        }
    };
    let color = cli.global.color;
    ExitCode::from(match run(cli) {
        Ok(ended) => ended.code(),
        Err(error) => ended::code_of_failure(terminal::fail(&error, color), &format!("{error:#}")),
    })
}

/// Reads the arguments. What is wrong with them is coloured as `--color` says, so that is looked for before the rest.
fn parse() -> Result<Cli, clap::Error> {
    let words: Vec<_> = std::env::args_os().collect();
    let spelt = words.iter().enumerate().find_map(|(index, word)| match word.to_str()? {
        "--color" => words.get(index + 1)?.to_str(),
        word => word.strip_prefix("--color="),
    });
    let choice = match spelt {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    };
    let mut command = Cli::command().color(choice);
    let matches = command.try_get_matches_from_mut(words)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

fn run(cli: Cli) -> anyhow::Result<Ended> {
    let Cli { global, command } = cli;
    let exit = match command {
        Command::Check(args) => return check::run(&global, &args),
        Command::Wait(args) => return wait::run(&global, &args),
        Command::Diagnose(args) => diagnose::run(&global, &args),
        Command::Run(args) => run::run(&global, &args),
        Command::Status(args) => status::run(&global, &args),
        Command::History(args) => history::run(&global, &args),
        Command::Plan(args) => plan::run(&global, &args),
        Command::Learned(args) => learned::run(&global, &args),
        Command::Touch(args) => touch::run(&global, &args),
        Command::Replay(args) => replay::run(&global, &args),
        Command::Models(args) => models::run(&global, &args),
        Command::Init(args) => init::run(&global, &args),
        Command::Import(args) => import::run(&global, &args),
        Command::Config(args) => config::run(&global, &args),
        Command::Explain(args) => explain::run(&global, &args),
        Command::Demo(args) => demo::run(&global, &args),
        Command::Sim(args) => sim::run(&global, &args),
        Command::Completions(args) => completions::run(&args, &mut Cli::command()),
        Command::Man(args) => completions::man(&args, Cli::command()),
    };
    exit.map(Ended::from)
}
