//! Drafts of real files: what comes out, what is said of the rest, and that every draft loads.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::config::{Config, EnvFile, Environment, load_bytes};
use crate::target::{CredentialSource, Depth, Dialect, Kind};

const KODUS: &str = include_str!("../../../tests/fixtures/import/kodus.env");
const LITELLM: &str = include_str!("../../../tests/fixtures/import/litellm.yaml");

fn of_kodus(text: &str) -> Draft {
    kodus(&EnvFile::from_text(Path::new(".env"), text), &Environment::default())
}

pub(super) fn of_litellm(text: &str, through: Option<&Through>) -> Draft {
    let environment = Environment::from_pairs([("VLLM_BASE", "https://gpu.example.com/v1")]);
    litellm(Path::new("config.yaml"), text, &environment, through).unwrap()
}

/// What was said, and what was written, for a snapshot.
pub(super) fn told(draft: &Draft) -> String {
    let mut text = String::new();
    for remark in draft.remarks() {
        let line = remark.line.map_or_else(|| "-".to_owned(), |line| line.to_string());
        text.push_str(&format!("{line}: {:?}: {}\n", remark.kind, remark.text));
    }
    text.push('\n');
    text.push_str(&draft.yaml());
    text
}

#[track_caller]
pub(super) fn loaded(draft: &Draft) -> Config {
    let text = draft.yaml();
    match load_bytes(Path::new("probes.yaml"), text.as_bytes(), &Environment::default()) {
        Ok(config) => config,
        Err(error) => panic!("{error}\n{text}"),
    }
}

#[test]
fn a_kodus_env_is_one_target() {
    let draft = of_kodus(KODUS);
    insta::assert_snapshot!("kodus", told(&draft));
    let config = loaded(&draft);
    let target = &config.targets[0];
    assert_eq!((target.model.as_str(), target.provider.preset.as_str()), ("hf:zai-org/GLM-4.6", "synthetic"));
    assert_eq!(target.provider.key, CredentialSource::Env("API_OPEN_AI_API_KEY".to_owned()));
    assert!(!told(&draft).contains("hunter2"));
    // Its places are those of the source.
    let config = draft.config(Path::new(".env"), &Environment::default()).unwrap();
    assert_eq!((config.targets[0].line, config.path.as_path()), (4, Path::new(".env")));
}

#[test]
fn kodus_chooses_as_kodus_does() {
    let chosen = |text: &str| {
        let draft = of_kodus(text);
        let config = loaded(&draft);
        let target = &config.targets[0];
        let CredentialSource::Env(key) = &target.provider.key else { panic!("{:?}", target.provider.key) };
        format!("{} {} {} {key}", target.provider.preset, target.provider.base_url, target.model)
    };
    for (text, expected) in [
        (
            "API_LLM_PROVIDER_MODEL=gpt-5-mini\nAPI_OPEN_AI_API_KEY=k\n",
            "openai https://api.openai.com/v1 gpt-5-mini API_OPEN_AI_API_KEY",
        ),
        (
            "API_LLM_PROVIDER_MODEL=claude-sonnet-5\nAPI_OPEN_AI_API_KEY=k\n",
            "anthropic https://api.anthropic.com claude-sonnet-5 API_OPEN_AI_API_KEY",
        ),
        (
            "API_LLM_PROVIDER_MODEL=claude-sonnet-5\nAPI_OPENAI_FORCE_BASE_URL=https://api.anthropic.com/v1\nAPI_OPEN_AI_API_KEY=k\n",
            "anthropic https://api.anthropic.com claude-sonnet-5 API_OPEN_AI_API_KEY",
        ),
        (
            // Somebody else's base URL speaks OpenAI's API, whatever the model is called.
            "API_LLM_PROVIDER_MODEL=claude-sonnet-5\nAPI_OPENAI_FORCE_BASE_URL=https://openrouter.ai/api/v1\nAPI_OPEN_AI_API_KEY=k\n",
            "openrouter https://openrouter.ai/api/v1 claude-sonnet-5 API_OPEN_AI_API_KEY",
        ),
        (
            "API_LLM_PROVIDER_MODEL=gemini-2.5-pro\nGOOGLE_GENERATIVE_AI_API_KEY=k\nAPI_OPEN_AI_API_KEY=k\n",
            "gemini https://generativelanguage.googleapis.com/v1beta/openai gemini-2.5-pro GOOGLE_GENERATIVE_AI_API_KEY",
        ),
        (
            "API_LLM_PROVIDER_MODEL=gemini-2.5-pro\nAPI_VERTEX_AI_API_KEY=AIzaHunter\n",
            "gemini https://generativelanguage.googleapis.com/v1beta/openai gemini-2.5-pro API_VERTEX_AI_API_KEY",
        ),
        (
            "API_LLM_PROVIDER_MODEL=qwen\nAPI_OPENAI_FORCE_BASE_URL=https://llm.example.com/v1\nAPI_OPEN_AI_API_KEY=k\n",
            "openai-compatible https://llm.example.com/v1 qwen API_OPEN_AI_API_KEY",
        ),
    ] {
        assert_eq!(chosen(text), expected, "{text}");
    }
}

