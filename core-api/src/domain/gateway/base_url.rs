//! The base URL of a target.

use std::fmt;

use ipnet::IpNet;
use url::{Host, Url};

use super::address;
use requestrocket_policy::form::problem::{Fault, Invalid};

const MAX_BYTES: usize = 2048;

/// Scheme, host, optional port, optional path.
///
/// Invariant: http or https, a host, neither userinfo, query nor fragment; a literal address is
/// in its canonical form and was allowed when the URL was saved. Without a path it has no slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Reads and judges a URL that a caller wants to save.
    ///
    /// # Errors
    /// `INVALID_URL` or `ADDRESS_NOT_ALLOWED`.
    pub fn parse(raw: &str, allowed: &[IpNet]) -> Result<Self, Invalid> {
        let invalid = |text: &str| Invalid::new(Fault::InvalidUrl, text);
        if raw.len() > MAX_BYTES {
            return Err(invalid("must be at most 2048 bytes long"));
        }
        // The parser drops or repairs these; what is saved must be what is called.
        let is_clean = raw.bytes().all(|b| {
            b.is_ascii_graphic()
                && !matches!(
                    b,
                    b'\\' | b'<' | b'>' | b'"' | b'`' | b'{' | b'}' | b'|' | b'^'
                )
        });
        if !is_clean {
            return Err(invalid(
                "must not hold spaces, control bytes, backslashes or characters that need escaping",
            ));
        }
        let url = Url::parse(raw).map_err(|_| invalid("must be an absolute http or https URL"))?;
        check_parts(raw, &url)?;
        if let Some(address) = address::literal(&url)
            && !address::is_allowed(address, allowed)
        {
            return Err(Invalid::new(
                Fault::AddressNotAllowed,
                "names an address that targets may not have",
            ));
        }
        Ok(Self(canonical(raw, &url)))
    }

    /// Takes a URL out of the store.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_parts(raw: &str, url: &Url) -> Result<(), Invalid> {
    let invalid = |text: &str| Err(Invalid::new(Fault::InvalidUrl, text));
    if !matches!(url.scheme(), "http" | "https") || after_scheme(raw).is_none() {
        return invalid("must begin with http:// or https://");
    }
    let authority =
        // The text is judged, because `Url` repairs much of what is wrong (`http:///host`).
        after_scheme(raw).map_or("", |rest| rest.split(['/', '?', '#']).next().unwrap_or(""));
    if authority.is_empty() || authority.starts_with(':') || url.host().is_none() {
        return invalid("must have a host");
    }
    // `Url` forgets an empty one.
    if authority.contains('@') {
        return invalid("must not have userinfo");
    }
    if raw.contains(['?', '#']) {
        return invalid("must not have a query or fragment");
    }
    // `Url` forgets an empty port.
    if url.port() == Some(0) || authority.ends_with(':') {
        return invalid("must have a port from 1 to 65535, or none");
    }
    if let Some(Host::Domain(name)) = url.host()
        && !is_host_name(name)
    {
        return invalid("must have a host of letters, digits, dashes and dots");
    }
    if is_ambiguous(raw_path(raw)) {
        return invalid("must not have `.` or `..` segments, plain or encoded, in its path");
    }
    Ok(())
}

fn after_scheme(raw: &str) -> Option<&str> {
    let (scheme, rest) = raw.split_once("://")?;
    let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    is_http.then_some(rest)
}

fn raw_path(raw: &str) -> &str {
    let rest = after_scheme(raw).unwrap_or_default();
    rest.find('/')
        .and_then(|at| rest.get(at..))
        .unwrap_or_default()
}

fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    name.len() <= 253
        && name
            .strip_suffix('.')
            .unwrap_or(name)
            .split('.')
            .all(is_label)
}

/// A segment that some server could read as climbing.
fn is_ambiguous(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    // To some a backslash is a slash, and NUL the end.
    if lower.contains("%5c") || lower.contains("%00") {
        return true;
    }
    let mut decoded = lower;
    // Servers decode more than once.
    loop {
        let next = decoded
            .replace("%25", "%")
            .replace("%2e", ".")
            .replace("%2f", "/");
        if next == decoded {
            break;
        }
        decoded = next;
    }
    let mut segments = decoded
        .split('/')
        // Servlet containers drop what follows `;` before they climb (`/..;/`).
        .map(|segment| segment.split(';').next().unwrap_or_default());
    segments.any(|segment| matches!(segment, "." | ".."))
}

/// Scheme and host as every reader spells them, the path byte for byte.
fn canonical(raw: &str, url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let path = raw_path(raw);
    let path = if path == "/" { "" } else { path };
    format!("{}://{host}{port}{path}", url.scheme())
}

#[cfg(test)]
mod tests;
