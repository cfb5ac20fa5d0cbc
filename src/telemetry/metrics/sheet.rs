//! One moment of the metrics, put in words: a function of the state alone.
//!
//! Nothing is counted here. A metric without a sample is left out with its head, so that what was not measured is absent.

use std::fmt::{self, Write as _};

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, LabelSetEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::families::{self as family, Family, Kind};
use super::state::{Histogram, State, TargetSeries};
use crate::outcome::{Limited, Reading, Status, Verdict};
use crate::target::TargetId;
use crate::telemetry::process::Process;

/// What is told at one moment.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) state: State,
    pub(super) process: Process,
}

/// The value of a sample.
#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    Whole(u64),
    Real(f64),
    Histogram(&'a Histogram),
}

impl Value<'_> {
    fn of(count: usize) -> Self {
        Self::Whole(u64::try_from(count).unwrap_or(u64::MAX))
    }

    /// Seconds since 1970, to the millisecond.
    fn moment(at: Timestamp) -> Self {
        Self::Real(at.as_millisecond() as f64 / 1000.0)
    }
}

/// The labels of a sample: the names of its metric with values in their order.
#[derive(Debug)]
struct Labels<'a> {
    names: &'static [&'static str],
    values: &'a [&'a str],
}

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> fmt::Result {
        debug_assert_eq!(self.names.len(), self.values.len(), "{self:?}");
        for (name, value) in self.names.iter().zip(self.values) {
            let mut label = encoder.encode_label();
            let mut key = label.encode_label_key()?;
            key.write_str(name)?;
            let mut text = key.encode_label_value()?;
            text.write_str(value)?;
            text.finish()?;
        }
        Ok(())
    }
}

/// Writes one metric with all its samples.
fn write<'a, const N: usize>(
    encoder: &mut DescriptorEncoder<'_>,
    family: &Family,
    samples: impl IntoIterator<Item = ([&'a str; N], Value<'a>)>,
) -> fmt::Result {
    let mut samples = samples.into_iter().peekable();
    if samples.peek().is_none() {
        return Ok(());
    }
    let kind = match family.kind {
        Kind::Counter => MetricType::Counter,
        Kind::Gauge => MetricType::Gauge,
        Kind::Histogram => MetricType::Histogram,
        Kind::Info => MetricType::Info,
    };
    let mut metric = encoder.encode_descriptor(family.stem(), family.help, None, kind)?;
    for (values, value) in samples {
        let labels = Labels { names: family.labels, values: &values };
        match family.kind {
            Kind::Info => metric.encode_info(&labels)?,
            // Without labels the client would write empty braces.
            kind if N == 0 => sample(&mut metric, kind, value)?,
            kind => sample(&mut metric.encode_family(&labels)?, kind, value)?,
        }
    }
    Ok(())
}

/// Writes one sample, or the samples of one histogram.
fn sample(encoder: &mut MetricEncoder<'_>, kind: Kind, value: Value<'_>) -> fmt::Result {
    match (kind, value) {
        (_, Value::Histogram(of)) => encoder.encode_histogram::<NoLabelSet>(of.sum(), of.count(), &of.buckets(), None),
        (Kind::Counter, Value::Whole(count)) => encoder.encode_counter::<NoLabelSet, _, f64>(&count, None),
        (Kind::Counter, Value::Real(sum)) => encoder.encode_counter::<NoLabelSet, _, f64>(&sum, None),
        (_, Value::Whole(number)) => encoder.encode_gauge(&number),
        (_, Value::Real(number)) => encoder.encode_gauge(&number),
    }
}

impl Collector for Sheet {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        self.targets(&mut encoder)?;
        self.providers(&mut encoder)?;
        self.daemon(&mut encoder)?;
        self.process(&mut encoder)
    }
}

