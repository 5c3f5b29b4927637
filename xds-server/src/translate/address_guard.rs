//! No target in a private network: forbidden addresses are dropped from what a name resolves to.
//!
//! At resolution, and not by looking at the address of the first connection: Envoy tries all
//! addresses of a name, so a check of the first can be evaded by putting a harmless one before it.

use envoy_types::pb::envoy::r#type::matcher::v3::AddressMatcher;
use envoy_types::pb::xds::core::v3::CidrRange;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::wire::number;

/// Special-purpose addresses of RFC 6890 and its updates, multicast, and what is reserved.
const FORBIDDEN_V4: [([u8; 4], u8); 14] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 3),
];

/// Everything but global unicast, and of that Teredo with its neighbours, documentation and 6to4,
/// which can carry a private address.
const FORBIDDEN_V6: [([u16; 8], u8); 7] = [
    ([0, 0, 0, 0, 0, 0, 0, 0], 3),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
    ([0x4000, 0, 0, 0, 0, 0, 0, 0], 2),
    ([0x8000, 0, 0, 0, 0, 0, 0, 0], 1),
];

/// Matches forbidden addresses that `allowed` does not open.
pub(super) fn build(allowed: &[IpNet]) -> AddressMatcher {
    let forbidden = forbidden().flat_map(|net| without(net, allowed));
    AddressMatcher {
        ranges: forbidden.map(range).collect(),
        invert_match: false,
    }
}

fn forbidden() -> impl Iterator<Item = IpNet> {
    let v4 = FORBIDDEN_V4
        .into_iter()
        .filter_map(|(address, bits)| Ipv4Net::new(address.into(), bits).ok().map(IpNet::V4));
    let v6 = FORBIDDEN_V6
        .into_iter()
        .filter_map(|(address, bits)| Ipv6Net::new(address.into(), bits).ok().map(IpNet::V6));
    v4.chain(v6)
}

/// The parts of `net` that lie outside of `allowed`; at most one for each bit of each range.
fn without(net: IpNet, allowed: &[IpNet]) -> Vec<IpNet> {
    if allowed.iter().any(|open| open.contains(&net)) {
        return Vec::new();
    }
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
    fn public_addresses_pass_and_no_others() {
        for address in [
            "1.1.1.1",
            "93.184.216.34",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1",
        ] {
            assert!(!is_forbidden(address, &[]), "{address}");
        }
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(is_forbidden(address, &[]), "{address}");
        }
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
