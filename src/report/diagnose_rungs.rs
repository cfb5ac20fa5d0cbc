//! The ladder of one examined target, rung by rung: how each stands, and the evidence in words. Pure.
//!
//! What the probe found decides how a rung stands; what the examination saw beside it is told on every rung that it
//! could reach.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::diagnose_tls::tls;
use super::diagnose_warm::{quota, warm};
use crate::outcome::words::{count, duration, span};
use crate::outcome::{
    AddressSeen, Asked, Carried, Examination, KeySeen, NameSeen, Outcome, PrefixSeen, Reached, Stage, Verdict, judge,
};
use crate::target::{NO_MODEL, Target};

/// How a rung stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// It holds.
    Good,
    /// It holds, with something a person should know.
    Doubtful,
    /// Nothing could be told.
    Unknown,
    /// It is broken.
    Broken,
    /// It was not reached, or there is nothing to it.
    NotReached,
}

impl Held {
    /// The word in JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Doubtful => "doubtful",
            Self::Unknown => "unknown",
            Self::Broken => "broken",
            Self::NotReached => "not-reached",
        }
    }

    /// The verdict whose mark and colour it has; nothing for what was not reached.
    pub(super) fn verdict(self) -> Option<Verdict> {
        match self {
            Self::Good => Some(Verdict::Ready),
            Self::Doubtful => Some(Verdict::Degraded),
            Self::Unknown => Some(Verdict::Unknown),
            Self::Broken => Some(Verdict::Failed),
            Self::NotReached => None,
        }
    }
}

/// One rung, or what stands between two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rung {
    pub(super) name: &'static str,
    pub(super) held: Held,
    /// At least one.
    pub(super) lines: Vec<String>,
}

/// Whether a target was made of a URL without an LLM.
pub(super) fn is_nameless(target: &Target) -> bool {
    target.model.as_str() == NO_MODEL
}

/// What a look at the ladder needs.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) examination: &'a Examination,
    pub(super) outcome: &'a Outcome,
    pub(super) now: Timestamp,
    pub(super) zone: &'a TimeZone,
}

/// Every rung, from the lowest.
pub(super) fn rungs(seen: Seen<'_>) -> Vec<Rung> {
    vec![
        key(seen),
        name(seen),
        addresses(seen),
        tls(seen),
        clock(seen),
        free(seen),
        catalogue(seen),
        quota(seen),
        warm(seen),
    ]
}

impl Seen<'_> {
    /// How the probe found a rung; nothing where it did not come so far.
    pub(super) fn found(self, stage: Stage) -> Option<Held> {
        let outcome = self.outcome;
        match &outcome.diagnosis {
            Some(broken) if broken.stage == stage => Some(match judge(outcome) {
                Verdict::Unknown => Held::Unknown,
                _ => Held::Broken,
            }),
            Some(broken) if broken.stage < stage => None,
            _ if outcome.warnings.iter().any(|warning| warning.stage == stage) => Some(Held::Doubtful),
            _ if outcome.stage < stage => None,
            _ => Some(Held::Good),
        }
    }
}

pub(super) fn rung(name: &'static str, held: Held, lines: Vec<String>) -> Rung {
    Rung { name, held, lines }
}

fn key(seen: Seen<'_>) -> Rung {
    let title = &seen.outcome.target.provider.title;
    let (held, line) = match &seen.examination.key {
        KeySeen::NotNeeded => (Held::Good, "no key is needed".to_owned()),
        KeySeen::NotRead => (Held::NotReached, "not read: only a connection was asked for".to_owned()),
        KeySeen::Missing { fault } => (Held::Broken, fault.clone()),
        KeySeen::Found { source, length, prefix, fault } => {
            let begins = match prefix {
                PrefixSeen::Documented(prefix) => format!(", begins with {prefix} as keys of {title} do"),
                PrefixSeen::Other(prefix) => format!(", does not begin with {prefix} as keys of {title} usually do"),
                PrefixSeen::Undocumented => String::new(),
            };
            let wrong = fault.as_ref().map(|fault| format!(": {fault}")).unwrap_or_default();
            let held = match (fault, prefix) {
                (Some(_), _) => Held::Broken,
                (None, PrefixSeen::Other(_)) => Held::Doubtful,
                (None, _) => Held::Good,
            };
            (held, format!("{source}: {length}{begins}{wrong}"))
        }
    };
    rung("credential", held, vec![line])
}

