//! Laws: whatever providers answer, clocks do and processes suffer, the ledger keeps within its share, is never negative,
//! and never blocks for ever.

use proptest::prelude::*;

use super::*;

/// What happens to a ledger.
#[derive(Debug, Clone)]
enum Happening {
    /// Time passes, and the wall clock is set by so much besides.
    Pass { seconds: u32, set_by: i64 },
    /// A warm-up is wished for; it costs so many times what was thought, if it is sent.
    Warm { times: f64 },
    /// The provider says something.
    Reads { remaining: f64, max: f64, next_s: i64, limited: bool },
    /// It refuses.
    Refuses { reset_s: Option<f64> },
    /// The process ends, and begins again; the machine too, perhaps.
    Restarts { boot: bool },
}

fn happening() -> impl Strategy<Value = Happening> {
    let any_number = prop_oneof![0.0..1000.0, Just(0.0), Just(f64::NAN), Just(f64::INFINITY), Just(-5.0), Just(1e300)];
    prop_oneof![
        4 => (0_u32..4000, prop_oneof![6 => Just(0_i64), 1 => -100_000_000_i64..100_000_000])
            .prop_map(|(seconds, set_by)| Happening::Pass { seconds, set_by }),
        8 => prop_oneof![8 => Just(1.0), 1 => Just(0.0), 1 => 0.0..3.0]
            .prop_map(|times| Happening::Warm { times }),
        1 => (any_number.clone(), any_number.clone(), -10_000_i64..1_000_000, any::<bool>())
            .prop_map(|(remaining, max, next_s, limited)| Happening::Reads { remaining, max, next_s, limited }),
        1 => proptest::option::of(any_number).prop_map(|reset_s| Happening::Refuses { reset_s }),
        1 => any::<bool>().prop_map(|boot| Happening::Restarts { boot }),
    ]
}

/// A machine with its two clocks and the truth.
struct Machine {
    real_ms: u64,
    set_ms: i64,
    boot: u64,
    booted_ms: u64,
}

impl Machine {
    fn stamp(&self) -> Stamp {
        let wall_ms = 1_795_046_400_000 + i64::try_from(self.real_ms).unwrap() + self.set_ms;
        Stamp { wall_ms, steady: Some(Steady { boot: self.boot, ms: self.real_ms - self.booted_ms }) }
    }
}

proptest! {
    #[test]
    fn the_share_is_never_exceeded_and_nothing_is_ever_negative(
        happenings in proptest::collection::vec(happening(), 1..120),
        share in 1_u8..=100,
    ) {
        let settings = QuotaSettings { share: Percent::new(share).unwrap(), ..synthetic() };
        let mut machine = Machine { real_ms: 0, set_ms: 0, boot: 1, booted_ms: 0 };
        let mut ledger = Ledger::new(machine.stamp());
        let (mut spent, mut dearest) = (0.0, 1.0_f64);
        // What the wall made us believe across reboots is believed: there is no other clock.
        let mut believed_s = 0.0;
        let mut before = machine.stamp();
        for happening in happenings {
            match happening {
                Happening::Pass { seconds, set_by } => {
                    machine.real_ms += u64::from(seconds) * 1000;
                    machine.set_ms += set_by;
                }
                Happening::Warm { times } => {
                    if let Ok(grant) = ledger.ask(&settings, &wish(), machine.stamp()) {
                        let cost = Charge { requests: times, tokens: 30.0, usd: None };
                        ledger.settle(&settings, grant, (times > 0.0).then_some(cost), machine.stamp());
                        spent += times;
                        dearest = dearest.max(times);
                    }
                }
                Happening::Reads { remaining, max, next_s, limited } => {
                    let next = Timestamp::from_millisecond(machine.stamp().wall_ms + next_s * 1000).ok();
                    let limited = if limited { Limited::Yes } else { Limited::No };
                    let reading = Reading { next, limited, ..reading(WindowName::FIVE_HOUR, Unit::Requests, remaining, max) };
                    ledger.learn(&settings, &[reading], machine.stamp());
                }
                Happening::Refuses { reset_s } => ledger.refused(&settings, reset_s, machine.stamp()),
                Happening::Restarts { boot } => {
                    if boot {
                        machine.boot += 1;
                        machine.booted_ms = machine.real_ms;
                    }
                    let text = ledger.to_json();
                    let read = Ledger::from_json(&text);
                    prop_assert!(read.is_some(), "{}", text);
                    ledger = read.unwrap();
                }
            }
            believed_s += machine.stamp().since(before);
            before = machine.stamp();
            ledger.learn(&settings, &[], machine.stamp());
            for window in [WindowName::FIVE_HOUR, WindowName::WEEK] {
                prop_assert!(ledger.share_left(&window).is_none_or(|left| left >= 0.0));
            }
            prop_assert!(ledger.left(&settings).all(|left| left.remaining >= 0.0));
            // A tick's worth at the beginning, one for each tick since, and the excess of the one probe that turned out
            // dearer than it was thought.
            let ticks = (believed_s / 900.0 + 1e-6).floor() + 1.0;
            let may = ticks * 25.0 * settings.share.fraction() + dearest;
            prop_assert!(spent <= may + 1e-6, "{spent} of {may} after {believed_s} s");
        }
        // Whatever was said, within 40 days of silence from the provider a warm-up is made again.
        let mut waited = 0;
        while let Err(withheld) = ledger.ask(&settings, &wish(), machine.stamp()) {
            prop_assert!(withheld.until_s.is_some_and(|seconds| seconds >= 0.0), "{}", withheld);
            machine.real_ms += 900_000;
            waited += 1;
            prop_assert!(waited < 40 * 96, "{}", withheld);
        }
    }
}
