//! A control plane that does what a test tells it, over real mutual TLS.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, SanType,
};
use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::region::v1::region_link_server::{
    RegionLink as Service, RegionLinkServer,
};
use requestrocket_proto::region::v1::{
    Change, ConfigBatch, ControlMessage, EnrolRequest, EnrolResponse, Hello, Query, RegionMessage,
    control_message, region_message,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status, Streaming};

pub(super) const TOKEN: &str = "e-canary-5f0c-hunter2";

/// The authority, which outlives restarts of the server.
pub(super) struct Authority {
    pub(super) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> Arc<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Arc::new(Self {
            pem,
            issuer: Issuer::new(params, key),
        })
    }

    fn server(&self) -> Identity {
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity::from_pem(certificate.pem(), key.serialize_pem())
    }

    fn client(&self, region: &str, csr_der: &[u8]) -> String {
        let mut csr = CertificateSigningRequestParams::from_der(&csr_der.into()).unwrap();
        let name = format!("{region}.region.requestrocket");
        csr.params.subject_alt_names = vec![SanType::DnsName(name.try_into().unwrap())];
        csr.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        csr.signed_by(&self.issuer).unwrap().pem()
    }
}

/// A running control plane.
pub(super) struct Control {
    pub(super) address: SocketAddr,
    pub(super) enrolments: Arc<Mutex<u32>>,
    /// Accepted so far, whatever became of them.
    pub(super) connections: Arc<AtomicU32>,
    attached: mpsc::Receiver<Attached>,
    tasks: TaskSet,
}

/// One region that attached.
pub(super) struct Attached {
    pub(super) hello: Hello,
    inbound: Streaming<RegionMessage>,
    outbound: mpsc::Sender<Result<ControlMessage, Status>>,
}

struct Handler {
    authority: Arc<Authority>,
    region: String,
    enrolments: Arc<Mutex<u32>>,
    attached: mpsc::Sender<Attached>,
}

impl Control {
    /// Enrols whoever brings the token as `region`.
    pub(super) async fn start(authority: &Arc<Authority>, region: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::start_on(listener, authority, region)
    }

    pub(super) fn start_on(
        listener: TcpListener,
        authority: &Arc<Authority>,
        region: &str,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let (sender, attached) = mpsc::channel(8);
        let enrolments = Arc::new(Mutex::new(0));
        let handler = Handler {
            authority: Arc::clone(authority),
            region: region.to_owned(),
            enrolments: Arc::clone(&enrolments),
            attached: sender,
        };
        let tls = ServerTlsConfig::new()
            .identity(authority.server())
            .client_ca_root(Certificate::from_pem(&authority.pem))
            .client_auth_optional(true);
        let tasks = TaskSet::default();
        let stopping = tasks.stopping();
        let connections = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&connections);
        let incoming = TcpListenerStream::new(listener).inspect(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        tasks.spawn("fake control plane", async move {
            Server::builder()
                .tls_config(tls)?
                .add_service(RegionLinkServer::new(handler))
                .serve_with_incoming_shutdown(incoming, stopping.cancelled())
                .await?;
            Ok(())
        });
        Self {
            address,
            enrolments,
            connections,
            attached,
            tasks,
        }
    }

    /// Waits for the next region to attach.
    pub(super) async fn attached(&mut self) -> Attached {
        self.attached.recv().await.unwrap()
    }

    /// A region that attached already.
    pub(super) fn attached_yet(&mut self) -> Option<Attached> {
        self.attached.try_recv().ok()
    }

    /// Ends the server; streams have to be dropped first.
    pub(super) async fn stop(self) {
        drop(self.attached);
        self.tasks.shutdown().await;
    }
}

impl Attached {
    pub(super) async fn delta(&self, revision: u64, changes: Vec<Change>) {
        self.batch(ConfigBatch {
            revision,
            is_full: false,
            is_last: false,
            changes,
        })
        .await;
    }

    pub(super) async fn full(&self, revision: u64, changes: Vec<Change>) {
        self.batch(ConfigBatch {
            revision,
            is_full: true,
            is_last: true,
            changes,
        })
        .await;
    }

    pub(super) async fn batch(&self, batch: ConfigBatch) {
        let kind = Some(control_message::Kind::Batch(batch));
        self.outbound
            .send(Ok(ControlMessage { kind }))
            .await
            .unwrap();
    }

    pub(super) async fn query(&self, query: Query) {
        let kind = Some(control_message::Kind::Query(query));
        self.outbound
            .send(Ok(ControlMessage { kind }))
            .await
            .unwrap();
    }

    /// The next message of any kind; None when the region ended the stream.
    /// But for what is told of tokens.
    pub(super) async fn next(&mut self) -> Option<region_message::Kind> {
        loop {
            match self.next_of_all().await {
                Some(
                    region_message::Kind::TokenStates(_)
                    | region_message::Kind::CredentialUses(_)
                    | region_message::Kind::SlotFailures(_)
                    | region_message::Kind::Notices(_),
                ) => {}
                kind => return kind,
            }
        }
    }

    pub(super) async fn next_of_all(&mut self) -> Option<region_message::Kind> {
        self.inbound
            .message()
            .await
            .ok()
            .flatten()
            .map(|message| message.kind.unwrap())
    }

    /// Reads on until `revision` is stored.
    pub(super) async fn stored(&mut self, revision: u64) {
        loop {
            match self.next().await.unwrap() {
                region_message::Kind::Stored(stored) if stored.revision >= revision => return,
                region_message::Kind::Stored(_)
                | region_message::Kind::FleetStatus(_)
                | region_message::Kind::Unusable(_)
                | region_message::Kind::TokenStates(_)
                | region_message::Kind::CredentialUses(_)
                | region_message::Kind::SlotFailures(_)
                | region_message::Kind::Notices(_)
                | region_message::Kind::TargetChecks(_) => {}
                kind @ (region_message::Kind::Hello(_) | region_message::Kind::Answer(_)) => {
                    panic!("{kind:?}")
                }
            }
        }
    }
}

#[tonic::async_trait]
impl Service for Handler {
    type AttachStream = ReceiverStream<Result<ControlMessage, Status>>;

    async fn enrol(
        &self,
        request: Request<EnrolRequest>,
    ) -> Result<Response<EnrolResponse>, Status> {
        let EnrolRequest { token, csr_der } = request.into_inner();
        *self.enrolments.lock().unwrap() += 1;
        if token != TOKEN {
            return Err(Status::unauthenticated("enrolment token is unknown"));
        }
        Ok(Response::new(EnrolResponse {
            region: self.region.clone(),
            certificate_pem: self.authority.client(&self.region, &csr_der),
            ca_pem: self.authority.pem.clone(),
        }))
    }

    async fn attach(
        &self,
        request: Request<Streaming<RegionMessage>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        if request.peer_certs().is_none_or(|chain| chain.is_empty()) {
            return Err(Status::unauthenticated("no client certificate"));
        }
        let mut inbound = request.into_inner();
        let first = inbound.message().await?.and_then(|message| message.kind);
        let Some(region_message::Kind::Hello(hello)) = first else {
            return Err(Status::invalid_argument("no hello"));
        };
        let (outbound, outgoing) = mpsc::channel(8);
        let attached = Attached {
            hello,
            inbound,
            outbound,
        };
        self.attached
            .send(attached)
            .await
            .map_err(|_| Status::unavailable("stopping"))?;
        Ok(Response::new(ReceiverStream::new(outgoing)))
    }
}
