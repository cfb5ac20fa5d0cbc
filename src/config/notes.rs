//! Notes for people: those that concern what is probed, and many of a kind as one.

use super::{Config, Note, Subject};
use crate::target::Target;

/// So many notes that differ only in names are shown one by one; more become one.
const ALIKE: usize = 3;

impl Config {
    /// The notes that concern these targets or their providers, or the file as a whole, as `line 5: …`. Many of a kind
    /// are one, which says how many more there are.
    #[must_use]
    pub fn notes_for(&self, targets: &[Target]) -> Vec<String> {
        let concerns = |subject: &Subject| match subject {
            Subject::Provider(id) => targets.iter().any(|target| target.provider.id == *id),
            Subject::Target(id) => targets.iter().any(|target| target.id == *id),
        };
        let notes = self.notes.iter().filter(|note| note.about.is_empty() || note.about.iter().any(concerns));
        grouped(notes).into_iter().map(|(line, text)| format!("line {line}: {text}")).collect()
    }

    /// Every note with its line, many of a kind as one.
    #[must_use]
    pub fn all_notes(&self) -> Vec<(u32, String)> {
        grouped(self.notes.iter())
    }
}

/// The first of each kind, in the order of the text.
fn grouped<'n>(notes: impl Iterator<Item = &'n Note>) -> Vec<(u32, String)> {
    let mut groups: Vec<(String, Vec<&Note>)> = Vec::new();
    for note in notes {
        let kind = kind(&note.text);
        match groups.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, members)) => members.push(note),
            None => groups.push((kind, vec![note])),
        }
    }
    let mut shown: Vec<(u32, String)> = Vec::new();
    for (_, members) in groups {
        // The same words again, for another line, say nothing new; with other names they do, while they are few.
        let mut distinct: Vec<(&Note, usize)> = Vec::new();
        for note in &members {
            match distinct.iter_mut().find(|(known, _)| known.text == note.text) {
                Some((_, more)) => *more += 1,
                None => distinct.push((note, 0)),
            }
        }
        if distinct.len() > ALIKE {
            distinct.truncate(1);
            distinct.iter_mut().for_each(|(_, more)| *more = members.len().saturating_sub(1));
        }
        shown.extend(distinct.into_iter().map(|(note, more)| match more {
            0 => (note.line, note.text.clone()),
            more => (note.line, format!("{} (and {more} more like it)", note.text)),
        }));
    }
    shown.sort_by_key(|(line, _)| *line);
    shown
}

/// A text without what stands in backticks: the names in it.
fn kind(text: &str) -> String {
    text.split('`').step_by(2).collect::<Vec<_>>().join("`")
}
