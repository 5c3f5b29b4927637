//! Any body in any coding decodes or fails: within its cap, without a panic, and the same in any
//! chunks.

use requestrocket_policy::coding::{Coding, DecodeError, Decoder};

const CODINGS: [&[u8]; 8] = [
    b"gzip",
    b"deflate",
    b"br",
    b"zstd",
    b"gzip, br",
    b"zstd, gzip",
    b"deflate, zstd",
    b"",
];
const MAX_BYTES: usize = 256 * 1024;

fn decode(coding: &Coding, body: &[u8], chunk_bytes: usize) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = Decoder::new(coding, MAX_BYTES as u64);
    let mut content = Vec::new();
    for mut chunk in body.chunks(chunk_bytes) {
        while let Some(piece) = decoder.decode(&mut chunk)? {
            assert!(piece.len() <= 64 * 1024, "a piece is too long");
            content.extend_from_slice(piece);
        }
        assert!(chunk.is_empty(), "a part of the body was not taken");
    }
    decoder.finish()?;
    Ok(content)
}

/// The first byte says which coding, the second how long the chunks are.
pub(crate) fn run(data: &[u8]) {
    let Some((&[coding, chunk_bytes], body)) = data.split_first_chunk() else {
        return;
    };
    let coding = CODINGS[usize::from(coding) % CODINGS.len()];
    let coding = Coding::parse(coding).expect("a known coding");
    let at_once = decode(&coding, body, usize::MAX);
    let chunked = decode(&coding, body, 1 + usize::from(chunk_bytes));
    // Which of two faults is seen first depends on the chunks.
    assert!(
        at_once.as_ref().ok() == chunked.as_ref().ok(),
        "chunks change the content"
    );
    if let Ok(content) = at_once {
        assert!(content.len() <= MAX_BYTES, "over the cap");
    }
}
