//! What was learned as two little plots over one axis of time: how probable each idle timeout is, and how long first
//! tokens took after which gap.
//!
//! The axis is the same in both and logarithmic, from 2 minutes to 12 hours, so that what was found warm stands to the
//! left of the timeout and what was found cold to the right of it.

use std::io::{self, Write};

use super::Marks;
use super::layout::{LongWord, wrap};
use super::look::{Look, Role};
use crate::outcome::Verdict;
use crate::warmth::{Answer, Believed, Judged, Keeper};

/// What stands left of the plots: a label and the axis.
const MARGIN: usize = 8;
/// What stands right of the finite timeouts: a space and the column of *never*.
const NEVER: usize = 7;
/// How high the distribution is, in lines.
const HEIGHT: usize = 6;
/// A line is filled in this many steps.
const STEPS: usize = 8;
/// Lines for a tenfold first-token time.
const PER_DECADE: f64 = 4.0;
/// The scatter has at least and at most so many lines.
const LINES: (i32, i32) = (5, 16);
/// The times that the axis names, in seconds.
const TICKS: [(f64, &str); 9] = [
    (120.0, "2m"),
    (300.0, "5m"),
    (600.0, "10m"),
    (1_200.0, "20m"),
    (3_600.0, "1h"),
    (7_200.0, "2h"),
    (14_400.0, "4h"),
    (28_800.0, "8h"),
    (43_200.0, "12h"),
];

/// A character and what it is.
type Cell = (char, Option<Role>);

/// The axis of time, cut into columns that hold equally many of the timeouts that are thought of.
struct Axis {
    timeouts: Vec<f64>,
    per_column: usize,
    columns: usize,
}

impl Axis {
    fn new(keeper: &Keeper, width: usize) -> Self {
        let timeouts: Vec<f64> = keeper.marginal().map(|(span, _)| span.seconds()).collect();
        let room = width.saturating_sub(MARGIN + NEVER).max(1);
        let fits = |per: &usize| timeouts.len().is_multiple_of(*per) && timeouts.len() / per <= room;
        let per_column = (1..=timeouts.len()).find(fits).unwrap_or(1);
        let columns = timeouts.len() / per_column;
        Self { timeouts, per_column, columns }
    }

    /// The column of a time in seconds. What is off the axis is at its end.
    fn column(&self, seconds: f64) -> usize {
        // The times are rounded to milliseconds.
        let passed = self.timeouts.partition_point(|timeout| *timeout <= seconds + 1e-3);
        (passed.saturating_sub(1) / self.per_column).min(self.columns.saturating_sub(1))
    }

    /// The line of the axis itself and its words.
    fn write(&self, look: &Look, out: &mut dyn Write) -> io::Result<()> {
        let (corner, line) = match look.marks {
            Marks::Unicode => ("└", "─"),
            Marks::Ascii => ("+", "-"),
        };
        let mut words = String::new();
        let place = |(seconds, word): &(f64, &str)| self.column(*seconds).min(self.columns.saturating_sub(word.len()));
        let last = TICKS.last().map_or(0, place);
        for (number, tick) in (1..).zip(&TICKS) {
            let (start, word) = (place(tick), tick.1);
            // Where there is no room for all, the end of the axis is worth a word more than what is before it.
            let is_free = words.is_empty() || words.len() < start;
            if is_free && (number == TICKS.len() || start + word.len() < last) {
                words.push_str(&" ".repeat(start - words.len()));
                words.push_str(word);
            }
        }
        let rule = format!("{:>MARGIN$}{}", corner, line.repeat(self.columns));
        writeln!(out, "{}", look.paint(Role::Label, &rule))?;
        writeln!(out, "{}", look.paint(Role::Label, &format!("{:MARGIN$}{words}", "")))
    }
}

/// Colours runs of cells; spaces at the end are left out.
fn painted(cells: &[Cell], look: &Look) -> String {
    let end = cells.iter().rposition(|(character, _)| *character != ' ').map_or(0, |last| last + 1);
    let mut text = String::new();
    for run in cells.get(..end).unwrap_or_default().chunk_by(|one, other| one.1 == other.1) {
        let characters: String = run.iter().map(|(character, _)| character).collect();
        match run.first().and_then(|(_, role)| *role) {
            Some(role) => text.push_str(&look.paint(role, &characters)),
            None => text.push_str(&characters),
        }
    }
    text
}

