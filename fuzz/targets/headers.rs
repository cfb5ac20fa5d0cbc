//! Response headers, a line each as `name: value`, and each value as a moment: a wait is at most 40 days.
#![no_main]

use std::time::Duration;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use pilotlight::probe::transport::Head;
use pilotlight::probe::wire::error_body::ErrorFacts;
use pilotlight::probe::wire::reset::{parse_moment, reset};
use pilotlight::target::Family;

const LONGEST: Duration = Duration::from_secs(40 * 86400);

fuzz_target!(|input: &str| {
    let headers: Vec<(String, String)> = input
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let now = Timestamp::from_second(1_790_683_200).unwrap();
    for now in [now, Timestamp::MIN, Timestamp::MAX] {
        for (_, value) in &headers {
            assert!(parse_moment(value, now).is_none_or(|wait| wait <= LONGEST));
        }
    }
    // The last line doubles as prose, where Z.AI and others write when a limit ends.
    let message = input.lines().last().map(str::to_owned);
    let facts = ErrorFacts { message, ..ErrorFacts::default() };
    let head = Head { status: 429, headers };
    for family in [Family::Generic, Family::Zai] {
        assert!(reset(&head, &facts, family, now).is_none_or(|reset| reset.after <= LONGEST));
    }
});
