//! HTTP/2 on both sides of the gateway.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use bytes::Bytes;
use h2::{RecvStream, SendStream, client, server};
use http::{HeaderMap, Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::wire::Stream;

/// An answer over HTTP/2.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub trailers: HeaderMap,
}

/// One request over an HTTP/2 connection of its own, with prior knowledge and without TLS.
pub async fn call(address: &str, request: Request<()>, body: Bytes) -> Result<Reply> {
    let stream = TcpStream::connect(address).await?;
    call_over(stream, request, body).await
}

/// The same over any connection.
pub async fn call_over<S: Stream>(stream: S, request: Request<()>, body: Bytes) -> Result<Reply> {
    let mut call = Call::open_over(stream, request, body.is_empty()).await?;
    if !body.is_empty() {
        call.send(body, true)?;
    }
    call.reply().await
}

/// A request whose body is sent piece by piece.
#[derive(Debug)]
pub struct Call {
    upload: SendStream<Bytes>,
    response: client::ResponseFuture,
    _driver: JoinSet<()>,
}

impl Call {
    /// Sends the head, over a connection of its own.
    pub async fn open(address: &str, request: Request<()>) -> Result<Self> {
        Self::open_over(TcpStream::connect(address).await?, request, false).await
    }

    async fn open_over<S: Stream>(stream: S, request: Request<()>, is_end: bool) -> Result<Self> {
        let (sender, connection) = client::handshake(stream).await?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // The request reports what went wrong; the connection only has to be driven.
            let _ = connection.await;
        });
        let mut sender = sender.ready().await?;
        let (response, upload) = sender.send_request(request, is_end)?;
        Ok(Self {
            upload,
            response,
            _driver: driver,
        })
    }

    /// Sends the next piece.
    pub fn send(&mut self, piece: Bytes, is_end: bool) -> Result<()> {
        Ok(self.upload.send_data(piece, is_end)?)
    }

    /// What comes back.
    pub async fn reply(self) -> Result<Reply> {
        let Self {
            response, _driver, ..
        } = self;
        let (parts, mut incoming) = response.await?.into_parts();
        let (body, trailers) = drain(&mut incoming).await?;
        Ok(Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
            trailers,
        })
    }
}

async fn drain(stream: &mut RecvStream) -> Result<(Vec<u8>, HeaderMap)> {
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        body.extend_from_slice(&data);
    }
    Ok((body, stream.trailers().await?.unwrap_or_default()))
}

/// What an HTTP/2 target received.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    pub uri: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub trailers: HeaderMap,
    pub sni: Option<String>,
}

/// A TLS target that speaks HTTP/2 only and gives every body back, with a trailer.
#[derive(Debug)]
pub struct Target {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    _tasks: JoinSet<()>,
}

impl Target {
    pub async fn start(acceptor: TlsAcceptor) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let received = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, acceptor, received.clone()));
        Ok(Self {
            address,
            received,
            _tasks: tasks,
        })
    }

    pub fn https_url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    pub fn last(&self) -> Result<Received> {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received
            .last()
            .cloned()
            .context("the HTTP/2 target received nothing")
    }
}

type Log = Arc<Mutex<Vec<Received>>>;

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, log: Log) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let (acceptor, log) = (acceptor.clone(), log.clone());
        connections.spawn(async move {
            // A connection that breaks shows in the caller's answer.
            let _ = serve(socket, acceptor, log).await;
        });
    }
}

async fn serve(socket: TcpStream, acceptor: TlsAcceptor, log: Log) -> Result<()> {
    let stream = acceptor.accept(socket).await?;
    let sni = stream.get_ref().1.server_name().map(str::to_owned);
    let mut connection = server::handshake(stream).await?;
    let mut streams = JoinSet::new();
    while let Some(next) = connection.accept().await {
        let (request, respond) = next?;
        streams.spawn(answer(request, respond, sni.clone(), log.clone()));
    }
    Ok(())
}

async fn answer(
    request: Request<RecvStream>,
    mut respond: server::SendResponse<Bytes>,
    sni: Option<String>,
    log: Log,
) -> Result<()> {
    let (parts, mut incoming) = request.into_parts();
    let (body, trailers) = drain(&mut incoming).await?;
    let echo = Bytes::from(body.clone());
    log.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Received {
            method: parts.method.to_string(),
            uri: parts.uri.to_string(),
            headers: parts.headers,
            body,
            trailers,
            sni,
        });
    let head = Response::builder().header("x-spoken", "h2").body(())?;
    let mut stream = respond.send_response(head, false)?;
    stream.send_data(echo, false)?;
    let mut end = HeaderMap::new();
    end.insert("x-end", "reached".parse()?);
    Ok(stream.send_trailers(end)?)
}
