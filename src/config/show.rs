//! The effective configuration as YAML: every default filled in, and behind each value where it came from.
//!
//! What is shown can be loaded again and means the same, but for what is masked: header values, keys that are written
//! in the file, and the arguments of commands are `***`.

use std::fmt::{Display, Write as _};
use std::path::Path;

use jiff::tz::TimeZone;

use super::Config;
use super::keep_alive::FOREVER;
use super::resolve::{Origin, Origins};
use super::show_network::{network, proxy_in_effect};
use super::show_quota::{limits, prices};
use super::values::duration_text;
use super::values_of_quota::number_text;
use super::values_of_times::{age_text, size_text};
use super::words::{CAP_FIELDS, DEPTHS, DIALECTS, FAMILIES, KEEPS, KINDS, PROVES, REASONING, SHAPES, STATES};
use crate::outcome::{Damping, Witness};
use crate::plan::{
    Assumed, CheckSchedule, Gate, Maintenance, MaintenanceTime, Selection, TargetSchedule, Trigger, WarmSchedule,
    WarmTrigger, Windows,
};
use crate::quota::QuotaSettings;
use crate::store::Retention;
use crate::target::{CredentialSource, KeepAlive, KeyHeader, Provider, Target};

const MASK: &str = "\"***\"";

impl Config {
    /// The effective configuration as YAML. It has no part of a secret.
    #[must_use]
    pub fn show(&self) -> String {
        let mut page = Page(String::new());
        page.line(0, "version: 1");
        page.line(0, "providers:");
        let nothing = Origins::default();
        for provider in &self.providers {
            let origins = self.provider_origins.get(&provider.id).unwrap_or(&nothing);
            let quota = self.quotas.get(&provider.id).cloned().unwrap_or_default();
            page.provider(provider, &quota, origins, &self.directory);
        }
        page.line(0, "targets:");
        for target in &self.targets {
            let origins = self.target_origins.get(&target.id).unwrap_or(&nothing);
            page.target(target, self.schedules.get(&target.id), origins);
            if let Some(assumed) = self.assumptions.get(&target.id) {
                page.line(2, &format!("assume: {{ {} }}", assume(assumed).join(", ")));
            }
        }
        if !self.gates.is_empty() {
            page.line(0, "gates:");
        }
        for named in &self.gates {
            page.line(1, &format!("{}: {}", scalar(named.id.as_str()), gate(&named.gate)));
        }
        let Damping { fail_after, recover_after } = self.damping;
        page.line(0, &format!("status: {{ fail_after: {fail_after}, recover_after: {recover_after} }}"));
        if !self.maintenance.is_empty() {
            page.line(0, "maintenance:");
        }
        for one in &self.maintenance {
            page.line(1, &format!("- {{ {} }}", maintenance(one).join(", ")));
        }
        match &self.witness {
            Witness::Providers => {}
            Witness::Addresses(addresses) => page.line(0, &format!("witness: {}", list(addresses))),
            Witness::None => page.line(0, "witness: none"),
        }
        let Retention { age, bytes } = self.retention;
        page.line(0, &format!("history: {{ keep: {}, size: {} }}", age_text(age), size_text(bytes)));
        page.0
    }
}

/// The text as it grows.
struct Page(String);

impl Page {
    fn line(&mut self, depth: usize, text: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{:1$}{text}", "", depth * 2);
    }

    /// A key with a value that is YAML already, and where it came from.
    fn key(&mut self, depth: usize, name: &str, value: impl Display, origin: Origin) {
        self.line(depth, &format!("{name}: {value}  # {}", origin.word()));
    }

