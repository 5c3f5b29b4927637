//! The control plane as an HTTP client of URLs that people save.
//!
//! Invariants: no address that targets may not have is connected to, whatever a name resolves to
//! and when; without TLS only what the operator opened is; nothing is followed; answers are bounded
//! in bytes and in time. No secret of a request is in an error.

use std::error::Error as StdError;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::http::{Request, Response, StatusCode};
use ipnet::IpNet;
use requestrocket_policy::address::is_forbidden;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;
use url::{Host, Url};

mod hook;

pub use self::hook::PATIENCE as HOOK_PATIENCE;

#[cfg(test)]
mod tests;

/// Of an answer.
pub const MAX_BODY_BYTES: usize = 1 << 20;
/// Until one address of several has answered.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Authorities that this machine trusts; those of `SSL_CERT_FILE` where that is set.
static SYSTEM_ROOTS: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (known, _) = roots.add_parsable_certificates(found.certs);
    if known == 0 {
        tracing::warn!(problems = ?found.errors, "no authority vouches for servers that are called");
    }
    Arc::new(roots)
});

/// Calls what people name; cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// Opened by the operator.
    allowed: Arc<[IpNet]>,
    /// None: those of the system, read when they are needed first.
    roots: Option<Arc<RootCertStore>>,
}

/// There is no answer, or none that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreached {
    /// Neither http nor https, or no request that could be written.
    #[error("request cannot be written")]
    Unwritable,
    /// All that the name resolves to, or the literal address, is forbidden.
    #[error("address not allowed")]
    AddressNotAllowed,
    /// It may be called, but not by plain http.
    #[error("address not allowed without TLS")]
    NotWithoutTls,
    /// DNS knows no such name, or does not answer.
    #[error("name does not resolve")]
    Unknown,
    /// No connection.
    #[error("server cannot be reached")]
    Unreachable,
    /// The server is not who it should be, or speaks no TLS.
    #[error("TLS with the server failed")]
    Tls,
    /// It took too long.
    #[error("server did not answer in time")]
    Late,
    /// More than [`MAX_BODY_BYTES`].
    #[error("answer is too long")]
    TooLong,
    /// What came is no HTTP, or ended before its end.
    #[error("connection to the server broke")]
    Broken,
}

/// Which addresses are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Those that targets may have.
    Allowed,
    /// Those of them that the operator opened.
    Opened,
}

/// Resolves names to what may be called. Connections go to what this gives, so that a name cannot
/// mean another address a moment later (DNS rebinding).
#[derive(Clone)]
struct Guard {
    allowed: Arc<[IpNet]>,
    reach: Reach,
}

impl Outbound {
    /// Trusts the authorities that this machine trusts, and calls what is public or in `allowed`.
    #[must_use]
    pub fn new(allowed: &[IpNet]) -> Self {
        Self {
            allowed: allowed.into(),
            roots: None,
        }
    }

    /// The same, trusting only these authorities.
    #[must_use]
    pub fn trusting(mut self, roots: RootCertStore) -> Self {
        self.roots = Some(Arc::new(roots));
        self
    }

    /// Sends a request; an answer of any status is one, also one that leads elsewhere.
    ///
    /// # Errors
    /// There is no answer within that time, or it is longer than [`MAX_BODY_BYTES`].
    pub async fn send(
        &self,
        request: Request<Vec<u8>>,
        within: Duration,
    ) -> Result<Response<Vec<u8>>, Unreached> {
        let exchange = async {
            let answer = self.begin(request).await?;
            let mut read = Response::new(Vec::new());
            *read.status_mut() = answer.status();
            *read.headers_mut() = answer.headers().clone();
            *read.body_mut() = whole(answer).await?;
            Ok(read)
        };
        let answer = timeout(within, Box::pin(exchange)).await;
        answer.unwrap_or(Err(Unreached::Late))
    }

