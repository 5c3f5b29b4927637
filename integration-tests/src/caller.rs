//! A caller that sends the bytes it is told to and reports the answer line by line.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::target::chunk_bytes;
use crate::wait::within;
use crate::wire::{Framing, Head, Part, Wire};

/// Longer than every timeout a test provokes on purpose.
const ANSWER: Duration = Duration::from_secs(70);

/// A request as a list of lines.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub lines: Vec<(String, Vec<u8>)>,
    pub body: Bytes,
}

impl Request {
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            lines: Vec::new(),
            body: Bytes::new(),
        }
    }

    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// Adds a header line; never replaces one.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.lines.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Sets the body and declares its length.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.with("content-length", length)
    }

    /// Sets the body without declaring its length: one chunk for each piece.
    #[must_use]
    pub fn chunks<P: AsRef<[u8]>>(mut self, pieces: &[P]) -> Self {
        let mut body = Vec::new();
        for piece in pieces {
            body.extend_from_slice(&chunk_bytes(piece.as_ref()));
        }
        body.extend_from_slice(b"0\r\n\r\n");
        self.body = body.into();
        self.with("transfer-encoding", "chunked")
    }

    fn has(&self, name: &str) -> bool {
        self.lines
            .iter()
            .any(|(found, _)| found.eq_ignore_ascii_case(name))
    }

    /// The bytes that go out; a `host` line is added when there is none.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.path).into_bytes();
        if !self.has("host") {
            bytes.extend_from_slice(b"host: gateway.test\r\n");
        }
        for (name, value) in &self.lines {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// An answer as it came.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub status: u16,
    pub head: Head,
    /// The 1xx heads before the final one.
    pub interim: Vec<u16>,
    pub body: Vec<u8>,
    pub trailers: Head,
    /// The body ended the way its framing promised.
    pub complete: bool,
}

impl Reply {
    /// The value of a header that must be there exactly once.
    pub fn header(&self, name: &str) -> Result<String> {
        let mut all = self.head.all(name);
        match (all.pop(), all.len()) {
            (Some(value), 0) => Ok(value),
            (Some(_), more) => bail!("{} lines of `{name}` in {:?}", more + 1, self.head),
            (None, _) => bail!("no `{name}` in {:?}", self.head),
        }
    }

    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {}", self.text()))
    }

    /// The member `code` of a gateway-made error; empty when it is not one.
    pub fn code(&self) -> String {
        let json = self.json().unwrap_or_default();
        json.get("code")
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One connection to a gateway.
#[derive(Debug)]
pub struct Connection {
    wire: Wire<TcpStream>,
}

impl Connection {
    pub async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("connect {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            wire: Wire::new(stream),
        })
    }

    /// Opens a connection for a call whose body is sent in two parts, and sends the head and the
    /// first; the gateway has looked at the head when this returns.
    pub async fn begin(address: &str, head: Request, parts: [&[u8]; 2]) -> Result<Self> {
        let [first, second] = parts;
        let length = (first.len() + second.len()).to_string();
        let head = head
            .with("content-length", length)
            .with("expect", "100-continue");
        let mut connection = Self::open(address).await?;
        connection.send(&head.bytes()).await?;
        let asked = connection.any_head().await?;
        ensure!(asked.word(1) == "100", "{asked:?} instead of 100");
        connection.send(first).await?;
        Ok(connection)
    }

    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.wire.send(bytes).await.context("send")
    }

    /// Sends a request and reads its answer.
    pub async fn call(&mut self, request: &Request) -> Result<Reply> {
        // A refusal may close the connection before a long body is out; the answer counts.
        let sent = self.wire.send(&request.bytes()).await;
        match self.answer(&request.method).await? {
            Some(reply) => Ok(reply),
            None => bail!("closed without an answer ({sent:?})"),
        }
    }

    /// The next final answer, or `None` when the connection closed instead.
    pub async fn answer(&mut self, method: &str) -> Result<Option<Reply>> {
        within(ANSWER, "an answer", async {
            let Some(mut reply) = self.answer_head().await? else {
                return Ok(None);
            };
            let mut framing = body_of(method, &reply);
            reply.complete = loop {
                match self.wire.part(&mut framing).await? {
                    Part::Data(data) => reply.body.extend_from_slice(&data),
                    Part::End(trailers) => {
                        reply.trailers = trailers;
                        break true;
                    }
                    Part::Cut => break false,
                }
            };
            Ok(Some(reply))
        })
        .await
    }

    /// The head of the next answer that is not 1xx (101 is final).
    pub async fn answer_head(&mut self) -> Result<Option<Reply>> {
        let mut reply = Reply::default();
        loop {
            let Some(head) = self.wire.head().await? else {
                return Ok(None);
            };
            let status = head
                .word(1)
                .parse()
                .with_context(|| format!("status of {head:?}"))?;
            if (100..200).contains(&status) && status != 101 {
                reply.interim.push(status);
                continue;
            }
            reply.status = status;
            reply.head = head;
            return Ok(Some(reply));
        }
    }

    /// The next head, also a 1xx one.
    pub async fn any_head(&mut self) -> Result<Head> {
        let head = within(ANSWER, "a head", self.wire.head()).await?;
        head.context("closed before a head")
    }

    /// The next part of a body that is read piecemeal.
    pub async fn part(&mut self, framing: &mut Framing) -> Result<Part> {
        within(ANSWER, "a part of the body", self.wire.part(framing)).await
    }

    pub fn into_wire(self) -> Wire<TcpStream> {
        self.wire
    }
}

fn body_of(method: &str, reply: &Reply) -> Framing {
    if method == "HEAD" || matches!(reply.status, 101 | 204 | 304) {
        Framing::Length(0)
    } else {
        reply.head.framing(Framing::UntilClose)
    }
}

/// One request over a connection of its own.
pub async fn call(address: &str, request: &Request) -> Result<Reply> {
    Connection::open(address).await?.call(request).await
}
