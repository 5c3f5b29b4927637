//! An issuer for tests: what it publishes, and what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// By path: status, lines of the head, body.
type Pages = BTreeMap<String, (u16, String, String)>;

/// Answers with the page of the path; 304 where the request has its entity tag, 404 where there is
/// none.
pub(super) struct Issuer {
    pub(super) url: String,
    pages: Arc<Mutex<Pages>>,
    seen: watch::Receiver<Vec<String>>,
    /// It answers while this is true.
    pub(super) gate: watch::Sender<bool>,
    /// Ends with it.
    _serving: JoinSet<()>,
}

impl Issuer {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let pages = Arc::<Mutex<Pages>>::default();
        let (noted, seen) = watch::channel(Vec::new());
        let gate = watch::Sender::new(true);
        let mut serving = JoinSet::new();
        let (shown, mut opened) = (Arc::clone(&pages), gate.subscribe());
        serving.spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut asked = vec![0; 16_384];
                let read = stream.read(&mut asked).await.unwrap();
                let asked = String::from_utf8(asked[..read].to_vec()).unwrap();
                let path = asked.split(' ').nth(1).unwrap().to_owned();
                noted.send_modify(|seen| seen.push(path.clone()));
                opened.wait_for(|is_open| *is_open).await.unwrap();
                let answer = answer(shown.lock().unwrap().get(&path), &asked);
                // Whoever asked may have had enough.
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self {
            url,
            pages,
            seen,
            gate,
            _serving: serving,
        }
    }

    /// `head` is lines with their ends.
    pub(super) fn put(&self, path: &str, (status, head): (u16, &str), body: &str) {
        let page = (status, head.to_owned(), body.to_owned());
        self.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    /// The paths that were asked for.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.borrow().clone()
    }

    pub(super) async fn asked(&self, times: usize) {
        let mut seen = self.seen.clone();
        seen.wait_for(|seen| seen.len() >= times).await.unwrap();
    }
}

fn answer(page: Option<&(u16, String, String)>, asked: &str) -> String {
    let Some((status, head, body)) = page else {
        return "HTTP/1.1 404 x\r\ncontent-length: 0\r\n\r\n".to_owned();
    };
    let tag = head.strip_prefix("etag: ").map(str::trim_end);
    if tag.is_some_and(|tag| asked.contains(&format!("if-none-match: {tag}\r\n"))) {
        return "HTTP/1.1 304 x\r\n\r\n".to_owned();
    }
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\n{head}content-length: {length}\r\n\r\n{body}")
}

/// An Ed25519 key of that `kid`, as JSON.
pub(super) fn jwk(kid: &str) -> serde_json::Value {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    serde_json::json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid})
}

/// A set of such keys.
pub(super) fn jwks(kids: &[&str]) -> String {
    let keys: Vec<_> = kids.iter().map(|kid| jwk(kid)).collect();
    serde_json::json!({"keys": keys}).to_string()
}
