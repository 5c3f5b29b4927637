use base64::Engine;
use requestrocket_proto::policy::v1 as policy;
use requestrocket_proto::region::v1::change::Kind;
use requestrocket_proto::region::v1::{
    Cors, CredentialAuthType as Auth, CredentialSide, RecordKind,
};

use super::*;
use crate::fixtures::*;
use crate::records::record::{SecretProblem, denying_layer};
use crate::records::region_config::ProxyConfig;
use crate::store::credential::credential_list;
use crate::store::organisation::organisation_list;
use crate::store::tests::{fresh_sqlite, test_stores};

/// Proxies 1 and 2, both on target 30 and target credential 20; callers 10 and 11.
fn all(region: &Region) -> Vec<region::Change> {
    vec![
        organisation(false),
        region.caller(&id(10), 1, CANARY),
        region.caller(&id(11), 1, CANARY),
        region.bearer(&id(20), 1, CANARY),
        target(&id(30), "https://api.example.com/v1"),
        proxy(&id(1), &[&id(10)], &id(30), &id(20)),
        proxy(&id(2), &[&id(11), &id(10)], &id(30), &id(20)),
    ]
}

async fn delta(region: &Region, revision: u64, changes: Vec<region::Change>) -> Vec<Touched> {
    match region.ingest.apply_delta(revision, changes).await.unwrap() {
        RegionUpdate::Delta(touched) => touched,
        RegionUpdate::Full(_) => panic!("full"),
    }
}

type Touched = (String, Option<ProxyConfig>);

fn ids(touched: &[Touched]) -> Vec<&str> {
    touched.iter().map(|(id, _)| id.as_str()).collect()
}

async fn full(region: &Region, revision: u64, changes: Vec<region::Change>) -> Vec<ProxyConfig> {
    match region.ingest.apply_full(revision, changes).await.unwrap() {
        RegionUpdate::Full(proxies) => proxies,
        RegionUpdate::Delta(_) => panic!("delta"),
    }
}

async fn loaded(region: &Region) -> (u64, Vec<ProxyConfig>) {
    match region.ingest.load().await.unwrap() {
        (revision, RegionUpdate::Full(proxies)) => (revision, proxies),
        (_, RegionUpdate::Delta(_)) => panic!("delta"),
    }
}

#[tokio::test]
async fn a_full_sync_is_all_there_is() {
    for store in test_stores().await {
        let region = Region::with(store).await;
        let proxies = full(&region, 7, all(&region)).await;
        assert_eq!(proxies.len(), 2);
        assert_eq!(proxies[1].proxy_credentials.len(), 2);
        assert_eq!(
            proxies[0]
                .target_credential
                .as_ref()
                .unwrap()
                .injections
                .len(),
            1
        );
        assert_eq!(loaded(&region).await, (7, proxies));

        let fewer = vec![organisation(false), proxy(&id(2), &[], &id(30), &id(20))];
        let proxies = full(&region, 9, fewer).await;
        assert_eq!(proxies.len(), 1);
        assert_eq!(
            (&proxies[0].target, &proxies[0].target_credential),
            (&None, &None)
        );
        assert_eq!(region.ingest.stored_revision().await.unwrap(), 9);
    }
}

#[tokio::test]
async fn a_full_sync_keeps_the_secrets_that_do_not_come_again() {
    for store in test_stores().await {
        let region = Region::with(store).await;
        let before = full(&region, 7, all(&region)).await;
        let again = all(&region).into_iter().map(without_secret).collect();
        assert_eq!(full(&region, 8, again).await, before);

        // Another version than the one at hand: nothing to go on with.
        let mut newer = all(&region);
        newer[3] = without_secret(region.bearer(&id(20), 2, CANARY));
        assert_eq!(full(&region, 9, newer).await[0].target_credential, None);
    }
}

