//! Whatever happens in between, a node ends with what the region has.

use proptest::prelude::*;

use super::*;
use ResourceKind::{Cluster, Listener, Route, Scope};

/// Envoy as far as this matters: it takes what it likes, asks for the routes of its scopes, and
/// refuses a response that holds a resource it does not like.
#[derive(Default)]
struct Envoy {
    held: BTreeMap<(ResourceKind, String), Vec<u8>>,
    /// Responses that it has yet to answer.
    inbox: Vec<DeltaDiscoveryResponse>,
    received: usize,
}

#[derive(Clone, Debug)]
enum Event {
    /// The proxy gets this route; one that begins with `bad` is refused by Envoy.
    Put(u8, &'static str),
    Remove(u8),
    /// The server sends one response.
    Send,
    /// Envoy answers the oldest response.
    Answer,
    /// The connection breaks.
    Reconnect,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..5_u8, prop_oneof![Just("one"), Just("two"), Just("bad one"), Just("bad two")])
            .prop_map(|(proxy, route)| Event::Put(proxy, route)),
        1 => (0..5_u8).prop_map(Event::Remove),
        4 => Just(Event::Send),
        4 => Just(Event::Answer),
        1 => Just(Event::Reconnect),
    ]
}

impl Envoy {
    fn connect(&mut self, client: &mut Client) {
        self.inbox.clear();
        client.stream = Stream::new(
            ListenerAddresses::default(),
            Arc::new(client.snapshot.clone()),
        );
        for kind in [Cluster, Listener, Scope, Route] {
            let of_kind = self.held.iter().filter(|((held, _), _)| *held == kind);
            let held: Vec<(String, String)> = of_kind
                .map(|((_, name), body)| {
                    (
                        name.clone(),
                        crate::xds::resource::Version::of(body).to_string(),
                    )
                })
                .collect();
            let scopes: Vec<String> = self.names(Scope);
            let names = if kind == Route { scopes } else { texts(&["*"]) };
            if !names.is_empty() {
                let request = Request {
                    subscribe: names,
                    initial: held,
                    ..Request::default()
                };
                client.send(kind, request).unwrap();
            }
        }
    }

    fn names(&self, kind: ResourceKind) -> Vec<String> {
        let of_kind = self.held.keys().filter(|(held, _)| *held == kind);
        of_kind.map(|(_, name)| name.clone()).collect()
    }

    fn receive(&mut self, client: &mut Client) -> bool {
        let response = client.stream.next_response();
        let is_one = response.is_some();
        if is_one {
            self.received += 1;
        }
        self.inbox.extend(response);
        is_one
    }

    fn answer(&mut self, client: &mut Client) -> bool {
        if self.inbox.is_empty() {
            return false;
        }
        let response = self.inbox.remove(0);
        let kind = ResourceKind::of_type_url(&response.type_url).unwrap();
        let nonce = response.nonce.parse().unwrap();
        let body = |r: &envoy_types::pb::envoy::service::discovery::v3::Resource| {
            r.resource.as_ref().unwrap().value.clone()
        };
        let is_bad = |body: &[u8]| body.windows(3).any(|window| window == b"bad");
        if kind == Route
            && response
                .resources
                .iter()
                .any(|resource| is_bad(&body(resource)))
        {
            client.nack(kind, nonce, "bad");
            return true;
        }
        let mut asks = Request {
            nonce: Some(nonce),
            ..Request::default()
        };
        let mut routes = Request::default();
        for resource in &response.resources {
            let is_new = self
                .held
                .insert((kind, resource.name.clone()), body(resource))
                .is_none();
            if kind == Scope && is_new {
                routes.subscribe.push(resource.name.clone());
            }
        }
        for name in &response.removed_resources {
            let was_there = self.held.remove(&(kind, name.clone())).is_some();
            if kind == Scope && was_there {
                self.held.remove(&(Route, name.clone()));
                routes.unsubscribe.push(name.clone());
            }
        }
        asks.type_url = kind.type_url();
        client.send(kind, asks).unwrap();
        if !routes.subscribe.is_empty() || !routes.unsubscribe.is_empty() {
            client.send(Route, routes).unwrap();
        }
        true
    }

    fn settle(&mut self, client: &mut Client) {
        for _ in 0..1_000 {
            if !self.receive(client) && !self.answer(client) {
                return;
            }
        }
        panic!("it never ends");
    }
}

fn run(events: Vec<Event>) {
    let mut client = Client::new(1, &[]);
    let mut envoy = Envoy::default();
    envoy.connect(&mut client);
    let mut revision = 1;
    let mut publish = |client: &mut Client, text: &str| {
        revision += 1;
        client.publish(revision, &[text]);
    };
    for event in events {
        match event {
            Event::Put(proxy, route) => publish(&mut client, &format!("p{proxy}={route}")),
            Event::Remove(proxy) => publish(&mut client, &format!("p{proxy}")),
            Event::Send => {
                envoy.receive(&mut client);
            }
            Event::Answer => {
                envoy.answer(&mut client);
            }
            Event::Reconnect => envoy.connect(&mut client),
        }
        let standing = client.stream.standing();
        assert!(standing.settled_revision <= standing.revision);
    }
    envoy.settle(&mut client);
    check(&client, &envoy);
    let received = envoy.received;
    envoy.settle(&mut client);
    assert_eq!(envoy.received, received, "nothing is sent without a change");
}

fn check(client: &Client, envoy: &Envoy) {
    let standing = client.stream.standing();
    assert_eq!(standing.settled_revision, standing.revision, "{standing:?}");
    let wanted = |kind| {
        client
            .snapshot
            .names(kind)
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(envoy.names(Scope), wanted(Scope));
    let mut refused = Vec::new();
    for name in wanted(Route) {
        let present = client.snapshot.get(Route, &name).unwrap().body().to_vec();
        let held = envoy.held.get(&(Route, name.clone()));
        if present.windows(3).any(|window| window == b"bad") {
            refused.push(name);
            assert_ne!(held, Some(&present));
        } else {
            assert_eq!(held, Some(&present), "{name}");
        }
    }
    let shown = standing
        .refusals
        .iter()
        .filter_map(|refusal| refusal.proxy_id.as_deref());
    assert_eq!(shown.collect::<Vec<_>>(), refused);
}

proptest! {
    #[test]
    fn a_node_ends_with_what_the_region_has(
        events in proptest::collection::vec(event(), 0..120)
    ) {
        run(events);
    }
}
