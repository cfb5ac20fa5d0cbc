//! LiteLLM's configurations as people write them: keys in them, keys twice, and too much of everything.

use std::path::Path;

use super::tests::{loaded, of_litellm, told};
use super::*;
use crate::config::Environment;

#[test]
fn a_key_that_is_written_out_goes_to_its_own_host_alone() {
    let keys = |entries: &[&str]| {
        let list: String =
            entries.iter().map(|params| format!("- {{ model_name: a, litellm_params: {params} }}\n")).collect();
        let draft = of_litellm(&format!("model_list:\n{list}"), None);
        let config = loaded(&draft);
        assert!(!told(&draft).contains("hunter2"));
        let keys: Vec<String> = config.targets.iter().map(|target| target.provider.key.to_string()).collect();
        let odd = draft.remarks().iter().filter(|remark| remark.kind == RemarkKind::Odd).count();
        (keys, odd)
    };
    let (found, odd) = keys(&[
        "{ model: openai/m, api_base: 'https://llm.corp.example/v1', api_key: hunter2 }",
        "{ model: openai/n, api_base: 'https://llm.corp.example/v1', api_key: hunter2 }",
        "{ model: openai/m, api_base: 'https://llm.corp.example/v1', api_key: other-hunter2 }",
        "{ model: openai/m, api_base: 'https://llm-corp.example/v1', api_key: hunter2 }",
        "{ model: openai/m, api_base: 'https://api.synthetic.new/openai/v1', api_key: hunter2 }",
        "{ model: openai/m, api_key: hunter2 }",
        "{ model: groq/m, api_base: 'https://gw.example/v1', api_key: hunter2 }",
        "{ model: openai/m, api_base: 'https://plain.example/v1', api_key: EMPTY }",
        "{ model: anthropic/m, api_base: 'https://plain.example/v1', api_key: sk-1234 }",
    ]);
    let expected = [
        "the variable LLM_CORP_EXAMPLE_KEY",
        "the variable LLM_CORP_EXAMPLE_KEY",
        "the variable LLM_CORP_EXAMPLE_KEY_2",
        "the variable LLM_CORP_EXAMPLE_KEY_3",
        "the variable SYNTHETIC_API_KEY",
        "the variable OPENAI_API_KEY",
        "the variable LLM_GW_EXAMPLE_KEY",
        "no key",
        "no key",
    ];
    assert_eq!((found, odd), (expected.map(str::to_owned).to_vec(), 9));
    // LiteLLM sends its usual key where none is named, and that is said; a credential of its own is another key.
    let (found, odd) = keys(&[
        "{ model: openai/m, api_base: 'https://llm.corp.example/v1' }",
        "{ model: openai/m, api_base: 'https://llm.corp.example/v1', litellm_credential_name: corp }",
        "{ model: openai/m }",
    ]);
    let expected = ["the variable OPENAI_API_KEY", "the variable LLM_CORP_EXAMPLE_KEY", "the variable OPENAI_API_KEY"];
    assert_eq!((found, odd), (expected.map(str::to_owned).to_vec(), 2));
}

#[test]
fn of_a_key_that_is_written_twice_the_last_counts() {
    for more in
        ["", "a1: 1, a2: 1, a3: 1, a4: 1, a5: 1, a6: 1, a7: 1, a8: 1, a9: 1, b1: 1, b2: 1, b3: 1, b4: 1, b5: 1,"]
    {
        let draft = of_litellm(
            &format!(
                "model_list:\n- model_name: a\n  litellm_params: {{ {more} model: openai/a, api_base: 'https://one.example/v1', \
                 api_key: os.environ/K, api_base: 'https://two.example/v1' }}\n"
            ),
            None,
        );
        assert_eq!(loaded(&draft).providers[0].base_url.to_string(), "https://two.example/v1");
        assert!(
            told(&draft).contains("3: Odd: `api_base` is written twice; LiteLLM takes this one"),
            "{}",
            told(&draft)
        );
    }
}

#[test]
fn fallbacks_are_bounded() {
    let alias = |number: usize| format!("m{number}");
    let mut text = "model_list:\n".to_owned();
    for number in 0..400 {
        text.push_str(&format!("- {{ model_name: {}, litellm_params: {{ model: openai/x }} }}\n", alias(number)));
    }
    let all: Vec<String> = (0..400).map(alias).collect();
    text.push_str(&format!("litellm_settings:\n  fallbacks:\n  - {{ m0: &all [{}] }}\n", all.join(", ")));
    for number in 1..200 {
        text.push_str(&format!("  - {{ m{number}: *all }}\n"));
    }
    let draft = of_litellm(&text, None);
    assert!(told(&draft).contains("more than 10000 fallbacks"));
    assert_eq!(loaded(&draft).gates.len(), 25);
}

#[test]
fn lines_of_a_litellm_configuration_are_not_shown() {
    // Lines of others are not shown, and what is advised is not about another file.
    for text in [
        "model_list:\n- a: { password: \"zzhunter2\n",
        "aws_secret_access_key: zzhunter2: x\n",
        "model_list:\n- a: [ aws_secret_access_key: zzhunter2\nb: 1\n",
        "a: zzhunter2\n---\nb: 1\n",
        "a: !zzhunter2 x\n",
    ] {
        let error = litellm(Path::new("config.yaml"), text, &Environment::default(), None).unwrap_err();
        for shown in [error.render(false), error.render(true)] {
            assert!(!shown.contains("hunter2") && !shown.contains("probes.yaml"), "{text}: {shown}");
            assert!(shown.contains("error: config.yaml:"), "{shown}");
        }
    }
}

#[test]
fn marks_of_direction_reach_no_terminal() {
    let draft = of_litellm(
        "model_list:\n- { model_name: \"a\u{202e}b\u{200b}\", litellm_params: { model: \"openai/x\u{2066}y\" } }\n",
        None,
    );
    assert!(!told(&draft).contains(['\u{202e}', '\u{200b}', '\u{2066}']), "{}", told(&draft));
    loaded(&draft);
}
