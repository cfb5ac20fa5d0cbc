//! What the metrics have counted: plain numbers, cheap to copy, that know nothing of any format.
//!
//! Each histogram is made when there is something to put in it. A thousand targets with all that they can have are 0.9 MiB
//! here and 4.1 MiB of text, 49 series each (measured).

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::outcome::{Code, Cost, Outcome, QuotaSeen, Status, Verdict, Warmth, Withholding, judge};
use crate::target::{Depth, ModelId, ProviderId, Target, TargetId};

/// Bounds of the first token, in seconds: a warm LLM answers in the first half, one that loads in the second.
pub(super) const FIRST_TOKEN: &[f64] = &[0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];
/// Bounds of a phase: from a name in a local cache to a handshake that is tried again.
pub(super) const PHASE: &[f64] = &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Bounds of a whole probe.
pub(super) const DURATION: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0];
/// Bounds of how late a probe began: from half a millisecond, which is what the scheduler promises, to a minute.
pub(super) const LATENESS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0];

/// Counts by size.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Histogram {
    bounds: &'static [f64],
    /// One per bound, and one for what is beyond the last.
    counts: Box<[u64]>,
    sum: f64,
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1].into(), sum: 0.0 }
    }

    fn add(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let place = self.bounds.partition_point(|bound| *bound < seconds);
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
        self.sum += seconds;
    }

    pub(super) fn sum(&self) -> f64 {
        self.sum
    }

    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Upper bound and what fell below it and above the one before.
    pub(super) fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        bounds.zip(self.counts.iter().copied()).collect()
    }
}

/// A map for a handful of keys: a list, because there are thousands of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tally<K, V>(Vec<(K, V)>);

impl<K, V> Default for Tally<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Copy + Ord, V> Tally<K, V> {
    /// Changes the value of a key, which is made when it is not there yet.
    fn change(&mut self, key: K, make: impl FnOnce() -> V, change: impl FnOnce(&mut V)) {
        match self.0.binary_search_by(|(there, _)| there.cmp(&key)) {
            Ok(place) => {
                if let Some((_, value)) = self.0.get_mut(place) {
                    change(value);
                }
            }
            Err(place) => {
                let mut value = make();
                change(&mut value);
                self.0.insert(place, (key, value));
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.0.iter().map(|(key, value)| (*key, value))
    }
}

impl<K: Copy + Ord> Tally<K, u64> {
    fn add(&mut self, key: K, more: u64) {
        self.change(key, || 0, |count| *count = count.saturating_add(more));
    }
}

impl<K: Copy + Ord> Tally<K, Histogram> {
    fn measure(&mut self, key: K, bounds: &'static [f64], duration: Option<Duration>) {
        if let Some(duration) = duration {
            self.change(key, || Histogram::new(bounds), |histogram| histogram.add(duration));
        }
    }
}

/// Which way tokens went.
pub(super) const INPUT: &str = "input";
/// See [`INPUT`].
pub(super) const OUTPUT: &str = "output";

/// What is known of one target.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TargetSeries {
    pub(super) provider: ProviderId,
    pub(super) model: ModelId,
    pub(super) status: Status,
    pub(super) since: Option<Timestamp>,
    pub(super) next_due: Option<Timestamp>,
    /// `true` when it was loaded, `false` when it had to load.
    pub(super) warm: Option<bool>,
    pub(super) probes: Tally<(Depth, Verdict), u64>,
    pub(super) failures: Tally<Code, u64>,
    pub(super) cold_starts: u64,
    pub(super) last_probe: Tally<Depth, Timestamp>,
    pub(super) tokens: Tally<&'static str, u64>,
    /// Of all probes together.
    pub(super) cost: Cost,
    pub(super) withheld: Tally<Withholding, u64>,
    /// Whether its warm-ups are withheld.
    pub(super) paused: Option<bool>,
    pub(super) first_token: Tally<&'static str, Histogram>,
}

impl TargetSeries {
    fn new(target: &Target) -> Self {
        Self {
            provider: target.provider.id.clone(),
            model: target.model.clone(),
            status: Status::Unknown,
            since: None,
            next_due: None,
            warm: None,
            probes: Tally::default(),
            failures: Tally::default(),
            cold_starts: 0,
            last_probe: Tally::default(),
            tokens: Tally::default(),
            cost: Cost::default(),
            withheld: Tally::default(),
            paused: None,
            first_token: Tally::default(),
        }
    }

    fn observe(&mut self, outcome: &Outcome) {
        let verdict = judge(outcome);
        self.probes.add((outcome.depth, verdict), 1);
        if let (Verdict::Failed | Verdict::Unknown, Some(diagnosis)) = (verdict, &outcome.diagnosis) {
            self.failures.add(diagnosis.code, 1);
        }
        match outcome.warmth {
            Warmth::Warm => self.warm = Some(true),
            Warmth::Cold => {
                self.warm = Some(false);
                self.cold_starts += 1;
            }
            // Only a warm-up could have told; a key check leaves it as it was.
            Warmth::Unknown if outcome.depth == Depth::Warm => self.warm = None,
            Warmth::Unknown => {}
        }
        let length = SignedDuration::try_from(outcome.timings.total).unwrap_or_default();
        let ended = outcome.started.checked_add(length).unwrap_or(outcome.started);
        self.last_probe.change(outcome.depth, || ended, |last| *last = ended.max(*last));
        for (direction, tokens) in [(INPUT, outcome.usage.input_tokens), (OUTPUT, outcome.usage.output_tokens)] {
            if let Some(tokens) = tokens {
                self.tokens.add(direction, tokens);
            }
        }
        self.cost.add(outcome.cost);
        if let Some(why) = outcome.withheld {
            self.withheld.add(why, 1);
        }
        self.first_token.measure(outcome.warmth.name(), FIRST_TOKEN, outcome.timings.first_token);
    }
}

/// What is known of one provider.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct ProviderSeries {
    pub(super) phases: Tally<&'static str, Histogram>,
    pub(super) certificate_ends: Option<Timestamp>,
    /// What was said last of each limit.
    pub(super) quota: QuotaSeen,
}

