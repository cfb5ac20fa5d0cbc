//! What must hold for every history: properties, the two suspensions, and the way back from a restart.

use proptest::prelude::*;

use super::belief::{Belief, Evidence};
use super::gap::Hold;
use super::grid::{GAPS, GRID};
use super::*;

fn probe(at: f64, gap: f64, took: f64) -> Observation {
    Observation {
        at: Moment::from_seconds(at),
        gap: Some(Span::from_seconds(gap)),
        slack: Span::ZERO,
        reply: Reply::FirstToken(Span::from_seconds(took)),
        sight: Sight::Seen,
        hours: Hours::Inside,
    }
}

fn loading(at: f64, gap: f64) -> Observation {
    Observation { reply: Reply::Loading(Span::from_seconds(30.0)), ..probe(at, gap, 0.0) }
}

fn answer(keeper: &Keeper, at: f64) -> Answer {
    keeper.answer(Moment::from_seconds(at))
}

fn any_time() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        0.0..100_000.0,
        Just(0.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(-1.0),
        Just(1e300)
    ]
}

fn any_sight() -> impl Strategy<Value = Sight> {
    prop_oneof![Just(Sight::Seen), Just(Sight::CounterStill), Just(Sight::CounterMoved), Just(Sight::Blind)]
}

fn any_observation() -> impl Strategy<Value = Observation> {
    let hours = prop_oneof![Just(Hours::Inside), Just(Hours::Outside)];
    (any_time(), proptest::option::of(any_time()), any_time(), any_time(), 0..3, any_sight(), hours).prop_map(
        |(at, gap, slack, took, kind, sight, hours)| {
            let took = Span::from_seconds(took);
            Observation {
                at: Moment::from_seconds(at),
                gap: gap.map(Span::from_seconds),
                slack: Span::from_seconds(slack),
                reply: match kind {
                    0 => Reply::FirstToken(took),
                    1 => Reply::Loading(took),
                    _ => Reply::TimedOut(took),
                },
                sight,
                hours,
            }
        },
    )
}

/// A believable history: gaps of minutes to hours, replies of tenths of seconds to a minute.
fn history() -> impl Strategy<Value = Vec<Observation>> {
    proptest::collection::vec((60.0..20_000.0_f64, 0.1..60.0_f64, 0.0..60.0_f64, any_sight()), 1..60).prop_map(|rows| {
        let mut at = 0.0;
        let tell = |(gap, took, slack, sight)| {
            at += gap;
            Observation { slack: Span::from_seconds(slack), sight, ..probe(at, gap, took) }
        };
        rows.into_iter().map(tell).collect()
    })
}

