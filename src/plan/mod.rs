//! Deciding before doing: what is probed and when, what a gate needs, what is tried again. Pure: values in, values out.

mod assumed;
mod due;
mod forecast;
mod gate;
mod maintenance;
mod patience;
#[cfg(test)]
mod patience_tests;
mod retry;
mod schedule;
mod simulate;
mod spans;
mod waiting;
mod waiting_says;
#[cfg(test)]
mod waiting_tests;
mod windows;

pub use assumed::{Assumed, Others, stake};
pub use due::{AUTO, Almanac, CronBook, Due, Dues, Learned, Past, Timetable, Why};
pub use forecast::{
    AccountForecast, Burst, Forecast, LimitForecast, Pace, Planned, Question, TargetForecast, Worst, advice, percent,
};
pub use gate::{Gate, GateId, NamedGate};
pub use maintenance::{Maintenance, MaintenanceTime, Selection};
pub use patience::{Backoff, Next, Patience};
pub use retry::{RetryPolicy, Tried, Watches};
pub use schedule::{CheckSchedule, CronError, CronText, TargetSchedule, Trigger, WarmSchedule, WarmTrigger};
pub use simulate::{COLD_START, IDLE_TIMEOUT, Probing, SimulatedAccount, SimulatedTarget, Simulation, Taken, Tally};
pub use waiting::{Accepts, GateStanding, How, Known};
pub use waiting_says::{Told, says};
pub use windows::{Daily, DuringError, TimeOfDay, Windows};
