//! `pilotlight config`: validate it, show it as it takes effect, or print its JSON Schema.

use std::io::Write;

use clap::{Args, Subcommand};

use super::terminal;
use super::{Global, setup};
use crate::config;
use crate::exit::Exit;

/// Arguments of `config`.
#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Report every mistake in the configuration at once; exit 2 when there is one
    Validate,
    /// Print the configuration as it takes effect: presets and defaults filled in, secrets masked
    Show,
    /// Print the JSON Schema of the configuration, for editors
    Schema,
}

pub(super) fn run(global: &Global, args: &ConfigArgs) -> anyhow::Result<Exit> {
    match args.command {
        ConfigCommand::Schema => {
            let schema = serde_json::to_string_pretty(&config::schema())?;
            terminal::output(|out: &mut dyn Write| writeln!(out, "{schema}"))
        }
        ConfigCommand::Show => {
            let environment = setup::environment(global)?;
            let shown = setup::config(global, &environment)?.show();
            terminal::output(|out: &mut dyn Write| out.write_all(shown.as_bytes()))
        }
        ConfigCommand::Validate => {
            let environment = setup::environment(global)?;
            let config = setup::config(global, &environment)?;
            terminal::output(|out: &mut dyn Write| {
                for (line, text) in config.all_notes() {
                    writeln!(out, "note: {}:{line}: {text}", config.path.display())?;
                }
                let (targets, providers) = (config.targets.len(), config.providers.len());
                writeln!(
                    out,
                    "{} is valid: {} at {}",
                    config.path.display(),
                    counted(targets, "target"),
                    counted(providers, "provider")
                )
            })
        }
    }
}

fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
