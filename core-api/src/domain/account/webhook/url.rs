//! Where messages are sent.

use std::fmt;

use ipnet::IpNet;
use requestrocket_policy::form::problem::{Fault, Invalid};
use requestrocket_policy::secret_form::endpoint::Endpoint;
use url::Url;

use crate::domain::gateway::address::{is_allowed, literal};

/// An https URL; an http one where the operator opened the network that it leads to.
///
/// A literal address was allowed when the URL was saved; names are looked at when they are connected
/// to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookUrl(String);

impl HookUrl {
    /// Reads and judges a URL that a caller wants to save.
    ///
    /// # Errors
    /// `INVALID_URL` or `ADDRESS_NOT_ALLOWED`.
    pub fn parse(raw: &str, allowed: &[IpNet]) -> Result<Self, Invalid> {
        let endpoint = Endpoint::parse(raw)?;
        let invalid = |_| Invalid::new(Fault::InvalidUrl, "must have a host that can be called");
        let url = Url::parse(endpoint.as_str()).map_err(invalid)?;
        let forbidden = |text: &str| Err(Invalid::new(Fault::AddressNotAllowed, text));
        let address = literal(&url);
        let is_opened = match address {
            Some(address) => allowed.iter().any(|open| open.contains(&address)),
            None => !allowed.is_empty(),
        };
        if !endpoint.is_tls() && !is_opened {
            return forbidden("must be https, but for networks that the operator opened");
        }
        if address.is_some_and(|address| !is_allowed(address, allowed)) {
            return forbidden("names an address that may not be called");
        }
        Ok(Self(raw.to_owned()))
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

    /// The host alone: paths and queries of such URLs may be secrets.
    #[must_use]
    pub fn host(&self) -> String {
        let url = Url::parse(&self.0).ok();
        let host = url.as_ref().and_then(Url::host_str);
        host.unwrap_or_default().to_owned()
    }
}

impl fmt::Display for HookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_or_http_to_what_was_opened() {
        let opened = ["10.1.0.0/16".parse().unwrap()];
        let (url, address) = (Err(Fault::InvalidUrl), Err(Fault::AddressNotAllowed));
        for (raw, closed, open) in [
            ("https://a.example/hook?x=1", Ok(()), Ok(())),
            ("http://a.example/hook", address, Ok(())),
            ("http://1.1.1.1/", address, address),
            ("http://10.1.2.3/", address, Ok(())),
            ("https://10.1.2.3/", address, Ok(())),
            ("https://10.2.2.3/", address, address),
            ("https://localhost/", address, address),
            ("https://a.localhost./", address, address),
            ("https://2130706433/", address, address),
            ("https://[::ffff:10.2.2.3]/", address, address),
            ("ftp://a.example/", url, url),
            ("https://u@a.example/", url, url),
            ("https://a.example/#x", url, url),
            ("https://1.2.3.4.5/", url, url),
            ("/hook", url, url),
        ] {
            let parse = |allowed: &[IpNet]| HookUrl::parse(raw, allowed).map(drop);
            let fault = |invalid: Invalid| invalid.fault;
            assert_eq!(parse(&[]).map_err(fault), closed, "{raw}");
            assert_eq!(parse(&opened).map_err(fault), open, "{raw}");
        }
    }

    #[test]
    fn the_host_is_shown_without_the_rest() {
        let url = HookUrl::stored("https://Hooks.example:8443/s3cret?x=y".to_owned());
        assert_eq!(url.host(), "hooks.example");
    }
}
