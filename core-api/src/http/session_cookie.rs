//! The cookie of a session at a browser, and who may use it: pages of our own origin.

pub(super) mod attempt;

use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use http::header::{CACHE_CONTROL, COOKIE, ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Response};
use url::{Host, Origin, Url};

use crate::domain::people::browser_session::LIFE;
use crate::error::{ApiError, ApiResult, Code};
use crate::identity::token::{NewToken, digest};

/// With this prefix browsers take a cookie from this very host only, over TLS, for all paths
/// (RFC 6265bis, 4.1.3.2).
const SECURE: &str = "__Host-rr-session";
/// On a developer's own machine, which has no TLS.
const PLAIN: &str = "rr-session";

/// The digest of the session's cookie, if there is exactly one.
pub(super) fn presented(headers: &HeaderMap, public_url: &str) -> Option<String> {
    only(headers, name(public_url)).map(|value| digest(value.as_bytes()))
}

/// The value of the cookie with this name, if there is exactly one.
fn only(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .filter(|cookie| cookie.name() == name);
    // Of two at least one was put there by somebody else.
    match (values.next(), values.next()) {
        (Some(only), None) => Some(only.value().to_owned()),
        (None, _) | (Some(_), Some(_)) => None,
    }
}

/// Has the browser keep the session's cookie. Who reads pages cannot read it (`HttpOnly`), and it does
/// not come along with what pages elsewhere send (`SameSite`).
///
/// # Errors
/// The cookie is no header.
pub(super) fn set<B>(
    response: &mut Response<B>,
    secret: &NewToken,
    public_url: &str,
) -> ApiResult<()> {
    let life = Duration::try_from(LIFE).map_err(ApiError::internal)?;
    put(response, &cookie(secret.expose(), life, public_url))
}

/// Has the browser forget it.
///
/// # Errors
/// The cookie is no header.
pub(super) fn clear<B>(response: &mut Response<B>, public_url: &str) -> ApiResult<()> {
    put(response, &cookie("", Duration::ZERO, public_url))
}

fn put<B>(response: &mut Response<B>, cookie: &Cookie<'_>) -> ApiResult<()> {
    let value = HeaderValue::from_str(&cookie.to_string()).map_err(ApiError::internal)?;
    let headers = response.headers_mut();
    headers.append(SET_COOKIE, value);
    let no_store = HeaderValue::from_static("no-store");
    headers.insert(CACHE_CONTROL, no_store);
    Ok(())
}

fn cookie<'a>(value: &'a str, life: Duration, public_url: &str) -> Cookie<'a> {
    cookie_named((name(public_url), value), life, public_url)
}

fn cookie_named<'a>(pair: (&'static str, &'a str), life: Duration, public_url: &str) -> Cookie<'a> {
    Cookie::build(pair)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(!is_plain(public_url))
        .max_age(life)
        .build()
}

fn name(public_url: &str) -> &'static str {
    if is_plain(public_url) { PLAIN } else { SECURE }
}

/// Whether cookies are for plain HTTP too.
fn is_plain(public_url: &str) -> bool {
    Url::parse(public_url).is_ok_and(|url| is_own_machine(&url))
}

/// Refuses what a page of another origin had a browser send.
///
/// # Errors
/// `FORBIDDEN`.
pub(super) fn refuse_foreign(headers: &HeaderMap, public_url: &str) -> ApiResult<()> {
    match origin(headers) {
        Some(origin) if !fits(&origin, public_url) => Err(foreign()),
        Some(_) | None => Ok(()),
    }
}

/// Refuses a change by a cookie unless the browser says that a page of ours asks for it.
///
/// # Errors
/// `FORBIDDEN`.
pub(super) fn require_own(method: &Method, headers: &HeaderMap, public_url: &str) -> ApiResult<()> {
    let is_fitting = || origin(headers).is_some_and(|origin| fits(&origin, public_url));
    if method.is_safe() || is_fitting() {
        return Ok(());
    }
    Err(foreign())
}

fn foreign() -> ApiError {
    ApiError::new(
        Code::Forbidden,
        "`Origin` must be that of this API's public URL",
    )
}

/// What `Origin` says; of several lines, or of text that is none, an origin that fits nowhere.
fn origin(headers: &HeaderMap) -> Option<Origin> {
    let mut lines = headers.get_all(ORIGIN).iter();
    let first = lines.next()?;
    let only = first.to_str().ok().filter(|_| lines.next().is_none());
    let url = only.and_then(|text| Url::parse(text).ok());
    Some(url.map_or_else(Origin::new_opaque, |url| url.origin()))
}

