//! The JSON Schema of probes.yaml, for editors: they complete keys, show their meaning and underline mistakes.
//!
//! It is made from the table of keys and says less than the check does: a schema cannot compare two values.

use serde_json::{Map, Value, json};

use super::keys::{Json, Key, Kind, Need, Scalar, Section};
use super::table::ROOT;

/// The JSON Schema of probes.yaml (draft 2020-12).
#[must_use]
pub fn schema() -> Value {
    let mut definitions = Map::new();
    let mut root = section(&ROOT, &mut definitions);
    definitions.remove(ROOT.name);
    if let Some(root) = root.as_object_mut() {
        root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        root.insert("title".to_owned(), json!("probes.yaml of pilotlight"));
        root.insert("$defs".to_owned(), Value::Object(definitions));
    }
    root
}

/// A mapping with fixed keys. The sections within it are put into the definitions.
fn section(section: &'static Section, definitions: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in section.keys {
        properties.insert(key.name.to_owned(), property(key, definitions));
        if key.need == Need::Required {
            required.push(key.name);
        }
    }
    json!({
        "type": "object",
        "description": section.doc,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// What a key takes, with what it means.
fn property(key: &Key, definitions: &mut Map<String, Value>) -> Value {
    let mut property = match kind(&key.kind, definitions) {
        Value::Object(map) => map,
        other => Map::from_iter([("const".to_owned(), other)]),
    };
    let mut description = key.doc.to_owned();
    if !key.default.is_empty() {
        description.push_str(" Default: ");
        description.push_str(key.default);
        description.push('.');
    }
    property.insert("description".to_owned(), json!(description));
    Value::Object(property)
}

fn kind(kind_: &Kind, definitions: &mut Map<String, Value>) -> Value {
    match kind_ {
        Kind::Scalar(form) => scalar(form),
        Kind::Number { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Word(words) => {
            let choices: Vec<Value> =
                words.all().map(|(word, doc)| json!({ "const": word, "description": doc })).collect();
            json!({ "oneOf": choices })
        }
        Kind::List(item) => json!({ "type": "array", "items": kind(item, definitions) }),
        Kind::OneOrMore(form) => json!({
            "anyOf": [scalar(form), { "type": "array", "items": scalar(form), "minItems": 1 }],
        }),
        Kind::Map { key, value } => {
            let mut names = json!({});
            if let (Some(names), Some(pattern)) = (names.as_object_mut(), key.pattern) {
                names.insert("pattern".to_owned(), json!(pattern));
            }
            json!({
                "type": "object",
                "propertyNames": names,
                "additionalProperties": kind(value, definitions),
            })
        }
        Kind::Section(inner) => reference(inner, definitions),
        Kind::OrWord(word, other) => {
            json!({ "anyOf": [{ "const": word }, kind(other, definitions)] })
        }
        Kind::SectionOrScalar(inner, form) => {
            json!({ "anyOf": [reference(inner, definitions), scalar(form)] })
        }
    }
}

/// A reference to a section, which is defined the first time.
fn reference(inner: &'static Section, definitions: &mut Map<String, Value>) -> Value {
    if !definitions.contains_key(inner.name) {
        // The place is taken before the section is made, so that one that contains itself would end.
        definitions.insert(inner.name.to_owned(), Value::Null);
        let made = section(inner, definitions);
        definitions.insert(inner.name.to_owned(), made);
    }
    json!({ "$ref": format!("#/$defs/{}", inner.name) })
}

fn scalar(form: &Scalar) -> Value {
    let mut value = match form.json {
        Json::One => return json!({ "const": 1 }),
        Json::Text => json!({ "type": "string" }),
        // Plain `1.10` or `true` is a text to pilotlight, and something else to an editor.
        Json::TextOrNumber => json!({ "type": ["string", "number", "boolean"] }),
    };
    if let (Some(map), Some(pattern)) = (value.as_object_mut(), form.pattern) {
        map.insert("pattern".to_owned(), json!(pattern));
    }
    value
}
