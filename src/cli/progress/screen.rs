//! Standard error as the terminal of the live display.
//!
//! indicatif fills every line with blanks up to the edge, where the next begins by itself. When the terminal then echoes
//! `^C`, the echo begins a line of its own too, and clearing the display leaves its first line behind. Here a line ends where
//! its text does.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::TermLike;

/// A terminal that can move its cursor by ANSI's sequences. What is drawn goes out as one write.
#[derive(Debug, Default)]
pub(super) struct Screen(Mutex<Held>);

/// What is drawn and did not go out yet.
#[derive(Debug, Default)]
struct Held {
    drawn: String,
    /// Whether a line was filled, so that what is drawn next begins another.
    filled: bool,
}

impl Screen {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moved(&self, by: usize, direction: char) -> io::Result<()> {
        if by > 0 {
            // Writing to a String cannot fail.
            let _ = write!(self.held().drawn, "\u{1b}[{by}{direction}");
        }
        Ok(())
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        terminal_size::terminal_size_of(io::stderr()).map_or(80, |(width, _)| width.0)
    }

    fn height(&self) -> u16 {
        terminal_size::terminal_size_of(io::stderr()).map_or(24, |(_, height)| height.0)
    }

    fn move_cursor_up(&self, by: usize) -> io::Result<()> {
        self.moved(by, 'A')
    }

    fn move_cursor_down(&self, by: usize) -> io::Result<()> {
        self.moved(by, 'B')
    }

    fn move_cursor_right(&self, by: usize) -> io::Result<()> {
        self.moved(by, 'C')
    }

    fn move_cursor_left(&self, by: usize) -> io::Result<()> {
        self.moved(by, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        self.held().drawn.push('\n');
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let mut held = self.held();
        if text.trim_matches(' ').is_empty() {
            held.filled = true;
            return Ok(());
        }
        if std::mem::take(&mut held.filled) {
            held.drawn.push('\n');
        }
        held.drawn.push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.held().drawn.push_str("\r\u{1b}[2K");
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let held = std::mem::take(&mut *self.held());
        io::stderr().lock().write_all(held.drawn.as_bytes())
    }
}
