//! `pilotlight sim`: the simulated provider, for trying pilotlight (or any client) against every kind of trouble.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::check::{interrupted, runtime};
use super::terminal::{self, Usage};
use super::{Global, setup};
use crate::exit::Exit;
use crate::sim::{self, Options, Scenario};

/// Arguments of `sim`.
#[derive(Debug, Args)]
pub(super) struct SimArgs {
    /// The scenario file [default: the demo's]
    #[arg(long, short, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Where to listen; only loopback addresses are allowed, port 0 takes a free one
    #[arg(long, short, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// How many times faster than real time models load, idle and regenerate
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    speed: f64,
    /// Write the certificate authority of its TLS doors here, for `ca_file`
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Write a certificate with its key here, for `client_certificate` at its doors that ask for one
    #[arg(long, value_name = "FILE")]
    client: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: &SimArgs) -> anyhow::Result<Exit> {
    setup::start_log(global)?;
    let scenario = match &args.scenario {
        None => Scenario::demo()?,
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Usage(format!("failed to read {}: {error}", path.display())))?;
            Scenario::from_yaml(&text)
                .map_err(|error| Usage(format!("failed to {}", error.of_file(&path.display().to_string()))))?
        }
    };
    let options = Options { listen: args.listen, speed: args.speed, ..Options::default() };
    let mut failed = None;
    let ready = |simulator: &sim::Simulator| failed = announce(simulator, args).err();
    let counts = runtime()?.block_on(sim::serve(scenario, options, ready, async {
        interrupted().await;
    }));
    if let Some(error) = failed {
        return Err(error);
    }
    let counts = counts.map_err(|error| Usage(format!("failed to {error}")))?;
    terminal::tell(&serde_json::to_string(&counts).context("failed to write the counts")?);
    Ok(Exit::Ready)
}

/// Says where it listens, one door a line: `plain http://127.0.0.1:40123`. Programs read this.
fn announce(simulator: &sim::Simulator, args: &SimArgs) -> anyhow::Result<()> {
    if let Some(path) = &args.ca {
        std::fs::write(path, simulator.ca_pem()).with_context(|| format!("failed to write {}", path.display()))?;
    }
    if let Some(path) = &args.client {
        let pem = simulator.client_pem().context("failed to make the client's certificate")?;
        write_private(path, &pem).with_context(|| format!("failed to write {}", path.display()))?;
    }
    terminal::output(|out: &mut dyn Write| {
        for door in simulator.listeners() {
            writeln!(out, "{} {}", door.name, door.base_url)?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Writes a file with a private key in it: for its owner alone, where the system knows owners.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