#[test]
fn what_kodus_has_and_a_probe_cannot_is_said_with_its_line() {
    for (text, line, expected) in [
        ("A=1\nAPI_LLM_PROVIDER_MODEL=gemini-3\nAPI_VERTEX_AI_API_KEY=eyJhunter2\n", Some(2), "service account"),
        ("API_LLM_PROVIDER_MODEL=gemini-3\n", Some(1), "neither API_GOOGLE_AI_API_KEY"),
        (
            "API_LLM_PROVIDER_MODEL=x\n\nAPI_OPENAI_FORCE_BASE_URL=https://h.example/v1/chat/completions\n",
            Some(3),
            "write https://h.example/v1",
        ),
        ("API_LLM_PROVIDER_MODEL=x\nAPI_OPENAI_FORCE_BASE_URL=h.example/v1\n", Some(2), "the scheme is missing"),
        ("", None, "is not set: Kodus is in its automatic mode"),
        ("API_LLM_PROVIDER_MODEL=auto\n", Some(1), "is `auto`"),
    ] {
        let draft = of_kodus(text);
        assert_eq!(draft.target_count() + draft.wanting().len(), 0, "{text}");
        let remarks = draft.remarks();
        let found =
            remarks.iter().find(|remark| remark.text.contains(expected)).unwrap_or_else(|| panic!("{remarks:?}"));
        assert_eq!((found.line, found.kind), (line, RemarkKind::NotMapped), "{text}");
        assert!(!told(&draft).contains("hunter2"));
    }
}

#[test]
fn in_the_automatic_mode_the_keys_are_checked() {
    let text = "API_LLM_PROVIDER_MODEL=auto\nAPI_OPEN_AI_API_KEY=k\nAPI_GROQ_API_KEY=k\nAPI_DEEPSEEK_API_KEY=\n";
    let draft = of_kodus(text);
    assert_eq!(draft.target_count(), 0);
    let config = draft.config(Path::new(".env"), &Environment::default()).unwrap();
    let targets: Vec<_> = config
        .targets
        .iter()
        .map(|target| (target.id.as_str(), target.model.as_str(), target.depth, target.line))
        .collect();
    assert_eq!(targets, [("openai", NO_MODEL, Depth::Auth, 2), ("groq", NO_MODEL, Depth::Auth, 3)]);
    assert!(config.providers.iter().all(|provider| provider.catalogue.as_ref().unwrap().partial));
}

#[test]
fn what_is_odd_about_a_key_of_the_automatic_mode_is_told() {
    let text = "API_GROQ_API_KEY='hunter2'\nAPI_DEEPSEEK_API_KEY=hunter2 \nOTHER='hunter2'\n";
    let environment = Environment::from_pairs([("API_GROQ_API_KEY", "another-hunter2")]);
    let draft = kodus(&EnvFile::from_text(Path::new(".env"), text), &environment);
    let told = told(&draft);
    for expected in [
        "1: Odd: API_GROQ_API_KEY is in quotes",
        "1: Odd: API_GROQ_API_KEY is set in the environment too",
        "2: Odd: API_DEEPSEEK_API_KEY ends with a space",
        "1 more line is odd",
    ] {
        assert!(told.contains(expected), "{told}");
    }
    assert!(!told.contains("hunter2"));
    // A fixed model uses none of them.
    let draft = of_kodus(&format!("API_LLM_PROVIDER_MODEL=m\n{text}"));
    assert!(draft.remarks().iter().any(|remark| remark.text.contains("3 more lines are odd")));
}

#[test]
fn a_litellm_list_is_mapped_or_says_why_not() {
    let draft = of_litellm(LITELLM, None);
    insta::assert_snapshot!("litellm", told(&draft));
    assert!(!told(&draft).contains("hunter2"));
    let config = loaded(&draft);
    let find = |name: &str| config.targets.iter().find(|target| target.id.as_str() == name).unwrap();
    assert_eq!(find("embed").kind, Kind::Embedding);
    assert_eq!(find("local-qwen").provider.dialect, Dialect::Ollama);
    assert_eq!(find("vllm").provider.base_url.to_string(), "https://gpu.example.com/v1");
    assert_eq!(config.gates.len(), 2);
    // Every entry is a target or has its reason.
    let entries = LITELLM.matches("litellm_params").count();
    let said = draft.remarks().iter().filter(|remark| remark.kind == RemarkKind::NotMapped).count();
    assert_eq!(config.targets.len() + said, entries + 1, "and the include");
}

