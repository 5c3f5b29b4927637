//! A control plane on a free port and a region that speaks to it.

use std::net::SocketAddr;
use std::sync::Arc;

use requestrocket_policy::envelope::sealing::SealingPrivateKey;
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use requestrocket_proto::region::v1::region_link_client::RegionLinkClient;
use requestrocket_proto::region::v1::{
    ConfigBatch, ControlMessage, EnrolRequest, FleetStatus, Hello, NodeStatus, Query,
    RegionMessage, Stored, control_message, region_message,
};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Status, Streaming};

use super::super::*;
use crate::domain::gateway::region::RegionName;
use crate::domain::records::{credential, name_of};
use crate::identity::token::NewToken;
use crate::store::gateway::credential::credential_insert;
use crate::store::log::write::Kind;
use crate::store::testing::{TestStore, note, put_base};

/// A running region link.
pub(super) struct Control {
    pub(super) store: TestStore,
    pub(super) fleets: Fleets,
    pub(super) clock: Clock,
    pub(super) tasks: TaskSet,
    pub(super) address: SocketAddr,
    pub(super) ca_pem: String,
    pub(super) pki: Arc<TempDir>,
}

impl Control {
    pub(super) async fn start(store: TestStore) -> Self {
        let pki = Arc::new(tempfile::tempdir().unwrap());
        // Certificates are checked against the machine's clock, so the authority is of today.
        let authority = Authority::load_or_create(pki.path(), Clock::default().now()).unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let identity = authority
            .issue_server(&names, Clock::default().now())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (fleets, clock, tasks) = (Fleets::default(), Clock::default(), TaskSet::default());
        let control = Self {
            fleets: fleets.clone(),
            clock: clock.clone(),
            tasks: tasks.clone(),
            address,
            ca_pem: authority.certificate_pem().to_owned(),
            pki,
            store,
        };
        let db = control.store.db.clone();
        let link = RegionLink {
            db,
            fleets,
            authority,
            clock,
            tasks: tasks.clone(),
        };
        tasks.spawn("region link server", async move {
            Ok(link.serve(listener, &identity).await?)
        });
        control
    }

    /// A control plane that has them.
    pub(super) async fn with_records(store: TestStore) -> Self {
        let control = Self::start(store).await;
        put_base(&control.store).await;
        control
    }

    /// Puts a credential with a sealed secret into `region`, as one change.
    pub(super) async fn put_credential(&self, region: &str, name: &str, revision: u64) {
        let mut conn = self.store.conn().await;
        let mut credential = credential(name, Side::Proxy, AuthType::ApiKey);
        credential.region = region.parse().unwrap();
        credential.revision = revision;
        let inserted = credential_insert(&mut conn, &credential, Some("c2VhbGVk")).await;
        inserted.unwrap();
        note(&mut conn, region, Kind::Credential, name, revision).await;
        self.fleets.announce(revision);
    }

    pub(super) async fn token(&self, region: &str) -> NewToken {
        issue_token(&self.store.db, &self.clock, &region.parse().unwrap())
            .await
            .unwrap()
    }

    /// A client with the given identity or none, that trusts the control plane.
    pub(super) async fn connect(
        &self,
        identity: Option<Identity>,
    ) -> Result<RegionLinkClient<Channel>, tonic::transport::Error> {
        self.channel(identity).await.map(RegionLinkClient::new)
    }

    /// The connection of such a client, for calls that its service does not have.
    pub(super) async fn channel(
        &self,
        identity: Option<Identity>,
    ) -> Result<Channel, tonic::transport::Error> {
        let ca = Certificate::from_pem(&self.ca_pem);
        let tls = ClientTlsConfig::new()
            .ca_certificate(ca)
            .domain_name("localhost");
        let tls = identity.into_iter().fold(tls, ClientTlsConfig::identity);
        let endpoint = Endpoint::from_shared(format!("https://{}", self.address)).unwrap();
        endpoint.tls_config(tls).unwrap().connect().await
    }

    pub(super) async fn enrol(&self, token: &str) -> Result<Region, Status> {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        let csr_der = params
            .serialize_request(&key)
            .unwrap()
            .der()
            .to_vec()
            .into();
        let mut client = self.connect(None).await.unwrap();
        let request = EnrolRequest {
            token: token.to_owned(),
            csr_der,
        };
        let enrolled = client.enrol(request).await?.into_inner();
        assert_eq!(enrolled.ca_pem, self.ca_pem);
        let identity = Identity::from_pem(&enrolled.certificate_pem, key.serialize_pem());
        Ok(Region {
            name: enrolled.region,
            identity,
            certificate_pem: enrolled.certificate_pem,
        })
    }

    /// Enrols `region` anew.
    pub(super) async fn region(&self, region: &str) -> Region {
        let token = self.token(region).await;
        self.enrol(token.expose()).await.unwrap()
    }

