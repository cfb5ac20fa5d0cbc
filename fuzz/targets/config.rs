//! probes.yaml. The loader does not exist on this branch; when it does, this is the call:
//!
//! ```ignore
//! fuzz_target!(|input: &str| {
//!     let _ = pilotlight::config::load_text(input);
//! });
//! ```
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|_input: &[u8]| {});
