use bytes::Bytes;
use requestrocket_proto::policy::v1::{Effect, Layer, Rule};
use time::macros::datetime;

use super::*;
use crate::access::Callers;
use crate::translate::{ProxyResources, ProxyTerms};
use crate::xds::snapshot::ProxyChange;

const DAY: std::time::Duration = std::time::Duration::from_hours(24);

fn layer(rule: &str) -> Layer {
    Layer {
        default_effect: Effect::Allow.into(),
        rules: vec![Rule {
            rule_id: rule.to_owned(),
            ..Rule::default()
        }],
        redactions: Vec::new(),
    }
}

/// Proxy `p` under a version whose only rule has that name.
fn change(version: &str, rule: &str) -> ProxyChange {
    let caller = |id: &str| CallerTerms {
        credential_id: id.to_owned(),
        layer: Some(layer(&format!("of {id}"))),
    };
    let terms = KeptTerms {
        proxy: Some(layer(rule)),
        callers: vec![caller("a"), caller("b")],
        ..KeptTerms::default()
    };
    let resources = ProxyResources {
        passage: crate::fixtures::passage(),
        scope: Bytes::new(),
        alias_scope: None,
        route: Bytes::from(version.to_owned()),
        token: None,
        callers: Callers::nobody(),
        terms: ProxyTerms {
            organisation_id: "home".to_owned(),
            version: version.to_owned(),
            terms: terms.encode_to_vec().into(),
        },
    };
    ("p".into(), Some(resources))
}

struct Kept {
    folder: tempfile::TempDir,
    keeper: Keeper,
    clock: Clock,
    snapshot: Snapshot,
}

impl Kept {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(datetime!(2026-11-30 12:00 UTC));
        Self {
            keeper: Keeper::open(&folder.path().join("terms.db"), 90, clock.clone())
                .await
                .unwrap(),
            folder,
            clock,
            snapshot: Snapshot::default(),
        }
    }

    async fn publish(&mut self, changes: Vec<ProxyChange>) {
        self.snapshot = self.snapshot.with_changes(1, changes);
        let newest = Arc::new(self.snapshot.clone());
        self.keeper.keep(newest).await.unwrap();
    }

    /// Another run of the process.
    async fn start_again(&mut self) {
        let path = self.folder.path().join("terms.db");
        self.keeper = Keeper::open(&path, 90, self.clock.clone()).await.unwrap();
        self.snapshot = Snapshot::default();
    }

    /// The rule of the proxy, and the layers of callers; none: it is not known.
    async fn told(&self, organisation: &str, version: &str) -> Option<(String, usize)> {
        let (called, _) = mpsc::channel(1);
        let known = KnownTerms {
            path: Arc::new(self.folder.path().join("terms.db")),
            called,
        };
        let query = TermsQuery {
            organisation_id: organisation.to_owned(),
            proxy_id: "p".to_owned(),
            config_version: version.to_owned(),
            credential_id: "b".to_owned(),
        };
        let kept = known.answer(&query).await.unwrap().kept?;
        let rule = kept.proxy.unwrap().rules.remove(0).rule_id;
        Some((rule, kept.callers.len()))
    }

    async fn rule(&self, version: &str) -> Option<String> {
        self.told("home", version).await.map(|(rule, _)| rule)
    }

    async fn called(&mut self, version: &str) {
        let conn = &mut self.keeper.conn;
        let routes = [format!("p/{version}")];
        store::called_update(conn, &routes).await.unwrap();
    }
}

#[tokio::test]
async fn earlier_versions_are_known_to_their_organisation_and_name_one_caller() {
    let mut kept = Kept::new().await;
    kept.publish(vec![change("v1", "first")]).await;
    kept.publish(vec![change("v2", "second")]).await;
    assert_eq!(kept.told("home", "v1").await, Some(("first".to_owned(), 1)));
    assert_eq!(kept.rule("v2").await.as_deref(), Some("second"));
    assert_eq!(kept.told("other", "v1").await, None);
    assert_eq!(kept.rule("v3").await, None);
}

#[tokio::test]
async fn they_outlive_the_process_and_their_proxy_as_long_as_records_do() {
    let mut kept = Kept::new().await;
    kept.publish(vec![change("v1", "first")]).await;
    kept.called("v1").await;
    kept.start_again().await;
    // While the process was away the proxy changed.
    kept.publish(vec![change("v2", "second")]).await;
    kept.called("v2").await;
    kept.publish(vec![("p".into(), None)]).await;
    kept.clock.advance(DAY * 89);
    kept.keeper.forget().await.unwrap();
    assert_eq!(kept.rule("v1").await.as_deref(), Some("first"));
    assert_eq!(kept.rule("v2").await.as_deref(), Some("second"));
    kept.clock.advance(DAY * 2);
    kept.keeper.forget().await.unwrap();
    assert_eq!((kept.rule("v1").await, kept.rule("v2").await), (None, None));
}

#[tokio::test]
async fn what_no_call_came_under_is_forgotten_soon_and_what_is_in_force_is_not() {
    let mut kept = Kept::new().await;
    kept.publish(vec![change("v1", "first")]).await;
    kept.publish(vec![change("v2", "second")]).await;
    kept.clock.advance(DAY * 3);
    kept.keeper.forget().await.unwrap();
    assert_eq!(kept.rule("v1").await, None);
    assert_eq!(kept.rule("v2").await.as_deref(), Some("second"));
    // What comes back is in force again.
    kept.publish(vec![change("v1", "first")]).await;
    kept.publish(vec![change("v2", "second")]).await;
    kept.publish(vec![change("v1", "first")]).await;
    kept.clock.advance(DAY * 400);
    kept.keeper.forget().await.unwrap();
    assert_eq!(kept.rule("v1").await.as_deref(), Some("first"));
}

#[tokio::test]
async fn of_one_proxy_the_newest_are_kept_up_to_so_many_bytes() {
    let mut kept = Kept::new().await;
    let long = "x".repeat(6 << 20);
    for n in 1..=4 {
        let version = format!("v{n}");
        let rule = format!("{n}{long}");
        kept.publish(vec![change(&version, &rule)]).await;
        kept.called(&version).await;
        kept.clock.advance(DAY / 24);
    }
    kept.keeper.forget().await.unwrap();
    let mut known = Vec::new();
    for n in 1..=4 {
        known.push(kept.rule(&format!("v{n}")).await.is_some());
    }
    assert_eq!(known, [false, false, true, true]);
}