fn name(seen: Seen<'_>) -> Rung {
    let examination = seen.examination;
    let route = &examination.route;
    let mut lines = Vec::new();
    if let Some(proxy) = &route.proxy {
        lines.push(format!("through the proxy {proxy}; what follows is about the proxy's name"));
    }
    lines.extend(route.remarks.iter().cloned());
    let families = ["v4", "v6"].map(|family| {
        let of_family = examination.addresses.iter().filter(|seen| seen.family() == family).count();
        format!("{of_family} {family}")
    });
    let held = match &examination.name {
        NameSeen::Literal => {
            lines.push(format!("{} is an address, so there is nothing to resolve", route.host));
            Held::Good
        }
        NameSeen::Pinned(address) => {
            lines.push(format!("{} is {address}, as the configuration says; the resolver was not asked", route.host));
            Held::Good
        }
        NameSeen::Found(took) => {
            let more = match examination.more_addresses {
                0 => String::new(),
                more => format!(", and {more} more that are not looked at"),
            };
            let all = count(examination.addresses.len(), "address").replace("addresss", "addresses");
            let of = families.join(", ");
            lines.push(format!("{} has {all} ({of}{more}), resolved in {}", route.host, duration(*took)));
            Held::Good
        }
        NameSeen::Failed { evidence, .. } => {
            lines.push(evidence.clone());
            Held::Broken
        }
    };
    // What the probe met counts, also where it healed since.
    let held = match seen.found(Stage::Resolve) {
        Some(Held::Broken) if held == Held::Good => {
            lines.extend(broken_then(seen));
            Held::Broken
        }
        _ => held,
    };
    rung("resolve", held, lines)
}

/// The evidence of a probe that broke where the examination did not.
fn broken_then(seen: Seen<'_>) -> Option<String> {
    let diagnosis = seen.outcome.diagnosis.as_ref()?;
    Some(format!("but the probe met {}: {}", diagnosis.code, diagnosis.evidence))
}

fn addresses(seen: Seen<'_>) -> Rung {
    let addresses = &seen.examination.addresses;
    if addresses.is_empty() {
        return rung("connect", Held::NotReached, vec!["not reached: there is no address".to_owned()]);
    }
    let only = seen.examination.request.only;
    let uses = |seen: &AddressSeen| only.is_none_or(|only| only == seen.family());
    let width = addresses.iter().map(|seen| seen.address.to_string().len()).max().unwrap_or(0);
    let mut lines: Vec<String> = addresses
        .iter()
        .map(|seen| {
            let came = match &seen.reached {
                Reached::Open(took) => format!("connected in {}", duration(*took)),
                Reached::Closed(why) => why.clone(),
            };
            let unused = if uses(seen) { "" } else { " (probes do not use it)" };
            format!("{} {:<width$}  {came}{unused}", seen.family(), seen.address.to_string())
        })
        .collect();
    let used = addresses.iter().filter(|seen| uses(seen)).count();
    let open = addresses.iter().filter(|seen| uses(seen) && seen.open().is_some()).count();
    let held = match open {
        0 => Held::Broken,
        open if open < used => Held::Doubtful,
        _ => Held::Good,
    };
    let held = match seen.found(Stage::Connect) {
        Some(Held::Broken) if held != Held::Broken => {
            lines.extend(broken_then(seen));
            Held::Broken
        }
        _ => held,
    };
    rung("connect", held, lines)
}

fn clock(seen: Seen<'_>) -> Rung {
    let Some(skew) = seen.examination.skew else {
        let line = "not known: no answer with a Date header".to_owned();
        return rung("clock", Held::NotReached, vec![line]);
    };
    let rounded_up = |time: std::time::Duration| span(time + std::time::Duration::from_millis(999));
    let within = rounded_up(skew.within);
    if !skew.matters() {
        let at_most = rounded_up(skew.ahead.unsigned_abs().saturating_add(skew.within));
        let line = format!("this machine and the server agree to within {at_most}");
        return rung("clock", Held::Good, vec![line]);
    }
    let by = span(skew.ahead.unsigned_abs());
    let way = if skew.ahead.is_negative() { "behind" } else { "ahead of" };
    let line = format!(
        "this machine is {by} {way} the server's Date header (to {within}): one of the two clocks is wrong, and certificates \
         and limits are judged by it"
    );
    rung("clock", Held::Doubtful, vec![line])
}

