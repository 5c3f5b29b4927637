//! No target in a private network: forbidden addresses are dropped from what a name resolves to.
//!
//! At resolution, and not by looking at the address of the first connection: Envoy tries all
//! addresses of a name, so a check of the first can be evaded by putting a harmless one before it.

use envoy_types::pb::envoy::r#type::matcher::v3::AddressMatcher;
use envoy_types::pb::xds::core::v3::CidrRange;
use ipnet::IpNet;
use requestrocket_policy::address::FORBIDDEN;

use super::wire::number;

/// Matches forbidden addresses that `allowed` does not open.
pub(super) fn build(allowed: &[IpNet]) -> AddressMatcher {
    let forbidden = forbidden().flat_map(|net| without(net, allowed));
    AddressMatcher {
        ranges: forbidden.map(range).collect(),
        invert_match: false,
    }
}

fn forbidden() -> impl Iterator<Item = IpNet> {
    FORBIDDEN
        .iter()
        .filter_map(|range| IpNet::new(range.first, range.bits).ok())
}

/// The parts of `net` that lie outside of `allowed`; at most one for each bit of each range.
fn without(net: IpNet, allowed: &[IpNet]) -> Vec<IpNet> {
    if allowed.iter().any(|open| open.contains(&net)) {
        return Vec::new();
    }
    // Halved only where it holds an open range, so the recursion ends at that range's own length.
    let is_touched = allowed.iter().any(|open| net.contains(open));
    match net.subnets(net.prefix_len().saturating_add(1)) {
        Ok(halves) if is_touched => halves.flat_map(|half| without(half, allowed)).collect(),
        Ok(_) | Err(_) => vec![net],
    }
}

fn range(net: IpNet) -> CidrRange {
    CidrRange {
        address_prefix: net.network().to_string(),
        prefix_len: number(u32::from(net.prefix_len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use requestrocket_policy::fixtures::addresses::{FORBIDDEN as SAMPLES, PUBLIC};
    use std::net::IpAddr;

    fn is_forbidden(address: &str, allowed: &[&str]) -> bool {
        let allowed: Vec<IpNet> = allowed.iter().map(|net| net.parse().unwrap()).collect();
        let address: IpAddr = address.parse().unwrap();
        build(&allowed).ranges.iter().any(|range| {
            let bits = range.prefix_len.unwrap().value;
            let net: IpNet = format!("{}/{bits}", range.address_prefix).parse().unwrap();
            net.contains(&address)
        })
    }

    #[test]
    fn addresses_are_judged_as_everywhere() {
        for address in PUBLIC {
            assert!(!is_forbidden(address, &[]), "{address}");
        }
        for address in SAMPLES {
            assert!(is_forbidden(address, &[]), "{address}");
        }
        assert_eq!(build(&[]).ranges.len(), FORBIDDEN.len());
    }

    #[test]
    fn an_allowance_opens_its_range_and_nothing_beside_it() {
        let allowed = ["127.0.0.0/8", "::1/128", "10.1.0.0/16"];
        for open in ["127.0.0.1", "127.9.9.9", "::1", "10.1.0.0", "10.1.255.255"] {
            assert!(!is_forbidden(open, &allowed), "{open}");
        }
        for closed in [
            "10.0.255.255",
            "10.2.0.0",
            "10.200.0.1",
            "::",
            "::2",
            "169.254.169.254",
        ] {
            assert!(is_forbidden(closed, &allowed), "{closed}");
        }
    }

    #[test]
    fn an_allowance_of_everything_leaves_nothing_forbidden() {
        assert!(
            build(&["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()])
                .ranges
                .is_empty()
        );
    }
}
