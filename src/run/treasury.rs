//! Asks the governor before each warm-up, and tells the ledger what came of it.
//!
//! The rules are `quota/`'s; this knows which provider's ledger a probe belongs to, which requests of ours are in flight,
//! and what time it is.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task;

use super::cost::{counted, priced, spent};
use crate::outcome::{Class, Code, Cost, Counter, Outcome, Stage, Uses, Withholding};
use crate::probe::clock::Clock;
use crate::probe::{Job, KnownOfQuota, Leave, NotPermitted, Permit};
use crate::quota::{
    Charge, Grant, InFlight, Ledger, Ledgers, MemoryLedgers, Price, QuotaSettings, Spending, Stake, Stamp, Steady,
    Waits, WhyWithheld, Wish, gaps,
};
use crate::target::{Depth, ModelId, ProviderId, Target, TargetId};

/// What may be spent, of which provider, and by whom.
pub struct Treasury {
    spending: Spending,
    clock: Arc<dyn Clock>,
    ledgers: Arc<dyn Ledgers>,
    /// For providers of which nothing has to outlive the process.
    memory: Arc<dyn Ledgers>,
    rules: Mutex<Rules>,
    in_flight: Arc<Mutex<HashMap<Lane, usize>>>,
    traffic: Mutex<HashMap<ProviderId, Traffic>>,
    /// Whether a warm-up of an LLM that is being warmed waits for its turn, even by a schedule.
    waits: AtomicBool,
    /// Why the last ledger could not be kept.
    trouble: Mutex<Option<String>>,
}

/// Where requests wait for each other: an LLM of a provider.
type Lane = (ProviderId, ModelId);

/// The requests of ours that cost, at one provider. Where several run at once, its counter does not tell what each cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Traffic {
    /// How many were ever granted.
    granted: u64,
    /// How many of them are settled.
    settled: u64,
    /// What all that were granted may cost.
    granted_charge: Charge,
    /// The part of it that is settled.
    settled_charge: Charge,
}

impl Traffic {
    /// What those may cost that are not settled.
    fn outstanding(&self) -> Charge {
        // Rounding must not leave anything behind.
        if self.granted == self.settled { Charge::default() } else { self.granted_charge.less(self.settled_charge) }
    }
}

#[derive(Default)]
struct Rules {
    settings: BTreeMap<ProviderId, Arc<QuotaSettings>>,
    /// How far apart warm-ups are to be, in seconds, where the share is short.
    gaps: HashMap<TargetId, f64>,
}

/// A warm-up of ours at an LLM, for as long as it lives.
#[derive(Debug)]
pub(super) struct Presence {
    lane: Lane,
    all: Arc<Mutex<HashMap<Lane, usize>>>,
    /// Whether there was another when it began.
    pub(super) met: InFlight,
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.lane) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                all.remove(&self.lane);
            }
        }
    }
}

impl Treasury {
    /// A treasury for those who spend so, with ledgers that are kept there.
    #[must_use]
    pub fn new(spending: Spending, clock: Arc<dyn Clock>, ledgers: Arc<dyn Ledgers>) -> Self {
        Self {
            spending,
            clock,
            ledgers,
            memory: Arc::new(MemoryLedgers::default()),
            rules: Mutex::default(),
            in_flight: Arc::default(),
            traffic: Mutex::default(),
            waits: AtomicBool::new(false),
            trouble: Mutex::default(),
        }
    }

    /// One that gives leave to everything.
    #[must_use]
    pub fn unlimited(clock: Arc<dyn Clock>) -> Self {
        Self::new(Spending::Unlimited, clock, Arc::new(MemoryLedgers::default()))
    }

    /// Puts rules in force: what each provider allows, and how useful each target is.
    pub fn adopt(
        &self,
        settings: impl IntoIterator<Item = (ProviderId, QuotaSettings)>,
        stakes: &[(ProviderId, Stake)],
    ) {
        let settings: BTreeMap<_, _> = settings.into_iter().map(|(id, settings)| (id, Arc::new(settings))).collect();
        let mut all = HashMap::new();
        for (provider, settings) in &settings {
            let own = stakes.iter().filter(|(id, _)| id == provider).map(|(_, stake)| stake.clone());
            all.extend(gaps(&own.collect::<Vec<_>>(), settings));
        }
        *self.rules() = Rules { settings, gaps: all };
    }

    /// Why the last ledger could not be kept, where it could not.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes that a target is to be probed. `None` where nothing is spent.
    pub(super) fn enter(&self, job: &Job) -> Option<Presence> {
        if job.depth != Depth::Warm {
            return None;
        }
        let lane = (job.target.provider.id.clone(), job.target.model.clone());
        let mut all = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(lane.clone()).or_default();
        *count += 1;
        // A person waits for a turn; a schedule does not, for the LLM is being warmed already.
        let skips = self.spending == Spending::Scheduled && !self.waits.load(Ordering::Relaxed);
        let met = if *count > 1 && skips { InFlight::Yes } else { InFlight::No };
        Some(Presence { lane, all: Arc::clone(&self.in_flight), met })
    }

