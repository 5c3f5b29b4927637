use bytes::Bytes;

use super::*;
use crate::translate::{ProxyTerms, Settings, TargetRoots, Translator};

fn first() -> Snapshot {
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

fn resources(route: &str, alias: Option<&str>) -> ProxyResources {
    let own = |text: String| Bytes::from(text);
    ProxyResources {
        passage: crate::fixtures::passage(),
        scope: own(format!("scope of {route}")),
        alias_scope: alias.map(|alias| (alias.into(), own(format!("alias scope of {route}")))),
        route: own(route.to_owned()),
        token: None,
        callers: Callers::nobody(),
        terms: ProxyTerms {
            organisation_id: "o".to_owned(),
            version: "v".to_owned(),
            terms: Bytes::new(),
        },
    }
}

fn change(id: &str, resources: Option<ProxyResources>) -> ProxyChange {
    (id.into(), resources)
}

/// What differs, as `kind name`.
fn changed(old: &Snapshot, new: &Snapshot) -> Vec<String> {
    let changed = old.changed_names(new);
    changed
        .iter()
        .map(|(kind, name)| format!("{} {name}", kind.name()))
        .collect()
}

#[test]
fn before_the_first_revision_there_is_none() {
    assert_eq!(first().revision(), None);
    assert_eq!(first().with_changes(0, Vec::new()).revision(), Some(0));
}

#[test]
fn a_change_alters_the_resources_of_its_proxy_only() {
    let old = first().with_all(
        1,
        vec![
            ("a".into(), resources("a1", Some("x"))),
            ("b".into(), resources("b1", None)),
        ],
    );
    let new = old.with_changes(2, vec![change("b", Some(resources("b2", Some("y"))))]);
    assert_eq!(changed(&old, &new), ["route b", "scope b", "scope y"]);
    assert_eq!(new.get(ResourceKind::Route, "b").unwrap().revision(), 2);
    assert_eq!(new.get(ResourceKind::Route, "a").unwrap().revision(), 1);
    let gone = new.with_changes(3, vec![change("a", None), change("unknown", None)]);
    assert_eq!(changed(&new, &gone), ["route a", "scope a", "scope x"]);
    assert_eq!(gone.proxies(), 1);
}

#[test]
fn the_same_bytes_again_are_no_change() {
    let old = first().with_all(1, vec![("a".into(), resources("a1", Some("x")))]);
    let delta = old.with_changes(2, vec![change("a", Some(resources("a1", Some("x"))))]);
    let full = old.with_all(3, vec![("a".into(), resources("a1", Some("x")))]);
    for (new, revision) in [(delta, 2), (full, 3)] {
        assert_eq!(changed(&old, &new), Vec::<String>::new());
        assert_eq!(new.revision(), Some(revision));
        assert_eq!(new.get(ResourceKind::Route, "a").unwrap().revision(), 1);
    }
}

#[test]
fn a_full_update_drops_what_it_does_not_name() {
    let old = first().with_all(
        1,
        vec![
            ("a".into(), resources("a1", Some("x"))),
            ("b".into(), resources("b1", None)),
        ],
    );
    let new = old.with_all(2, vec![("b".into(), resources("b1", None))]);
    assert_eq!(changed(&old, &new), ["route a", "scope a", "scope x"]);
}

#[test]
fn an_alias_moves_between_proxies_in_any_order() {
    let old = first().with_all(
        1,
        vec![
            ("a".into(), resources("a", Some("x"))),
            ("b".into(), resources("b", None)),
        ],
    );
    let leaves = change("a", Some(resources("a", None)));
    let comes = change("b", Some(resources("b", Some("x"))));
    for changes in [
        vec![leaves.clone(), comes.clone()],
        vec![comes.clone(), leaves.clone()],
    ] {
        let new = old.with_changes(2, changes);
        assert_eq!(changed(&old, &new), ["scope x"]);
        let scope = new.get(ResourceKind::Scope, "x").unwrap();
        assert_eq!(scope.proxy_id().map(AsRef::as_ref), Some("b"));
    }
    // Even when the news of the two proxies come one after the other, the newer owner keeps it.
    let both = old.with_changes(2, vec![comes]);
    let new = both.with_changes(3, vec![leaves]);
    assert_eq!(
        new.get(ResourceKind::Scope, "x")
            .unwrap()
            .proxy_id()
            .map(AsRef::as_ref),
        Some("b")
    );
}

#[test]
fn comparing_with_the_next_revision_does_not_walk_the_whole_region() {
    let all = (0..20_000).map(|i| {
        let id: Arc<str> = format!("proxy-{i:05}").into();
        (Arc::clone(&id), resources(&id, None))
    });
    let old = first().with_all(1, all.collect());
    let new = old.with_changes(2, vec![change("proxy-10000", Some(resources("new", None)))]);
    assert_eq!(
        changed(&old, &new),
        ["route proxy-10000", "scope proxy-10000"]
    );
    // Memory that both share is what the comparison skips.
    let shared = |snapshot: &Snapshot| {
        snapshot
            .routes
            .values()
            .map(Arc::as_ptr)
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(shared(&old).difference(&shared(&new)).count(), 1);
}
