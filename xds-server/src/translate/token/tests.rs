use envoy_types::pb::envoy::config::cluster::v3::Cluster;

use super::*;
use crate::translate::tests::complete;
use crate::translate::{ProxyResources, Translator};

/// Of a proxy whose target is given that obtained token; all of them end at the same moment.
fn resources(version: u64, token: &'static [u8]) -> ProxyResources {
    let mut config = complete();
    let credential = config.target_credential.as_mut().unwrap();
    credential.version = version;
    credential.serves_until_ms = Some(1_900_000_000_000);
    credential.injections = vec![wire::Injection {
        location: wire::Location::Header.into(),
        name: "authorization".to_owned(),
        sealed_value: token.into(),
        ..wire::Injection::default()
    }];
    Translator::new(crate::fixtures::translation()).proxy(&config)
}

fn serial(resources: &ProxyResources) -> String {
    let (_, cluster) = resources.token.clone().unwrap();
    let metadata = Cluster::decode(cluster).unwrap().metadata.unwrap();
    let serial = metadata.filter_metadata[METADATA_KEY].fields[SERIAL].clone();
    match serial.kind {
        Some(Kind::StringValue(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_token_changes_its_cluster_alone_and_another_secret_the_cluster_that_is_named() {
    let [first, second, next] = [(3, "first"), (3, "second"), (4, "second")]
        .map(|(version, token)| resources(version, token.as_bytes()));
    assert_eq!(first.route, second.route);
    assert_ne!(serial(&first), serial(&second));
    let names = [&first, &second, &next].map(|it| it.token.as_ref().unwrap().0.clone());
    assert_eq!(names[0], names[1]);
    assert_ne!(names[1], names[2]);
    assert_ne!(second.route, next.route);
    // The token is nowhere else.
    let of_route = [b"first", &b"second"[..]].map(|token| {
        let mut windows = first.route.windows(token.len());
        windows.any(|part| part == token)
    });
    assert_eq!(of_route, [false, false]);
}

#[test]
fn a_literal_secret_comes_with_its_policy() {
    let resources = Translator::new(crate::fixtures::translation()).proxy(&complete());
    assert_eq!(resources.token, None);
}
