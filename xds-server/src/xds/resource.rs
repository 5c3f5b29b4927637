//! One xDS resource: encoded once, its version the hash of its bytes, shared by all streams.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use envoy_types::pb::envoy::config::listener::v3::Listener;
use envoy_types::pb::envoy::config::route::v3::{RouteConfiguration, ScopedRouteConfiguration};
use prost::{Message, Name};
use sha2::{Digest, Sha256};

/// What a resource is, in the order in which additions are sent (removals go the other way).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// CDS
    Cluster,
    /// LDS
    Listener,
    /// RDS
    Route,
    /// SRDS
    Scope,
}

impl ResourceKind {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Cluster, Self::Listener, Self::Route, Self::Scope];

    /// The type URL of the messages of this kind.
    #[must_use]
    pub fn type_url(self) -> String {
        match self {
            Self::Cluster => Cluster::type_url(),
            Self::Listener => Listener::type_url(),
            Self::Route => RouteConfiguration::type_url(),
            Self::Scope => ScopedRouteConfiguration::type_url(),
        }
    }

    /// The kind that a request's type URL asks for; none for what this server does not have.
    #[must_use]
    pub fn of_type_url(type_url: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.type_url() == type_url)
    }

    /// For log lines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Listener => "listener",
            Self::Route => "route",
            Self::Scope => "scope",
        }
    }
}

/// Version of a resource: the first eight bytes of the SHA-256 of its encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u64);

/// Not a version that this server ever gave out.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("resource version must be 16 hexadecimal digits")]
pub struct InvalidVersion;

impl Version {
    /// The version of a resource that encodes to `body`.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let digest = Sha256::digest(body);
        Self(
            digest
                .iter()
                .take(8)
                .fold(0, |sum, byte| (sum << 8) | u64::from(*byte)),
        )
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(raw: &str) -> Result<Self, InvalidVersion> {
        // `from_str_radix` takes a sign and fewer digits, too.
        let is_hex = raw.len() == 16 && raw.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex {
            return Err(InvalidVersion);
        }
        u64::from_str_radix(raw, 16)
            .map(Self)
            .map_err(|_| InvalidVersion)
    }
}

/// A resource as it is sent.
#[derive(Clone, Debug)]
pub struct Resource {
    name: Arc<str>,
    version: Version,
    body: Bytes,
    revision: u64,
    proxy_id: Option<Arc<str>>,
}

/// Equal when a node that holds the one need not be sent the other.
impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version && self.name == other.name
    }
}

impl Resource {
    /// Encodes `message`, which came into being with `revision`; `proxy_id` is the proxy whose
    /// status shows a refusal, none for what all proxies share.
    pub fn encode(
        name: Arc<str>,
        message: &impl Message,
        revision: u64,
        proxy_id: Option<Arc<str>>,
    ) -> Self {
        Self::encoded(name, message.encode_to_vec().into(), revision, proxy_id)
    }

    /// As [`Self::encode`], for a message that is encoded already.
    #[must_use]
    pub fn encoded(name: Arc<str>, body: Bytes, revision: u64, proxy_id: Option<Arc<str>>) -> Self {
        Self {
            name,
            version: Version::of(&body),
            body,
            revision,
            proxy_id,
        }
    }

    /// Unique within its kind.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Hash of the bytes.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The encoded message.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The revision that gave it these bytes.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The proxy it belongs to.
    #[must_use]
    pub fn proxy_id(&self) -> Option<&Arc<str>> {
        self.proxy_id.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_url_and_its_kind_name_each_other() {
        for kind in ResourceKind::ALL {
            assert_eq!(ResourceKind::of_type_url(&kind.type_url()), Some(kind));
        }
        assert_eq!(
            ResourceKind::Scope.type_url(),
            "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration"
        );
        assert_eq!(
            ResourceKind::of_type_url("type.googleapis.com/nothing"),
            None
        );
    }

    #[test]
    fn a_version_survives_its_text_form() {
        let version = Version::of(b"abc");
        assert_eq!(version.to_string(), "ba7816bf8f01cfea");
        assert_eq!(version.to_string().parse(), Ok(version));
        for text in [
            "",
            "1",
            "ba7816bf8f01cfeg",
            "+a7816bf8f01cfea",
            "ba7816bf8f01cfea0",
        ] {
            assert_eq!(text.parse::<Version>(), Err(InvalidVersion), "{text}");
        }
    }

    #[test]
    fn resources_with_the_same_bytes_are_equal_whatever_their_revision() {
        let at = |body: &'static [u8], revision| {
            Resource::encoded("a".into(), Bytes::from_static(body), revision, None)
        };
        assert_eq!(at(b"1", 1), at(b"1", 2));
        assert_ne!(at(b"1", 1), at(b"2", 1));
    }
}