impl Sheet {
    fn targets(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let all = || self.state.targets.iter().map(|(id, series)| (id.as_str(), series));
        write(encoder, &family::TARGET_INFO, self.state.targets.iter().map(|(id, s)| (names(id, s), Value::Whole(1))))?;
        let up = |(id, series)| is_up(series).map(|up| (names(id, series), Value::Whole(up.into())));
        write(encoder, &family::TARGET_UP, self.state.targets.iter().filter_map(up))?;
        let states = all().flat_map(|(id, series)| {
            let value = |status| Value::Whole(u64::from(status == series.status));
            Status::ALL.into_iter().map(move |status| ([id, status.name()], value(status)))
        });
        write(encoder, &family::TARGET_STATUS, states)?;
        let since = |(id, series): (_, &TargetSeries)| Some(([id], Value::moment(series.since?)));
        write(encoder, &family::TARGET_STATUS_SINCE, all().filter_map(since))?;
        let warm = |(id, series): (_, &TargetSeries)| Some(([id], Value::Whole(series.warm?.into())));
        write(encoder, &family::TARGET_WARM, all().filter_map(warm))?;

        let probes = all().flat_map(|(id, series)| {
            let probes = series.probes.iter();
            probes.map(move |((depth, verdict), count)| ([id, depth.name(), verdict.name()], Value::Whole(*count)))
        });
        write(encoder, &family::PROBES, probes)?;
        let failures = all().flat_map(|(id, series)| {
            series.failures.iter().map(move |(code, count)| ([id, code.name()], Value::Whole(*count)))
        });
        write(encoder, &family::PROBE_FAILURES, failures)?;
        let cold = all().filter(|(_, series)| series.cold_starts > 0);
        write(encoder, &family::COLD_STARTS, cold.map(|(id, series)| ([id], Value::Whole(series.cold_starts))))?;
        let last = all().flat_map(|(id, series)| {
            series.last_probe.iter().map(move |(depth, at)| ([id, depth.name()], Value::moment(*at)))
        });
        write(encoder, &family::LAST_PROBE, last)?;
        let next = |(id, series): (_, &TargetSeries)| Some(([id], Value::moment(series.next_due?)));
        write(encoder, &family::NEXT_PROBE, all().filter_map(next))?;
        let tokens = all().flat_map(|(id, series)| {
            series.tokens.iter().map(move |(direction, count)| ([id, direction], Value::Whole(*count)))
        });
        write(encoder, &family::TOKENS, tokens)?;
        let price = |(id, series): (_, &TargetSeries)| Some(([id], Value::Real(series.cost.requests?)));
        write(encoder, &family::PRICE_REQUESTS, all().filter_map(price))?;
        let price = |(id, series): (_, &TargetSeries)| Some(([id], Value::Real(series.cost.usd?)));
        write(encoder, &family::PRICE_USD, all().filter_map(price))?;
        let withheld = all().flat_map(|(id, series)| {
            series.withheld.iter().map(move |(why, count)| ([id, why.name()], Value::Whole(*count)))
        });
        write(encoder, &family::WITHHELD, withheld)?;
        let paused = |(id, series): (_, &TargetSeries)| Some(([id], Value::Whole(series.paused?.into())));
        write(encoder, &family::PAUSED, all().filter_map(paused))?;
        let first = all().flat_map(|(id, series)| {
            series.first_token.iter().map(move |(warmth, histogram)| ([id, warmth], Value::Histogram(histogram)))
        });
        write(encoder, &family::FIRST_TOKEN, first)
    }

