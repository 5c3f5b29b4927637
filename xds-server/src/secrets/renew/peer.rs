//! Somebody else's HTTP server for tests: it answers what a test says, and remembers what it was
//! asked.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// One connection after another, one request each.
pub(super) struct Peer {
    /// Without a path.
    pub(super) url: String,
    /// The requests, whole.
    pub(super) seen: watch::Receiver<Vec<String>>,
    /// It answers while this is true.
    pub(super) gate: watch::Sender<bool>,
    /// Ends with it.
    _serving: JoinSet<()>,
}

impl Peer {
    /// `answer` makes an [`answer`] of a request.
    pub(super) async fn start(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (noted, seen) = watch::channel(Vec::new());
        let gate = watch::Sender::new(true);
        let mut opened = gate.subscribe();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut asked = vec![0; 16_384];
                let read = stream.read(&mut asked).await.unwrap();
                let asked = String::from_utf8(asked[..read].to_vec()).unwrap();
                noted.send_modify(|seen| seen.push(asked.clone()));
                opened.wait_for(|is_open| *is_open).await.unwrap();
                // Whoever asked may have had enough.
                let _ = stream.write_all(answer(&asked).as_bytes()).await;
            }
        });
        Self {
            url,
            seen,
            gate,
            _serving: serving,
        }
    }

    /// Returns when it was asked so often.
    pub(super) async fn asked(&self, times: usize) {
        let mut seen = self.seen.clone();
        seen.wait_for(|seen| seen.len() >= times).await.unwrap();
    }

    pub(super) fn times(&self) -> usize {
        self.seen.borrow().len()
    }

    /// The bodies of the requests.
    pub(super) fn bodies(&self) -> Vec<String> {
        let seen = self.seen.borrow();
        let body = |asked: &String| asked.split_once("\r\n\r\n").unwrap().1.to_owned();
        seen.iter().map(body).collect()
    }

    /// The paths of the requests.
    pub(super) fn paths(&self) -> Vec<String> {
        let seen = self.seen.borrow();
        seen.iter().map(|asked| path(asked).to_owned()).collect()
    }
}

/// Of a request.
pub(super) fn path(asked: &str) -> &str {
    asked.split(' ').nth(1).unwrap()
}

/// `head` is lines with their ends.
pub(super) fn answer((status, head): (u16, &str), body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\n{head}content-length: {length}\r\n\r\n{body}")
}
