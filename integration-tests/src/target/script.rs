//! What a target does with a request, step by step.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::Recorded;
use crate::wire::{Framing, Part, Stream, Wire};

const FILLER: [u8; 16 * 1024] = [b'.'; 16 * 1024];

/// What the target does, in order.
#[derive(Clone, Debug)]
pub enum Step {
    Send(Bytes),
    /// Sends that many filler bytes.
    Filler(u64),
    /// Sends the same bytes that many times.
    Repeat(Bytes, u64),
    /// Waits until the test opens the gate once for each arrival.
    Wait(Gate),
    /// Opens a gate at which the test waits.
    Open(Gate),
    /// Sends back what comes until the peer closes.
    Echo,
    /// Closes without a word; by reset when the target was started with [`Style::Abrupt`].
    Close,
}

/// A script and when it starts.
#[derive(Clone, Debug)]
pub enum Script {
    /// When the request is complete.
    AfterRequest(Vec<Step>),
    /// As soon as the head is there.
    AfterHead(Vec<Step>),
}

/// Holds a script until the test lets it go on.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Semaphore>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }
}

impl Gate {
    /// Lets one waiting step pass, now or later.
    pub fn open(&self) {
        self.0.add_permits(1);
    }

    /// Waits until it was opened, once for each time it was.
    pub async fn pass(&self) {
        if let Ok(permit) = self.0.acquire().await {
            permit.forget();
        }
    }
}

/// A complete answer with its length, keeping the connection.
pub fn respond(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Script {
    let mut all = headers.to_vec();
    let length = body.len().to_string();
    all.push(("content-length", &length));
    let mut bytes = head_bytes(status, &all);
    bytes.extend_from_slice(body);
    Script::AfterRequest(vec![Step::Send(bytes.into())])
}

/// An answer that gives back the request's body.
pub fn echo_body(request: &Recorded) -> Script {
    respond(
        "200 OK",
        &[("content-type", "application/octet-stream")],
        &request.body,
    )
}

/// A response head and its end.
pub fn head_bytes(status: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// A head as a step.
pub fn head(status: &str, headers: &[(&str, &str)]) -> Step {
    Step::Send(head_bytes(status, headers).into())
}

/// Bytes as a step.
pub fn send(bytes: impl Into<Bytes>) -> Step {
    Step::Send(bytes.into())
}

/// One chunk of a chunked body as a step.
pub fn chunk(data: &str) -> Step {
    send(format!("{:x}\r\n{data}\r\n", data.len()))
}

/// Bytes that need not be text as one chunk.
pub fn chunk_bytes(data: &[u8]) -> Bytes {
    let size = format!("{:x}\r\n", data.len());
    [size.as_bytes(), data, b"\r\n"].concat().into()
}

/// Runs a script; gives the connection back when it is still usable.
pub(super) async fn play<S: Stream>(mut wire: Wire<S>, steps: Vec<Step>) -> Option<Wire<S>> {
    for step in steps {
        match step {
            Step::Send(bytes) => wire.send(&bytes).await.ok()?,
            Step::Filler(length) => fill(&mut wire, length).await?,
            Step::Repeat(bytes, times) => {
                for _ in 0..times {
                    wire.send(&bytes).await.ok()?;
                }
            }
            Step::Wait(gate) => gate.pass().await,
            Step::Open(gate) => gate.open(),
            Step::Echo => {
                echo(wire).await;
                return None;
            }
            Step::Close => return None,
        }
    }
    Some(wire)
}

async fn fill<S: Stream>(wire: &mut Wire<S>, mut left: u64) -> Option<()> {
    while left > 0 {
        let length = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(FILLER.len());
        wire.send(FILLER.get(..length)?).await.ok()?;
        left -= length as u64;
    }
    Some(())
}

async fn echo<S: Stream>(mut wire: Wire<S>) {
    let mut framing = Framing::UntilClose;
    while let Ok(Part::Data(data)) = wire.part(&mut framing).await {
        if wire.send(&data).await.is_err() {
            return;
        }
    }
}
