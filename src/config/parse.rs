//! YAML text to [`Node`]s: the only file that knows the YAML library.
//!
//! The events of serde-saphyr's own parser are read rather than its serde layer, for three reasons: serde turns `1.10`
//! into the number 1.1 and forgets the quotes; it stops at the first repeated key, where all mistakes are wanted; and
//! its spans cost 26 ms for a thousand targets, where the events cost 8 ms. What serde-saphyr would have guarded against
//! is guarded against here: size, nesting, and aliases that multiply.

use std::collections::{HashMap, HashSet};

use serde_saphyr::granit_parser::{self, ErrorKind, Event, Parser, ScalarStyle, ScanError};

use super::mistakes::Mistake;
use super::node::{Key, Node, Repeated, Scalar, Span, Style, Value};

/// Largest file that is read, in bytes. A thousand targets take a quarter of it.
pub(super) const MAX_BYTES: usize = 1024 * 1024;
/// Most nodes that aliases may add. An alias bomb multiplies a few bytes into billions of nodes.
const MAX_REPLAYED: usize = 100_000;
/// Deepest nesting. probes.yaml needs six levels.
const MAX_DEPTH: usize = 32;

/// Reads one YAML document. A syntax error is one mistake and no tree; repeated keys are reported beside the tree.
pub(super) fn parse<'a>(text: &'a str, mistakes: &mut Vec<Mistake>) -> Option<Node<'a>> {
    parse_as(text, Repeated::First, mistakes)
}

/// The same with a say in which of two values counts.
pub(super) fn parse_as<'a>(text: &'a str, repeated: Repeated, mistakes: &mut Vec<Mistake>) -> Option<Node<'a>> {
    let options = granit_parser::options! {
        emit_comments: false,
        disallow_directives: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut builder =
        Builder { mistakes, repeated, frames: Vec::new(), anchors: HashMap::new(), replayed: 0, root: None };
    for event in Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((event, place)) => builder.take(event, place_of(&place)),
            Err(error) => {
                let opened = builder.open_bracket(text);
                builder.stop(syntax_mistake(text, &error, opened))
            }
        };
        if step.is_err() {
            return None;
        }
    }
    builder.root
}

/// The reading cannot go on; the mistake is reported.
struct Stop;