    fn providers(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let all = || self.state.providers.iter().map(|(id, series)| (id.as_str(), series));
        let phases = all().flat_map(|(id, series)| {
            series.phases.iter().map(move |(phase, histogram)| ([id, phase], Value::Histogram(histogram)))
        });
        write(encoder, &family::PHASE, phases)?;
        let ends = all().filter_map(|(id, series)| Some(([id], Value::moment(series.certificate_ends?))));
        write(encoder, &family::CERTIFICATE, ends)?;
        let quota = || all().flat_map(|(id, series)| series.quota.newest().map(move |reading| (id, reading)));
        fn limit<'a>(id: &'a str, reading: &'a Reading, number: Option<f64>) -> Option<([&'a str; 3], Value<'a>)> {
            Some(([id, reading.window.as_str(), reading.unit.name()], Value::Real(number?)))
        }
        let remaining = quota().filter_map(|(id, reading)| limit(id, reading, reading.remaining));
        write(encoder, &family::QUOTA_REMAINING, remaining)?;
        let max = quota().filter_map(|(id, reading)| limit(id, reading, reading.max));
        write(encoder, &family::QUOTA_MAX, max)?;
        let limited = quota().map(|(id, reading)| {
            ([id, reading.window.as_str()], Value::Whole((reading.limited == Limited::Yes).into()))
        });
        write(encoder, &family::QUOTA_LIMITED, limited)?;
        let durations = self.state.durations.iter();
        let durations = durations.map(|(depth, histogram)| ([depth.name()], Value::Histogram(histogram)));
        write(encoder, &family::PROBE_DURATION, durations)
    }

    fn daemon(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let state = &self.state;
        let mut alone =
            |family: &Family, value: Option<Value<'_>>| write(encoder, family, value.map(|value| ([], value)));
        alone(&family::LATENESS, state.lateness.as_ref().map(Value::Histogram))?;
        alone(&family::PROBES_WAITING, state.queue.map(|(waiting, _)| Value::of(waiting)))?;
        alone(&family::PROBES_RUNNING, state.queue.map(|(_, running)| Value::of(running)))?;
        alone(&family::TASKS, state.tasks.map(Value::of))?;
        alone(&family::TRIGGER_FIRED, state.trigger.map(|trigger| Value::Whole(trigger.fired)))?;
        alone(&family::TRIGGER_LOST, state.trigger.map(|trigger| Value::Whole(trigger.lost)))?;
        alone(&family::TRIGGER_MISSED, state.trigger.map(|trigger| Value::Whole(trigger.missed)))?;
        alone(&family::RELOAD_OK, state.reload_ok.map(|ok| Value::Whole(ok.into())))?;
        alone(&family::RELOADED, state.reloaded.map(Value::moment))?;
        alone(&family::STORE_PENDING, state.store.map(|store| Value::of(store.pending)))?;
        alone(&family::STORE_DROPPED, state.store.map(|store| Value::Whole(store.dropped)))?;
        alone(&family::STORE_FAILURES, state.store.map(|store| Value::Whole(store.failures)))?;
        alone(&family::STORE_SIZE, state.store.and_then(|store| store.bytes).map(Value::Whole))
    }

    fn process(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let gates = self.state.gates.iter().flat_map(|(gate, stands)| {
            let value = |verdict| Value::Whole(u64::from(verdict == *stands));
            Verdict::ALL.into_iter().map(move |verdict| ([gate.as_str(), verdict.name()], value(verdict)))
        });
        write(encoder, &family::GATE, gates)?;
        write(encoder, &family::BUILD_INFO, [([self.state.version.as_str()], Value::Whole(1))])?;
        let process = &self.process;
        let mut alone =
            |family: &Family, value: Option<Value<'_>>| write(encoder, family, value.map(|value| ([], value)));
        alone(&family::PROCESS_MEMORY, process.resident_bytes.map(Value::Whole))?;
        alone(&family::PROCESS_CPU, process.cpu_seconds.map(Value::Real))?;
        alone(&family::PROCESS_OPEN, process.open_files.map(Value::Whole))?;
        alone(&family::PROCESS_MAX, process.max_files.map(Value::Whole))?;
        alone(&family::PROCESS_THREADS, process.threads.map(Value::Whole))?;
        alone(&family::PROCESS_START, process.start_seconds.map(Value::Real))
    }
}

/// The labels that join a target with its provider and LLM.
fn names<'a>(id: &'a TargetId, series: &'a TargetSeries) -> [&'a str; 3] {
    [id.as_str(), series.provider.as_str(), series.model.as_str()]
}

/// Whether it answers; absent where that is not known or not asked.
fn is_up(series: &TargetSeries) -> Option<bool> {
    match series.status {
        Status::Up | Status::Degraded => Some(true),
        Status::Down => Some(false),
        Status::Unknown | Status::Maintenance => None,
    }
}