#[test]
fn an_entry_is_asked_for_as_litellm_asks_for_it() {
    let asked = |params: &str| {
        let draft = of_litellm(&format!("model_list: [{{ model_name: a, litellm_params: {params} }}]\n"), None);
        let config = loaded(&draft);
        let target = &config.targets[0];
        let provider = &target.provider;
        format!("{} {} {} {}", provider.preset, provider.base_url, target.model, provider.key)
    };
    for (params, expected) in [
        (
            "{ model: fireworks_ai/kimi-k2 }",
            "fireworks https://api.fireworks.ai/inference/v1 accounts/fireworks/models/kimi-k2 the variable FIREWORKS_API_KEY",
        ),
        (
            "{ model: openai/x, api_base: 'https://api.synthetic.new/openai/v1', api_key: os.environ/SYN }",
            "synthetic https://api.synthetic.new/openai/v1 x the variable SYN",
        ),
        (
            "{ model: anthropic/claude, api_base: 'https://gw.example.com/v1', api_key: os.environ/K }",
            "anthropic-compatible https://gw.example.com claude the variable K",
        ),
        (
            "{ model: hosted_vllm/m, api_base: 'http://127.0.0.1:8000/v1' }",
            "openai-compatible http://127.0.0.1:8000/v1 m no key",
        ),
        ("{ model: ollama/m, api_base: 'http://gpu:11434/' }", "ollama http://gpu:11434 m no key"),
        (
            "{ model: some/thing, custom_llm_provider: openai }",
            "openai https://api.openai.com/v1 some/thing the variable OPENAI_API_KEY",
        ),
    ] {
        assert_eq!(asked(params), expected, "{params}");
    }
}

#[test]
fn through_the_proxy_each_alias_is_a_target() {
    let through = Through { url: crate::target::BaseUrl::parse("http://localhost:4000/v1").unwrap(), key_env: None };
    let draft = of_litellm(LITELLM, Some(&through));
    insta::assert_snapshot!("litellm_through", told(&draft));
    let config = loaded(&draft);
    assert_eq!(config.providers.len(), 1);
    assert_eq!(config.providers[0].key, CredentialSource::Env("LITELLM_MASTER_KEY".to_owned()));
    assert_eq!(config.providers[0].free_check.as_ref().unwrap().path, "models");

    // Which key: the one that is named, else the one that is referred to, else LiteLLM's own if that is set.
    let key = |settings: &str, key_env: Option<&str>| {
        let text = format!("model_list: [{{ model_name: a, litellm_params: {{ model: openai/a }} }}]\n{settings}\n");
        let through = Through { key_env: key_env.map(str::to_owned), ..through.clone() };
        loaded(&of_litellm(&text, Some(&through))).providers[0].key.to_string()
    };
    assert_eq!(key("", Some("MINE")), "the variable MINE");
    assert_eq!(key("general_settings: { master_key: os.environ/THEIRS }", None), "the variable THEIRS");
    assert_eq!(key("", None), "no key");
}

#[test]
fn fallbacks_are_gates_however_they_are_written() {
    let list = "model_list:\n- { model_name: a, litellm_params: { model: openai/a } }\n\
                - { model_name: b, litellm_params: { model: openai/b } }\n";
    for fallbacks in ["[{ a: [b, missing] }]", "{ a: [b] }"] {
        let draft = of_litellm(&format!("{list}router_settings: {{ fallbacks: {fallbacks} }}\n"), None);
        assert!(draft.yaml().contains("  a: { main: a, fallback: [b] }"), "{}", draft.yaml());
        assert_eq!(loaded(&draft).gates.len(), 1);
    }
}

#[test]
fn what_is_no_litellm_configuration_is_refused_with_its_place() {
    for (text, expected) in
        [("", "nothing in this file"), ("model_list: 3\n", "no `model_list`"), ("model_list:\n- a: 'x\n", "not closed")]
    {
        let error = litellm(Path::new("config.yaml"), text, &Environment::default(), None).unwrap_err();
        assert!(error.to_string().contains(expected), "{text}: {error}");
        assert!(error.to_string().contains("config.yaml"), "{error}");
    }
    // Aliases that multiply are bounded.
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let last = level - 1;
        bomb.push_str(&format!("a{level}: &a{level} [*a{last}, *a{last}, *a{last}, *a{last}, *a{last}, *a{last}]\n"));
    }
    assert!(litellm(Path::new("c"), &bomb, &Environment::default(), None).is_err());
}