    fn provider(&mut self, provider: &Provider, quota: &QuotaSettings, origins: &Origins, directory: &Path) {
        self.line(1, &format!("{}:", scalar(provider.id.as_str())));
        let mut key = |name: &str, value: String| self.key(2, name, value, origins.of(name));
        key("preset", scalar(&provider.preset));
        key("title", scalar(&provider.title));
        key("family", FAMILIES.word_for(provider.family).to_owned());
        key("dialect", DIALECTS.word_for(provider.dialect).to_owned());
        key("base_url", scalar(&provider.base_url.to_string()));
        key("api_key", credential(&provider.key));
        key(
            "key_header",
            match &provider.key_header {
                KeyHeader::Bearer => "bearer".to_owned(),
                KeyHeader::Named(name) => scalar(name),
            },
        );
        if !provider.headers.is_empty() {
            let headers: Vec<String> =
                provider.headers.iter().map(|(name, _)| format!("{}: {MASK}", quoted(name))).collect();
            key("headers", format!("{{ {} }}", headers.join(", ")));
        }
        key("concurrency", provider.concurrency.to_string());
        if let Some(packs) = quota.packs {
            key("packs", packs.to_string());
        }
        key("share", quota.share.to_string());
        key("floor", quota.floor.to_string());
        key("long_floor", quota.long_floor.to_string());
        if let Some(cap) = quota.daily_cap {
            key("daily_cap", format!("${}", number_text(cap)));
        }
        key("limits", limits(&quota.limits));
        key("prices", prices(&quota.prices));
        if let Some(parallel) = quota.parallel {
            key("parallel", parallel.to_string());
        }
        for (name, value) in network(&provider.network, directory) {
            key(name, value);
        }
        if let Some(text) = proxy_in_effect(&provider.network.proxy) {
            self.line(2, &format!("# proxy in effect: {text}"));
        }
        let mut key = |name: &str, value: String| self.key(2, name, value, origins.of(name));
        if let Some(time) = provider.keep_alive {
            key(
                "keep_alive",
                match time {
                    KeepAlive::For(time) => duration_text(time),
                    KeepAlive::Forever => FOREVER.to_owned(),
                },
            );
        }
        key("unloads", provider.unloads.to_string());
        key(
            "free_check",
            provider.free_check.as_ref().map_or_else(none, |check| {
                format!(
                    "{{ path: {}, proves: {}, name: {} }}",
                    scalar(&check.path),
                    PROVES.word_for(check.proves),
                    scalar(&check.name)
                )
            }),
        );
        key(
            "catalogue",
            provider.catalogue.as_ref().map_or_else(none, |catalogue| {
                format!(
                    "{{ path: {}, shape: {}, public: {}, id_prefix: {}, partial: {} }}",
                    scalar(&catalogue.path),
                    SHAPES.word_for(catalogue.shape),
                    catalogue.public,
                    or_none(catalogue.id_prefix.as_deref()),
                    catalogue.partial
                )
            }),
        );
        key("state", provider.state.map_or_else(none, |state| STATES.word_for(state).to_owned()));
        key("cap_field", CAP_FIELDS.word_for(provider.cap_field).to_owned());
        key("reasoning_off", REASONING.word_for(provider.reasoning_off).to_owned());
        key("key_prefix", or_none(provider.key_prefix.as_deref()));
        key("key_page", or_none(provider.key_page.as_deref()));
        key("billing_page", or_none(provider.billing_page.as_deref()));
        key("status_page", or_none(provider.status_page.as_deref()));
    }

    fn target(&mut self, target: &Target, schedule: Option<&TargetSchedule>, origins: &Origins) {
        self.line(1, &format!("- name: {}", scalar(target.id.as_str())));
        self.line(2, &format!("provider: {}", scalar(target.provider.id.as_str())));
        self.line(2, &format!("model: {}", scalar(target.model.as_str())));
        self.key(2, "kind", KINDS.word_for(target.kind), origins.of("kind"));
        self.key(2, "depth", DEPTHS.word_for(target.depth), origins.of("depth"));
        let tags: Vec<String> = target.tags.iter().map(|tag| scalar(tag)).collect();
        self.key(2, "tags", format!("[{}]", tags.join(", ")), origins.of("tags"));
        self.line(2, "expect:");
        let expect = &target.expect;
        for (name, path, time) in [
            ("first_token", "expect.first_token", expect.first_token),
            ("cold_start", "expect.cold_start", expect.cold_start),
            ("stall", "expect.stall", expect.stall),
            ("connect", "expect.connect", expect.connect),
            ("answer", "expect.answer", expect.answer),
            ("certificate", "expect.certificate", expect.certificate),
        ] {
            self.key(3, name, duration_text(time), origins.of(path));
        }
        self.key(2, "max_output_tokens", target.max_output_tokens, origins.of("max_output_tokens"));
        if let Some(auth) = schedule.and_then(|schedule| schedule.auth.as_ref()) {
            self.key(2, "auth", check(auth), origins.of("auth"));
        }
        if let Some(schedule) = schedule.and_then(|schedule| schedule.warm.as_ref()) {
            self.key(2, "warm", warm(schedule), origins.of("warm"));
        }
    }
}

fn credential(source: &CredentialSource) -> String {
    match source {
        CredentialSource::NotNeeded => none(),
        CredentialSource::Env(name) => format!("{{ env: {} }}", scalar(name)),
        CredentialSource::File(path) => format!("{{ file: {} }}", quoted(&path.to_string_lossy())),
        CredentialSource::Command(words) => {
            // Arguments may carry what should not be shown; the program's name is enough to find it.
            let words: Vec<String> = words
                .iter()
                .enumerate()
                .map(|(index, word)| if index == 0 { quoted(word) } else { MASK.to_owned() })
                .collect();
            format!("{{ command: [{}] }}", words.join(", "))
        }
        CredentialSource::Literal(_) => MASK.to_owned(),
    }
}

