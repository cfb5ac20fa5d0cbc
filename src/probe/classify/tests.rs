//! Plays `answers.yaml`, and shows that nothing from the wire can break the classifier or leak a key through it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use serde::Deserialize;

use super::table::{PROSE, Rule, STATUS, TYPED};
use super::*;
use crate::outcome::Stage;
use crate::target::Secret;

const NOW: &str = "2026-09-29T12:00:00Z";

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

/// One answer of `answers.yaml`; its beginning explains the fields.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    family: String,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: String,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    stage: Option<String>,
    #[serde(default)]
    listed: bool,
    #[serde(default)]
    in_stream: bool,
    code: String,
    #[serde(default)]
    says: Option<String>,
    #[serde(default)]
    reset_s: Option<f64>,
    #[serde(default)]
    location: Option<String>,
    #[serde(default)]
    repair: Option<String>,
}

impl Example {
    fn all() -> Vec<Self> {
        serde_saphyr::from_str(include_str!("answers.yaml")).unwrap()
    }

    fn context(&self) -> Context<'_> {
        let family = FAMILIES.into_iter().find(|family| name(*family) == self.family);
        let stage = self.stage.as_deref().unwrap_or("warm");
        Context {
            family: family.unwrap_or_else(|| panic!("no family {}", self.family)),
            stage: Stage::ALL.into_iter().find(|known| known.name() == stage).unwrap(),
            model: self.model.as_deref().unwrap_or("hf:zai-org/GLM-4.6"),
            listed: self.listed,
            in_stream: self.in_stream,
            secret: None,
        }
    }

    fn head(&self) -> Head {
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Head { status: self.status, headers }
    }
}

fn name(family: Family) -> String {
    serde_json::to_string(&family).unwrap().trim_matches('"').to_owned()
}

