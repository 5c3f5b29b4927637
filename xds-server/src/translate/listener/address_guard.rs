//! No target in a private network: what the name resolved to is looked at before connecting.

use std::collections::HashMap;

use envoy_types::pb::envoy::config::core::v3::CidrRange;
use envoy_types::pb::envoy::config::rbac::v3::{
    Permission, Policy, Principal, Rbac as Rules, permission, principal, rbac,
};
use envoy_types::pb::envoy::extensions::filters::http::rbac::v3::Rbac;
use envoy_types::pb::envoy::extensions::rbac::matchers::upstream_ip_port::v3::UpstreamIpPortMatcher;
use ipnet::IpNet;

use super::super::wire::{extension, number};

/// A part of the address space, and which of its ranges are forbidden.
///
/// In parts, because each range costs every request a look-up: an address is compared with the
/// ranges of its own part only.
struct Part {
    address: &'static str,
    bits: u32,
    forbidden: &'static [(&'static str, u32)],
}

/// Special-purpose addresses of RFC 6890 and its updates. For IPv6 everything but global unicast.
const PARTS: [Part; 4] = [
    Part {
        address: "0.0.0.0",
        bits: 1,
        forbidden: &[
            ("0.0.0.0", 8),
            ("10.0.0.0", 8),
            ("100.64.0.0", 10),
            ("127.0.0.0", 8),
        ],
    },
    Part {
        address: "128.0.0.0",
        bits: 2,
        forbidden: &[("169.254.0.0", 16), ("172.16.0.0", 12)],
    },
    Part {
        address: "192.0.0.0",
        bits: 2,
        forbidden: &[
            ("224.0.0.0", 3),
            ("192.168.0.0", 16),
            ("192.0.0.0", 24),
            ("192.0.2.0", 24),
            ("192.88.99.0", 24),
            ("198.18.0.0", 15),
            ("198.51.100.0", 24),
            ("203.0.113.0", 24),
        ],
    },
    Part {
        address: "::",
        bits: 0,
        forbidden: &[
            ("::", 3),
            ("4000::", 2),
            ("8000::", 1),
            // Teredo and its neighbours, documentation, 6to4: they can carry a private address.
            ("2001::", 23),
            ("2001:db8::", 32),
            ("2002::", 16),
            ("3fff::", 20),
        ],
    },
];

/// Refuses forbidden addresses that `allowed` does not open.
pub(super) fn build(allowed: &[IpNet]) -> Rbac {
    let parts = PARTS.iter().map(|part| {
        let forbidden = part
            .forbidden
            .iter()
            .map(|(address, bits)| within(address, *bits));
        all(vec![
            within(part.address, part.bits),
            any(forbidden.collect()),
        ])
    });
    let mut permission = any(parts.collect());
    if !allowed.is_empty() {
        let opened = allowed
            .iter()
            .map(|net| within(&net.network().to_string(), u32::from(net.prefix_len())));
        permission = all(vec![permission, not(any(opened.collect()))]);
    }
    let policy = Policy {
        permissions: vec![permission],
        principals: vec![Principal {
            identifier: Some(principal::Identifier::Any(true)),
        }],
        ..Policy::default()
    };
    let rules = Rules {
        action: rbac::Action::Deny.into(),
        policies: HashMap::from([("forbidden-address".to_owned(), policy)]),
        ..Rules::default()
    };
    Rbac {
        rules: Some(rules),
        ..Rbac::default()
    }
}

fn within(address: &str, bits: u32) -> Permission {
    let range = CidrRange {
        address_prefix: address.to_owned(),
        prefix_len: number(bits),
    };
    let matcher = UpstreamIpPortMatcher {
        upstream_ip: Some(range),
        ..UpstreamIpPortMatcher::default()
    };
    let matcher = extension("envoy.rbac.matchers.upstream_ip_port", matcher);
    Permission {
        rule: Some(permission::Rule::Matcher(matcher)),
    }
}

fn all(rules: Vec<Permission>) -> Permission {
    Permission {
        rule: Some(permission::Rule::AndRules(permission::Set { rules })),
    }
}

fn any(rules: Vec<Permission>) -> Permission {
    Permission {
        rule: Some(permission::Rule::OrRules(permission::Set { rules })),
    }
}

fn not(rule: Permission) -> Permission {
    Permission {
        rule: Some(permission::Rule::NotRule(Box::new(rule))),
    }
}
