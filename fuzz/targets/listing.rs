//! A whole list of LLMs: cuts do not matter, and what comes out is bounded and clean, and agrees with the scan that looks
//! for one of them. The first byte is the size of the pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pilotlight::probe::wire::ScanFault;
use pilotlight::probe::wire::catalogue::CatalogueScan;
use pilotlight::probe::wire::listing::{Listing, ListingScan, MOST_LISTED};
use pilotlight::target::CatalogueShape;

fn read(shape: CatalogueShape, body: &[u8], size: usize) -> Result<Listing, ScanFault> {
    let mut scan = ListingScan::new(shape, Some("models/"));
    body.chunks(size).try_for_each(|piece| scan.push(piece))?;
    scan.finish()
}

fuzz_target!(|input: &[u8]| {
    let Some((size, body)) = input.split_first() else { return };
    for shape in [CatalogueShape::Data, CatalogueShape::OllamaTags] {
        let whole = read(shape, body, body.len().max(1));
        assert_eq!(whole, read(shape, body, usize::from(*size).max(1)));
        let mut other = CatalogueScan::new(shape, "hf:zai-org/GLM-4.6", Some("models/"));
        let found = other.push(body).and_then(|()| other.finish());
        assert_eq!(whole.is_ok(), found.is_ok());
        let Ok(listing) = whole else { continue };
        assert!(listing.entries.len() <= MOST_LISTED && listing.entries.len() <= listing.total);
        for entry in &listing.entries {
            assert!(!entry.id.is_empty() && !entry.id.contains(char::is_control) && entry.id.chars().count() <= 200);
            let prices = [entry.input_usd_per_million, entry.output_usd_per_million];
            assert!(prices.into_iter().flatten().all(|price| (0.0..=10_000.0).contains(&price)));
        }
    }
});
