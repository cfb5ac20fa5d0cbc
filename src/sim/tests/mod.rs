//! Tests of the simulator as a whole, over real sockets, on a paused clock.

mod accounts;
mod client;
mod surfaces;
mod timing;
