//! Passes within this process, as `check` makes them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::ensure;
use pilotlight::config::{self, Environment};
use pilotlight::outcome::{Outcome, RunId};
use pilotlight::plan::RetryPolicy;
use pilotlight::probe::Job;
use pilotlight::probe::transport::Network;
use pilotlight::run::{Chance, Runner, Stop, SystemClock, Treasury};
use pilotlight::target::Depth;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

/// A runtime as `check` has it: one thread.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// A job for each target of a configuration.
pub(crate) fn jobs(probes: &Path, depth: Depth) -> anyhow::Result<Vec<Job>> {
    let environment = Environment::from_process();
    let config = config::load(probes, &environment)?;
    let run_id = RunId::new("bench");
    let mut credentials = HashMap::new();
    Ok(config
        .targets
        .iter()
        .map(|target| {
            let provider = &target.provider;
            let credential = credentials
                .entry(provider.id.clone())
                .or_insert_with(|| Arc::new(config::read_credential(provider, &environment, &config.directory)));
            let credential = Arc::clone(credential);
            Job { target: Arc::new(target.clone()), credential, depth, run_id: run_id.clone(), cold_until: None }
        })
        .collect())
}

/// One pass, without retries and without listeners. Every probe must succeed.
pub(crate) async fn pass(network: Arc<dyn Network>, jobs: Vec<Job>) -> anyhow::Result<Vec<Arc<Outcome>>> {
    let retry = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
    let runner = Runner::new(
        network,
        Arc::new(SystemClock),
        Arc::new(Chance::from_seed(1)),
        retry,
        Arc::new(Treasury::unlimited(Arc::new(SystemClock))),
    );
    let (_stop, stopper) = watch::channel(Stop::No);
    let outcomes = runner.pass(jobs, Arc::new(|_| {}), stopper).await;
    for outcome in &outcomes {
        ensure!(outcome.diagnosis.is_none(), "{} failed: {:?}", outcome.target.id, outcome.diagnosis);
    }
    Ok(outcomes)
}
