//! probes.yaml: whatever the bytes are, loading ends, and what it says of them is text; a valid one shows itself as one
//! that is valid again.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use pilotlight::config::{Environment, LoadError, load_bytes};

fuzz_target!(|input: &[u8]| {
    let environment = Environment::from_pairs([("KEY", "syn_0123456789")]);
    match load_bytes(Path::new("probes.yaml"), input, &environment) {
        Ok(config) => {
            let shown = config.show();
            assert!(load_bytes(Path::new("probes.yaml"), shown.as_bytes(), &environment).is_ok(), "{shown}");
        }
        Err(LoadError::Mistakes(mistakes)) => {
            assert!(!mistakes.render(false).is_empty());
        }
        Err(_) => {}
    }
});
