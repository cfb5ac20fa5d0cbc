//! Tests of the simulator as a whole, over real sockets, on a paused clock.

mod client;
mod surfaces;
