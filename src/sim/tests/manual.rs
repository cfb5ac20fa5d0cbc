//! The manual says what the code does: its examples are read, and every name that a scenario may use stands in it.

use super::super::Scenario;

const MANUAL: &str = include_str!("../../../docs/simulator.md");

/// The names that serde lists when it meets one that is none of them.
fn names(yaml: &str) -> Vec<String> {
    let error = Scenario::from_yaml(yaml).unwrap_err().to_string();
    let line = error.lines().next().unwrap_or_default();
    let (_, choices) = line.split_once("expected one of ").unwrap_or_else(|| panic!("{error}"));
    let names: Vec<String> = choices.split(", ").map(|name| name.trim_matches('`').to_owned()).collect();
    assert!(names.len() > 3, "{error}");
    names
}

#[test]
fn its_examples_are_scenarios() {
    let examples: Vec<&str> = MANUAL.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        Scenario::from_yaml(example).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn every_name_is_in_it() {
    for yaml in [
        "{ none: 1 }",
        "flavour: none",
        "models: [{ none: 1 }]",
        "models: [{ id: m, cold_signal: none }]",
        "accounts: [{ none: 1 }]",
        "accounts: [{ key: k, state: none }]",
        "listeners: [{ none: 1 }]",
        "listeners: [{ name: a, tls: none }]",
        "listeners: [{ name: a, on_connect: none }]",
        "quota: { none: 1 }",
        "faults: [{ on: { none: 1 }, then: hang }]",
        "faults: [{ then: none }]",
        "faults: [{ then: { error: none } }]",
        "faults: [{ then: { respond: { none: 1 } } }]",
    ] {
        for name in names(yaml) {
            assert!(MANUAL.contains(&name), "docs/simulator.md does not mention `{name}` ({yaml})");
        }
    }
}
