//! Content codings as targets and callers use them, and as they should not.

use std::io::Write as _;

use anyhow::Result;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

/// Every coding that the gateway knows.
pub const ALL: [&str; 4] = ["gzip", "deflate", "br", "zstd"];

/// The bytes in one of the codings of [`ALL`], or as they are.
pub fn encode(coding: &str, plain: &[u8]) -> Result<Vec<u8>> {
    Ok(match coding {
        "gzip" => gzip(plain)?,
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(plain)?;
            encoder.finish()?
        }
        "br" => {
            let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
            encoder.write_all(plain)?;
            encoder.into_inner()
        }
        "zstd" => zstd::encode_all(plain, 3)?,
        _ => plain.to_vec(),
    })
}

pub fn gzip(plain: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    Ok(encoder.finish()?)
}

/// `deflate` as some old servers mean it: without zlib's head and sum.
pub fn raw_deflate(plain: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    Ok(encoder.finish()?)
}

/// A small gzip of very many bytes: `before`, then `times` mebibytes of spaces, then `after`.
pub fn bomb(before: &[u8], times: usize, after: &[u8]) -> Result<Vec<u8>> {
    repeated(before, &vec![b' '; 1 << 20], times, after)
}

/// A gzip of `before`, then `times` times `piece`, then `after`.
pub fn repeated(before: &[u8], piece: &[u8], times: usize, after: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(before)?;
    for _ in 0..times {
        encoder.write_all(piece)?;
    }
    encoder.write_all(after)?;
    Ok(encoder.finish()?)
}
