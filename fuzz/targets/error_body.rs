//! An error body, classified as one of the families would: the evidence is one clean line without the key.
//! The first four bytes are the status, the stage, and the family with two flags.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pilotlight::outcome::Stage;
use pilotlight::probe::classify::{Context, classify, repair};
use pilotlight::probe::transport::Head;
use pilotlight::probe::wire::error_body::{ErrorFacts, has_error};
use pilotlight::probe::wire::text::{clean, scrub};
use pilotlight::target::{Family, Secret};

const KEY: &str = "syn_0123456789abcdef";

const FAMILIES: [Family; 19] = [
    Family::Synthetic,
    Family::OpenAi,
    Family::Anthropic,
    Family::Moonshot,
    Family::Fireworks,
    Family::Together,
    Family::Groq,
    Family::Zai,
    Family::DeepSeek,
    Family::OpenRouter,
    Family::Mistral,
    Family::Gemini,
    Family::HuggingFace,
    Family::Ollama,
    Family::LlamaCpp,
    Family::Vllm,
    Family::LmStudio,
    Family::LiteLlm,
    Family::Generic,
];

fn check(text: &str) {
    assert!(!text.chars().any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)), "{text:?}");
    assert!(!KEY.as_bytes().windows(8).any(|run| text.contains(std::str::from_utf8(run).unwrap())), "{text:?}");
}

fuzz_target!(|input: &[u8]| {
    let Some(([high, low, stage, place], body)) = input.split_first_chunk::<4>() else { return };
    let head = Head { status: u16::from_be_bytes([*high, *low]) % 700, headers: Vec::new() };
    let stage = Stage::ALL[usize::from(*stage) % Stage::ALL.len()];
    let facts = ErrorFacts::read(body);
    assert!(facts.message.as_ref().is_none_or(|message| message.len() <= 2048));
    let _ = repair(&head, &facts);
    let secret = Secret::new(KEY.to_owned());
    let family = FAMILIES[usize::from(place >> 2) % FAMILIES.len()];
    let (listed, in_stream) = (place & 1 == 1, place & 2 == 2);
    let context = Context { family, stage, model: "hf:a/b", listed, in_stream, secret: Some(&secret) };
    let found = classify(&context, &head, &facts, jiff::Timestamp::UNIX_EPOCH);
    assert!(found.evidence.chars().count() <= 400);
    check(&found.evidence);
    if let Ok(value) = serde_json::from_slice(body) {
        let _ = has_error(&value);
    }
    let text = String::from_utf8_lossy(body);
    let cleaned = clean(&text, 300);
    assert!(cleaned.chars().count() <= 300);
    check(&scrub(&clean(&text, usize::MAX), Some(&secret)));
});
