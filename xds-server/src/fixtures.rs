//! Records of the control plane, ready-made for tests.

use std::sync::Arc;

use requestrocket_policy::envelope::Binding;
use requestrocket_process::clock::Clock;
use requestrocket_proto::policy::v1 as policy;
use requestrocket_proto::region::v1 as region;
use requestrocket_proto::region::v1::change::Kind;
use requestrocket_proto::region::v1::{CredentialAuthType as Auth, CredentialSide};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::records::ingest::Ingest;
use crate::secrets::keys::RegionKeys;
use crate::secrets::renew::client::Client;
use crate::store::tests::TestStore;
use crate::target_tests::TargetTests;

pub(crate) const REGION: &str = "eu-1";
pub(crate) const ORGANISATION: &str = "0b9e3d4c-6a52-4a38-9d2f-5d1b7a4f0c11";
/// Planted in every secret; must never be seen outside an envelope.
pub(crate) const CANARY: &str = "canary-5f0c-hunter2";

/// Of a proxy that nobody looks at.
pub(crate) fn passage() -> crate::translate::ProxyPassage {
    crate::translate::ProxyPassage {
        organisation_id: ORGANISATION.to_owned(),
        target_id: String::new(),
        timeout: std::time::Duration::from_secs(30),
        max_body_bytes: 1 << 20,
        kept: std::time::Duration::from_hours(24),
        sends_key: true,
        callback_hosts: Vec::new(),
    }
}

/// A store with its keys.
pub(crate) struct Region {
    pub(crate) store: TestStore,
    pub(crate) keys: Arc<RegionKeys>,
    pub(crate) ingest: Ingest,
    pub(crate) folder: tempfile::TempDir,
}

impl Region {
    pub(crate) async fn with(store: TestStore) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Arc::new(RegionKeys::load_or_create(folder.path()).unwrap());
        let mut tx = store.store.begin().await.unwrap();
        let check = keys.check(REGION).unwrap();
        crate::store::state::state_insert(&mut tx, &check)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let ingest = Ingest::new(store.store.clone(), REGION.to_owned(), Arc::clone(&keys));
        Self {
            store,
            keys,
            ingest,
            folder,
        }
    }

    /// Calls targets, also at these addresses.
    pub(crate) fn target_tests(&self, allowed: &[ipnet::IpNet]) -> TargetTests {
        let client = Client::new(b"", allowed);
        let of = (REGION, &self.keys);
        TargetTests::new(of, (&self.store.store, &client), &Clock::default())
    }

    /// A caller's API key.
    pub(crate) fn caller(&self, credential_id: &str, version: u64, key: &str) -> region::Change {
        let json = serde_json::json!({ "key": key }).to_string();
        let side = CredentialSide::Proxy;
        self.credential(credential_id, version, (side, Auth::ApiKey), &json)
    }

    /// A bearer token for a target.
    pub(crate) fn bearer(&self, credential_id: &str, version: u64, token: &str) -> region::Change {
        let json = serde_json::json!({ "token": token }).to_string();
        let side = CredentialSide::Target;
        self.credential(credential_id, version, (side, Auth::Bearer), &json)
    }

    pub(crate) fn credential(
        &self,
        credential_id: &str,
        version: u64,
        (side, auth): (CredentialSide, Auth),
        secret_json: &str,
    ) -> region::Change {
        let (organisation, credential) = (ORGANISATION.parse(), credential_id.parse());
        let binding = Binding::secret(REGION, organisation.unwrap(), credential.unwrap(), version);
        let sealing = self.keys.sealing.public_key();
        let sealed_secret = sealing.seal(secret_json.as_bytes(), &binding).unwrap();
        change(Kind::Credential(region::Credential {
            credential_id: credential_id.to_owned(),
            organisation_id: ORGANISATION.to_owned(),
            is_active: true,
            version,
            side: side.into(),
            auth_type: auth.into(),
            sealed_secret: sealed_secret.into(),
            layer: Some(allowing_layer()),
            ends_at_ms: 0,
            previous_ends_at_ms: 0,
            allowed_hosts: Vec::new(),
            consent: None,
            next: None,
        }))
    }
}

pub(crate) fn change(kind: Kind) -> region::Change {
    region::Change { kind: Some(kind) }
}

pub(crate) fn organisation(is_suspended: bool) -> region::Change {
    let organisation_id = ORGANISATION.to_owned();
    change(Kind::Organisation(region::Organisation {
        organisation_id,
        is_suspended,
        credential_limits: None,
    }))
}