/// The margin with a label.
fn margin(label: &str, look: &Look) -> String {
    let bar = match look.marks {
        Marks::Unicode => "│",
        Marks::Ascii => "|",
    };
    look.paint(Role::Label, &format!("{label:>width$}{bar}", width = MARGIN - 1))
}

/// A chance in percent: `<0.1 %`, `4.2 %`, `87 %`.
pub(super) fn percent(chance: f64) -> String {
    match chance * 100.0 {
        nothing if nothing <= 0.0 => "0 %".to_owned(),
        little if little < 0.1 => "<0.1 %".to_owned(),
        small if small < 9.95 => format!("{small:.1} %"),
        most if most > 99.9 => ">99.9 %".to_owned(),
        much if much >= 99.0 => format!("{much:.1} %"),
        some => format!("{some:.0} %"),
    }
}

/// What a line shows of a column that is `filled` steps high, of which the line holds up to [`STEPS`].
fn block(filled: usize, marks: Marks) -> char {
    let characters = match marks {
        Marks::Unicode => [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
        Marks::Ascii => [' ', '.', '.', ':', ':', ':', '#', '#', '#'],
    };
    characters.get(filled.min(STEPS)).copied().unwrap_or(' ')
}

/// The distribution of the idle timeout. Timeouts within the 80 % interval have a colour of their own.
pub(super) fn timeouts(keeper: &Keeper, answer: &Answer, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let axis = Axis::new(keeper, look.width);
    let weights: Vec<f64> = keeper.marginal().map(|(_, weight)| weight).collect();
    let weights: Vec<f64> = weights.chunks(axis.per_column).map(|cells| cells.iter().sum()).collect();
    let most = weights.iter().copied().fold(answer.never, f64::max).max(f64::MIN_POSITIVE);
    let (low, high) = (axis.column(answer.idle_timeout.low), axis.column(answer.idle_timeout.high));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "0 to 48")]
    let height = |weight: f64| (weight / most * (HEIGHT * STEPS) as f64).round() as usize;
    for line in (0..HEIGHT).rev() {
        let filled = |weight: f64| block(height(weight).saturating_sub(line * STEPS), look.marks);
        let label = if line + 1 == HEIGHT { percent(most) } else { String::new() };
        let mut cells: Vec<Cell> = Vec::new();
        for (column, weight) in weights.iter().enumerate() {
            let inside = (low..=high).contains(&column);
            cells.push((filled(*weight), Some(if inside { Role::Verdict(Verdict::Ready) } else { Role::Label })));
        }
        cells.extend([(' ', None); 3]);
        cells.extend([(filled(answer.never), Some(Role::Verdict(Verdict::Unknown))); 3]);
        writeln!(out, "{}{}", margin(&label, look), painted(&cells, look))?;
    }
    axis.write(look, out)?;
    let (left, line, middle, right) = match look.marks {
        Marks::Unicode => ('├', '─', '●', '┤'),
        Marks::Ascii => ('|', '-', 'o', '|'),
    };
    let mode = axis.column(answer.idle_timeout.mode).max(low).min(high);
    let sign = |column: usize| match column {
        at if at == mode => middle,
        at if at == low => left,
        at if at == high => right,
        at if at > low && at < high => line,
        _ => ' ',
    };
    let mut cells: Vec<Cell> = vec![(' ', None); MARGIN];
    cells.extend((0..=high).map(|column| (sign(column), Some(Role::Verdict(Verdict::Ready)))));
    cells.extend(" 80 %".chars().map(|character| (character, Some(Role::Label))));
    // The word for the column at the right goes into this line, where there is room for it.
    let start = MARGIN + axis.columns + 2;
    if cells.len() < start {
        cells.resize(start, (' ', None));
    } else {
        cells.truncate(start - 1);
        cells.push((' ', None));
    }
    cells.extend("never".chars().map(|character| (character, Some(Role::Label))));
    writeln!(out, "{}", painted(&cells, look))
}

/// The mark of what an observation was taken for.
pub(super) fn mark(believed: Believed, marks: Marks) -> (char, Role) {
    match (believed, marks) {
        (Believed::Warm, Marks::Unicode) => ('○', Role::Verdict(Verdict::Ready)),
        (Believed::Warm, Marks::Ascii) => ('o', Role::Verdict(Verdict::Ready)),
        (Believed::Cold, Marks::Unicode) => ('●', Role::Verdict(Verdict::Degraded)),
        (Believed::Cold, Marks::Ascii) => ('x', Role::Verdict(Verdict::Degraded)),
        (Believed::Unclear | Believed::Nothing, _) => ('?', Role::Verdict(Verdict::Unknown)),
    }
}

