//! `/app`: the dashboard's files, which the feature `dashboard` builds into the program, each also
//! compressed. Without the feature there are none and `/app` is an unknown path. `/docs` is one of
//! them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get};
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::etag::{IfNoneMatch, Tag};
use crate::error::ApiError;

/// Pages run and load what this origin serves and nothing else; nobody shows them in a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
/// As [`POLICY`], and for Swagger UI: what becomes markup goes through a sanitiser, and its icons are
/// in its styles.
const REFERENCE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types default dompurify 'allow-duplicates'";
/// The reference of the API.
const REFERENCE: &str = "docs.html";
/// What every view of the dashboard begins with.
const PAGE: &str = "index.html";
/// Names below hold a digest of what is in them.
const HASHED: &str = "assets/";
/// Best first; the name's end that the build gives such a file.
const CODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

#[cfg(feature = "dashboard")]
#[derive(rust_embed::RustEmbed)]
#[folder = "../dashboard/dist"]
struct Built;

/// One form of a file, and how it is told apart.
#[derive(Debug)]
struct Form {
    coding: Option<&'static str>,
    tag: Tag,
    bytes: Bytes,
}

/// Every file's forms by its path, the most compressed first.
#[derive(Debug, Default)]
struct Files(BTreeMap<String, Vec<Form>>);

/// The dashboard, if it was built in.
pub(super) fn router() -> Router {
    let files = Files::of(built());
    if files.0.is_empty() {
        return Router::new();
    }
    let files = Arc::new(files);
    let (first, rest) = (Arc::clone(&files), files);
    Router::new()
        .route("/app", get(async || Redirect::permanent("/app/")))
        .route(
            "/app/",
            get(async move |tag: IfNoneMatch, headers: HeaderMap| first.answer("", &tag, &headers)),
        )
        .route(
            "/app/{*path}",
            get(
                async move |Path(path): Path<String>, tag: IfNoneMatch, headers: HeaderMap| {
                    rest.answer(&path, &tag, &headers)
                },
            ),
        )
}

/// `/docs` with scripts, if it was built in.
pub(super) fn docs<S: Clone + Send + Sync + 'static>() -> Option<MethodRouter<S>> {
    let files = Arc::new(Files::of(built()));
    files.0.contains_key(REFERENCE).then(|| {
        get(async move |tag: IfNoneMatch, headers: HeaderMap| {
            files.answer(REFERENCE, &tag, &headers)
        })
    })
}

#[cfg(feature = "dashboard")]
fn built() -> Vec<(String, Cow<'static, [u8]>)> {
    let file = |path: Cow<'static, str>| Built::get(&path).map(|it| (path.into_owned(), it.data));
    Built::iter().filter_map(file).collect()
}

#[cfg(not(feature = "dashboard"))]
fn built() -> Vec<(String, Cow<'static, [u8]>)> {
    Vec::new()
}

impl Files {
    fn of(built: Vec<(String, Cow<'static, [u8]>)>) -> Self {
        let mut files: BTreeMap<String, Vec<Form>> = BTreeMap::new();
        for (path, content) in built {
            let coded =
                |(coding, end): (&'static str, &str)| Some((coding, path.strip_suffix(end)?));
            let found = CODINGS.into_iter().find_map(coded);
            let coding = found.map(|(coding, _)| coding);
            let name = found.map_or(path.as_str(), |(_, name)| name).to_owned();
            let bytes = match content {
                Cow::Borrowed(content) => Bytes::from_static(content),
                Cow::Owned(content) => content.into(),
            };
            let tag = Tag::of_content(&bytes);
            files
                .entry(name)
                .or_default()
                .push(Form { coding, tag, bytes });
        }
        for forms in files.values_mut() {
            forms.sort_by_key(|form| form.bytes.len());
        }
        Self(files)
    }

    /// The file at a path below `/app/`; what is no file is a view, which the page itself shows.
    fn answer(&self, path: &str, known: &IfNoneMatch, headers: &HeaderMap) -> Response {
        let name = if self.0.contains_key(path) || path.starts_with(HASHED) {
            path
        } else {
            PAGE
        };
        let accepted = |form: &&Form| form.coding.is_none_or(|coding| accepts(headers, coding));
        let form = self
            .0
            .get(name)
            .and_then(|forms| forms.iter().find(accepted));
        form.map_or_else(
            || ApiError::not_found().into_response(),
            |form| form.response(name, known),
        )
    }
}

impl Form {
    fn response(&self, name: &str, known: &IfNoneMatch) -> Response {
        let mut response = if known.0.is_fresh(&self.tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Body::from(self.bytes.clone()).into_response()
        };
        let lasting = if name.starts_with(HASHED) {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        let policy = if name == REFERENCE {
            REFERENCE_POLICY
        } else {
            POLICY
        };
        let headers = response.headers_mut();
        for (header, value) in [
            (CONTENT_TYPE, media_type(name)),
            (CACHE_CONTROL, lasting),
            (VARY, "accept-encoding"),
            (CONTENT_SECURITY_POLICY, policy),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
            (OPENER_POLICY, "same-origin"),
        ] {
            headers.insert(header, HeaderValue::from_static(value));
        }
        if let Some(coding) = self.coding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        if let Some(tag) = self.tag.header() {
            headers.insert(ETAG, tag);
        }
        response
    }
}

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// `Accept-Encoding` names it, and not to refuse it (RFC 9110 §12.5.3).
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter();
    let text = lines.filter_map(|line| line.to_str().ok());
    let mut items = text.flat_map(|line| line.split(','));
    items.any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        let is_refused = weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0);
        name.trim().eq_ignore_ascii_case(coding) && !is_refused
    })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
