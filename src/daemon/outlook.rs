//! When a target is due next, as it is seen from outside: from its schedule and what is remembered of its past. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::plan::{AUTO, CronBook, Past, TargetSchedule, Timetable, Why};
use crate::target::Depth;

/// When the next probe of a target is due. A moment that has passed is that of the first probe which was due and was not
/// made: nobody probes, or one is under way. `None` where nothing ever is.
///
/// `cold_start` is the longest that its LLM is expected to load.
#[must_use]
pub fn next_due(
    schedule: &TargetSchedule,
    cold_start: Duration,
    past: &Past,
    now: Timestamp,
    book: &mut CronBook,
) -> Option<Timestamp> {
    // Its cron fields were read with the configuration, so they can be read again.
    let timetable = Timetable::new(schedule, cold_start, AUTO, book).ok()?;
    let due = timetable.next(now, past)?;
    let last = match due.depth {
        Depth::Warm => past.warm,
        Depth::Auth | Depth::Connect => past.auth,
    };
    let missed = last.filter(|last| due.why == Why::Missed && *last < now);
    let since = missed.and_then(|last| timetable.next(last, past)).map(|first| first.at);
    Some(since.map_or(due.at, |since| since.min(due.at)))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::plan::{CheckSchedule, CronText, Trigger};
    use crate::target::TargetId;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn due(trigger: Trigger, auth: Option<&str>, now: &str) -> Option<Timestamp> {
        let check = CheckSchedule { trigger, timezone: TimeZone::UTC };
        let schedule = TargetSchedule { target: TargetId::new("glm").unwrap(), auth: Some(check), warm: None };
        let past = Past { auth: auth.map(at), ..Past::default() };
        next_due(&schedule, Duration::from_secs(60), &past, at(now), &mut CronBook::default())
    }

    #[test]
    fn what_was_made_in_time_is_due_again_by_its_schedule() {
        let hourly = || Trigger::Cron(CronText::new("0 * * * *").unwrap());
        let made = due(hourly(), Some("2026-11-20T19:00:01Z"), "2026-11-20T19:02:00Z");
        assert_eq!(made, Some(at("2026-11-20T20:00:00Z")));
        assert_eq!(due(hourly(), None, "2026-11-20T19:02:00Z"), Some(at("2026-11-20T20:00:00Z")));
    }

    #[test]
    fn what_was_missed_is_overdue_since_the_first() {
        let hourly = Trigger::Cron(CronText::new("0 * * * *").unwrap());
        let missed = due(hourly, Some("2026-11-20T16:00:01Z"), "2026-11-20T19:02:00Z");
        assert_eq!(missed, Some(at("2026-11-20T17:00:00Z")));
        let minutely = Trigger::Every(Duration::from_secs(60));
        let missed = due(minutely, Some("2026-11-20T16:00:00Z"), "2026-11-20T19:02:00Z").unwrap();
        let late = missed.duration_since(at("2026-11-20T16:00:00Z"));
        assert!(late < SignedDuration::from_secs(120), "{late:?}");
    }
}