/// `GET /v2/quotas with the key: HTTP 200 in 34ms, an object with subscription; the key is accepted`.
pub(super) fn asked_line(asked: &Asked) -> String {
    let carried = match asked.carried {
        Carried::Key => "with the key",
        Carried::NoKey => "without a key",
    };
    let took = asked.took.map(|took| format!(" in {}", duration(took))).unwrap_or_default();
    let says = match (asked.status, asked.code) {
        (Some(status), None) => format!("HTTP {status}{took}, {}", asked.says),
        (Some(_), Some(_)) => format!("{}{took}", asked.says),
        (None, _) => asked.says.clone(),
    };
    let shows = if asked.shows.is_empty() { String::new() } else { format!("; {}", asked.shows) };
    format!("GET {} {carried}: {says}{shows}", asked.path)
}

fn free(seen: Seen<'_>) -> Rung {
    let examination = seen.examination;
    let Some(asked) = &examination.free else {
        let title = &seen.outcome.target.provider.title;
        let has_one = seen.outcome.target.provider.free_check.is_some();
        let line = match (has_one, &examination.not_asked) {
            (true, Some(why)) => format!("not asked: {why}"),
            (true, None) => "not asked".to_owned(),
            (false, _) => format!("{title} has no free request that proves a key; only a warm-up can"),
        };
        return rung(
            "authenticate",
            seen.found(Stage::Authenticate).filter(|held| *held == Held::Broken).unwrap_or(Held::NotReached),
            vec![line],
        );
    };
    let mut lines = vec![asked_line(asked)];
    lines.extend(asked.request_id.as_ref().map(|id| format!("request id {id}")));
    let held = match seen.found(Stage::Authenticate) {
        Some(Held::Good) if asked.code.is_some() => Held::Doubtful,
        Some(Held::Broken) if asked.code.is_none() => {
            lines.extend(broken_then(seen));
            Held::Broken
        }
        Some(held) => held,
        None if asked.code.is_none() && asked.carried == Carried::Key => Held::Good,
        None => Held::NotReached,
    };
    rung("authenticate", held, lines)
}

fn catalogue(seen: Seen<'_>) -> Rung {
    let examination = seen.examination;
    let broken = seen.found(Stage::Locate).filter(|held| matches!(held, Held::Broken | Held::Unknown));
    let Some(catalogue) = &examination.catalogue else {
        let title = &seen.outcome.target.provider.title;
        let has_one = seen.outcome.target.provider.catalogue.is_some();
        let line = match (has_one, &examination.not_asked) {
            (true, Some(why)) => format!("not asked: {why}"),
            (true, None) => "not asked".to_owned(),
            (false, _) => format!("{title} has no list of models"),
        };
        return rung("locate", broken.unwrap_or(Held::NotReached), vec![line]);
    };
    let doubles = examination.free.as_ref() == Some(&catalogue.asked);
    let mut lines = if doubles { Vec::new() } else { vec![asked_line(&catalogue.asked)] };
    let Some(found) = &catalogue.found else {
        if doubles {
            lines.push("the same request as above gave no list".to_owned());
        }
        let held = broken.unwrap_or(match seen.found(Stage::Locate) {
            Some(_) => Held::Doubtful,
            None => Held::NotReached,
        });
        return rung("locate", held, lines);
    };
    let target = &seen.outcome.target;
    let total = count(found.total, "model");
    let nameless = is_nameless(target);
    if found.listed {
        lines.push(format!("{} is one of {total}", target.model));
    } else if nameless {
        lines.push(format!("{total}; none was named (--model ID goes on from here)"));
    } else {
        let partial = target.provider.catalogue.as_ref().is_some_and(|list| list.partial);
        let all = if partial { ", which is not all that can be asked for" } else { "" };
        lines.push(format!("{} is not among {total}{all}", target.model));
    }
    if !found.nearest.is_empty() {
        lines.push(format!("nearest: {}", found.nearest.join(", ")));
    } else if !found.listed && !found.first.is_empty() {
        let more = if found.total > found.first.len() { ", …" } else { "" };
        lines.push(format!("the list begins with {}{more}", found.first.join(", ")));
    }
    let held = match (broken, found.listed || nameless) {
        (Some(held), _) => held,
        (None, true) => Held::Good,
        (None, false) => Held::Doubtful,
    };
    rung("locate", held, lines)
}