#[test]
fn keys_that_are_set_are_providers_without_a_model() {
    let environment = Environment::from_pairs([
        ("OPENAI_API_KEY", "sk-hunter2"),
        ("OPENAI_BASE_URL", "https://llm.example.com/v1"),
        ("SYNTHETIC_API_KEY", "syn_hunter2"),
        ("LM_API_TOKEN", "hunter2"),
        ("GROQ_API_KEY", ""),
    ]);
    let mut draft = well_known(&environment);
    insta::assert_snapshot!("well_known", told(&draft));
    assert_eq!(draft.target_count(), 0);
    assert!(draft.config(Path::new("environment"), &environment).is_ok());
    draft.choose("synthetic", "syn:small:text", "because").unwrap();
    assert!(draft.choose("synthetic", "", "").is_err());
    let config = loaded(&draft);
    assert_eq!((config.targets.len(), config.targets[0].depth), (1, Depth::Auth));
    assert!(!told(&draft).contains("hunter2"));
}

#[test]
fn every_preset_can_be_started_with() {
    for offer in offers() {
        let answers = Answers {
            preset: offer.preset.to_owned(),
            base_url: offer.base_url.is_none().then(|| "https://llm.example.com/v1".to_owned()),
            key_env: offer.key_variable.is_none().then(|| "MINE".to_owned()),
            models: vec!["a/b:c".to_owned(), "a/b:c".to_owned(), "8".to_owned()],
            warm: Some(("Mon-Fri 08:00-19:00".to_owned(), Some("Europe/Berlin".to_owned()))),
        };
        let config = loaded(&started(&answers).unwrap());
        assert_eq!((config.targets.len(), config.gates.len()), (3, 1), "{}", offer.preset);
    }
    let wrong = |change: fn(&mut Answers)| {
        let mut answers = Answers { preset: "openai".to_owned(), models: vec!["m".to_owned()], ..Answers::default() };
        change(&mut answers);
        started(&answers).unwrap_err()
    };
    assert!(wrong(|answers| answers.preset = "x\u{1b}".to_owned()).contains("no preset `x\u{fffd}`"));
    assert!(wrong(|answers| answers.models.clear()).contains("at least one"));
    assert!(wrong(|answers| answers.key_env = Some("sk-hunter2".to_owned())).contains("not a variable's name"));
    assert!(wrong(|answers| answers.warm = Some(("never".to_owned(), None))).contains("warm windows"));
}

proptest! {
    /// Whatever is in a file of others, a draft of it loads, and no value that may be a key is in it.
    #[test]
    fn every_kodus_draft_loads(
        model in "(auto|claude-|gemini-|hf:)?[\\PC\"#$'\\\\]{0,24}",
        url in "(https?://)?[a-z0-9.:/\\[\\]@?#\"]{0,30}",
        auto in any::<bool>(),
    ) {
        let mut text = format!("API_LLM_PROVIDER_MODEL={model}\nAPI_OPENAI_FORCE_BASE_URL={url}\nAPI_OPEN_AI_API_KEY=zzhunter2zz\n");
        if auto {
            text.push_str("API_GOOGLE_AI_API_KEY=zzhunter2zz\nAPI_LLM_PROVIDER_MODEL=gemini-1\n");
        }
        let draft = of_kodus(&text);
        prop_assert!(!told(&draft).contains("zzhunter2zz"));
        if draft.target_count() > 0 {
            loaded(&draft);
        }
        if draft.target_count() + draft.wanting().len() > 0 {
            prop_assert!(draft.config(Path::new(".env"), &Environment::default()).is_ok());
        }
    }

    #[test]
    fn every_litellm_draft_loads(
        entries in proptest::collection::vec(
            ("[\\PC]{0,12}", "(openai/|ollama/|azure/|\\*|xai/)?[\\PC]{0,20}", "(https?://)?[a-z0-9.:/]{0,20}"),
            1..8,
        ),
        relay in any::<bool>(),
    ) {
        let list: Vec<_> = entries
            .iter()
            .map(|(alias, model, base)| serde_json::json!({
                "model_name": alias,
                "litellm_params": { "model": model, "api_base": base, "api_key": "zzhunter2zz" },
            }))
            .collect();
        let text = serde_json::json!({ "model_list": list }).to_string();
        let through = Through { url: crate::target::BaseUrl::parse("http://localhost:4000/v1").unwrap(), key_env: None };
        let Ok(draft) = litellm(Path::new("c"), &text, &Environment::default(), relay.then_some(&through)) else {
            return Ok(());
        };
        prop_assert!(!told(&draft).contains("zzhunter2zz"));
        if draft.target_count() > 0 {
            loaded(&draft);
        }
    }
}
