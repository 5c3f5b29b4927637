use super::*;
use crate::access::Callers;
use crate::translate::{ProxyResources, ProxyTerms, Settings, TargetRoots, Translator};
use crate::xds::snapshot::ProxyChange;
use bytes::Bytes;
use envoy_types::pb::envoy::service::discovery::v3 as discovery;

mod convergence;
mod delta;
mod limits;
mod refusal;
mod settling;

/// A client of a stream, and the region behind it; what is sent is shown as text.
struct Client {
    stream: Stream,
    snapshot: Snapshot,
}

fn no_proxies() -> Snapshot {
    let settings = Settings {
        region: "eu".to_owned(),
        filter_wasm: "/filter.wasm".into(),
        allow_private_targets: Vec::new(),
        target_roots: TargetRoots::File("/roots.pem".into()),
        collector: None,
    };
    let (clusters, listener) = Translator::new(settings).shared();
    Snapshot::of_shared(clusters, listener)
}

/// `a=1` is proxy `a` with route `1`, `a=1@x` has alias `x` too, `a` is gone.
fn change(text: &str) -> ProxyChange {
    let Some((id, rest)) = text.split_once('=') else {
        return (text.into(), None);
    };
    let (route, alias) = match rest.split_once('@') {
        Some((route, alias)) => (route, Some(alias)),
        None => (rest, None),
    };
    let scope = |name: &str| Bytes::from(format!("{name} to {id}"));
    let resources = ProxyResources {
        passage: crate::fixtures::passage(),
        scope: scope(id),
        alias_scope: alias.map(|alias| (alias.into(), scope(alias))),
        route: Bytes::from(format!("{id} {route}")),
        token: None,
        callers: Callers::nobody(),
        terms: ProxyTerms {
            organisation_id: "o".to_owned(),
            version: "v".to_owned(),
            terms: Bytes::new(),
        },
    };
    (id.into(), Some(resources))
}

impl Client {
    /// A client of a region that has `proxies` at `revision`.
    fn new(revision: u64, proxies: &[&str]) -> Self {
        let changes = proxies.iter().map(|text| change(text)).collect();
        let snapshot = no_proxies().with_changes(revision, changes);
        let stream = Stream::new(ListenerAddresses::default(), Arc::new(snapshot.clone()));
        Self { stream, snapshot }
    }

    /// The region moves on.
    fn publish(&mut self, revision: u64, changes: &[&str]) {
        let changes = changes.iter().map(|text| change(text)).collect();
        self.snapshot = self.snapshot.with_changes(revision, changes);
        self.stream.on_snapshot(Arc::new(self.snapshot.clone()));
    }

    fn send(&mut self, kind: ResourceKind, request: Request) -> Result<(), Violation> {
        self.stream.on_request(Request {
            type_url: kind.type_url(),
            ..request
        })
    }

    fn subscribe(&mut self, kind: ResourceKind, names: &[&str]) {
        self.send(
            kind,
            Request {
                subscribe: texts(names),
                ..Request::default()
            },
        )
        .unwrap();
    }

    fn unsubscribe(&mut self, kind: ResourceKind, names: &[&str]) {
        self.send(
            kind,
            Request {
                unsubscribe: texts(names),
                ..Request::default()
            },
        )
        .unwrap();
    }

    /// Begins a type as a client that reconnects with what it holds.
    fn resume(&mut self, kind: ResourceKind, names: &[&str], held: &[(&str, String)]) {
        let initial = held
            .iter()
            .map(|(name, version)| ((*name).to_owned(), version.clone()));
        let request = Request {
            subscribe: texts(names),
            initial: initial.collect(),
            ..Request::default()
        };
        self.send(kind, request).unwrap();
    }

    fn version(&self, kind: ResourceKind, name: &str) -> String {
        self.snapshot.get(kind, name).unwrap().version().to_string()
    }

    fn ack(&mut self, kind: ResourceKind, nonce: u64) {
        self.send(
            kind,
            Request {
                nonce: Some(nonce),
                ..Request::default()
            },
        )
        .unwrap();
    }

    fn nack(&mut self, kind: ResourceKind, nonce: u64, error: &str) {
        let error = Some(Reason::of(error));
        self.send(
            kind,
            Request {
                nonce: Some(nonce),
                error,
                ..Request::default()
            },
        )
        .unwrap();
    }

    /// All that is sent now, one line a response: `route #3 +a -b`, `!a` where `a` is closed.
    fn sent(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.stream.next_response())
            .map(|sent| show(&sent))
            .collect()
    }

    /// Takes everything as a well-behaved client does, until nothing more comes.
    fn ack_all(&mut self) {
        while let Some(response) = self.stream.next_response() {
            let kind = ResourceKind::of_type_url(&response.type_url).unwrap();
            self.ack(kind, response.nonce.parse().unwrap());
        }
    }

    /// A node that has everything, as Envoy asks for it.
    fn synced(revision: u64, proxies: &[&str]) -> Self {
        let mut client = Self::new(revision, proxies);
        client.subscribe(ResourceKind::Cluster, &[]);
        client.subscribe(ResourceKind::Listener, &[]);
        client.subscribe(ResourceKind::Scope, &[]);
        let ids: Vec<&str> = proxies
            .iter()
            .map(|text| text.split('=').next().unwrap_or_default())
            .collect();
        if !ids.is_empty() {
            client.subscribe(ResourceKind::Route, &ids);
        }
        client.ack_all();
        assert_eq!(client.stream.standing().settled_revision, revision);
        client
    }

    fn settled(&self) -> u64 {
        self.stream.standing().settled_revision
    }
}

/// It lets nobody pass.
fn is_closed(resource: &discovery::Resource) -> bool {
    let name: Arc<str> = resource.name.as_str().into();
    let closed = crate::translate::closed_route(&name);
    resource
        .resource
        .as_ref()
        .is_some_and(|any| any.value == **closed.body())
}

fn show(response: &DeltaDiscoveryResponse) -> String {
    let kind = ResourceKind::of_type_url(&response.type_url);
    let mut line = format!(
        "{} #{}",
        kind.map_or("unknown", ResourceKind::name),
        response.nonce
    );
    for resource in &response.resources {
        line.extend([
            if is_closed(resource) { " !" } else { " +" },
            &resource.name,
        ]);
    }
    for name in &response.removed_resources {
        line.extend([" -", name]);
    }
    line
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}
