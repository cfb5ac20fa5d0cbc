//! The 22 worlds of section 6 of the reference, and how to make others like them. Data only.

/// What a provider and its users do. Times in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// The idle timeout; infinity for a model that stays.
    pub(crate) timeout: f64,
    /// From the ninth working day on it is this.
    pub(crate) later: Option<f64>,
    /// How much the timeout varies: the deviation of its logarithm.
    pub(crate) jitter: f64,
    /// The mean time to a random eviction.
    pub(crate) eviction: f64,
    /// The median cold start.
    pub(crate) load: f64,
    /// The median time to the first token of a warm model.
    pub(crate) warm: f64,
    /// Sessions an hour in the window.
    pub(crate) users: f64,
    /// Requests an hour that other tenants send by day and nobody sees.
    pub(crate) tenants: f64,
    /// Other models of the account, with users of their own.
    pub(crate) siblings: u32,
    pub(crate) kind: Kind,
}

/// What can be asked of a policy there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One exact timeout: an oracle never meets a cold model.
    Hard,
    /// A good policy keeps users from nearly all cold starts.
    Feasible,
    /// Nothing helps.
    Infeasible,
}

pub(crate) const MINUTE: f64 = 60.0;
pub(crate) const HOUR: f64 = 3600.0;

/// A plain world with this timeout.
pub(crate) const fn plain(name: &'static str, timeout: f64) -> Scenario {
    Scenario {
        name,
        timeout,
        later: None,
        jitter: 0.0,
        eviction: f64::INFINITY,
        load: 30.0,
        warm: 0.35,
        users: 1.5,
        tenants: 0.0,
        siblings: 0,
        kind: Kind::Hard,
    }
}

const NEVER: f64 = f64::INFINITY;
const QUARTER: f64 = 15.0 * MINUTE;

pub(crate) const SCENARIOS: [Scenario; 22] = [
    plain("T=3m", 3.0 * MINUTE),
    plain("T=5m", 5.0 * MINUTE),
    plain("T=8.4m", 8.4 * MINUTE),
    plain("T=10m", 10.0 * MINUTE),
    plain("T=15m", QUARTER),
    plain("T=30m", 30.0 * MINUTE),
    plain("T=60m", HOUR),
    Scenario { kind: Kind::Feasible, ..plain("never", NEVER) },
    Scenario { jitter: 0.15, kind: Kind::Feasible, ..plain("15m, 15% jitter", QUARTER) },
    Scenario { later: Some(7.0 * MINUTE), kind: Kind::Feasible, ..plain("15m to 7m", QUARTER) },
    Scenario { later: Some(45.0 * MINUTE), kind: Kind::Feasible, ..plain("15m to 45m", QUARTER) },
    Scenario { later: Some(5.0 * MINUTE), kind: Kind::Feasible, ..plain("60m to 5m", HOUR) },
    Scenario { eviction: 6.0 * HOUR, kind: Kind::Feasible, ..plain("15m, evicted 1/6h", QUARTER) },
    Scenario { eviction: HOUR, kind: Kind::Infeasible, ..plain("memoryless 60m", NEVER) },
    Scenario { tenants: 40.0, kind: Kind::Feasible, ..plain("10m, other tenants", 10.0 * MINUTE) },
    Scenario { load: 4.0, ..plain("15m, C=4s", QUARTER) },
    Scenario { load: 120.0, ..plain("15m, C=120s", QUARTER) },
    Scenario { load: 300.0, ..plain("15m, C=300s", QUARTER) },
    Scenario { siblings: 2, ..plain("15m, 3 siblings", QUARTER) },
    Scenario { users: 6.0, ..plain("15m, busy users", QUARTER) },
    Scenario { users: 0.3, ..plain("15m, quiet users", QUARTER) },
    Scenario { kind: Kind::Infeasible, ..plain("T=1m", MINUTE) },
];
