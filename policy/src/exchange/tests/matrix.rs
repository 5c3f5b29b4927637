//! The order of checks as a matrix: every state of a proxy × every way of presenting × every request,
//! against the order of the checks written down as a list.

use super::*;

/// What stands behind the route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proxy {
    Usable,
    Inactive,
    Suspended,
    InactiveAndSuspended,
    WithoutTarget,
    WithoutTargetCredential,
    WithoutCredentials,
    Unknown,
    Fault,
}

const PROXIES: [Proxy; 9] = [
    Proxy::Usable,
    Proxy::Inactive,
    Proxy::Suspended,
    Proxy::InactiveAndSuspended,
    Proxy::WithoutTarget,
    Proxy::WithoutTargetCredential,
    Proxy::WithoutCredentials,
    Proxy::Unknown,
    Proxy::Fault,
];

impl Proxy {
    fn resolved(self) -> Resolved {
        let mut fixture = match self {
            Self::Unknown => return Resolved::UnknownProxy,
            Self::Fault => return Resolved::Fault,
            Self::WithoutCredentials => PolicyFixture::new(),
            Self::Usable
            | Self::Inactive
            | Self::Suspended
            | Self::InactiveAndSuspended
            | Self::WithoutTarget
            | Self::WithoutTargetCredential => PolicyFixture::new()
                .api_key("right")
                .api_key("expired")
                .until(1)
                .api_key("off")
                .inactive(),
        };
        let wire = &mut fixture.wire;
        wire.is_active = !matches!(self, Self::Inactive | Self::InactiveAndSuspended);
        wire.is_suspended = matches!(self, Self::Suspended | Self::InactiveAndSuspended);
        if self == Self::WithoutTarget {
            wire.target = None;
        }
        if self == Self::WithoutTargetCredential {
            wire.target_credential = None;
        }
        resolved(&fixture)
    }
}

/// How a credential is presented: header lines, query, and what that amounts to.
const PRESENTATIONS: [(&[&str], &str, Presented); 13] = [
    (&[], "", Presented::Nothing),
    (&[], "x=1", Presented::Nothing),
    (&[""], "", Presented::Nothing),
    (&[" \t"], "Authorization=right", Presented::Nothing),
    (&[], "Authorization=%20", Presented::Nothing),
    (&["right"], "", Presented::Right),
    (&["right"], "Authorization=wrong", Presented::Right),
    (&[], "Authorization=right", Presented::Right),
    (&["wrong"], "Authorization=right", Presented::Wrong),
    (&["right", "right"], "", Presented::Repeated),
    (
        &[],
        "Authorization=right&authorization=right",
        Presented::Repeated,
    ),
    (&["expired"], "", Presented::Wrong),
    (&["off"], "", Presented::Wrong),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presented {
    Nothing,
    Right,
    Wrong,
    Repeated,
}

/// Requests: method, path below `/api`, a second `Host`, and the refusal that they get by
/// themselves, whoever asks for whatever.
const REQUESTS: [(&str, &str, bool, Option<Denial>); 9] = [
    ("GET", "{id}/a", false, None),
    ("HEAD", "{id}", false, None),
    ("OPTIONS", "{id}/", false, None),
    ("TRACE", "{id}/a", false, Some(Denial::MethodNotAllowed)),
    ("propfind", "{id}/a", false, Some(Denial::MethodNotAllowed)),
    ("GET", "{id}/a/%2e%2e/b", false, Some(Denial::PathAmbiguous)),
    ("GET", "{id}/../b", false, Some(Denial::PathAmbiguous)),
    ("GET", "{id}/a", true, Some(Denial::BadRequest)),
    ("TRACE", "{id}/%5c", true, Some(Denial::BadRequest)),
];

/// The order of the checks.
fn expected(proxy: Proxy, presented: Presented, by_itself: Option<Denial>) -> Option<Denial> {
    if by_itself.is_some() {
        return by_itself;
    }
    match (presented, proxy) {
        (Presented::Nothing, _) => Some(Denial::CredentialMissing),
        (Presented::Repeated, _) => Some(Denial::CredentialInvalid),
        (Presented::Right | Presented::Wrong, Proxy::Fault) => Some(Denial::GatewayFault),
        (Presented::Wrong, _) | (Presented::Right, Proxy::Unknown | Proxy::WithoutCredentials) => {
            Some(Denial::CredentialInvalid)
        }
        (Presented::Right, Proxy::Inactive | Proxy::InactiveAndSuspended) => {
            Some(Denial::ProxyInactive)
        }
        (Presented::Right, Proxy::Suspended) => Some(Denial::BillingSuspended),
        (Presented::Right, Proxy::WithoutTarget | Proxy::WithoutTargetCredential) => {
            Some(Denial::ProxyIncomplete)
        }
        (Presented::Right, Proxy::Usable) => None,
    }
}

#[test]
fn every_combination_gets_the_first_refusal_in_order() {
    for proxy in PROXIES {
        let resolved = proxy.resolved();
        for (values, query, presented) in PRESENTATIONS {
            for (method, below, has_two_hosts, by_itself) in REQUESTS {
                let below = below.replace("{id}", PROXY_ID);
                let mut path = format!("/api/{below}");
                if !query.is_empty() {
                    path = format!("{path}?{query}");
                }
                let mut headers: Vec<_> = values
                    .iter()
                    .map(|value| ("authorization", *value))
                    .collect();
                if has_two_hosts {
                    headers.push(("host", "other.example"));
                }
                let got = decide(&resolved, method, &path, &headers).err();
                let want = expected(proxy, presented, by_itself);
                assert_eq!(got, want, "{proxy:?} {method} {path} {headers:?}");
            }
        }
    }
}

#[test]
fn what_depends_on_the_proxy_is_told_to_its_callers_only() {
    let answers = |presented: Presented, proxy: Proxy| {
        let resolved = proxy.resolved();
        let ways = PRESENTATIONS
            .iter()
            .filter(move |(_, _, one)| *one == presented);
        ways.map(|(values, query, _)| {
            let headers: Vec<_> = values
                .iter()
                .map(|value| ("authorization", *value))
                .collect();
            let path = api(&format!("/a?{query}"));
            decide(&resolved, "GET", &path, &headers).map_err(|denial| denial.response("id"))
        })
        .collect::<Vec<_>>()
    };
    for presented in [Presented::Nothing, Presented::Wrong, Presented::Repeated] {
        let unknown = answers(presented, Proxy::Unknown);
        for proxy in PROXIES.into_iter().filter(|proxy| *proxy != Proxy::Fault) {
            assert_eq!(
                answers(presented, proxy),
                unknown,
                "{proxy:?} {presented:?}"
            );
        }
    }
}
