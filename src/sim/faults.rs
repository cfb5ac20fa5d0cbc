//! Faults: which requests are answered wrongly, and how.
//!
//! This file reads and matches them; `misbehave.rs` plays those that replace an answer, `wire.rs` those that damage its
//! bytes, and `generate.rs` those that bend a stream.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

use super::behaviour::{Behaviour, Then};

/// One entry of `faults:`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultSpec {
    #[serde(default)]
    pub(crate) on: Matcher,
    /// How often it may strike in all.
    #[serde(default)]
    pub(crate) times: Times,
    pub(crate) then: Then,
}

/// Which requests a fault strikes. What is not stated matches everything.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Matcher {
    pub(crate) method: Option<String>,
    /// The exact path, or its beginning when it ends in `*`.
    pub(crate) path: Option<String>,
    pub(crate) model: Option<String>,
    /// Only the n-th matching request, counted from one.
    pub(crate) nth: Option<u64>,
    /// Only the first n.
    pub(crate) first: Option<u64>,
    /// Only those after the first n.
    pub(crate) after: Option<u64>,
}

impl Matcher {
    fn matches(&self, method: &str, path: &str, model: Option<&str>) -> bool {
        let method_fits = self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
        let path_fits = self.path.as_ref().is_none_or(|wanted| match wanted.strip_suffix('*') {
            Some(beginning) => path.starts_with(beginning),
            None => path == wanted,
        });
        let model_fits = self.model.as_ref().is_none_or(|wanted| model == Some(wanted));
        method_fits && path_fits && model_fits
    }

    /// Whether the fault strikes the `seen`-th matching request.
    fn counts(&self, seen: u64) -> bool {
        self.nth.is_none_or(|nth| seen == nth)
            && self.first.is_none_or(|first| seen <= first)
            && self.after.is_none_or(|after| seen > after)
    }
}

/// How often a fault may strike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Times {
    #[default]
    Always,
    AtMost(u64),
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TimesVisitor;
        impl Visitor<'_> for TimesVisitor {
            type Value = Times;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number or `always`")
            }

            fn visit_u64<E: Error>(self, times: u64) -> Result<Times, E> {
                Ok(Times::AtMost(times))
            }

            fn visit_i64<E: Error>(self, times: i64) -> Result<Times, E> {
                u64::try_from(times).map(Times::AtMost).map_err(|_| E::custom("`times` cannot be negative"))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Times, E> {
                if text == "always" { Ok(Times::Always) } else { Err(E::custom("`times` is a number or `always`")) }
            }
        }
        deserializer.deserialize_any(TimesVisitor)
    }
}

impl FaultSpec {
    /// Says what is wrong with the entry, if anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.on.nth == Some(0) {
            return Err("`nth` counts from 1".to_owned());
        }
        let status = match &*self.then.0 {
            Behaviour::Respond { body: Some(_), json: Some(_), .. } => {
                return Err("`respond` takes `body` or `json`, not both".to_owned());
            }
            Behaviour::Respond { status, .. }
            | Behaviour::Redirect { status, .. }
            | Behaviour::ControlCharacters { status }
            | Behaviour::Html { status: Some(status), .. } => *status,
            _ => 200,
        };
        if !(200..=599).contains(&status) {
            return Err(format!("{status} is not the status of an answer (200 to 599)"));
        }
        Ok(())
    }
}

/// How often one fault was met and struck.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FaultCount {
    /// Requests that fit its `on`, apart from the counts.
    pub seen: u64,
    /// Requests that it struck.
    pub struck: u64,
}

/// The faults of one listener, with their counters.
#[derive(Debug)]
pub(crate) struct FaultBook {
    specs: Vec<FaultSpec>,
    counts: Mutex<Vec<FaultCount>>,
}

impl FaultBook {
    pub(crate) fn new(specs: Vec<FaultSpec>) -> Self {
        let counts = Mutex::new(vec![FaultCount::default(); specs.len()]);
        Self { specs, counts }
    }

