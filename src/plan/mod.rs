//! Deciding before doing: what is probed and when, what a gate needs, what is tried again. Pure: values in, values out.

mod due;
mod gate;
mod maintenance;
mod retry;
mod schedule;
mod spans;
mod windows;

pub use due::{AUTO, CronBook, Due, Learned, Past, Timetable, Why};
pub use gate::{Gate, GateId, NamedGate};
pub use maintenance::{Maintenance, MaintenanceTime, Selection};
pub use retry::{RetryPolicy, Tried};
pub use schedule::{CheckSchedule, CronError, CronText, TargetSchedule, Trigger, WarmSchedule, WarmTrigger};
pub use windows::{Daily, DuringError, TimeOfDay, Windows};
