//! Which pages of other origins may call a proxy from a browser, and what they may send and read.

use serde::{Deserialize, Serialize};

use crate::domain::guard::meter::is_header_name;
use requestrocket_policy::form::problem::Invalid;

/// Stands for every origin, or every header, and alone.
pub const ANY: &str = "*";
/// Origins, and headers of either list, that a proxy names at most.
pub const MAX_NAMES: usize = 100;
/// `maxAgeSeconds`: a day.
pub const LARGEST_MAX_AGE_SECONDS: u64 = 86_400;
/// `maxAgeSeconds` when it is left out.
pub const DEFAULT_MAX_AGE_SECONDS: u32 = 600;
/// `allowedHeaders` when they are left out: what a call needs that has a credential and a JSON body.
pub const DEFAULT_ALLOWED_HEADERS: [&str; 2] = ["authorization", "content-type"];
const MAX_ORIGIN_BYTES: usize = 256;
/// A list of as many as there may be, with every `%` written twice, fits into the 16 KiB that Envoy
/// takes as a header's value.
const MAX_HEADER_BYTES: usize = 64;

/// `proxyCors` with every default filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cors {
    /// Not empty; `*` stands alone, and never beside `allow_credentials`.
    pub allowed_origins: Vec<String>,
    /// `*` stands alone.
    pub allowed_headers: Vec<String>,
    /// Besides those of the gateway.
    pub exposed_headers: Vec<String>,
    /// Pages may send what the browser knows of the proxy's host.
    pub allow_credentials: bool,
    /// How long a browser may remember a preflight's answer.
    pub max_age_seconds: u32,
}

/// An origin as browsers say it, one whose first label is `*`, or `*`.
///
/// # Errors
/// It could never be an origin: another scheme, a path, upper case, a port that the scheme implies.
pub fn origin(raw: &str) -> Result<String, Invalid> {
    if raw == ANY || is_origin(raw) {
        return Ok(raw.to_owned());
    }
    Err(Invalid::value(
        "must be `*`, or an origin as browsers send it, such as `https://app.example.com` or \
         `https://*.example.com`",
    ))
}

/// The name of a header.
///
/// # Errors
/// It is none.
pub fn header(raw: &str) -> Result<String, Invalid> {
    if raw != ANY && raw.len() <= MAX_HEADER_BYTES && is_header_name(raw) {
        return Ok(raw.to_owned());
    }
    Err(Invalid::value(
        "must be the name of a header, of at most 64 bytes",
    ))
}

/// The name of a header, or `*`.
///
/// # Errors
/// It is neither.
pub fn header_or_any(raw: &str) -> Result<String, Invalid> {
    if raw == ANY {
        return Ok(raw.to_owned());
    }
    header(raw)
}

fn is_origin(raw: &str) -> bool {
    let (implied, rest) = match raw.split_once("://") {
        Some(("http", rest)) => ("80", rest),
        Some(("https", rest)) => ("443", rest),
        _ => return false,
    };
    let (host, port) = match rest.split_once(':') {
        None => (rest, None),
        Some((host, port)) => (host, Some(port)),
    };
    let host = host.strip_prefix("*.").unwrap_or(host);
    raw.len() <= MAX_ORIGIN_BYTES
        && host.split('.').all(is_label)
        && port.is_none_or(|port| port != implied && is_port(port))
}

fn is_label(label: &str) -> bool {
    let is_legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&label.len())
        && label.bytes().all(is_legal)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn is_port(port: &str) -> bool {
    !port.starts_with('0')
        && port.bytes().all(|b| b.is_ascii_digit())
        && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_origin() {
        for good in [
            "*",
            "https://app.example.com",
            "https://*.example.com",
            "http://localhost:3000",
            "http://127.0.0.1:8080",
            "https://example.com:80",
        ] {
            assert!(origin(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "null",
            "app.example.com",
            "https://",
            "https://*",
            "https://*.",
            "https://a.*.example.com",
            "https://*app.example.com",
            "https://app.example.com/",
            "https://App.example.com",
            "https://app.example.com:443",
            "http://app.example.com:80",
            "https://app.example.com:",
            "https://app.example.com:0",
            "https://app.example.com:65536",
            "https://user@example.com",
            "https://a..b",
            "https://-a.example.com",
            "ftp://example.com",
            "https://a.example.com https://b.example.com",
        ] {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn any_header_is_no_header() {
        assert!(header_or_any("*").is_ok() && header_or_any("X-A").is_ok());
        assert!(header("*").is_err() && header("a b").is_err() && header("").is_err());
    }
}
