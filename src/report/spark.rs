//! First-token times as a row of little columns, the newest at the right.
//!
//! The heights mean the same in every row and at any time, so that two LLMs can be compared: a scale of a row's own would
//! blow the jitter of a warm LLM up to mountains. They are logarithmic, because a cold start takes a hundred times as
//! long as a warm answer.

use super::Marks;

/// Where the next height begins, in milliseconds; each is about 2.7 times the last.
const STEPS: [f64; 7] = [125.0, 350.0, 1_000.0, 3_000.0, 8_000.0, 20_000.0, 60_000.0];
const UNICODE: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 8] = ['.', ':', '-', '=', '+', '*', '%', '@'];

/// The times, in milliseconds and the oldest first, as one character each.
pub(super) fn spark(times: impl IntoIterator<Item = f64>, marks: Marks) -> String {
    let heights = match marks {
        Marks::Unicode => UNICODE,
        Marks::Ascii => ASCII,
    };
    let height = |time: f64| {
        let steps = STEPS.iter().filter(|step| time >= **step).count();
        heights.get(steps).copied().unwrap_or(' ')
    };
    times.into_iter().map(height).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cold_start_stands_out_of_warm_answers() {
        let times = [320.0, 410.0, 290.0, 74_300.0, 300.0];
        assert_eq!(spark(times, Marks::Unicode), "▂▃▂█▂");
        assert_eq!(spark(times, Marks::Ascii), ":-:@:");
    }

    #[test]
    fn every_height_has_its_place() {
        let times = [0.0, 125.0, 350.0, 1_000.0, 3_000.0, 8_000.0, 20_000.0, 60_000.0];
        assert_eq!(spark(times, Marks::Unicode), "▁▂▃▄▅▆▇█");
        assert_eq!(spark(times, Marks::Ascii), ".:-=+*%@");
    }

    #[test]
    fn what_an_edited_store_may_hold_does_no_harm() {
        assert_eq!(spark([f64::NAN, -1.0, f64::INFINITY, f64::MAX], Marks::Unicode), "▁▁██");
        assert_eq!(spark([], Marks::Unicode), "");
    }
}