#[test]
fn every_answer_means_what_the_manual_says() {
    let examples = Example::all();
    assert!(examples.len() >= 90);
    let mut wrong = Vec::new();
    for example in &examples {
        let (head, facts) = (example.head(), ErrorFacts::read(example.body.as_bytes()));
        let found = classify(&example.context(), &head, &facts, NOW.parse().unwrap());
        let place = format!("{} {} {}", example.family, example.status, example.body);
        if found.code.name() != example.code {
            wrong.push(format!("{place}\n    is {}, not {} ({})", found.code, example.code, found.evidence));
        }
        if !found.evidence.contains(example.says.as_deref().unwrap_or_default()) {
            wrong.push(format!("{place}\n    says {}", found.evidence));
        }
        let reset = found.reset.map(|reset| reset.after);
        if reset.is_some() != example.reset_s.is_some()
            || reset.zip(example.reset_s).is_some_and(|(after, expected)| (after.as_secs_f64() - expected).abs() > 1e-3)
        {
            wrong.push(format!("{place}\n    ends after {reset:?}"));
        }
        if found.location != example.location {
            wrong.push(format!("{place}\n    points to {:?}", found.location));
        }
        let repair = repair(&head, &facts).map(|repair| match repair {
            Repair::SwitchCapField => "switch-cap-field".to_owned(),
            Repair::RaiseCap(tokens) => format!("raise-cap {tokens}"),
            Repair::DropReasoning => "drop-reasoning".to_owned(),
            Repair::DropStreamOptions => "drop-stream-options".to_owned(),
            Repair::AliveButOutOfTokens => "alive-but-out-of-tokens".to_owned(),
        });
        if repair != example.repair {
            wrong.push(format!("{place}\n    is repaired by {repair:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} answers:\n{}", wrong.len(), examples.len(), wrong.join("\n"));
}

#[test]
fn every_row_of_the_table_decides_an_answer() {
    let examples = Example::all();
    let mut unused = Vec::new();
    for (table, rows) in [("TYPED", TYPED), ("PROSE", PROSE), ("STATUS", STATUS)] {
        let mut used = vec![false; rows.len()];
        for example in &examples {
            let (context, head) = (example.context(), example.head());
            let facts = ErrorFacts::read(example.body.as_bytes());
            let answer = Answer::new(context, &head, &facts, NOW.parse().unwrap());
            if let Some(at) = rows.iter().position(|rule| answer.fits(rule)) {
                used[at] = true;
            }
        }
        unused.extend(rows.iter().zip(used).filter(|(_, used)| !used).map(|(rule, _)| format!("{table}: {rule:?}")));
    }
    assert!(unused.is_empty(), "no answer for:\n{}", unused.join("\n"));
}

#[test]
fn prose_decides_only_within_a_family_or_with_a_status() {
    let bound = |rule: &Rule| !rule.families.is_empty() || rule.status != ANY;
    assert!(PROSE.iter().all(|rule| bound(rule) && rule.word.is_none()));
    assert!(TYPED.iter().all(|rule| rule.word.is_some()));
    assert!(STATUS.iter().all(|rule| rule.word.is_none() && rule.says.is_empty() && rule.status != ANY));
    let lower = |text: &&str| **text == text.to_lowercase();
    assert!(TYPED.iter().chain(PROSE).all(|rule| rule.says.iter().all(lower)));
    assert!(UNKNOWN_PATH.iter().chain(ONLY_NOT_FOUND).chain(NO_SUCH).all(lower));
}

#[test]
fn a_key_is_in_no_text_that_leaves() {
    let secret = Secret::new("sk-proj-0123456789abcdef".to_owned());
    let context = Context {
        family: Family::OpenAi,
        stage: Stage::Authenticate,
        model: "m",
        listed: false,
        in_stream: false,
        secret: Some(&secret),
    };
    let head = Head {
        status: 302,
        headers: vec![
            ("location".to_owned(), "https://x.example/sk-proj-0123456789abcdef/y".to_owned()),
            ("x-request-id".to_owned(), "\u{1b}[31msk-proj-0123456789abcdef\u{7}".to_owned()),
            ("server".to_owned(), "sk-proj-0123456789abcdef".to_owned()),
        ],
    };
    for body in [
        r#"{"error":{"message":"Incorrect: sk-proj-0123\u200b456789abcdef","type":"sk-proj-0123456789abcdef"}}"#,
        "<html><title>sk-proj-0123456789abcdef</title>",
        "sk-proj-0123456789abcdef\r\nforged: line",
    ] {
        let found = classify(&context, &head, &ErrorFacts::read(body.as_bytes()), NOW.parse().unwrap());
        let all = format!("{found:?}");
        assert!(!all.contains("0123"), "{all}");
        assert!(!all.contains('\n') && !all.contains('\u{1b}'), "{all}");
    }
}

#[test]
fn a_note_is_never_cut_away() {
    let long = "x".repeat(300);
    let facts = ErrorFacts {
        shape: BodyShape::Json,
        message: Some(long.clone()),
        kind: Some("invalid_authentication_error".to_owned()),
        code: Some(long.clone()),
        status: Some("y".repeat(300)),
        reason: Some("z".repeat(300)),
        ..ErrorFacts::default()
    };
    let example: Example = serde_saphyr::from_str("{family: moonshot, status: 401, body: '', code: ''}").unwrap();
    let found = classify(&example.context(), &example.head(), &facts, NOW.parse().unwrap());
    assert!(found.evidence.ends_with("is refused alike"), "{}", found.evidence);
}

fn facts() -> impl Strategy<Value = ErrorFacts> {
    let word = || {
        prop_oneof![
            Just(None),
            prop::sample::select(TYPED).prop_map(|rule| rule.word.map(str::to_owned)),
            "(?s).{0,12}".prop_map(Some),
        ]
    };
    let shape = prop_oneof![
        Just(BodyShape::Empty),
        Just(BodyShape::Json),
        Just(BodyShape::Text),
        prop::option::of("(?s).{0,12}").prop_map(|title| BodyShape::Html { title }),
    ];
    let message = prop::option::of(prop_oneof![
        "(?s).{0,60}",
        "(try again in|retry after|will reset at|max_tokens|thinking|expected a value >=) [0-9.:hms-]{0,24}",
    ]);
    (shape, message, word(), word(), word(), word(), word(), prop::option::of(any::<f64>())).prop_map(
        |(shape, message, kind, code, status, reason, param, delay)| ErrorFacts {
            shape,
            message,
            kind,
            code,
            status,
            reason,
            param,
            estimated_time_s: delay,
            retry_delay_s: delay.map(|delay| delay / 7.0),
        },
    )
}

fn head() -> impl Strategy<Value = Head> {
    let name = prop::sample::select(vec![
        "retry-after",
        "retry-after-ms",
        "x-ratelimit-reset-requests",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-reset",
        "anthropic-ratelimit-tokens-reset",
        "anthropic-ratelimit-unified-status",
        "ratelimit",
        "x-synthetic-quotas",
        "location",
        "cf-mitigated",
        "x-request-id",
    ]);
    let value = prop_oneof![
        "(?s).{0,30}",
        "-?[0-9]{0,22}(\\.[0-9]{0,4})?(s|m|h|ms)?",
        "\"a\";r=0;t=[0-9]{0,20}",
        Just("rejected".to_owned()),
        "\\{\"(rollingFiveHourLimit|weeklyTokenLimit|subscription|data)\":\
         \\{\"(limited|remaining|limit)\":(true|-?[0-9]{1,3})\\}\\}",
    ];
    (0_u16..700, prop::collection::vec((name.prop_map(str::to_owned), value), 0..6))
        .prop_map(|(status, headers)| Head { status, headers })
}

proptest! {
    #[test]
    fn any_answer_is_survived(
        head in head(),
        facts in facts(),
        family in prop::sample::select(FAMILIES.to_vec()),
        stage in prop::sample::select(Stage::ALL.to_vec()),
        model in "(?s).{0,8}",
        listed in any::<bool>(),
        in_stream in any::<bool>(),
        now in -377_705_023_201_i64..253_402_207_200,
    ) {
        let secret = Secret::new(facts.message.clone().unwrap_or_default());
        let context = Context { family, stage, model: &model, listed, in_stream, secret: Some(&secret) };
        let found = classify(&context, &head, &facts, Timestamp::from_second(now).unwrap());
        prop_assert!(found.evidence.chars().count() <= 400);
        prop_assert!(found.request_id.is_none_or(|id| id.chars().count() <= 100));
        prop_assert!(found.reset.is_none_or(|reset| reset.after <= Duration::from_secs(40 * 86400)));
        // A code is explained for the stages that it can come from.
        let explained = found.code.explain().stages.contains(&stage);
        prop_assert!(explained || stage < Stage::Authenticate, "{} at {stage}", found.code);
        let _ = repair(&head, &facts);
    }
}
