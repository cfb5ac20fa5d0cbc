//! What is to be probed and when: pure values and the rules on them.

mod gate;
mod schedule;

pub use gate::{Gate, GateId, NamedGate};
pub use schedule::{
    CheckSchedule, CronError, CronText, Daily, DuringError, TargetSchedule, TimeOfDay, Trigger, WarmSchedule,
    WarmTrigger, Windows,
};
