//! Addresses that no target may have, so that a proxy cannot reach into the region's network.
//!
//! The one list: the Core API refuses URLs that name such an address, and the region's Envoys drop
//! them from what a name resolves to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of addresses, all of which begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Its first address.
    pub first: IpAddr,
    /// How many bits its addresses have in common.
    pub bits: u8,
}

/// What is forbidden unless an operator opens it. IPv4: special-purpose addresses of RFC 6890 and
/// its updates, multicast, what is reserved, and one large cloud's metadata service outside of the
/// link-local range. IPv6: everything but global unicast (so no IPv4 address inside an IPv6 one),
/// and of that Teredo with its neighbours, documentation and 6to4, which can carry a private
/// address.
pub const FORBIDDEN: [Range; 22] = [
    // To Linux 0.0.0.0 is the machine itself.
    v4([0, 0, 0, 0], 8),
    // RFC 1918, as 172.16/12 and 192.168/16 are.
    v4([10, 0, 0, 0], 8),
    // RFC 6598: between carriers and their customers, and inside of clouds.
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    // What Azure's machines ask of their platform.
    v4([168, 63, 129, 16], 32),
    // Link-local: clouds have their metadata services at 169.254.169.254.
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    // Relays of 6to4 (RFC 7526).
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    // Benchmarks (RFC 2544); the ranges of 192.0.2, 198.51.100 and 203.0.113 are documentation.
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    // Multicast and what is reserved, to 255.255.255.255.
    v4([224, 0, 0, 0], 3),
    // All before 2000::/3, so loopback, `::ffff:0:0/96` and `64:ff9b::/96`.
    v6([0, 0], 3),
    // Teredo (RFC 4380) is `2001::/32`.
    v6([0x2001, 0], 23),
    v6([0x2001, 0xdb8], 32),
    // 6to4 (RFC 3056): the next 32 bits are an IPv4 address.
    v6([0x2002, 0], 16),
    // Documentation (RFC 9637).
    v6([0x3fff, 0], 20),
    // All behind 2000::/3, local and multicast addresses among them.
    v6([0x4000, 0], 2),
    v6([0x8000, 0], 1),
];

const fn v4([a, b, c, d]: [u8; 4], bits: u8) -> Range {
    let first = IpAddr::V4(Ipv4Addr::new(a, b, c, d));
    Range { first, bits }
}

const fn v6([a, b]: [u16; 2], bits: u8) -> Range {
    let first = IpAddr::V6(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0));
    Range { first, bits }
}

impl Range {
    /// Whether `address` lies in it; one of the other family never does.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (differing, width) = match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                (u128::from(first.to_bits() ^ address.to_bits()), 32_u32)
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => (first.to_bits() ^ address.to_bits(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        let free = width.saturating_sub(u32::from(self.bits));
        // A range of all addresses would shift everything out.
        differing.checked_shr(free).unwrap_or(0) == 0
    }
}

/// Whether `address` is in one of the ranges of [`FORBIDDEN`].
#[must_use]
pub fn is_forbidden(address: IpAddr) -> bool {
    FORBIDDEN.iter().any(|range| range.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::addresses::{FORBIDDEN as SAMPLES, PUBLIC};

    #[test]
    fn public_addresses_pass_and_no_others() {
        for address in PUBLIC {
            assert!(!is_forbidden(address.parse().unwrap()), "{address}");
        }
        for address in SAMPLES {
            assert!(is_forbidden(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_range_begins_at_its_first_address() {
        for range in FORBIDDEN {
            let before = match range.first {
                IpAddr::V4(v4) => v4.to_bits().checked_sub(1).map(|n| IpAddr::V4(n.into())),
                IpAddr::V6(v6) => v6.to_bits().checked_sub(1).map(|n| IpAddr::V6(n.into())),
            };
            assert!(range.contains(range.first), "{range:?}");
            assert!(
                before.is_none_or(|before| !range.contains(before)),
                "{range:?}"
            );
        }
    }
}