#[tokio::test]
async fn a_delta_names_only_what_it_touches() {
    for store in test_stores().await {
        let region = Region::with(store).await;
        full(&region, 7, all(&region)).await;
        let (one, two) = (id(1), id(2));
        let both = [one.as_str(), two.as_str()];
        let cases: Vec<(region::Change, &[&str])> = vec![
            (organisation(false), &[]),
            (organisation(true), &both),
            (without_secret(region.caller(&id(11), 1, CANARY)), &[]),
            (region.caller(&id(11), 2, CANARY), &both[1..]),
            (region.bearer(&id(20), 2, CANARY), &both),
            (target(&id(30), "https://api.example.com/v1"), &[]),
            (target(&id(30), "https://api.example.com/v2"), &both),
            (target(&id(31), "https://unused.example.com"), &[]),
            (proxy(&one, &[&id(10)], &id(30), &id(20)), &[]),
            (proxy(&one, &[], &id(30), &id(20)), &both[..1]),
            (removed(RecordKind::Credential, &id(11)), &both[1..]),
            (removed(RecordKind::Target, &id(30)), &both),
        ];
        for (number, (change, want)) in (8..).zip(cases) {
            let label = format!("{:?}", change.kind);
            let touched = delta(&region, number, vec![change]).await;
            assert_eq!(ids(&touched), want, "{label}");
            assert!(
                touched.iter().all(|(_, config)| config.is_some()),
                "{label}"
            );
        }
        let touched = delta(&region, 99, vec![removed(RecordKind::Proxy, &two)]).await;
        assert_eq!(touched, [(two, None)]);
        let (revision, proxies) = loaded(&region).await;
        assert_eq!((revision, proxies.len()), (99, 1));
        assert!(proxies[0].is_suspended && proxies[0].proxy_credentials.is_empty());
    }
}

#[tokio::test]
async fn what_is_attached_touches_the_proxies_that_use_it() {
    for store in test_stores().await {
        let region = Region::with(store).await;
        full(&region, 7, all(&region)).await;
        let (one, two) = (id(1), id(2));
        let both = [one.as_str(), two.as_str()];
        let denying = Some(layer_denying(&["PUT"]));
        let first = || proxy(&one, &[&id(10)], &id(30), &id(20));
        let caller = |layer: &_| with_layer(region.caller(&id(11), 1, CANARY), Clone::clone(layer));
        let bearer = |layer: &_| with_layer(region.bearer(&id(20), 1, CANARY), Clone::clone(layer));
        let v1 = || target(&id(30), "https://api.example.com/v1");
        let cases: Vec<(region::Change, &[&str])> = vec![
            (without_secret(caller(&denying)), &both[1..]),
            (without_secret(caller(&denying)), &[]),
            (without_secret(bearer(&denying)), &both),
            (without_secret(bearer(&denying)), &[]),
            (with_layer(v1(), denying.clone()), &both),
            (with_layer(v1(), denying.clone()), &[]),
            (with_layer(first(), denying.clone()), &both[..1]),
            (with_layer(first(), denying.clone()), &[]),
            (
                with_proxy(first(), |p| p.limits = Some(limits(5))),
                &both[..1],
            ),
            (
                with_proxy(first(), |p| p.meters = vec![meter("m")]),
                &both[..1],
            ),
            (with_proxy(first(), |p| p.meters = vec![meter("m")]), &[]),
            (
                with_proxy(first(), |p| p.max_inspected_bytes = 5),
                &both[..1],
            ),
            (first(), &both[..1]),
            (planned(Some(limits(60))), &both),
            (planned(Some(limits(60))), &[]),
            (planned(None), &both),
            (
                without_secret(region.caller(&id(11), 1, CANARY)),
                &both[1..],
            ),
            (without_secret(region.bearer(&id(20), 1, CANARY)), &both),
            (v1(), &both),
        ];
        for (number, (change, want)) in (8..).zip(cases) {
            let label = format!("{number}: {:?}", change.kind);
            let touched = delta(&region, number, vec![change]).await;
            assert_eq!(ids(&touched), want, "{label}");
        }
    }
}

fn planned(credential_limits: Option<policy::Limits>) -> region::Change {
    change(Kind::Organisation(region::Organisation {
        organisation_id: ORGANISATION.to_owned(),
        is_suspended: false,
        credential_limits,
    }))
}

