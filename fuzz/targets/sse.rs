//! A stream of events: cuts do not matter, and sizes stay bounded. The first byte is the size of the pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pilotlight::probe::wire::sse::{LIMIT, LineTooLong, SseDecoder, SseItem};

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<(String, String)>, Result<(), LineTooLong>) {
    let mut items = Vec::new();
    let mut each = |item: SseItem<'_>| match item {
        SseItem::Event { name, data } => {
            // Bad UTF-8 grows when it is replaced: one byte becomes three.
            assert!(data.len() <= LIMIT && name.len() <= 3 * LIMIT);
            items.push((name.to_owned(), data.to_owned()));
        }
        SseItem::Comment => items.push((":".to_owned(), String::new())),
    };
    let mut decoder = SseDecoder::new();
    let mut pieces = pieces;
    let result = pieces.try_for_each(|piece| decoder.push(piece, &mut each));
    decoder.finish(&mut each);
    (items, result)
}

fuzz_target!(|input: &[u8]| {
    let Some((size, stream)) = input.split_first() else { return };
    assert_eq!(read(stream.chunks(usize::from(*size).max(1))), read(std::iter::once(stream)));
});
