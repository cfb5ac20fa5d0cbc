//! `pilotlight init`: a first probes.yaml, by a few questions on a terminal or by arguments.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::Args;

use super::listing::{Asked, ask, is_whole, row};
use super::prompt::{Console, Known, interview};
use super::terminal::{self, Usage, tell};
use super::write_file::{Existing, refuse_existing, write_file};
use super::{Global, setup, shell};
use crate::config::import::{Answers, is_key_variable, offers, started};
use crate::config::{Environment, LoadError, load_bytes};
use crate::exit::Exit;
use crate::report::ModelRow;

/// The file that is shipped: what is written where nothing is said and nobody can be asked.
const SHIPPED: &str = include_str!("../../probes.yaml");
/// An id for asking a provider for its list, for which no id matters.
const ANY: &str = "any";

/// Arguments of `init`.
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The provider: a preset (docs/presets.md)
    #[arg(long, value_name = "PRESET")]
    provider: Option<String>,
    /// A model's id; again for each fallback
    #[arg(long, value_name = "ID")]
    model: Vec<String>,
    /// The variable that holds the key [default: the preset's]
    #[arg(long, value_name = "NAME")]
    key_env: Option<String>,
    /// The base URL, where it is not the preset's
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Keep the models warm at these times, such as "Mon-Fri 08:00-19:00"
    #[arg(long, value_name = "TIMES")]
    warm: Option<String>,
    /// The time zone of --warm [default: this machine's]
    #[arg(long, value_name = "ZONE", requires = "warm")]
    timezone: Option<String>,
    /// Ask nothing, also on a terminal
    #[arg(long, short)]
    yes: bool,
    /// The file to write
    #[arg(long, short, value_name = "FILE", default_value = "probes.yaml")]
    output: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(global: &Global, args: &InitArgs) -> anyhow::Result<Exit> {
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    refuse_existing(&args.output, existing)?;
    // Before anything is asked. It may be the key itself, so it is not repeated.
    if args.key_env.as_deref().is_some_and(|name| !name.is_empty() && !is_key_variable(name)) {
        return Err(Usage("--key-env names a variable, not the key itself".to_owned()).into());
    }
    let environment = setup::environment(global)?;
    let begun = Answers {
        preset: args.provider.clone().unwrap_or_default(),
        base_url: args.base_url.clone(),
        key_env: args.key_env.clone(),
        models: args.model.clone(),
        warm: args.warm.clone().map(|during| (during, args.timezone.clone().or_else(zone))),
    };
    if !begun.preset.is_empty() && !offers().iter().any(|offer| offer.preset == begun.preset) {
        // The same words as for a complete set of answers.
        return Err(written(&begun).err().unwrap_or(Usage("there is no such preset".to_owned())).into());
    }
    let complete = !begun.preset.is_empty() && !begun.models.is_empty();
    let asks = !args.yes && !complete && io::stdin().is_terminal() && io::stderr().is_terminal();
    let (text, variable) = if asks {
        let answers = talk(global, &environment, begun)?;
        (written(&answers)?, key_of(&answers))
    } else if complete {
        (written(&begun)?, key_of(&begun))
    } else if begun.preset.is_empty()
        && begun.models.is_empty()
        && begun.base_url.is_none()
        && begun.key_env.is_none()
        && begun.warm.is_none()
    {
        (SHIPPED.to_owned(), Some("SYNTHETIC_API_KEY".to_owned()))
    } else {
        return Err(Usage(
            "give both --provider and --model; `pilotlight models PROVIDER` lists the models".to_owned(),
        )
        .into());
    };
    // What is written loads, or nothing is written.
    load_bytes(&args.output, text.as_bytes(), &environment).map_err(|error| match error {
        LoadError::Mistakes(mistakes) => anyhow::Error::new(*mistakes),
        error => anyhow::Error::new(Usage(format!("failed to {error}"))),
    })?;
    write_file(&args.output, &text, existing)?;
    let config = match args.output.to_str() {
        Some("probes.yaml") => String::new(),
        _ => format!("--config {} ", shell::word(&args.output)),
    };
    tell(&format!("{} is written.", args.output.display()));
    if let Some(name) = variable.filter(|name| environment.get(name).is_none_or(str::is_empty)) {
        tell(&format!("First put the key into the variable {name}: it is not set."));
    }
    tell(&format!("Next: pilotlight {config}check"));
    Ok(Exit::Ready)
}

/// The text of a file, or what is wrong with an answer.
fn written(answers: &Answers) -> Result<String, Usage> {
    started(answers).map(|draft| draft.yaml()).map_err(Usage)
}

/// The variable that the key is read from.
fn key_of(answers: &Answers) -> Option<String> {
    match &answers.key_env {
        Some(name) => Some(name.clone()).filter(|name| !name.is_empty()),
        None => {
            let offer = offers().into_iter().find(|offer| offer.preset == answers.preset)?;
            offer.key_variable.filter(|_| offer.key_required)
        }
    }
}

/// The zone of this machine, by name.
fn zone() -> Option<String> {
    jiff::tz::TimeZone::system().iana_name().map(str::to_owned)
}

struct Terminal;

impl Console for Terminal {
    fn say(&mut self, text: &str) {
        tell(text);
    }

    fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        terminal::ask(question)
    }
}

fn talk(global: &Global, environment: &Environment, begun: Answers) -> anyhow::Result<Answers> {
    let look = terminal::look(global, environment);
    let known = Known {
        offers: &offers(),
        is_set: &|name| environment.get(name).is_some_and(|value| !value.is_empty()),
        zone: zone(),
        models: &|answers| models(answers, environment),
        check: &|answers| started(answers).map(drop),
        look: &look,
    };
    Ok(interview(&mut Terminal, &known, begun).map_err(|error| Usage(error.to_string()))?)
}

/// The live list of what has been answered so far.
fn models(answers: &Answers, environment: &Environment) -> Result<Vec<ModelRow>, String> {
    let trial = Answers { models: vec![ANY.to_owned()], warm: None, ..answers.clone() };
    let config =
        started(&trial)?.config(std::path::Path::new("probes.yaml"), environment).map_err(|error| error.to_string())?;
    let Some(target) = config.targets.first() else { return Err("it has no target".to_owned()) };
    match ask(&config, target, environment).map_err(|error| error.to_string())? {
        Asked::Read(listing) => {
            Ok(listing.entries.iter().filter(|entry| is_whole(entry)).map(|entry| row(entry, &[])).collect())
        }
        Asked::None => Err(format!("{} has none that pilotlight knows of", target.provider.title)),
        Asked::Failed(diagnosis) => Err(format!("{}: {}; {}", diagnosis.code, diagnosis.evidence, diagnosis.remedy)),
    }
}