pub(crate) fn target(target_id: &str, base_url: &str) -> region::Change {
    change(Kind::Target(region::Target {
        target_id: target_id.to_owned(),
        organisation_id: ORGANISATION.to_owned(),
        base_url: base_url.to_owned(),
        layer: Some(allowing_layer()),
        check_seconds: 0,
        test_path: String::new(),
    }))
}

pub(crate) fn proxy(
    proxy_id: &str,
    callers: &[&str],
    target_id: &str,
    target_credential_id: &str,
) -> region::Change {
    change(Kind::Proxy(region::Proxy {
        proxy_id: proxy_id.to_owned(),
        organisation_id: ORGANISATION.to_owned(),
        is_active: true,
        proxy_credential_ids: callers.iter().map(|id| (*id).to_owned()).collect(),
        target_id: target_id.to_owned(),
        target_credential_id: target_credential_id.to_owned(),
        timeout_seconds: 30,
        max_response_bytes: 6 << 20,
        alias: String::new(),
        layer: Some(allowing_layer()),
        limits: None,
        meters: Vec::new(),
        max_inspected_bytes: 1 << 20,
        cors: None,
    }))
}

/// Lets everything pass.
pub(crate) fn allowing_layer() -> policy::Layer {
    policy::Layer {
        default_effect: policy::Effect::Allow.into(),
        rules: Vec::new(),
        redactions: Vec::new(),
    }
}

/// Lets everything pass but these methods.
pub(crate) fn layer_denying(methods: &[&str]) -> policy::Layer {
    let conditions = policy::Conditions {
        methods: methods.iter().map(|method| (*method).to_owned()).collect(),
        path: None,
        headers: Vec::new(),
        query: Vec::new(),
        body: Vec::new(),
        claims: Vec::new(),
    };
    let rule = policy::Rule {
        rule_id: id(90),
        effect: policy::Effect::Deny.into(),
        priority: 500,
        conditions: Some(conditions),
    };
    policy::Layer {
        rules: vec![rule],
        ..allowing_layer()
    }
}

/// So many a minute.
pub(crate) fn limits(minute: u64) -> policy::Limits {
    policy::Limits {
        minute: Some(minute),
        hour: None,
        day: None,
        month: None,
    }
}

/// Counts every request.
pub(crate) fn meter(meter_id: &str) -> policy::Meter {
    policy::Meter {
        meter_id: meter_id.to_owned(),
        extraction: None,
        conditions: None,
        limits: Some(limits(10)),
    }
}

/// The same record with another layer; None as an older control plane sends it.
pub(crate) fn with_layer(mut given: region::Change, new: Option<policy::Layer>) -> region::Change {
    match &mut given.kind {
        Some(Kind::Credential(record)) => record.layer = new,
        Some(Kind::Target(record)) => record.layer = new,
        Some(Kind::Proxy(record)) => record.layer = new,
        kind => panic!("no layer on {kind:?}"),
    }
    given
}

/// The same proxy, differing.
pub(crate) fn with_proxy(
    mut given: region::Change,
    differ: impl FnOnce(&mut region::Proxy),
) -> region::Change {
    match &mut given.kind {
        Some(Kind::Proxy(proxy)) => differ(proxy),
        kind => panic!("no proxy: {kind:?}"),
    }
    given
}

pub(crate) fn removed(kind: region::RecordKind, id: &str) -> region::Change {
    change(Kind::Removed(region::Removed {
        kind: kind.into(),
        id: id.to_owned(),
    }))
}

/// A translator of this region.
pub(crate) fn translation() -> crate::translate::Settings {
    crate::translate::Settings {
        region: REGION.to_owned(),
        filter_wasm: "filter.wasm".into(),
        allow_private_targets: Vec::new(),
        target_roots: crate::translate::TargetRoots::File("roots.pem".into()),
        collector: None,
    }
}

/// The same credential without its secret, as after an acknowledgement.
pub(crate) fn without_secret(mut given: region::Change) -> region::Change {
    if let Some(Kind::Credential(credential)) = &mut given.kind {
        credential.sealed_secret.clear();
    }
    given
}

/// A UUID that says its number.
pub(crate) fn id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// Status and body of a GET, over a plain socket.
pub(crate) async fn http_get(base: &str, path: &str) -> (u16, String) {
    let address = base.trim_start_matches("http://");
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (
        head.split(' ').nth(1).unwrap().parse().unwrap(),
        body.to_owned(),
    )
}
