//! What the scan takes for JSON, told by examples and compared with `serde_json`.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn shown(token: Token<'_>) -> String {
    match token {
        Token::Key(name) => format!("Key({:?}) ", readable(name)),
        Token::Text(value) => format!("Text({:?}) ", readable(value)),
        Token::Number(number) => format!("Number({:?}) ", readable(number)),
        other => format!("{other:?} "),
    }
}

fn read(pieces: &[&[u8]]) -> (String, Result<(), ScanFault>) {
    let mut scan = TokenScan::new();
    let mut seen = String::new();
    let mut result = Ok(());
    for piece in pieces {
        result = scan.push(piece, &mut |token| seen.push_str(&shown(token)));
    }
    let result = result.and_then(|()| scan.finish(&mut |token| seen.push_str(&shown(token))));
    (seen, result)
}

const NOT_JSON: Result<(), ScanFault> = Err(ScanFault::NotJson { looks_like_html: false });

#[test]
fn tokens_come_in_order() {
    let text = b"\xef\xbb\xbf {\"a\": [1, -2.5e3, \"x\\n\"], \"b\": {\"c\": null}, \"d\": true}\n\n";
    let (seen, result) = read(&[text]);
    assert_eq!(
        seen,
        "Object Key(\"a\") Array Number(\"1\") Number(\"-2.5e3\") Text(\"x\\n\") End \
         Key(\"b\") Object Key(\"c\") Null End Key(\"d\") Truth End "
    );
    assert_eq!(result, Ok(()));
}

#[test]
fn half_a_surrogate_pair_is_replaced() {
    for (text, expected) in [
        (r#""\ud83d\ude00""#, "Text(\"😀\") "),
        (r#""a\ud83db""#, "Text(\"a�b\") "),
        (r#""\ud83d""#, "Text(\"�\") "),
        (r#""\ud83d\ud83d\ude00""#, "Text(\"�😀\") "),
        (r#""\ude00\u0041""#, "Text(\"�A\") "),
        (r#""\ud83d\u0041\n""#, "Text(\"�A\\n\") "),
        (r#""\ud83d\\ude00""#, "Text(\"�\\\\ude00\") "),
        (r#"["\ud83d","\ud83d\ude00"]"#, "Array Text(\"�\") Text(\"😀\") End "),
    ] {
        assert_eq!(read(&[text.as_bytes()]), (expected.to_owned(), Ok(())), "{text}");
    }
}

#[test]
fn what_is_not_json_is_said_to_be() {
    assert_eq!(read(&[b"<!DOCTYPE html>"]).1, Err(ScanFault::NotJson { looks_like_html: true }));
    for text in [
        "",
        "{",
        "[1",
        "{\"a\":1}}",
        "not json",
        "\"\\ud83d",
        "\"\\u12g4\"",
        "\"\\ud83$\"",
        "nul",
        "1e",
        "[1]]",
        "[1],",
    ] {
        assert_eq!(read(&[text.as_bytes()]).1, NOT_JSON, "{text}");
    }
}

#[test]
fn limits_hold() {
    let text = |length: usize| format!("[\"{}\"]", "x".repeat(length));
    assert_eq!(read(&[text(LONGEST - 2).as_bytes()]).1, Ok(()));
    assert_eq!(read(&[text(LONGEST).as_bytes()]).1, Err(ScanFault::TooLarge));
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(read(&[nested(DEEPEST).as_bytes()]).1, Ok(()));
    assert_eq!(read(&[nested(DEEPEST + 1).as_bytes()]).1, Err(ScanFault::TooLarge));
    let list = format!("[{}0]", "0,".repeat(LARGEST / 2));
    assert_eq!(read(&[list.as_bytes()]).1, Err(ScanFault::TooLarge));
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "(?s).{0,30}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("(?s).{0,4}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// What `read` must say of a value.
fn tokens_of(value: &Value) -> String {
    match value {
        Value::Null => "Null ".to_owned(),
        Value::Bool(_) => "Truth ".to_owned(),
        Value::Number(number) => format!("Number({:?}) ", number.to_string()),
        Value::String(text) => format!("Text({text:?}) "),
        Value::Array(values) => format!("Array {}End ", values.iter().map(tokens_of).collect::<String>()),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("Key({name:?}) {}", tokens_of(value)));
            format!("Object {}End ", fields.collect::<String>())
        }
    }
}

proptest! {
    #[test]
    fn all_json_is_read_and_cuts_do_not_matter(value in json(), cut in any::<prop::sample::Index>()) {
        let text = value.to_string();
        let (before, after) = text.as_bytes().split_at(cut.index(text.len()));
        let whole = read(&[text.as_bytes()]);
        prop_assert_eq!(whole.1, Ok(()));
        prop_assert_eq!(&whole.0, &tokens_of(&value));
        let pretty = serde_json::to_string_pretty(&value).unwrap_or_default();
        prop_assert_eq!(&read(&[pretty.as_bytes()]), &whole);
        prop_assert_eq!(read(&[before, after]), whole);
    }

    #[test]
    fn what_is_json_is_what_serde_json_takes_for_it(
        text in "([\\[\\]{}:,]|\"[a\\\\u\u{1}\u{e9}]{0,3}\"|[-+.eE0-9]{1,4}|true|null|nul|\\s|\"(\\\\u[0-9a-g]{4}){0,2}\"){0,12}",
    ) {
        let taken = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert_eq!(read(&[text.as_bytes()]).1.is_ok(), taken, "{}", text);
    }

    #[test]
    fn any_bytes_are_survived(text in "[\\[\\]{}:,\"\\\\ud8cef01 -]{0,40}", cut in any::<prop::sample::Index>()) {
        let (before, after) = text.as_bytes().split_at(cut.index(text.len().max(1)).min(text.len()));
        prop_assert_eq!(read(&[before, after]), read(&[text.as_bytes()]));
    }
}
