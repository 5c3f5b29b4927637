//! Literal addresses that saved URLs may not name, so that a proxy cannot reach into the region.
//!
//! Names are checked where they are resolved, when somebody connects: a region, or
//! `crate::outbound`.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use requestrocket_policy::address::is_forbidden;
use url::{Host, Url};

/// `address` may be the target of a proxy: it is public, or named by `allowed`.
#[must_use]
pub fn is_allowed(address: IpAddr, allowed: &[IpNet]) -> bool {
    allowed.iter().any(|range| range.contains(&address)) || !is_forbidden(address)
}

/// The address that the host is, also when it is spelt as one number, in octal or hexadecimal.
#[must_use]
pub fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(v4) => Some(v4.into()),
        Host::Ipv6(v6) => Some(v6.into()),
        // Not resolved by DNS anywhere: always this machine.
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            let is_local = name == "localhost" || name.ends_with(".localhost");
            is_local.then(|| Ipv4Addr::LOCALHOST.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use requestrocket_policy::fixtures::addresses::{FORBIDDEN, PUBLIC};

    #[test]
    fn addresses_are_judged_as_everywhere() {
        for address in PUBLIC {
            assert!(is_allowed(address.parse().unwrap(), &[]), "{address}");
        }
        for address in FORBIDDEN {
            assert!(!is_allowed(address.parse().unwrap(), &[]), "{address}");
        }
    }

    #[test]
    fn named_ranges_open_exactly_themselves() {
        let allowed = ["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        for (raw, want) in [
            ("127.0.0.1", true),
            ("::ffff:127.0.0.1", false),
            ("::1", true),
            ("10.0.0.1", false),
            ("169.254.169.254", false),
            ("fe80::1", false),
        ] {
            assert_eq!(is_allowed(raw.parse().unwrap(), &allowed), want, "{raw}");
        }
    }
}
