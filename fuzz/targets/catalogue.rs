//! A list of LLMs, and the answer of an embedding request: cuts do not matter, and what comes out is bounded and clean.
//! The first byte is the size of the pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pilotlight::probe::wire::ScanFault;
use pilotlight::probe::wire::catalogue::{CatalogueFinding, CatalogueScan};
use pilotlight::probe::wire::embedding::{EmbeddingFinding, EmbeddingScan};
use pilotlight::target::CatalogueShape;

type Found = (Result<CatalogueFinding, ScanFault>, Result<EmbeddingFinding, ScanFault>);

fn read(shape: CatalogueShape, body: &[u8], size: usize) -> Found {
    let mut catalogue = CatalogueScan::new(shape, "hf:zai-org/GLM-4.6", Some("models/"));
    let mut embedding = EmbeddingScan::new();
    let listed = body.chunks(size).try_for_each(|piece| catalogue.push(piece));
    let vector = body.chunks(size).try_for_each(|piece| embedding.push(piece).map(|_| ()));
    (listed.and_then(|()| catalogue.finish()), vector.and_then(|()| embedding.finish()))
}

fuzz_target!(|input: &[u8]| {
    let Some((size, body)) = input.split_first() else { return };
    for shape in [CatalogueShape::Data, CatalogueShape::OllamaTags] {
        let whole = read(shape, body, body.len().max(1));
        assert_eq!(whole, read(shape, body, usize::from(*size).max(1)));
        if let Ok(found) = whole.0 {
            assert!(found.nearest.len() <= 3 && found.efforts.len() <= 16);
            let price = found.list_price.map(|price| [price.input_usd_per_million, price.output_usd_per_million]);
            assert!(price.into_iter().flatten().all(|price| (0.0..=10_000.0).contains(&price)));
            assert!(found.nearest.iter().chain(&found.efforts).all(|text| !text.contains(char::is_control)));
        }
        // Whatever our scan calls JSON, another parser calls so too, but for texts that are not UTF-8, for halves of
        // surrogate pairs, and for numbers that are too large.
        if let (Ok(_), Ok(text)) = (whole.1, std::str::from_utf8(body)) {
            let text = text.trim_start_matches('\u{feff}');
            if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
                let known = ["surrogate", "hex escape", "number out of range", "recursion limit"];
                assert!(known.iter().any(|known| error.to_string().contains(known)), "{error}: {text}");
            }
        }
    }
});
