//! The region as an HTTP client of token endpoints and key sets.
//!
//! Invariants: no address that targets may not have is connected to, whatever a name resolves to
//! and when; keys come by TLS, or from where the operator opened a private network; nothing is
//! followed; answers are bounded in bytes and in time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use requestrocket_policy::address::is_forbidden;
use requestrocket_policy::secret::SecretText;
use requestrocket_policy::secret_form::endpoint::Endpoint;
use requestrocket_policy::secret_form::oauth2::Certificate;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::answer::Failure;
use super::request::Outgoing;

#[cfg(test)]
mod tests;

/// All of a request and its answer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The same, of what is published for everybody, and of targets that are tried.
const PUBLIC_TIMEOUT: Duration = Duration::from_secs(10);
/// Until one address of several has answered.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Of an answer.
const MAX_BODY_BYTES: usize = 1 << 20;
/// Of all that comes: heads of interim answers (RFC 9110 §15.2) may go on for ever.
const MAX_BYTES: u64 = 2 << 20;

/// What endpoints are called with.
#[derive(Clone, Debug)]
pub struct Client {
    roots: Arc<RootCertStore>,
    /// Opened by the operator.
    allowed: Arc<[IpNet]>,
}

/// Which addresses are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Those that targets may have.
    Allowed,
    /// Those of them that the operator opened.
    Opened,
}

/// What of an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    /// Its body is left where it is.
    Head,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Client {
    /// Trusts whom targets are trusted by; PEM certificates.
    #[must_use]
    pub fn new(roots_pem: &[u8], allowed: &[IpNet]) -> Self {
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_slice_iter(roots_pem).filter_map(Result::ok);
        roots.add_parsable_certificates(certificates);
        Self {
            roots: Arc::new(roots),
            allowed: allowed.into(),
        }
    }

    /// Sends a request; an answer of any status is one.
    pub(super) async fn send(&self, request: &Outgoing) -> Result<Response, Failure> {
        self.within(TIMEOUT, request, Reach::Allowed).await
    }

    /// Fetches what everybody may see and nobody may change on its way, unless it is still what has
    /// that tag.
    pub(super) async fn fetch(
        &self,
        url: &Endpoint,
        etag: Option<&str>,
    ) -> Result<Response, Failure> {
        let header = |name: &str, value: &str| (name.to_owned(), SecretText::new(value.to_owned()));
        let accept = header("accept", "application/json, application/jwk-set+json");
        let known = etag.map(|etag| header("if-none-match", etag));
        let request = Outgoing {
            method: "GET".to_owned(),
            url: SecretText::new(url.as_str().to_owned()),
            headers: std::iter::once(accept).chain(known).collect(),
            body: None,
            certificate: None,
        };
        let reach = if url.is_tls() {
            Reach::Allowed
        } else {
            Reach::Opened
        };
        self.within(PUBLIC_TIMEOUT, &request, reach).await
    }

    /// The status that a target answers a `GET` with, also one that leads elsewhere. No more of the
    /// answer is read.
    ///
    /// # Errors
    /// Why there is none, for people; no secret.
    pub(crate) async fn status(
        &self,
        url: SecretText,
        headers: Vec<(String, SecretText)>,
    ) -> Result<u16, String> {
        let request = Outgoing {
            method: "GET".to_owned(),
            url,
            headers,
            body: None,
            certificate: None,
        };
        let asked = self.exchange(&request, (Reach::Allowed, Wanted::Head));
        let answer = timeout(PUBLIC_TIMEOUT, asked)
            .await
            .unwrap_or_else(|_| Err(late()));
        answer.map(|it| it.status).map_err(|failure| failure.text)
    }

    async fn within(
        &self,
        limit: Duration,
        request: &Outgoing,
        reach: Reach,
    ) -> Result<Response, Failure> {
        let asked = Box::pin(self.exchange(request, (reach, Wanted::Whole)));
        timeout(limit, asked).await.unwrap_or_else(|_| Err(late()))
    }

    async fn exchange(
        &self,
        request: &Outgoing,
        (reach, wanted): (Reach, Wanted),
    ) -> Result<Response, Failure> {
        let uri: Uri = request.url.expose().parse().map_err(|_| invalid_url())?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(invalid_url()),
        };
        let host = uri.host().ok_or_else(invalid_url)?;
        // `Uri` keeps the brackets of an IPv6 address.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let head = head(request, &uri)?;
        let stream = self.connect((host, port), reach).await?;
        if !is_tls {
            return speak(stream, head, wanted).await;
        }
        let connector = TlsConnector::from(Arc::new(self.tls(request.certificate.as_ref())?));
        let name = ServerName::try_from(host.to_owned()).map_err(|_| invalid_url())?;
        let stream = connector
            .connect(name, stream)
            .await
            .map_err(|_| Failure::transient("tls", "TLS with the endpoint failed"))?;
        speak(stream, head, wanted).await
    }

    /// To the first address that may be called and answers.
    async fn connect(&self, place: (&str, u16), reach: Reach) -> Result<TcpStream, Failure> {
        let found = tokio::net::lookup_host(place).await;
        let found: Vec<SocketAddr> = found
            .map_err(|_| Failure::transient("dns", "name of the endpoint does not resolve"))?
            .collect();
        let is_allowed = |address: &SocketAddr| {
            let ip = address.ip();
            let is_opened = self.allowed.iter().any(|open| open.contains(&ip));
            is_opened || (reach == Reach::Allowed && !is_forbidden(ip))
        };
        let allowed: Vec<SocketAddr> = found.into_iter().filter(is_allowed).collect();
        if allowed.is_empty() {
            return Err(not_allowed(reach));
        }
        // By address: the name may resolve to another one by now (DNS rebinding).
        for address in allowed {
            if let Ok(Ok(stream)) = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
                return Ok(stream);
            }
        }
        Err(Failure::transient(
            "unreachable",
            "endpoint cannot be reached",
        ))
    }

    fn tls(&self, certificate: Option<&Certificate>) -> Result<ClientConfig, Failure> {
        let builder = ClientConfig::builder().with_root_certificates(Arc::clone(&self.roots));
        let Some(Certificate {
            certificate,
            private_key,
        }) = certificate
        else {
            return Ok(builder.with_no_client_auth());
        };
        let unusable =
            || Failure::transient("client_certificate", "client certificate cannot be used");
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(certificate.expose().as_bytes()).collect();
        let key = PrivateKeyDer::from_pem_slice(private_key.expose().as_bytes());
        let (Ok(chain), Ok(key)) = (chain, key) else {
            return Err(unusable());
        };
        builder
            .with_client_auth_cert(chain, key)
            .map_err(|_| unusable())
    }
}

