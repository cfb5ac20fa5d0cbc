//! When a target is asked again: what is obeyed, what is given up, and that no pause is wasted.

use std::time::Duration;

use proptest::prelude::*;

use super::{Next, Patience};
use crate::outcome::sample::{diagnosis, failed, ready, reset_after, withheld};
use crate::outcome::{Code, Cure, Outcome, Proof, Stage, Withholding};

fn outcome(code: Code, stage: Stage, reset_s: Option<i64>) -> Outcome {
    let mut diagnosis = diagnosis(code, stage, "seen", "do");
    diagnosis.reset = reset_s.map(reset_after);
    failed(ready("p", "t", "m"), diagnosis, Proof::Connected, Some(503))
}

const TEN_MINUTES: Duration = Duration::from_secs(600);

fn next(code: Code, stage: Stage, reset_s: Option<i64>, failures: u32) -> Next {
    Patience::default().next(&outcome(code, stage, reset_s), failures, TEN_MINUTES, 0.0)
}

fn seconds(seconds: f64) -> Next {
    Next::After(Duration::from_secs_f64(seconds))
}

#[test]
fn what_a_person_must_cure_is_never_asked_again() {
    for code in Code::ALL {
        let never = next(code, Stage::Warm, Some(5), 1) == Next::Never;
        assert_eq!(never, code.cure() == Cure::Person, "{code}");
    }
    let mut unpriced = withheld("p", "t", "m", 60);
    unpriced.withheld = Some(Withholding::PriceUnknown);
    assert_eq!(Patience::default().next(&unpriced, 1, TEN_MINUTES, 0.0), Next::Never);
}

#[test]
fn pauses_double_up_to_the_cap_and_are_shorter_where_a_try_is_free() {
    let pauses = |code, stage| -> Vec<Next> { [1, 2, 3, 6, 40].map(|n| next(code, stage, None, n)).into() };
    assert_eq!(pauses(Code::Overloaded, Stage::Warm), [1.0, 2.0, 4.0, 30.0, 30.0].map(seconds));
    assert_eq!(pauses(Code::UpstreamFailed, Stage::Locate), [0.5, 1.0, 2.0, 8.0, 8.0].map(seconds));
    assert_eq!(pauses(Code::ConnectRefused, Stage::Connect), [0.2, 0.4, 0.8, 2.0, 2.0].map(seconds));
    assert_eq!(pauses(Code::RateLimited, Stage::Authenticate), [1.0, 2.0, 4.0, 30.0, 30.0].map(seconds));
}

#[test]
fn what_the_provider_asks_for_is_obeyed_and_what_is_too_late_is_said() {
    assert_eq!(next(Code::RateLimited, Stage::Warm, Some(90), 1), seconds(90.0));
    assert_eq!(next(Code::RateLimited, Stage::Warm, Some(0), 3), seconds(4.0), "now, but not ever faster");
    let three_hours = Duration::from_secs(3 * 3600);
    assert_eq!(next(Code::WindowSpent, Stage::Warm, Some(3 * 3600), 1), Next::TooLate(three_hours));
    assert_eq!(next(Code::QuotaWithheld, Stage::Warm, Some(600), 1), Next::TooLate(TEN_MINUTES));
    // How long loading takes is a guess; it may be over before.
    assert_eq!(next(Code::Loading, Stage::Warm, Some(3 * 3600), 1), seconds(15.0));
}

#[test]
fn there_is_a_try_more_before_the_time_is_up_and_no_burst_of_them() {
    let next = |left_s| {
        let failed = outcome(Code::Overloaded, Stage::Warm, None);
        Patience::default().next(&failed, 9, Duration::from_secs(left_s), 0.0)
    };
    assert_eq!(next(20), seconds(10.0));
    assert_eq!(next(10), seconds(30.0), "it was tried a moment ago");
}

proptest! {
    /// Whatever is asked for, a pause is never shorter than a provider's own word, nor so long that the time is up while
    /// there is time for another try.
    #[test]
    fn a_pause_obeys_and_ends_in_time(
        code in 0..Code::ALL.len(), stage in 0..Stage::ALL.len(), reset in prop::option::of(0_i64..4_000),
        failures in 0_u32..50, left_s in 1_u64..2_000, jitter in -1.0..2.0_f64,
    ) {
        let (code, stage, left) = (Code::ALL[code], Stage::ALL[stage], Duration::from_secs(left_s));
        match Patience::default().next(&outcome(code, stage, reset), failures, left, jitter) {
            Next::Never => prop_assert_eq!(code.cure(), Cure::Person),
            Next::TooLate(after) => prop_assert!(after >= left),
            Next::After(pause) => {
                let asked = reset.map(|seconds| Duration::from_secs(seconds.unsigned_abs()));
                prop_assert!(code == Code::Loading || asked.is_none_or(|asked| pause >= asked), "{:?}", pause);
                prop_assert!(pause < left || left / 2 < pause / 4, "{:?} of {:?}", pause, left);
                prop_assert!(pause >= Duration::from_millis(100), "{:?}", pause);
            }
        }
    }
}
