//! Tests of the whole way from bytes to a configuration. The cases are files: `tests/fixtures/config/bad/` has one
//! mistake in each, with its rendering beside it (`.expected`), and `good/` has what is to be accepted.
//!
//! `cargo test --lib generated_files_are_written -- --ignored` writes every file that is made from the code: the
//! renderings, and the tables in the documentation. Read the difference before it is committed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::plan::{Gate, Trigger, WarmTrigger};
use crate::target::{CredentialSource, Depth, Dialect, FreeCheckProves, KeyHeader, Kind, Secret};

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn environment() -> Environment {
    Environment::from_pairs([
        ("SYNTHETIC_API_KEY", "syn_hunter2"),
        ("SECOND_KEY", "hunter2"),
        ("TEAM_TOKEN", "hunter2"),
    ])
}

/// The fixtures of a folder, by name.
fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = package().join("tests/fixtures/config").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

fn load_text(text: &str) -> Config {
    load_bytes(Path::new("probes.yaml"), text.as_bytes(), &environment()).unwrap_or_else(|error| panic!("{error}"))
}

fn mistakes(text: &[u8]) -> Mistakes {
    match load_bytes(Path::new("probes.yaml"), text, &environment()) {
        Err(LoadError::Mistakes(mistakes)) => *mistakes,
        other => panic!("{other:?}"),
    }
}

/// A configuration with one provider of these keys.
fn with_provider(keys: &str) -> Config {
    load_text(&format!(
        "version: 1\nproviders:\n  p: {{ {keys} }}\ntargets:\n  - {{ name: t, provider: p, model: m }}\n"
    ))
}

fn notes(config: &Config) -> String {
    config.notes.iter().map(|note| format!("{}: {}\n", note.line, note.text)).collect()
}

#[test]
fn every_mistake_is_rendered_as_expected() {
    let files = fixtures("bad");
    assert!(files.len() >= 100);
    for path in files {
        let rendered = mistakes(&std::fs::read(&path).unwrap()).render(false);
        let expected = std::fs::read_to_string(path.with_extension("expected")).unwrap_or_default();
        assert_eq!(rendered, expected, "{}", path.display());
        assert!(!rendered.contains("unter2"), "a secret is shown: {}", path.display());
        assert!(rendered.contains("help: ") || rendered.contains("did you mean"), "no fix: {}", path.display());
        assert!(rendered.contains("--> probes.yaml:"), "no place: {}", path.display());
    }
}

#[test]
fn all_mistakes_are_reported_at_once_and_fifty_are_shown() {
    let folder = package().join("tests/fixtures/config/bad");
    assert_eq!(mistakes(&std::fs::read(folder.join("eight-mistakes.yaml")).unwrap()).count(), 8);
    let many = mistakes(&std::fs::read(folder.join("sixty-mistakes.yaml")).unwrap());
    assert_eq!(many.count(), 60);
    let rendered = many.render(false);
    assert_eq!(rendered.matches("error: ").count(), 50);
    assert!(rendered.contains("and 10 more"));
    assert!(many.render(true).contains("\u{1b}["));
    assert!(!rendered.contains('\u{1b}'));
}

#[test]
fn every_good_file_is_accepted_and_shown_as_it_is() {
    for path in fixtures("good").into_iter().chain([package().join("probes.yaml")]) {
        let first = load(&path, &environment()).unwrap_or_else(|error| panic!("{error}"));
        let shown = first.show();
        assert!(!shown.contains("unter2") && !shown.contains("literal key"), "a secret is shown:\n{shown}");
        let second = load_bytes(&path, shown.as_bytes(), &environment())
            .unwrap_or_else(|error| panic!("{}: {error}\n{shown}", path.display()));
        assert_eq!(comparable(&first), comparable(&second), "{}", path.display());
    }
}

/// What has to be the same after `show` and `load`: all but places, origins, notes and what is masked.
fn comparable(config: &Config) -> Config {
    let mut config = config.clone();
    config.notes.clear();
    config.provider_origins.clear();
    config.target_origins.clear();
    for provider in &mut config.providers {
        let provider = Arc::make_mut(provider);
        for (_, value) in &mut provider.headers {
            *value = Secret::new("***".to_owned());
        }
        match &mut provider.key {
            CredentialSource::Literal(secret) => *secret = Secret::new("***".to_owned()),
            CredentialSource::Command(words) => {
                words.iter_mut().skip(1).for_each(|word| "***".clone_into(word));
            }
            _ => {}
        }
    }
    let providers = config.providers.clone();
    for target in &mut config.targets {
        target.line = 0;
        target.provider = Arc::clone(providers.iter().find(|provider| provider.id == target.provider.id).unwrap());
    }
    for gate in &mut config.gates {
        gate.line = 0;
    }
    config
}

