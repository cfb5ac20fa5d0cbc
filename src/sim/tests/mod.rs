//! Tests of the simulator as a whole, over real sockets, on a paused clock.

mod accounts;
mod client;
mod doors;
mod faults;
mod manual;
mod models;
mod surfaces;
mod timing;
