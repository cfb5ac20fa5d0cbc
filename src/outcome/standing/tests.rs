//! Damping, depth by depth.

use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn seen(second: i64, depth: Depth, verdict: Verdict, stage: Stage, code: Option<Code>) -> Seen {
    let target = TargetId::new("glm").unwrap();
    Seen { target, at: at(second), depth, stage, verdict, code, run_id: RunId::new("r") }
}

fn ready(second: i64, depth: Depth) -> Seen {
    seen(second, depth, Verdict::Ready, Stage::Warm, None)
}

fn failed(second: i64, depth: Depth, stage: Stage, code: Code) -> Seen {
    seen(second, depth, Verdict::Failed, stage, Some(code))
}

fn play(damping: Damping, seen: &[Seen]) -> (Standing, Vec<(Status, Status)>) {
    let mut standing = Standing::new(at(0));
    let flips = seen.iter().filter_map(|seen| standing.observe(seen, damping, Upkeep::None));
    let flips = flips.map(|flip| (flip.from, flip.to)).collect();
    (standing, flips)
}

#[test]
fn one_failure_is_no_outage_and_two_in_a_row_are() {
    let slow = |second| failed(second, Depth::Warm, Stage::Warm, Code::FirstTokenTimeout);
    let list = [ready(1, Depth::Warm), slow(2), ready(3, Depth::Warm), slow(4), slow(5), ready(6, Depth::Warm)];
    let (standing, flips) = play(Damping::default(), &list);
    assert_eq!(flips, [(Status::Unknown, Status::Up), (Status::Up, Status::Down), (Status::Down, Status::Up)]);
    assert_eq!((standing.status(), standing.since(), standing.code()), (Status::Up, at(6), None));
}

#[test]
fn coming_back_takes_as_many_successes_as_asked_for() {
    let refused = |second| failed(second, Depth::Auth, Stage::Connect, Code::ConnectRefused);
    let damping = Damping { fail_after: 1, recover_after: 2 };
    let list = [refused(1), ready(2, Depth::Auth), refused(3), ready(4, Depth::Auth), ready(5, Depth::Auth)];
    let (_, flips) = play(damping, &list);
    assert_eq!(flips, [(Status::Unknown, Status::Down), (Status::Down, Status::Up)]);
}

#[test]
fn an_accepted_key_does_not_cure_an_llm_that_will_not_load() {
    let slow = |second| failed(second, Depth::Warm, Stage::Warm, Code::FirstTokenTimeout);
    let list = [slow(1), ready(2, Depth::Auth), slow(3), ready(4, Depth::Auth), ready(5, Depth::Auth)];
    let (standing, flips) = play(Damping::default(), &list);
    assert_eq!(flips, [(Status::Unknown, Status::Down)]);
    assert_eq!(standing.code(), Some(Code::FirstTokenTimeout));
}

#[test]
fn a_connection_that_stands_disproves_that_it_broke() {
    let refused = |second| failed(second, Depth::Warm, Stage::Connect, Code::ConnectRefused);
    let (_, flips) = play(Damping::default(), &[refused(1), refused(2), ready(3, Depth::Auth)]);
    assert_eq!(flips, [(Status::Unknown, Status::Down), (Status::Down, Status::Up)]);
}

#[test]
fn a_generated_token_shows_that_the_key_is_accepted() {
    let refused = |second| failed(second, Depth::Auth, Stage::Authenticate, Code::KeyRefused);
    let (_, flips) = play(Damping::default(), &[refused(1), refused(2), ready(3, Depth::Warm)]);
    assert_eq!(flips.last(), Some(&(Status::Down, Status::Up)));
}

#[test]
fn one_cold_start_is_no_degradation_and_two_in_a_row_are() {
    let cold = |second| seen(second, Depth::Warm, Verdict::Degraded, Stage::Warm, Some(Code::ColdStart));
    let list = [cold(1), ready(2, Depth::Warm), cold(3), cold(4), ready(5, Depth::Auth), ready(6, Depth::Warm)];
    let (standing, flips) = play(Damping::default(), &list);
    assert_eq!(flips, [(Status::Unknown, Status::Up), (Status::Up, Status::Degraded), (Status::Degraded, Status::Up)]);
    assert_eq!(standing.code(), None);
}

