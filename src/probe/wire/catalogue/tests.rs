//! The catalogue scan: shapes, bounds, nearest names, any chunking.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn scan(shape: CatalogueShape, wanted: &str, prefix: Option<&str>, body: &str) -> CatalogueFinding {
    let mut scan = CatalogueScan::new(shape, wanted, prefix);
    scan.push(body.as_bytes()).unwrap();
    scan.finish().unwrap()
}

fn data(wanted: &str, body: &str) -> CatalogueFinding {
    scan(CatalogueShape::Data, wanted, None, body)
}

#[test]
fn an_llm_is_found_with_its_efforts() {
    let body = json!({"object": "list", "data": [
        {"id": "hf:zai-org/GLM-5.2", "reasoning_parameters": {"efforts": ["none", "high"]}, "name": "x"},
        {"reasoning_parameters": {"efforts": ["low", "max"], "efforts_note": "n"}, "id": "hf:moonshotai/Kimi-K3"},
        {"id": "syn:large:text", "reasoning_parameters": null},
    ]})
    .to_string();
    let finding = data("hf:moonshotai/Kimi-K3", &body);
    assert_eq!(
        finding,
        CatalogueFinding {
            listed: true,
            total: 3,
            nearest: vec![],
            first: ["hf:zai-org/GLM-5.2", "hf:moonshotai/Kimi-K3", "syn:large:text"].map(str::to_owned).to_vec(),
            efforts: vec!["low".to_owned(), "max".to_owned()],
            list_price: None,
            is_catalogue: true
        }
    );
    assert!(data("syn:large:text", &body).efforts.is_empty());
}

#[test]
fn prices_are_read_as_dollars_for_a_million_tokens() {
    let price = |pricing: serde_json::Value| {
        let body = json!({"data": [
            {"pricing": {"prompt": "0.5", "completion": "0.5"}, "id": "other"},
            {"pricing": pricing, "id": "wanted"},
            {"id": "another", "pricing": {"prompt": "0.5", "completion": "0.5"}},
        ]});
        let price = data("wanted", &body.to_string()).list_price?;
        Some((price.input_usd_per_million, price.output_usd_per_million))
    };
    for (pricing, expected) in [
        // OpenRouter.
        (json!({"prompt": "0.00000125", "completion": "0.00001", "request": "0"}), Some((1.25, 10.0))),
        // Synthetic.
        (json!({"prompt": "$0.00000055", "completion": "$0.00000219", "image": "$0"}), Some((0.55, 2.19))),
        (json!({"completion": 2.19e-6, "prompt": 5.5e-7}), Some((0.55, 2.19))),
        (json!({"prompt": "0", "completion": "-0"}), Some((0.0, 0.0))),
        (json!({"prompt": "0.01", "completion": "0"}), Some((10_000.0, 0.0))),
        // One of two, a price that depends, a unit that is another, nonsense, another place.
        (json!({"prompt": "0.000001"}), None),
        (json!({"prompt": "-1", "completion": "-1"}), None),
        (json!({"prompt": "$0.55", "completion": "$2.19"}), None),
        (json!({"prompt": "inf", "completion": "nan"}), None),
        (json!({"prompt": "", "completion": "$"}), None),
        (json!({"prompt": "0".repeat(33), "completion": "0"}), None),
        (json!({"tiers": {"prompt": "0", "completion": "0"}}), None),
        (json!([{"prompt": "0", "completion": "0"}]), None),
        (json!(null), None),
    ] {
        assert_eq!(price(pricing.clone()), expected, "{pricing}");
    }
    assert_eq!(
        data("x", &json!({"data": [{"id": "y", "pricing": {"prompt": "0", "completion": "0"}}]}).to_string())
            .list_price,
        None
    );
}

