//! `pilotlight history TARGET`: what one target came to over time, from the store.

use clap::{Args, ValueEnum};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use super::check::{DepthArg, runtime};
use super::run::StateArgs;
use super::status::{configuration, no_store, refuse_unknown, unread};
use super::{Global, setup, terminal};
use crate::exit::Exit;
use crate::probe::clock::Clock;
use crate::report::{self, Format, History};
use crate::run::SystemClock;
use crate::store::{Filter, PastFlip, PastOutcome, Reader, StoreError};

/// Arguments of `history`.
#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// The target, by name
    #[arg(value_name = "TARGET")]
    target: String,
    /// Nothing from before this: 24h, 7d, 2026-11-20, 2026-11-20T14:00 (local time)
    #[arg(long, value_name = "WHEN", value_parser = since)]
    since: Option<Since>,
    /// At most so many, the newest
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Only probes of this depth
    #[arg(long, short, value_name = "DEPTH")]
    depth: Option<DepthArg>,
    /// Only probes that failed
    #[arg(long)]
    failures: bool,
    /// Only the changes of status
    #[arg(long, conflicts_with_all = ["depth", "failures"])]
    flips: bool,
    /// Form of the report on standard output
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: HistoryFormat,
    #[command(flatten)]
    state: StateArgs,
}

/// The form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HistoryFormat {
    Human,
    Json,
    Jsonl,
}

/// From when on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    Ago(SignedDuration),
    At(DateTime),
    Moment(Timestamp),
}

impl Since {
    fn moment(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Ago(ago) => now.checked_sub(ago).ok(),
            Self::At(civil) => zone.to_timestamp(civil).ok(),
            Self::Moment(moment) => Some(moment),
        }
    }
}

/// Reads `24h`, `7d`, `2026-11-20`, `2026-11-20T14:00`, or a moment with its zone.
fn since(text: &str) -> Result<Since, String> {
    if let Ok(moment) = text.parse() {
        return Ok(Since::Moment(moment));
    }
    if let Ok(civil) = text.parse() {
        return Ok(Since::At(civil));
    }
    let ago = text.parse::<Span>().and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    match ago {
        Ok(ago) if ago > SignedDuration::ZERO => Ok(Since::Ago(ago)),
        _ => Err(format!("`{text}` is neither a time like 24h or 7d, nor a day like 2026-11-20")),
    }
}

/// What the store has of a target.
struct Kept {
    records: Vec<PastOutcome>,
    flips: Vec<PastFlip>,
    more: bool,
}

pub(super) fn run(global: &Global, args: &HistoryArgs) -> anyhow::Result<Exit> {
    let environment = setup::environment(global)?;
    let directory = args.state.directory(&environment)?;
    let look = terminal::look(global, &environment);
    let now = SystemClock.wall();
    let since = args.since.and_then(|since| since.moment(now, &look.zone));
    let runtime = runtime()?;
    let Some(reader) = runtime.block_on(Reader::open(&directory)).map_err(unread)? else {
        return Ok(no_store(&directory));
    };
    let kept = runtime.block_on(read(&reader, args, since)).map_err(unread)?;
    if kept.records.is_empty() && kept.flips.is_empty() {
        // Nothing of it may mean that it is misspelt.
        let summaries = runtime.block_on(reader.summaries(now)).map_err(unread)?;
        let (config, _) = configuration(global, &environment)?;
        let configured = config.iter().flat_map(|config| &config.targets).map(|target| target.id.as_str());
        let kept = summaries.iter().map(|summary| summary.target.as_str());
        refuse_unknown(std::slice::from_ref(&args.target), configured.chain(kept))?;
    }
    let week = runtime.block_on(reader.spent(&args.target, now)).map_err(unread)?.week;
    let Kept { records, flips, more } = &kept;
    let view = History { target: &args.target, now, records, flips, week, more: *more };
    let format = match args.format {
        HistoryFormat::Human => Format::Human,
        HistoryFormat::Json => Format::Json,
        HistoryFormat::Jsonl => Format::Jsonl,
    };
    terminal::output(|out| report::render_history(&view, format, &look, out))
}

/// Reads one more than the limit, to know whether there are more.
async fn read(reader: &Reader, args: &HistoryArgs, since: Option<Timestamp>) -> Result<Kept, StoreError> {
    let limit = args.limit.saturating_add(1);
    let kept = usize::try_from(args.limit).unwrap_or(usize::MAX);
    if args.flips {
        let mut flips = reader.flips(Some(&args.target), since, limit).await?;
        let more = flips.len() > kept;
        flips.truncate(kept);
        flips.reverse();
        return Ok(Kept { records: Vec::new(), flips, more });
    }
    let depth = args.depth.map(Into::into);
    let filter = Filter { since, limit, depth, only_failures: args.failures };
    let mut records = reader.history(&args.target, filter).await?;
    let more = records.len() > kept;
    records.truncate(kept);
    records.reverse();
    let Some(oldest) = records.first().map(|past| past.at) else {
        return Ok(Kept { records, flips: Vec::new(), more });
    };
    // The changes that these probes brought, and those between them.
    let mut flips = reader.flips(Some(&args.target), Some(oldest), u32::MAX).await?;
    flips.reverse();
    Ok(Kept { records, flips, more })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_ago_days_or_moments() {
        let now: Timestamp = "2026-11-20T19:02:11Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let at = |text: &str| since(text).unwrap().moment(now, &zone).unwrap().to_string();
        assert_eq!(at("24h"), "2026-11-19T19:02:11Z");
        assert_eq!(at("7d"), "2026-11-13T19:02:11Z");
        assert_eq!(at("1h30m"), "2026-11-20T17:32:11Z");
        assert_eq!(at("2026-11-20"), "2026-11-19T23:00:00Z");
        assert_eq!(at("2026-11-20T14:00"), "2026-11-20T13:00:00Z");
        assert_eq!(at("2026-11-20T14:00:00Z"), "2026-11-20T14:00:00Z");
        for text in ["yesterday", "24", "-3h", "0s", ""] {
            assert!(since(text).unwrap_err().contains("like 24h or 7d"), "{text}");
        }
    }
}
