//! Deciding before doing: what is probed and when, what a gate needs, what is tried again. Pure: values in, values out.

mod gate;
mod retry;
mod schedule;

pub use gate::{Gate, GateId, NamedGate};
pub use retry::{RetryPolicy, Tried};
pub use schedule::{
    CheckSchedule, CronError, CronText, Daily, DuringError, TargetSchedule, TimeOfDay, Trigger, WarmSchedule,
    WarmTrigger, Windows,
};
