//! URLs that the region calls: token endpoints and the like.

use std::net::IpAddr;

use serde_json::Value;

use crate::form::{
    fields::string,
    problem::{Fault, Invalid},
};

/// Of a URL.
pub const MAX_URL_BYTES: usize = 2_048;

/// An absolute http or https URL with a host, without user info and fragment.
///
/// Whether its address may be called is judged where it is saved, for a literal one, and always
/// where the connection is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
    host: String,
}

impl Endpoint {
    /// Reads a URL.
    ///
    /// # Errors
    /// `INVALID_URL`
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let invalid = |text: &str| Err(Invalid::new(Fault::InvalidUrl, text));
        if raw.len() > MAX_URL_BYTES {
            return invalid("must be at most 2048 bytes long");
        }
        let is_clean = raw
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\\<>\"`{}|^#".contains(&byte));
        if !is_clean {
            return invalid("must not hold blanks, a fragment or characters that need escaping");
        }
        let Some((scheme, rest)) = raw.split_once("://") else {
            return invalid("must be an absolute http or https URL");
        };
        if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
            return invalid("must begin with http:// or https://");
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return invalid("must not have userinfo");
        }
        match host_of(authority) {
            Some(host) => Ok(Self {
                url: raw.to_owned(),
                host: host.to_owned(),
            }),
            None => invalid("must have a host, and a port from 1 to 65535 or none"),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Whether it is called by https.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        let scheme = self.url.split(':').next();
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
    }

    /// Name or address, the latter without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The address, where the URL has one for a host.
    #[must_use]
    pub fn literal(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

/// As [`Endpoint::parse`], of a member.
///
/// # Errors
/// `INVALID_URL`; another type.
pub fn endpoint(value: &Value) -> Result<Endpoint, Invalid> {
    Endpoint::parse(&string(value)?)
}

fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, after)
        }
        None => match authority.find(':') {
            Some(at) => authority.split_at(at),
            None => (authority, ""),
        },
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    let has_port = port.strip_prefix(':').is_some_and(is_port);
    let is_name = |host: &str| {
        host.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let is_host = authority.starts_with('[') || (is_name(host) && (1..=253).contains(&host.len()));
    (is_host && (port.is_empty() || has_port)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_one_host_and_nothing_else() {
        for (raw, want) in [
            ("https://a.example/token?tenant=1", Some("a.example")),
            ("HTTP://10.0.0.1:8080", Some("10.0.0.1")),
            ("https://[::1]:1/x", Some("::1")),
            ("https://[::1", None),
            ("https://[x]/", None),
            ("https://", None),
            ("https:///x", None),
            ("https://a:0/", None),
            ("https://a:65536/", None),
            ("https://a:/", None),
            ("https://user@a/", None),
            ("https://a/#x", None),
            ("https://a/ b", None),
            ("https://a/{secret.x}", None),
            ("ftp://a/", None),
            ("a/b", None),
            ("https://ä.example/", None),
        ] {
            let got = Endpoint::parse(raw).ok();
            assert_eq!(got.as_ref().map(Endpoint::host), want, "{raw}");
        }
    }

    #[test]
    fn a_literal_address_is_seen() {
        let literal = |raw: &str| Endpoint::parse(raw).unwrap().literal();
        assert_eq!(literal("http://127.0.0.1/x"), "127.0.0.1".parse().ok());
        assert_eq!(literal("http://[fe80::1]:8/x"), "fe80::1".parse().ok());
        assert_eq!(literal("http://localhost/"), None);
    }

    #[test]
    fn tls_is_told_by_the_scheme() {
        for (raw, want) in [("HTTPS://a/", true), ("http://https:1/", false)] {
            assert_eq!(Endpoint::parse(raw).unwrap().is_tls(), want, "{raw}");
        }
    }
}
