//! Deciding before doing: what is probed and when, what a gate needs, what is tried again. Pure: values in, values out.

mod assumed;
mod due;
mod forecast;
mod gate;
mod maintenance;
mod retry;
mod schedule;
mod simulate;
mod spans;
mod windows;

pub use assumed::{Assumed, Others, stake};
pub use due::{AUTO, Almanac, CronBook, Due, Dues, Learned, Past, Timetable, Why};
pub use forecast::{
    AccountForecast, Burst, Forecast, LimitForecast, Pace, Planned, Question, TargetForecast, Worst, advice, percent,
};
pub use gate::{Gate, GateId, NamedGate};
pub use maintenance::{Maintenance, MaintenanceTime, Selection};
pub use retry::{RetryPolicy, Tried};
pub use schedule::{CheckSchedule, CronError, CronText, TargetSchedule, Trigger, WarmSchedule, WarmTrigger};
pub use simulate::{COLD_START, IDLE_TIMEOUT, Probing, SimulatedAccount, SimulatedTarget, Simulation, Taken, Tally};
pub use windows::{Daily, DuringError, TimeOfDay, Windows};
