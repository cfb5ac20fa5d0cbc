//! `pilotlight import`: what another tool is set up with, as a probes.yaml. Keys stay where they are.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::from::{Imported, Source, nothing, read, told};
use super::listing::{Asked, ask, is_whole};
use super::terminal::{self, Usage, tell};
use super::write_file::{Existing, refuse_existing, write_file};
use super::{Global, setup, shell};
use crate::config::import::{RemarkKind, Through, is_key_variable};
use crate::exit::Exit;
use crate::probe::wire::listing::{Listed, Listing};
use crate::target::BaseUrl;

/// Arguments of `import`.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    #[command(subcommand)]
    tool: Tool,
    /// Write a file instead of standard output
    #[arg(long, short, global = true, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, global = true, requires = "output")]
    force: bool,
}

#[derive(Debug, Subcommand)]
enum Tool {
    /// The .env of a self-hosted Kodus: API_LLM_PROVIDER_MODEL, API_OPENAI_FORCE_BASE_URL and its key
    Kodus {
        /// The file
        #[arg(value_name = "FILE", default_value = ".env")]
        file: PathBuf,
    },
    /// The config.yaml of a LiteLLM proxy: its model_list
    Litellm {
        /// The file
        #[arg(value_name = "FILE", default_value = "config.yaml")]
        file: PathBuf,
        /// Ask for each model through the proxy at this address, not at its own provider
        #[arg(long, value_name = "URL")]
        through: Option<String>,
        /// The variable with a key of the proxy [default: what master_key refers to, else LITELLM_MASTER_KEY]
        #[arg(long, value_name = "NAME", requires = "through")]
        key_env: Option<String>,
    },
    /// The well-known key variables that are set: one provider each
    Env {
        /// The model of a provider: openai=gpt-5-mini
        #[arg(long, value_name = "PROVIDER=ID")]
        model: Vec<String>,
        /// Ask each provider for its list (free), and take the cheapest of it where prices are told, else the first
        #[arg(long)]
        online: bool,
    },
}

pub(super) fn run(global: &Global, args: &ImportArgs) -> anyhow::Result<Exit> {
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    if let Some(path) = &args.output {
        refuse_existing(path, existing)?;
    }
    let environment = setup::environment(global)?;
    let (source, through) = match &args.tool {
        Tool::Kodus { file } => (Source::Kodus(file.clone()), None),
        Tool::Litellm { file, through, key_env } => {
            let through = through.as_deref().map(|url| proxy(url, key_env.clone())).transpose()?;
            (Source::Litellm(file.clone()), through)
        }
        Tool::Env { .. } => (Source::Env, None),
    };
    let mut imported = read(&source, environment, through.as_ref())?;
    for remark in imported.draft.remarks() {
        let word = if remark.kind == RemarkKind::NotMapped { "warning" } else { "note" };
        tell(&format!("{word}: {}", told(&imported.source, &remark)));
    }
    if let Tool::Env { model, online } = &args.tool {
        choose(&mut imported, model, *online)?;
    }
    if imported.draft.target_count() == 0 {
        return Err(match imported.draft.wanting().as_slice() {
            [] => nothing(&source, &imported),
            wanting => unnamed(&source, wanting),
        }
        .into());
    }
    let text = imported.draft.yaml();
    match &args.output {
        None => terminal::output(|out: &mut dyn Write| out.write_all(text.as_bytes())),
        Some(path) => {
            write_file(path, &text, existing)?;
            let config = match path.to_str() {
                Some("probes.yaml") => String::new(),
                _ => format!("--config {} ", shell::word(path)),
            };
            let variables = match (&source, imported.needs_file) {
                (Source::Kodus(file), true) => format!("--env-file {} ", shell::word(file)),
                _ => String::new(),
            };
            tell(&format!("{} is written.\nNext: pilotlight {config}{variables}check", path.display()));
            Ok(Exit::Ready)
        }
    }
}

