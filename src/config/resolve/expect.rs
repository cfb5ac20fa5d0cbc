//! Deadlines: a target's come before its provider's, before `defaults`, before those built in.

use super::super::fields::{Fields, duration};
use super::super::mistakes::Mistake;
use super::super::node::{Node, Span};
use super::super::values::{self, Problem, duration_text};
use super::Context;
use super::layers::{Layers, Origin, Origins};
use crate::target::Expectation;
use std::time::Duration;

/// The deadlines that these layers add up to. `span` is blamed where no layer can be.
pub(super) fn resolve<'n, 'a: 'n>(
    context: &mut Context<'_>,
    layers: impl IntoIterator<Item = (Origin, Option<Fields<'n, 'a>>)>,
    span: Span,
    origins: &mut Origins,
) -> Expectation {
    let layers = Layers::new(layers);
    let mut expect = Expectation::default();
    if layers.is_empty() {
        return expect;
    }
    type Row<'e> = (&'static str, &'static str, &'e mut Duration, fn(&str) -> Result<Duration, Problem>);
    let rows: [Row<'_>; 6] = [
        ("first_token", "expect.first_token", &mut expect.first_token, values::wait),
        ("cold_start", "expect.cold_start", &mut expect.cold_start, values::wait),
        ("stall", "expect.stall", &mut expect.stall, values::wait),
        ("connect", "expect.connect", &mut expect.connect, values::wait),
        ("answer", "expect.answer", &mut expect.answer, values::wait),
        ("certificate", "expect.certificate", &mut expect.certificate, values::certificate),
    ];
    for (key, path, value, read) in rows {
        if let Some((origin, node)) = layers.find(key) {
            origins.set(path, origin);
            *value = duration(read, node).unwrap_or(*value);
        }
    }
    if expect.cold_start < expect.first_token {
        let first = layers.find("first_token");
        let cold = layers.find("cold_start");
        context.report(too_short(&expect, first, cold, span));
    }
    expect
}

/// A cold start that has less time than a warm one.
fn too_short(
    expect: &Expectation,
    first: Option<(Origin, &Node<'_>)>,
    cold: Option<(Origin, &Node<'_>)>,
    span: Span,
) -> Mistake {
    let [first_text, cold_text] = [expect.first_token, expect.cold_start].map(duration_text);
    let reason = format!("`cold_start` ({cold_text}) is shorter than `first_token` ({first_text})");
    let fix = format!("a cold model is slower than a warm one: make `cold_start` at least {first_text}");
    match (first, cold) {
        (Some((_, first)), Some((_, cold))) => {
            Mistake::at(cold.span, reason).also(first.span, "a warm model has this long").fix(fix)
        }
        (None, Some((_, cold))) => Mistake::at(cold.span, reason).fix(fix),
        (Some((_, first)), None) => Mistake::at(first.span, reason).label("`cold_start` is not written").fix(fix),
        (None, None) => Mistake::at(span, reason).fix(fix),
    }
}
