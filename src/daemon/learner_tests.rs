//! What a learner takes from an outcome: what a server says beats the clock, and what tells of nothing is not told.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::learner::Learner;
use super::scale::TimeScale;
use crate::outcome::{Code, Outcome, Proof, Residence, Stage, sample};
use crate::probe::clock::Clock;
use crate::run::SystemClock;
use crate::warmth::{Hours, Keep, Observation, Reply, Settings, Sight, Span};

fn learner() -> Learner {
    let settings = Settings { keep: Keep::WhileUsed, ..Settings::default() };
    Learner::restore(settings, TimeScale::REAL, None, &[], None)
}

fn after(seconds: i64) -> Timestamp {
    sample::started() + SignedDuration::from_secs(seconds)
}

/// A warm-up that began so many seconds later and had its first token after so many milliseconds.
fn outcome(seconds: i64, first_token: u64) -> Outcome {
    let mut outcome = sample::ready("ollama", "glm", "m");
    outcome.started = after(seconds);
    outcome.quota = crate::outcome::QuotaSeen::default();
    outcome.timings.first_token = Some(Duration::from_millis(first_token));
    outcome.timings.total = Duration::from_millis(first_token + 100);
    outcome.timings.queued = None;
    outcome
}

fn ran(learner: &mut Learner, outcome: &Outcome, boot: Instant) -> Option<Observation> {
    let since = Duration::try_from(outcome.started.duration_since(after(0))).unwrap();
    learner.begin(outcome.started, boot + since);
    learner.ran(outcome, outcome.started, boot + since + outcome.timings.total, Hours::Inside)
}

#[test]
fn what_the_server_says_beats_the_clock() {
    let (mut learner, boot) = (learner(), SystemClock.now());
    let quick = Outcome { residence: Some(Residence::Absent), ..outcome(0, 300) };
    let taught = ran(&mut learner, &quick, boot).unwrap();
    assert_eq!((taught.reply, taught.gap), (Reply::Loading(Span::from_seconds(0.3)), None));
    let queued = Outcome { residence: Some(Residence::Loaded { until: None, stays: None }), ..outcome(600, 9_000) };
    let taught = ran(&mut learner, &queued, boot).unwrap();
    assert_eq!(taught.reply, Reply::FirstToken(Span::from_seconds(0.5)));
    assert_eq!((taught.gap, taught.slack), (Some(Span::from_seconds(599.6)), Span::ZERO));
    assert_eq!(taught.sight, Sight::Blind);
}

#[test]
fn a_refusal_teaches_nothing_and_is_remembered_as_fruitless() {
    let (mut learner, boot) = (learner(), SystemClock.now());
    ran(&mut learner, &outcome(0, 300), boot).unwrap();
    let diagnosis = sample::diagnosis(Code::KeyRefused, Stage::Authenticate, "HTTP 401", "renew the key");
    let refused = sample::failed(outcome(200, 300), diagnosis, Proof::Connected, Some(401));
    assert_eq!(ran(&mut learner, &refused, boot), None);
    assert_eq!(learner.learned(after(201)).unwrap().fruitless, Some(after(200)));
    ran(&mut learner, &outcome(400, 300), boot).unwrap();
    assert_eq!(learner.learned(after(401)).unwrap().fruitless, None);
}

#[test]
fn a_later_end_than_our_own_touch_gives_tells_of_a_user() {
    let (mut learner, boot) = (learner(), SystemClock.now());
    let stays = Some(Duration::from_secs(300));
    let loaded = |seconds, until| Outcome {
        residence: Some(Residence::Loaded { until: Some(after(until)), stays }),
        ..outcome(seconds, 300)
    };
    ran(&mut learner, &outcome(0, 300), boot).unwrap();
    // As we left it.
    assert_eq!(ran(&mut learner, &loaded(200, 301), boot).unwrap().gap, Some(Span::from_seconds(199.6)));
    assert_eq!(learner.last_used(), None);
    // Somebody was here after 350 seconds.
    let taught = ran(&mut learner, &loaded(400, 650), boot).unwrap();
    assert_eq!((taught.gap, taught.sight), (Some(Span::from_seconds(50.0)), Sight::CounterStill));
    assert!(learner.last_used().is_some());
}

#[test]
fn a_clock_that_was_set_is_made_up_for() {
    let (mut learner, boot) = (learner(), SystemClock.now());
    ran(&mut learner, &outcome(0, 300), boot).unwrap();
    // Ten minutes later by the steady clock, and an hour by the other.
    let late = outcome(3_600, 300);
    learner.begin(late.started, boot + Duration::from_secs(600));
    let taught = learner.ran(&late, late.started, boot + Duration::from_secs(601), Hours::Inside).unwrap();
    assert_eq!((taught.gap, taught.slack), (Some(Span::from_seconds(3_599.6)), Span::from_seconds(3_000.0)));
}
