//! Content codings (RFC 9110 §8.4) taken off a body as it arrives.
//!
//! What a body decodes to is handed out in bounded pieces and counted: one that decodes to far more
//! than it weighs costs no memory, and no more time than its cap allows.

mod brotli;
mod decoder;
mod deflate;
mod gzip;
mod stage;
mod zstd;

pub use self::decoder::Decoder;
use crate::{
    effort::Effort,
    holding::{Pool, Share},
    memory::{self, NoMemory},
    shares::Holder,
};

/// More codings than this are nobody's honest response.
const MAX_CODINGS: usize = 2;

/// The codings of a body, in the order in which they were applied. None of them is the identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coding(Vec<Format>);

/// One coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Gzip,
    /// By its definition zlib's format; bare DEFLATE is what some servers send.
    Deflate,
    Brotli,
    Zstd,
}

/// `Content-Encoding` names a coding that we do not know, or too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the content coding is unknown")]
pub struct UnknownCoding;

/// A body that does not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Its coding is one that we cannot take off.
    #[error(transparent)]
    UnknownCoding(#[from] UnknownCoding),
    /// It is not in its coding's format, or something follows its end.
    #[error("the body is not valid in its content coding")]
    Corrupt,
    /// It ends too early.
    #[error("the body ends before its content coding does")]
    Truncated,
    /// It decodes to more than its cap.
    #[error("the body decodes to more than is allowed")]
    TooLarge,
    /// There is nothing left of the memory that its holder may take, or none at all.
    #[error(transparent)]
    NoMemory(#[from] NoMemory),
}

impl Coding {
    /// Parses the value of `Content-Encoding`; without the header, parse the empty value.
    pub fn parse(header_value: &[u8]) -> Result<Self, UnknownCoding> {
        let mut formats = Vec::new();
        for name in header_value.split(|&byte| byte == b',') {
            let name = name.trim_ascii();
            // Lists may have empty elements (RFC 9110 §5.6.1.2).
            if name.is_empty() || name.eq_ignore_ascii_case(b"identity") {
                continue;
            }
            formats.push(Format::named(name)?);
        }
        if formats.len() > MAX_CODINGS {
            return Err(UnknownCoding);
        }
        Ok(Self(formats))
    }

    /// No coding at all.
    pub fn identity() -> Self {
        Self(Vec::new())
    }

    /// Whether the body is sent as it is.
    pub fn is_identity(&self) -> bool {
        self.0.is_empty()
    }
}

impl Format {
    fn named(name: &[u8]) -> Result<Self, UnknownCoding> {
        let formats = [
            (&b"gzip"[..], Self::Gzip),
            // Means the same (RFC 9110 §8.4.1.3).
            (b"x-gzip", Self::Gzip),
            (b"deflate", Self::Deflate),
            (b"br", Self::Brotli),
            (b"zstd", Self::Zstd),
        ];
        let found = formats
            .iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known));
        found.map(|(_, format)| *format).ok_or(UnknownCoding)
    }
}

/// What is taken of a body between two rests.
const PART_BYTES: usize = 64 << 10;

/// Decodes a whole body with these codings, of which there is one at least, for an effort in turns.
/// What that takes is the holder's, if there is one.
pub(crate) async fn decode_in_turns(
    (coding, holder): (&Coding, Option<Holder>),
    body: &[u8],
    max_decoded_bytes: usize,
    effort: &mut Effort,
) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = Decoder::new(coding, stage::count(max_decoded_bytes)).of(holder);
    let mut room = holder.map(|holder| Share::new(Pool::Responses, holder));
    let mut content = Vec::new();
    for part in body.chunks(PART_BYTES) {
        let mut rest = part;
        while let Some(piece) = decoder.decode_within(&mut rest, effort)? {
            memory::extend(&mut content, piece)?;
            if let Some(room) = &mut room {
                room.set(content.capacity()).map_err(|_| NoMemory)?;
            }
            effort.rest().await;
        }
        effort.rest().await;
    }
    decoder.finish()?;
    Ok(content)
}

#[cfg(test)]
pub(crate) mod tests;
