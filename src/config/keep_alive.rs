//! For how long a model is to stay loaded after its last request: a duration, or the word for no end.

use std::time::Duration;

use super::mask::quote;
use super::values::{Problem, duration};
use crate::target::KeepAlive;

/// Shortest time for which a server is asked to keep an LLM. Less would unload it before anybody could use it.
const MIN_KEEP_ALIVE: Duration = Duration::from_secs(1);
/// The word for a time without an end.
pub(super) const FOREVER: &str = "forever";

/// How long Ollama keeps an LLM loaded.
pub(super) fn keep_alive(text: &str) -> Result<KeepAlive, Problem> {
    if text == FOREVER {
        return Ok(KeepAlive::Forever);
    }
    // Ollama's own spelling of "for ever" is any negative time.
    if text.starts_with('-') {
        return Err(Problem::new(format!("{} is not longer than zero", quote(text)))
            .fix("write `forever` to keep it until the server stops"));
    }
    let time = duration(text)?;
    if time < MIN_KEEP_ALIVE {
        return Err(Problem::new(format!("{} is shorter than a second", quote(text)))
            .fix("write `1s` at least, such as `30m`, or `forever`"));
    }
    Ok(KeepAlive::For(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_at_least_or_for_ever() {
        assert_eq!(keep_alive("1s"), Ok(KeepAlive::For(Duration::from_secs(1))));
        assert_eq!(keep_alive("forever"), Ok(KeepAlive::Forever));
        for (text, fix) in [("999ms", "`1s` at least"), ("1ns", "`1s` at least"), ("-1", "`forever`"), ("0s", "unit")] {
            assert!(keep_alive(text).unwrap_err().fix.unwrap().contains(fix), "{text}");
        }
    }
}
