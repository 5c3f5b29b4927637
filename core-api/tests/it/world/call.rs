//! One call, and its answer with everything that holds for all answers checked.

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Builder;
use http::{HeaderMap, Method, Request};
use serde_json::Value;
use tower::ServiceExt;

use super::Who;

/// Words that no error text may hold: where it runs, on what, and how it broke.
const INTERNALS: [&str; 12] = [
    "sqlx",
    "sqlite",
    "postgres",
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "panicked",
    ".rs:",
    "/src/",
    "/tmp/",
    "constraint",
    "stack backtrace",
];

/// A call that has not been sent.
pub(crate) struct Call {
    app: Router,
    request: Builder,
    body: Body,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Null when there is none or it is no JSON.
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Call {
    pub(crate) fn new(app: Router, method: Method, path: &str) -> Self {
        let request = Request::builder().method(method).uri(path);
        Self {
            app,
            request,
            body: Body::empty(),
        }
    }

    /// With the token of `who`.
    pub(crate) fn by(mut self, who: Who) -> Self {
        self.request.headers_mut().unwrap().remove(AUTHORIZATION);
        match who.token() {
            Some(token) => self.header("Authorization", token),
            None => self,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string())
    }

    pub(crate) fn bytes(mut self, content_type: &str, body: impl Into<Body>) -> Self {
        self.request.headers_mut().unwrap().remove(CONTENT_TYPE);
        self.body = body.into();
        self.header("Content-Type", content_type)
    }

    /// Sends it; its body is still to be read.
    pub(crate) async fn begin(self) -> Response {
        let request = self.request.body(self.body).unwrap();
        self.app.oneshot(request).await.unwrap()
    }

    pub(crate) async fn send(self) -> Answer {
        let what = format!(
            "{:?} {:?}",
            self.request.method_ref(),
            self.request.uri_ref()
        );
        let is_head = self.request.method_ref() == Some(&Method::HEAD);
        let answer = self.page().await;
        if answer.status >= 400 && !is_head {
            answer.check_error(&what);
        }
        answer
    }

    /// Sends it to a route whose refusals are pages.
    pub(crate) async fn page(self) -> Answer {
        let request = self.request.body(self.body).unwrap();
        let response = self.app.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Answer {
            status,
            headers,
            body,
            text,
        }
    }
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The fields of all details, in order.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let details = self.body["details"].as_array().unwrap();
        details
            .iter()
            .map(|detail| detail["field"].as_str().unwrap())
            .collect()
    }

    /// Checks status and code at once.
    pub(crate) fn expect(&self, status: u16, code: &str) -> &Self {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        self
    }

    /// One shape, one content type, no internals.
    fn check_error(&self, what: &str) {
        let object = self
            .body
            .as_object()
            .unwrap_or_else(|| panic!("{what}: {}", self.text));
        let mut names: Vec<_> = object.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["code", "details", "error", "status"], "{what}");
        assert_eq!(object["status"], self.status, "{what}");
        assert_eq!(self.header("content-type"), "application/json", "{what}");
        let code = self.code();
        assert!(code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') && !code.is_empty());
        for detail in object["details"].as_array().unwrap() {
            assert!(
                detail["field"].is_string() && detail["problem"].is_string(),
                "{what}"
            );
        }
        assert_ne!(self.status, 500, "{what}: {}", self.text);
        for word in INTERNALS {
            assert!(!self.text.contains(word), "{what}: {}", self.text);
        }
    }
}
