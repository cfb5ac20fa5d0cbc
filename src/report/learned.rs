//! What was learned of when one target's LLM unloads: the sentence, the belief as plots and numbers, and the observations
//! it rests on, the newest first.

use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;

use super::layout::{LongWord, grid, wrap};
use super::learned_json::timestamp;
use super::learned_plot::{first_tokens, mark, percent, timeouts};
use super::look::{Look, Marks, Role};
use super::sheet::Sheet;
use super::status_table::milliseconds;
use super::{Format, learned_json};
use crate::outcome::words::{again, count, plain, span};
use crate::warmth::{Answer, Believed, Coarse, Fine, Hours, Judged, Keeper, Moment, Reply, Sight, Span};

/// How wide the names of the numbers are.
const NAMES: usize = 14;

/// How a target is warmed, as probes.yaml says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warmed {
    /// `every: auto`: it is learned.
    Auto,
    /// At fixed times, or not at all.
    Otherwise,
    /// There is no configuration to ask.
    Untold,
}

/// What was learned of one target.
#[derive(Debug, Clone)]
pub struct Learned<'a> {
    /// Its name.
    pub target: &'a str,
    /// The LLM that it was learned of.
    pub llm: Option<&'a str>,
    /// The moment of asking.
    pub now: Timestamp,
    /// What is believed. `None` before anything was learned.
    pub keeper: Option<&'a Keeper>,
    /// The observations that are stored, the oldest first.
    pub judged: &'a [Judged],
    /// How many of them are listed.
    pub listed: usize,
    /// How it is warmed.
    pub warmed: Warmed,
    /// What else there is to say.
    pub notes: &'a [String],
}

impl<'a> Learned<'a> {
    /// What follows from it now.
    pub(super) fn answer(&self) -> Option<Answer> {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of any year are exact")]
        let now = Moment::from_seconds(self.now.as_millisecond() as f64 / 1000.0);
        self.keeper.map(|keeper| keeper.answer(now))
    }

    /// The observations that are listed, the newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = &'a Judged> {
        self.judged.iter().rev().take(self.listed)
    }
}

/// The columns of the list, from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    When,
    Gap,
    FirstToken,
    Believed,
    Users,
    Window,
}

const ALL: [Column; 6] =
    [Column::When, Column::Gap, Column::FirstToken, Column::Believed, Column::Users, Column::Window];

/// What is left out when the terminal is narrow, in this order.
const OPTIONAL: [Column; 3] = [Column::Window, Column::Users, Column::FirstToken];
/// Below this width moments are told without their year and seconds.
const NARROW: usize = 64;
/// From this chance on it is said that there may be no timeout at all.
const PERHAPS_NONE: f64 = 0.05;

/// Writes what was learned in a format; there is no form of lines, which is written as [`Format::Json`].
///
/// # Errors
/// Whatever the writer says; nothing else can fail.
pub fn render_learned(view: &Learned<'_>, format: Format, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => human(view, look, out),
        Format::Json | Format::Jsonl => learned_json::render(view, out),
    }
}

/// A text of `warmth/` with the marks that are asked for.
fn marked(text: &str, look: &Look) -> String {
    match look.marks {
        Marks::Unicode => text.to_owned(),
        Marks::Ascii => text.replace('–', "-"),
    }
}

fn human(view: &Learned<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let llm = view.llm.map(|llm| format!(" ({})", plain(llm))).unwrap_or_default();
    let head = format!("{}{llm}", plain(view.target));
    let Some((keeper, answer)) = view.keeper.zip(view.answer()) else {
        lines(&format!("{head}: nothing is learned yet of when it unloads."), look, out)?;
        lines(what_to_do(view.warmed), look, out)?;
        return notes(view, look, out);
    };
    lines(&head, look, out)?;
    lines(&marked(&answer.says.to_string(), look), look, out)?;
    writeln!(out)?;
    for (name, value) in numbers(view, keeper, &answer, look) {
        let mut name = name;
        for line in wrap(&value, look.width.saturating_sub(NAMES), LongWord::Break) {
            writeln!(out, "{}{line}", look.paint(Role::Label, &format!("{name:NAMES$}")))?;
            name = "";
        }
    }
    writeln!(out, "\n{}", look.paint(Role::Label, "how probable each idle timeout is"))?;
    timeouts(keeper, &answer, look, out)?;
    if view.judged.iter().any(|judged| judged.observation.gap.is_some() && judged.chance_cold.is_some()) {
        writeln!(out, "\n{}", look.paint(Role::Label, "first token by idle time before it"))?;
        first_tokens(keeper, view.judged, look, out)?;
    }
    if !view.judged.is_empty() {
        writeln!(out)?;
        list(view, look, out)?;
    }
    notes(view, look, out)?;
    out.flush()
}

fn lines(text: &str, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    wrap(text, look.width, LongWord::KeepAddress).iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn notes(view: &Learned<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    view.notes.iter().try_for_each(|note| lines(&format!("note: {}", plain(note)), look, out))
}

fn what_to_do(warmed: Warmed) -> &'static str {
    match warmed {
        Warmed::Auto => "Its first warm-up by `pilotlight run` begins it; `pilotlight status` says when that is due.",
        Warmed::Otherwise => {
            "Only warm-ups of `every: auto` are learned from. Set `warm: { every: auto }` for it in probes.yaml, and \
             keep `pilotlight run` up."
        }
        Warmed::Untold => {
            "It is learned from the warm-ups of `pilotlight run` where probes.yaml has `warm: { every: auto }` for it."
        }
    }
}

