//! The daemon: it stays up for months and keeps its targets warm.

mod trigger;
