//! The metrics by name: type, labels and meaning of each. `docs/metrics.md` and the expositions are both made from this.
//!
//! A label must have few values that we know: names of probes.yaml, words of ours. Ids of passes, texts from the wire and
//! URLs are none; the log has them.

/// What kind of metric it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Info,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }
}

/// One metric, with all its labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Family {
    /// The name as people query it, with the suffix of its kind.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) labels: &'static [&'static str],
    pub(super) help: &'static str,
}

impl Family {
    /// The name without the suffix that OpenMetrics sees as a part of the sample, not of the metric.
    pub(super) fn stem(&self) -> &'static str {
        match self.kind {
            Kind::Counter => self.name.strip_suffix("_total").unwrap_or(self.name),
            Kind::Info => self.name.strip_suffix("_info").unwrap_or(self.name),
            Kind::Gauge | Kind::Histogram => self.name,
        }
    }
}

macro_rules! families {
    ($($name:ident: $kind:ident $text:literal [$($label:literal),*] $help:literal;)*) => {
        $(pub(super) const $name: Family =
            Family { name: $text, kind: Kind::$kind, labels: &[$($label),*], help: $help };)*
        /// Every metric, in the order of the expositions.
        pub(super) const ALL: &[Family] = &[$($name),*];
    };
}

families! {
    TARGET_INFO: Info "pilotlight_target_info" ["target", "provider", "model"]
        "Always 1, to join a target with its provider and model";
    TARGET_UP: Gauge "pilotlight_target_up" ["target", "provider", "model"]
        "1 while the target is up or degraded, 0 while it is down; absent while that is unknown or under maintenance";
    TARGET_STATUS: Gauge "pilotlight_target_status" ["target", "status"]
        "1 for the status that the target has, 0 for every other";
    TARGET_STATUS_SINCE: Gauge "pilotlight_target_status_since_timestamp_seconds" ["target"]
        "When the target took the status it has";
    TARGET_WARM: Gauge "pilotlight_target_warm" ["target"]
        "1 when the last warm-up found the model loaded, 0 when it had to load; absent when that is unknown";
    PROBES: Counter "pilotlight_probes_total" ["target", "depth", "verdict"]
        "Finished probes";
    PROBE_FAILURES: Counter "pilotlight_probe_failures_total" ["target", "code"]
        "Probes with the verdict failed or unknown, by what went wrong";
    COLD_STARTS: Counter "pilotlight_cold_starts_total" ["target"]
        "Warm-ups that found the model not loaded";
    LAST_PROBE: Gauge "pilotlight_last_probe_timestamp_seconds" ["target", "depth"]
        "When the last probe of this depth ended";
    NEXT_PROBE: Gauge "pilotlight_next_probe_timestamp_seconds" ["target"]
        "When the target is due next; absent when it is not scheduled";
    TOKENS: Counter "pilotlight_tokens_total" ["target", "direction"]
        "Tokens that warm-ups used, as the provider counts them; direction is input or output";
    PRICE_REQUESTS: Counter "pilotlight_probe_price_requests_total" ["target"]
        "What probes cost in requests, as the provider weighs them";
    PRICE_USD: Counter "pilotlight_probe_price_usd_total" ["target"]
        "What probes cost in US dollars";
    WITHHELD: Counter "pilotlight_withheld_total" ["target", "reason"]
        "Warm-ups that were not made, to spare the quota, by why";
    PAUSED: Gauge "pilotlight_paused" ["target"]
        "1 while warm-ups of the target are withheld to spare the quota, else 0; its status is not touched by that";
    FIRST_TOKEN: Histogram "pilotlight_first_token_seconds" ["target", "warmth"]
        "From writing a warm-up to its first generated content";
    PHASE: Histogram "pilotlight_phase_seconds" ["provider", "phase"]
        "Phases of the last attempt of a probe: dns, tcp, tls, headers";
    CERTIFICATE: Gauge "pilotlight_certificate_not_after_timestamp_seconds" ["provider"]
        "When the certificate of the provider's server ends";
    QUOTA_REMAINING: Gauge "pilotlight_quota_remaining" ["provider", "window", "unit"]
        "What the provider said last is left of a limit, in that unit";
    QUOTA_MAX: Gauge "pilotlight_quota_max" ["provider", "window", "unit"]
        "What there is of a limit when nothing is used, in that unit";
    QUOTA_LIMITED: Gauge "pilotlight_quota_limited" ["provider", "window"]
        "1 when the provider said last that it refuses for want of this, else 0";
    PROBE_DURATION: Histogram "pilotlight_probe_duration_seconds" ["depth"]
        "Whole probes, all attempts and pauses included";
    LATENESS: Histogram "pilotlight_start_lateness_seconds" []
        "How much later than due a probe began";
    PROBES_WAITING: Gauge "pilotlight_probes_waiting" []
        "Probes that are due and wait for their turn";
    PROBES_RUNNING: Gauge "pilotlight_probes_running" []
        "Probes that are under way";
    TASKS: Gauge "pilotlight_tasks" []
        "Tasks of the runtime: one or two for each probe that waits or is under way, and a few of the service's own";
    TRIGGER_FIRED: Counter "pilotlight_trigger_fired_total" []
        "Due times that the trigger announced";
    TRIGGER_LOST: Counter "pilotlight_trigger_lost_total" []
        "Due times that the trigger failed to announce and that were caught by the check behind it";
    TRIGGER_MISSED: Counter "pilotlight_trigger_missed_total" []
        "Due times that passed without a probe";
    RELOAD_OK: Gauge "pilotlight_config_last_reload_successful" []
        "1 when the configuration was accepted when it was last loaded, 0 when it was refused and the old one is kept";
    RELOADED: Gauge "pilotlight_config_last_reload_success_timestamp_seconds" []
        "When a configuration was last accepted";
    STORE_PENDING: Gauge "pilotlight_store_pending_writes" []
        "Records that wait to be written to the store";
    STORE_DROPPED: Counter "pilotlight_store_dropped_total" []
        "Records that were not written because too many were waiting";
    STORE_FAILURES: Counter "pilotlight_store_failures_total" []
        "Writes to the store that failed";
    STORE_SIZE: Gauge "pilotlight_store_size_bytes" []
        "Size of the store on disk";
    GATE: Gauge "pilotlight_gate" ["gate", "verdict"]
        "1 for how a gate that was waited for stood in the end, 0 for every other verdict; only in the report of a pass";
    BUILD_INFO: Info "pilotlight_build_info" ["version"]
        "Always 1, with the version that runs";
    PROCESS_MEMORY: Gauge "process_resident_memory_bytes" []
        "Memory in use";
    PROCESS_CPU: Counter "process_cpu_seconds_total" []
        "CPU time in user and kernel";
    PROCESS_OPEN: Gauge "process_open_fds" []
        "Open file descriptors";
    PROCESS_MAX: Gauge "process_max_fds" []
        "Limit of open file descriptors; absent where there is none";
    PROCESS_THREADS: Gauge "process_threads" []
        "Threads";
    PROCESS_START: Gauge "process_start_time_seconds" []
        "When the process began, in seconds since 1970";
}
