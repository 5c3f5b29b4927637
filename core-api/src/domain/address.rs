//! Literal addresses that saved URLs may not name, so that a proxy cannot reach into the region.
//!
//! Names are checked where they are resolved: in the region, when it connects.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// `address` may be the target of a proxy: it is public, or named by `allowed`.
#[must_use]
pub fn is_allowed(address: IpAddr, allowed: &[IpNet]) -> bool {
    let plain = unwrapped(address);
    let is_named = |candidate: &IpAddr| allowed.iter().any(|range| range.contains(candidate));
    is_named(&plain) || is_named(&address) || is_public(plain)
}

/// An IPv4 address inside an IPv6 one is judged as what it leads to.
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let [.., a, b] = v6.segments();
    let embedded = match v6.segments() {
        // ::ffff:a.b.c.d (mapped), ::a.b.c.d (compatible), 64:ff9b::a.b.c.d (NAT64)
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some((a, b)),
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => Some((a, b)),
        // 2002:a.b.c.d:: (6to4)
        [0x2002, high, low, ..] => Some((high, low)),
        _ => None,
    };
    embedded.map_or(address, |(high, low)| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    })
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let is_reserved = matches!(
        v4.octets(),
        // This network and class E, carrier-grade NAT, IETF protocols, benchmarking, and one
        // large cloud's metadata service outside the link-local range.
        [0 | 240..=255, ..]
            | [100, 64..=127, ..]
            | [192, 0, 0, _]
            | [198, 18..=19, ..]
            | [168, 63, 129, 16]
    );
    !(is_reserved
        || v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_multicast()
        || v4.is_broadcast()
        || v4.is_documentation()
        || v4.is_unspecified())
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let is_reserved = matches!(
        v6.segments(),
        // Discard, Teredo and other protocols, documentation, site-local, local-use NAT64.
        [0x100, 0, 0, 0, ..]
            | [0x2001, 0..=0x1ff | 0xdb8, ..]
            | [0x3fff | 0xfec0..=0xfeff, ..]
            | [0x64, 0xff9b, 1, ..]
    );
    !(is_reserved
        || v6.is_loopback()
        || v6.is_unspecified()
        || v6.is_multicast()
        || v6.is_unique_local()
        || v6.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_allowed_by_default() {
        for raw in [
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "fec0::1",
            "2001::1",
            "2001:db8::1",
            "100::1",
        ] {
            assert!(!is_allowed(raw.parse().unwrap(), &[]), "{raw}");
        }
        for raw in [
            "1.1.1.1",
            "8.8.8.8",
            "172.32.0.1",
            "2606:4700:4700::1111",
            "::ffff:1.1.1.1",
        ] {
            assert!(is_allowed(raw.parse().unwrap(), &[]), "{raw}");
        }
    }

    #[test]
    fn named_ranges_open_exactly_themselves() {
        let allowed = ["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        for (raw, want) in [
            ("127.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("::1", true),
            ("10.0.0.1", false),
            ("169.254.169.254", false),
            ("fe80::1", false),
        ] {
            assert_eq!(is_allowed(raw.parse().unwrap(), &allowed), want, "{raw}");
        }
    }
}
