//! Region config → Envoy resources (pure).
//!
//! Invariants: the same config gives the same bytes; a proxy's resources depend on that proxy and
//! the settings only; no path leads to a filter that lets traffic through when it fails.

pub mod listener;

mod address_guard;
mod buffer;
mod cluster;
mod cors;
mod dns_cache;
mod filter_name;
mod forwarded;
mod hop_by_hop;
mod http2;
mod in_order;
mod passage;
mod policy;
mod refused;
mod retry;
mod route;
mod scope;
mod terms;
mod token;
mod trace_context;
pub(crate) mod tracing;
mod unread;
mod upgrade;
mod version;
mod wasm;
mod wire;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use ipnet::IpNet;

use self::listener::ListenerTemplate;
pub use self::passage::ProxyPassage;
pub use self::terms::ProxyTerms;
pub use self::tracing::Collector;
use crate::access::Callers;
use crate::records::region_config::ProxyConfig;
use crate::xds::resource::Resource;

/// Bytes that one side of a connection may run ahead of the other, each way and in each of the two
/// connections of a call. Thousands of calls that are stuck must fit into Envoy's heap (2 GiB,
/// envoy/bootstrap.yaml); the kernel's buffers keep a connection busy, this one needs to last for a
/// turn of the event loop only.
const BUFFER_BYTES: u32 = 64 << 10;
/// Where distributions keep the roots that the machine trusts.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// In the place of a proxy's routes that an Envoy does not take: it lets nobody pass.
#[must_use]
pub fn closed_route(proxy_id: &Arc<str>) -> Resource {
    let routes = route::closed(proxy_id);
    Resource::encode(Arc::clone(proxy_id), &routes, 0, None)
}

/// The policy of a proxy of the region as its filter gets it: admission, the rest, and the token that
/// travels by itself, if one does.
pub fn policy_parts(config: &ProxyConfig, region: &str) -> (Vec<u8>, Vec<u8>, Option<Vec<u8>>) {
    let policy = policy::encode(config, region);
    (policy.admission, policy.rest, token::encode(config))
}

/// What of the region's settings shapes Envoy's configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the region.
    pub region: String,
    /// The filter's module, as Envoy sees it.
    pub filter_wasm: PathBuf,
    /// Ranges that targets may lie in although they are private.
    pub allow_private_targets: Vec<IpNet>,
    /// Who may vouch for HTTPS targets.
    pub target_roots: TargetRoots,
    /// Where spans of calls go; none: there are none.
    pub collector: Option<Collector>,
}

/// Certificate authorities that HTTPS targets are verified against.
#[derive(Clone, PartialEq, Eq)]
pub enum TargetRoots {
    /// A bundle on Envoy's disk.
    File(PathBuf),
    /// A bundle in the configuration itself.
    Inline(Arc<[u8]>),
}

/// `target_ca` cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`target_ca` `{}` cannot be read", path.display())]
pub struct InvalidTargetCa {
    path: PathBuf,
    source: io::Error,
}

impl TargetRoots {
    /// The system's roots, and `target_ca` beside them.
    pub fn load(target_ca: Option<&Path>) -> Result<Self, InvalidTargetCa> {
        let system = SYSTEM_ROOTS
            .map(Path::new)
            .into_iter()
            .find(|path| path.is_file());
        let Some(path) = target_ca else {
            let [usual, ..] = SYSTEM_ROOTS.map(Path::new);
            return Ok(Self::File(system.unwrap_or(usual).to_path_buf()));
        };
        let read = |path: &Path| {
            fs::read(path).map_err(|source| InvalidTargetCa {
                path: path.to_path_buf(),
                source,
            })
        };
        // Envoy takes one `trusted_ca`, so two files have to become one bundle.
        let mut bundle = read(path)?;
        if let Some(system) = system {
            // A file without a last line end would run into the next certificate.
            bundle.push(b'\n');
            bundle.extend(read(system)?);
        }
        Ok(Self::Inline(bundle.into()))
    }
}

impl TargetRoots {
    /// The certificates, PEM.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn pem(&self) -> io::Result<Vec<u8>> {
        match self {
            Self::File(path) => fs::read(path),
            Self::Inline(bundle) => Ok(bundle.to_vec()),
        }
    }
}

impl fmt::Debug for TargetRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Inline(bundle) => write!(f, "Inline({} bytes)", bundle.len()),
        }
    }
}

/// The encoded resources of one proxy, and what is asked about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyResources {
    /// Scope under the proxy's id.
    pub scope: Bytes,
    /// Name and scope of the alias.
    pub alias_scope: Option<(Arc<str>, Bytes)>,
    /// Route configuration.
    pub route: Bytes,
    /// Name and cluster of the token that its target is given.
    pub token: Option<(Arc<str>, Bytes)>,
    /// Who may call it.
    pub callers: Callers,
    /// What judges its calls.
    pub terms: ProxyTerms,
    /// What its asynchronous requests go by.
    pub passage: ProxyPassage,
}

/// Translates one proxy after another under the same settings.
#[derive(Debug)]
pub struct Translator {
    settings: Settings,
}

impl Translator {
    /// A translator for one region.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// What all proxies share: the clusters, and the listener that each node gets as its own.
    #[must_use]
    pub fn shared(&self) -> (Vec<Resource>, ListenerTemplate) {
        let Settings {
            target_roots,
            collector,
            ..
        } = &self.settings;
        let collector = collector.as_ref();
        let spans = collector.map(|collector| tracing::cluster(collector, target_roots));
        let mut clusters = cluster::targets(&self.settings);
        clusters.extend(spans);
        (clusters, ListenerTemplate::new(&self.settings))
    }

    /// The resources of one proxy.
    #[must_use]
    pub fn proxy(&self, config: &ProxyConfig) -> ProxyResources {
        let policy = policy::encode(config, &self.settings.region);
        ProxyResources {
            scope: scope::of_id(config),
            alias_scope: scope::of_alias(config),
            route: route::configuration(config, &policy),
            token: token::cluster(config),
            callers: Callers::of(config),
            terms: terms::of(config, &policy.version),
            passage: passage::of(config),
        }
    }
}

#[cfg(test)]
mod tests;
