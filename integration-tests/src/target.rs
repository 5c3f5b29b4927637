//! A target that records exactly what it received and answers by script.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

pub mod answer;
mod script;

use script::play;
pub use script::{
    Gate, Script, Step, chunk, chunk_bytes, echo_body, head, head_bytes, respond, send,
};

use crate::wait;
use crate::wire::{Framing, Head, Part, Stream, Wire};

/// Bodies are counted in full and kept up to this length.
const KEPT_BODY: usize = 1 << 20;

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

    /// The same, keeping only the newest request, for tests that send very many.
    pub async fn unrecorded() -> Result<Self> {
        Ok(Self::start().await?.keeping_newest())
    }

    /// From now on only the request decided on last is kept, and those still to decide on.
    #[must_use]
    pub fn keeping_newest(self) -> Self {
        self.records.keep_newest();
        self
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

#[derive(Clone, Default)]
struct Records(Arc<Mutex<Log>>);

#[derive(Default)]
struct Log {
    requests: BTreeMap<usize, Recorded>,
    received: usize,
    only_newest: bool,
    decided: Option<usize>,
}

impl Records {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_newest(&self) {
        self.log().only_newest = true;
    }

    fn all(&self) -> Vec<Recorded> {
        self.log().requests.values().cloned().collect()
    }

    fn push(&self, record: Recorded) -> usize {
        let mut log = self.log();
        let index = log.received;
        log.received += 1;
        log.requests.insert(index, record);
        index
    }

    fn change(&self, index: usize, change: impl FnOnce(&mut Recorded)) {
        if let Some(record) = self.log().requests.get_mut(&index) {
            change(record);
        }
    }

    fn get(&self, index: usize) -> Recorded {
        self.log().requests.get(&index).cloned().unwrap_or_default()
    }

    /// What to answer is known; perhaps the one that this holds of until now is forgotten.
    fn decided(&self, index: usize) {
        let mut log = self.log();
        let before = log.decided.replace(index);
        if let (true, Some(before)) = (log.only_newest, before) {
            log.requests.remove(&before);
        }
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
            records.decided(index);
            let Some(kept) = play(wire, steps).await else {
                return;
            };
            wire = kept;
            receive(&mut wire, &mut framing, records, index).await;
        } else {
            receive(&mut wire, &mut framing, records, index).await;
            let (Script::AfterRequest(steps) | Script::AfterHead(steps)) =
                handler(&records.get(index));
            records.decided(index);
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
