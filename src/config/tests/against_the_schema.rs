//! Holds files against `config schema`, as an editor would.
//!
//! The validator below knows the few words of JSON Schema that ours uses, and fails on any other; the `jsonschema` crate
//! would bring some thirty crates to check the same files.

use serde_json::{Map, Value as Json};

use super::super::node::{Node, Style, Value};
use super::super::parse::parse;
use super::*;

/// A YAML value as an editor reads it.
fn json(node: &Node<'_>) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Scalar(scalar) if scalar.style == Style::Plain => {
            serde_json::from_str(&scalar.text).unwrap_or_else(|_| Json::from(&*scalar.text))
        }
        Value::Scalar(scalar) => Json::from(&*scalar.text),
        Value::Sequence(items) => items.iter().map(json).collect(),
        Value::Mapping(entries) => {
            entries.iter().map(|(key, value)| (key.text.to_string(), json(value))).collect::<Map<_, _>>().into()
        }
    }
}

/// What is wrong with a value, if anything.
fn invalid(schema: &Json, root: &Json, value: &Json) -> Option<String> {
    let wrong = |what: &str| Some(format!("{what}: {value} against {schema}"));
    for (word, rule) in schema.as_object().unwrap() {
        let problem = match word.as_str() {
            "$schema" | "$defs" | "title" | "description" => None,
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                invalid(&root["$defs"][name], root, value)
            }
            "const" => (rule != value).then(|| format!("{value} is not {rule}")),
            "type" => {
                let types = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                let is = |name: &Json| match name.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "number" => value.is_number(),
                    "integer" => value.is_u64(),
                    other => panic!("{other}"),
                };
                (!types.iter().any(is)).then(|| format!("{value} is not {rule}"))
            }
            "minimum" => (value.as_u64() < rule.as_u64()).then(|| format!("{value} < {rule}")),
            "maximum" => (value.as_u64() > rule.as_u64()).then(|| format!("{value} > {rule}")),
            "minItems" => value.as_array().and_then(|items| items.is_empty().then(|| "empty".to_owned())),
            // Patterns only help editors along; the check itself is tested by the fixtures.
            "pattern" | "propertyNames" => None,
            "anyOf" | "oneOf" => {
                let valid = rule.as_array().unwrap().iter().filter(|rule| invalid(rule, root, value).is_none());
                let count = valid.count();
                if count == 0 || (word == "oneOf" && count > 1) { wrong(word) } else { None }
            }
            "items" => value.as_array().into_iter().flatten().find_map(|item| invalid(rule, root, item)),
            "properties" => value
                .as_object()
                .and_then(|object| object.iter().find_map(|(key, value)| invalid(rule.get(key)?, root, value))),
            "required" => rule
                .as_array()
                .unwrap()
                .iter()
                .find(|key| value.get(key.as_str().unwrap()).is_none())
                .map(|key| format!("no {key}")),
            "additionalProperties" => value.as_object().and_then(|object| {
                object
                    .iter()
                    .filter(|(key, _)| schema.get("properties").and_then(|known| known.get(*key)).is_none())
                    .find_map(|(key, value)| match rule {
                        Json::Bool(false) => Some(format!("unknown key {key}")),
                        rule => invalid(rule, root, value),
                    })
            }),
            other => panic!("the schema uses {other}, which this validator does not know"),
        };
        if problem.is_some() {
            return problem;
        }
    }
    None
}

fn invalid_file(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let root = parse(text.trim_start_matches('\u{feff}'), &mut Vec::new())?;
    let schema = schema();
    invalid(&schema, &schema, &json(&root))
}

#[test]
fn what_is_accepted_is_valid() {
    for path in fixtures("good").into_iter().chain([package().join("probes.yaml")]) {
        assert_eq!(invalid_file(&path), None, "{}", path.display());
    }
}

#[test]
fn what_has_the_wrong_shape_is_invalid() {
    for name in [
        "version-missing",
        "version-text",
        "targets-missing",
        "unknown-key-near",
        "tags-as-text",
        "model-missing",
        "depth-unknown",
        "concurrency-zero",
        "concurrency-quoted",
        "boolean-yes",
        "targets-as-mapping",
        "key-command-text",
        "max-output-tokens",
        "duration-bare",
        "status-zero",
        "status-unknown-key",
        "maintenance-as-mapping",
        "witness-text",
    ] {
        let path = package().join("tests/fixtures/config/bad").join(name).with_extension("yaml");
        assert!(invalid_file(&path).is_some(), "{name}");
    }
}

#[test]
fn every_key_says_what_it_means() {
    let schema = schema();
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        assert!(!definition["description"].as_str().unwrap().is_empty(), "{name}");
        for (key, property) in definition["properties"].as_object().unwrap() {
            assert!(!property["description"].as_str().unwrap().is_empty(), "{name}.{key}");
        }
    }
}
