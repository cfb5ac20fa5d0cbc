//! The judgement of gates: beside a brute-force oracle over all small gates, and as properties.

use super::{Accepts, Gate, GateStanding, How, Known};
use crate::target::TargetId;

fn id(number: usize) -> TargetId {
    TargetId::new(&format!("t{number}")).unwrap()
}

fn ids(count: usize) -> Vec<TargetId> {
    (0..count).map(id).collect()
}

/// Every gate of up to four targets.
fn gates() -> Vec<Gate> {
    let mut gates = Vec::new();
    for count in 1..=4 {
        let of = ids(count);
        gates.push(Gate::MainWithFallback { main: id(0), fallback: of[1..].to_vec() });
        gates.push(Gate::Any(of.clone()));
        gates.push(Gate::All(of.clone()));
        gates.extend((1..=count).map(|n| Gate::AtLeast { n, of: of.clone() }));
    }
    gates
}

/// Everything that can be known of so many targets.
fn worlds(count: usize) -> Vec<Vec<Known>> {
    (0..count).fold(vec![Vec::new()], |worlds, _| {
        let next = |world: &Vec<Known>| Known::ALL.map(|known| [world.clone(), vec![known]].concat());
        worlds.iter().flat_map(next).collect()
    })
}

fn each(mut check: impl FnMut(&Gate, &[Known], Accepts)) {
    for gate in gates() {
        for world in worlds(gate.targets().len()) {
            for accepts in [Accepts::Fallback, Accepts::MainFirst] {
                check(&gate, &world, accepts);
            }
        }
    }
}

/// How many have to be ready, where it only matters how many.
fn needed(gate: &Gate) -> Option<usize> {
    match gate {
        Gate::MainWithFallback { .. } => None,
        Gate::Any(_) => Some(1),
        Gate::All(of) => Some(of.len()),
        Gate::AtLeast { n, .. } => Some(*n),
    }
}

#[test]
fn it_is_what_trying_every_future_says() {
    each(|gate, world, accepts| {
        let standing = gate.judge(world, accepts);
        let ready = world.iter().filter(|known| known.is_ready()).count();
        // The best that can still come: all that are not barred become ready.
        let best = world.iter().filter(|known| **known != Known::Barred).count();
        let (open, can_open) = match needed(gate) {
            Some(n) => (ready >= n, best >= n),
            None => {
                let fallback = world[1..].iter().any(|known| known.is_ready());
                let main_is_out = match accepts {
                    Accepts::Fallback => matches!(world[0], Known::Barred | Known::Failing),
                    Accepts::MainFirst => world[0] == Known::Barred,
                };
                (world[0].is_ready() || (fallback && main_is_out), best >= 1)
            }
        };
        let expected = (open, !open && can_open);
        let found = (matches!(standing, GateStanding::Open { .. }), matches!(standing, GateStanding::Waiting(_)));
        assert_eq!(found, expected, "{gate:?} {world:?} {accepts:?}: {standing:?}");
    });
}

#[test]
fn a_target_that_becomes_ready_never_closes_a_gate_and_one_that_is_barred_never_carries_it() {
    each(|gate, world, accepts| {
        let before = gate.judge(world, accepts);
        if let GateStanding::Open { through, .. } = &before {
            assert!(through.iter().all(|place| world[*place].is_ready()), "{gate:?} {world:?}");
        }
        for place in 0..world.len() {
            let mut after = world.to_vec();
            after[place] = Known::Ready;
            let better = gate.judge(&after, accepts);
            if matches!(before, GateStanding::Open { .. }) {
                assert!(matches!(better, GateStanding::Open { .. }), "{gate:?} {world:?} {place}");
            }
            assert!(!matches!((&before, &better), (GateStanding::Waiting(_), GateStanding::Shut(_))));
            after[place] = Known::Barred;
            let worse = gate.judge(&after, accepts);
            // A main target that is out lets a fallback in that is ready; nothing else opens by a failure.
            let lets_in = matches!(gate, Gate::MainWithFallback { .. }) && place == 0;
            if !lets_in && !matches!(before, GateStanding::Open { .. }) {
                assert!(!matches!(worse, GateStanding::Open { .. }), "{gate:?} {world:?} {place}");
            }
        }
    });
}

#[test]
fn whoever_is_asked_can_help_and_no_more_are_asked_than_are_missing() {
    each(|gate, world, accepts| {
        let GateStanding::Waiting(asked) = gate.judge(world, accepts) else { return };
        assert!(!asked.is_empty(), "{gate:?} {world:?}: nobody would end this wait");
        let of = |place: &usize| world[*place];
        assert!(asked.iter().all(|place| !of(place).is_ready() && of(place) != Known::Barred));
        let fresh = asked.iter().filter(|place| of(place) == Known::Nothing).count();
        let ready = world.iter().filter(|known| known.is_ready()).count();
        assert!(fresh <= needed(gate).map_or(1, |n| n - ready), "{gate:?} {world:?}: {asked:?}");
        // Whoever failed is asked again, unless only the main target is still wanted.
        let failing = world.iter().filter(|known| matches!(known, Known::Failing | Known::Slow)).count();
        let again = asked.iter().filter(|place| matches!(of(place), Known::Failing | Known::Slow)).count();
        assert!(again == failing || asked == [0], "{gate:?} {world:?}: {asked:?}");
    });
}

#[test]
fn when_the_time_is_up_a_fallback_will_do_and_nothing_else_changes() {
    for gate in gates() {
        for world in worlds(gate.targets().len()) {
            let late = gate.judge_late(&world);
            match gate.judge(&world, Accepts::MainFirst) {
                GateStanding::Waiting(_) if matches!(gate, Gate::MainWithFallback { .. }) => {
                    let fallback = world[1..].iter().any(|known| known.is_ready());
                    let open = matches!(late, GateStanding::Open { how: How::Fallback, .. });
                    assert_eq!(open, fallback, "{gate:?} {world:?}");
                }
                GateStanding::Waiting(_) => assert!(matches!(late, GateStanding::Waiting(_))),
                settled => assert_eq!(late, settled),
            }
        }
    }
}

#[test]
fn the_main_target_is_waited_for_while_it_answers_slowly_and_not_once_it_has_failed() {
    let gate = Gate::MainWithFallback { main: id(0), fallback: vec![id(1), id(2)] };
    let lenient = |world: [Known; 3]| gate.judge(&world, Accepts::Fallback);
    let fallback = |place| GateStanding::Open { how: How::Fallback, through: vec![place] };
    let waiting = |asked: &[usize]| GateStanding::Waiting(asked.to_vec());
    use Known::{Barred, Failing, Impaired, Nothing, Ready, Slow};
    assert_eq!(lenient([Nothing, Nothing, Nothing]), waiting(&[0]));
    assert_eq!(lenient([Slow, Nothing, Nothing]), waiting(&[0, 1]));
    assert_eq!(lenient([Slow, Ready, Nothing]), waiting(&[0]));
    assert_eq!(lenient([Failing, Slow, Nothing]), waiting(&[0, 1, 2]));
    assert_eq!(lenient([Failing, Slow, Ready]), fallback(2));
    assert_eq!(lenient([Impaired, Ready, Ready]), GateStanding::Open { how: How::Impaired, through: vec![0] });
    assert_eq!(gate.judge(&[Failing, Ready, Nothing], Accepts::MainFirst), waiting(&[0]));
    assert_eq!(gate.judge(&[Barred, Ready, Nothing], Accepts::MainFirst), fallback(1));
    assert_eq!(lenient([Barred, Barred, Barred]), GateStanding::Shut(vec![0, 1, 2]));
}
