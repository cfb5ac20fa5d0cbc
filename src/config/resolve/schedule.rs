//! `auth` and `warm` to the schedules of `plan/schedule.rs`.

use jiff::tz::TimeZone;

use super::super::fields::{Fields, duration};
use super::super::mask::quote;
use super::super::mistakes::Mistake;
use super::super::node::Node;
use super::super::values;
use super::super::zones::Zones;
use super::Context;
use crate::plan::{CheckSchedule, Trigger, WarmSchedule, WarmTrigger, Windows};

/// When the free check is made.
pub(super) fn auth(context: &mut Context<'_>, fields: Fields<'_, '_>) -> Option<CheckSchedule> {
    one_trigger(context, fields);
    let Some(trigger) = fixed(fields) else {
        if !fields.mentions("every") && !fields.mentions("cron") {
            context.report(Mistake::at(fields.span, "`auth` says neither `every` nor `cron`").fix("add `every: 1m`"));
        }
        return None;
    };
    Some(CheckSchedule { trigger, timezone: timezone(context, fields) })
}

/// When the LLM is warmed.
pub(super) fn warm(context: &mut Context<'_>, fields: Fields<'_, '_>) -> Option<WarmSchedule> {
    one_trigger(context, fields);
    let auto = match fields.text("every") {
        Some(text) => text == "auto",
        None => !fields.mentions("cron"),
    };
    let trigger = if auto { WarmTrigger::Auto } else { WarmTrigger::Fixed(fixed(fields)?) };
    let during = match fields.text("during") {
        Some(text) => values::during(text).ok()?,
        None => Vec::new(),
    };
    if !fields.mentions("timezone") {
        for key in ["during", "cron", "except"] {
            if let Some(node) = fields.get(key) {
                context.note(node.span, format!("`{key}` is meant in UTC, because there is no `timezone` beside it"));
                break;
            }
        }
    }
    let except =
        fields.items("except").iter().filter_map(Node::text).filter_map(|text| values::date(text).ok()).collect();
    Some(WarmSchedule { trigger, windows: Windows { during, timezone: timezone(context, fields), except }, lead: None })
}

/// `every` and `cron` exclude each other.
fn one_trigger(context: &mut Context<'_>, fields: Fields<'_, '_>) {
    if let (Some(every), Some(cron)) = (fields.get("every"), fields.get("cron")) {
        context.report(
            Mistake::at(cron.span, "both `every` and `cron` are there")
                .also(every.span, "this says when, too")
                .fix("keep one of them"),
        );
    }
}

/// An interval or cron fields.
fn fixed(fields: Fields<'_, '_>) -> Option<Trigger> {
    match (fields.get("every"), fields.text("cron")) {
        (Some(node), _) => duration(values::interval, node).map(Trigger::Every),
        (None, Some(text)) => values::cron(text).ok().map(Trigger::Cron),
        (None, None) => None,
    }
}

/// The zone that is said, else UTC: the zone of the machine would make one file mean different times.
fn timezone(context: &mut Context<'_>, fields: Fields<'_, '_>) -> TimeZone {
    let Some(name) = fields.text("timezone") else {
        return TimeZone::UTC;
    };
    context.zones.get(name).unwrap_or_else(|| {
        context.report(
            Mistake::at(fields.span_of("timezone"), format!("{} is not a known time zone", quote(name))).fix(
                if Zones::installed() {
                    "write a name such as `Europe/Berlin` or `UTC`"
                } else {
                    "there is no zone database on this machine: install `tzdata`, or write `UTC`"
                },
            ),
        );
        TimeZone::UTC
    })
}
