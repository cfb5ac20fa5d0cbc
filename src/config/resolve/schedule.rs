//! `auth` and `warm` to the schedules of `plan/schedule.rs`.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::super::fields::{Fields, duration, word};
use super::super::mask::quote;
use super::super::mistakes::Mistake;
use super::super::node::Node;
use super::super::values;
use super::super::values_of_times as times;
use super::super::words::KEEPS;
use super::super::zones::Zones;
use super::Context;
use crate::plan::{CheckSchedule, CronError, Trigger, WarmSchedule, WarmTrigger, Windows};

/// When the free check is made.
pub(super) fn auth(context: &mut Context<'_>, fields: Fields<'_, '_>) -> Option<CheckSchedule> {
    one_trigger(context, fields);
    let Some(trigger) = fixed(context, fields) else {
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
    let trigger = if auto { WarmTrigger::Auto } else { WarmTrigger::Fixed(fixed(context, fields)?) };
    let during = match fields.text("during") {
        Some(text) => values::during(text).ok()?,
        None => Vec::new(),
    };
    zone_is_said(context, fields, &["during", "cron", "except"]);
    let windows = Windows { during, timezone: timezone(context, fields), except: dates(fields, "except") };
    if let (WarmTrigger::Fixed(Trigger::Cron(text)), false) = (&trigger, windows.during.is_empty())
        && context.crons.never_within(text, &windows)
    {
        context.report(
            Mistake::at(fields.span_of("cron"), format!("{}: it never fires within `during`", quote(text.as_str())))
                .also(fields.span_of("during"), "it fires only at these times")
                .fix("write hours that overlap, or remove one of them"),
        );
    }
    let lead = fields.get("lead").and_then(|node| duration(times::lead, node));
    if let Some(node) = fields.get("lead")
        && windows.during.is_empty()
    {
        context.note(node.span, "`lead` is the time before `during` begins, and there is no `during` beside it");
    }
    let keep = fields.get("keep").and_then(|node| word(&KEEPS, node)).unwrap_or_default();
    if let (Some(node), WarmTrigger::Fixed(_)) = (fields.get("keep"), &trigger) {
        context.note(node.span, "`keep` is about `every: auto`, and this is warmed at fixed times");
    }
    Some(WarmSchedule { trigger, windows, lead, keep })
}

/// Notes that times are meant in UTC, where there is no zone beside them.
pub(super) fn zone_is_said(context: &mut Context<'_>, fields: Fields<'_, '_>, keys: &[&str]) {
    if fields.mentions("timezone") {
        return;
    }
    if let Some((key, node)) = keys.iter().find_map(|key| Some((key, fields.get(key)?))) {
        context.note(node.span, format!("`{key}` is meant in UTC, because there is no `timezone` beside it"));
    }
}

/// The days of a list.
pub(super) fn dates(fields: Fields<'_, '_>, key: &str) -> Vec<Date> {
    fields.items(key).iter().filter_map(Node::text).filter_map(|text| values::date(text).ok()).collect()
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

/// An interval or cron fields, which are understood here: each text once.
fn fixed(context: &mut Context<'_>, fields: Fields<'_, '_>) -> Option<Trigger> {
    match (fields.get("every"), fields.text("cron")) {
        (Some(node), _) => duration(values::interval, node).map(Trigger::Every),
        (None, Some(text)) => {
            let cron = values::cron(text).ok()?;
            if let Err(error) = context.crons.check(&cron) {
                let fix = match error {
                    CronError::Never => "write a day that the month has, or `L` for its last",
                    _ => values::CRON_FIX,
                };
                let reason = format!("{}: {error}", quote(text));
                context.report(Mistake::at(fields.span_of("cron"), reason).fix(fix));
            }
            Some(Trigger::Cron(cron))
        }
        (None, None) => None,
    }
}

/// The zone that is said, else UTC: the zone of the machine would make one file mean different times.
pub(super) fn timezone(context: &mut Context<'_>, fields: Fields<'_, '_>) -> TimeZone {
    fields.get("timezone").map_or(TimeZone::UTC, |node| zone(context, node))
}

/// The zone of a name.
pub(super) fn zone(context: &mut Context<'_>, node: &Node<'_>) -> TimeZone {
    let Some(name) = node.text() else {
        return TimeZone::UTC;
    };
    context.zones.get(name).unwrap_or_else(|| {
        context.report(Mistake::at(node.span, format!("{} is not a known time zone", quote(name))).fix(
            if Zones::installed() {
                "write a name such as `Europe/Berlin` or `UTC`"
            } else {
                "there is no zone database on this machine: install `tzdata`, or write `UTC`"
            },
        ));
        TimeZone::UTC
    })
}