/// Targets are there, and none of them has a model.
fn unnamed(source: &Source, wanting: &[(String, String)]) -> Usage {
    let names: Vec<&str> = wanting.iter().map(|(name, _)| name.as_str()).collect();
    let first = names.first().copied().unwrap_or("openai");
    let from = match source {
        Source::Kodus(path) => shell::word(&labelled("kodus:", path)),
        Source::Litellm(path) => shell::word(&labelled("litellm:", path)),
        Source::Env => "env".to_owned(),
    };
    let how = match source {
        Source::Env => format!(
            "--model {first}=ID names one, --online takes one of the provider's list, and `pilotlight models {first}` shows it"
        ),
        Source::Kodus(path) => {
            format!("`pilotlight --env-file {} init` offers those of a provider's live list", shell::word(path))
        }
        Source::Litellm(_) => "name one in its file".to_owned(),
    };
    Usage(format!(
        "no model is named for {}; {how}; `pilotlight check --from {from}` checks the keys without one",
        names.join(", ")
    ))
}

/// A source as `--from` takes it.
fn labelled(tool: &str, path: &Path) -> PathBuf {
    let mut text = OsString::from(tool);
    text.push(path);
    PathBuf::from(text)
}

/// The proxy's address: with `/v1`, which is where it speaks OpenAI's API.
fn proxy(url: &str, key_env: Option<String>) -> Result<Through, Usage> {
    // It may be the key itself, so it is not repeated.
    if key_env.as_deref().is_some_and(|name| !is_key_variable(name)) {
        return Err(Usage("--key-env names a variable, not the key itself".to_owned()));
    }
    let failed = |error: &dyn std::fmt::Display| Usage(format!("failed to read --through: {error}"));
    let base = BaseUrl::parse(url).map_err(|error| failed(&error))?;
    let url = match base.path() {
        "" => BaseUrl::parse(&format!("{base}/v1")).map_err(|error| failed(&error))?,
        _ => base,
    };
    Ok(Through { url, key_env })
}

/// Names the models of the targets that want one: as the command line says, or from the live lists.
fn choose(imported: &mut Imported, models: &[String], online: bool) -> anyhow::Result<()> {
    for pair in models {
        let Some((name, id)) = pair.split_once('=') else {
            return Err(Usage(format!("`{pair}` is not PROVIDER=ID, such as openai=gpt-5-mini")).into());
        };
        let wanting = imported.draft.wanting();
        let known = wanting.iter().any(|(_, provider)| provider == name);
        if !known {
            let names: Vec<&str> = wanting.iter().map(|(_, provider)| provider.as_str()).collect();
            let there = match names.as_slice() {
                [] => "no key that is set can be used".to_owned(),
                names => format!("there are keys of {}", names.join(", ")),
            };
            return Err(Usage(format!("there is no provider `{name}` to name a model for; {there}")).into());
        }
        imported.draft.choose(name, id, "named on the command line").map_err(Usage)?;
    }
    if !online {
        return Ok(());
    }
    let config = imported.draft.config(&imported.source, &imported.environment)?;
    for (name, _) in imported.draft.wanting() {
        let Some(target) = config.targets.iter().find(|target| target.id.as_str() == name) else { continue };
        match ask(&config, target, &imported.environment)? {
            Asked::Read(listing) => match pick(&listing) {
                Some((entry, why)) => imported.draft.choose(&name, &entry.id, why).map_err(Usage)?,
                None => tell(&format!("warning: {name}: its list is empty")),
            },
            Asked::None => tell(&format!("warning: {name}: it has no list to choose from")),
            Asked::Failed(diagnosis) => {
                tell(&format!("warning: {name}: {}: {}", diagnosis.code, diagnosis.evidence));
                tell(&format!("  fix: {}", diagnosis.remedy));
            }
        }
    }
    Ok(())
}

/// One of a list: it is only looked for, so it matters little which. The cheapest where prices are told, else the first.
fn pick(listing: &Listing) -> Option<(&Listed, &'static str)> {
    let price = |entry: &&Listed| entry.input_usd_per_million.filter(|price| *price > 0.0);
    let whole = || listing.entries.iter().filter(|entry| is_whole(entry));
    let priced = whole().filter(|entry| price(entry).is_some());
    let cheapest = priced.min_by(|a, b| price(a).partial_cmp(&price(b)).unwrap_or(std::cmp::Ordering::Equal));
    match cheapest {
        Some(entry) => Some((entry, "the cheapest of the provider's list; put the one that you use")),
        None => Some((whole().next()?, "the first of the provider's list; put the one that you use")),
    }
}
