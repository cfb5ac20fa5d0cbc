//! A new configuration while the daemon runs: read and validated whole before anything changes. With any mistake the old
//! one stays. Targets that did not change keep their state and their alarm.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::life::Daemon;
use super::settle::Memory;
use super::slot::Slot;
use super::source::{Loaded, Looks, Source, SourceError};
use super::stakes::Stakes;
use crate::outcome::{Outage, Service, Status, is_shared};
use crate::plan::{AUTO, CronBook, Timetable};
use crate::store::{StoreError, Swept};
use crate::target::{Credential, Provider, ProviderId, Target, TargetId};

/// What comes from work that is done elsewhere.
pub(super) enum News {
    /// The file has new content.
    Changed,
    /// The configuration was read, and what the store remembers of targets that may be new.
    Loaded(Box<Result<Loaded, SourceError>>, Memory),
    /// The key of this provider was read again; nothing, where it could not be.
    Keys(Arc<Provider>, BTreeMap<ProviderId, Credential>),
    /// When users' own tools last told of a use, by the target's name.
    Touched(Vec<(String, Timestamp)>),
    /// How large the store is, in bytes.
    Stored(u64),
    /// Old history was swept out, or could not be.
    Swept(Result<Swept, StoreError>),
}

/// Whether the configuration is being read.
#[derive(Debug, Default)]
pub(super) struct Watch {
    under_way: bool,
    /// It was asked for again meanwhile.
    again: bool,
}

/// Looks at the file now and then.
pub(super) fn watch(
    source: &Source,
    looks: Vec<Looks>,
    pause: Duration,
    news: mpsc::UnboundedSender<News>,
) -> JoinHandle<()> {
    let paths = source.files();
    tokio::spawn(async move {
        let mut looks = Some(looks);
        let mut interval = tokio::time::interval(pause);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            let (mut before, paths) = (looks.take(), paths.clone());
            // A network file system may hang; that must not hold up anything else.
            let look = tokio::task::spawn_blocking(move || {
                let mut looks = before.take().unwrap_or_default();
                let changed = looks.iter_mut().zip(&paths).map(|(look, path)| look.changed(path));
                let changed = changed.fold(false, |any, one| any | one);
                (looks, changed)
            });
            let Ok((next, changed)) = look.await else { return };
            looks = Some(next);
            if changed && news.send(News::Changed).is_err() {
                return;
            }
        }
    })
}

impl Daemon {
    /// Has the configuration read; the news of it come later.
    pub(super) fn reload(&mut self) {
        if self.is_draining() {
            return;
        }
        if self.loading.under_way {
            self.loading.again = true;
            return;
        }
        self.loading.under_way = true;
        self.manager.reloading();
        let (source, news) = (self.source.clone(), self.news.0.clone());
        let store = self.writer.as_ref().map(|writer| Arc::clone(writer.store()));
        tokio::spawn(async move {
            let loaded = source.load_elsewhere().await;
            let memory = match store {
                Some(store) => Memory::read(&store).await,
                None => Memory::default(),
            };
            // Nobody listens only when the daemon is ending.
            news.send(News::Loaded(Box::new(loaded), memory)).ok();
        });
    }

    /// Takes in what was done elsewhere.
    pub(super) fn hear(&mut self, news: News) {
        match news {
            News::Changed => self.reload(),
            News::Keys(provider, keys) if keys.is_empty() => self.keys.give_up(&provider.id, self.clock.now()),
            // A key goes to the provider that it was read for, and to no other that took its name meanwhile.
            News::Keys(provider, keys) => {
                if self.slots.values().any(|slot| slot.target.provider == provider) {
                    self.keys.take(keys, self.clock.now());
                }
            }
            News::Touched(touches) => self.touched(touches),
            News::Stored(bytes) => self.store_bytes = Some(bytes),
            News::Swept(Ok(swept)) => self.store_bytes = Some(swept.bytes_after),
            News::Swept(Err(error)) => {
                // That it is over is told when the store is looked at next.
                self.store_failing = true;
                self.tell(Service::StoreFailing { error: error.to_string() });
            }
            News::Loaded(_, _) if self.is_draining() => {}
            News::Loaded(loaded, memory) => {
                self.loading.under_way = false;
                let now = self.clock.wall();
                match *loaded {
                    Ok(loaded) => {
                        let counts = self.adopt(loaded, &memory);
                        self.tell(counts);
                        self.metrics.config_loaded(now, true);
                    }
                    Err(error) => {
                        self.metrics.config_loaded(now, false);
                        self.tell(Service::ReloadRefused { mistakes: error.to_string() });
                    }
                }
                self.manager.ready();
                if std::mem::take(&mut self.loading.again) {
                    self.reload();
                }
            }
        }
    }

