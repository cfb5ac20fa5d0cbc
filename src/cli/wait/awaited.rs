//! Which gates `wait` is about: those of probes.yaml by name, or one made of targets and a rule.

use clap::Args;

use crate::cli::terminal::Usage;
use crate::config::{Config, nearest};
use crate::outcome::words::count;
use crate::plan::{Gate, NamedGate};
use crate::run::Awaited;
use crate::target::{Target, TargetId};

/// Which gates are waited for.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct AwaitedArgs {
    /// Gates of probes.yaml, or targets, by name [default: the only gate; where there is none, all targets]
    #[arg(value_name = "GATE|TARGET", value_delimiter = ',')]
    names: Vec<String>,
    /// Targets with this tag
    #[arg(long, short, value_name = "TAG")]
    tag: Vec<String>,
    /// Targets of this provider
    #[arg(long, short, value_name = "PROVIDER")]
    provider: Vec<String>,
    /// One of the targets is enough
    #[arg(long, group = "rule")]
    any: bool,
    /// All of the targets are needed: what is meant where no rule is said
    #[arg(long, group = "rule")]
    all: bool,
    /// So many of the targets are enough
    #[arg(long, group = "rule", value_name = "N")]
    at_least: Option<usize>,
}

/// How many targets a gate of the command line names in its name.
const NAMED: usize = 3;

impl AwaitedArgs {
    /// The gates, and the targets that they look at, in the order of probes.yaml.
    pub(super) fn select(&self, config: &Config) -> Result<(Vec<Awaited>, Vec<Target>), Usage> {
        let gates = self.gates(config)?;
        let is_looked_at = |target: &&Target| gates.iter().any(|gate| gate.gate.targets().contains(&&target.id));
        let targets = config.targets.iter().filter(is_looked_at).cloned().collect();
        Ok((gates, targets))
    }

    fn gates(&self, config: &Config) -> Result<Vec<Awaited>, Usage> {
        let filtered = !self.tag.is_empty() || !self.provider.is_empty();
        if self.names.is_empty() && !filtered && self.rule().is_none() {
            return match config.gates.as_slice() {
                [] => self.of_targets(&[], config).map(|gate| vec![gate]),
                [only] => Ok(vec![named(only)]),
                several => {
                    let names: Vec<&str> = several.iter().map(|gate| gate.id.as_str()).collect();
                    Err(Usage(format!("there are several gates: name those to wait for ({})", names.join(", "))))
                }
            };
        }
        let (mut gates, mut targets) = (Vec::new(), Vec::new());
        for name in &self.names {
            let gate = config.gates.iter().find(|gate| gate.id.as_str() == name);
            let is_target = config.targets.iter().any(|target| target.id.as_str() == name);
            match (gate, self.rule()) {
                (Some(gate), None) if !gates.contains(&named(gate)) => gates.push(named(gate)),
                (Some(_), None) => {}
                // With a rule, targets are meant.
                (Some(_), Some(rule)) if !is_target => {
                    return Err(Usage(format!("`{name}` is a gate and has a rule of its own: leave out {rule}")));
                }
                (None, _) if !is_target => return Err(unknown(name, config)),
                _ => targets.push(name.clone()),
            }
        }
        if !gates.is_empty() && filtered {
            return Err(Usage("a gate names its own targets: leave out --tag and --provider".to_owned()));
        }
        if gates.is_empty() || !targets.is_empty() {
            gates.push(self.of_targets(&targets, config)?);
        }
        Ok(gates)
    }

    /// The rule that was said, as it was written.
    fn rule(&self) -> Option<&'static str> {
        match (self.any, self.all, self.at_least) {
            (true, ..) => Some("--any"),
            (_, true, _) => Some("--all"),
            (_, _, Some(_)) => Some("--at-least"),
            _ => None,
        }
    }

    /// A gate of the targets that are asked for.
    fn of_targets(&self, names: &[String], config: &Config) -> Result<Awaited, Usage> {
        let selected = config.select(names, &self.tag, &self.provider).map_err(|error| Usage(error.to_string()))?;
        let of: Vec<TargetId> = selected.into_iter().map(|target| target.id).collect();
        // As they were named: that is the order in which they are asked.
        let place = |id: &TargetId| names.iter().position(|name| name == id.as_str());
        let mut of = of;
        of.sort_by_key(place);
        let shown: Vec<&str> = of.iter().take(NAMED).map(TargetId::as_str).collect();
        let list = match of.len().saturating_sub(NAMED) {
            0 => shown.join(", "),
            _ => count(of.len(), "target"),
        };
        let (name, gate) = match self.at_least {
            Some(n) if n == 0 || n > of.len() => {
                return Err(Usage(format!(
                    "--at-least {n} of {} makes no sense: say a number from 1 to {}",
                    count(of.len(), "target"),
                    of.len()
                )));
            }
            Some(n) => (format!("{n} of {list}"), Gate::AtLeast { n, of }),
            None if of.len() == 1 => (list, Gate::All(of)),
            None if self.any => (format!("any of {list}"), Gate::Any(of)),
            None => (format!("all of {list}"), Gate::All(of)),
        };
        Ok(Awaited { name, line: None, gate })
    }
}

fn named(gate: &NamedGate) -> Awaited {
    Awaited { name: gate.id.to_string(), line: Some(gate.line), gate: gate.gate.clone() }
}

/// A name that nothing has, with the nearest of what there is.
fn unknown(name: &str, config: &Config) -> Usage {
    let gates = config.gates.iter().map(|gate| gate.id.as_str());
    let targets = config.targets.iter().map(|target| target.id.as_str());
    let hint = nearest(name, gates.clone().chain(targets))
        .map_or_else(|| ".".to_owned(), |nearest| format!("; did you mean `{nearest}`?"));
    let gates: Vec<&str> = gates.collect();
    let listed = if gates.is_empty() { "none".to_owned() } else { gates.join(", ") };
    Usage(format!("there is no gate and no target `{name}`{hint} Gates: {listed}"))
}