/// The totals of the trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trigger {
    pub(super) fired: u64,
    pub(super) lost: u64,
    pub(super) missed: u64,
}

/// How the store fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Store {
    pub(super) pending: usize,
    pub(super) dropped: u64,
    pub(super) failures: u64,
    pub(super) bytes: Option<u64>,
}

/// All that the metrics have counted.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) version: String,
    /// The targets of the configuration. What is told of any other is that of a target that was just removed.
    known: HashSet<TargetId>,
    pub(super) targets: BTreeMap<TargetId, TargetSeries>,
    pub(super) providers: BTreeMap<ProviderId, ProviderSeries>,
    pub(super) durations: Tally<Depth, Histogram>,
    pub(super) lateness: Option<Histogram>,
    pub(super) trigger: Option<Trigger>,
    pub(super) reload_ok: Option<bool>,
    pub(super) reloaded: Option<Timestamp>,
    pub(super) store: Option<Store>,
    pub(super) queue: Option<(usize, usize)>,
    pub(super) tasks: Option<usize>,
    /// The gates of one pass, by name.
    pub(super) gates: BTreeMap<String, Verdict>,
}

impl State {
    pub(super) fn new<'a>(version: &str, targets: impl IntoIterator<Item = &'a Target>) -> Self {
        let targets: BTreeMap<_, _> =
            targets.into_iter().map(|target| (target.id.clone(), TargetSeries::new(target))).collect();
        Self {
            version: version.to_owned(),
            known: targets.keys().cloned().collect(),
            targets,
            providers: BTreeMap::new(),
            durations: Tally::default(),
            lateness: None,
            trigger: None,
            reload_ok: None,
            reloaded: None,
            store: None,
            queue: None,
            tasks: None,
            gates: BTreeMap::new(),
        }
    }

    pub(super) fn observe(&mut self, outcome: &Outcome, lateness: Option<Duration>) {
        self.durations.measure(outcome.depth, DURATION, Some(outcome.timings.total));
        if let Some(lateness) = lateness {
            self.lateness.get_or_insert_with(|| Histogram::new(LATENESS)).add(lateness);
        }
        let target = &outcome.target;
        if !self.known.contains(&target.id) {
            return;
        }
        self.targets.entry(target.id.clone()).or_insert_with(|| TargetSeries::new(target)).observe(outcome);
        let provider = self.providers.entry(target.provider.id.clone()).or_default();
        let timings = &outcome.timings;
        let phases = [("dns", timings.dns), ("tcp", timings.tcp), ("tls", timings.tls), ("headers", timings.headers)];
        for (phase, duration) in phases {
            provider.phases.measure(phase, PHASE, duration);
        }
        provider.quota.read_after(outcome.quota.newest().cloned().collect());
        provider.certificate_ends = outcome.certificate_ends.or(provider.certificate_ends);
    }

    pub(super) fn standing(&mut self, target: &Target, status: Status, since: Timestamp) {
        if !self.known.contains(&target.id) {
            return;
        }
        let series = self.targets.entry(target.id.clone()).or_insert_with(|| TargetSeries::new(target));
        if series.provider != target.provider.id || series.model != target.model {
            // The name now means another LLM: what was counted of the old one is not its.
            *series = TargetSeries::new(target);
        }
        series.status = status;
        series.since = Some(since);
    }

    pub(super) fn judged(&mut self, target: &TargetId, verdict: Verdict) {
        if let Some(series) = self.targets.get_mut(target) {
            series.status = match verdict {
                Verdict::Ready => Status::Up,
                Verdict::Degraded => Status::Degraded,
                Verdict::Unknown => Status::Unknown,
                Verdict::Failed => Status::Down,
            };
        }
    }

    pub(super) fn next_due(&mut self, target: &TargetId, at: Option<Timestamp>) {
        if let Some(series) = self.targets.get_mut(target) {
            series.next_due = at;
        }
    }

    pub(super) fn paused(&mut self, target: &TargetId, why: Option<&str>) {
        if let Some(series) = self.targets.get_mut(target) {
            series.paused = Some(why.is_some());
        }
    }

    pub(super) fn retain(&mut self, targets: &HashSet<TargetId>) {
        self.known.clone_from(targets);
        self.targets.retain(|target, _| targets.contains(target));
        let providers: HashSet<_> = self.targets.values().map(|series| series.provider.clone()).collect();
        self.providers.retain(|provider, _| providers.contains(provider));
    }
}
