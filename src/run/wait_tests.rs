//! Waits over a scripted network, in paused time: who is asked when, what opens a gate, and what ends a wait at once.

use std::sync::Arc;
use std::time::Duration;

use super::wait_world::{
    FAILS, Meets, Nobody, Panic, READY, REFUSED, Silence, Status, Wait, ids, main_with, ready_after,
};
use crate::outcome::{Code, Event, GateState, Outcome, Verdict, Warmth, judge};
use crate::plan::{Accepts, Gate};
use crate::target::Depth;

#[tokio::test(start_paused = true)]
async fn it_notices_the_moment_a_model_answers() {
    let came = Wait::of(Gate::All(ids(&["a", "b"])), &[("a", &[READY]), ("b", &[ready_after(7.0)])]).ends().await;
    assert_eq!(came.states(), [GateState::Open]);
    assert!((7.0..7.05).contains(&came.took), "{}", came.took);
    assert_eq!(came.dials.len(), 2);
    assert_eq!(came.says(), "all 2 are ready");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_starts_is_noticed_within_seconds_and_a_loading_one_reports_what_it_cost() {
    let starting = [&[Nobody; 20][..], &[ready_after(42.0)]].concat();
    let came = Wait::of(Gate::All(ids(&["a"])), &[("a", &starting)]).ends().await;
    assert_eq!((came.states(), came.dials.len()), (vec![GateState::Open], 21));
    let gaps: Vec<f64> = came.dials.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
    assert!(gaps.iter().all(|gap| (0.1..2.01).contains(gap)), "{gaps:?}");
    let outcome = &came.waited.outcomes[0];
    assert_eq!((outcome.warmth, judge(outcome)), (Warmth::Cold, Verdict::Degraded));
    assert_eq!(came.says(), "a is ready after a cold start of 42.0s");
    // The attempts and the time of all of them.
    assert_eq!(outcome.attempts, 21);
    assert!(outcome.timings.total > Duration::from_secs(42));
}

#[tokio::test(start_paused = true)]
async fn it_gives_up_within_one_probe_where_nothing_heals_by_waiting() {
    for (gate, scripts) in [
        (Gate::All(ids(&["a", "b"])), [("a", &[REFUSED][..]), ("b", &[Silence][..])]),
        (Gate::Any(ids(&["a", "b"])), [("a", &[REFUSED]), ("b", &[REFUSED])]),
        (Gate::AtLeast { n: 2, of: ids(&["a", "b"]) }, [("a", &[REFUSED]), ("b", &[Silence])]),
    ] {
        let came = Wait::of(gate, &scripts).ends().await;
        assert_eq!(came.states(), [GateState::Shut]);
        assert!(came.took < 0.1, "{}", came.took);
        assert_eq!(came.asked("a").len(), 1);
        assert_eq!(came.held_by()[0], "a");
        assert!(came.says().starts_with("cannot open: "), "{}", came.says());
        assert!(came.says().contains("a (key-refused at warm)"), "{}", came.says());
    }
}

#[tokio::test(start_paused = true)]
async fn where_another_way_is_left_the_incurable_one_is_never_asked_again() {
    let slow = [FAILS, FAILS, READY];
    let came = Wait::of(Gate::Any(ids(&["a", "b"])), &[("a", &[REFUSED]), ("b", &slow)]).ends().await;
    assert_eq!(came.states(), [GateState::Open]);
    assert_eq!((came.asked("a").len(), came.asked("b").len()), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_key_is_refused_once_for_all_targets_of_its_provider() {
    // Two targets at the provider `main`.
    let came =
        Wait { shared: true, ..Wait::of(main_with(&["x"]), &[("main", &[REFUSED]), ("x", &[READY])]) }.ends().await;
    assert_eq!((came.states(), came.dials.len()), (vec![GateState::Shut], 1));
    assert_eq!(came.says(), "cannot open: main (key-refused at warm), x (like main: key-refused at warm)");
    assert_eq!(came.waited.outcomes.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_bars_a_provider_stops_those_that_wait_for_their_turn_there() {
    let names: Vec<String> = (0..40).map(|number| format!("t{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let scripts: Vec<(&str, &[Meets])> = names.iter().map(|name| (*name, &[READY][..])).collect();
    // There is no key, and all 40 are asked at once, within the provider's 4 places.
    let came = Wait { shared: true, depth: Depth::Auth, ..Wait::of(Gate::Any(ids(&names)), &scripts) }.ends().await;
    assert_eq!(came.states(), [GateState::Shut]);
    let asked = came.waited.outcomes.len();
    assert!(asked <= 8, "{asked} were asked");
    assert!(came.waited.unneeded.is_empty(), "one that was never asked is no part of the report");
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_a_barred_target_is_lacking_too() {
    let scripts: [(&str, &[Meets]); 2] = [("main", &[REFUSED]), ("x", &[FAILS])];
    let came = Wait::of(main_with(&["x"]), &scripts).ends().await;
    assert_eq!((came.states(), came.held_by()), (vec![GateState::Late], vec!["main", "x"]));
    let says = "not open after 10m: still without main (key-refused at warm), x (upstream-failed at warm)";
    assert_eq!(came.says(), says);
}

#[tokio::test(start_paused = true)]
async fn a_silent_load_does_not_keep_the_others_of_its_provider_from_their_turn() {
    // Nine are silent, and the tenth would answer; the provider has four places.
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let meets = [&[Silence; 9][..], &[READY]].concat();
    let scripts = names.map(|name| (name, &meets[..]));
    let came = Wait { shared: true, ..Wait::of(Gate::Any(ids(&names)), &scripts) }.ends().await;
    assert_eq!((came.states(), came.dials.len()), (vec![GateState::Open], 10));
    assert!((18.0..18.1).contains(&came.took), "{}", came.took);
    // Where all are needed nobody goes beyond the limit.
    let came = Wait { shared: true, deadline: 100, ..Wait::of(Gate::All(ids(&names)), &scripts) }.ends().await;
    assert_eq!((came.states(), came.dials.len()), (vec![GateState::Late], 4));
}

#[tokio::test(start_paused = true)]
async fn the_next_one_is_asked_well_before_a_short_deadline() {
    let scripts: [(&str, &[Meets]); 2] = [("main", &[Silence]), ("x", &[READY])];
    let came = Wait { deadline: 3, ..Wait::of(main_with(&["x"]), &scripts) }.ends().await;
    assert_eq!(came.states(), [GateState::Degraded]);
    assert!((1.0..1.05).contains(&came.asked("x")[0]), "{:?}", came.dials);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_probe_is_incurable_and_ends_nothing_else() {
    let came = Wait::of(Gate::Any(ids(&["a", "b"])), &[("a", &[Panic]), ("b", &[READY])]).ends().await;
    assert_eq!(came.states(), [GateState::Open]);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed() {
    let came = Wait::of(Gate::All(ids(&["a"])), &[("a", &[Status(0.0, 429, Some(90)), READY])]).ends().await;
    assert_eq!(came.states(), [GateState::Open]);
    let [first, second] = came.asked("a")[..] else { panic!("{:?}", came.dials) };
    assert!((90.0..=92.1).contains(&(second - first)), "{first} {second}");
}

#[tokio::test(start_paused = true)]
async fn a_window_that_comes_back_too_late_is_not_waited_for() {
    let late = [Status(0.0, 429, Some(3 * 3600))];
    let came = Wait::of(Gate::All(ids(&["a"])), &[("a", &late)]).ends().await;
    assert_eq!((came.states(), came.dials.len()), (vec![GateState::Shut], 1));
    assert!(came.took < 0.1, "{}", came.took);
    assert!(came.says().contains("it comes back in 3h, and the deadline is in 10m"), "{}", came.says());
    // Where another way remains, that one is waited for.
    let came = Wait::of(Gate::Any(ids(&["a", "b"])), &[("a", &late), ("b", &[ready_after(100.0)])]).ends().await;
    assert_eq!((came.states(), came.asked("a").len()), (vec![GateState::Open], 1));
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_and_the_deadline_ends_it() {
    let came = Wait::of(Gate::All(ids(&["a"])), &[("a", &[FAILS])]).ends().await;
    assert_eq!(came.states(), [GateState::Late]);
    assert!((600.0..600.05).contains(&came.took), "{}", came.took);
    assert!((20..45).contains(&came.dials.len()), "{} requests in ten minutes", came.dials.len());
    assert_eq!(came.held_by(), ["a"]);
    assert!(
        came.says().starts_with("not open after 10m: still without a (upstream-failed at warm)"),
        "{}",
        came.says()
    );
    // The first is news, the others are not.
    let told = came.events.iter().filter(|event| matches!(event, Event::Finished(_))).count();
    let alike = came.events.iter().filter(|event| matches!(event, Event::FinishedAlike(_))).count();
    assert_eq!((told, alike), (1, came.dials.len() - 1));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_silent_until_the_deadline_is_too_slow() {
    let came = Wait { deadline: 60, ..Wait::of(Gate::All(ids(&["a"])), &[("a", &[Silence])]) }.ends().await;
    assert_eq!(came.states(), [GateState::Late]);
    assert!((60.0..60.05).contains(&came.took), "{}", came.took);
    let diagnosis = came.waited.outcomes[0].diagnosis.clone().unwrap();
    assert_eq!(diagnosis.code, Code::FirstTokenTimeout);
    assert!(diagnosis.remedy.contains("--deadline"), "{}", diagnosis.remedy);
}

#[tokio::test(start_paused = true)]
async fn one_that_says_that_it_loads_until_the_deadline_is_loading() {
    let loads = Status(0.0, 503, None);
    for script in [&[loads][..], &[loads, loads, Silence]] {
        let came = Wait { deadline: 20, ..Wait::of(Gate::All(ids(&["a"])), &[("a", script)]) }.ends().await;
        assert_eq!(came.states(), [GateState::Late]);
        assert_eq!(came.waited.outcomes[0].diagnosis.as_ref().unwrap().code, Code::Loading);
        assert!(came.says().ends_with("still without a (loading at warm)"), "{}", came.says());
    }
    let came = Wait::of(Gate::All(ids(&["a"])), &[("a", &[loads, loads, loads, loads, READY])]).ends().await;
    // The pauses between its attempts count, which are 3.75 to 7.5 seconds.
    let says = came.says().strip_prefix("a is ready after a cold start of ").unwrap();
    assert!((3.7..7.6).contains(&says.trim_end_matches('s').parse::<f64>().unwrap()), "{says}");
}

#[tokio::test(start_paused = true)]
async fn what_answers_after_its_cold_start_is_given_up_once_was_cold() {
    let came = Wait::of(Gate::All(ids(&["a"])), &[("a", &[Silence, READY])]).ends().await;
    assert_eq!(came.states(), [GateState::Open]);
    let outcome = &came.waited.outcomes[0];
    assert_eq!((outcome.warmth, outcome.warnings[0].code), (Warmth::Cold, Code::ColdStart));
    assert!(came.says().starts_with("a is ready after a cold start of 3m"), "{}", came.says());
}

#[tokio::test(start_paused = true)]
async fn a_main_target_that_is_ready_costs_one_request() {
    let came = Wait::of(main_with(&["x"]), &[("main", &[ready_after(9.0)]), ("x", &[READY])]).ends().await;
    assert_eq!((came.states(), came.dials.len()), (vec![GateState::Open], 1));
    assert_eq!(came.says(), "main is ready");
}

#[tokio::test(start_paused = true)]
async fn a_fallback_opens_the_gate_when_the_main_target_has_failed() {
    let came = Wait::of(main_with(&["x", "y"]), &[("main", &[FAILS]), ("x", &[READY]), ("y", &[READY])]).ends().await;
    assert_eq!(came.states(), [GateState::Degraded]);
    assert!(came.took < 0.1, "{}", came.took);
    assert_eq!(came.says(), "x is ready in place of main (upstream-failed at warm)");
    assert!(came.asked("y").is_empty(), "one fallback was enough");
}

#[tokio::test(start_paused = true)]
async fn a_main_target_that_loads_is_waited_for_and_its_fallback_is_ready_meanwhile() {
    let scripts: [(&str, &[Meets]); 2] = [("main", &[ready_after(30.0)]), ("x", &[READY])];
    let came = Wait::of(main_with(&["x"]), &scripts).ends().await;
    assert_eq!(came.states(), [GateState::Open]);
    assert!((30.0..30.05).contains(&came.took), "{}", came.took);
    assert!((10.0..10.05).contains(&came.asked("x")[0]), "when the main one took longer than a warm one");
    // It never comes: the fallback opens the gate when its cold start is over, or the time is.
    let scripts: [(&str, &[Meets]); 2] = [("main", &[Silence]), ("x", &[READY])];
    for (deadline, at) in [(600, 180.0), (60, 60.0)] {
        let came = Wait { deadline, ..Wait::of(main_with(&["x"]), &scripts) }.ends().await;
        assert_eq!(came.states(), [GateState::Degraded]);
        assert!((at..at + 0.05).contains(&came.took), "{}", came.took);
    }
}

#[tokio::test(start_paused = true)]
async fn strictly_the_main_target_is_waited_for() {
    let strict = |scripts| Wait { accepts: Accepts::MainFirst, ..Wait::of(main_with(&["x"]), scripts) };
    let came = strict(&[("main", &[FAILS, FAILS, READY]), ("x", &[READY])]).ends().await;
    assert_eq!((came.states(), came.asked("x").len()), (vec![GateState::Open], 1));
    let came = strict(&[("main", &[FAILS]), ("x", &[READY])]).ends().await;
    assert_eq!(came.states(), [GateState::Degraded]);
    assert!(came.took >= 600.0, "until the deadline");
    let came = strict(&[("main", &[REFUSED]), ("x", &[READY])]).ends().await;
    assert_eq!(came.states(), [GateState::Degraded]);
    assert!(came.took < 0.1, "a refused key does not heal");
}

fn ids_of(letters: &str) -> Vec<String> {
    letters.chars().map(String::from).collect()
}

#[tokio::test(start_paused = true)]
async fn a_quorum_asks_as_many_as_are_missing() {
    let two = || Gate::AtLeast { n: 2, of: ids(&["a", "b", "c", "d"]) };
    let scripts: [(&str, &[Meets]); 4] = [("a", &[READY]), ("b", &[READY]), ("c", &[READY]), ("d", &[READY])];
    let came = Wait::of(two(), &scripts).ends().await;
    assert_eq!((came.states(), came.dials.len()), (vec![GateState::Open], 2));
    assert_eq!(came.says(), "2 of 4 are ready: a, b");
    // One fails and one is slow: each lets another begin.
    let scripts: [(&str, &[Meets]); 4] = [("a", &[REFUSED]), ("b", &[Silence]), ("c", &[READY]), ("d", &[READY])];
    let came = Wait::of(two(), &scripts).ends().await;
    assert_eq!((came.states(), came.dials.len()), (vec![GateState::Open], 4));
    assert!((2.0..2.05).contains(&came.took), "{}", came.took);
    // The slow one was stopped then, and is no part of what was found.
    let names = |outcomes: &[Arc<Outcome>]| -> Vec<String> {
        outcomes.iter().map(|outcome| outcome.target.id.to_string()).collect()
    };
    assert_eq!((names(&came.waited.outcomes), names(&came.waited.unneeded)), (ids_of("acd"), ids_of("b")));
}

#[tokio::test(start_paused = true)]
async fn what_is_free_is_asked_all_at_once() {
    let scripts: [(&str, &[Meets]); 3] = [("a", &[Nobody]), ("b", &[Nobody]), ("c", &[READY])];
    let gate = Gate::Any(ids(&["a", "b", "c"]));
    let came = Wait { depth: Depth::Connect, ..Wait::of(gate, &scripts) }.ends().await;
    assert_eq!((came.states(), came.dials.len()), (vec![GateState::Open], 3));
    assert!(came.took < 0.1, "{}", came.took);
}

#[tokio::test(start_paused = true)]
async fn several_gates_must_all_open_and_a_shut_one_ends_it() {
    let scripts: [(&str, &[Meets]); 3] = [("a", &[READY]), ("b", &[ready_after(5.0)]), ("c", &[REFUSED])];
    let gates = |second: &[&str]| vec![Gate::All(ids(&["a"])), Gate::All(ids(second))];
    let came = Wait { gates: gates(&["a", "b"]), ..Wait::of(Gate::All(ids(&["a"])), &scripts) }.ends().await;
    assert_eq!(came.states(), [GateState::Open, GateState::Open]);
    assert_eq!(came.asked("a").len(), 1, "one probe tells both");
    let came = Wait { gates: gates(&["b", "c"]), ..Wait::of(Gate::All(ids(&["a"])), &scripts) }.ends().await;
    assert_eq!(came.states(), [GateState::Open, GateState::Shut]);
    assert!(came.took < 0.1, "{}", came.took);
    let gates = vec![Gate::All(ids(&["b"])), Gate::All(ids(&["c"]))];
    let came = Wait { gates, ..Wait::of(Gate::All(ids(&["a"])), &scripts) }.ends().await;
    assert_eq!(came.says(), "not waited for any more: g cannot open");
}

#[tokio::test(start_paused = true)]
async fn a_signal_ends_it_with_what_is_known() {
    let scripts: [(&str, &[Meets]); 3] = [("a", &[READY]), ("b", &[FAILS]), ("c", &[Silence])];
    let gate = Gate::All(ids(&["a", "b", "c"]));
    let came = Wait { signal: Some(5.0), ..Wait::of(gate, &scripts) }.ends().await;
    assert_eq!(came.states(), [GateState::Waiting]);
    assert!((5.0..5.05).contains(&came.took), "{}", came.took);
    let found: Vec<(Verdict, Option<Code>)> = came
        .waited
        .outcomes
        .iter()
        .map(|outcome| (judge(outcome), outcome.diagnosis.as_ref().map(|found| found.code)))
        .collect();
    let expected = [
        (Verdict::Ready, None),
        (Verdict::Failed, Some(Code::UpstreamFailed)),
        (Verdict::Unknown, Some(Code::Interrupted)),
    ];
    assert_eq!(found, expected);
    assert_eq!(came.says(), "1 ready, waits for b (upstream-failed at warm), c (interrupted at warm)");
}

#[tokio::test(start_paused = true)]
async fn a_gate_tells_each_of_its_changes_once() {
    let scripts: [(&str, &[Meets]); 2] = [("main", &[FAILS]), ("x", &[FAILS, FAILS, READY])];
    let came = Wait::of(main_with(&["x"]), &scripts).ends().await;
    let told: Vec<(GateState, &str)> = came
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Gate(news) => Some((news.state, news.says.as_str())),
            _ => None,
        })
        .collect();
    let expected = [
        (GateState::Waiting, "waits for main"),
        (GateState::Waiting, "waits for main (upstream-failed at warm), x"),
        (GateState::Degraded, "x is ready in place of main (upstream-failed at warm)"),
    ];
    assert_eq!(told, expected);
}
