//! `pilotlight models`, with the release binary: a provider's live list, and why there is none.

use serde_json::{Value, json};

use crate::import::{Place, provider};
use crate::scenarios::Sim;

const KEY: (&str, &str) = ("KEY", "syn_hunter2hunter2");

#[test]
fn a_url_is_enough() {
    let models =
        json!([{ "id": "hf:zai-org/GLM-4.6" }, { "id": "hf:zai-org/GLM-4.7-Flash", "context_length": 131_072 }]);
    let sim = Sim::start(&json!({ "flavour": "synthetic", "models": models }), 1.0);
    let url = format!("{}/v1", sim.doors["plain"]);
    let place = Place::new();
    let ran = place.run(&["models", &url, "--key-env", "KEY"], &[KEY]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let shown = ran.out.replace(&url, "URL");
    insta::assert_snapshot!(shown, @"
    MODEL                     CONTEXT  IN $/M  OUT $/M
    hf:zai-org/GLM-4.6           202k    0.55     2.19
    hf:zai-org/GLM-4.7-Flash     131k    0.55     2.19

    2 models at OpenAI-compatible server (URL)
    ");
    let ran = place.run(&["models", &url, "FLASH", "glm", "--key-env", "KEY", "--format", "json"], &[KEY]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&report["total"], &report["shown"]), (&json!(2), &json!(1)), "{report}");
    assert_eq!(report["models"][0]["id"], json!("hf:zai-org/GLM-4.7-Flash"));
    assert!(
        report["models"][0]["context_tokens"].is_u64() && report["models"][0]["input_usd_per_million"] == json!(0.55)
    );
    let ran = place.run(&["models", &url, "--key-env", "KEY", "--format", "jsonl"], &[KEY]);
    assert_eq!(ran.out.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count(), 2);
    let ran = place.run(&["models", &url, "nothing-like-it", "--key-env", "KEY"], &[KEY]);
    assert!(ran.code == 0 && ran.out.contains("none of them matches"), "{}", ran.out);
    assert_eq!(sim.admin("GET", "/_sim/counts")["generations"], json!(0));
}

#[test]
fn an_ollama_server_lists_what_was_pulled() {
    let sim = Sim::start(&json!({ "flavour": "ollama", "models": [{ "id": "qwen3:8b" }] }), 1.0);
    let ran = Place::new().run(&["models", &sim.doors["plain"], "--dialect", "ollama"], &[]);
    assert!(ran.code == 0 && ran.out.contains("qwen3:8b"), "{}{}", ran.out, ran.err);
}

#[test]
fn targets_are_marked_in_the_list_of_their_provider() {
    let sim = provider();
    let url = &sim.doors["plain"];
    let place = Place::new();
    let probes = json!({
        "version": 1,
        "providers": { "mine": { "dialect": "openai", "base_url": format!("{url}/v1"), "api_key": { "env": "KEY" } } },
        "targets": [{ "name": "large", "provider": "mine", "model": "hf:zai-org/GLM-4.6" }],
    });
    place.write("probes.yaml", &probes.to_string());
    let ran = place.run(&["models", "mine"], &[KEY]);
    let marked =
        ran.out.lines().find(|line| line.contains("large")).unwrap_or_else(|| panic!("{}{}", ran.out, ran.err));
    assert!(marked.starts_with("hf:zai-org/GLM-4.6 "), "{marked}");
    let ran = place.run(&["models", "mien"], &[KEY]);
    assert!(ran.code == 2 && ran.err.contains("did you mean `mine`?"), "{}", ran.err);
    // A file with a mistake does not keep anybody from the list it may be mended with, but its own providers are unknown.
    place.write("probes.yaml", "version: 1\nproviders: {}\n");
    let ran = place.run(&["models", "mine"], &[KEY]);
    assert_eq!(ran.code, 2, "{}", ran.err);
}

#[test]
fn why_there_is_no_list_is_said_as_a_probe_says_it() {
    let sim = provider();
    let url = format!("{}/v1", sim.doors["plain"]);
    let place = Place::new();
    let closed = "http://127.0.0.1:1/v1";
    for (url, key, code, said) in [
        (url.as_str(), "syn_hunter2wrong", 11, "key-refused at stage locate"),
        (closed, "syn_hunter2hunter2", 10, "connect-refused at stage connect"),
    ] {
        let ran = place.run(&["models", url, "--key-env", "KEY"], &[("KEY", key)]);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{}", ran.err);
        assert!(ran.err.contains(said) && ran.err.contains("fix: "), "{}", ran.err);
    }
    for (then, code, said) in
        [(json!({ "html": { "which": "login-page" } }), 17, "stage locate"), (json!("hang"), 16, "answer-timeout")]
    {
        let fault = json!({ "faults": [{ "on": { "path": "/v1/models" }, "then": then }] });
        let mut scenario = json!({ "flavour": "openai", "models": [{ "id": "m" }] });
        scenario.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
        let sim = Sim::start(&scenario, 1.0);
        let probes = json!({
            "version": 1,
            "defaults": { "expect": { "answer": "300ms" } },
            "providers": { "p": { "dialect": "openai", "base_url": format!("{}/v1", sim.doors["plain"]) } },
            "targets": [{ "name": "t", "provider": "p", "model": "m" }],
        });
        place.write("probes.yaml", &probes.to_string());
        let ran = place.run(&["models", "p"], &[]);
        assert_eq!(ran.code, code, "{then}: {}", ran.err);
        assert!(ran.err.contains(said), "{then}: {}", ran.err);
    }
}

#[test]
fn what_is_asked_wrongly_is_said() {
    let place = Place::new();
    let sim = provider();
    let url = format!("{}/v1", sim.doors["plain"]);
    let ran = place.run(&["models", &url], &[]);
    assert!(ran.code == 11 && ran.err.contains("--key-env NAME"), "{}", ran.err);
    for (args, said) in [
        (&["models", "openai-compatible"][..], "give its base URL"),
        (&["models", "nobody"], "there is no provider or preset `nobody`"),
        (&["models", "https://h.example/v1", "--key-env", "sk-hunter2"], "not a variable's name"),
        (&["models", "https://h.example/v1/models"], "write https://h.example/v1"),
        (&["models", "anthropic-compatible"], "give its base URL"),
        (&["models", "https://h.example/anthropic"], "has no list of models"),
    ] {
        let ran = place.run(args, &[]);
        assert!(ran.code == 2 && ran.err.contains(said), "{args:?}: {}", ran.err);
    }
}
