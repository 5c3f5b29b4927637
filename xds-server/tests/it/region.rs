//! A region server without a region: publisher, fleet and ADS on a free port.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use requestrocket_process::clock::Clock;
use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::region::v1::NodeStatus;
use requestrocket_xds_server::access::AccessChecks;
use requestrocket_xds_server::access_log::{
    AccessLogs, CallLog, Inlet, Listeners, Place, Retention,
};
use requestrocket_xds_server::asynchronous::Arrivals;
use requestrocket_xds_server::keys::{KeyRenewals, OpaqueTokens, RefusedTokens};
use requestrocket_xds_server::meters::Meters;
use requestrocket_xds_server::node_api::{self, Services, Tls};
use requestrocket_xds_server::queue::Queue;
use requestrocket_xds_server::records::ingest::Ingest;
use requestrocket_xds_server::records::region_config::{
    ProxyConfig, RegionUpdate, Scheme, TargetConfig,
};
use requestrocket_xds_server::region::RegionWriter;
use requestrocket_xds_server::secrets::keys::RegionKeys;
use requestrocket_xds_server::secrets::renew::client::Client;
use requestrocket_xds_server::secrets::renew::introspect::Introspections;
use requestrocket_xds_server::store::Store;
use requestrocket_xds_server::terms::KnownTerms;
use requestrocket_xds_server::translate::{Settings, TargetRoots};
use requestrocket_xds_server::usage::Usage;
use requestrocket_xds_server::xds::ads::Ads;
use requestrocket_xds_server::xds::publisher::Publisher;
use requestrocket_xds_server::xds::status::Fleet;
use tokio::net::TcpListener;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

/// Name of the region of these tests.
pub(crate) const REGION: &str = "eu";

pub(crate) struct Region {
    pub(crate) address: SocketAddr,
    pub(crate) publisher: Arc<Publisher>,
    pub(crate) fleet: Fleet,
    pub(crate) tasks: TaskSet,
    pub(crate) calls: CallLog,
    authority: Authority,
    /// Of the store.
    _folder: tempfile::TempDir,
}

/// Signs certificates of nodes, and of the server.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// What a node shows.
pub(crate) struct NodeKeys {
    certificate_pem: String,
    key_pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Other than what it signs, or verifiers take those for their own issuers.
        params
            .distinguished_name
            .push(DnType::CommonName, "authority");
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub(crate) fn sign(&self, name: &str) -> NodeKeys {
        self.sign_with(&CertificateParams::new(vec![name.to_owned()]).unwrap())
    }

    fn sign_with(&self, params: &CertificateParams) -> NodeKeys {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        NodeKeys {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        }
    }
}

async fn listeners(store: &Store, writer: &Arc<RegionWriter>, tasks: &TaskSet) -> Listeners {
    let clock = Clock::default();
    let started = Listeners::start(store, writer, &clock, tasks).await;
    started.unwrap()
}

async fn call_log(folder: &Path, tasks: &TaskSet) -> (CallLog, Inlet) {
    let retention = Retention {
        days: 90,
        bytes: 1 << 30,
    };
    let log = CallLog::open(
        Place::files(&folder.join("calls")),
        retention,
        Clock::default(),
        tasks,
    );
    log.await.unwrap()
}

async fn known_terms(folder: &Path, publisher: &Publisher, tasks: &TaskSet) -> KnownTerms {
    let beside = (Clock::default(), tasks);
    let folder = folder.join("calls");
    let terms = KnownTerms::open(&folder, 90, publisher.subscribe(), beside);
    terms.await.unwrap()
}

fn settings() -> Settings {
    Settings {
        region: REGION.to_owned(),
        filter_wasm: "/filter.wasm".into(),
        allow_private_targets: Vec::new(),
        target_roots: TargetRoots::File("/roots.pem".into()),
        collector: None,
    }
}

