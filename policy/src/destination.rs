//! The hosts that a target credential may be given to.
//!
//! The one reader and the one comparison: the Core API refuses what does not fit when it is saved,
//! and the region gives a credential to no other target, whatever it was told.

use std::{fmt, str::FromStr};

/// `api.example.com`, or `*.example.com` for every host below it.
///
/// Invariant: lower case, at most 255 bytes, without a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPattern(Box<str>);

/// The hosts that a credential may be given to, as somebody else's texts say; without any, all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    texts: Vec<String>,
    /// Those of them that are of a kind that this version knows.
    patterns: Vec<HostPattern>,
}

/// Not a host, and not every host below one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a host such as `api.example.com`, or `*.example.com` for every host below it")]
pub struct InvalidHostPattern;

// As text: 255 bytes in a DNS message (RFC 1035 §2.3.4), with lengths and root.
const MAX_HOST_BYTES: usize = 253;

impl HostPattern {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it means every host below a single label, such as `*.com`.
    #[must_use]
    pub fn is_too_wide(&self) -> bool {
        let parent = self.0.strip_prefix("*.");
        parent.is_some_and(|parent| !parent.contains('.'))
    }

    /// Whether the host is meant, however its letters are spelt and with its final dot or without.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        let Some(parent) = self.0.strip_prefix("*.") else {
            return host.eq_ignore_ascii_case(&self.0);
        };
        let split = host.len().checked_sub(parent.len());
        let split = split.and_then(|at| host.split_at_checked(at));
        split.is_some_and(|(below, tail)| {
            tail.eq_ignore_ascii_case(parent) && below.ends_with('.') && below.len() > 1
        })
    }
}

impl AllowedHosts {
    /// A text of a kind that this version does not know means no host.
    #[must_use]
    pub fn read(texts: Vec<String>) -> Self {
        let patterns = texts.iter().filter_map(|text| text.parse().ok()).collect();
        Self { texts, patterns }
    }

    /// As they were said.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Whether the host is one of them.
    #[must_use]
    pub fn contain(&self, host: &str) -> bool {
        // Without a pattern every host is meant, which unknown texts must not come to.
        let is_any_known = self.texts.is_empty() || !self.patterns.is_empty();
        is_any_known && is_allowed(&self.patterns, host)
    }
}

/// Whether a credential with these patterns may go to the host; without any it may go anywhere.
#[must_use]
pub fn is_allowed(patterns: &[HostPattern], host: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(host))
}

impl FromStr for HostPattern {
    type Err = InvalidHostPattern;

    fn from_str(raw: &str) -> Result<Self, InvalidHostPattern> {
        let host = raw.strip_prefix("*.").unwrap_or(raw);
        let is_host = host.len() <= MAX_HOST_BYTES && host.split('.').all(is_label);
        if is_host || is_ipv6(raw) {
            Ok(Self(raw.to_ascii_lowercase().into()))
        } else {
            Err(InvalidHostPattern)
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As hosts of targets are read.
fn is_label(label: &str) -> bool {
    let is_legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (1..=63).contains(&label.len()) && label.bytes().all(is_legal)
}

/// In the spelling that URLs have: others would match nothing.
fn is_ipv6(raw: &str) -> bool {
    let inner = raw.strip_prefix('[').and_then(|raw| raw.strip_suffix(']'));
    let address = inner.and_then(|inner| inner.parse::<std::net::Ipv6Addr>().ok());
    address.is_some_and(|address| inner == Some(address.to_string().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_pattern() {
        let longest = format!("*.{}", ["a"; 127].join("."));
        for good in [
            "api.example.com",
            "*.example.com",
            "localhost",
            "a_b.example",
            "127.0.0.1",
            "[::1]",
            &longest,
        ] {
            assert!(good.parse::<HostPattern>().is_ok(), "{good}");
        }
        let longer = format!("*.{}", ["a"; 128].join("."));
        for bad in [
            "",
            "*",
            "*.",
            "a.*.com",
            "*a.com",
            "a..b",
            "a.com.",
            "a.com:443",
            "https://a.com",
            "a.com/",
            "a b",
            "ä.com",
            "[::1",
            "[0:0:0:0:0:0:0:1]",
            "::1",
            &longer,
        ] {
            assert_eq!(bad.parse::<HostPattern>(), Err(InvalidHostPattern), "{bad}");
        }
    }

    #[test]
    fn which_hosts_a_pattern_means() {
        for (pattern, host, want) in [
            ("api.example.com", "api.example.com", true),
            ("API.example.com", "api.Example.com.", true),
            ("api.example.com", "xapi.example.com", false),
            ("api.example.com", "a.api.example.com", false),
            ("*.example.com", "api.example.com", true),
            ("*.example.com", "a.b.EXAMPLE.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("*.example.com", "badexample.com", false),
            ("*.example.com", "example.com.evil.org", false),
            ("*.example.com", "", false),
            ("[::1]", "[::1]", true),
        ] {
            let pattern: HostPattern = pattern.parse().unwrap();
            assert_eq!(pattern.matches(host), want, "{pattern} {host}");
        }
    }

    #[test]
    fn what_is_too_wide() {
        for (pattern, want) in [
            ("*.com", true),
            ("*.localhost", true),
            ("*.example.com", false),
            ("com", false),
            ("[::1]", false),
        ] {
            let pattern: HostPattern = pattern.parse().unwrap();
            assert_eq!(pattern.is_too_wide(), want, "{pattern}");
        }
    }

    #[test]
    fn what_is_not_known_means_no_host() {
        for (texts, want) in [
            (&[][..], true),
            (&["a.com"], true),
            (&["a.*", "*.a.com", "A.com"], true),
            (&["a.*"], false),
            (&["b.com"], false),
        ] {
            let hosts = AllowedHosts::read(texts.iter().map(|&text| text.to_owned()).collect());
            assert_eq!(hosts.contain("a.com"), want, "{texts:?}");
            assert_eq!(hosts.texts(), texts);
        }
    }

    #[test]
    fn without_patterns_every_host_is_allowed_and_with_them_one_must_match() {
        let patterns = ["a.com", "*.b.com"].map(|raw| raw.parse().unwrap());
        assert!(is_allowed(&[], "c.com"));
        assert!(is_allowed(&patterns, "x.b.com") && is_allowed(&patterns, "a.com"));
        assert!(!is_allowed(&patterns, "c.com"));
    }
}
