//! An issuer for tests: what it publishes, and what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::peer::{self, Peer, path};

/// By path: status, lines of the head, body.
type Pages = BTreeMap<String, (u16, String, String)>;

/// Answers with the page of the path; 304 where the request has its entity tag, 404 where there is
/// none.
pub(super) struct Issuer {
    pub(super) peer: Peer,
    pages: Arc<Mutex<Pages>>,
}

impl Issuer {
    pub(super) async fn start() -> Self {
        let pages = Arc::<Mutex<Pages>>::default();
        let shown = Arc::clone(&pages);
        let answer = move |asked: &str| answer(shown.lock().unwrap().get(path(asked)), asked);
        let peer = Peer::start(answer).await;
        Self { peer, pages }
    }

    /// `head` is lines with their ends.
    pub(super) fn put(&self, path: &str, (status, head): (u16, &str), body: &str) {
        let page = (status, head.to_owned(), body.to_owned());
        self.pages.lock().unwrap().insert(path.to_owned(), page);
    }
}

fn answer(page: Option<&(u16, String, String)>, asked: &str) -> String {
    let Some((status, head, body)) = page else {
        return peer::answer((404, ""), "");
    };
    let tag = head.strip_prefix("etag: ").map(str::trim_end);
    if tag.is_some_and(|tag| asked.contains(&format!("if-none-match: {tag}\r\n"))) {
        return "HTTP/1.1 304 x\r\n\r\n".to_owned();
    }
    peer::answer((*status, head), body)
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
