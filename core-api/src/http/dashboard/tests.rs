use http::header::IF_NONE_MATCH;

use super::*;
use crate::http::etag::Condition;

const SCRIPT: &str = "assets/a-1.js";

fn files() -> Files {
    let script = "long ".repeat(9);
    let built = [
        ("index.html", "the page"),
        ("docs.html", "the reference"),
        ("assets/a-1.js", script.as_str()),
        ("assets/a-1.js.br", "br"),
        ("assets/a-1.js.gz", "gzip"),
    ];
    let owned = |(path, text): (&str, &str)| (path.to_owned(), text.as_bytes().to_vec().into());
    Files::of(built.map(owned).into())
}

async fn ask(path: &str, known: Option<&HeaderValue>, accept: &str) -> (Response, String) {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, accept.parse().unwrap());
    let known = known.map_or(Condition::Absent, |tag| {
        Condition::Tags(vec![tag.to_str().unwrap().to_owned()])
    });
    let response = files().answer(path, &IfNoneMatch(known), &headers);
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 1_000).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    (Response::from_parts(parts, Body::empty()), text)
}

#[tokio::test]
async fn the_best_coding_that_the_browser_takes_is_sent() {
    let identity = "long ".repeat(9);
    for (accept, coding, text) in [
        ("gzip, deflate, br, zstd", Some("br"), "br"),
        ("gzip", Some("gzip"), "gzip"),
        ("br;q=0, GZIP;q=0.5", Some("gzip"), "gzip"),
        ("identity", None, identity.as_str()),
        ("br;q=0.000", None, identity.as_str()),
    ] {
        let (response, got) = ask(SCRIPT, None, accept).await;
        let header = response.headers().get(CONTENT_ENCODING);
        assert_eq!(header.map(|it| it.to_str().unwrap()), coding, "{accept}");
        assert_eq!(got, text, "{accept}");
        assert_eq!(response.headers()[VARY], "accept-encoding");
    }
}

#[tokio::test]
async fn views_are_the_page_and_missing_files_are_missing() {
    for path in ["", "index.html", "o/1/proxies", "o/x.y/targets/assets/"] {
        let (response, text) = ask(path, None, "br").await;
        assert_eq!(
            (response.status(), text.as_str()),
            (StatusCode::OK, "the page"),
            "{path}"
        );
        assert_eq!(response.headers()[CACHE_CONTROL], "no-cache");
        assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
    }
    let (response, _) = ask("assets/b-2.js", None, "br").await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    let (response, _) = ask(SCRIPT, None, "br").await;
    let tag = response.headers()[ETAG].clone();
    assert!(
        response.headers()[CACHE_CONTROL]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    let (again, text) = ask(SCRIPT, Some(&tag), "br").await;
    assert_eq!(
        (again.status(), text.as_str()),
        (StatusCode::NOT_MODIFIED, "")
    );
    // Another form of the same file is another answer.
    let (other, text) = ask(SCRIPT, Some(&tag), "gzip").await;
    assert_eq!((other.status(), text.as_str()), (StatusCode::OK, "gzip"));
    assert_ne!(other.headers()[ETAG], tag);
    assert!(!other.headers().contains_key(IF_NONE_MATCH));
}

#[tokio::test]
async fn pages_may_load_from_nowhere_else_and_be_framed_by_nobody() {
    for name in ["", REFERENCE] {
        let (response, _) = ask(name, None, "").await;
        let policy = response.headers()[CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.split("; ").any(|it| it == part), "{policy}");
        }
        assert!(
            !policy.contains("unsafe") && !policy.contains("http"),
            "{policy}"
        );
        assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
}