    /// The behaviours that strike this request, in the file's order. Of those that replace the answer only the first
    /// strikes (and is counted); those that damage or bend an answer add up.
    pub(crate) fn consult(&self, method: &str, path: &str, model: Option<&str>) -> Vec<Arc<Behaviour>> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut struck = Vec::new();
        let mut replaced = false;
        for (spec, count) in self.specs.iter().zip(counts.iter_mut()) {
            if !spec.on.matches(method, path, model) {
                continue;
            }
            count.seen += 1;
            let behaviour = &spec.then.0;
            let exhausted = matches!(spec.times, Times::AtMost(times) if count.struck >= times);
            if exhausted || !spec.on.counts(count.seen) || (replaced && behaviour.replaces()) {
                continue;
            }
            count.struck += 1;
            replaced |= behaviour.replaces();
            struck.push(Arc::clone(behaviour));
        }
        struck
    }

    /// How often each fault was met and struck, in the file's order.
    pub(crate) fn counts(&self) -> Vec<FaultCount> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets all counts, so that `first` and `times` begin anew.
    pub(crate) fn reset(&self) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).fill(FaultCount::default());
    }
}

#[cfg(test)]
mod tests {
    use super::super::behaviour::Page;
    use super::super::refusals::Situation;
    use super::*;

    fn book(yaml: &str) -> FaultBook {
        FaultBook::new(serde_saphyr::from_str(yaml).unwrap())
    }

    fn strikes(book: &FaultBook, times: usize) -> Vec<bool> {
        (0..times).map(|_| !book.consult("POST", "/v1/chat/completions", Some("m")).is_empty()).collect()
    }

    #[test]
    fn a_bare_name_and_a_name_with_settings() {
        let book = book("[{ then: hang }, { then: { html: { which: login-page } } }, { then: { error: bad-key } }]");
        assert!(matches!(&*book.specs[0].then.0, Behaviour::Hang {}));
        assert!(matches!(&*book.specs[1].then.0, Behaviour::Html { which: Page::Login, status: None }));
        assert!(matches!(&*book.specs[2].then.0, Behaviour::Error(Situation::BadKey)));
    }

    #[test]
    fn a_wrong_name_is_told_with_the_choices() {
        let error = serde_saphyr::from_str::<Vec<FaultSpec>>("[{ then: hangs }]").unwrap_err().to_string();
        assert!(error.contains("hangs") && error.contains("hang_after_headers"), "{error}");
        assert!(serde_saphyr::from_str::<Vec<FaultSpec>>("[{ then: { drip: { evry: 1s } } }]").is_err());
    }

    #[test]
    fn counts_select_requests() {
        assert_eq!(strikes(&book("[{ on: { nth: 2 }, then: hang }]"), 4), [false, true, false, false]);
        assert_eq!(strikes(&book("[{ on: { first: 2 }, then: hang }]"), 4), [true, true, false, false]);
        assert_eq!(strikes(&book("[{ on: { after: 2 }, then: hang }]"), 4), [false, false, true, true]);
        assert_eq!(strikes(&book("[{ times: 1, then: hang }]"), 3), [true, false, false]);
        assert_eq!(strikes(&book("[{ times: always, then: hang }]"), 3), [true, true, true]);
        let both = book("[{ on: { after: 1 }, times: 1, then: hang }]");
        assert_eq!(strikes(&both, 4), [false, true, false, false]);
        assert_eq!(both.counts(), [FaultCount { seen: 4, struck: 1 }]);
        both.reset();
        assert_eq!(strikes(&both, 2), [false, true]);
    }

    #[test]
    fn paths_methods_and_models_select_requests() {
        let hit = |on: &str| strikes(&book(&format!("[{{ on: {on}, then: close }}]")), 1)[0];
        assert!(hit("{ path: /v1/* }") && hit("{ path: /v1/chat/completions }") && hit("{ method: post }"));
        assert!(!hit("{ path: /v1/chat }") && !hit("{ path: /v2/* }") && !hit("{ method: GET }"));
        assert!(hit("{ model: m }") && !hit("{ model: n }"));
    }

    #[test]
    fn one_answer_is_replaced_once_but_damaged_often() {
        let book =
            book("[{ then: { drip: {} } }, { then: hang }, { then: close }, { then: { reset_after: { bytes: 3 } } }]");
        assert_eq!(book.consult("GET", "/", None).len(), 3);
        assert_eq!(book.counts()[2], FaultCount { seen: 1, struck: 0 });
    }
}
