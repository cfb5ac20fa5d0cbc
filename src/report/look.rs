//! What a report may use of the terminal: width, colour, marks, the local clock. Decided by `cli/`, only read here.

use anstyle::{AnsiColor, Color, Style as Ansi};
use jiff::tz::TimeZone;

use crate::outcome::{Status, Verdict};

/// How a report for people is to look.
#[derive(Debug, Clone)]
pub struct Look {
    /// The columns of the terminal; 100 suits a pipe.
    pub width: usize,
    /// Whether to colour.
    pub style: Style,
    /// Which marks to use.
    pub marks: Marks,
    /// The zone in which clock times are given.
    pub zone: TimeZone,
}

/// Whether a report is coloured. It reads as well without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// No escape sequence is written.
    Plain,
    /// Escape sequences are written.
    Coloured,
}

/// The signs for verdicts and gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    /// `✓ ! ? ✗ … –`, where the terminal is UTF-8.
    Unicode,
    /// `+ ! ? x ... -`, anywhere.
    Ascii,
}

impl Marks {
    /// The mark of a verdict, one column wide.
    #[must_use]
    pub fn of(self, verdict: Verdict) -> &'static str {
        match (verdict, self) {
            (Verdict::Ready, Self::Unicode) => "✓",
            (Verdict::Ready, Self::Ascii) => "+",
            (Verdict::Degraded, _) => "!",
            (Verdict::Unknown, _) => "?",
            (Verdict::Failed, Self::Unicode) => "✗",
            (Verdict::Failed, Self::Ascii) => "x",
        }
    }

    /// The mark of a status, one column wide.
    #[must_use]
    pub fn of_status(self, status: Status) -> &'static str {
        match status {
            Status::Up => self.of(Verdict::Ready),
            Status::Degraded => self.of(Verdict::Degraded),
            Status::Down => self.of(Verdict::Failed),
            Status::Unknown => self.of(Verdict::Unknown),
            Status::Maintenance => "~",
        }
    }

    /// What stands where text was left out.
    #[must_use]
    pub fn ellipsis(self) -> &'static str {
        match self {
            Self::Unicode => "…",
            Self::Ascii => "...",
        }
    }

    /// What stands where nothing was measured.
    #[must_use]
    pub fn absent(self) -> &'static str {
        match self {
            Self::Unicode => "–",
            Self::Ascii => "-",
        }
    }
}

/// What a piece of text is, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A verdict, or what belongs to one.
    Verdict(Verdict),
    /// A status, or what belongs to one.
    Status(Status),
    /// A label or a header: there to be read past.
    Label,
}

impl Look {
    /// The text in the colour of its role.
    #[must_use]
    pub(super) fn paint(&self, role: Role, text: &str) -> String {
        match self.style {
            Style::Plain => text.to_owned(),
            Style::Coloured => {
                let ansi = ansi(role);
                format!("{ansi}{text}{ansi:#}")
            }
        }
    }
}

fn ansi(role: Role) -> Ansi {
    let colour = |colour: AnsiColor| Ansi::new().fg_color(Some(Color::Ansi(colour)));
    match role {
        Role::Verdict(Verdict::Ready) => colour(AnsiColor::Green),
        Role::Verdict(Verdict::Degraded) => colour(AnsiColor::Yellow),
        // Cyan, because yellow and red are judgements and "could not tell" is none.
        Role::Verdict(Verdict::Unknown) => colour(AnsiColor::Cyan),
        Role::Verdict(Verdict::Failed) => colour(AnsiColor::Red).bold(),
        Role::Status(Status::Up) => ansi(Role::Verdict(Verdict::Ready)),
        Role::Status(Status::Degraded) => ansi(Role::Verdict(Verdict::Degraded)),
        Role::Status(Status::Unknown) => ansi(Role::Verdict(Verdict::Unknown)),
        Role::Status(Status::Down) => ansi(Role::Verdict(Verdict::Failed)),
        // Nothing to do about it now.
        Role::Status(Status::Maintenance) | Role::Label => Ansi::new().dimmed(),
    }
}