impl Region {
    /// A region that has published nothing yet.
    pub(crate) async fn start() -> Self {
        let authority = Authority::new();
        let publisher = Arc::new(Publisher::new(settings()));
        let (fleet, tasks) = (Fleet::new(Clock::default()), TaskSet::default());
        tasks.spawn("fleet status", fleet.clone().run(tasks.stopping()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = authority.sign("localhost");
        let tls = Tls {
            certificate_pem: server.certificate_pem,
            key_pem: server.key_pem,
            node_ca_pem: authority.0.pem(),
        };
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("region.db").display());
        let store = Store::open(&url).await.unwrap();
        let meters = Meters::in_memory(store.clone(), Clock::default(), &tasks);
        let (calls, inlet) = call_log(folder.path(), &tasks).await;
        let terms = known_terms(folder.path(), &publisher, &tasks).await;
        let usage = Usage::open(store.clone(), Clock::default(), &tasks).await;
        let keys = Arc::new(RegionKeys::load_or_create(folder.path()).unwrap());
        let ingest = Ingest::new(store.clone(), REGION.to_owned(), Arc::clone(&keys));
        let writer = Arc::new(RegionWriter::new(ingest, Arc::clone(&publisher)));
        let told = listeners(&store, &writer, &tasks).await;
        let into = (inlet, told.clone(), terms);
        let queue = Queue::new(&store, (REGION, &keys), &Clock::default(), &tasks);
        let services = Services {
            arrivals: Arrivals::new(queue, publisher.subscribe(), "http://gateway.test"),
            ads: Ads::new(REGION, publisher.subscribe(), fleet.clone(), tasks.clone()),
            meters: told.notices.watching(&meters.await.unwrap()),
            access: AccessChecks::new(publisher.subscribe(), Clock::default()),
            access_logs: AccessLogs::new(REGION, store.clone(), into, tasks.clone()),
            keys: KeyRenewals::new(
                RefusedTokens::new(&writer, &store, &Clock::default()),
                OpaqueTokens {
                    region: REGION.to_owned(),
                    keys,
                    store,
                    asked: Introspections::new(Client::new(b"", &[]), Clock::default()),
                },
            ),
            usage: usage.unwrap(),
        };
        tasks.spawn(
            "ads",
            node_api::serve(listener, tls, services, tasks.stopping()),
        );
        Self {
            address,
            publisher,
            fleet,
            tasks,
            calls,
            authority,
            _folder: folder,
        }
    }

    pub(crate) async fn with(proxies: &[&str]) -> Self {
        let region = Self::start().await;
        region.publisher.apply(
            1,
            RegionUpdate::Full(proxies.iter().map(|id| proxy(id)).collect()),
        );
        region
    }

    pub(crate) fn change(&self, revision: u64, proxies: Vec<ProxyConfig>) {
        let changes = proxies
            .into_iter()
            .map(|proxy| (proxy.proxy_id.clone(), Some(proxy)));
        self.publisher
            .apply(revision, RegionUpdate::Delta(changes.collect()));
    }

    pub(crate) fn keys(&self, name: &str) -> NodeKeys {
        self.authority.sign(name)
    }

    pub(crate) fn sign_with(&self, params: &CertificateParams) -> NodeKeys {
        self.authority.sign_with(params)
    }

    /// A connection as that node; none shows no certificate.
    pub(crate) async fn connect(
        &self,
        keys: Option<&NodeKeys>,
    ) -> Result<AggregatedDiscoveryServiceClient<Channel>, tonic::transport::Error> {
        let channel = self.channel(keys).await?;
        Ok(AggregatedDiscoveryServiceClient::new(channel))
    }

    /// The same, for any service.
    pub(crate) async fn channel(
        &self,
        keys: Option<&NodeKeys>,
    ) -> Result<Channel, tonic::transport::Error> {
        let mut tls = ClientTlsConfig::new()
            .domain_name("localhost")
            .ca_certificate(Certificate::from_pem(self.authority.0.pem()));
        if let Some(NodeKeys {
            certificate_pem,
            key_pem,
        }) = keys
        {
            tls = tls.identity(Identity::from_pem(certificate_pem, key_pem));
        }
        let endpoint = Endpoint::from_shared(format!("https://{}", self.address))?;
        endpoint.tls_config(tls)?.connect().await
    }

    /// Waits until the fleet looks like that.
    pub(crate) async fn fleet_until(
        &self,
        what: &str,
        mut is_there: impl FnMut(&[NodeStatus]) -> bool,
    ) -> Vec<NodeStatus> {
        let mut statuses = self.fleet.subscribe();
        let found = statuses.wait_for(|nodes| is_there(nodes));
        let limit = std::time::Duration::from_secs(20);
        let Ok(found) = tokio::time::timeout(limit, found).await else {
            panic!("never {what}: {:?}", self.fleet.subscribe().borrow())
        };
        found.unwrap().clone()
    }
}

fn allowing_layer() -> wire::Layer {
    wire::Layer {
        default_effect: wire::Effect::Allow.into(),
        rules: Vec::new(),
        redactions: Vec::new(),
    }
}

/// A complete proxy without credentials.
pub(crate) fn proxy(id: &str) -> ProxyConfig {
    ProxyConfig {
        target_id: String::new(),
        proxy_id: id.to_owned(),
        organisation_id: "organisation".to_owned(),
        alias: None,
        is_active: true,
        is_suspended: false,
        timeout_seconds: NonZeroU32::new(30).unwrap(),
        max_response_bytes: 6 << 20,
        max_inspected_bytes: 1 << 20,
        cors: None,
        target: Some(TargetConfig {
            scheme: Scheme::Https,
            authority: "api.example.com".to_owned(),
            base_path: String::new(),
            layer: allowing_layer(),
        }),
        proxy_credentials: Vec::new(),
        target_credential: None,
        layer: allowing_layer(),
        limits: wire::Limits::default(),
        meters: Vec::new(),
        data_key: b"data key".to_vec(),
        digest_key: b"digest key".to_vec(),
    }
}

/// The same with something changed.
pub(crate) fn changed(id: &str, max_response_bytes: u64) -> ProxyConfig {
    ProxyConfig {
        target_id: String::new(),
        max_response_bytes,
        ..proxy(id)
    }
}

/// What every test that needs one certificate only begins with.
pub(crate) async fn region_and_node(proxies: &[&str]) -> (Arc<Region>, NodeKeys) {
    let region = Region::with(proxies).await;
    let keys = region.keys("eu-envoy-1");
    (Arc::new(region), keys)
}
