//! A target that records exactly what it received and answers by script.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::wait;
use crate::wire::{Framing, Head, Part, Stream, Wire};

/// Bodies are counted in full and kept up to this length.
const KEPT_BODY: usize = 1 << 20;
const FILLER: [u8; 16 * 1024] = [b'.'; 16 * 1024];

/// One request as the target saw it; grows while the body arrives.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    pub head: Head,
    /// Everything that came over the connection for this request, up to a megabyte.
    pub bytes: Vec<u8>,
    pub body: Vec<u8>,
    pub body_length: u64,
    pub trailers: Head,
    /// The request was received to its end.
    pub complete: bool,
    /// Which connection it came over, counted from 0.
    pub connection: usize,
    /// The name the caller asked for in the TLS handshake.
    pub sni: Option<String>,
}

impl Recorded {
    pub fn method(&self) -> &str {
        self.head.word(0)
    }

    /// The request target, byte for byte.
    pub fn path(&self) -> &str {
        self.head.word(1)
    }
}

/// What the target does, in order.
#[derive(Clone, Debug)]
pub enum Step {
    Send(Bytes),
    /// Sends that many filler bytes.
    Filler(u64),
    /// Waits until the test opens the gate once for each arrival.
    Wait(Gate),
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

    async fn pass(&self) {
        if let Ok(permit) = self.0.acquire().await {
            permit.forget();
        }
    }
}

/// How the target treats its connections.
#[derive(Clone)]
#[expect(
    missing_debug_implementations,
    reason = "a TLS acceptor cannot be printed"
)]
pub enum Style {
    Plain,
    /// Every close is a reset.
    Abrupt,
    Tls(TlsAcceptor),
}

type Handler = Arc<dyn Fn(&Recorded) -> Script + Send + Sync>;

/// A running target; ends when dropped.
pub struct Target {
    pub address: SocketAddr,
    records: Records,
    _tasks: JoinSet<()>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Target {
    /// A target that answers every request with 200 and `{"ok":true}`.
    pub async fn start() -> Result<Self> {
        Self::answering(|_| {
            respond(
                "200 OK",
                &[("content-type", "application/json")],
                b"{\"ok\":true}",
            )
        })
        .await
    }

    /// A plain target with a script for each request.
    pub async fn answering(
        handler: impl Fn(&Recorded) -> Script + Send + Sync + 'static,
    ) -> Result<Self> {
        Self::with_style(Style::Plain, handler).await
    }

    pub async fn with_style(
        style: Style,
        handler: impl Fn(&Recorded) -> Script + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("bind target")?;
        let address = listener.local_addr()?;
        let records = Records::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, style, records.clone(), Arc::new(handler)));
        Ok(Self {
            address,
            records,
            _tasks: tasks,
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `https://localhost:PORT`, a name that can be verified.
    pub fn https_url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.records.all()
    }

    pub fn count(&self) -> usize {
        self.records.all().len()
    }

    /// The newest request.
    pub fn last(&self) -> Result<Recorded> {
        self.records
            .all()
            .pop()
            .context("the target received no request")
    }

    /// Waits for a request of which `wanted` holds.
    pub async fn wait_for(
        &self,
        what: &str,
        wanted: impl Fn(&Recorded) -> bool,
    ) -> Result<Recorded> {
        wait::until(what, || async {
            Ok(self.requests().into_iter().find(&wanted))
        })
        .await
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

#[derive(Clone, Default)]
struct Records(Arc<Mutex<Vec<Recorded>>>);

impl Records {
    fn all(&self) -> Vec<Recorded> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn push(&self, record: Recorded) -> usize {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.push(record);
        records.len() - 1
    }

    fn change(&self, index: usize, change: impl FnOnce(&mut Recorded)) {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(record) = records.get_mut(index) {
            change(record);
        }
    }

    fn get(&self, index: usize) -> Recorded {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.get(index).cloned().unwrap_or_default()
    }
}

async fn accept(listener: TcpListener, style: Style, records: Records, handler: Handler) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    while let Ok((socket, _)) = listener.accept().await {
        connections.spawn(connection(
            socket,
            style.clone(),
            records.clone(),
            handler.clone(),
            number,
        ));
        number += 1;
    }
}

async fn connection(
    socket: TcpStream,
    style: Style,
    records: Records,
    handler: Handler,
    number: usize,
) {
    let mut blank = Recorded {
        connection: number,
        ..Recorded::default()
    };
    match style {
        Style::Plain => serve(socket, blank, &records, &handler).await,
        Style::Abrupt => {
            if socket.set_zero_linger().is_ok() {
                serve(socket, blank, &records, &handler).await;
            }
        }
        Style::Tls(acceptor) => {
            // A refused handshake is what some tests are about; there is nothing to record.
            if let Ok(stream) = acceptor.accept(socket).await {
                blank.sni = stream.get_ref().1.server_name().map(str::to_owned);
                serve(stream, blank, &records, &handler).await;
            }
        }
    }
}

async fn serve<S: Stream>(stream: S, blank: Recorded, records: &Records, handler: &Handler) {
    let mut wire = Wire::new(stream);
    while let Ok(Some(head)) = wire.head().await {
        let record = Recorded {
            head,
            bytes: wire.take_seen(),
            ..blank.clone()
        };
        let mut framing = record.head.framing(Framing::Length(0));
        let index = records.push(record);
        if let Script::AfterHead(steps) = handler(&records.get(index)) {
            let Some(kept) = play(wire, steps).await else {
                return;
            };
            wire = kept;
            receive(&mut wire, &mut framing, records, index).await;
        } else {
            receive(&mut wire, &mut framing, records, index).await;
            let (Script::AfterRequest(steps) | Script::AfterHead(steps)) =
                handler(&records.get(index));
            let Some(kept) = play(wire, steps).await else {
                return;
            };
            wire = kept;
        }
    }
}

async fn receive<S: Stream>(
    wire: &mut Wire<S>,
    framing: &mut Framing,
    records: &Records,
    index: usize,
) {
    while let Ok(part) = wire.part(framing).await {
        let seen = wire.take_seen();
        let more = matches!(part, Part::Data(_));
        records.change(index, |record| record.add(&seen, part));
        if !more {
            return;
        }
    }
}

impl Recorded {
    fn add(&mut self, seen: &[u8], part: Part) {
        if self.bytes.len() < KEPT_BODY {
            self.bytes.extend_from_slice(seen);
        }
        match part {
            Part::Data(data) => {
                self.body_length += data.len() as u64;
                if self.body.len() < KEPT_BODY {
                    self.body.extend_from_slice(&data);
                }
            }
            Part::End(trailers) => {
                self.trailers = trailers;
                self.complete = true;
            }
            Part::Cut => {}
        }
    }
}

/// Runs a script; gives the connection back when it is still usable.
async fn play<S: Stream>(mut wire: Wire<S>, steps: Vec<Step>) -> Option<Wire<S>> {
    for step in steps {
        match step {
            Step::Send(bytes) => wire.send(&bytes).await.ok()?,
            Step::Filler(length) => fill(&mut wire, length).await?,
            Step::Wait(gate) => gate.pass().await,
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
