//! `pilotlight explain CODE`: what a code means, and what to do about it.

use clap::Args;

use super::terminal::{self, Usage};
use super::{Global, setup};
use crate::exit::Exit;
use crate::outcome::Code;
use crate::report;

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The code, as in a report or a log line [default: list all]
    code: Option<String>,
}

pub(super) fn run(global: &Global, args: &ExplainArgs) -> anyhow::Result<Exit> {
    let look = terminal::look(global, &setup::environment(global)?);
    let Some(name) = &args.code else {
        return terminal::output(|out| report::list(&look, out));
    };
    // As constants and metrics spell it: KEY_REFUSED, key_refused.
    let folded = name.trim().to_lowercase().replace(['_', ' '], "-");
    match Code::from_name(&folded) {
        Some(code) => terminal::output(|out| report::explain(code, &look, out)),
        None => Err(Usage(unknown(name, &folded)).into()),
    }
}

fn unknown(name: &str, folded: &str) -> String {
    let nearest = Code::ALL
        .into_iter()
        .map(|code| (strsim::jaro_winkler(folded, code.name()), code))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = nearest.map_or_else(|| ".".to_owned(), |(_, code)| format!("; did you mean `{code}`?"));
    format!("there is no code `{}`{hint} `pilotlight explain` lists all.", crate::probe::wire::text::clean(name, 60))
}
