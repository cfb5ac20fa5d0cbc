//! The files of other tools: whatever is in them, a draft of one is a probes.yaml that loads, and a key that is written
//! in one is not in the draft. The first byte says which tool.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use pilotlight::config::import::{Draft, kodus, litellm};
use pilotlight::config::{EnvFile, Environment, load_bytes};

fuzz_target!(|input: &[u8]| {
    let Some((tool, text)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let environment = Environment::default();
    let draft: Draft = if tool % 2 == 0 {
        kodus(&EnvFile::from_text(Path::new(".env"), text), &environment)
    } else {
        match litellm(Path::new("config.yaml"), text, &environment, None) {
            Ok(draft) => draft,
            Err(_) => return,
        }
    };
    if draft.target_count() > 0 {
        let yaml = draft.yaml();
        load_bytes(Path::new("probes.yaml"), yaml.as_bytes(), &environment).expect(&yaml);
    }
});
