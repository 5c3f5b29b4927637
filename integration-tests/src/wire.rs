//! HTTP/1.1 as bytes: reads heads, bodies and trailers without interpreting anything else.
//!
//! Both ends of a test use it, the hostile caller and the recording target, because a real
//! HTTP library would repair or refuse what these tests are about.

use std::io;

use anyhow::{Context, Result, bail};
use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// No head of these tests is longer; a peer that never ends its head fails here.
const LONGEST_HEAD: usize = 1 << 20;
/// A [`Wire`] remembers this many of the bytes it read.
const MEMORY: usize = 1 << 20;

/// Anything a connection can be made of.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

/// The start line and header lines, as they came.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub start_line: String,
    pub lines: Vec<(String, Vec<u8>)>,
}

impl Head {
    /// The values of every line of that name, in order.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.lines
            .iter()
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    /// The first value of that name.
    pub fn first(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }

    /// Part `index` of the start line, split at spaces.
    pub fn word(&self, index: usize) -> &str {
        self.start_line.splitn(3, ' ').nth(index).unwrap_or("")
    }

    /// How the body behind this head is delimited; `open_ended` when nothing says so.
    pub fn framing(&self, open_ended: Framing) -> Framing {
        let coded = self.first("transfer-encoding").unwrap_or_default();
        if coded.to_ascii_lowercase().contains("chunked") {
            return Framing::Chunked;
        }
        let length = self.first("content-length");
        length
            .and_then(|text| text.trim().parse().ok())
            .map_or(open_ended, Framing::Length)
    }

    fn parse(raw: &[u8]) -> Self {
        let mut lines = raw.split(|byte| *byte == b'\n').map(without_cr);
        let start_line = String::from_utf8_lossy(lines.next().unwrap_or(b"")).into_owned();
        Self {
            start_line,
            lines: lines.filter(|line| !line.is_empty()).map(header).collect(),
        }
    }
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn header(line: &[u8]) -> (String, Vec<u8>) {
    let mut halves = line.splitn(2, |byte| *byte == b':');
    let name = String::from_utf8_lossy(halves.next().unwrap_or(b"")).into_owned();
    (name, halves.next().unwrap_or(b"").trim_ascii().to_vec())
}

/// How much of a body is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// The next part of a body.
#[derive(Debug)]
pub enum Part {
    Data(Bytes),
    /// The end; with the trailers, when the body was chunked.
    End(Head),
    /// The connection ended before the body did.
    Cut,
}

/// A connection with the bytes that were read too far.
#[derive(Debug)]
pub struct Wire<S> {
    stream: S,
    pending: BytesMut,
    seen: Vec<u8>,
}

impl<S: Stream> Wire<S> {
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            pending: BytesMut::new(),
            seen: Vec::new(),
        }
    }

    /// The bytes read since the last time this was asked.
    pub fn take_seen(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.seen)
    }

    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// The stream and what was read of it but not used.
    pub fn into_parts(self) -> (S, Bytes) {
        (self.stream, self.pending.freeze())
    }

    /// The next head, or `None` when the peer closed (or reset) before it was complete.
    pub async fn head(&mut self) -> Result<Option<Head>> {
        loop {
            if let Some(end) = find(&self.pending, b"\r\n\r\n") {
                let raw = self.pending.split_to(end + 4);
                return Ok(Some(Head::parse(&raw)));
            }
            if self.pending.len() > LONGEST_HEAD {
                bail!("a head of more than {LONGEST_HEAD} bytes");
            }
            if self.fill().await.unwrap_or(0) == 0 {
                return Ok(None);
            }
        }
    }

    /// The next part of a body; a reset counts as a cut.
    pub async fn part(&mut self, framing: &mut Framing) -> Result<Part> {
        match framing {
            Framing::Length(0) => Ok(Part::End(Head::default())),
            Framing::Length(left) => match self.some(*left).await {
                Some(data) => {
                    *left -= data.len() as u64;
                    Ok(Part::Data(data))
                }
                None => Ok(Part::Cut),
            },
            Framing::UntilClose => match self.fill_if_empty().await {
                Ok(true) => Ok(Part::Data(self.pending.split().freeze())),
                Ok(false) => Ok(Part::End(Head::default())),
                Err(_) => Ok(Part::Cut),
            },
            Framing::Chunked => self.chunk().await,
        }
    }

    async fn chunk(&mut self) -> Result<Part> {
        let Some(line) = self.line().await else {
            return Ok(Part::Cut);
        };
        let digits = line.split(';').next().unwrap_or("").trim();
        let size = usize::from_str_radix(digits, 16)
            .with_context(|| format!("chunk size `{}`", digits.escape_debug()))?;
        if size == 0 {
            return Ok(self.trailers().await.map_or(Part::Cut, Part::End));
        }
        while self.pending.len() < size + 2 {
            if self.fill().await.unwrap_or(0) == 0 {
                return Ok(Part::Cut);
            }
        }
        let data = self.pending.split_to(size).freeze();
        self.pending.advance(2);
        Ok(Part::Data(data))
    }

    async fn trailers(&mut self) -> Option<Head> {
        let mut trailers = Head::default();
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Some(trailers);
            }
            trailers.lines.push(header(line.as_bytes()));
        }
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = find(&self.pending, b"\r\n") {
                let line = self.pending.split_to(end);
                self.pending.advance(2);
                return Some(String::from_utf8_lossy(&line).into_owned());
            }
            if self.fill().await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    async fn some(&mut self, at_most: u64) -> Option<Bytes> {
        if !self.fill_if_empty().await.unwrap_or(false) {
            return None;
        }
        let length = usize::try_from(at_most).unwrap_or(usize::MAX);
        let length = length.min(self.pending.len());
        Some(self.pending.split_to(length).freeze())
    }

    async fn fill_if_empty(&mut self) -> io::Result<bool> {
        Ok(!self.pending.is_empty() || self.fill().await? > 0)
    }

    async fn fill(&mut self) -> io::Result<usize> {
        let before = self.pending.len();
        self.pending.reserve(16 * 1024);
        let read = self.stream.read_buf(&mut self.pending).await?;
        let room = MEMORY.saturating_sub(self.seen.len());
        let fresh = self.pending.get(before..).unwrap_or(&[]);
        self.seen
            .extend_from_slice(fresh.get(..room.min(fresh.len())).unwrap_or(&[]));
        Ok(read)
    }
}

/// Where `needle` starts in `hay`.
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|part| part == needle)
}