#[test]
fn the_example_of_the_design_means_what_it_says() {
    let path = package().join("tests/fixtures/config/good/design.yaml");
    let config = load(&path, &environment()).unwrap();
    let glm = &config.targets[0];
    assert_eq!(glm.model.as_str(), "hf:zai-org/GLM-4.6");
    assert_eq!((glm.depth, glm.kind, glm.max_output_tokens, glm.line), (Depth::Warm, Kind::Chat, 16, 15));
    assert_eq!(glm.expect.cold_start.as_secs(), 180);
    let synthetic = &glm.provider;
    assert_eq!(synthetic.base_url.to_string(), "https://api.synthetic.new/openai/v1");
    assert_eq!(synthetic.key, CredentialSource::Env("SYNTHETIC_API_KEY".to_owned()));
    let check = synthetic.free_check.as_ref().unwrap();
    assert_eq!(check.proves, FreeCheckProves::Key);
    assert_eq!(synthetic.base_url.join(&check.path).as_str(), "https://api.synthetic.new/v2/quotas");
    let quota = &config.quotas[&synthetic.id];
    assert_eq!((quota.packs, quota.share.get()), (Some(1), 30));
    let schedule = &config.schedules[&glm.id];
    assert_eq!(schedule.auth.as_ref().unwrap().trigger, Trigger::Every(std::time::Duration::from_secs(60)));
    let warm = schedule.warm.as_ref().unwrap();
    assert_eq!(warm.trigger, WarmTrigger::Auto);
    assert_eq!(warm.windows.timezone.iana_name(), Some("Europe/Berlin"));
    let Gate::MainWithFallback { main, fallback } = &config.gates[0].gate else { panic!() };
    assert_eq!((main.as_str(), fallback[0].as_str()), ("glm", "gpt"));
    assert_eq!(config.providers[2].preset, "openai-compatible");
    assert_eq!(notes(&config), "10: no target uses the provider `local`\n");
}

#[test]
fn the_shipped_file_needs_one_key_and_gives_no_hints() {
    let config = load(&package().join("probes.yaml"), &Environment::default()).unwrap();
    assert_eq!(notes(&config), "");
    let keys: Vec<String> = config.providers.iter().map(|provider| provider.key.to_string()).collect();
    assert_eq!(keys, ["the variable SYNTHETIC_API_KEY"]);
}

#[test]
fn an_id_keeps_its_spelling() {
    let path = package().join("tests/fixtures/config/good/odd-scalars.yaml");
    let config = load(&path, &environment()).unwrap();
    let ids: Vec<&str> = config.targets.iter().map(|target| target.model.as_str()).collect();
    assert_eq!(ids, ["1.10", "no", "on", "0x1F", "1e3", "true", "null", "2026-12-25"]);
    assert_eq!(config.targets[5].id.as_str(), "7");
}

#[test]
fn the_nearest_layer_counts() {
    let path = package().join("tests/fixtures/config/good/everything.yaml");
    let config = load(&path, &environment()).unwrap();
    let seconds = |index: usize| {
        let expect = &config.targets[index].expect;
        (expect.first_token.as_secs(), expect.answer.as_secs(), expect.stall.as_secs())
    };
    // Target; then provider for none of them, so defaults and built in.
    assert_eq!(seconds(0), (10, 10, 45));
    assert_eq!(seconds(1), (10, 20, 30));
    assert_eq!(config.targets[0].tags, ["production", "review"]);
    assert_eq!((config.targets[0].depth, config.targets[1].depth), (Depth::Warm, Depth::Auth));
    assert_eq!((config.targets[0].max_output_tokens, config.targets[1].max_output_tokens), (16, 32));
    // Every target has the schedule of the defaults; one has its own.
    assert_eq!(config.schedules.len(), 6);
    let stated = |index: usize| {
        let assumed = &config.assumptions[&config.targets[index].id];
        (assumed.requests_per_hour, assumed.idle_timeout, assumed.cold_start)
    };
    let minutes = |minutes: u64| Some(std::time::Duration::from_secs(minutes * 60));
    let half = Some(std::time::Duration::from_secs(30));
    assert_eq!(stated(0), (Some(20.0), minutes(15), half));
    assert_eq!(stated(4), (Some(0.5), minutes(30), half));
    let days = config.assumptions[&config.targets[0].id].during.as_ref().unwrap();
    assert_eq!((days.timezone.iana_name(), days.except.len()), (Some("Europe/Berlin"), 2), "those of `warm`");
    let show = config.show();
    for line in [
        "first_token: 10s  # target",
        "answer: 20s  # defaults",
        "stall: 30s  # built in",
        "base_url: \"https://api.synthetic.new/openai/v1\"  # preset",
        "share: 50%  # provider",
        "api_key: { env: SECOND_KEY }  # provider",
        "x-token\": \"***\"",
        "api_key: \"***\"  # provider",
    ] {
        assert!(show.contains(line), "{line}\n{show}");
    }
    let provider = |index: usize| &*config.providers[index];
    assert_eq!(provider(0).headers[1], ("x-token".to_owned(), Secret::new("hunter2".to_owned())));
    assert_eq!(provider(0).key_page, None);
    assert!(!provider(1).catalogue.as_ref().unwrap().partial);
    assert_eq!(provider(1).catalogue.as_ref().unwrap().path, "models");
    assert_eq!(provider(1).network.ca_file.as_deref(), Some(&*path.with_file_name("company-ca.pem")));
    assert_eq!(provider(2).key_header, KeyHeader::Named("api-key".to_owned()));
    assert_eq!(provider(3).base_url.to_string(), "https://api.example.com/anthropic");
    assert_eq!(provider(3).key, CredentialSource::Env("SECOND_KEY".to_owned()));
    assert_eq!(provider(4).dialect, Dialect::Ollama);
    assert_eq!(provider(4).key, CredentialSource::NotNeeded);
}

