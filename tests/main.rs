//! All integration tests, in one binary: on two cores, linking is what tests cost.

mod scenarios;
mod tidy;