    /// Puts a configuration in force. What is known of a target that did not change goes on; the rest is looked up in
    /// what is remembered.
    pub(super) fn adopt(&mut self, loaded: Loaded, memory: &Memory) -> Service {
        let Loaded { config, targets, keys } = loaded;
        let now = self.clock.wall();
        self.damping = config.damping;
        self.maintenance = config.maintenance;
        self.retention = config.retention;
        self.witness = Arc::new(self.witness.anew(config.witness));
        self.keys.take(keys, self.clock.now());

        let mut book = CronBook::default();
        let mut old = std::mem::take(&mut self.slots);
        let (mut changed, mut unchanged) = (0, 0);
        let mut added_ids = Vec::new();
        let mut to_plan = Vec::new();
        for target in targets {
            let id = target.id.clone();
            let schedule = config.schedules.get(&id).cloned();
            let cold_start = target.expect.cold_start;
            let auto = self.time_scale.shrink(AUTO);
            // Its cron fields were read with the configuration, so they can be read again.
            let timetable =
                schedule.as_ref().and_then(|schedule| Timetable::new(schedule, cold_start, auto, &mut book).ok());
            let slot = match old.remove(&id) {
                None => {
                    added_ids.push(id.clone());
                    to_plan.push(id.clone());
                    let (standing, past) = memory.of(&target, now);
                    let pause = memory.pause(&target);
                    let mut slot = Slot::new(target, schedule, timetable, standing, past);
                    slot.pause = pause;
                    slot.prepare(memory, self.time_scale, now);
                    slot
                }
                Some(mut slot) => {
                    if is_same_probe(&slot.target, &target) && slot.schedule == schedule {
                        unchanged += 1;
                    } else {
                        changed += 1;
                        to_plan.push(id.clone());
                    }
                    if !Slot::is_same_llm(&slot.target, &target) {
                        slot.begin_anew(now);
                    }
                    (slot.target, slot.schedule, slot.timetable) = (target, schedule, timetable);
                    slot.prepare(memory, self.time_scale, now);
                    slot.forget_other_depths(None);
                    slot
                }
            };
            let mut slot = slot;
            if let Some(settings) = config.quotas.get(&slot.target.provider.id) {
                slot.price = settings.price(&slot.target.model).requests;
            }
            self.slots.insert(id, slot);
        }
        self.stakes = Stakes::new(config.quotas, config.assumptions);
        self.stakes.put(self.slots.values(), &self.treasury);
        let removed = old.len();
        for id in old.into_keys() {
            self.trigger.disarm(id);
        }
        self.forget_the_gone();
        self.resume_outages(&added_ids);
        for id in self.slots.keys().cloned().collect::<Vec<_>>() {
            self.show(&id);
        }
        let total = to_plan.len();
        for (index, id) in to_plan.iter().enumerate() {
            self.plan(id, (index, total));
            self.show(id);
        }
        Service::Reloaded { added: added_ids.len(), removed, changed, unchanged }
    }

    /// Takes up the troubles that all targets of a provider shared before a restart, so that their end is told once.
    fn resume_outages(&mut self, ids: &[TargetId]) {
        for id in ids {
            let Some(slot) = self.slots.get(id) else { continue };
            let shared = slot.standing.code().filter(|code| is_shared(*code));
            if let (Status::Down, Some(code)) = (slot.standing.status(), shared)
                && let Some(outage) = self.outages.get_mut(&slot.target.provider.id)
            {
                outage.resume(id.clone(), code);
            }
        }
    }

    fn forget_the_gone(&mut self) {
        let there: HashSet<TargetId> = self.slots.keys().cloned().collect();
        let providers: HashSet<ProviderId> = self.slots.values().map(|slot| slot.target.provider.id.clone()).collect();
        for provider in &providers {
            self.outages.entry(provider.clone()).or_insert_with(|| Outage::new(provider.clone()));
        }
        self.outages.retain(|id, outage| {
            outage.retain(|target| self.slots.get(target).is_some_and(|slot| slot.target.provider.id == *id));
            providers.contains(id)
        });
        self.keys.retain(|id| providers.contains(id));
        self.turns.retain(|id, _| providers.contains(id));
        self.board.retain(|id| there.contains(id));
        self.metrics.retain(&there);
        let targets: HashMap<TargetId, Arc<Target>> =
            self.slots.iter().map(|(id, slot)| (id.clone(), Arc::clone(&slot.target))).collect();
        self.runner.retain(&targets);
    }
}

/// Whether two targets are probed alike. Where they stand in the file makes no difference.
fn is_same_probe(one: &Target, other: &Target) -> bool {
    let moved = Target { line: one.line, ..other.clone() };
    *one == moved
}
