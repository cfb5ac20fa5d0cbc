//! One target in depth, for people: a line for each rung with its evidence, the phases as a picture, what to do, the request
//! to repeat by hand, and a paragraph for a ticket.

use std::io::{self, Write};

use jiff::Timestamp;

use super::curl::curl;
use super::diagnose_rungs::{Held, Rung, Seen, is_nameless, rungs};
use super::diagnose_ticket::paragraph;
use super::human::labelled;
use super::layout::{LongWord, columns, wrap};
use super::look::{Look, Role};
use super::waterfall::{phases, picture};
use super::{Format, ProviderQuota, diagnose_json};
use crate::exit::Exit;
use crate::outcome::words::{again, count, plain, span};
use crate::outcome::{Examination, Made, Outcome, judge};
use crate::store::TargetSummary;

/// What `diagnose` shows.
#[derive(Debug, Clone)]
pub struct Diagnosed<'a> {
    /// What the probe found: the verdict is of this.
    pub outcome: &'a Outcome,
    /// What was seen beside it.
    pub examination: &'a Examination,
    /// How the process will end.
    pub exit: Exit,
    /// When it was done.
    pub now: Timestamp,
    /// What is left of the provider's quota by our own ledger, where there is one.
    pub quota: Option<&'a ProviderQuota>,
    /// What the history has of the target, where there is one.
    pub summary: Option<&'a TargetSummary>,
    /// What was learned of when its LLM unloads, in a sentence.
    pub learned: Option<&'a str>,
    /// What the configuration has to say.
    pub notes: &'a [String],
    /// Our version.
    pub version: &'a str,
    /// The system: `linux x86_64`.
    pub system: &'a str,
}

impl<'a> Diagnosed<'a> {
    /// The same for the functions of the ladder.
    pub(super) fn seen<'s>(&'s self, look: &'s Look) -> Seen<'s> {
        Seen { examination: self.examination, outcome: self.outcome, now: self.now, zone: &look.zone }
    }

    /// What the history says, in one line.
    pub(super) fn history(&self) -> Option<String> {
        let summary = self.summary?;
        let ago = |at: Timestamp| {
            std::time::Duration::try_from(self.now.duration_since(at)).map(span).unwrap_or_else(|_| "0s".to_owned())
        };
        let day = summary.day;
        let probes = usize::try_from(day.probes()).unwrap_or(usize::MAX);
        let verdict = summary.latest.verdict;
        let failed = format!("{} failed of {} in 24h", day.bad, count(probes, "probe"));
        let learned = self.learned.map(|learned| format!("; {learned}")).unwrap_or_default();
        Some(format!("last probe {} ago: {verdict}; {failed}{learned}", ago(summary.latest.at)))
    }
}

/// Writes it. `look` matters only to the format for people.
///
/// # Errors
/// Whatever the writer says; nothing else can fail.
pub fn render_diagnosed(view: &Diagnosed<'_>, format: Format, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => human(view, look, out),
        Format::Json | Format::Jsonl => diagnose_json::render(view, look, out),
    }
}

fn human(view: &Diagnosed<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let rungs = rungs(view.seen(look));
    headline(view, look, out)?;
    writeln!(out)?;
    for rung in &rungs {
        step(rung, look, out)?;
    }
    if let Some(history) = view.history() {
        step(&Rung { name: "history", held: Held::NotReached, lines: vec![history] }, look, out)?;
    }
    writeln!(out)?;
    let drawn = picture(&phases(view.outcome), look);
    for line in &drawn {
        writeln!(out, "{line}")?;
    }
    if !drawn.is_empty() {
        writeln!(out)?;
    }
    advice(view, look, out)?;
    // Without a model there is nothing that could be asked.
    if !is_nameless(&view.outcome.target) {
        request(view, look, out)?;
    }
    // In one piece, however long: a paragraph that is broken into lines is copied with them.
    writeln!(out, "{}\n", look.paint(Role::Label, "for a ticket"))?;
    writeln!(out, "{}\n", paragraph(view, &rungs, &look.zone))?;
    out.flush()
}

