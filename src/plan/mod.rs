//! Deciding before doing: what is tried again, and when. Pure: values in, values out.

mod retry;

pub use retry::{RetryPolicy, Tried};