#[track_caller]
fn assert_sound(answer: &Answer) {
    if let Some(gap) = answer.next_gap {
        assert!((120.0..=14_400.0).contains(&gap.seconds()), "{answer:?}");
    }
    for chance in [answer.p_cold, answer.p_unloaded, answer.never] {
        assert!((0.0..=1.0).contains(&chance), "{answer:?}");
    }
    let timeout = answer.idle_timeout;
    assert!(timeout.low <= timeout.mode && timeout.mode <= timeout.high && timeout.high.is_finite(), "{answer:?}");
    assert!(answer.cold_share.is_finite() && answer.lead.seconds() <= 900.0, "{answer:?}");
    assert!(!answer.says.to_string().contains("NaN"), "{answer:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_inputs_is_survived(
        events in proptest::collection::vec((any_observation(), any_time(), any_time(), any::<bool>()), 1..40)
    ) {
        let mut keeper = Keeper::new(Settings::default());
        for (observation, at, slack, touches) in events {
            if touches {
                keeper.touch(Moment::from_seconds(at), Span::from_seconds(slack));
            } else {
                keeper.observe(&observation);
            }
            assert_sound(&answer(&keeper, at));
        }
        let (again, restored) = Keeper::restore(&keeper.keep(), Settings::default(), []);
        prop_assert_eq!(restored, Restored::AsKept);
        prop_assert_eq!(again, keeper);
    }

    #[test]
    fn a_recorded_history_gives_the_same_belief_to_the_bit(history in history(), cut in 0.0..1.0_f64) {
        let lines: Vec<String> = history.iter().map(|one| serde_json::to_string(one).unwrap()).collect();
        let mut live = Keeper::new(Settings::default());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place")]
        let cut = (cut * history.len() as f64) as usize;
        for (index, observation) in history.iter().enumerate() {
            if index == cut {
                live = Keeper::restore(&live.keep(), Settings::default(), []).0;
            }
            live.observe(observation);
        }
        let read: Vec<Observation> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(&read, &history);
        let replayed = Keeper::rebuild(Settings::default(), &read);
        let bits = |keeper: &Keeper| keeper.belief.weights().iter().map(|weight| weight.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&replayed), bits(&live));
        prop_assert_eq!(replayed.keep(), live.keep());
    }

    #[test]
    fn a_cold_reply_makes_unloading_likelier_and_a_warm_one_less_likely(history in history(), gap in 60.0..40_000.0_f64) {
        let belief = Keeper::rebuild(Settings::default(), &history).belief;
        let after = |cold: f64, warm: f64| {
            let mut belief = belief.clone();
            belief.update(&Evidence { longest: gap, shortest: gap, hidden: 0.1, cold, warm });
            belief.evicted_by(gap)
        };
        let before = belief.evicted_by(gap);
        prop_assert!(after(1.0, 0.0) >= before - 1e-4, "cold");
        prop_assert!(after(0.0, 1.0) <= before + 1e-4, "warm");
    }

    #[test]
    fn the_next_gap_is_no_shorter_after_a_warm_reply_than_after_a_cold_one(
        timeout in 150.0..14_000.0_f64, probes in 0..40, factor in 0.5..=1.0_f64
    ) {
        // A history as the policy itself would make it at a model with this timeout, and then a probe after its gap or
        // earlier. (After a longer one a cold reply may lengthen the next: it speaks for a timeout, against evictions.)
        let mut keeper = Keeper::new(Settings::default());
        let mut at = 0.0;
        for _ in 0..probes {
            let gap = answer(&keeper, at).next_gap.map_or(120.0, Span::seconds);
            at += gap;
            keeper.observe(&probe(at, gap, if gap > timeout { 30.0 } else { 0.4 }));
        }
        let gap = answer(&keeper, at).next_gap.map_or(120.0, Span::seconds) * factor;
        let after = |took: f64| {
            let mut keeper = keeper.clone();
            keeper.observe(&probe(at + gap, gap, took));
            keeper.next
        };
        let (warm, cold) = (after(0.4), after(30.0));
        // Where nothing holds the model any more, the gap is that of the least cost.
        prop_assert!(warm.span >= cold.span || cold.hold == Hold::Slipping, "warm {warm:?}, cold {cold:?}");
    }
}

#[test]
fn what_a_gap_would_mean_is_what_the_cells_say() {
    let mut belief = Belief::prior();
    for gap in [200.0, 700.0, 2500.0] {
        belief.update(&Evidence { longest: gap, shortest: gap, hidden: 0.1, cold: 0.01, warm: 1.0 });
    }
    belief.update(&Evidence { longest: 4000.0, shortest: 4000.0, hidden: 0.1, cold: 1.0, warm: 0.01 });
    let exposures = belief.exposures();
    // The integral of the chance to be unloaded, in steps of two seconds.
    let (mut integral, mut until) = (0.0, 0.0);
    for exposure in exposures.iter().take(GAPS - 20).step_by(9) {
        while until < exposure.gap {
            let step = (exposure.gap - until).min(2.0);
            integral += step * belief.evicted_by(until + step / 2.0);
            until += step;
        }
        let exact = belief.evicted_by(exposure.gap);
        assert!((exposure.evicted - exact).abs() < 1e-4, "B at {}: {} {exact}", exposure.gap, exposure.evicted);
        assert!(
            (exposure.unloaded - integral).abs() < 0.01 * integral + 0.05,
            "A at {}: {exposure:?} {integral}",
            exposure.gap
        );
    }
    assert!(GRID.gaps.is_sorted());
}

#[test]
fn five_cold_starts_near_two_minutes_stop_warming_until_tomorrow() {
    let mut keeper = Keeper::new(Settings::default());
    let mut at = 0.0;
    for _ in 0..5 {
        assert_ne!(answer(&keeper, at).says.state(), "unkeepable");
        at += 150.0;
        keeper.observe(&loading(at, 120.0));
    }
    let told = answer(&keeper, at);
    assert_eq!((told.next_gap, told.says.to_string().as_str()), (None, "unloads within 2m: warming cannot keep it"));
    assert_eq!(told.resume_at, Some(Moment::from_seconds(at + 86_400.0)));
    // A user does not change what the model does; a question that was asked a little before is no clock set back.
    keeper.touch(Moment::from_seconds(at + 60.0), Span::ZERO);
    assert_eq!(answer(&keeper, at - 30.0).next_gap, None);
    // Tomorrow two probes are enough to know that nothing has changed.
    at += 86_400.0;
    assert!(answer(&keeper, at).next_gap.is_some());
    keeper.observe(&loading(at, 86_000.0));
    assert!(answer(&keeper, at).next_gap.is_some());
    keeper.observe(&loading(at + 150.0, 120.0));
    assert_eq!(answer(&keeper, at + 150.0).next_gap, None);
}