/// The line of a first-token time, counted up from a second.
fn level(seconds: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "-12 to 16")]
    let level = (seconds.clamp(1e-3, 1e4).log10() * PER_DECADE).round() as i32;
    level
}

/// The word for every second line: 100ms, 300ms, 1s, 3s, 10s.
fn level_words(level: i32) -> String {
    let factor = match level.rem_euclid(4) {
        0 => 1.0,
        2 => 3.0,
        _ => return String::new(),
    };
    let seconds = factor * 10_f64.powi(level.div_euclid(4));
    if seconds < 1.0 { format!("{:.0}ms", seconds * 1000.0) } else { format!("{seconds:.0}s") }
}

/// First-token times against gaps, with the words that say what the marks mean.
pub(super) fn first_tokens(keeper: &Keeper, judged: &[Judged], look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let axis = Axis::new(keeper, look.width);
    let points: Vec<(usize, i32, Believed)> = judged
        .iter()
        .filter(|judged| judged.believed() != Believed::Nothing)
        .filter_map(|judged| {
            let gap = judged.observation.gap?.seconds();
            Some((axis.column(gap), level(judged.observation.reply.span().seconds()), judged.believed()))
        })
        .collect();
    let levels = || points.iter().map(|(_, level, _)| *level);
    let (Some(lowest), Some(highest)) = (levels().min(), levels().max()) else { return Ok(()) };
    // Few lines are filled up on both sides; of too many the lowest are drawn as one.
    let missing = (LINES.0 - 1 - (highest - lowest)).max(0);
    let (lowest, highest) = (lowest.max(highest - LINES.1 + 1) - missing / 2, highest + missing - missing / 2);
    for line in (lowest..=highest).rev() {
        let at = |column: usize| {
            let here = |point: &&(usize, i32, Believed)| point.0 == column && point.1.max(lowest) == line;
            // What is rarer is drawn over what is frequent.
            let rarest = points.iter().filter(here).map(|point| point.2).max_by_key(|believed| match believed {
                Believed::Cold => 2,
                Believed::Unclear | Believed::Nothing => 1,
                Believed::Warm => 0,
            });
            rarest.map_or((' ', None), |believed| {
                let (character, role) = mark(believed, look.marks);
                (character, Some(role))
            })
        };
        let cells: Vec<Cell> = (0..axis.columns).map(at).collect();
        writeln!(out, "{}{}", margin(&level_words(line), look), painted(&cells, look))?;
    }
    axis.write(look, out)?;
    let mut legend: Vec<String> = Vec::new();
    for believed in [Believed::Warm, Believed::Cold, Believed::Unclear] {
        let number = points.iter().filter(|point| point.2 == believed).count();
        if number > 0 {
            legend.push(format!("{} {number} {}", mark(believed, look.marks).0, believed.name()));
        }
    }
    let left_out = judged.len().saturating_sub(points.len());
    if left_out > 0 {
        legend.push(format!("{left_out} not drawn (idle time or answer missing)"));
    }
    for line in wrap(&legend.join(", "), look.width.saturating_sub(MARGIN), LongWord::Break) {
        writeln!(out, "{}", look.paint(Role::Label, &format!("{:MARGIN$}{line}", "")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warmth::{Moment, Settings};

    #[test]
    fn chances_are_told_as_exactly_as_they_matter() {
        let told = [0.0, 0.0002, 0.0042, 0.0995, 0.5, 0.994, 0.9999].map(percent);
        assert_eq!(told, ["0 %", "<0.1 %", "0.4 %", "10 %", "50 %", "99.4 %", ">99.9 %"]);
    }

    #[test]
    fn every_width_has_columns_of_equal_worth() {
        let keeper = Keeper::new(Settings::default());
        for (width, columns) in [(200, 102), (117, 102), (100, 51), (60, 34), (40, 17)] {
            let axis = Axis::new(&keeper, width);
            assert_eq!(axis.columns, columns, "{width}");
            assert_eq!((axis.column(0.0), axis.column(120.0), axis.column(1e9)), (0, 0, columns - 1));
        }
        let answer = keeper.answer(Moment::default());
        assert!(answer.never > 0.0);
    }

    #[test]
    fn levels_of_time_have_round_words() {
        let words: Vec<String> = [0.1, 0.3, 1.0, 3.0, 30.0, 100.0].map(|time| level_words(level(time))).into();
        assert_eq!(words, ["100ms", "300ms", "1s", "3s", "30s", "100s"]);
    }
}
