use std::collections::HashMap;

use envoy_types::pb::google::protobuf::Value;

use super::*;

fn metadata(fields: &[(&str, Kind)]) -> Struct {
    let fields = fields.iter().map(|(name, kind)| {
        (
            (*name).to_owned(),
            Value {
                kind: Some(kind.clone()),
            },
        )
    });
    Struct {
        fields: fields.collect::<HashMap<_, _>>(),
    }
}

fn text(text: &str) -> Kind {
    Kind::StringValue(text.to_owned())
}

#[test]
fn a_node_says_where_it_listens_or_gets_the_default() {
    let at = |ip: &str, port| ListenerAddress {
        ip: ip.parse().unwrap(),
        port,
    };
    for (fields, want) in [
        (&[][..], at("0.0.0.0", 10_000)),
        (
            &[("listener_port", Kind::NumberValue(80.0))],
            at("0.0.0.0", 80),
        ),
        (
            &[("listener_port", Kind::NumberValue(0.0))],
            at("0.0.0.0", 0),
        ),
        (
            &[
                ("listener_address", text("::1")),
                ("listener_port", Kind::NumberValue(65_535.0)),
            ],
            at("::1", 65_535),
        ),
        (&[("something_else", text("x"))], at("0.0.0.0", 10_000)),
    ] {
        assert_eq!(
            ListenerAddress::from_metadata(Some(&metadata(fields))),
            Ok(want)
        );
    }
    assert_eq!(
        ListenerAddress::from_metadata(None),
        Ok(at("0.0.0.0", 10_000))
    );
}

#[test]
fn nonsense_is_named() {
    for (name, kind, problem) in [
        (
            "listener_address",
            text("localhost"),
            InvalidListenerAddress::Address,
        ),
        (
            "listener_address",
            Kind::NumberValue(1.0),
            InvalidListenerAddress::Address,
        ),
        ("listener_port", text("80"), InvalidListenerAddress::Port),
        (
            "listener_port",
            Kind::NumberValue(65_536.0),
            InvalidListenerAddress::Port,
        ),
        (
            "listener_port",
            Kind::NumberValue(-1.0),
            InvalidListenerAddress::Port,
        ),
        (
            "listener_port",
            Kind::NumberValue(80.5),
            InvalidListenerAddress::Port,
        ),
        (
            "listener_port",
            Kind::NumberValue(f64::NAN),
            InvalidListenerAddress::Port,
        ),
    ] {
        let parsed = ListenerAddress::from_metadata(Some(&metadata(&[(name, kind)])));
        assert_eq!(parsed, Err(problem));
    }
}

#[test]
fn listeners_of_two_nodes_differ_in_their_address_only() {
    let settings = Settings {
        region: "eu".to_owned(),
        filter_wasm: "/filter.wasm".into(),
        allow_private_targets: Vec::new(),
        target_roots: super::super::TargetRoots::File("/roots.pem".into()),
        collector: None,
    };
    let template = ListenerTemplate::new(&settings);
    let decode = |port| {
        let at = ListenerAddress {
            ip: Ipv4Addr::LOCALHOST.into(),
            port,
        };
        Listener::decode(template.at(&at).body().clone()).unwrap()
    };
    let (one, two) = (decode(1), decode(2));
    assert_ne!(one.address, two.address);
    assert_eq!(
        Listener {
            address: None,
            ..one
        },
        Listener {
            address: None,
            ..two
        }
    );
}

#[test]
fn a_node_takes_deliveries_where_it_says_or_nowhere() {
    let text = |text: &str| Kind::StringValue(text.to_owned());
    for (address, port, want) in [
        (None, None, Ok(None)),
        (
            Some(text("192.0.2.7")),
            Some(Kind::NumberValue(10_001.0)),
            Ok(Some("192.0.2.7:10001")),
        ),
        (Some(text("192.0.2.7")), None, Err(())),
        (None, Some(Kind::NumberValue(10_001.0)), Err(())),
        (
            Some(text("here")),
            Some(Kind::NumberValue(10_001.0)),
            Err(()),
        ),
        (
            Some(text("192.0.2.7")),
            Some(Kind::NumberValue(0.0)),
            Err(()),
        ),
        (
            Some(text("192.0.2.7")),
            Some(Kind::NumberValue(0.5)),
            Err(()),
        ),
        (Some(text("192.0.2.7")), Some(text("10001")), Err(())),
    ] {
        let fields = [("delivery_address", address), ("delivery_port", port)];
        let fields = fields.into_iter().filter_map(|(name, kind)| {
            let value = Value { kind: Some(kind?) };
            Some((name.to_owned(), value))
        });
        let metadata = Struct {
            fields: fields.collect(),
        };
        let got = ListenerAddresses::from_metadata(Some(&metadata));
        let got = got.map(|it| it.deliveries.map(|at| SocketAddr::from(at).to_string()));
        let want = want.map(|at| at.map(str::to_owned));
        assert_eq!(got.map_err(|_| ()), want, "{metadata:?}");
    }
}
