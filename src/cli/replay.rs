//! `pilotlight replay`: the policy of `every: auto` as a filter, for simulators and for study. One line in, one line out,
//! at once; or, with `--target`, one line out for each observation that is stored. What the lines mean is in
//! `warmth/replay.rs`; nothing is probed and nothing is kept.

use std::io::{self, BufRead, Read, Write};
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::check::duration;
use super::learned::{Recalled, recall};
use super::run::StateArgs;
use super::{Global, setup, terminal};
use crate::exit::Exit;
use crate::warmth::{Filter, Keep, LineError, Settings, Span, Visibility, error_line};

/// The bytes a line may have, its end not counted.
const LIMIT: usize = 64 * 1024;

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Replay what is stored of this target, in place of the events on standard input
    #[arg(long, value_name = "TARGET", conflicts_with = "visibility")]
    target: Option<String>,
    /// How long a cold start is expected to take, before one is seen [default: 25s; with --target as probes.yaml says]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    cold_start: Option<Duration>,
    /// Never give the model up because nobody uses it
    #[arg(long)]
    always: bool,
    /// What can be seen of users' requests, for events that do not say
    #[arg(long, value_name = "WHAT", default_value = "seen")]
    visibility: VisibilityArg,
    #[command(flatten)]
    state: StateArgs,
}

/// What can be seen of users' requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum VisibilityArg {
    /// All of them
    Seen,
    /// A counter of the whole account
    Shared,
    /// Nothing
    Blind,
}

pub(super) fn run(global: &Global, args: &ReplayArgs) -> anyhow::Result<Exit> {
    let settings = |before: Settings| Settings {
        cold_start: args.cold_start.map_or(before.cold_start, |time| Span::from_seconds(time.as_secs_f64())),
        keep: if args.always { Keep::Always } else { before.keep },
    };
    if let Some(target) = &args.target {
        let environment = setup::environment(global)?;
        let Some(Recalled { observations, settings: own, .. }) = recall(global, &environment, &args.state, target)?
        else {
            return Ok(Exit::Unknown);
        };
        if observations.is_empty() {
            terminal::tell(&format!("nothing is stored of {target} that a warm-up taught"));
        }
        let mut policy = Filter::new(settings(own), Visibility::default());
        return terminal::output(|out| {
            observations.iter().try_for_each(|observation| writeln!(out, "{}", policy.replay(observation)))
        });
    }
    let visibility = match args.visibility {
        VisibilityArg::Seen => Visibility::Seen,
        VisibilityArg::Shared => Visibility::Shared,
        VisibilityArg::Blind => Visibility::Blind,
    };
    filter(
        &mut Filter::new(settings(Settings::default()), visibility),
        &mut io::stdin().lock(),
        &mut io::stdout().lock(),
    )
}

/// Answers line by line until there is no more, or nobody reads the answers.
fn filter(filter: &mut Filter, input: &mut impl BufRead, output: &mut impl Write) -> anyhow::Result<Exit> {
    let mut exit = Exit::Ready;
    let mut bytes = Vec::new();
    for number in 1.. {
        let Some(text) = next_line(input, &mut bytes).context("failed to read the events")? else { break };
        let answer = match text {
            Ok(text) if text.trim().is_empty() => continue,
            Ok(text) => filter.answer(text),
            Err(error) => Err(error),
        };
        let mut line = answer.unwrap_or_else(|error| {
            exit = Exit::Usage;
            error_line(&error, number)
        });
        line.push('\n');
        match output.write_all(line.as_bytes()).and_then(|()| output.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            other => other.context("failed to write an answer")?,
        }
    }
    Ok(exit)
}

/// The next line without its end; `None` after the last. Of a line that is too long nothing is kept.
fn next_line<'a>(input: &mut impl BufRead, bytes: &'a mut Vec<u8>) -> io::Result<Option<Result<&'a str, LineError>>> {
    bytes.clear();
    let most = u64::try_from(LIMIT + 1).unwrap_or(u64::MAX);
    input.by_ref().take(most).read_until(b'\n', bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    } else if bytes.len() > LIMIT {
        input.skip_until(b'\n')?;
        return Ok(Some(Err(LineError::TooLong { limit: LIMIT })));
    }
    Ok(Some(std::str::from_utf8(bytes).map_err(|_| LineError::NotText)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(input: &[u8]) -> (Exit, Vec<String>) {
        let mut output = Vec::new();
        let exit = filter(
            &mut Filter::new(Settings::default(), Visibility::Seen),
            &mut io::BufReader::with_capacity(7, input),
            &mut output,
        );
        (exit.unwrap(), String::from_utf8(output).unwrap().lines().map(str::to_owned).collect())
    }

    #[test]
    fn a_malformed_line_is_answered_and_the_next_one_too() {
        let mut input = b"{\"event\":\"ask\",\"at\":1}\n\nnonsense\n\xff\xfe\n".to_vec();
        input.extend([b'x'; LIMIT + 10]);
        input.extend(b"\n{\"event\":\"ask\",\"at\":2}");
        let (exit, lines) = told(&input);
        assert_eq!(exit, Exit::Usage);
        assert_eq!(
            lines.get(1..4).unwrap(),
            [
                r#"{"error":"not JSON, at column 2","line":3}"#,
                r#"{"error":"not UTF-8","line":4}"#,
                r#"{"error":"longer than 65536 bytes","line":5}"#
            ]
        );
        assert!(lines[0].starts_with(r#"{"next_gap_s":"#) && lines[4] == lines[0], "{lines:?}");
    }

    #[test]
    fn a_line_of_the_longest_length_is_read() {
        let mut input = b"{\"event\":\"ask\",\"at\":1}".to_vec();
        input.resize(LIMIT, b' ');
        input.push(b'\n');
        assert_eq!(told(&input).0, Exit::Ready);
    }

    #[test]
    fn a_reader_that_has_gone_away_is_no_failure() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut policy = Filter::new(Settings::default(), Visibility::Seen);
        let input: &[u8] = b"{\"event\":\"ask\",\"at\":1}\n";
        assert_eq!(filter(&mut policy, &mut io::BufReader::new(input), &mut Gone).unwrap(), Exit::Ready);
    }
}
