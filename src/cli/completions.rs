//! `pilotlight completions` and `pilotlight man`: from the same definitions as the arguments themselves.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use super::terminal::{self, Usage};
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

/// Arguments of `man`.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The page of this subcommand alone, as in `man check` or `man config show`
    #[arg(value_name = "SUBCOMMAND", conflicts_with = "out")]
    subcommand: Vec<String>,
    /// Write a page for each subcommand into this folder: pilotlight.1, pilotlight-check.1, …
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn man(args: &ManArgs, command: Command) -> anyhow::Result<Exit> {
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(command, folder))
            .with_context(|| format!("failed to write the man pages into {}", folder.display()))?;
        return Ok(Exit::Ready);
    }
    let mut page = Vec::new();
    if args.subcommand.is_empty() {
        whole(command, &mut page)?;
    } else {
        let mut found = command.disable_help_subcommand(true);
        found.build();
        for name in &args.subcommand {
            found = found
                .find_subcommand(name)
                .cloned()
                .ok_or_else(|| Usage(format!("there is no subcommand `{name}`; `pilotlight --help` lists all")))?;
        }
        Man::new(found).render(&mut page)?;
    }
    terminal::output(|out: &mut dyn Write| out.write_all(&page))
}

/// One page with everything: the program, then each subcommand under a heading of its own. The global options stand
/// there once.
fn whole(command: Command, page: &mut Vec<u8>) -> io::Result<()> {
    let command = command.disable_help_subcommand(true);
    let top = Man::new(command.clone());
    top.render_title(page)?;
    top.render_name_section(page)?;
    top.render_synopsis_section(page)?;
    top.render_description_section(page)?;
    top.render_options_section(page)?;
    subcommands(&command, "pilotlight", page)?;
    top.render_extra_section(page)?;
    top.render_version_section(page)
}

fn subcommands(command: &Command, parent: &str, page: &mut Vec<u8>) -> io::Result<()> {
    for own in command.get_subcommands().filter(|own| !own.is_hide_set()) {
        let name = format!("{parent} {}", own.get_name());
        let man = Man::new(own.clone().bin_name(&name).disable_help_flag(true));
        let mut sections = Vec::new();
        man.render_synopsis_section(&mut sections)?;
        man.render_description_section(&mut sections)?;
        man.render_options_section(&mut sections)?;
        writeln!(page, ".SH \"{}\"", name.to_uppercase())?;
        // Sections of the subcommand's own page are parts of its section here.
        page.extend(String::from_utf8_lossy(&sections).replace("\n.SH ", "\n.SS ").bytes());
        subcommands(own, &name, page)?;
    }
    Ok(())
}