    /// The permit of one attempt.
    pub(super) fn attempt<'a>(&'a self, target: &'a Target, presence: Option<&Presence>) -> Attempt<'a> {
        let met = presence.map_or(InFlight::No, |presence| presence.met);
        let before = self.traffic(&target.provider.id, |traffic| *traffic);
        Attempt { treasury: self, target, met, before, granted: Mutex::default(), used: Mutex::default() }
    }

    fn traffic<T>(&self, provider: &ProviderId, look: impl FnOnce(&mut Traffic) -> T) -> T {
        let mut all = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        look(all.entry(provider.clone()).or_default())
    }

    /// Has warm-ups of an LLM that is being warmed wait for their turn: in a pass that is made once, nobody comes later.
    pub fn wait_for_turns(&self) {
        self.waits.store(true, Ordering::Relaxed);
    }

    /// How far apart the warm-ups of a target are to be, in seconds, where the share is short.
    fn gap(&self, target: &TargetId) -> Option<f64> {
        self.rules().gaps.get(target).copied()
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settings(&self, provider: &ProviderId) -> Arc<QuotaSettings> {
        self.rules().settings.get(provider).cloned().unwrap_or_default()
    }

    fn stamp(&self) -> Stamp {
        let steady = self
            .clock
            .since_boot()
            .map(|since| Steady { boot: since.boot, ms: u64::try_from(since.elapsed.as_millis()).unwrap_or(u64::MAX) });
        Stamp { wall_ms: self.clock.wall().as_millisecond(), steady }
    }

    /// Changes the ledger of a provider. `Err` where it could not be kept, with what came of the change all the same.
    async fn change<T: Send + 'static>(
        &self,
        provider: &ProviderId,
        settings: &Arc<QuotaSettings>,
        change: impl FnOnce(&mut Ledger, &QuotaSettings, Stamp) -> T + Send + 'static,
    ) -> (Option<T>, Result<(), String>) {
        // Without limits or a cap there is nothing that a restart could forget.
        let lasting = !settings.limits.is_empty() || settings.daily_cap.is_some();
        let ledgers = Arc::clone(if lasting { &self.ledgers } else { &self.memory });
        let now = self.stamp();
        let (provider, settings) = (provider.clone(), Arc::clone(settings));
        let waits = ledgers.waits();
        let work = move || {
            let (mut change, mut result) = (Some(change), None);
            let kept = ledgers.change(&provider, &settings, now, &mut |ledger| {
                result = change.take().map(|change| change(ledger, &settings, now));
            });
            (result, kept)
        };
        let (result, kept) = match waits {
            Waits::No => work(),
            Waits::Yes => {
                task::spawn_blocking(work).await.unwrap_or_else(|error| (None, Err(format!("keep a ledger: {error}"))))
            }
        };
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = kept.as_ref().err().cloned();
        (result, kept)
    }
}

/// The permit of one attempt, and what came of it.
pub(super) struct Attempt<'a> {
    treasury: &'a Treasury,
    target: &'a Target,
    met: InFlight,
    /// As it was when the attempt began, and so before the provider's counter was read.
    before: Traffic,
    granted: Mutex<Option<(Grant, Price)>>,
    /// Uses that were not ours, once the ledger was told what was read before anything was spent.
    used: Mutex<Option<Uses>>,
}

impl Permit for Attempt<'_> {
    fn ask<'a>(&'a self, known: KnownOfQuota<'a>) -> Leave<'a> {
        Box::pin(self.leave(known))
    }
}