/// One request on a connection of its own.
async fn speak<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    wanted: Wanted,
) -> Result<Response, Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let broken = || Failure::transient("connection", "connection to the endpoint broke");
    let (read, write) = tokio::io::split(stream);
    let stream = tokio::io::join(read.take(MAX_BYTES), write);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|_| broken())?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|_| broken())?;
        let (head, body) = response.into_parts();
        if wanted == Wanted::Head {
            return Ok(Response {
                status: head.status.as_u16(),
                headers: head.headers,
                body: Zeroizing::default(),
            });
        }
        let body = Limited::new(body, MAX_BODY_BYTES).collect().await;
        let body = body.map_err(|_| {
            Failure::transient("answer_body", "answer of the endpoint is too long or broke")
        })?;
        Ok(Response {
            status: head.status.as_u16(),
            headers: head.headers,
            body: Zeroizing::new(body.to_bytes().to_vec()),
        })
    };
    tokio::pin!(answer);
    // The connection may end with the answer, which counts.
    tokio::select! {
        biased;
        answer = &mut answer => return answer,
        _ = connection => {}
    }
    answer.await
}

fn head(request: &Outgoing, uri: &Uri) -> Result<Request<Full<Bytes>>, Failure> {
    let unusable = || Failure::transient("request", "request to the endpoint cannot be written");
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority().ok_or_else(invalid_url)?;
    let body = request.body.as_ref();
    let body = body.map_or_else(Bytes::new, |body| {
        Bytes::copy_from_slice(body.expose().as_bytes())
    });
    let mut built = Request::builder()
        .method(request.method.as_str())
        .uri(path)
        .header("host", authority.as_str())
        .header("user-agent", "RequestRocket");
    for (name, value) in &request.headers {
        let mut value = http::HeaderValue::from_str(value.expose()).map_err(|_| unusable())?;
        value.set_sensitive(true);
        built = built.header(name.as_str(), value);
    }
    built.body(Full::new(body)).map_err(|_| unusable())
}

fn late() -> Failure {
    Failure::transient("timeout", "endpoint did not answer in time")
}

fn not_allowed(reach: Reach) -> Failure {
    let text = match reach {
        Reach::Allowed => "address not allowed",
        Reach::Opened => "address not allowed without TLS",
    };
    Failure::transient("address_not_allowed", text)
}

fn invalid_url() -> Failure {
    Failure::transient("invalid_url", "URL of the endpoint cannot be used")
}
