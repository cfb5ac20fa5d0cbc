//! Compares the tree with the table of keys, and reports every difference: unknown, missing and empty keys, values of
//! the wrong kind, and values that are wrong by themselves. What depends on other values is judged in `resolve/`.

use super::keys::{Key, Kind, Need, Scalar, Section, nearest};
use super::mask::quote;
use super::mistakes::Mistake;
use super::node::{Node, Span, Style, Value};
use super::values::Problem;

/// Reports all that is wrong with the whole file by itself.
pub(super) fn check(root: &Node<'_>, section: &'static Section, mistakes: &mut Vec<Mistake>) {
    Checker { mistakes }.section(root, section, section.noun);
}

struct Checker<'m> {
    mistakes: &'m mut Vec<Mistake>,
}

impl Checker<'_> {
    fn report(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    /// A mapping with fixed keys. `what` is what to call it.
    fn section(&mut self, node: &Node<'_>, section: &'static Section, what: &str) {
        let Some(entries) = node.entries() else {
            self.wrong_kind(node, what, &Kind::Section(section), "");
            return;
        };
        for (name, value) in entries {
            match section.key(&name.text) {
                Some(key) => self.value(value, key.name, &key.kind, key),
                None => {
                    self.unknown(&name.text, name.span, section);
                    // What is in a misspelt section is wrong all the same, and is said in the same run.
                    if let Some(key) = taken_for(&name.text, value, section)
                        && !matches!(value.value, Value::Null)
                        && entries.iter().all(|(name, _)| name.text != key.name)
                    {
                        self.value(value, key.name, &key.kind, key);
                    }
                }
            }
        }
        for key in section.keys.iter().filter(|key| key.need == Need::Required) {
            let there =
                entries.iter().any(|(name, _)| name.text == key.name || meant(&name.text, section) == Some(key.name));
            if !there {
                self.report(
                    Mistake::at(node.span, format!("{} has no `{}`", section.noun, key.name))
                        .fix(format!("add `{}: {}`", key.name, key.example)),
                );
            }
        }
    }

    /// A key that the section does not have.
    fn unknown(&mut self, name: &str, span: Span, section: &'static Section) {
        let near = meant(name, section);
        let mistake = Mistake::at(span, format!("{} has no key {}", section.noun, quote(name)))
            .fix(format!("its keys are: {}", section.names()));
        self.report(match near {
            Some(near) => mistake.label(format!("did you mean `{near}`?")),
            None => mistake,
        });
    }

    /// A value of some kind. `name` is the key that it stands under, `key` the row of the table that it belongs to.
    fn value(&mut self, node: &Node<'_>, name: &str, kind: &Kind, key: &Key) {
        if matches!(node.value, Value::Null) {
            let fix = match key.need {
                Need::Required => format!("write `{}: {}`", key.name, key.example),
                Need::Optional => {
                    format!("write `{}: {}`, or remove the line", key.name, key.example)
                }
            };
            self.report(Mistake::at(node.span, format!("{} has no value", quote(name))).fix(fix));
            return;
        }
        match kind {
            Kind::Scalar(scalar) => self.scalar(node, name, scalar, key),
            Kind::Number { min, max } => self.number(node, name, *min, *max, key),
            Kind::Boolean => self.boolean(node, name, key),
            Kind::Word(words) => {
                let Some(text) = node.text() else {
                    self.wrong_kind(node, &quote(name), kind, key.example);
                    return;
                };
                if words.all().any(|(word, _)| word == text) {
                    return;
                }
                let known: Vec<&str> = words.all().map(|(word, _)| word).collect();
                let mistake = Mistake::at(node.span, format!("{} cannot be {}", quote(name), quote(text)))
                    .fix(format!("it is one of: {}", known.join(", ")));
                self.report(match nearest(text, known.iter().copied()) {
                    Some(near) => mistake.label(format!("did you mean `{near}`?")),
                    None => mistake,
                });
            }
            Kind::List(item) => match node.items() {
                Some(items) => {
                    for node in items {
                        self.item(node, name, item, key);
                    }
                }
                None => self.wrong_kind(node, &quote(name), kind, key.example),
            },
            Kind::OneOrMore(scalar) => match node.items() {
                Some([]) => self.report(
                    Mistake::at(node.span, format!("{} is an empty list", quote(name)))
                        .fix(format!("write `{}: {}`", key.name, key.example)),
                ),
                Some(items) => {
                    for node in items {
                        self.item(node, name, &Kind::Scalar(scalar), key);
                    }
                }
                None => self.scalar(node, name, scalar, key),
            },
            Kind::Map { key: names, value } => {
                let Some(entries) = node.entries() else {
                    self.wrong_kind(node, &quote(name), kind, key.example);
                    return;
                };
                for (entry, node) in entries {
                    if let Err(problem) = (names.check)(&entry.text) {
                        self.problem(entry.span, problem);
                    }
                    match value {
                        Kind::Section(_) if node.entries().is_none() => {
                            self.wrong_kind(node, &quote(&entry.text), value, "");
                        }
                        _ => self.value(node, &entry.text, value, key),
                    }
                }
            }
            Kind::Section(section) => match node.entries() {
                Some(_) => self.section(node, section, &quote(name)),
                None => self.wrong_kind(node, &quote(name), kind, key.example),
            },
            Kind::OrWord(word, other) => {
                if node.text() != Some(word) {
                    self.value(node, name, other, key);
                }
            }
            Kind::SectionOrScalar(section, scalar) => match &node.value {
                Value::Mapping(_) => self.section(node, section, &quote(name)),
                Value::Scalar(_) => self.scalar(node, name, scalar, key),
                _ => self.wrong_kind(node, &quote(name), kind, key.example),
            },
        }
    }

    /// An item of a list, which has no key of its own.
    fn item(&mut self, node: &Node<'_>, name: &str, kind: &Kind, key: &Key) {
        match (&node.value, kind) {
            (Value::Null, _) => self.report(
                Mistake::at(node.span, format!("an item of {} is empty", quote(name)))
                    .fix("remove the `-`, or write what it stands for"),
            ),
            (_, Kind::Section(section)) if node.entries().is_none() => {
                self.wrong_kind(node, &format!("an item of {}", quote(name)), &Kind::Section(section), "");
            }
            _ => self.value(node, name, kind, key),
        }
    }

    fn scalar(&mut self, node: &Node<'_>, name: &str, scalar: &'static Scalar, key: &Key) {
        match node.text() {
            Some(text) => {
                if let Err(problem) = (scalar.check)(text) {
                    self.problem(node.span, problem);
                }
            }
            None => self.wrong_kind(node, &quote(name), &Kind::Scalar(scalar), key.example),
        }
    }

    fn number(&mut self, node: &Node<'_>, name: &str, min: u64, max: u64, key: &Key) {
        let Value::Scalar(scalar) = &node.value else {
            self.wrong_kind(node, &quote(name), &Kind::Number { min, max }, key.example);
            return;
        };
        let mistake = match (scalar.style, number(&scalar.text)) {
            (Style::Quoted, Some(number)) => {
                Mistake::at(node.span, format!("{} is a number, so it has no quotes", quote(name)))
                    .fix(format!("write `{}: {number}`", key.name))
            }
            (_, Some(number)) if (min..=max).contains(&number) => return,
            (_, Some(number)) => Mistake::at(node.span, format!("{} cannot be {number}", quote(name)))
                .fix(format!("it is a number from {min} to {max}")),
            (_, None) => Mistake::at(node.span, format!("{} is not a whole number", quote(&scalar.text)))
                .fix(format!("write a number from {min} to {max}, such as `{}: {}`", key.name, key.example)),
        };
        self.report(mistake);
    }

    fn boolean(&mut self, node: &Node<'_>, name: &str, key: &Key) {
        let Value::Scalar(scalar) = &node.value else {
            self.wrong_kind(node, &quote(name), &Kind::Boolean, key.example);
            return;
        };
        if scalar.style == Style::Plain && matches!(&*scalar.text, "true" | "false") {
            return;
        }
        let meant = match scalar.text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" | "1" => "write `true`",
            "false" | "no" | "off" | "n" | "0" => "write `false`",
            _ => "write `true` or `false`",
        };
        self.report(Mistake::at(node.span, format!("{} is `true` or `false`, without quotes", quote(name))).fix(meant));
    }

    /// A value of another kind.
    fn wrong_kind(&mut self, node: &Node<'_>, what: &str, kind: &Kind, example: &str) {
        let wanted = match kind {
            Kind::Section(_) | Kind::Map { .. } => "a mapping".to_owned(),
            Kind::List(_) => "a list".to_owned(),
            other => other.noun(),
        };
        let mistake = Mistake::at(node.span, format!("{what} is {}, and should be {wanted}", node.noun()));
        let name = what.trim_matches('`');
        self.report(match kind {
            Kind::Section(section) if example.is_empty() => {
                mistake.fix(format!("write it as `key: value`; its keys are: {}", section.names()))
            }
            _ => mistake.fix(format!("write `{name}: {example}`")),
        });
    }

    fn problem(&mut self, span: Span, problem: Problem) {
        let mistake = Mistake::at(span, problem.reason);
        self.report(match problem.fix {
            Some(fix) => mistake.fix(fix),
            None => mistake,
        });
    }
}

/// The key that an unknown name was probably meant for.
pub(super) fn meant(name: &str, section: &'static Section) -> Option<&'static str> {
    if section.key(name).is_some() {
        return None;
    }
    section
        .keys
        .iter()
        .find(|key| key.also.contains(&name))
        .map(|key| key.name)
        .or_else(|| nearest(name, section.keys.iter().map(|key| key.name)))
}

/// The key that the value of an unknown name is judged as: one that is spelt almost the same; or one that other tools
/// give that name, for a list or a mapping. A single value under another tool's name (`timeout: 30`) means too many
/// things.
pub(super) fn taken_for(name: &str, value: &Node<'_>, section: &'static Section) -> Option<&'static Key> {
    let key = section.key(meant(name, section)?)?;
    let structured = matches!(value.value, Value::Mapping(_) | Value::Sequence(_));
    (structured || nearest(name, [key.name]).is_some()).then_some(key)
}

/// A whole number written in digits. `1_000`, `0x10` and `1e3` are numbers to some YAML readers only.
pub(super) fn number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}