/// A list or mapping whose end has not been seen.
enum Frame<'a> {
    Sequence { items: Vec<Node<'a>>, span: Span, anchor: usize },
    Mapping { entries: Vec<(Key<'a>, Node<'a>)>, key: Option<Key<'a>>, span: Span, anchor: usize },
}

/// Puts events together.
struct Builder<'a, 'm> {
    mistakes: &'m mut Vec<Mistake>,
    repeated: Repeated,
    frames: Vec<Frame<'a>>,
    anchors: HashMap<usize, Node<'a>>,
    replayed: usize,
    root: Option<Node<'a>>,
}

impl<'a> Builder<'a, '_> {
    /// Reports a mistake behind which nothing can be read.
    fn stop(&mut self, mistake: Mistake) -> Result<(), Stop> {
        self.mistakes.push(mistake);
        Err(Stop)
    }

    /// The innermost `[` or `{` that is not closed yet.
    fn open_bracket(&self, text: &str) -> Option<(Span, char)> {
        self.frames.iter().rev().find_map(|frame| {
            let (Frame::Sequence { span, .. } | Frame::Mapping { span, .. }) = frame;
            let bracket = text.get(span.start..)?.chars().next().filter(|c| matches!(c, '[' | '{'))?;
            Some((Span { end: span.start + 1, ..*span }, bracket))
        })
    }

    /// Takes one event.
    fn take(&mut self, event: Event<'a>, span: Span) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(..) if self.root.is_some() => self.stop(
                Mistake::at(span, "a second YAML document begins here")
                    .fix("probes.yaml is one document: remove the `---` and put everything into one"),
            ),
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, _, Some(_))
            | Event::MappingStart(_, _, Some(_)) => self.stop(
                Mistake::at(span, "YAML tags (`!…`) are not used in probes.yaml")
                    .fix("remove the word that begins with `!`"),
            ),
            Event::Scalar(text, style, anchor, None) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    _ => Style::Quoted,
                };
                let null = style == Style::Plain && matches!(&*text, "" | "~" | "null");
                if null && self.awaits_key() {
                    return self.stop(Mistake::at(span, "a key is missing before this `:`").fix("write `key: value`"));
                }
                let value = if null { Value::Null } else { Value::Scalar(Scalar { text, style }) };
                self.push(Node { value, span }, anchor)
            }
            Event::SequenceStart(_, anchor, None) => {
                self.frames.push(Frame::Sequence { items: Vec::new(), span, anchor });
                Ok(())
            }
            Event::MappingStart(_, anchor, None) => {
                self.frames.push(Frame::Mapping { entries: Vec::new(), key: None, span, anchor });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(id) => self.replay(id, span),
            _ => Ok(()),
        }
    }

    /// Whether the next node is the key of a mapping.
    fn awaits_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame::Mapping { key: None, .. }))
    }

    /// Puts a finished node where it belongs.
    fn push(&mut self, node: Node<'a>, anchor: usize) -> Result<(), Stop> {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.frames.last_mut() {
            None => self.root = Some(node),
            Some(Frame::Sequence { items, .. }) => items.push(node),
            Some(Frame::Mapping { entries, key, .. }) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => match node.value {
                    Value::Scalar(scalar) => {
                        *key = Some(Key { text: scalar.text, span: node.span });
                    }
                    _ => {
                        return self.stop(
                            Mistake::at(node.span, "a key must be a single word")
                                .fix("write `key: value`; a text that begins with `[` or `{` needs quotes"),
                        );
                    }
                },
            },
        }
        Ok(())
    }

    /// Ends the innermost list or mapping.
    fn close(&mut self, end: Span) -> Result<(), Stop> {
        let (value, mut span, anchor) = match self.frames.pop() {
            None => return Ok(()),
            Some(Frame::Sequence { items, span, anchor }) => (Value::Sequence(items), span, anchor),
            Some(Frame::Mapping { entries, span, anchor, .. }) => {
                let entries = self.merge(entries);
                (Value::Mapping(self.unique(entries)), span, anchor)
            }
        };
        // A flow collection ends with a bracket, which belongs to it; a block collection's end is the next thing's start.
        if end.end > end.start {
            span.end = end.end;
        } else if let Value::Mapping(entries) = &value
            && let Some((key, _)) = entries.first()
        {
            span = key.span;
        }
        self.push(Node { value, span }, anchor)
    }

    /// Puts the node of an anchor where its alias stands.
    fn replay(&mut self, id: usize, span: Span) -> Result<(), Stop> {
        let Some(node) = self.anchors.get(&id) else {
            return self.stop(
                Mistake::at(span, "an alias within its own anchor has no end")
                    .fix("an alias can only stand after the value that it repeats"),
            );
        };
        self.replayed += node.size();
        if self.replayed > MAX_REPLAYED {
            return self.stop(
                Mistake::at(span, format!("the aliases of this file add up to more than {MAX_REPLAYED} values"))
                    .fix("write the values out, or use `defaults`"),
            );
        }
        let mut node = node.clone();
        node.span = span;
        self.push(node, 0)
    }

    /// Takes `<<` apart: keys of the merged mappings that are not written out.
    fn merge(&mut self, entries: Vec<(Key<'a>, Node<'a>)>) -> Vec<(Key<'a>, Node<'a>)> {
        if entries.iter().all(|(key, _)| key.text != "<<") {
            return entries;
        }
        let (merges, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| key.text == "<<");
        let mut known: HashSet<String> = own.iter().map(|(key, _)| key.text.to_string()).collect();
        for (key, node) in merges {
            let sources = match node.value {
                Value::Sequence(items) => items,
                _ => vec![node],
            };
            for source in sources {
                let Value::Mapping(entries) = source.value else {
                    self.mistakes.push(
                        Mistake::at(key.span, "`<<` takes an alias of a mapping")
                            .fix("write `<<: *name`, where `&name` stands before a mapping"),
                    );
                    continue;
                };
                for entry in entries {
                    if known.insert(entry.0.text.to_string()) {
                        own.push(entry);
                    }
                }
            }
        }
        own
    }

    /// Reports repeated keys with both places, and keeps one of each.
    fn unique(&mut self, entries: Vec<(Key<'a>, Node<'a>)>) -> Vec<(Key<'a>, Node<'a>)> {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut kept: Vec<(Key<'a>, Node<'a>)> = Vec::with_capacity(entries.len());
        // A mapping of a few keys is searched faster than it is hashed.
        let hashed = entries.len() > 16;
        for (key, node) in entries {
            let first = if hashed {
                seen.get(&*key.text).copied()
            } else {
                kept.iter().position(|(known, _)| known.text == key.text)
            };
            match first.and_then(|index| kept.get_mut(index)) {
                Some(first) => {
                    self.mistakes.push(
                        Mistake::at(key.span, format!("{} is written twice", super::mask::quote(&key.text)))
                            .label("again here")
                            .also(first.0.span, "first here")
                            .fix("keep one of them"),
                    );
                    if self.repeated == Repeated::Last {
                        *first = (key, node);
                    }
                }
                None => {
                    if hashed {
                        seen.insert(key.text.to_string(), kept.len());
                    }
                    kept.push((key, node));
                }
            }
        }
        kept
    }
}

