//! `pilotlight completions` and `pilotlight man`: from the same definitions as the arguments themselves.

use std::io::Write;

use clap::{Args, Command};
use clap_complete::Shell;

use super::terminal;
use crate::exit::Exit;

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, command: &mut Command) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "pilotlight", &mut script);
    terminal::output(|out| out.write_all(&script))
}

pub(super) fn man(command: Command) -> anyhow::Result<Exit> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    terminal::output(|out: &mut dyn Write| out.write_all(&page))
}
