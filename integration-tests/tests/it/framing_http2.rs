//! From HTTP/2: nothing that HTTP/2 can carry becomes a line of the HTTP/1.1 request behind.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::gateway::{Gateway, Proxy};
use requestrocket_integration_tests::target::Target;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::expect;

type Field = (Vec<u8>, Vec<u8>);

const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
const END_STREAM_AND_HEADERS: u8 = 0x5;

fn field(name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Field {
    (name.into(), value.into())
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// A literal without indexing and without Huffman coding: the bytes go out as they are.
fn literal((name, value): &Field) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        // A length of 7 bits, and the rest in a continuation byte or two.
        let length = text.len();
        if length < 127 {
            bytes.push(u8::try_from(length).unwrap_or(0));
        } else {
            bytes.push(127);
            let mut rest = length - 127;
            while rest >= 128 {
                bytes.push(u8::try_from(rest % 128).unwrap_or(0) | 128);
                rest /= 128;
            }
            bytes.push(u8::try_from(rest).unwrap_or(0));
        }
        bytes.extend_from_slice(text);
    }
    bytes
}

/// Sends one request and waits for the frame that ends it: an answer, a reset or a goodbye.
async fn outcome(address: &str, fields: &[Field]) -> Result<u8> {
    let mut stream = TcpStream::connect(address).await?;
    let block: Vec<u8> = fields.iter().flat_map(literal).collect();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    bytes.extend(frame(HEADERS, END_STREAM_AND_HEADERS, 1, &block));
    stream.write_all(&bytes).await?;
    loop {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).await.is_err() {
            return Ok(GOAWAY);
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length)?];
        stream.read_exact(&mut payload).await?;
        if matches!(head[3], HEADERS | RST_STREAM | GOAWAY) {
            return Ok(head[3]);
        }
    }
}

fn good(proxy: &Proxy) -> Vec<Field> {
    vec![
        field(":method", "GET"),
        field(":scheme", "http"),
        field(":path", proxy.path("/outer")),
        field(":authority", "gateway.test"),
        field("authorization", proxy.authorization.as_str()),
    ]
}

/// Ordinary fields that no HTTP/1.1 line can carry.
fn hostile_fields() -> Vec<(&'static str, Vec<Field>)> {
    let one = |name: &str, value: &str| vec![field(name, value)];
    vec![
        ("CRLF in a value", one("x-a", "1\r\nx-smuggled: 1")),
        ("LF in a value", one("x-a", "1\nx-smuggled: 1")),
        ("CR in a value", one("x-a", "1\rx-smuggled: 1")),
        ("NUL in a value", one("x-a", "1\0x-smuggled: 1")),
        ("CRLF in a name", one("x-a: 1\r\nx-smuggled", "1")),
        ("colon in a name", one("x-smuggled: 1", "1")),
        ("space in a name", one("x smuggled", "1")),
        ("upper case in a name", one("X-Smuggled", "1")),
        ("an empty name", one("", "smuggled")),
        ("transfer-encoding", one("transfer-encoding", "chunked")),
        ("a length without a body", one("content-length", "5")),
        (
            "two lengths",
            [one("content-length", "0"), one("content-length", "5")].concat(),
        ),
        (
            "connection",
            [one("connection", "x-smuggled"), one("x-smuggled", "1")].concat(),
        ),
    ]
}

/// Pseudo-fields that would break out of the request line.
fn hostile_pseudo_fields(proxy: &Proxy) -> Vec<(&'static str, Vec<Field>)> {
    let (path, smuggled) = (proxy.path("/a"), proxy.path("/smuggled"));
    let line = |text: &str| format!("{text}\r\nx-smuggled: 1");
    let whole = format!("{path} HTTP/1.1\r\nhost: x\r\n\r\nGET {smuggled}");
    let two = |name: &str, first: &str, second: &str| vec![field(name, first), field(name, second)];
    vec![
        ("a request in the path", vec![field(":path", whole)]),
        ("CRLF in the path", vec![field(":path", line(&path))]),
        (
            "space in the path",
            vec![field(":path", format!("{smuggled} HTTP/1.1"))],
        ),
        (
            "a request in the method",
            vec![field(":method", format!("GET {smuggled} HTTP/1.1\r\nx:"))],
        ),
        (
            "CRLF in the authority",
            vec![field(":authority", line("g"))],
        ),
        ("CRLF in the scheme", vec![field(":scheme", line("http"))]),
        ("two paths", two(":path", &path, &smuggled)),
        ("two methods", two(":method", "GET", "SMUGGLED")),
        ("a pseudo-field of our own", vec![field(":smuggled", "1")]),
        (
            "a late pseudo-field",
            vec![field("x-a", "1"), field(":path", smuggled)],
        ),
        ("an empty path", vec![field(":path", "")]),
        ("a path without a slash", vec![field(":path", "smuggled")]),
    ]
}

/// The good request with fields in place of those of the same name, or behind all others.
fn with(good: Vec<Field>, changes: &[Field]) -> Vec<Field> {
    let mut fields: Vec<Field> = good
        .into_iter()
        .filter(|(name, _)| !changes.iter().any(|(other, _)| other == name))
        .collect();
    // Pseudo-headers stand in front, unless lateness is the point.
    let front = changes.iter().all(|(name, _)| name.starts_with(b":"));
    let at = if front { 0 } else { fields.len() };
    fields.splice(at..at, changes.iter().cloned());
    fields
}

#[tokio::test]
async fn http2_fields_never_become_lines_of_http1() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    ensure!(
        outcome(&gateway.address, &good(&proxy)).await? == HEADERS,
        "the good request failed"
    );
    ensure!(
        target.last()?.path() == "/outer",
        "the good request did not arrive"
    );
    for (name, changes) in hostile_fields()
        .into_iter()
        .chain(hostile_pseudo_fields(&proxy))
    {
        let before = target.count();
        let fields = with(good(&proxy), &changes);
        let ended = outcome(&gateway.address, &fields)
            .await
            .with_context(|| name.to_owned())?;
        for seen in target.requests().into_iter().skip(before) {
            let text = String::from_utf8_lossy(&seen.bytes).to_ascii_lowercase();
            ensure!(
                !text.contains("smuggled"),
                "{name} ({ended}): the target received {text}"
            );
            ensure!(seen.body.is_empty(), "{name}: the target received a body");
        }
        expect::ok(&gateway.call(&proxy.get("/after")).await?).with_context(|| name.to_owned())?;
    }
    Ok(())
}
