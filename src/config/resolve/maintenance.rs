//! Maintenance: each has a time, and is about targets that are there.

use jiff::Timestamp;

use super::super::fields::Fields;
use super::super::keys::nearest;
use super::super::mask::quote;
use super::super::mistakes::Mistake;
use super::super::node::Node;
use super::super::table::{DEFAULTS, MAINTENANCE, TARGET};
use super::super::values;
use super::super::values_of_times as times;
use super::{Context, schedule, target};
use crate::plan::{Maintenance, MaintenanceTime, Selection, Windows};
use crate::target::{ProviderId, Target, TargetId};

/// Names that a maintenance can be about. From the text: what has a mistake in it is still what is meant.
struct Known<'n> {
    targets: Vec<&'n str>,
    tags: Vec<&'n str>,
    providers: Vec<&'n str>,
}

/// Every maintenance, in the order of the text.
pub(super) fn maintenance(context: &mut Context<'_>, root: &Fields<'_, '_>, targets: &[Target]) -> Vec<Maintenance> {
    let items = root.items("maintenance");
    if items.is_empty() {
        return Vec::new();
    }
    let own: Vec<Fields<'_, '_>> = root.items("targets").iter().filter_map(|node| Fields::of(node, &TARGET)).collect();
    let tagged = root.section("defaults", &DEFAULTS).into_iter().chain(own.iter().copied());
    let mut tags: Vec<&str> = tagged.flat_map(|fields| fields.items("tags")).filter_map(Node::text).collect();
    tags.sort_unstable();
    tags.dedup();
    let known = Known {
        targets: own.iter().filter_map(|fields| fields.text("name")).collect(),
        tags,
        providers: root.map("providers").iter().map(|(key, _)| &*key.text).collect(),
    };
    items
        .iter()
        .filter_map(|node| Fields::of(node, &MAINTENANCE))
        .filter_map(|fields| one(context, fields, &known, targets))
        .collect()
}

fn one(context: &mut Context<'_>, fields: Fields<'_, '_>, known: &Known<'_>, all: &[Target]) -> Option<Maintenance> {
    let time = time(context, fields);
    let before = context.mistakes.len();
    let selection = Selection {
        targets: names(context, fields, "targets", "target", &known.targets)
            .into_iter()
            .filter_map(|name| TargetId::new(name).ok())
            .collect(),
        tags: names(context, fields, "tags", "tag", &known.tags).into_iter().map(str::to_owned).collect(),
        providers: names(context, fields, "providers", "provider", &known.providers)
            .into_iter()
            .filter_map(|name| ProviderId::new(name).ok())
            .collect(),
    };
    // Not where a target has a mistake of its own: it may be the one that is meant.
    let complete = before == context.mistakes.len() && all.len() == known.targets.len();
    if complete && !all.iter().any(|target| selection.has(target)) {
        context.report(
            Mistake::at(fields.span, "no target is meant by this maintenance").fix(
                "a target has to have one of `targets`, one of `tags` and one of `providers`: remove some of these",
            ),
        );
    }
    Some(Maintenance { name: fields.text("name").map(str::to_owned), time: time?, selection })
}

/// Every week, or once.
fn time(context: &mut Context<'_>, fields: Fields<'_, '_>) -> Option<MaintenanceTime> {
    let once = ["from", "to"].into_iter().find(|key| fields.mentions(key));
    match (fields.mentions("during"), once) {
        (true, Some(key)) => {
            context.report(
                Mistake::at(fields.span_of(key), format!("both `during` and `{key}` are there"))
                    .also(fields.span_of("during"), "this says when, too")
                    .fix("keep one of them, and make another maintenance of the other"),
            );
            None
        }
        (false, None) => {
            context.report(
                Mistake::at(fields.span, "the maintenance has no time")
                    .fix("write `during: \"Sun 02:00-04:00\"`, or `from:` and `to:`"),
            );
            None
        }
        (true, None) => weekly(context, fields),
        (false, Some(_)) => once_only(context, fields),
    }
}

fn weekly(context: &mut Context<'_>, fields: Fields<'_, '_>) -> Option<MaintenanceTime> {
    schedule::zone_is_said(context, fields, &["during"]);
    let timezone = schedule::timezone(context, fields);
    let during = values::during(fields.text("during")?).ok()?;
    Some(MaintenanceTime::Weekly(Windows { during, timezone, except: schedule::dates(fields, "except") }))
}

fn once_only(context: &mut Context<'_>, fields: Fields<'_, '_>) -> Option<MaintenanceTime> {
    if let Some(node) = fields.get("except") {
        context.report(Mistake::at(node.span, "`except` goes with `during`").fix("remove it, or write `during`"));
    }
    for (key, other) in [("from", "to"), ("to", "from")] {
        if !fields.mentions(other) {
            context.report(
                Mistake::at(fields.span_of(key), format!("`{key}` has no `{other}` beside it"))
                    .fix(format!("add `{other}: 2026-12-01T22:00`")),
            );
        }
    }
    let timezone = schedule::timezone(context, fields);
    let read = |key: &str| -> Option<times::Moment> { times::moment(fields.text(key)?).ok() };
    let (from, to) = (read("from")?, read("to")?);
    for (key, moment) in [("from", from), ("to", to)] {
        if matches!(moment, times::Moment::Shown(_)) {
            schedule::zone_is_said(context, fields, &[key]);
            break;
        }
    }
    let (from, to): (Timestamp, Timestamp) = (from.within(&timezone)?, to.within(&timezone)?);
    if to <= from {
        context.report(
            Mistake::at(fields.span_of("to"), "`to` is not later than `from`")
                .also(fields.span_of("from"), "it begins here")
                .fix("exchange them, or mend the date"),
        );
    }
    Some(MaintenanceTime::Once { from, to })
}

/// The names of a list, each reported where nothing has it.
fn names<'n>(context: &mut Context<'_>, fields: Fields<'n, '_>, key: &str, noun: &str, known: &[&str]) -> Vec<&'n str> {
    if fields.get(key).and_then(Node::items).is_some_and(<[_]>::is_empty) {
        context.report(
            Mistake::at(fields.span_of(key), format!("`{key}` is an empty list"))
                .fix("name at least one, or remove the line for all"),
        );
    }
    let mut names = Vec::new();
    for node in fields.items(key) {
        let Some(name) = node.text() else { continue };
        if known.contains(&name) {
            names.push(name);
            continue;
        }
        let mistake = Mistake::at(node.span, format!("there is no {noun} {}", quote(name)));
        context.report(match nearest(name, known.iter().copied()) {
            Some(near) => mistake.label(format!("did you mean `{near}`?")),
            None if known.is_empty() => mistake.fix(format!("there is no {noun} at all: remove the line")),
            None => mistake.fix(format!("the {key} are: {}", target::some_of(known))),
        });
    }
    names
}