fn check(schedule: &CheckSchedule) -> String {
    format!("{{ {}, timezone: {} }}", trigger(&schedule.trigger), zone(&schedule.timezone))
}

fn warm(schedule: &WarmSchedule) -> String {
    let windows = &schedule.windows;
    let mut parts = vec![match &schedule.trigger {
        WarmTrigger::Auto => "every: auto".to_owned(),
        WarmTrigger::Fixed(fixed) => trigger(fixed),
    }];
    parts.extend(times(windows));
    if let Some(lead) = schedule.lead {
        parts.push(format!("lead: {}", duration_text(lead)));
    }
    if schedule.trigger == WarmTrigger::Auto {
        parts.push(format!("keep: {}", KEEPS.word_for(schedule.keep)));
    }
    format!("{{ {} }}", parts.join(", "))
}

/// `during`, `timezone` and `except`.
fn times(windows: &Windows) -> Vec<String> {
    let mut parts = Vec::new();
    if !windows.during.is_empty() {
        let during: Vec<String> = windows.during.iter().map(ToString::to_string).collect();
        parts.push(format!("during: {}", quoted(&during.join(", "))));
    }
    parts.push(format!("timezone: {}", zone(&windows.timezone)));
    if !windows.except.is_empty() {
        let except: Vec<String> = windows.except.iter().map(ToString::to_string).collect();
        parts.push(format!("except: [{}]", except.join(", ")));
    }
    parts
}

fn assume(assumed: &Assumed) -> Vec<String> {
    let mut parts: Vec<String> =
        assumed.requests_per_hour.iter().map(|rate| format!("requests_per_hour: {rate}")).collect();
    for (key, time) in [("idle_timeout", assumed.idle_timeout), ("cold_start", assumed.cold_start)] {
        parts.extend(time.map(|time| format!("{key}: {}", duration_text(time))));
    }
    // Its exceptions are those of `warm`, which is shown too.
    let windows = assumed.during.iter().map(|windows| Windows { except: Vec::new(), ..windows.clone() });
    parts.extend(windows.flat_map(|windows| times(&windows)));
    parts
}

fn maintenance(maintenance: &Maintenance) -> Vec<String> {
    let mut parts: Vec<String> = maintenance.name.iter().map(|name| format!("name: {}", scalar(name))).collect();
    match &maintenance.time {
        MaintenanceTime::Weekly(windows) => parts.extend(times(windows)),
        MaintenanceTime::Once { from, to } => {
            parts.extend([format!("from: \"{from}\""), format!("to: \"{to}\"")]);
        }
    }
    let Selection { targets, tags, providers } = &maintenance.selection;
    for (key, names) in [("targets", list(targets)), ("tags", list(tags)), ("providers", list(providers))] {
        if names != "[]" {
            parts.push(format!("{key}: {names}"));
        }
    }
    parts
}

fn list(names: &[impl ToString]) -> String {
    let names: Vec<String> = names.iter().map(|name| scalar(&name.to_string())).collect();
    format!("[{}]", names.join(", "))
}

fn trigger(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Every(time) => format!("every: {}", duration_text(*time)),
        Trigger::Cron(text) => format!("cron: {}", quoted(text.as_str())),
    }
}

fn zone(zone: &TimeZone) -> String {
    scalar(zone.iana_name().unwrap_or("UTC"))
}

fn gate(gate: &Gate) -> String {
    match gate {
        Gate::MainWithFallback { main, fallback } => {
            format!("{{ main: {}, fallback: {} }}", scalar(main.as_str()), list(fallback))
        }
        Gate::Any(of) => format!("{{ any: {} }}", list(of)),
        Gate::All(of) => format!("{{ all: {} }}", list(of)),
        Gate::AtLeast { n, of } => format!("{{ at_least: {n}, of: {} }}", list(of)),
    }
}

fn none() -> String {
    "none".to_owned()
}

fn or_none(text: Option<&str>) -> String {
    text.map_or_else(none, scalar)
}

/// A text as a YAML scalar: plain where no reader could take it for anything else.
pub(super) fn scalar(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(safe)
        && !["null", "true", "false", "yes", "no", "on", "off", "y", "n", "none"]
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word));
    if plain { text.to_owned() } else { quoted(text) }
}

/// A text in double quotes. JSON's escapes are YAML's too.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
