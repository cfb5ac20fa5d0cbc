//! Lists as providers send them, and as nobody should.

use proptest::prelude::*;

use super::*;

fn read(shape: CatalogueShape, body: &str) -> Result<Listing, ScanFault> {
    let mut scan = ListingScan::new(shape, Some("models/"));
    scan.push(body.as_bytes())?;
    scan.finish()
}

fn ids(body: &str) -> Vec<String> {
    read(CatalogueShape::Data, body).unwrap().entries.into_iter().map(|entry| entry.id).collect()
}

#[test]
fn what_a_provider_says_of_an_llm_is_kept() {
    let body = r#"{"object":"list","data":[
        {"id":"hf:zai-org/GLM-4.6","context_length":202752,"pricing":{"prompt":"$0.00000055","completion":"$0.00000219"},
         "architecture":{"id":"not-an-id","context_length":1}},
        {"id":"models/gemini-2.5-flash"},
        {"id":"groq","context_window":131072},
        {"id":"vllm","max_model_len":4096},
        {"id":"together","context_length":8192,"pricing":{"input":0.18,"output":0.59,"hourly":0}}
    ]}"#;
    let listing = read(CatalogueShape::Data, body).unwrap();
    let rows: Vec<_> = listing
        .entries
        .iter()
        .map(|entry| (entry.id.as_str(), entry.context, entry.input_usd_per_million, entry.output_usd_per_million))
        .collect();
    assert_eq!(
        rows,
        [
            ("hf:zai-org/GLM-4.6", Some(202_752), Some(0.55), Some(2.19)),
            ("gemini-2.5-flash", None, None, None),
            ("groq", Some(131_072), None, None),
            ("vllm", Some(4096), None, None),
            ("together", Some(8192), Some(0.18), Some(0.59)),
        ]
    );
    assert!(listing.is_catalogue);
}

#[test]
fn every_shape_of_list_is_one() {
    assert_eq!(ids(r#"[{"id":"a"},{"id":"b"}]"#), ["a", "b"]);
    assert_eq!(ids(r#"["a","b"]"#), ["a", "b"]);
    let both = r#"{"models":[{"name":"m","model":"m"}],"data":[{"id":"d"}]}"#;
    assert_eq!(read(CatalogueShape::Data, both).unwrap().entries[0].id, "d");
    assert_eq!(read(CatalogueShape::OllamaTags, both).unwrap().entries[0].id, "m");
    let empty = read(CatalogueShape::OllamaTags, r#"{"models":null}"#).unwrap();
    assert_eq!((empty.is_catalogue, empty.total), (true, 0));
}

#[test]
fn what_is_no_list_is_none() {
    for body in [r#"{"error":"no"}"#, r#"[{"error":{}}]"#, "{}", r#""x""#, "3", r#"{"data":[{"x":1}]}"#] {
        assert!(!read(CatalogueShape::Data, body).unwrap().is_catalogue, "{body}");
    }
    assert!(read(CatalogueShape::Data, "<html>").is_err());
    assert!(read(CatalogueShape::Data, r#"{"data":[{"id":"a""#).is_err());
}

#[test]
fn hostile_ids_and_numbers_are_tamed() {
    let body = "{\"data\":[{\"id\":\"a\\u001b[31mb\\u202e\"},{\"id\":\"\"},\
                {\"id\":\"c\",\"context_length\":1e99,\"pricing\":{\"prompt\":\"-1\",\"input\":1e300}}]}";
    let listing = read(CatalogueShape::Data, body).unwrap();
    assert_eq!(listing.entries.len(), 2);
    assert!(!listing.entries[0].id.contains(['\u{1b}', '\u{202e}']));
    assert_eq!(listing.entries[1], Listed { id: "c".to_owned(), ..Listed::default() });
    let many = format!("[{}]", vec!["\"x\""; MOST_LISTED + 7].join(","));
    let listing = read(CatalogueShape::Data, &many).unwrap();
    assert_eq!((listing.entries.len(), listing.total), (MOST_LISTED, MOST_LISTED + 7));
}

proptest! {
    #[test]
    fn cuts_do_not_matter(
        ids in proptest::collection::vec("[a-z:/]{1,12}", 0..8),
        size in 1_usize..20,
    ) {
        let data: Vec<_> = ids.iter().map(|id| serde_json::json!({ "id": id, "context_length": 7 })).collect();
        let body = serde_json::json!({ "data": data }).to_string();
        let mut scan = ListingScan::new(CatalogueShape::Data, None);
        for piece in body.as_bytes().chunks(size) {
            scan.push(piece).unwrap();
        }
        let listing = scan.finish().unwrap();
        prop_assert_eq!(listing.entries.iter().map(|entry| entry.id.clone()).collect::<Vec<_>>(), ids);
        prop_assert!(listing.entries.iter().all(|entry| entry.context == Some(7)));
    }
}
