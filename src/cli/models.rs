//! `pilotlight models`: a provider's live list, with what each model costs and holds where the provider says so.

use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::listing::{Asked, ask, matching, row};
use super::terminal::{self, Usage, tell};
use super::{Global, setup};
use crate::config::import::{AdHoc, ad_hoc, is_key_variable, offers};
use crate::config::{self, Config, Environment, nearest};
use crate::exit::Exit;
use crate::outcome::Class;
use crate::report::{Format, ModelRow, ModelsView, render_models};
use crate::target::{CredentialSource, Dialect, Provider, Target};

/// Arguments of `models`.
#[derive(Debug, Args)]
pub(super) struct ModelsArgs {
    /// A provider of probes.yaml, a preset (docs/presets.md), or a base URL such as https://host/v1
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// Only models whose id has all of these words in it
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// The variable that holds the key [default: the provider's or the preset's]
    #[arg(long, value_name = "NAME")]
    key_env: Option<String>,
    /// What a base URL speaks [default: guessed from it]
    #[arg(long, value_name = "DIALECT")]
    dialect: Option<DialectArg>,
    /// Form of the list on standard output
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: FormatArg,
}

/// A dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DialectArg {
    #[value(name = "openai")]
    OpenAi,
    Anthropic,
    Ollama,
}

impl From<DialectArg> for Dialect {
    fn from(dialect: DialectArg) -> Self {
        match dialect {
            DialectArg::OpenAi => Self::OpenAi,
            DialectArg::Anthropic => Self::Anthropic,
            DialectArg::Ollama => Self::Ollama,
        }
    }
}

/// The form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    Human,
    Json,
    Jsonl,
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Human => Self::Human,
            FormatArg::Json => Self::Json,
            FormatArg::Jsonl => Self::Jsonl,
        }
    }
}

pub(super) fn run(global: &Global, args: &ModelsArgs) -> anyhow::Result<Exit> {
    let environment = setup::environment(global)?;
    let (config, target) = provider(global, args, &environment)?;
    let provider = &target.provider;
    let listing = match ask(&config, &target, &environment)? {
        Asked::Read(listing) => listing,
        Asked::None => {
            let text =
                format!("{} has no list of models that pilotlight knows of; see its documentation", provider.title);
            return Err(Usage(text).into());
        }
        Asked::Failed(diagnosis) => {
            let keyless = provider.key == CredentialSource::NotNeeded;
            let fix = match diagnosis.code.class() {
                Class::Unauthorized if keyless => {
                    "it wants a key: name the variable that holds one with --key-env NAME"
                }
                _ => &diagnosis.remedy,
            };
            tell(&format!(
                "error: {}: {} at stage {}: {}\n  fix: {fix}",
                provider.title, diagnosis.code, diagnosis.stage, diagnosis.evidence
            ));
            return Ok(Exit::of_class(diagnosis.code.class()));
        }
    };
    let targets: Vec<&Target> = config.targets.iter().filter(|target| target.provider.id == provider.id).collect();
    let rows: Vec<ModelRow> = matching(&listing, &args.words).into_iter().map(|entry| row(entry, &targets)).collect();
    if listing.total > listing.entries.len() {
        tell(&format!("note: only the first {} of {} are read", listing.entries.len(), listing.total));
    }
    let base_url = provider.base_url.to_string();
    let view = ModelsView { provider: &provider.title, base_url: &base_url, total: listing.total, rows: &rows };
    let look = terminal::look(global, &environment);
    terminal::output(|out| render_models(&view, args.format.into(), &look, out))
}

/// The configuration, and a target of the provider that is meant.
fn provider(global: &Global, args: &ModelsArgs, environment: &Environment) -> anyhow::Result<(Config, Target)> {
    let asked = AdHoc {
        url: &args.provider,
        dialect: args.dialect.map(Dialect::from),
        key_env: args.key_env.as_deref(),
        model: None,
    };
    if args.provider.contains("://") {
        return of_url(&asked, environment);
    }
    let preset = offers().into_iter().find(|offer| offer.preset == args.provider);
    let config = match config::find(global.config.as_deref(), environment) {
        Ok(path) => match config::load(&path, environment) {
            Ok(config) => Some(config),
            // A list is what a mistake in the file may be mended with.
            Err(_) if preset.is_some() && global.config.is_none() => {
                tell(&format!("note: {} has mistakes, so it is not looked at", path.display()));
                None
            }
            Err(_) => Some(setup::config(global, environment)?),
        },
        Err(error) if global.config.is_some() => return Err(Usage(error.to_string()).into()),
        Err(_) => None,
    };
    let known = config.as_ref().and_then(|config| named(config, &args.provider));
    if let (Some(config), Some(mut target)) = (config.clone(), known) {
        if let Some(name) = &args.key_env {
            if !is_key_variable(name) {
                return Err(Usage("--key-env names a variable, not the key itself".to_owned()).into());
            }
            let mut provider = Provider::clone(&target.provider);
            provider.key = CredentialSource::Env(name.clone());
            target.provider = Arc::new(provider);
        }
        return Ok((config, target));
    }
    match preset {
        Some(offer) => match &offer.base_url {
            Some(url) => of_url(&AdHoc { url, ..asked }, environment),
            None => {
                Err(Usage(format!("the preset `{}` has no address of its own: give its base URL", offer.preset)).into())
            }
        },
        None => Err(unknown(&args.provider, config.as_ref()).into()),
    }
}

/// The first target of a provider. One without targets borrows another's, whose LLM does not matter here.
fn named(config: &Config, name: &str) -> Option<Target> {
    let provider = config.providers.iter().find(|provider| provider.id.as_str() == name)?;
    let own = config.targets.iter().find(|target| target.provider.id == provider.id);
    let mut target = own.or(config.targets.first())?.clone();
    target.provider = Arc::clone(provider);
    Some(target)
}

fn of_url(asked: &AdHoc<'_>, environment: &Environment) -> anyhow::Result<(Config, Target)> {
    let mut config = ad_hoc(asked, environment).map_err(|error| Usage(format!("failed to {error}")))?;
    match config.targets.pop() {
        Some(target) => Ok((config, target)),
        None => anyhow::bail!("a provider without a target"),
    }
}

fn unknown(name: &str, config: Option<&Config>) -> Usage {
    let mut known: Vec<String> =
        config.iter().flat_map(|config| &config.providers).map(|provider| provider.id.to_string()).collect();
    known.extend(offers().iter().map(|offer| offer.preset.to_owned()));
    let near = nearest(name, known.iter().map(String::as_str));
    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    known.dedup();
    Usage(format!("there is no provider or preset `{name}`{hint}\nknown are {}, and any base URL", known.join(", ")))
}