#[test]
fn anchors_and_merges_work() {
    let path = package().join("tests/fixtures/config/good/aliases.yaml");
    let config = load(&path, &environment()).unwrap();
    let cold: Vec<u64> = config.targets.iter().map(|target| target.expect.cold_start.as_secs()).collect();
    assert_eq!(cold, [300, 300, 300]);
    assert_eq!(config.targets[1].model.as_str(), "hf:moonshotai/Kimi-K2-Instruct");
    assert_eq!(config.schedules.len(), 2);
}

#[test]
fn every_preset_makes_a_provider() {
    for name in presets::names() {
        let address = match name {
            "openai-compatible" | "anthropic-compatible" => ", base_url: 'http://127.0.0.1:1/x'",
            _ => "",
        };
        let config = with_provider(&format!("preset: {name}{address}"));
        assert_eq!(config.providers[0].preset, name);
        for path in [
            config.providers[0].free_check.as_ref().map(|check| &check.path),
            config.providers[0].catalogue.as_ref().map(|catalogue| &catalogue.path),
        ]
        .into_iter()
        .flatten()
        {
            let url = config.providers[0].base_url.join(path);
            assert_eq!(url.host_str().unwrap(), config.providers[0].base_url.host(), "{name}");
        }
    }
}

#[test]
fn what_is_probably_not_meant_is_noted() {
    for (keys, note) in [
        ("preset: synthetic", "5: the ids of Synthetic begin with `hf:` or `syn:`, and `m` does not"),
        (
            "preset: openai, base_url: 'https://proxy.example.com/v1'",
            "3: `base_url` leads to proxy.example.com instead of api.openai.com, and the variable OPENAI_API_KEY",
        ),
        ("dialect: openai, base_url: 'http://127.0.0.1:8000'", "3: `base_url` has no path"),
        (
            "dialect: openai, base_url: 'http://10.0.0.1/v1', api_key: { env: A_KEY }",
            "3: the key of `p` is sent to 10.0.0.1 without encryption",
        ),
        ("preset: openai, packs: 2", "3: `packs` says nothing about OpenAI"),
        ("preset: openai, keep_alive: 5m", "3: `keep_alive` is sent to Ollama's own API only"),
        (
            "preset: openai, base_url: 'https://proxy.example.com/v1'",
            "3: that the list of models at proxy.example.com answers does not prove the key",
        ),
    ] {
        let config = with_provider(keys);
        assert!(notes(&config).contains(note), "{keys}: {}", notes(&config));
    }
    let config = load_text(
        "version: 1\nproviders: { o: { preset: openai }, x: { preset: openai } }\ntargets:\n\
         - { name: a, provider: o, model: m, warm: { during: 'Mon 08:00-09:00' } }\n\
         - { name: b, provider: o, model: m }\n",
    );
    let all = notes(&config);
    for note in [
        "2: no target uses the provider `x`",
        "4: `during` is meant in UTC",
        "4: warming buys nothing here: no model of OpenAI is known to unload",
        "5: `b` probes the same model as `a`",
    ] {
        assert!(all.contains(note), "{note}\n{all}");
    }
}

