//! What is on the other end: a terminal or a pipe, its width, its colours; and writing to it without a panic.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use anstream::AutoStream;
use anstream::ColorChoice;
use jiff::tz::TimeZone;

use super::{ColorWhen, Global};
use crate::config::{Environment, Mistakes};
use crate::exit::Exit;
use crate::report::{Look, Marks, Style};

/// The columns assumed where there is no terminal to ask.
const PIPE_WIDTH: usize = 100;

/// A mistake of the user's: it is told as it stands, and the exit is [`Exit::Usage`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Usage(pub String);

/// Writes to standard output. A reader that has gone away (`| head`) is no failure.
pub(super) fn output(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<Exit> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Ready),
    }
}

/// Writes a line to standard error. Nobody can be told when that fails.
pub(super) fn tell(text: &str) {
    let mut err = io::stderr().lock();
    writeln!(err, "{text}").ok();
}

/// Longest answer that is read, in bytes.
const LONGEST_ANSWER: u64 = 4096;

/// Asks a question on standard error and reads a line of standard input, without the space around it. `None` at its end.
pub(super) fn ask(question: &str) -> io::Result<Option<String>> {
    {
        let mut err = io::stderr().lock();
        write!(err, "{question} ")?;
        err.flush()?;
    }
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(LONGEST_ANSWER).read_until(b'\n', &mut bytes)?;
    Ok((read > 0).then(|| String::from_utf8_lossy(&bytes).trim().to_owned()))
}

/// Whether standard error is the stream that systemd connected to the journal: device and inode, as `JOURNAL_STREAM` has
/// them (`systemd.exec(5)`).
pub(super) fn is_journal() -> bool {
    #[cfg(target_os = "linux")]
    {
        use std::os::linux::fs::MetadataExt;
        let environment = Environment::from_process();
        let Some(stream) = environment.get("JOURNAL_STREAM") else { return false };
        let Ok(stderr) = std::fs::metadata("/proc/self/fd/2") else { return false };
        stream == format!("{}:{}", stderr.st_dev(), stderr.st_ino())
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// Tells of an error, in the journal with the priority of one: `journalctl -p err` says why a service did not start.
fn tell_error(text: &str) {
    if is_journal() {
        let marked: Vec<String> = text.trim_end().lines().map(|line| format!("<3>{line}")).collect();
        tell(&marked.join("\n"));
    } else {
        tell(text);
    }
}

/// Tells of a panic: where, not what, because a message may hold anything. The probe's outcome has it, scrubbed.
pub(super) fn panicked(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
    if tracing::dispatcher::has_been_set() {
        tracing::error!(name: "internal.panicked", place);
    } else {
        tell_error(&format!("error: pilotlight itself failed at {place}; please report it"));
    }
}

/// Tells an error, and what the process ends with because of it.
pub(super) fn fail(error: &anyhow::Error, color: ColorWhen) -> Exit {
    let style = style(color, &io::stderr());
    let (red, end) = match style {
        Style::Coloured => ("\u{1b}[1;31m", "\u{1b}[0m"),
        Style::Plain => ("", ""),
    };
    if let Some(mistakes) = error.downcast_ref::<Mistakes>() {
        tell_error(&mistakes.render(style == Style::Coloured));
        return Exit::Usage;
    }
    if let Some(usage) = error.downcast_ref::<Usage>() {
        tell_error(&format!("{red}error{end}: {usage}"));
        return Exit::Usage;
    }
    tell_error(&format!("{red}error{end}: {error:#}"));
    Exit::Internal
}

/// Whether to colour a stream.
pub(super) fn style(when: ColorWhen, stream: &(impl IsTerminal + anstream::stream::RawStream)) -> Style {
    let coloured = match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        // NO_COLOR, CLICOLOR and TERM=dumb are obeyed there.
        ColorWhen::Auto => AutoStream::choice(stream) != ColorChoice::Never,
    };
    if coloured { Style::Coloured } else { Style::Plain }
}

/// How a report on standard output is to look.
pub(super) fn look(global: &Global, environment: &Environment) -> Look {
    let stdout = io::stdout();
    let width = match terminal_size::terminal_size_of(&stdout) {
        Some((width, _)) => usize::from(width.0),
        None => PIPE_WIDTH,
    };
    // The first of these that is set decides, as in the C library. A pipe gets UTF-8 unless a locale says otherwise.
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| environment.get(name).filter(|text| !text.is_empty()));
    let utf8 = locale.is_none_or(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    Look {
        width: width.clamp(40, 200),
        style: style(global.color, &stdout),
        marks: if utf8 { Marks::Unicode } else { Marks::Ascii },
        zone: TimeZone::system(),
    }
}
