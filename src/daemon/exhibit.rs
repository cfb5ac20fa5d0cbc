//! What the HTTP server shows of the daemon.

use std::sync::Arc;

use serde_json::{Value, json};

use super::board::{Board, Phase};
use crate::probe::clock::Clock;
use crate::serve::{Health, Source};
use crate::telemetry::{Exposition, Metrics};

/// The daemon as others see it.
pub struct Exhibit {
    board: Arc<Board>,
    metrics: Metrics,
    clock: Arc<dyn Clock>,
}

impl Exhibit {
    /// Of a daemon that shows itself on this board and in these metrics.
    #[must_use]
    pub fn new(board: Arc<Board>, metrics: Metrics, clock: Arc<dyn Clock>) -> Self {
        Self { board, metrics, clock }
    }
}

impl Source for Exhibit {
    fn metrics(&self, exposition: Exposition) -> String {
        self.metrics.render(exposition)
    }

    fn health(&self) -> Health {
        match self.board.stuck(self.clock.now()) {
            Some(stands) => Health::Failing(format!("the scheduler has not advanced for {} s", stands.as_secs())),
            None => Health::Ok,
        }
    }

    fn ready(&self) -> Health {
        match self.board.phase() {
            Phase::Starting => Health::Failing("starting: the configuration and the store are being read".to_owned()),
            Phase::Ready => self.health(),
            Phase::Draining => Health::Failing("draining: it was asked to end".to_owned()),
        }
    }

    fn status(&self) -> Value {
        json!({ "schema": 1, "targets": self.board.rows() })
    }
}
