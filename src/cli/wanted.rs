//! Which targets a command is about: the arguments that several commands share.

use clap::Args;

use super::terminal::Usage;
use crate::config::Config;
use crate::target::Target;

/// Which targets are wanted; all where nothing is said.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct WantedArgs {
    /// The targets, by name [default: all]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Only targets with this tag
    #[arg(long, short, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Only targets of this provider
    #[arg(long, short, value_name = "PROVIDER")]
    pub provider: Vec<String>,
}

impl WantedArgs {
    /// Those of a configuration. A name that is not there is an error with the nearest.
    pub(super) fn select(&self, config: &Config) -> Result<Vec<Target>, Usage> {
        config.select(&self.targets, &self.tag, &self.provider).map_err(|error| Usage(error.to_string()))
    }
}