#[tokio::test]
async fn what_is_attached_is_stored_and_published() {
    for store in test_stores().await {
        let region = Region::with(store).await;
        let layer = |of: &str| Some(layer_denying(&[of]));
        let proxy = with_proxy(proxy(&id(1), &[&id(10)], &id(30), &id(20)), |proxy| {
            proxy.layer = layer("PROXY");
            proxy.limits = Some(limits(5));
            proxy.meters = vec![meter("m1"), meter("m2")];
            proxy.max_inspected_bytes = 77;
            proxy.cors = Some(Box::new(cors()));
        });
        let changes = vec![
            planned(Some(limits(60))),
            with_layer(region.caller(&id(10), 1, CANARY), layer("CALLER")),
            with_layer(region.bearer(&id(20), 1, CANARY), layer("BEARER")),
            with_layer(target(&id(30), "https://api.example.com"), layer("TARGET")),
            proxy,
        ];
        let proxies = full(&region, 7, changes).await;
        let [config] = &proxies[..] else { panic!() };
        let caller = &config.proxy_credentials[0];
        assert_eq!(
            (Some(&caller.layer), caller.limits),
            (layer("CALLER").as_ref(), limits(60))
        );
        let injected = config.target_credential.as_ref().unwrap();
        assert_eq!(injected.layer, layer("BEARER"));
        assert_eq!(Some(config.target.clone().unwrap().layer), layer("TARGET"));
        assert_eq!(Some(config.layer.clone()), layer("PROXY"));
        assert_eq!(config.limits, limits(5));
        assert_eq!(config.meters, [meter("m1"), meter("m2")]);
        assert_eq!(config.max_inspected_bytes, 77);
        assert_eq!(config.cors, Some(cors()));
        assert_eq!(loaded(&region).await, (7, proxies));
    }
}

#[tokio::test]
async fn an_older_control_plane_sends_no_layers_and_nothing_passes() {
    for store in test_stores().await {
        let region = Region::with(store).await;
        let without_layers = all(&region).into_iter().map(|given| match given.kind {
            Some(Kind::Organisation(_)) => given,
            _ => with_layer(given, None),
        });
        for config in full(&region, 7, without_layers.collect()).await {
            let deny = Some(denying_layer());
            assert!(
                config
                    .proxy_credentials
                    .iter()
                    .all(|caller| caller.layer == denying_layer())
            );
            assert_eq!(config.target_credential.unwrap().layer, deny);
            assert_eq!(config.target.map(|target| target.layer), deny);
            assert_eq!(Some(config.layer), deny);
        }
    }
}

#[tokio::test]
async fn a_poisoned_credential_leaves_the_others_alone() {
    for store in test_stores().await {
        let region = Region::with(store).await;
        let caller = CredentialSide::Proxy;
        let poison: Vec<(region::Change, SecretProblem)> = vec![
            (
                region.caller(&id(40), 1, "a\r\nX-Evil: 1"),
                SecretProblem::Value,
            ),
            (
                region.credential(&id(41), 1, (caller, Auth::ApiKey), "{"),
                SecretProblem::Shape,
            ),
            (
                region.credential(&id(42), 1, (caller, Auth::Custom), "{}"),
                SecretProblem::AuthType,
            ),
            (
                stolen(region.caller(&id(10), 1, CANARY), &id(43)),
                SecretProblem::Sealed,
            ),
            (
                garbled(region.caller(&id(44), 1, CANARY)),
                SecretProblem::Sealed,
            ),
            (
                without_secret(region.caller(&id(45), 1, CANARY)),
                SecretProblem::Missing,
            ),
        ];
        let expected: Vec<SecretProblem> = poison.iter().map(|(_, problem)| *problem).collect();
        let (first, rest) = (all(&region), poison.into_iter().map(|(change, _)| change));
        let proxies = full(&region, 3, first.into_iter().chain(rest).collect()).await;
        assert!(
            proxies
                .iter()
                .all(|proxy| proxy.target_credential.is_some())
        );

        let mut tx = region.store.store.begin().await.unwrap();
        for (number, problem) in (40..).zip(expected) {
            let stored = credential_list(&mut tx, Some(&[&id(number)]))
                .await
                .unwrap()
                .pop()
                .unwrap();
            assert!(stored.secret.is_err(), "{number}");
            let sql = "SELECT problem FROM credential WHERE credential_id = $1";
            let (text,): (String,) = sqlx::query_as(sql)
                .bind(id(number))
                .fetch_one(&mut *tx)
                .await
                .unwrap();
            assert_eq!(text, problem.to_string());
        }
    }
}

fn stolen(mut given: region::Change, by: &str) -> region::Change {
    if let Some(Kind::Credential(credential)) = &mut given.kind {
        by.clone_into(&mut credential.credential_id);
    }
    given
}

fn garbled(mut given: region::Change) -> region::Change {
    if let Some(Kind::Credential(credential)) = &mut given.kind {
        credential.sealed_secret = vec![0; 60].into();
    }
    given
}

