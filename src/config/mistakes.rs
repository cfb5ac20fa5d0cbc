//! What is wrong with probes.yaml: every mistake with its place, the reason and the fix, rendered for people.
//!
//! Nothing is printed here, and no secret can be: the text is masked before it is kept (`mask.rs`).

use std::fmt;
use std::path::Path;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::mask::is_unseen;
use super::node::Span;

/// How many mistakes are shown. The first few are mended first, and often mend the others.
const SHOWN: usize = 50;
/// Two places this close are shown in one snippet, in lines.
const NEAR: u32 = 12;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// Where.
    pub(super) span: Span,
    /// What is wrong, in one line.
    reason: String,
    /// A few words at the caret.
    label: Option<String>,
    /// What to do about it.
    fix: Option<String>,
    /// Another place that has to do with it, and why.
    also: Option<(Span, String)>,
    /// Whether the text could not be read at all, so that secrets in it have to be guessed.
    pub(super) syntax: bool,
}

impl Mistake {
    /// A mistake at a place.
    pub(super) fn at(span: Span, reason: impl Into<String>) -> Self {
        Self { span, reason: printable(reason.into()), label: None, fix: None, also: None, syntax: false }
    }

    /// A few words at the caret.
    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(printable(label.into()));
        self
    }

    /// The fix.
    pub(super) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(printable(fix.into()));
        self
    }

    /// A second place.
    pub(super) fn also(mut self, span: Span, label: impl Into<String>) -> Self {
        self.also = Some((span, printable(label.into())));
        self
    }

    /// Marks it as a syntax error.
    pub(super) fn syntax(mut self) -> Self {
        self.syntax = true;
        self
    }
}

/// A text without control characters: what is in a file must not steer a terminal.
fn printable(text: String) -> String {
    if text.chars().any(is_unseen) { text.replace(is_unseen, "\u{fffd}") } else { text }
}

/// Every mistake of one file, in the order of the text.
///
/// `Display` is the plain rendering; [`Mistakes::render`] can colour it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes {
    /// The file as it was named.
    path: String,
    /// Its text with every secret masked by asterisks, byte for byte.
    text: String,
    /// Whether the lines of the file are shown.
    shows_lines: bool,
    list: Vec<Mistake>,
}

impl Mistakes {
    /// Sorts mistakes by place. The text has to be masked already.
    pub(super) fn new(path: &Path, masked: String, mut list: Vec<Mistake>) -> Self {
        list.sort_by(|a, b| (a.span, &a.reason).cmp(&(b.span, &b.reason)));
        // A value that aliases repeat is wrong once.
        list.dedup_by(|a, b| a.span == b.span && a.reason == b.reason);
        Self { path: path.display().to_string(), text: masked, shows_lines: true, list }
    }

    /// The same of a file of others: its lines are not shown, for nobody knows what in them is secret.
    pub(super) fn of_others(path: &Path, list: Vec<Mistake>) -> Self {
        let ours = |fix: &String| !fix.contains("probes.yaml") && !fix.contains("`defaults`");
        let list = list.into_iter().map(|mistake| Mistake {
            reason: mistake.reason.replace(" in probes.yaml", " here"),
            fix: mistake.fix.filter(ours),
            ..mistake
        });
        Self { shows_lines: false, ..Self::new(path, String::new(), list.collect()) }
    }

    /// How many there are. At least 1.
    #[must_use]
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// The line and the reason of each, for reports that are not for people.
    pub fn lines(&self) -> impl Iterator<Item = (u32, &str)> {
        self.list.iter().map(|mistake| (mistake.span.line, mistake.reason.as_str()))
    }

    /// The text for people: each mistake with its lines, a caret, the reason and the fix. At most 50 are shown.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
        let mut out = String::new();
        for mistake in self.list.iter().take(SHOWN) {
            if self.shows_lines {
                out.push_str(&renderer.render(&[self.group(mistake)]));
                out.push('\n');
            } else {
                self.place(mistake, &mut out);
            }
            out.push('\n');
        }
        let count = self.count();
        let more = count.saturating_sub(SHOWN);
        if more > 0 {
            out.push_str(&format!("and {more} more\n\n"));
        }
        let noun = if count == 1 { "mistake" } else { "mistakes" };
        out.push_str(&format!("{}: {count} {noun}\n", self.path));
        out
    }

    /// One mistake without its line: place, reason, and fix.
    fn place(&self, mistake: &Mistake, out: &mut String) {
        let Mistake { span, reason, fix, also, .. } = mistake;
        out.push_str(&format!("error: {}:{}:{}: {reason}\n", self.path, span.line, span.column));
        if let Some((also, label)) = also {
            out.push_str(&format!("  {}:{}:{}: {label}\n", self.path, also.line, also.column));
        }
        if let Some(fix) = fix {
            out.push_str(&format!("  fix: {fix}\n"));
        }
    }

    /// One mistake as annotate-snippets wants it.
    fn group<'s>(&'s self, mistake: &'s Mistake) -> Group<'s> {
        let primary = Piece { span: mistake.span, label: mistake.label.as_deref(), kind: AnnotationKind::Primary };
        let mut group = Group::with_title(Level::ERROR.primary_title(mistake.reason.as_str()));
        match &mistake.also {
            None => group = group.element(self.snippet(&[primary])),
            Some((span, label)) => {
                let context = Piece { span: *span, label: Some(label), kind: AnnotationKind::Context };
                if span.line.abs_diff(mistake.span.line) <= NEAR {
                    group = group.element(self.snippet(&[primary, context]));
                } else {
                    group = group.element(self.snippet(&[primary])).element(self.snippet(&[context]));
                }
            }
        }
        match &mistake.fix {
            Some(fix) => group.element(Level::HELP.message(fix.as_str())),
            None => group,
        }
    }

    /// The lines that some places are on. Only these are given to the renderer: it reads all that it is given.
    fn snippet<'s>(&'s self, pieces: &[Piece<'s>]) -> Snippet<'s, annotate_snippets::Annotation<'s>> {
        let first = pieces.iter().map(|piece| piece.span.start).min().unwrap_or(0);
        let last = pieces.iter().map(|piece| piece.span.start).max().unwrap_or(0);
        let line = pieces.iter().map(|piece| piece.span.line).min().unwrap_or(1);
        let from = self.line_start(first);
        let to = self.line_end(last);
        let source = self.text.get(from..to).unwrap_or_default();
        let annotations = pieces.iter().map(|piece| {
            // A place goes no further than its own line, and is at least one character wide.
            let start = piece.span.start.clamp(from, to) - from;
            let end = piece.span.end.clamp(piece.span.start, self.line_end(piece.span.start).max(piece.span.start));
            let end = (end.max(from) - from).clamp(start, source.len());
            piece.kind.span(start..end).label(piece.label)
        });
        Snippet::source(source)
            .line_start(usize::try_from(line).unwrap_or(1))
            .path(self.path.as_str())
            .annotations(annotations)
    }

    /// The offset at which the line of an offset begins.
    fn line_start(&self, offset: usize) -> usize {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        before.rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// The offset at which the line of an offset ends, its line break left out.
    fn line_end(&self, offset: usize) -> usize {
        let after = self.text.get(offset..).unwrap_or_default();
        let line = after.split('\n').next().unwrap_or_default();
        self.text.len().min(offset + line.trim_end_matches('\r').len())
    }
}

/// A place to underline.
struct Piece<'s> {
    span: Span,
    label: Option<&'s str>,
    kind: AnnotationKind,
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl std::error::Error for Mistakes {}