    /// An identity for `region` that our authority signed without any enrolment.
    pub(super) fn forged(&self, region: &RegionName) -> Identity {
        let authority = Authority::load_or_create(self.pki.path(), Clock::default().now()).unwrap();
        signed_by(&authority, region)
    }

    /// What tests call the credentials whose sealed secrets are still there.
    pub(super) async fn sealed_copies(&self) -> Vec<String> {
        let statement = "SELECT credential_id FROM credential WHERE sealed_secret IS NOT NULL
                         ORDER BY credential_id";
        let mut conn = self.store.conn().await;
        let rows: Vec<(String,)> = sqlx::query_as(statement)
            .fetch_all(&mut *conn)
            .await
            .unwrap();
        rows.iter().map(|(id,)| name_of(id)).collect()
    }
}

/// A client identity for `region`.
pub(super) fn signed_by(authority: &Authority, region: &RegionName) -> Identity {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    let csr = params.serialize_request(&key).unwrap().der().to_vec();
    let issued = authority
        .issue_region(region, &csr, Clock::default().now())
        .unwrap();
    Identity::from_pem(issued.pem, key.serialize_pem())
}

/// A region that enrolled.
#[derive(Debug)]
pub(super) struct Region {
    pub(super) name: String,
    pub(super) identity: Identity,
    pub(super) certificate_pem: String,
}

impl Region {
    pub(super) async fn attach(&self, control: &Control, stored: u64) -> Attached {
        attach(control, self.identity.clone(), hello(stored))
            .await
            .unwrap()
    }
}

pub(super) fn hello(stored_revision: u64) -> RegionMessage {
    let key = SealingPrivateKey::generate()
        .unwrap()
        .public_key()
        .to_bytes();
    message(region_message::Kind::Hello(Hello {
        stored_revision,
        sealing_public_key: key.to_vec().into(),
        base_url: "https://eu.example.com".to_owned(),
    }))
}

fn message(kind: region_message::Kind) -> RegionMessage {
    RegionMessage { kind: Some(kind) }
}

/// Opens a link whose first message is `first`.
pub(super) async fn attach(
    control: &Control,
    identity: Identity,
    first: RegionMessage,
) -> Result<Attached, Status> {
    let (to, messages) = mpsc::channel(8);
    to.send(first).await.unwrap();
    let mut client = control.connect(Some(identity)).await.unwrap();
    let from = client
        .attach(ReceiverStream::new(messages))
        .await?
        .into_inner();
    Ok(Attached { to, from })
}

/// The region's end of a link.
#[derive(Debug)]
pub(super) struct Attached {
    to: mpsc::Sender<RegionMessage>,
    from: Streaming<ControlMessage>,
}

impl Attached {
    pub(super) async fn batch(&mut self) -> ConfigBatch {
        match self.next().await.unwrap().unwrap().kind.unwrap() {
            control_message::Kind::Batch(batch) => batch,
            control_message::Kind::Query(query) => panic!("no batch but {query:?}"),
        }
    }

    pub(super) async fn query(&mut self) -> Query {
        match self.next().await.unwrap().unwrap().kind.unwrap() {
            control_message::Kind::Query(query) => query,
            control_message::Kind::Batch(batch) => panic!("no query but {batch:?}"),
        }
    }

    /// The next message, or how the link ended.
    pub(super) async fn next(&mut self) -> Result<Option<ControlMessage>, Status> {
        self.from.message().await
    }

    /// Reads until the link ends.
    pub(super) async fn end(&mut self) -> Option<Status> {
        loop {
            match self.next().await {
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(status) => return Some(status),
            }
        }
    }

    pub(super) async fn send(&self, kind: region_message::Kind) {
        self.to.send(message(kind)).await.unwrap();
    }

    pub(super) async fn stored(&self, revision: u64) {
        self.send(region_message::Kind::Stored(Stored { revision }))
            .await;
    }

    /// Reports one node; messages are taken in order, so whoever sees it knows that all before it
    /// were taken.
    pub(super) async fn report(&self, node_id: &str) {
        let node = NodeStatus {
            node_id: node_id.to_owned(),
            is_connected: true,
            ..NodeStatus::default()
        };
        self.send(region_message::Kind::FleetStatus(FleetStatus {
            nodes: vec![node],
        }))
        .await;
    }
}

/// What tests call a batch's credentials.
pub(super) fn credentials(batch: &ConfigBatch) -> Vec<String> {
    use requestrocket_proto::region::v1::change::Kind;

    batch
        .changes
        .iter()
        .filter_map(|change| match &change.kind {
            Some(Kind::Credential(credential)) => Some(name_of(&credential.credential_id)),
            _ => None,
        })
        .collect()
}
