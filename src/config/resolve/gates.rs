//! Gates: each has one rule, over targets that are there.

use super::super::fields::{Fields, number};
use super::super::keys::nearest;
use super::super::mask::quote;
use super::super::mistakes::Mistake;
use super::super::node::Node;
use super::super::table::{GATE, TARGET};
use super::Context;
use crate::plan::{Gate, GateId, NamedGate};
use crate::target::TargetId;

/// What a gate can begin with.
const RULES: [&str; 4] = ["main", "any", "all", "at_least"];

/// All gates, in the order of the text.
pub(super) fn gates(context: &mut Context<'_>, root: &Fields<'_, '_>) -> Vec<NamedGate> {
    // Names are enough: a target with a mistake in it is still the one that is meant.
    let known: Vec<&str> =
        root.items("targets").iter().filter_map(|node| Fields::of(node, &TARGET)?.text("name")).collect();
    let mut gates = Vec::new();
    for (key, node) in root.map("gates") {
        let Some(fields) = Fields::of(node, &GATE) else {
            continue;
        };
        let gate = Reader { context: &mut *context, known: &known, fields }.gate(&key.text);
        if let (Some(gate), Ok(id)) = (gate, GateId::new(&key.text)) {
            gates.push(NamedGate { id, gate, line: key.span.line });
        }
    }
    gates
}

struct Reader<'r, 'c, 'n, 'a> {
    context: &'r mut Context<'c>,
    known: &'r [&'r str],
    fields: Fields<'n, 'a>,
}

impl Reader<'_, '_, '_, '_> {
    fn gate(&mut self, name: &str) -> Option<Gate> {
        let fields = self.fields;
        let written: Vec<&str> = RULES.into_iter().filter(|rule| fields.mentions(rule)).collect();
        let rule = match written.as_slice() {
            [rule] => *rule,
            [] => {
                self.context.report(
                    Mistake::at(fields.span, format!("the gate {} has no rule", quote(name)))
                        .fix("write `main:` with `fallback:`, or `any:`, or `all:`, or `at_least:` with `of:`"),
                );
                return None;
            }
            [first, second, ..] => {
                self.context.report(
                    Mistake::at(
                        fields.span_of(second),
                        format!("the gate {} has two rules: `{first}` and `{second}`", quote(name)),
                    )
                    .also(fields.span_of(first), "the other one")
                    .fix("keep one of them, and make another gate of the other"),
                );
                return None;
            }
        };
        for (key, owner) in [("fallback", "main"), ("of", "at_least")] {
            if rule != owner && fields.mentions(key) {
                self.context.report(
                    Mistake::at(fields.span_of(key), format!("`{key}` goes with `{owner}`"))
                        .fix(format!("remove it, or write `{owner}`")),
                );
            }
        }
        match rule {
            "main" => {
                let main = fields.get("main").and_then(|node| self.target(node));
                let fallback = self.targets("fallback", &[]);
                let main = main?;
                if let Some(twice) = fields.items("fallback").iter().find(|node| node.text() == Some(main.as_str())) {
                    self.context.report(
                        Mistake::at(twice.span, format!("`{main}` is its own fallback")).fix("name another target"),
                    );
                }
                Some(Gate::MainWithFallback { main, fallback })
            }
            "any" => Some(Gate::Any(self.some_targets("any")?)),
            "all" => Some(Gate::All(self.some_targets("all")?)),
            _ => {
                let n = fields.get("at_least").and_then(number);
                if !fields.mentions("of") {
                    self.context.report(
                        Mistake::at(fields.span_of("at_least"), "`at_least` has no `of` beside it")
                            .fix("add the targets: `of: [a, b, c]`"),
                    );
                    return None;
                }
                let of = self.some_targets("of")?;
                let n = usize::try_from(n?).ok()?;
                if n > fields.items("of").len() {
                    self.context.report(
                        Mistake::at(
                            fields.span_of("at_least"),
                            format!("{n} of {} targets can never be ready", fields.items("of").len()),
                        )
                        .fix("ask for fewer, or name more"),
                    );
                }
                Some(Gate::AtLeast { n, of })
            }
        }
    }

    /// The targets of a list that has to have some.
    fn some_targets(&mut self, key: &str) -> Option<Vec<TargetId>> {
        if self.fields.get(key).and_then(Node::items).is_some_and(<[_]>::is_empty) {
            self.context.report(
                Mistake::at(self.fields.span_of(key), format!("`{key}` names no target")).fix("name at least one"),
            );
        }
        self.fields.get(key)?;
        Some(self.targets(key, &[]))
    }

    /// The targets of a list, each reported where it is unknown or named twice.
    fn targets(&mut self, key: &str, already: &[TargetId]) -> Vec<TargetId> {
        let mut targets = already.to_vec();
        for node in self.fields.items(key) {
            let Some(target) = self.target(node) else {
                continue;
            };
            if targets.contains(&target) {
                self.context.report(Mistake::at(node.span, format!("`{target}` is named twice")).fix("name it once"));
            } else {
                targets.push(target);
            }
        }
        targets
    }

    fn target(&mut self, node: &Node<'_>) -> Option<TargetId> {
        let name = node.text()?;
        let id = TargetId::new(name).ok()?;
        if self.known.contains(&name) {
            return Some(id);
        }
        let mistake = Mistake::at(node.span, format!("there is no target {}", quote(name)));
        self.context.report(match nearest(name, self.known.iter().copied()) {
            Some(near) => mistake.label(format!("did you mean `{near}`?")),
            None => mistake.fix(format!("the targets are: {}", super::target::some_of(self.known))),
        });
        None
    }
}
