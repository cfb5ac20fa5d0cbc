//! What a provider says of its limits: a JSON body of any family's free endpoint, the same as Synthetic's header, and
//! further headers, a line each as `name: value` behind the first line. Readings stay few, finite and not negative.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use pilotlight::outcome::Reading;
use pilotlight::probe::transport::Head;
use pilotlight::probe::wire::quota::{body, headers};
use pilotlight::target::Family;

const FAMILIES: [Family; 12] = [
    Family::Synthetic,
    Family::Zai,
    Family::OpenRouter,
    Family::DeepSeek,
    Family::Moonshot,
    Family::OpenAi,
    Family::Anthropic,
    Family::Groq,
    Family::Together,
    Family::Fireworks,
    Family::Mistral,
    Family::Generic,
];

fn check(readings: &[Reading], now: Timestamp) {
    assert!(readings.len() <= 16);
    for (place, reading) in readings.iter().enumerate() {
        let numbers = [reading.remaining, reading.max, reading.gives].into_iter().flatten();
        assert!(numbers.into_iter().all(|number| number.is_finite() && number >= 0.0), "{reading:?}");
        assert!(reading.next.is_none_or(|next| next >= now), "{reading:?}");
        assert!(readings[..place].iter().all(|other| other.window != reading.window), "{reading:?}");
    }
}

fuzz_target!(|input: &str| {
    let mut lines = input.lines();
    let first = lines.next().unwrap_or_default();
    let more = lines.filter_map(|line| line.split_once(": "));
    let head = Head {
        status: 200,
        headers: [("x-synthetic-quotas", first)]
            .into_iter()
            .chain(more)
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
    };
    let value = serde_json::from_str(first).unwrap_or_default();
    for second in [1_790_683_200, -377_705_023_201, 253_402_207_200] {
        let now = Timestamp::from_second(second).unwrap();
        for family in FAMILIES {
            check(&body(family, &value, now), now);
            check(&headers(family, &head, now), now);
        }
    }
});
