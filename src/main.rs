//! The door: everything happens in the library.

fn main() {}