/// `✗ glm: key-refused at authenticate (exit 11 unauthorized)`.
fn headline(view: &Diagnosed<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let outcome = view.outcome;
    let verdict = judge(outcome);
    let role = Role::Verdict(verdict);
    let title = match (&outcome.diagnosis, outcome.warnings.first()) {
        (Some(diagnosis), _) => format!("{} at {}", diagnosis.code, diagnosis.stage),
        (None, Some(warning)) => format!("{verdict}: {} at {}", warning.code, warning.stage),
        (None, None) => format!("{verdict}: {}", outcome.proof.says()),
    };
    let exit = format!("exit {} {}", view.exit.code(), view.exit.name());
    let target = &outcome.target;
    write!(out, "{} {}: {}", look.paint(role, look.marks.of(verdict)), target.id, look.paint(role, &title))?;
    // Where it does not fit it stands on a line of its own.
    let gap = if columns(&format!("  {}: {title} ({exit})", target.id)) <= look.width { " " } else { "\n  " };
    writeln!(out, "{gap}({exit})")?;
    let provider = &target.provider;
    let model = if is_nameless(target) { "no model" } else { target.model.as_str() };
    let place = plain(&format!("{model} at {}, {}", provider.title, provider.base_url));
    for line in wrap(&place, look.width.saturating_sub(2).max(20), LongWord::KeepAddress) {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// The columns of a rung's name.
const NAME: usize = 14;
/// Narrower than this, evidence stands below the name and not beside it.
const BESIDE: usize = 60;

/// One rung. What of a line is indented already stays so.
fn step(rung: &Rung, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let mark = match rung.held.verdict() {
        Some(verdict) => look.paint(Role::Verdict(verdict), look.marks.of(verdict)),
        None => look.paint(Role::Label, look.marks.absent()),
    };
    let beside = look.width >= BESIDE;
    let margin = if beside { 4 + NAME } else { 6 };
    let mut begun = false;
    if !beside {
        writeln!(out, "  {mark} {}", look.paint(Role::Label, rung.name))?;
        begun = true;
    }
    for line in &rung.lines {
        let text = plain(line);
        let own = text.len() - text.trim_start().len();
        // A column of addresses keeps its gaps; what is too long for a line is wrapped and loses them.
        let available = look.width.saturating_sub(margin);
        let pieces = if columns(&text) <= available {
            vec![text.trim_start().to_owned()]
        } else {
            let width = available.saturating_sub(own + hanging(own)).max(20);
            wrap(&text, width, LongWord::KeepAddress)
        };
        for (number, piece) in pieces.iter().enumerate() {
            let hang = if number > 0 { own + hanging(own) } else { own };
            if begun {
                writeln!(out, "{:margin$}{:hang$}{piece}", "", "")?;
            } else {
                writeln!(out, "  {mark} {}{piece}", look.paint(Role::Label, &format!("{:<NAME$}", rung.name)))?;
                begun = true;
            }
        }
    }
    Ok(())
}

/// By how much the further lines of one that is indented itself stand behind it.
fn hanging(own: usize) -> usize {
    if own > 0 { 2 } else { 0 }
}

/// What to do, and what else is worth knowing.
fn advice(view: &Diagnosed<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let outcome = view.outcome;
    let mut written = false;
    let mut say = |label: &str, text: &str| {
        written = true;
        labelled(label, &plain(text), 0, look, out)
    };
    for diagnosis in outcome.diagnosis.iter().chain(&outcome.warnings) {
        if !diagnosis.remedy.is_empty() {
            say("do", &diagnosis.remedy)?;
        }
        if let Some(reset) = diagnosis.reset {
            say("again", &again(reset.at, view.now, &look.zone))?;
        }
    }
    for note in outcome.notes.iter().chain(view.notes) {
        say("note", note)?;
    }
    if let Some(quota) = view.quota {
        for limit in &quota.limits {
            if let Some(share) = limit.share_left {
                let left = crate::outcome::words::quantity(share, limit.unit);
                say("share", &format!("probes may still spend {left} of {} ({})", limit.window, quota.provider))?;
            }
        }
        if let Some(until) = quota.refused_until.filter(|until| *until > view.now) {
            say(
                "paused",
                &format!("{} has refused; asked again {}", quota.provider, again(until, view.now, &look.zone)),
            )?;
        }
    }
    if written { writeln!(out) } else { Ok(()) }
}

/// The request, to be repeated by hand.
fn request(view: &Diagnosed<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let request = &view.examination.request;
    let made = match request.made {
        Made::Sent => "the request that was sent, to repeat by hand",
        Made::NotSent => "the request that would warm it, which was not sent",
    };
    writeln!(out, "{}\n", look.paint(Role::Label, made))?;
    writeln!(out, "{}\n", curl(request))?;
    let mut variables: Vec<String> = Vec::new();
    if let Some(source) = &request.key_source {
        variables.push(format!("API_KEY stands for the key from {source}"));
    }
    let own = request.headers.iter().filter(|header| header.text.is_empty());
    variables.extend(own.filter_map(|header| {
        let variable = header.variable.as_ref().filter(|name| *name != "API_KEY")?;
        Some(format!("{variable} for the value of the header {}", header.name))
    }));
    if !variables.is_empty() {
        for line in wrap(&plain(&format!("{}.", variables.join("; "))), look.width.max(20), LongWord::KeepAddress) {
            writeln!(out, "{line}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}