/// The numbers, each with its name.
fn numbers(view: &Learned<'_>, keeper: &Keeper, answer: &Answer, look: &Look) -> Vec<(&'static str, String)> {
    let coarse = |seconds: f64| Coarse(Span::from_seconds(seconds));
    let at = |moment: Option<Moment>| moment.and_then(timestamp);
    let timeout = answer.idle_timeout;
    let (low, mode, high) = (coarse(timeout.low), coarse(timeout.mode), coarse(timeout.high));
    let rate = keeper.eviction_rate();
    let evictions = match 1.0 / rate {
        seconds if rate > 0.0 && seconds < 30.0 * 86_400.0 => format!("one per {} expected", coarse(seconds)),
        _ => "hardly any expected".to_owned(),
    };
    let next = match (answer.next_gap, at(answer.resume_at)) {
        (Some(gap), _) => match at(answer.due()) {
            Some(due) if due > view.now => {
                format!("{} after the last use: due {}", Fine(gap), again(due, view.now, &look.zone))
            }
            Some(_) => format!("{} after the last use: due, where a window is open", Fine(gap)),
            None => format!("{} after the first", Fine(gap)),
        },
        (None, Some(resumes)) => format!("none: suspended, tried again {}", again(resumes, view.now, &look.zone)),
        (None, None) => "none: suspended until somebody uses it".to_owned(),
    };
    let ago = |moment: Option<Moment>| {
        let passed = Duration::try_from(view.now.duration_since(at(moment)?)).unwrap_or_default();
        Some(format!("{} ago", span(passed)))
    };
    let used = match (ago(answer.touched_at), ago(answer.used_at)) {
        (Some(touched), Some(used)) => format!("{touched}; by a user {used}"),
        (Some(touched), None) => format!("{touched}; by a user: never seen"),
        (None, _) => look.marks.absent().to_owned(),
    };
    let known = keeper.observations();
    let rests = format!(
        "{}, {}",
        count(usize::try_from(known).unwrap_or(usize::MAX), "observation"),
        count(usize::try_from(keeper.unloads()).unwrap_or(usize::MAX), "unload")
    );
    let unloaded = format!("unloaded now: {}", percent(answer.p_unloaded));
    let cold = match answer.next_gap {
        Some(_) => format!("expected {} of the time; {unloaded}", percent(answer.cold_share)),
        // What is expected goes with a gap, and none is kept.
        None => unloaded,
    };
    let perhaps = if answer.never < PERHAPS_NONE { "" } else { ", should there be one" };
    vec![
        ("idle timeout", format!("~{mode}, with 80 % from {low} to {high}{perhaps}")),
        ("never unloads", format!("{} (or not within 12h)", percent(answer.never))),
        ("evictions", evictions),
        ("next gap", next),
        ("cold", cold),
        ("cold start", format!("~{}; warmed {} before a window opens", Fine(answer.cold_start), Fine(answer.lead))),
        ("last use", used),
        ("rests on", rests),
    ]
}

fn list(view: &Learned<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = vec![ALL.iter().map(|column| header(*column).to_owned()).collect::<Vec<_>>()];
    rows.extend(view.newest().map(|judged| ALL.iter().map(|column| cell(*column, judged, look)).collect()));
    let sheet = Sheet::new(ALL.to_vec(), rows).fit(&OPTIONAL, &[], look.width);
    let right = sheet.right(|column| matches!(column, Column::Gap | Column::FirstToken));
    let mut rows = grid(&sheet.rows, &right).into_iter();
    for line in rows.next().unwrap_or_default() {
        writeln!(out, "{}", look.paint(Role::Label, &line))?;
    }
    for (lines, judged) in rows.zip(view.newest()) {
        for line in lines {
            match judged.believed() {
                Believed::Warm => writeln!(out, "{line}")?,
                other => writeln!(out, "{}", look.paint(mark(other, look.marks).1, &line))?,
            }
        }
    }
    match view.judged.len().saturating_sub(view.listed) {
        0 => Ok(()),
        older => writeln!(out, "{}", look.paint(Role::Label, &format!("{older} older: --all"))),
    }
}

fn header(column: Column) -> &'static str {
    match column {
        Column::When => "when",
        Column::Gap => "idle before",
        Column::FirstToken => "first token",
        Column::Believed => "believed",
        Column::Users => "users",
        Column::Window => "window",
    }
}

fn cell(column: Column, judged: &Judged, look: &Look) -> String {
    let observation = &judged.observation;
    let absent = || look.marks.absent().to_owned();
    match column {
        Column::When => timestamp(observation.at).map_or_else(absent, |at| {
            let form = if look.width < NARROW { "%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
            at.to_zoned(look.zone.clone()).strftime(form).to_string()
        }),
        Column::Gap => observation.gap.map_or_else(absent, |gap| {
            let shortest = Span::from_seconds(gap.seconds() - observation.slack.seconds());
            match (Fine(shortest).to_string(), Fine(gap).to_string()) {
                (short, long) if short == long => long,
                (short, long) => marked(&format!("{short}–{long}"), look),
            }
        }),
        Column::FirstToken => {
            let time = milliseconds(observation.reply.span().seconds() * 1000.0);
            match observation.reply {
                Reply::FirstToken(_) => time,
                Reply::Loading(_) => format!("loading, {time}"),
                Reply::TimedOut(_) => format!("none in {time}"),
            }
        }
        Column::Believed => match judged.chance_cold {
            Some(chance) if judged.believed() == Believed::Unclear => format!("{} cold", percent(chance)),
            _ => judged.believed().name().to_owned(),
        },
        Column::Users => match observation.sight {
            Sight::Seen => "seen",
            Sight::CounterStill => "counter still",
            Sight::CounterMoved => "counter moved",
            Sight::Blind => "blind",
        }
        .to_owned(),
        Column::Window => match observation.hours {
            Hours::Inside => "inside",
            Hours::Outside => "outside",
        }
        .to_owned(),
    }
}
