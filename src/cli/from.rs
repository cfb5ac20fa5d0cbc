//! `--from`: what another tool is set up with, as the configuration, with no probes.yaml at all.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use super::terminal::{Usage, tell};
use super::{Global, setup};
use crate::config::import::{self, Draft, NO_MODEL, Remark, RemarkKind, Through};
use crate::config::{Config, EnvFile, Environment, LoadError};
use crate::target::{Depth, Target};

/// Largest file of another tool that is read, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Where the configuration comes from, when not from probes.yaml.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct FromArgs {
    /// Take what another tool is set up with, and no probes.yaml: kodus[:.env], litellm[:config.yaml] or env
    #[arg(long, value_name = "SOURCE")]
    pub from: Option<Source>,
}

/// What can be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// The `.env` of a self-hosted Kodus.
    Kodus(PathBuf),
    /// The `config.yaml` of a LiteLLM proxy.
    Litellm(PathBuf),
    /// The well-known key variables that are set.
    Env,
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (tool, path) = text.split_once(':').map_or((text, None), |(tool, path)| (tool, Some(path)));
        let path = |usual: &str| PathBuf::from(path.filter(|path| !path.is_empty()).unwrap_or(usual));
        match tool {
            "kodus" => Ok(Self::Kodus(path(".env"))),
            "litellm" => Ok(Self::Litellm(path("config.yaml"))),
            "env" if text == "env" => Ok(Self::Env),
            _ => Err("write kodus:.env, litellm:config.yaml or env".to_owned()),
        }
    }
}

/// A draft with what it was made of.
pub(super) struct Imported {
    pub(super) draft: Draft,
    /// The file, or `environment`.
    pub(super) source: PathBuf,
    /// The environment, with the variables of the file where it is one.
    pub(super) environment: Environment,
    /// Whether keys are in the file alone, so that a written probes.yaml has to be run with it.
    pub(super) needs_file: bool,
}

impl FromArgs {
    /// The configuration, and the environment in which its keys are: that of the process, and beneath it what an
    /// imported `.env` sets. Without `--from` it is probes.yaml, as ever.
    pub(super) fn config(&self, global: &Global, environment: Environment) -> anyhow::Result<(Config, Environment)> {
        let Some(source) = &self.from else {
            let config = setup::config(global, &environment)?;
            return Ok((config, environment));
        };
        if global.config.is_some() {
            return Err(Usage("--from and --config are two configurations; give one of them".to_owned()).into());
        }
        let imported = read(source, environment, None)?;
        for remark in imported.draft.remarks() {
            if remark.kind != RemarkKind::Mapped {
                tell(&format!("note: {}", told(&imported.source, &remark)));
            }
        }
        if imported.draft.target_count() + imported.draft.wanting().len() == 0 {
            return Err(nothing(source, &imported).into());
        }
        let config = imported.draft.config(&imported.source, &imported.environment).map_err(|error| match error {
            LoadError::Mistakes(mistakes) => anyhow::Error::new(*mistakes),
            error => anyhow::Error::new(Usage(format!("failed to {error}"))),
        })?;
        Ok((config, imported.environment))
    }
}

/// Fails where a target that has no model would be asked to generate.
pub(super) fn refuse_unnamed(targets: &[Target], depth: Option<Depth>) -> Result<(), Usage> {
    let warmed = |target: &&Target| depth.unwrap_or(target.depth) == Depth::Warm;
    match targets.iter().filter(warmed).find(|target| target.model.as_str() == NO_MODEL) {
        None => Ok(()),
        Some(target) => Err(Usage(format!(
            "no model is named for {}, so it cannot be warmed: leave out --depth, or write a probes.yaml (`pilotlight init`)",
            target.id
        ))),
    }
}

/// Makes a draft of a source.
pub(super) fn read(source: &Source, environment: Environment, through: Option<&Through>) -> anyhow::Result<Imported> {
    match source {
        Source::Kodus(path) => {
            let file = EnvFile::read(path).map_err(|error| Usage(format!("failed to {error}")))?;
            // With `--env-file` of the same file they were told already.
            let file = if file.notes() == environment.notes() { file.without_notes() } else { file };
            let draft = import::kodus(&file, &environment);
            let needs_file = file.adds_to(&environment);
            Ok(Imported { draft, source: path.clone(), environment: environment.over(&file), needs_file })
        }
        Source::Litellm(path) => {
            let text = text_of(path)?;
            let draft = import::litellm(path, &text, &environment, through).map_err(|mistakes| *mistakes)?;
            Ok(Imported { draft, source: path.clone(), environment, needs_file: false })
        }
        Source::Env => {
            let draft = import::well_known(&environment);
            Ok(Imported { draft, source: PathBuf::from("environment"), environment, needs_file: false })
        }
    }
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    let failed = |reason: String| Usage(format!("failed to read {}: {reason}", path.display()));
    let mut bytes = Vec::new();
    // One byte more than is allowed tells that there was more.
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    let read = read.map_err(|error| failed(error.to_string()))?;
    if u64::try_from(read).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(failed("it is larger than 1 MiB, so it is no LiteLLM configuration".to_owned()).into());
    }
    Ok(String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8 text".to_owned()))?)
}

/// A remark with its place.
pub(super) fn told(source: &Path, remark: &Remark) -> String {
    let line = remark.line.map(|line| format!("{line}:")).unwrap_or_default();
    let said = match remark.kind {
        RemarkKind::NotMapped => "not mapped: ",
        RemarkKind::Mapped | RemarkKind::Odd => "",
    };
    format!("{}:{line} {said}{}", source.display(), remark.text)
}

/// There is nothing to probe; why was told by the remarks.
pub(super) fn nothing(source: &Source, imported: &Imported) -> Usage {
    Usage(match source {
        Source::Env => format!(
            "none of the well-known key variables is set; looked for {}",
            import::well_known_variables().join(", ")
        ),
        _ => format!("nothing in {} could be mapped to a target", imported.source.display()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_tool_and_a_file() {
        for (text, source) in [
            ("kodus", Source::Kodus(".env".into())),
            ("kodus:", Source::Kodus(".env".into())),
            ("kodus:/srv/kodus/.env", Source::Kodus("/srv/kodus/.env".into())),
            ("litellm:a:b.yaml", Source::Litellm("a:b.yaml".into())),
            ("litellm", Source::Litellm("config.yaml".into())),
            ("env", Source::Env),
        ] {
            assert_eq!(text.parse(), Ok(source), "{text}");
        }
        assert!("mesrai:.env".parse::<Source>().is_err());
        assert!("env:x".parse::<Source>().is_err());
    }
}