impl Attempt<'_> {
    async fn leave(&self, known: KnownOfQuota<'_>) -> Result<(), NotPermitted> {
        let target = self.target;
        let settings = self.treasury.settings(&target.provider.id);
        let gap = self.treasury.gap(&target.id);
        let outstanding = self.treasury.traffic(&target.provider.id, |traffic| traffic.outstanding());
        let id = target.id.clone();
        let (spending, in_flight) = (self.treasury.spending, self.met);
        let (model, tokens) = (target.model.clone(), target.max_output_tokens);
        let (seen, list) = (known.seen.clone(), known.list_price);
        let pending = self.under_way(0.0);
        let asked = self.treasury.change(&target.provider.id, &settings, move |ledger, settings, now| {
            let readings: Vec<_> = seen.newest().cloned().collect();
            let used = ledger.learn_beside(settings, &readings, pending, now);
            let price = priced(ledger.price(settings, &model), list);
            let wish = Wish {
                spending,
                charge: Charge::expected(price, tokens),
                at_most_usd: Charge::at_most(price, tokens).usd,
                in_flight,
                pace: gap.zip(ledger.since_turn(&id, now)),
                outstanding,
            };
            (ledger.ask(settings, &wish, now).map(|grant| (grant, price)), used)
        });
        let (answered, kept) = asked.await;
        let answer = answered.map(|(answer, used)| {
            *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Some(used);
            answer
        });
        if let (Err(error), Some(_), true) = (&kept, settings.daily_cap, spending != Spending::Unlimited) {
            let says = "there is a daily cap, and what is spent cannot be kept".to_owned();
            let evidence = format!("{says}: failed to {error}");
            let (code, why) = (Code::QuotaWithheld, Withholding::DailyCap);
            return Err(NotPermitted { code, why, says, evidence, after: None });
        }
        match answer {
            Some(Ok(granted)) => {
                self.treasury.traffic(&target.provider.id, |traffic| {
                    traffic.granted += 1;
                    traffic.granted_charge = traffic.granted_charge.and(granted.0.taken());
                });
                *self.granted.lock().unwrap_or_else(PoisonError::into_inner) = Some(granted);
                Ok(())
            }
            Some(Err(withheld)) => Err(NotPermitted {
                // A person who asks is told what the provider would answer; it was not asked for nothing.
                code: match (spending, &withheld.why) {
                    (_, WhyWithheld::BalanceSpent) => Code::BalanceSpent,
                    (Spending::ByHand, WhyWithheld::Limited) => Code::WindowSpent,
                    _ => Code::QuotaWithheld,
                },
                why: withheld.why.kind(),
                says: withheld.why.short(),
                evidence: withheld.to_string(),
                after: withheld.until_s.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            }),
            None => Err(NotPermitted {
                code: Code::QuotaWithheld,
                why: Withholding::Limited,
                says: "the quota's ledger could not be asked".to_owned(),
                evidence: format!(
                    "the quota's ledger could not be asked: failed to {}",
                    kept.err().unwrap_or_default()
                ),
                after: None,
            }),
        }
    }

    /// Tells the ledger what came of the attempt, and the outcome what it cost. `charged` is how many requests the
    /// provider may have charged for.
    pub(super) async fn settle(self, outcome: &mut Outcome, charged: u32) {
        let granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner).take();
        let spoke = outcome.quota.newest().next().is_some();
        let refused = outcome
            .diagnosis
            .as_ref()
            .filter(|diagnosis| diagnosis.stage == Stage::Warm && diagnosis.code.class() == Class::RateLimited);
        if granted.is_none() && !spoke && refused.is_none() {
            return;
        }
        let reset = refused.map(|diagnosis| diagnosis.reset.map(|reset| reset.after.as_secs_f64()));
        let spent = granted.map(|(_, price)| spent(price, outcome, charged)).unwrap_or_default();
        if charged > 0
            && let Some(spent) = &spent
        {
            outcome.cost = Cost { requests: Some(spent.requests), usd: spent.usd };
        }
        let alone = self.was_alone(granted.as_ref());
        let measured = (charged == 1 && alone).then(|| counted(&outcome.quota)).flatten();
        let (seen, model) = (outcome.quota.clone(), self.target.model.clone());
        let told = self.used.lock().unwrap_or_else(PoisonError::into_inner).take();
        // What was read before anything was spent was told already, and lacks what was spent since.
        let fresh: Vec<_> = if told.is_some() { seen.after } else { seen.newest().cloned().collect() };
        let pending = self.under_way(granted.map_or(0.0, |(grant, _)| grant.taken().requests));
        let settings = self.treasury.settings(&self.target.provider.id);
        let (id, paced) = (self.target.id.clone(), self.treasury.gap(&self.target.id).is_some());
        let settled = self.treasury.change(&self.target.provider.id, &settings, move |ledger, settings, now| {
            if let Some((grant, _)) = granted {
                ledger.settle(settings, grant, spent, now);
            }
            let used = ledger.learn_beside(settings, &fresh, pending, now);
            if paced && charged > 0 {
                ledger.took_turn(&id, now);
            }
            if let Some(requests) = measured {
                ledger.measure(&model, requests);
            }
            if let Some(reset) = reset {
                ledger.refused(settings, reset, now);
            }
            used
        });
        // `trouble` tells of a ledger that could not be kept; the probe's own outcome stands.
        let (used, _) = settled.await;
        let used = used.unwrap_or_default();
        outcome.used = match told {
            Some(mut told) => {
                // What a counter cannot tell of our own request's time is of no weight.
                let sure = used.counter == Counter::Moved;
                told.then(if sure { used } else { Uses::default() });
                told
            }
            None => used,
        };
    }

    /// What other requests of ours may have cost that were under way at the provider since the attempt began; `own` is
    /// this one's part.
    fn under_way(&self, own: f64) -> f64 {
        let granted = self.treasury.traffic(&self.target.provider.id, |traffic| traffic.granted_charge);
        granted.less(self.before.settled_charge).requests.max(own) - own
    }

    /// Ends its request, if one was granted, and says whether no other of ours was under way at the provider meanwhile.
    fn was_alone(&self, granted: Option<&(Grant, Price)>) -> bool {
        self.treasury.traffic(&self.target.provider.id, |traffic| {
            if let Some((grant, _)) = granted {
                traffic.settled += 1;
                traffic.settled_charge = traffic.settled_charge.and(grant.taken());
            }
            self.before.granted == self.before.settled && traffic.granted == self.before.granted + 1
        })
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        // One that did not come back, for a fault of ours: what was granted to it stays spent.
        let granted = self.granted.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if granted.is_some() {
            self.was_alone(granted.as_ref());
        }
    }
}