#[tokio::test]
async fn records_of_no_use_are_dropped_and_the_batch_goes_on() {
    let region = Region::with(fresh_sqlite().await).await;
    let mut no_side = region.caller(&id(50), 1, CANARY);
    if let Some(Kind::Credential(credential)) = &mut no_side.kind {
        credential.side = 77;
    }
    let mut no_timeout = proxy(&id(3), &[], &id(30), &id(20));
    if let Some(Kind::Proxy(proxy)) = &mut no_timeout.kind {
        proxy.timeout_seconds = 0;
    }
    let no_id = change(Kind::Organisation(region::Organisation {
        organisation_id: "../x".to_owned(),
        is_suspended: false,
        credential_limits: None,
    }));
    let odd = vec![no_side, no_timeout, no_id, region::Change { kind: None }];
    let changes = odd.into_iter().chain(all(&region)).collect();
    assert_eq!(full(&region, 3, changes).await.len(), 2);
    let mut tx = region.store.store.begin().await.unwrap();
    assert_eq!(organisation_list(&mut tx, None).await.unwrap().len(), 1);
    assert!(
        credential_list(&mut tx, Some(&[&id(50)]))
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn an_organisation_known_only_by_its_credentials_is_suspended() {
    let region = Region::with(fresh_sqlite().await).await;
    let mut changes = all(&region);
    let organisation = changes.remove(0);
    let touched = delta(&region, 3, changes).await;
    assert!(
        touched
            .iter()
            .all(|(_, config)| config.as_ref().unwrap().is_suspended)
    );
    let touched = delta(&region, 4, vec![organisation]).await;
    assert_eq!(touched.len(), 2);
    assert!(
        touched
            .iter()
            .all(|(_, config)| !config.as_ref().unwrap().is_suspended)
    );
}

#[tokio::test]
async fn nothing_on_disk_holds_a_secret() {
    let region = Region::with(fresh_sqlite().await).await;
    let custom = serde_json::json!({"headers": {"x-a": CANARY}, "query": {"q": CANARY}});
    let basic = serde_json::json!({"username": CANARY, "password": CANARY});
    let mut changes = all(&region);
    let target = CredentialSide::Target;
    let custom = region.credential(&id(60), 1, (target, Auth::Custom), &custom.to_string());
    let basic = region.credential(&id(61), 1, (target, Auth::BasicAuth), &basic.to_string());
    changes.extend([custom, basic]);
    full(&region, 3, changes).await;
    region.store.store.close().await;
    let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(CANARY);
    let mut files = 0;
    for folder in [region.store.folder(), region.folder.path()] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            for needle in [CANARY, encoded.as_str()] {
                let found = bytes
                    .windows(needle.len())
                    .any(|part| part == needle.as_bytes());
                assert!(!found, "{needle}");
            }
            files += 1;
        }
    }
    assert!(files >= 3);
}

#[tokio::test]
async fn the_last_word_of_a_batch_on_a_record_counts() {
    for store in test_stores().await {
        let region = Region::with(store).await;
        full(&region, 7, all(&region)).await;
        let three = |callers: &[&str]| proxy(&id(3), callers, &id(30), &id(20));
        let changes = vec![
            three(&[&id(10), &id(11)]),
            three(&[&id(11)]),
            region.bearer(&id(20), 2, CANARY),
            without_secret(region.bearer(&id(20), 2, CANARY)),
            removed(RecordKind::Proxy, &id(1)),
            proxy(&id(4), &[&id(10)], &id(30), &id(20)),
            removed(RecordKind::Proxy, &id(4)),
        ];
        let touched = delta(&region, 8, changes).await;
        let standing: Vec<(&str, bool)> = touched
            .iter()
            .map(|(id, config)| (id.as_str(), config.is_some()))
            .collect();
        let (one, two, three, four) = (id(1), id(2), id(3), id(4));
        let want = [(&one, false), (&two, true), (&three, true), (&four, false)];
        assert_eq!(standing, want.map(|(id, is_there)| (id.as_str(), is_there)));
        let config = touched[2].1.as_ref().unwrap();
        assert_eq!(config.proxy_credentials.len(), 1);
        assert_eq!(config.target_credential.as_ref().unwrap().version, 2);
    }
}

fn cors() -> Cors {
    Cors {
        allowed_origins: vec!["*".to_owned()],
        max_age_seconds: 5,
        ..Cors::default()
    }
}