    /// Sends a request of whose answer only the status matters; no more of it is read.
    ///
    /// # Errors
    /// There is no answer within that time.
    pub async fn deliver(
        &self,
        request: Request<Vec<u8>>,
        within: Duration,
    ) -> Result<StatusCode, Unreached> {
        let exchange = async { Ok(self.begin(request).await?.status()) };
        let answer = timeout(within, Box::pin(exchange)).await;
        answer.unwrap_or(Err(Unreached::Late))
    }

    async fn begin(&self, request: Request<Vec<u8>>) -> Result<reqwest::Response, Unreached> {
        let request = reqwest::Request::try_from(request).map_err(|_| Unreached::Unwritable)?;
        let reach = match request.url().scheme() {
            "https" => Reach::Allowed,
            "http" => Reach::Opened,
            _ => return Err(Unreached::Unwritable),
        };
        let guard = Guard {
            allowed: Arc::clone(&self.allowed),
            reach,
        };
        // The client connects to a literal address without resolving it.
        if let Some(address) = literal(request.url()) {
            guard.check(address)?;
        }
        let client = self.client(guard)?;
        client.execute(request).await.map_err(|error| why(&error))
    }

    /// A client for one request: connections are not kept for others, which may come from another
    /// organisation.
    fn client(&self, guard: Guard) -> Result<reqwest::Client, Unreached> {
        let roots = self.roots.as_ref().unwrap_or(&SYSTEM_ROOTS);
        let tls = ClientConfig::builder()
            .with_root_certificates(Arc::clone(roots))
            .with_no_client_auth();
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(guard.reach == Reach::Allowed)
            .dns_resolver(guard)
            .no_proxy()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .user_agent("RequestRocket")
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|_| Unreached::Unwritable)
    }
}

impl Guard {
    fn check(&self, address: IpAddr) -> Result<(), Unreached> {
        let is_opened = self.allowed.iter().any(|open| open.contains(&address));
        match self.reach {
            _ if is_opened => Ok(()),
            Reach::Allowed if is_forbidden(address) => Err(Unreached::AddressNotAllowed),
            Reach::Allowed => Ok(()),
            Reach::Opened => Err(Unreached::NotWithoutTls),
        }
    }

    /// Those of `found` that may be called.
    fn of(&self, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Unreached> {
        let mut refused = Unreached::Unknown;
        let mut passed = Vec::new();
        for address in found {
            match self.check(address.ip()) {
                Ok(()) => passed.push(address),
                Err(error) => refused = error,
            }
        }
        if passed.is_empty() {
            return Err(refused);
        }
        Ok(passed)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            // The client puts the port of the URL in the place of 0.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found = found.map_err(|_| Unreached::Unknown)?;
            let passed = guard.of(found.collect())?;
            let passed: Addrs = Box::new(passed.into_iter());
            Ok(passed)
        })
    }
}

/// The address that the host is, however it is spelt.
fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(v4) => Some(v4.into()),
        Host::Ipv6(v6) => Some(v6.into()),
        Host::Domain(_) => None,
    }
}

async fn whole(mut answer: reqwest::Response) -> Result<Vec<u8>, Unreached> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|error| why(&error))? {
        if body.len().saturating_add(part.len()) > MAX_BODY_BYTES {
            return Err(Unreached::TooLong);
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// The first cause that we know. The error itself holds the URL, which may be somebody's secret.
fn why(error: &reqwest::Error) -> Unreached {
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(one) = cause {
        if let Some(known) = one.downcast_ref::<Unreached>() {
            return *known;
        }
        // An I/O error shows as its source what is behind the error that it wraps.
        let wrapped = one
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .map(|wrapped| wrapped as &(dyn StdError + 'static));
        if wrapped.unwrap_or(one).is::<rustls::Error>() {
            return Unreached::Tls;
        }
        cause = wrapped.or_else(|| one.source());
    }
    if error.is_timeout() && !error.is_connect() {
        Unreached::Late
    } else if error.is_connect() {
        Unreached::Unreachable
    } else {
        Unreached::Broken
    }
}