fn fits(origin: &Origin, public_url: &str) -> bool {
    let Ok(own) = Url::parse(public_url) else {
        return false;
    };
    if *origin == own.origin() {
        return true;
    }
    // A person's own machine has several names.
    let Ok(other) = Url::parse(&origin.ascii_serialization()) else {
        return false;
    };
    let port = |url: &Url| url.port_or_known_default();
    is_own_machine(&own) && is_own_machine(&other) && port(&own) == port(&other)
}

/// Plain HTTP that never leaves the machine.
fn is_own_machine(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "http" && is_loopback
}

#[cfg(test)]
mod tests {
    use http::header::HeaderName;

    use super::*;

    fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn the_cookie_is_for_tls_and_this_host_except_on_ones_own_machine() {
        let secret = NewToken::with_prefix("s-").unwrap();
        for (public_url, name, is_secure) in [
            ("https://core.example", "__Host-rr-session", true),
            ("https://localhost/x", "__Host-rr-session", true),
            ("http://core.example", "__Host-rr-session", true),
            ("http://0.0.0.0:8080", "__Host-rr-session", true),
            ("http://localhost.evil.example", "__Host-rr-session", true),
            ("http://127.0.0.1:8080", "rr-session", false),
            ("http://localhost", "rr-session", false),
            ("http://[::1]:8080", "rr-session", false),
        ] {
            let mut response = Response::new(());
            set(&mut response, &secret, public_url).unwrap();
            let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
            let rest = cookie.strip_prefix(&format!("{name}={}; ", secret.expose()));
            let rest = rest.unwrap_or_default();
            let secure = if is_secure { "Secure; " } else { "" };
            let want = format!("HttpOnly; SameSite=Lax; {secure}Path=/; Max-Age=604800");
            assert_eq!(rest, want, "{public_url}");
            let sent = headers(&[(COOKIE, &format!("a=b; {name}={}", secret.expose()))]);
            assert_eq!(presented(&sent, public_url), Some(secret.digest()));
        }
    }

    #[test]
    fn one_cookie_counts_and_of_two_none() {
        let url = "https://core.example";
        for (lines, is_some) in [
            (&[][..], false),
            (&[(COOKIE, "a=b")], false),
            (&[(COOKIE, "rr-session=x")], false),
            (&[(COOKIE, "__Host-rr-session=x")], true),
            (&[(COOKIE, "a=b"), (COOKIE, "__Host-rr-session=x")], true),
            (
                &[(COOKIE, "__Host-rr-session=x; __Host-rr-session=y")],
                false,
            ),
            (
                &[
                    (COOKIE, "__Host-rr-session=x"),
                    (COOKIE, "__Host-rr-session=x"),
                ],
                false,
            ),
        ] {
            assert_eq!(
                presented(&headers(lines), url).is_some(),
                is_some,
                "{lines:?}"
            );
        }
    }

    #[test]
    fn changes_come_from_pages_of_our_own() {
        for (public_url, origin, is_own) in [
            ("https://core.example/rr", "https://core.example", true),
            ("https://core.example", "https://core.example:443", true),
            ("https://core.example", "http://core.example", false),
            ("https://core.example", "https://core.example:444", false),
            ("https://core.example", "https://core.example.evil", false),
            ("https://core.example", "https://evil.example", false),
            ("https://core.example", "null", false),
            ("https://core.example", "", false),
            ("https://core.example", "file:///x", false),
            ("http://127.0.0.1:8080", "http://localhost:8080", true),
            ("http://127.0.0.1:8080", "http://[::1]:8080", true),
            ("http://127.0.0.1:8080", "http://localhost:8081", false),
            ("http://127.0.0.1:8080", "https://localhost:8080", false),
            ("http://127.0.0.1:8080", "http://evil.example:8080", false),
            ("http://core.example:8080", "http://localhost:8080", false),
        ] {
            let sent = headers(&[(ORIGIN, origin)]);
            for (result, what) in [
                (refuse_foreign(&sent, public_url), "a sign-in"),
                (require_own(&Method::PUT, &sent, public_url), "a change"),
            ] {
                assert_eq!(result.is_ok(), is_own, "{what} {public_url} {origin}");
            }
            assert!(require_own(&Method::GET, &sent, public_url).is_ok());
        }
        let (none, url) = (HeaderMap::new(), "https://core.example");
        assert!(refuse_foreign(&none, url).is_ok());
        assert!(require_own(&Method::DELETE, &none, url).is_err());
        let twice = headers(&[(ORIGIN, url), (ORIGIN, "https://evil.example")]);
        assert!(refuse_foreign(&twice, url).is_err());
    }
}
