//! Near and far, early and late, once and never twice.

use super::*;
use crate::run::SystemClock;

fn name(index: usize) -> TargetId {
    TargetId::new(&format!("t{index}")).unwrap()
}

async fn started(targets: usize) -> (Trigger, mpsc::UnboundedReceiver<Alarm>, Instant) {
    let (trigger, alarms) = Trigger::start(targets, Arc::new(SystemClock)).await.unwrap();
    (trigger, alarms, SystemClock.now())
}

#[tokio::test]
async fn what_is_due_soon_goes_off_and_only_once() {
    let (trigger, mut alarms, now) = started(1).await;
    let due = now + Duration::from_millis(50);
    trigger.arm(name(0), due);
    assert_eq!(alarms.recv().await, Some(Alarm { target: name(0), due }));
    assert!(SystemClock.now() >= due);
    trigger.arm(name(1), now);
    assert_eq!(alarms.recv().await.unwrap().target, name(1), "nothing of t0 came between");
    assert_eq!(trigger.pulse().fired, 2);
}

#[tokio::test]
async fn the_last_order_counts() {
    let (trigger, mut alarms, now) = started(3).await;
    for seconds in [30, 60, 5, 4] {
        trigger.arm(name(0), now + Duration::from_secs(seconds));
    }
    trigger.arm(name(1), now + Duration::from_secs(3600));
    trigger.arm(name(1), now + Duration::from_millis(100));
    trigger.arm(name(2), now + Duration::from_millis(150));
    trigger.disarm(name(2));
    assert_eq!(alarms.recv().await.unwrap().target, name(1));
    let last = alarms.recv().await.unwrap();
    assert_eq!(last, Alarm { target: name(0), due: now + Duration::from_secs(4) });
    assert_eq!(trigger.pulse(), Pulse { fired: 2, lost: 0, sweeps: trigger.pulse().sweeps });
}

#[tokio::test]
async fn a_thousand_at_once_all_go_off_through_the_scheduler() {
    let (trigger, mut alarms, now) = started(1000).await;
    let due = now + Duration::from_secs(5);
    (0..1000).for_each(|index| trigger.arm(name(index), due));
    let mut gone_off = BTreeSet::new();
    for _ in 0..1000 {
        gone_off.insert(alarms.recv().await.unwrap().target);
    }
    assert_eq!(gone_off.len(), 1000);
    assert!(SystemClock.now() >= due, "none is early");
    assert_eq!(trigger.pulse().fired, 1000);
}

/// A keeper whose scheduler never started: nothing that it adds there ever goes off, as after a backward step of the
/// clock, or when all its listeners have died.
async fn forsaken() -> (mpsc::UnboundedSender<Order>, mpsc::UnboundedReceiver<Alarm>, Arc<Counts>) {
    let (alarms, alarmed) = mpsc::unbounded_channel();
    let (woken, wakes) = mpsc::unbounded_channel();
    let (orders, ordered) = mpsc::unbounded_channel();
    let counts = Arc::<Counts>::default();
    let keeper = Keeper {
        scheduler: JobScheduler::new_with_channel_size(65_536).await.unwrap(),
        places: 65_536,
        replaced: SystemClock.now(),
        broken: false,
        clock: Arc::new(SystemClock),
        alarms,
        woken,
        counts: Arc::clone(&counts),
        armed: HashMap::new(),
        far: BTreeSet::new(),
        near: BTreeSet::new(),
    };
    tokio::spawn(keeper.keep(ordered, wakes));
    (orders, alarmed, counts)
}

#[tokio::test]
async fn without_the_scheduler_the_sweep_takes_over_and_none_of_ten_thousand_is_lost() {
    let (orders, mut alarmed, counts) = forsaken().await;
    // Time to take ten thousand orders, in whatever build this is.
    let now = SystemClock.now() + Duration::from_secs(10);
    let due = |index: usize| now + Duration::from_millis(u64::try_from(index).unwrap() / 10);
    for index in 0..10_000 {
        orders.send(Order::Arm(name(index), due(index))).unwrap();
    }
    let mut gone_off = BTreeSet::new();
    for _ in 0..10_000 {
        let alarm = alarmed.recv().await.unwrap();
        assert!(SystemClock.now() >= alarm.due);
        assert!(gone_off.insert(alarm.target), "it went off twice");
    }
    assert_eq!(counts.lost.load(Ordering::Relaxed), 10_000);
    assert_eq!(counts.fired.load(Ordering::Relaxed), 10_000);
}

/// The whole process stands still for seconds, while alarms are due in its sleep and after it.
#[tokio::test]
async fn after_a_stall_none_of_ten_thousand_is_lost_or_doubled() {
    let (trigger, mut alarms, _) = started(10_000).await;
    // The scheduler takes its orders one by one; those that are near do without it.
    let now = SystemClock.now() + Duration::from_secs(1);
    for index in 0..10_000 {
        trigger.arm(name(index), now + Duration::from_millis(u64::try_from(index).unwrap() % 4_000));
    }
    tokio::task::yield_now().await;
    let until = SystemClock.now() + Duration::from_secs(3);
    while SystemClock.now() < until {
        std::hint::spin_loop();
    }
    let mut gone_off = BTreeSet::new();
    for _ in 0..10_000 {
        assert!(gone_off.insert(alarms.recv().await.unwrap().target), "it went off twice");
    }
    assert_eq!(trigger.pulse().fired, 10_000);
}

/// A fleet that grows by a reload: the channels of the scheduler were made for one target.
#[tokio::test]
async fn a_fleet_that_grew_goes_off_through_a_larger_scheduler_and_can_shrink_again() {
    let (trigger, mut alarms, now) = started(1).await;
    let due = now + Duration::from_secs(9);
    (0..3_000).for_each(|index| trigger.arm(name(index), due));
    let mut gone_off = BTreeSet::new();
    for _ in 0..3_000 {
        assert!(gone_off.insert(alarms.recv().await.unwrap().target), "it went off twice");
    }
    // It still takes orders: to forget, and to go off.
    let later = SystemClock.now() + Duration::from_secs(60);
    (0..3_000).for_each(|index| trigger.arm(name(index), later));
    (0..3_000).for_each(|index| trigger.disarm(name(index)));
    trigger.arm(name(0), SystemClock.now() + Duration::from_secs(5));
    assert_eq!(alarms.recv().await.unwrap().target, name(0));
    let sweeps = trigger.pulse().sweeps;
    while trigger.pulse().sweeps == sweeps {
        tokio::task::yield_now().await;
    }
}