#[test]
fn a_model_that_nobody_uses_is_given_up_until_somebody_does() {
    let unused = |keep: Keep, sight: Sight| {
        let mut keeper = Keeper::new(Settings { keep, ..Settings::default() });
        for number in 1..=50 {
            let at = 600.0 * f64::from(number);
            keeper.observe(&Observation { sight, ..probe(at, 600.0, 0.4) });
        }
        keeper
    };
    let mut keeper = unused(Keep::WhileUsed, Sight::Seen);
    let told = answer(&keeper, 40_000.0);
    assert_eq!(
        (told.next_gap, told.resume_at, told.says.to_string().as_str()),
        (None, None, "asleep: never seen in use")
    );
    keeper.touch(Moment::from_seconds(50_000.0), Span::ZERO);
    assert!(answer(&keeper, 50_000.0).next_gap.is_some());
    assert!(answer(&unused(Keep::Always, Sight::Seen), 40_000.0).next_gap.is_some());
    assert!(answer(&unused(Keep::WhileUsed, Sight::Blind), 40_000.0).next_gap.is_some(), "nobody could have been seen");
}

#[test]
fn what_was_kept_for_another_grid_is_computed_anew() {
    let history: Vec<Observation> = (1..40).map(|n| probe(600.0 * f64::from(n), 600.0, 0.4)).collect();
    let mut keeper = Keeper::rebuild(Settings::default(), &history);
    keeper.touch(Moment::from_seconds(30_000.0), Span::from_seconds(5.0));
    let kept = keeper.keep();
    assert!(kept.len() < 3500, "{} bytes", kept.len());
    let other = kept.replace("\"grid\":1", "\"grid\":0");
    for (kept, exact) in [(other.as_str(), true), ("{}", false), ("", false), (&kept[..700], false)] {
        let (again, restored) = Keeper::restore(kept, Settings::default(), &history);
        assert_eq!(restored, Restored::Rebuilt);
        assert_eq!(again.belief, keeper.belief);
        assert_eq!(again == keeper, exact, "touches are no observations");
    }
    let damaged = kept.replace("\"weights\":\"", "\"weights\":\"!");
    assert_eq!(Keeper::restore(&damaged, Settings::default(), &history).1, Restored::Rebuilt);
}

#[test]
fn a_window_is_met_warm() {
    let mut keeper = Keeper::new(Settings::default());
    keeper.observe(&probe(0.0, 3600.0, 0.4));
    keeper.observe(&probe(200.0, 200.0, 0.4));
    let told = answer(&keeper, 200.0);
    assert_eq!(told.due(), Some(Moment::from_seconds(200.0 + told.next_gap.unwrap().seconds())));
    let opens = Moment::from_seconds(50_000.0);
    assert_eq!(told.prewarm(opens), Some(Moment::from_seconds(50_000.0 - told.lead.seconds())));
    assert_eq!(told.prewarm(Moment::from_seconds(205.0 + told.lead.seconds())), None, "somebody has just used it");
    assert_eq!(keeper.idle(Moment::from_seconds(260.0)).unwrap().gap, Span::from_seconds(60.0));
}

#[test]
fn what_the_provider_says_outright_is_not_weighed() {
    let mut keeper = Keeper::new(Settings::default());
    keeper.observe(&Observation { gap: None, ..probe(0.0, 0.0, 20.0) });
    assert_eq!(answer(&keeper, 0.0).again, Again::AtOnce);
    assert!(answer(&keeper, 0.0).p_cold > 0.9, "nobody knows for how long it was idle");
    let loading = Observation { reply: Reply::Loading(Span::from_seconds(0.4)), ..probe(300.0, 300.0, 0.0) };
    keeper.observe(&loading);
    assert!(answer(&keeper, 300.0).p_cold > 0.999);
    keeper.observe(&Observation { reply: Reply::TimedOut(Span::from_seconds(20.0)), ..probe(600.0, 300.0, 0.0) });
    assert!(answer(&keeper, 600.0).p_cold > 0.999, "too short a wait says nothing");
}

#[test]
fn the_second_of_a_first_contact_is_sent_once_whatever_comes_of_it() {
    let mut keeper = Keeper::new(Settings::default());
    keeper.observe(&Observation { gap: None, ..probe(0.0, 0.0, 20.0) });
    assert_eq!(answer(&keeper, 0.0).again, Again::AtOnce);
    keeper.observe(&Observation { reply: Reply::TimedOut(Span::from_seconds(30.0)), ..probe(50.0, 1.0, 0.0) });
    assert_eq!(answer(&keeper, 50.0).again, Again::AfterGap);
}
