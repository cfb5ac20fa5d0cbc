//! Events for the warming policy, a line each, and between them the time that passes. Whatever is told, a malformed line
//! changes nothing, gaps stay within their bounds, chances are chances, and what is kept comes back to the bit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pilotlight::warmth::{Filter, Keeper, Restored, Settings, Visibility, error_line};
use serde_json::Value;

fuzz_target!(|input: &str| {
    let settings = Settings::default();
    let mut filter = Filter::new(settings, Visibility::Shared);
    for (number, text) in (1..).zip(input.lines()) {
        let before = filter.keeper().clone();
        let line = match filter.answer(text) {
            Ok(line) => line,
            Err(error) => {
                assert_eq!(filter.keeper(), &before, "a malformed line changed something");
                let line = error_line(&error, number);
                let told: Value = serde_json::from_str(&line).unwrap();
                assert!(told["error"].is_string() && told["line"] == number && line.len() < 200);
                continue;
            }
        };
        assert!(!line.contains('\n') && line.len() < 2_000);
        let answer: Value = serde_json::from_str(&line).unwrap();
        if let Some(gap) = answer["next_gap_s"].as_f64() {
            assert!((120.0..=14_400.0).contains(&gap), "{line}");
        }
        for field in ["p_cold", "p_unloaded", "never", "cold_share"] {
            assert!(answer[field].as_f64().is_some_and(|chance| (0.0..=1.0).contains(&chance)), "{field}: {line}");
        }
        let timeout = &answer["idle_timeout_s"];
        let [low, mode, high] = ["low", "mode", "high"].map(|end| timeout[end].as_f64().unwrap());
        assert!(0.0 < low && low <= mode && mode <= high, "{line}");
    }
    let keeper = filter.keeper();
    let (again, restored) = Keeper::restore(&keeper.keep(), settings, []);
    assert_eq!((&again, restored), (keeper, Restored::AsKept));
});