#[test]
fn what_could_not_be_told_changes_nothing() {
    let refused = |second| failed(second, Depth::Auth, Stage::Connect, Code::ConnectTimeout);
    let offline = |second| seen(second, Depth::Auth, Verdict::Unknown, Stage::Connect, Some(Code::Offline));
    let (standing, flips) = play(Damping::default(), &[offline(1), refused(2), offline(3), refused(4), offline(5)]);
    assert_eq!(flips, [(Status::Unknown, Status::Down)]);
    assert_eq!(standing.failures(), 2);
}

#[test]
fn maintenance_is_not_held_against_a_target() {
    let mut standing = Standing::new(at(0));
    let damping = Damping::default();
    let refused = |second| failed(second, Depth::Auth, Stage::Connect, Code::ConnectRefused);
    standing.observe(&ready(1, Depth::Auth), damping, Upkeep::None);
    let flip = standing.observe(&refused(2), damping, Upkeep::Maintained).unwrap();
    assert_eq!((flip.from, flip.to), (Status::Up, Status::Maintenance));
    assert_eq!(standing.observe(&refused(3), damping, Upkeep::Maintained), None);
    let flip = standing.observe(&refused(4), damping, Upkeep::None).unwrap();
    assert_eq!(flip.to, Status::Unknown, "failures during maintenance do not count");
    assert_eq!(standing.observe(&refused(5), damping, Upkeep::None).unwrap().to, Status::Down);
}

#[test]
fn a_depth_that_is_no_longer_probed_cannot_hold_a_target_down() {
    let slow = |second| failed(second, Depth::Warm, Stage::Warm, Code::FirstTokenTimeout);
    let (mut standing, _) = play(Damping::default(), &[slow(1), slow(2)]);
    standing.keep(&[Depth::Auth]);
    let flip = standing.observe(&ready(3, Depth::Auth), Damping::default(), Upkeep::None).unwrap();
    assert_eq!(flip.to, Status::Up);
}

#[test]
fn it_is_the_same_after_the_store() {
    let slow = failed(1, Depth::Warm, Stage::Warm, Code::FirstTokenTimeout);
    let (standing, _) = play(Damping::default(), &[slow]);
    let text = serde_json::to_string(&standing).unwrap();
    assert_eq!(serde_json::from_str::<Standing>(&text).unwrap(), standing);
}

proptest! {
    /// Whatever happens: it goes down only after so many failures in a row of one depth, and up again as soon as
    /// a probe of the greatest depth has succeeded often enough.
    #[test]
    fn damping_holds(
        events in prop::collection::vec((0usize..3, 0usize..4, 0usize..7), 1..60),
        fail_after in 1u32..4,
        recover_after in 1u32..4,
    ) {
        let damping = Damping { fail_after, recover_after };
        let mut standing = Standing::new(at(0));
        let mut failures = [0; 3];
        for (index, (place, verdict, stage)) in events.into_iter().enumerate() {
            let (depth, verdict, stage) = (Depth::ALL[place], Verdict::ALL[verdict], Stage::ALL[stage]);
            failures[place] += u32::from(verdict == Verdict::Failed);
            let seen = seen(i64::try_from(index).unwrap(), depth, verdict, stage, None);
            if let Some(flip) = standing.observe(&seen, damping, Upkeep::None) {
                prop_assert_ne!(flip.from, flip.to);
                if flip.to == Status::Down {
                    // Failures of another depth that were not disproved meanwhile count on after a recovery.
                    prop_assert!(failures[place] >= fail_after);
                    prop_assert_eq!(verdict, Verdict::Failed);
                }
            }
        }
        for second in 100..100 + i64::from(recover_after) {
            standing.observe(&ready(second, Depth::Warm), damping, Upkeep::None);
        }
        prop_assert_eq!(standing.status(), Status::Up);
    }
}
