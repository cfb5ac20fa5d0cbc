//! What a learner takes from an outcome: what a server says beats the clock, and what tells of nothing is not told.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::learner::{Learner, Yields};
use super::scale::TimeScale;
use crate::outcome::{Code, Counter, Outcome, Proof, Residence, Stage, sample};
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

/// A warm-up whose provider's counter was read.
fn counted(seconds: i64, counter: Counter) -> Outcome {
    let mut outcome = outcome(seconds, 300);
    outcome.used.counter = counter;
    outcome
}

#[test]
fn a_counter_is_believed_only_where_it_could_tell_all_the_time() {
    let (mut learner, boot) = (learner(), SystemClock.now());
    ran(&mut learner, &counted(0, Counter::Untold), boot).unwrap();
    let mut see = |told: &[Counter], seconds| {
        told.iter().for_each(|counter| learner.counted(*counter));
        let last = told.last().copied().unwrap_or_default();
        ran(&mut learner, &counted(seconds, last), boot).unwrap().sight
    };
    assert_eq!(see(&[Counter::Still, Counter::Still], 600), Sight::CounterStill);
    assert_eq!(see(&[Counter::Still, Counter::Untold, Counter::Still], 1_200), Sight::Blind, "a pack that was full");
    assert_eq!(see(&[Counter::Still], 1_800), Sight::CounterStill, "that was before the last touch");
    assert_eq!(see(&[Counter::Untold, Counter::Moved, Counter::Untold], 2_400), Sight::CounterMoved);
    assert_eq!(see(&[Counter::Still, Counter::Absent], 3_000), Sight::Blind, "not read by this one");
}

#[test]
fn what_the_counter_told_outlives_a_restart_and_nothing_told_is_not_still() {
    let (mut learner, boot) = (learner(), SystemClock.now());
    let first = counted(0, Counter::Still);
    ran(&mut learner, &first, boot).unwrap();
    let again = |kept: &str| Learner::restore(Settings::default(), TimeScale::REAL, Some(kept), &[], None);
    let kept = learner.kept(&first.target);
    let later = counted(600, Counter::Still);
    assert_eq!(ran(&mut again(&kept), &later, boot).unwrap().sight, Sight::CounterStill);
    learner.counted(Counter::Untold);
    assert_eq!(ran(&mut again(&learner.kept(&first.target)), &later, boot).unwrap().sight, Sight::Blind);
    let older = kept.replace(r#""others":"still","#, "");
    assert_ne!(older, kept);
    assert_eq!(ran(&mut again(&older), &later, boot).unwrap().sight, Sight::Blind, "another version did not say");
}

#[test]
fn a_warm_up_of_the_same_llm_is_a_touch_and_no_use() {
    let (mut learner, boot) = (learner(), SystemClock.now());
    ran(&mut learner, &outcome(0, 300), boot).unwrap();
    learner.warmed_beside(after(400), None, boot + Duration::from_secs(400));
    let taught = ran(&mut learner, &outcome(600, 300), boot).unwrap();
    assert_eq!((taught.gap, taught.slack), (Some(Span::from_seconds(200.0)), Span::ZERO));
    assert_eq!(learner.last_used(), None);
    // What it taught is of the same LLM, so both believe the same.
    let mut other = Learner::restore(Settings::default(), TimeScale::REAL, None, &[], None);
    other.warmed_beside(after(600), Some(&taught), boot + Duration::from_secs(600));
    assert_eq!(other.learned(after(601)).unwrap().touched, after(600) + Duration::from_millis(400));
    assert!(other.says(after(601)).starts_with("learning (1 probe)"), "{}", other.says(after(601)));
}

#[test]
fn what_a_tool_told_of_another_llm_or_long_ago_is_not_heard() {
    let mut learner = learner();
    learner.begins(after(1_000));
    assert!(!learner.told(after(900), after(2_000)), "its target has named another then");
    assert!(learner.told(after(1_100), after(2_000)));
    assert!(!learner.told(after(1_100), after(2_000)), "it is told once");
    let kept = learner.kept(&outcome(0, 300).target);
    let mut again = Learner::restore(Settings::default(), TimeScale::REAL, Some(&kept), &[], None);
    assert!(!again.told(after(900), after(2_000)), "not after a restart either");
    // A file of hours before the last warm-up is not the news that the clock was set back.
    let boot = SystemClock.now();
    ran(&mut again, &outcome(20_000, 300), boot).unwrap();
    assert!(!again.told(after(10_000), after(20_100)));
    assert_eq!(again.learned(after(20_100)).unwrap().touched, after(20_000) + Duration::from_millis(400));
}

#[test]
fn a_use_that_a_wrong_clock_noted_does_not_silence_those_that_come() {
    let mut learner = learner();
    // A day ahead, and nobody knew.
    assert!(learner.told(after(86_400), after(86_401)));
    assert!(learner.told(after(60), after(61)), "the clock is right again");
    assert_eq!(learner.last_used(), Some(TimeScale::REAL.moment(after(60))));
    assert_eq!(learner.learned(after(62)).unwrap().touched, after(60));
    let kept = learner.kept(&outcome(0, 300).target);
    let mut again = Learner::restore(Settings::default(), TimeScale::REAL, Some(&kept), &[], None);
    assert!(again.told(after(120), after(121)));
}

#[test]
fn where_a_fixed_schedule_has_warmed_it_nobody_knows_how_long_it_was_idle() {
    let (mut learner, boot) = (learner(), SystemClock.now());
    ran(&mut learner, &outcome(0, 300), boot).unwrap();
    learner.was_warmed(after(0));
    assert!(learner.learned(after(1)).is_some(), "that was its own");
    learner.was_warmed(after(50_000));
    assert_eq!(learner.learned(after(50_001)), None, "it is due by the interval that stands for nothing learned");
    assert!(!learner.told(after(40_000), after(50_001)), "nor is a use of before");
    let taught = ran(&mut learner, &outcome(60_000, 300), boot).unwrap();
    assert_eq!(taught.gap, None);
}

#[test]
fn a_second_warm_up_follows_the_first_at_once_only_where_that_was_slow() {
    for (first_token, wanted) in [(27_000, true), (300, false)] {
        let (mut learner, boot) = (learner(), SystemClock.now());
        ran(&mut learner, &outcome(0, first_token), boot).unwrap();
        assert_eq!(learner.wants_again(), wanted, "{first_token} ms");
        ran(&mut learner, &outcome(40, 300), boot).unwrap();
        assert!(!learner.wants_again());
    }
}

#[test]
fn one_that_makes_way_says_so_once_it_is_sure() {
    let (mut learner, boot) = (learner(), SystemClock.now());
    ran(&mut learner, &outcome(0, 300), boot).unwrap();
    let rival = crate::target::TargetId::new("kimi").unwrap();
    learner.yield_to(rival.clone(), Yields::ToSee, after(10));
    assert!(learner.says(after(20)).starts_with("learning"), "{}", learner.says(after(20)));
    let learned = learner.learned(after(20)).unwrap();
    assert_eq!((learned.gap, learned.next), (None, Some(after(910))), "a quarter of an hour");
    assert!(learner.learned(after(911)).unwrap().gap.is_some());
    learner.yield_to(rival, Yields::Surely, after(1_000));
    assert!(learner.says(after(1_001)).starts_with("pushed out by kimi"), "{}", learner.says(after(1_001)));
    assert_eq!(learner.new_state(after(1_001)), Some("in-turns"));
    assert_eq!(learner.learned(after(1_001)).unwrap().next, Some(after(87_400)));
    learner.stay();
    assert!(learner.learned(after(1_001)).unwrap().gap.is_some());
}