#[test]
fn every_shape_is_read() {
    for (shape, prefix, wanted, body, total) in [
        (CatalogueShape::Data, None, "a/b", r#"[{"id":"a/b"},{"id":"c"}]"#, 2),
        (CatalogueShape::Data, None, "a", r#"["b", "a"]"#, 2),
        (CatalogueShape::Data, Some("models/"), "gemini-x", r#"{"data":[{"id":"models/gemini-x"}]}"#, 1),
        (CatalogueShape::Data, Some("models/"), "models/gemini-x", r#"{"data":[{"id":"models/gemini-x"}]}"#, 1),
        (CatalogueShape::Data, None, "q", r#"{"models":[{"name":"q","model":"q"}],"data":[{"id":"q"}]}"#, 1),
        (CatalogueShape::Data, None, "lm/x", r#"{"models":[{"display_name":"X","key":"lm/x"}]}"#, 1),
        (CatalogueShape::OllamaTags, None, "llama3", r#"{"models":[{"name":"llama3:latest","model":"m"}]}"#, 1),
        (CatalogueShape::OllamaTags, None, "llama3:latest", r#"{"models":[{"name":"llama3"}]}"#, 1),
        (CatalogueShape::OllamaTags, None, "llama3:8b", r#"{"models":[{"name":"llama3:8b","details":{}}]}"#, 1),
    ] {
        let finding = scan(shape, wanted, prefix, body);
        assert!(finding.listed && finding.is_catalogue, "{body}");
        assert_eq!(finding.total, total, "{body}");
    }
    let finding = scan(CatalogueShape::OllamaTags, "llama3", None, r#"{"models":[{"name":"llama3:8b"}]}"#);
    assert_eq!((finding.listed, finding.nearest), (false, vec!["llama3:8b".to_owned()]));
    assert!(!data("x", r#"{"data":[{"id":"x:latest"}]}"#).listed);
}

#[test]
fn names_out_of_place_do_not_confuse_it() {
    for body in [
        r#"{"data":[{"id":"other","meta":{"id":"wanted"},"data":[{"id":"wanted"}],"tags":["wanted"]}]}"#,
        r#"{"meta":{"data":[{"id":"wanted"}]},"data":[{"name":"wanted","id":"other","owner":"id"}]}"#,
        r#"{"id":"wanted","data":[{"id":"other"},[{"id":"wanted"}]]}"#,
        r#"{"data":[{"id":"other","reasoning_parameters":{"id":"wanted"},"efforts":["wanted"]}],"x":["wanted"]}"#,
    ] {
        let finding = data("wanted", body);
        assert!(!finding.listed && finding.is_catalogue, "{body}");
    }
}

#[test]
fn what_is_no_catalogue_is_said_to_be_none() {
    for (body, is_catalogue) in [
        (r#"{"data":[]}"#, true),
        ("[]", true),
        (r#"{"object":"list","data":null}"#, true),
        (r#"{"models":null}"#, true),
        (r#"{"error":null,"data":[{"id":"a"}]}"#, true),
        (r#"{"error":"no","data":[]}"#, false),
        (r#"{"error":{"message":"no"}}"#, false),
        (r#"[{"error":{"code":400}}]"#, false),
        (r#"{"data":[{"embedding":[0.1]}]}"#, false),
        (r#"{"data":{"id":"a"}}"#, false),
        (r#"{"status":"ok"}"#, false),
        (r#""models""#, false),
        ("1", false),
    ] {
        assert_eq!(data("wanted", body).is_catalogue, is_catalogue, "{body}");
    }
}

#[test]
fn the_usual_mistakes_are_told_first() {
    let body = json!({"data": [
        {"id": "hf:zai-org/GLM-4.5"},
        {"id": "hf:zai-org/GLM-4.6-Flash"},
        {"id": "hf:zai-org/GLM-4.6"},
        {"id": "syn:large:text"},
        {"id": "hf:other/GLM-4.6"},
    ]})
    .to_string();
    for (wanted, first) in [
        ("hf:ZAI-org/glm-4.6", "hf:zai-org/GLM-4.6"),
        ("zai-org/GLM-4.6", "hf:zai-org/GLM-4.6"),
        ("zai-org/glm-4.6", "hf:zai-org/GLM-4.6"),
        ("hf:zai-org/GLM-4.7", "hf:zai-org/GLM-4.5"),
        ("GLM-4.6", "hf:zai-org/GLM-4.6"),
        ("GLM-4.6-Flash", "hf:zai-org/GLM-4.6-Flash"),
    ] {
        let finding = data(wanted, &body);
        assert_eq!(finding.nearest.first().map(String::as_str), Some(first), "{wanted}: {:?}", finding.nearest);
        assert!(finding.nearest.len() <= 3);
    }
    assert!(data("completely-different", &body).nearest.is_empty());
    assert_eq!(data("abc\u{202e}defgi", r#"["abc\u001b[2J\u202edefgh"]"#).nearest, ["abcdefgh"]);
}

#[test]
fn a_huge_list_is_read_in_little_time() {
    let entry = json!({"id": "vendor/model-name-0", "description": "x".repeat(1500)}).to_string();
    let body = format!("{{\"data\":[{}{{\"id\":\"last\"}}]}}", format!("{entry},").repeat(4000));
    let finding = data("last", &body);
    assert!(finding.listed);
    assert_eq!(finding.total, 4001);
}

#[test]
fn a_cut_list_is_a_fault() {
    let mut scan = CatalogueScan::new(CatalogueShape::Data, "a", None);
    scan.push(br#"{"data":[{"id":"a"}"#).unwrap();
    assert_eq!(scan.finish(), Err(ScanFault::NotJson { looks_like_html: false }));
}

/// An entry as another parser sees it: its id, efforts and prices.
fn any_entry() -> impl Strategy<Value = serde_json::Value> {
    let id = prop::sample::select(vec![json!("a/b"), json!("a/c"), json!("b"), json!(null), json!(7)]);
    let price = prop_oneof![
        "\\$?[0-9]{0,2}(\\.[0-9]{0,9})?".prop_map(serde_json::Value::from),
        (0.0..0.02_f64).prop_map(serde_json::Value::from),
        (-2..2_i64).prop_map(serde_json::Value::from),
        Just(json!(null)),
        Just(json!({"prompt": "0"})),
    ];
    let efforts = prop::collection::vec(prop::sample::select(vec!["none", "low", "high"]), 0..3);
    let name = prop::sample::select(vec!["prompt", "completion", "image"]);
    let pricing = prop::collection::btree_map(name, price, 0..4);
    let place = prop::sample::select(vec!["pricing", "price"]);
    (id, efforts, pricing, place).prop_map(|(id, efforts, pricing, place)| {
        json!({"id": id, "reasoning_parameters": {"efforts": efforts}, place: pricing, "prompt": "1", "completion": 1})
    })
}

/// What the scan should find, read with all of the list in memory.
fn oracle(entries: &[serde_json::Value]) -> (bool, Vec<String>, Option<ListPrice>) {
    let wanted: Vec<_> = entries.iter().filter(|entry| entry["id"] == "a/b").collect();
    let efforts = |entry: &&&serde_json::Value| -> Vec<String> {
        let efforts = entry["reasoning_parameters"]["efforts"].as_array().unwrap();
        efforts.iter().map(|effort| effort.as_str().unwrap().to_owned()).collect()
    };
    let dollars = |value: &serde_json::Value| -> Option<f64> {
        let number = match value {
            serde_json::Value::String(text) => text.trim_start_matches('$').parse().ok()?,
            other => other.as_f64()?,
        };
        let price = (number * 1e12).round() / 1e6;
        (0.0..=10_000.0).contains(&price).then_some(price)
    };
    let price = wanted.iter().find_map(|entry| {
        let pricing = entry.get("pricing")?;
        Some(ListPrice {
            input_usd_per_million: dollars(pricing.get("prompt")?)?,
            output_usd_per_million: dollars(pricing.get("completion")?)?,
        })
    });
    let efforts = wanted.iter().map(|entry| efforts(&entry)).find(|efforts| !efforts.is_empty());
    (!wanted.is_empty(), efforts.unwrap_or_default(), price)
}

proptest! {
    #[test]
    fn another_parser_finds_the_same(entries in prop::collection::vec(any_entry(), 0..6), size in 1..40_usize) {
        let body = json!({"data": entries}).to_string();
        let mut scan = CatalogueScan::new(CatalogueShape::Data, "a/b", None);
        body.as_bytes().chunks(size).try_for_each(|piece| scan.push(piece)).unwrap();
        let finding = scan.finish().unwrap();
        prop_assert_eq!((finding.listed, finding.efforts, finding.list_price), oracle(&entries), "{}", body);
    }

    #[test]
    fn cuts_do_not_matter(
        body in "(\\{\"(data|models|error)\":)?\\[?(\\{?\"(id|name|key)\":\"[ab/]{0,4}\"\\},?){0,4}\\]?\\}?",
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let read = |pieces: &[&[u8]]| {
            let mut scan = CatalogueScan::new(CatalogueShape::OllamaTags, "a/b", Some("b"));
            pieces.iter().try_for_each(|piece| scan.push(piece)).and_then(|()| scan.finish())
        };
        let mut pieces = Vec::new();
        let mut rest = body.as_bytes();
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.index(rest.len() + 1));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        prop_assert_eq!(read(&pieces), read(&[body.as_bytes()]));
    }

    #[test]
    fn any_bytes_are_survived(body in prop::collection::vec(any::<u8>(), 0..200), wanted in "(?s).{0,20}") {
        let mut scan = CatalogueScan::new(CatalogueShape::Data, &wanted, None);
        if scan.push(&body).is_ok() {
            let _ = scan.finish();
        }
    }
}