#[test]
fn of_several_variables_the_first_that_is_set_counts() {
    let load = |pairs: &[(&str, &str)]| {
        let text = "version: 1\nproviders: { g: { preset: gemini } }\ntargets: [{ name: t, provider: g, model: m }]\n";
        let environment = Environment::from_pairs(pairs.iter().copied());
        load_bytes(Path::new("x"), text.as_bytes(), &environment).unwrap().providers[0].key.clone()
    };
    let env = |name: &str| CredentialSource::Env(name.to_owned());
    assert_eq!(load(&[]), env("GEMINI_API_KEY"));
    assert_eq!(load(&[("GOOGLE_API_KEY", "x")]), env("GOOGLE_API_KEY"));
    assert_eq!(load(&[("GOOGLE_API_KEY", "x"), ("GEMINI_API_KEY", "")]), env("GOOGLE_API_KEY"));
    assert_eq!(load(&[("GOOGLE_API_KEY", "x"), ("GEMINI_API_KEY", "y")]), env("GEMINI_API_KEY"));
}

#[test]
fn a_selection_is_never_empty() {
    let config = load(&package().join("tests/fixtures/config/good/everything.yaml"), &environment()).unwrap();
    let names =
        |selected: Vec<Target>| -> Vec<String> { selected.iter().map(|target| target.id.to_string()).collect() };
    let none: [&str; 0] = [];
    assert_eq!(config.select(&none, &none, &none).unwrap().len(), 6);
    assert_eq!(names(config.select(&["gpt", "glm"], &none, &none).unwrap()), ["glm", "gpt"]);
    assert_eq!(names(config.select(&none, &["review"], &none).unwrap()), ["glm"]);
    assert_eq!(names(config.select(&none, &["production"], &["ollama"]).unwrap()), ["qwen"]);
    let error = config.select(&["gtp"], &none, &none).unwrap_err().to_string();
    assert!(error.starts_with("there is no target `gtp`; did you mean `gpt`? Targets: glm, "), "{error}");
    let error = config.select(&none, &["x"], &none).unwrap_err().to_string();
    assert_eq!(error, "there is no tag `x`. Tags: production, review");
    let error = config.select(&["glm"], &none, &["ollama"]).unwrap_err().to_string();
    assert_eq!(error, "no target matches target glm with provider ollama");
}

#[test]
fn a_file_that_cannot_be_read_is_not_a_mistake_in_it() {
    let error = load(Path::new("/nonexistent/probes.yaml"), &environment()).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("read /nonexistent/probes.yaml: No such file"), "{text}");
    let large = vec![b' '; 1024 * 1024 + 1];
    let error = load_bytes(Path::new("x"), &large, &environment()).unwrap_err();
    assert_eq!(error.to_string(), "read x: it is larger than 1048576 bytes");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        let _ = load_bytes(Path::new("x"), &bytes, &environment()).map_err(|error| error.to_string());
    }

    #[test]
    fn no_text_of_yaml_panics(text in "([a-z]{1,3}|[:\\-{}\\[\\],&*!|>'\"#%@`<?~ \n\t\r]|: |- |\n  |targets|version: 1|é|\u{1b}){0,300}") {
        let _ = load_bytes(Path::new("x"), text.as_bytes(), &environment()).map_err(|error| error.to_string());
    }

    #[test]
    fn no_damaged_file_panics(index in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let files = fixtures("good");
        let mut bytes = std::fs::read(index.get(&files)).unwrap();
        let at = cut.index(bytes.len());
        bytes[at] = byte;
        let _ = load_bytes(Path::new("x"), &bytes, &environment()).map_err(|error| error.to_string());
    }
}

/// Where tables that are made from the code stand in the documentation.
fn with_generated(document: &str, generated: &str) -> String {
    let (before, rest) = document.split_once("<!-- generated: begin -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- generated: end -->").unwrap();
    format!("{before}<!-- generated: begin -->\n{}\n<!-- generated: end -->{after}", generated.trim_end())
}

fn documents() -> [(PathBuf, String); 2] {
    [
        (package().join("docs/configuration.md"), reference_markdown()),
        (package().join("docs/presets.md"), presets_markdown()),
    ]
}

#[test]
fn the_documentation_agrees_with_the_code() {
    for (path, generated) in documents() {
        let document = std::fs::read_to_string(&path).unwrap();
        assert_eq!(document, with_generated(&document, &generated), "{}", path.display());
    }
}

#[test]
#[ignore = "writes files; run it by name"]
fn generated_files_are_written() {
    for path in fixtures("bad") {
        let rendered = mistakes(&std::fs::read(&path).unwrap()).render(false);
        std::fs::write(path.with_extension("expected"), rendered).unwrap();
    }
    for (path, generated) in documents() {
        let document = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, with_generated(&document, &generated)).unwrap();
    }
}

mod against_the_schema;
mod judgements;
mod networks;