/// The place of an event.
fn place_of(span: &granit_parser::Span) -> Span {
    let start = span.start.byte_offset().unwrap_or_default();
    Span {
        start,
        end: span.end.byte_offset().unwrap_or(start),
        line: u32::try_from(span.start.line()).unwrap_or(u32::MAX),
        column: u32::try_from(span.start.col().saturating_add(1)).unwrap_or(u32::MAX),
    }
}

/// A syntax error in words that say what to do.
fn syntax_mistake(text: &str, error: &ScanError, bracket: Option<(Span, char)>) -> Mistake {
    let marker = error.marker();
    let line = marker.line().max(1);
    // The marker's byte offset is not always known, its line and column are.
    let line_start = text.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>();
    let start = text
        .get(line_start..)
        .unwrap_or_default()
        .char_indices()
        .nth(marker.col())
        .map_or(text.len(), |(offset, _)| line_start + offset);
    let span = Span {
        start,
        end: start,
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(marker.col().saturating_add(1)).unwrap_or(u32::MAX),
    };
    // Where the reading stops is often far below the bracket that somebody forgot to close.
    if is_unclosed(error.kind())
        && let Some((opened, bracket)) = bracket
        && opened.line < span.line
    {
        let closing = if bracket == '{' { '}' } else { ']' };
        return Mistake::at(opened, format!("this `{bracket}` is not closed, or a comma is missing after it"))
            .label("opened here")
            .also(span, "and here it cannot go on")
            .fix(format!("close it with `{closing}`, and put a comma between items"))
            .syntax();
    }
    let (reason, fix) = explain(error.kind());
    let mistake = Mistake::at(span, reason).fix(fix).syntax();
    let opened = match error.kind() {
        ErrorKind::UnclosedQuotedScalar | ErrorKind::InvalidQuotedScalarIndent => lone_quote(text, start),
        _ => None,
    };
    match opened {
        Some(quote) if quote.line != span.line => mistake.also(quote, "perhaps here"),
        _ => mistake,
    }
}

/// The last line before an offset that has an odd number of double quotes: most likely one of them was left open.
fn lone_quote(text: &str, before: usize) -> Option<Span> {
    let mut found = None;
    let mut offset = 0;
    for (line, number) in text.get(..before)?.split_inclusive('\n').zip(1_u32..) {
        let quotes = line.matches('"').count();
        if quotes % 2 == 1
            && let Some(at) = line.rfind('"')
        {
            found = Some(Span {
                start: offset + at,
                end: offset + at + 1,
                line: number,
                column: u32::try_from(line.get(..at)?.chars().count()).ok()?.saturating_add(1),
            });
        }
        offset += line.len();
    }
    found
}

/// Whether the end of a `[` or `{` is what is missing, or a comma in it.
fn is_unclosed(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnclosedFlowCollection { .. }
            | ErrorKind::UnexpectedEofFlowSequence
            | ErrorKind::UnexpectedEofFlowMapping
            | ErrorKind::UnexpectedEofImplicitFlowMapping
            | ErrorKind::ExpectedFlowMappingSeparator
            | ErrorKind::ExpectedFlowSequenceSeparator
    )
}

/// The reason and the fix for what people really get wrong; the parser's own words for the rest.
fn explain(kind: &ErrorKind) -> (String, String) {
    let (reason, fix) = match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart => ("a tab is used for indentation", "YAML is indented with spaces only"),
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::DocumentIndicatorInQuotedScalar => {
            ("a quote that was opened above is not closed", "close it, or remove the one that opens it")
        }
        kind if is_unclosed(kind) => {
            ("a `[` or `{` is not closed, or a comma is missing", "close the bracket, and put a comma between items")
        }
        ErrorKind::MisplacedFlowCollectionEnd | ErrorKind::MismatchedFlowCollectionEnd { .. } => (
            "a bracket is closed that was not opened, or by the wrong one",
            "every `[` ends with `]` and every `{` with `}`; quote a text that contains one",
        ),
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::BlockSequenceEntryNotAllowed => (
            "this line does not fit the lines above it",
            "check its indentation: keys of one mapping, and the `-` of one list, begin in the same column",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            ("a `:` is missing after this key", "write `key: value`, with a space after the colon")
        }
        ErrorKind::UnknownAnchor => (
            "this alias (`*…`) has no anchor (`&…`) before it",
            "define the anchor first, or quote the text if it is not an alias",
        ),
        ErrorKind::RecursionLimitExceeded => {
            ("the file is nested too deeply", "probes.yaml needs six levels; check the brackets")
        }
        ErrorKind::DirectiveDisallowed => (
            "YAML directives (`%…`) are not used in probes.yaml",
            "remove the line, or quote the text that begins with `%`",
        ),
        ErrorKind::UnexpectedCharacter { character: '@' | '`' } => {
            ("a text cannot begin with this character", "put the text into quotes")
        }
        other => {
            return (format!("this is not YAML: {other}"), "check the line and the one before it".to_owned());
        }
    };
    (reason.to_owned(), fix.to_owned())
}
