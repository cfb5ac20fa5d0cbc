//! The one stream of what happens. Log, progress, metrics, store and notifications are its readers.

use std::sync::Arc;

use super::{Outcome, Stage};
use crate::target::{Depth, TargetId};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A probe began.
    Started {
        /// What is probed.
        target: TargetId,
        /// How far it will climb.
        depth: Depth,
    },
    /// A probe entered a stage.
    Entered {
        /// What is probed.
        target: TargetId,
        /// The stage.
        stage: Stage,
    },
    /// A probe will be tried again.
    Retrying {
        /// What is probed.
        target: TargetId,
        /// The attempt that begins, from 2.
        attempt: u32,
        /// What the last attempt ended in.
        code: super::Code,
    },
    /// A probe ended.
    Finished(Arc<Outcome>),
}
