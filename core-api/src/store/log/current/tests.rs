use requestrocket_policy::secret_form::auth_type::{AuthType, Side};

use super::*;
use crate::domain::guard::attachment::AttachedTo;
use crate::domain::guard::condition::Conditions;
use crate::domain::guard::meter::{Counted, MeterLimits};
use crate::domain::guard::redaction::Operation;
use crate::domain::records::{self, id, id_of};
use crate::store::gateway::credential::credential_insert;
use crate::store::gateway::proxy::proxy_insert;
use crate::store::gateway::target::target_insert;
use crate::store::guard::attachment::attachment_insert;
use crate::store::testing::{TestStore, put_base, run, stores};

const ALL: [(&str, Kind); 5] = [
    ("o", Kind::Organisation),
    ("c", Kind::Credential),
    ("tc", Kind::Credential),
    ("t", Kind::Target),
    ("p", Kind::Proxy),
];

/// Stores with a record of every kind, and one of every kind of attachment to proxy `p`.
async fn filled() -> Vec<TestStore> {
    let stores = stores().await;
    for store in &stores {
        put_base(store).await;
        let conn = &mut *store.conn().await;
        for (name, side) in [("c", Side::Proxy), ("tc", Side::Target)] {
            let credential = records::credential(name, side, AuthType::ApiKey);
            let secret = Some("c2VhbGVk");
            credential_insert(conn, &credential, secret).await.unwrap();
        }
        target_insert(conn, &records::target("t")).await.unwrap();
        proxy_insert(conn, &records::proxy("p")).await.unwrap();
        let to = AttachedTo::Proxy(id("p"));
        for (name, is_active) in [("r1", true), ("r2", false)] {
            let mut rule = records::attachment(name, to, records::rule(Conditions::default()));
            rule.form.is_active = is_active;
            attachment_insert(conn, &rule).await.unwrap();
        }
        let redaction = records::redaction(Operation::Retain, &["$.a"]);
        let redaction = records::attachment("f", to, redaction);
        attachment_insert(conn, &redaction).await.unwrap();
        let meter = records::meter(Counted::Requests, MeterLimits::default());
        let meter = records::attachment("m", to, meter);
        attachment_insert(conn, &meter).await.unwrap();
    }
    stores
}

async fn read(store: &TestStore, region: &str) -> Current {
    let row = |(name, kind): (&str, Kind)| ChangeRow {
        kind: kind.as_str().to_owned(),
        record_id: id_of(name),
        revision: 1,
        is_removed: 0,
    };
    let page = ALL.map(row);
    let region = region.parse().unwrap();
    let mut conn = store.conn().await;
    Current::read(&mut conn, &region, &page).await.unwrap()
}

#[tokio::test]
async fn records_are_read_as_they_were_written() {
    for store in filled().await {
        let current = read(&store, "eu-1").await;
        let organisation = current.organisations[&id_of("o")].as_ref().unwrap();
        assert_eq!(*organisation, records::organisation());
        let sealed = current.credentials[&id_of("tc")].as_ref().unwrap();
        let credential = records::credential("tc", Side::Target, AuthType::ApiKey);
        assert_eq!(sealed.credential, credential);
        assert_eq!(sealed.secret.as_deref(), Some(&b"sealed"[..]));
        let target = current.targets[&id_of("t")].as_ref().unwrap();
        assert_eq!(*target, records::target("t"));
        let proxy = current.proxies[&id_of("p")].as_ref().unwrap();
        assert_eq!(*proxy, records::proxy("p"), "callers included");
    }
}

#[tokio::test]
async fn only_what_is_active_and_attached_is_read_with_a_record() {
    for store in filled().await {
        let current = read(&store, "eu-1").await;
        assert_eq!(current.rules.keys().collect::<Vec<_>>(), [&id_of("p")]);
        let rules = current.rules[&id_of("p")].as_ref().unwrap();
        let rules: Vec<_> = rules.iter().map(|rule| rule.id).collect();
        assert_eq!(rules, [id("r1")]);
        let redactions = current.redactions[&id_of("p")].as_ref().unwrap();
        assert_eq!(redactions.len(), 1);
        assert_eq!(current.meters[&id_of("p")].as_ref().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn of_another_region_only_organisations_are_read() {
    for store in filled().await {
        let current = read(&store, "us-1").await;
        assert_eq!(current.organisations.len(), 1);
        assert!(current.credentials.is_empty() && current.targets.is_empty());
        assert!(current.proxies.is_empty() && current.rules.is_empty());
    }
}

#[tokio::test]
async fn a_row_without_meaning_spoils_its_own_record_and_no_other() {
    let all = [
        "o",
        "c",
        "tc",
        "t",
        "p",
        "rules of p",
        "filters of p",
        "meters of p",
    ];
    for (damage, spoilt) in [
        (
            "UPDATE credential SET auth_type = 'magic' WHERE auth_type = 'apiKey' AND credential_side = 'proxy'",
            "c",
        ),
        (
            "UPDATE credential SET sealed_secret = '*' WHERE credential_side = 'target'",
            "tc",
        ),
        (
            "UPDATE credential SET expires_at = 'soon' WHERE credential_side = 'target'",
            "tc",
        ),
        (
            "UPDATE credential SET version = -1 WHERE credential_side = 'target'",
            "tc",
        ),
        ("UPDATE target SET target_name = ''", "t"),
        ("UPDATE proxy SET cors = '{}'", "p"),
        ("UPDATE proxy SET timeout_seconds = -1", "p"),
        ("UPDATE rule SET conditions = '{}'", "rules of p"),
        ("UPDATE redaction SET paths = '{}'", "filters of p"),
        ("UPDATE meter SET limit_hour = -1", "meters of p"),
        ("UPDATE organisation SET allowed_regions = '{}'", "o"),
    ] {
        for store in filled().await {
            run(&mut *store.conn().await, damage).await;
            let it = read(&store, "eu-1").await;
            let is_fine = [
                it.organisations[&id_of("o")].is_ok(),
                it.credentials[&id_of("c")].is_ok(),
                it.credentials[&id_of("tc")].is_ok(),
                it.targets[&id_of("t")].is_ok(),
                it.proxies[&id_of("p")].is_ok(),
                it.rules[&id_of("p")].is_ok(),
                it.redactions[&id_of("p")].is_ok(),
                it.meters[&id_of("p")].is_ok(),
            ];
            assert_eq!(is_fine, all.map(|name| name != spoilt), "{damage}");
        }
    }
}
