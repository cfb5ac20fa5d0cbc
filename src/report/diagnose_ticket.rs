//! One paragraph for a ticket: what broke, on what evidence, when, and what was tried, for somebody who was not there.
//!
//! It leaves this machine, so it has no secret, no path of a file and no name of a proxy in it. It is one line: whoever
//! copies it from a terminal gets it in one piece.

use jiff::tz::TimeZone;

use super::diagnose::Diagnosed;
use super::diagnose_rungs::{Held, Rung, is_nameless};
use crate::outcome::words::{count, duration, plain, span};
use crate::outcome::{Carried, Made, Outcome, ProxySeen, Stage, Verdict, judge};

/// The paragraph.
pub(super) fn paragraph(view: &Diagnosed<'_>, rungs: &[Rung], zone: &TimeZone) -> String {
    let outcome = view.outcome;
    let target = &outcome.target;
    let provider = &target.provider;
    let mut sentences = vec![format!(
        "pilotlight {} diagnosed {} ({}, target {}) on {}.",
        view.version,
        match is_nameless(target) {
            true => provider.title.clone(),
            false => format!("the model {} of {}", target.model, provider.title),
        },
        provider.base_url,
        target.id,
        moments(view, zone),
    )];
    sentences.push(verdict(outcome, view));
    let id = outcome.request_id.as_ref().or_else(|| view.examination.free.as_ref()?.request_id.as_ref());
    sentences.extend(id.map(|id| format!("Request id of the provider: {id}.")));
    sentences.push(format!("Tried: {}.", tried(view, rungs)));
    if let Some(skew) = view.examination.skew.filter(crate::outcome::Skew::matters) {
        let way = if skew.ahead.is_negative() { "behind" } else { "ahead of" };
        let by = span(skew.ahead.unsigned_abs());
        sentences.push(format!("The clock of this machine is {by} {way} the server's."));
    }
    sentences.push(format!("Run {} on {}.", outcome.run_id, view.system));
    plain(&without_places(&sentences.join(" "), view))
}

fn moments(view: &Diagnosed<'_>, zone: &TimeZone) -> String {
    let utc = view.outcome.started.strftime("%Y-%m-%d %H:%M:%S UTC");
    let local = view.outcome.started.to_zoned(zone.clone()).strftime("%H:%M:%S %:z");
    format!("{utc} ({local} here)")
}

fn verdict(outcome: &Outcome, view: &Diagnosed<'_>) -> String {
    let exit = format!("exit {} {}", view.exit.code(), view.exit.name());
    match (&outcome.diagnosis, judge(outcome)) {
        (None, Verdict::Degraded) => {
            let warnings: Vec<String> =
                outcome.warnings.iter().map(|own| format!("{} ({})", own.code, own.evidence)).collect();
            format!("It is ready, with a warning: {} ({exit}).", warnings.join("; "))
        }
        (None, _) => format!("It is ready: {} ({exit}).", outcome.proof.says()),
        (Some(diagnosis), verdict) => {
            let failed = if verdict == Verdict::Unknown { "Nothing could be told" } else { "It fails" };
            // Where a key is kept is nobody else's business.
            let seen = match diagnosis.stage {
                Stage::Credential => diagnosis.code.explain().meaning,
                _ => diagnosis.evidence.as_str(),
            };
            format!("{failed} at {} with {} ({exit}): {}.", diagnosis.stage, diagnosis.code, seen.trim_end_matches('.'))
        }
    }
}

/// What was done, and what it came to.
fn tried(view: &Diagnosed<'_>, rungs: &[Rung]) -> String {
    let examination = view.examination;
    let mut parts = Vec::new();
    let open = examination.addresses.iter().filter(|seen| seen.open().is_some()).count();
    let all = examination.addresses.len();
    if all > 0 {
        let through = if examination.route.proxy.is_some() { " of the proxy" } else { "" };
        let closed: Vec<String> = examination
            .addresses
            .iter()
            .filter(|seen| seen.open().is_none() && examination.route.proxy.is_none())
            .map(|seen| seen.address.to_string())
            .collect();
        let but = if closed.is_empty() { String::new() } else { format!(" (not {})", closed.join(", ")) };
        parts.push(format!(
            "{open} of {} connect{through}{but}",
            count(all, "address").replace("addresss", "addresses")
        ));
    }
    for handshake in &examination.handshakes {
        let version = handshake.version.as_deref().unwrap_or("TLS");
        parts.push(match (&handshake.fault, handshake.chain.first().and_then(|own| own.until)) {
            (Some((code, _)), _) => format!("{version} {code}"),
            (None, Some(until)) => format!("{version} with a trusted certificate until {}", until.strftime("%Y-%m-%d")),
            (None, None) => format!("{version} with a trusted certificate"),
        });
    }
    let list = examination.catalogue.as_ref().map(|catalogue| &catalogue.asked);
    let same = examination.free.as_ref() == list;
    for asked in examination.free.iter().chain(list.filter(|_| !same)) {
        let key = if asked.carried == Carried::Key { "with" } else { "without" };
        let came = match (asked.status, asked.code) {
            (Some(status), _) => format!("HTTP {status}"),
            (None, Some(code)) => code.to_string(),
            (None, None) => "nothing".to_owned(),
        };
        parts.push(format!("GET {} {key} the key: {came}", asked.path));
    }
    let found = examination.catalogue.as_ref().and_then(|catalogue| catalogue.found.as_ref());
    if let Some(found) = found.filter(|_| !is_nameless(&view.outcome.target)) {
        let is = if found.listed { "listed" } else { "not listed" };
        parts.push(format!("the model is {is} among {}", found.total));
    }
    let warm = rungs.iter().find(|rung| rung.name == Stage::Warm.name());
    parts.extend(warm.map(|warm| match warm.held {
        Held::NotReached => "no warm-up was sent".to_owned(),
        Held::Good | Held::Doubtful => {
            let first = view.outcome.timings.first_token;
            first.map_or_else(|| "warmed".to_owned(), |first| format!("a token after {}", duration(first)))
        }
        Held::Broken | Held::Unknown => {
            let attempts = usize::try_from(view.outcome.attempts).unwrap_or(0);
            match (view.outcome.withheld.is_some(), examination.request.made) {
                (true, Made::NotSent) => "the warm-up was withheld".to_owned(),
                (false, Made::NotSent) => "no warm-up was sent".to_owned(),
                // The first of them may have been sent, and the next withheld.
                (true, Made::Sent) => "a warm-up was sent, and another one withheld".to_owned(),
                (false, Made::Sent) => format!("warm-up: {}", count(attempts, "attempt")),
            }
        }
    }));
    parts.join("; ")
}

/// The text without the names of this machine's files and proxies.
fn without_places(text: &str, view: &Diagnosed<'_>) -> String {
    let request = &view.examination.request;
    let mut text = text.to_owned();
    let files = [&request.ca_file, &request.client_certificate.as_ref().map(|(own, _)| own.clone())];
    for file in files.into_iter().flatten() {
        text = text.replace(&*file.to_string_lossy(), "a file");
    }
    if let Some((_, key)) = &request.client_certificate {
        text = text.replace(&*key.to_string_lossy(), "a file");
    }
    if let ProxySeen::Through(proxy) = &request.proxy {
        text = text.replace(&format!(" {proxy}"), "");
    }
    let host = &view.examination.route.host;
    // One that is called `proxy` says nothing.
    if view.examination.route.proxy.is_some() && host != "proxy" {
        text = text.replace(host.as_str(), "the proxy");
    }
    text
}
