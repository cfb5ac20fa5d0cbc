//! What a probe found: facts, judgement and standing, each a type of its own.
//!
//! An [`Outcome`] holds the facts of a finished probe. [`Verdict`] is the judgement of one outcome, [`Diagnosis`] says
//! why, and [`Record`] is the flat form in which both leave the process: log line, JSON report and history share it.

mod code;
mod code_table;
mod diagnosis;
mod event;
mod examination;
mod facts;
mod outage;
mod reading;
mod record;
#[cfg(test)]
pub(crate) mod sample;
mod standing;
mod status;
mod verdict;
mod witness;
pub mod words;

pub use code::{Class, Code, Cure, Explanation};
pub use diagnosis::{Diagnosis, Reset, ResetSource};
pub use event::{Event, GateNews, GateState, Service};
pub use examination::{
    AddressSeen, Asked, Carried, CatalogueSeen, CertificateSeen, Examination, HandshakeSeen, HeaderSeen, KeySeen,
    Listing, Made, NameSeen, PrefixSeen, ProxySeen, Reached, RequestSeen, Route, Skew,
};
pub use facts::{Connection, Outcome, Proof, Residence, RunId, Stage, StageTime, Timings, Usage, Warmth};
pub use outage::{Notice, Outage, ProviderFlip, is_shared};
pub use reading::{Cost, Counter, Limited, ListPrice, QuotaSeen, Reading, Unit, Used, Uses, WindowName, Withholding};
pub use record::{Record, SCHEMA};
pub use standing::{Flip, Seen, Standing, Upkeep};
pub use status::{Damping, Status};
pub use verdict::{Verdict, judge};
pub use witness::{Witness, WitnessAddress, Witnessed, asks_witness, excuse};
