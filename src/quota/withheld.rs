//! Why a warm-up was not made.

use std::fmt;
use std::time::Duration;

use crate::outcome::words::{money, quantity, wait};
use crate::outcome::{Unit, WindowName, Withholding};

/// A wait beyond this is not worth telling apart.
const FAR_S: f64 = 400.0 * 86_400.0;

/// Why the governor withheld a warm-up, and when to ask again.
#[derive(Debug, Clone, PartialEq)]
pub struct Withheld {
    /// The reason.
    pub why: WhyWithheld,
    /// Seconds until it may be otherwise. `None` where that is not known.
    pub until_s: Option<f64>,
}

/// The reason.
#[derive(Debug, Clone, PartialEq)]
pub enum WhyWithheld {
    /// The provider has said that it refuses: a 429, or a quota that is spent.
    Limited,
    /// The provider has said that the account has no money left.
    BalanceSpent,
    /// A request of ours is in flight at this model.
    InFlight,
    /// Too little is left of a limit.
    Floor {
        /// Which.
        window: WindowName,
        /// What it counts.
        unit: Unit,
        /// What is left.
        remaining: f64,
        /// The whole.
        max: Option<f64>,
        /// What must be left, in per cent.
        floor: u8,
    },
    /// What probes may have of a limit is spent.
    Share {
        /// Which.
        window: WindowName,
        /// What it counts.
        unit: Unit,
        /// What is left of the share.
        left: f64,
        /// What a probe costs.
        price: f64,
        /// The share, in per cent.
        share: u8,
    },
    /// The share is not enough for what all schedules ask for, and this target has had its part for now.
    Useful {
        /// Of which limit.
        window: WindowName,
        /// How far apart its warm-ups are to be, in seconds.
        gap_s: f64,
    },
    /// The day's money is spent.
    DailyCap {
        /// What was spent today, in US dollars.
        spent: f64,
        /// What may be.
        cap: f64,
    },
    /// There is a cap on the day's money, and what the model costs is not known.
    PriceUnknown,
}

impl WhyWithheld {
    /// The reason without its numbers.
    #[must_use]
    pub fn kind(&self) -> Withholding {
        match self {
            Self::Limited | Self::BalanceSpent => Withholding::Limited,
            Self::InFlight => Withholding::InFlight,
            Self::Floor { .. } => Withholding::Floor,
            Self::Share { .. } => Withholding::Share,
            Self::Useful { .. } => Withholding::Useful,
            Self::DailyCap { .. } => Withholding::DailyCap,
            Self::PriceUnknown => Withholding::PriceUnknown,
        }
    }

    /// In as few words as a table has room for.
    #[must_use]
    pub fn short(&self) -> String {
        match self {
            Self::Limited => "the provider refuses for now".to_owned(),
            Self::BalanceSpent => "the provider says that the balance is spent".to_owned(),
            Self::InFlight => "a request is in flight".to_owned(),
            Self::Floor { max: Some(_), floor, .. } => format!("quota below {floor} %"),
            Self::Floor { max: None, .. } => "quota spent".to_owned(),
            Self::Share { share, .. } => format!("the probes' share of {share} % is spent"),
            Self::Useful { gap_s, .. } => {
                let gap = Duration::try_from_secs_f64(gap_s.min(FAR_S)).unwrap_or_default();
                format!("the share is enough for one every {}", wait(gap))
            }
            Self::DailyCap { cap, .. } => format!("daily cap of {} reached", money(*cap)),
            Self::PriceUnknown => "daily cap, and no known price".to_owned(),
        }
    }
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.why.short())?;
        match &self.why {
            WhyWithheld::Floor { window, unit, remaining, max, .. } => {
                write!(f, ": {}", quantity(*remaining, *unit))?;
                if let Some(max) = max {
                    write!(f, " of {}", quantity(*max, *unit))?;
                }
                write!(f, " left ({window})")?;
            }
            WhyWithheld::Share { window, unit, left, price, .. } => {
                write!(f, ": {} left of it, {} needed ({window})", quantity(*left, *unit), quantity(*price, *unit))?;
            }
            WhyWithheld::Useful { window, .. } => write!(f, " ({window})")?,
            WhyWithheld::DailyCap { spent, .. } => write!(f, ": {} spent today (UTC)", money(*spent))?,
            WhyWithheld::Limited | WhyWithheld::BalanceSpent | WhyWithheld::InFlight | WhyWithheld::PriceUnknown => {}
        }
        match self.until_s {
            Some(seconds) if seconds >= 1.0 => {
                let until = Duration::try_from_secs_f64(seconds.min(FAR_S)).unwrap_or_default();
                write!(f, "; again in {}", wait(until))
            }
            _ => Ok(()),
        }
    }
}
