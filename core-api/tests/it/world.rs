//! Two organisations, their people, two regions, and a way to call the API.

mod call;
mod database;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Method;
use requestrocket_core_api::domain::account::billing::{Money, Prices};
use requestrocket_core_api::domain::account::checkpoint::AuditKey;
use requestrocket_core_api::domain::ceiling::Ceilings;
use requestrocket_core_api::http::router::router;
use requestrocket_core_api::identity::token::digest;
use requestrocket_core_api::region::fleet::Fleets;
use requestrocket_core_api::state::AppState;
use requestrocket_core_api::store_key::StoreKey;
use requestrocket_policy::envelope::sealing::SealingPrivateKey;
use requestrocket_process::clock::Clock;
use requestrocket_process::tasks::TaskSet;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row};
use time::macros::datetime;
use uuid::Uuid;

pub(crate) use call::{Answer, Call};
use database::Database;

/// Regions that have enrolled.
pub(crate) const REGION: &str = "local-1";
pub(crate) const OTHER_REGION: &str = "local-2";
/// A region that has not.
pub(crate) const UNBORN_REGION: &str = "unborn";

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Anonymous,
    /// Owner of the other organisation.
    Stranger,
    User,
    Admin,
    Owner,
    Operator,
}

/// A process with a store of its own.
pub(crate) struct World {
    pub(crate) state: AppState,
    /// The organisation that User, Admin and Owner are in.
    pub(crate) home: String,
    /// The organisation that Stranger owns.
    pub(crate) abroad: String,
    pub(crate) private_key: SealingPrivateKey,
    app: Router,
    database: Database,
    names: AtomicU64,
}

fn prices() -> Prices {
    let tokens = Money::price("0.000002").unwrap();
    Prices {
        currency: "EUR".to_owned(),
        per_1000_requests: Money::price("0.5").unwrap(),
        meters: BTreeMap::from([("tokens".to_owned(), tokens)]),
        low_share: "0.2".parse().unwrap(),
    }
}

impl World {
    /// One for each database at hand.
    pub(crate) async fn each() -> Vec<Self> {
        let mut worlds = Vec::new();
        for database in Database::each().await {
            worlds.push(Self::on(database).await);
        }
        worlds
    }

    /// The same with other ceilings.
    pub(crate) fn with_ceilings(mut self, ceilings: Ceilings) -> Self {
        self.state = self.state.with_ceilings(ceilings);
        self.app = router(self.state.clone());
        self
    }

    /// The same with another number of failures that an address may have in a minute.
    pub(crate) fn with_failures_per_minute(mut self, limit: u64) -> Self {
        self.state = self.state.with_failures_per_minute(limit);
        self.app = router(self.state.clone());
        self
    }

    /// The same behind a load balancer that says where calls come from.
    pub(crate) fn behind_a_balancer(mut self) -> Self {
        self.state = self.state.trusting(&["0.0.0.0/32".parse().unwrap()]);
        self.app = router(self.state.clone());
        self
    }

    /// Nothing costs anything from now on.
    pub(crate) fn without_billing(&mut self) {
        self.state = self.state.clone().billing_by(None);
        self.app = router(self.state.clone());
    }

    /// Signs with another key from now on.
    pub(crate) fn signing_with(&mut self, key: AuditKey) {
        self.state = self.state.clone().signing_with(key);
        self.app = router(self.state.clone());
    }

    async fn on(database: Database) -> Self {
        let clock = Clock::manual(datetime!(2026-01-01 00:00:00 UTC));
        let db = database.db.clone();
        let state = AppState::new(db, clock, Fleets::default(), TaskSet::default())
            .signing_with(AuditKey::generate().unwrap())
            .sealing_with(StoreKey::generate().unwrap())
            .billing_by(Some(prices()))
            .allowing(&["127.0.0.0/8".parse().unwrap()])
            // All calls of a test are of one address and one minute.
            .with_failures_per_minute(u64::MAX);
        let private_key = SealingPrivateKey::generate().unwrap();
        let world = Self {
            app: router(state.clone()),
            state,
            home: Uuid::new_v4().to_string(),
            abroad: Uuid::new_v4().to_string(),
            private_key,
            database,
            names: AtomicU64::new(0),
        };
        world.populate().await;
        world
    }

    async fn populate(&self) {
        let key = BASE64.encode(self.private_key.public_key().to_bytes());
        for (region, url, key) in [
            (REGION, "'http://127.0.0.1:9'", format!("'{key}'")),
            (OTHER_REGION, "'http://127.0.0.1:10'", format!("'{key}'")),
            (UNBORN_REGION, "NULL", "NULL".to_owned()),
        ] {
            self.run(&format!(
                "INSERT INTO region (region_name, base_url, sealing_public_key, created_at) \
                 VALUES ('{region}', {url}, {key}, '2026-01-01T00:00:00.000Z')"
            ))
            .await;
        }
        for organisation in [&self.home, &self.abroad] {
            self.run(&format!(
                "INSERT INTO organisation (organisation_id, organisation_name, name_key, plan, \
                 status, allowed_regions, created_at, updated_at, created_by, revision) VALUES \
                 ('{organisation}', 'Org', 'org', 'business', 'active', '[]', \
                 '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', 'operator', 0)"
            ))
            .await;
        }
        for (who, organisation, role) in [
            (Who::Stranger, &self.abroad, "owner"),
            (Who::User, &self.home, "user"),
            (Who::Admin, &self.home, "admin"),
            (Who::Owner, &self.home, "owner"),
        ] {
            self.add_member(who, organisation, role).await;
        }
        let operator = digest(Who::Operator.token().unwrap().as_bytes());
        self.run(&format!(
            "INSERT INTO operator_token (token_digest, created_at) \
             VALUES ('{operator}', '2026-01-01T00:00:00.000Z')"
        ))
        .await;
    }

    async fn add_member(&self, who: Who, organisation: &str, role: &str) {
        let (user, token) = (Uuid::new_v4(), Uuid::new_v4());
        let digest = digest(who.token().unwrap().as_bytes());
        let at = "2026-01-01T00:00:00.000Z";
        self.run(&format!(
            "INSERT INTO user_account (user_id, email, first_name, last_name, name_key, \
             created_at, updated_at, revision) VALUES ('{user}', '{who:?}@example.com', \
             '{who:?}', 'X', 'x', '{at}', '{at}', 0)"
        ))
        .await;
        self.run(&format!(
            "INSERT INTO member (organisation_id, user_id, roles, created_at, updated_at, \
             created_by, revision) \
             VALUES ('{organisation}', '{user}', '[\"{role}\"]', '{at}', '{at}', 'operator', 0)"
        ))
        .await;
        self.run(&format!(
            "INSERT INTO user_token (token_id, user_id, token_name, name_key, token_prefix, \
             token_digest, created_at, revision) VALUES ('{token}', '{user}', 'T', 't', 'u-abcd', \
             '{digest}', '{at}', 0)"
        ))
        .await;
    }

    /// Runs a statement that a test writes by hand.
    pub(crate) async fn run(&self, statement: &str) {
        let statement = sqlx::query(AssertSqlSafe(statement.to_owned()));
        statement.execute(self.state.db.pool()).await.unwrap();
    }

    /// The first column of the first row, a number.
    pub(crate) async fn number(&self, select: &str) -> i64 {
        let row = sqlx::query(AssertSqlSafe(select.to_owned())).fetch_one(self.state.db.pool());
        row.await.unwrap().get(0)
    }

    /// The first column of the first row, text.
    pub(crate) async fn text(&self, select: &str) -> String {
        let row = sqlx::query(AssertSqlSafe(select.to_owned())).fetch_one(self.state.db.pool());
        row.await.unwrap().get(0)
    }

    /// Every row that callers made, without what a mere call leaves behind.
    pub(crate) async fn dump_of_records(&self) -> Vec<String> {
        self.database.rows(&["user_token", "idempotency"]).await
    }

    /// Everything that is stored, as text.
    pub(crate) async fn dump(&self) -> String {
        self.database.dump().await
    }

    /// Time goes on.
    pub(crate) fn pass(&self, span: Duration) {
        self.state.clock.advance(span);
    }

    /// A call of the API, by Owner unless said otherwise.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Call::new(self.app.clone(), method, path).by(Who::Owner)
    }

    /// The path of something in the organisation.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("/clients/{}/{path}", self.home)
    }

    /// Creates something in the organisation.
    pub(crate) async fn create(&self, kind: &str, body: &Value) -> Value {
        let answer = self.call("POST", &self.at(kind)).json(body).send().await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body
    }

    /// A name that no other record of this world has.
    pub(crate) fn name(&self) -> String {
        format!("name {}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// A target in `region`; its id.
    pub(crate) async fn target(&self, region: &str) -> String {
        let body = json!({
            "targetName": self.name(), "targetBaseURL": "https://api.example.com/v1",
            "targetRegion": region,
        });
        id_of(&self.create("targets", &body).await, "targetId")
    }

    /// A credential of `side` in `region`; its id.
    pub(crate) async fn credential(&self, region: &str, side: &str) -> String {
        let body = json!({
            "credentialName": self.name(), "credentialType": side, "credentialRegion": region,
            "credentialAuthType": "bearer", "credentialSecret": {"token": "t0ken-t0ken"},
        });
        id_of(&self.create("credentials", &body).await, "credentialId")
    }

    /// What to send for a proxy in `region`, with new records to bind.
    pub(crate) async fn proxy_body(&self, region: &str) -> Value {
        json!({
            "proxyName": self.name(), "proxyRegion": region,
            "proxyProxyCredentialIds": [self.credential(region, "proxy").await],
            "proxyTargetId": self.target(region).await,
            "proxyTargetCredentialId": self.credential(region, "target").await,
        })
    }

    /// A proxy in the region, with new records; its document.
    pub(crate) async fn proxy(&self) -> Value {
        let body = self.proxy_body(REGION).await;
        self.create("proxies", &body).await
    }
}

/// The text of a member.
pub(crate) fn id_of(document: &Value, name: &str) -> String {
    document[name].as_str().unwrap().to_owned()
}

impl Who {
    pub(crate) fn token(self) -> Option<&'static str> {
        match self {
            Self::Anonymous => None,
            Self::Stranger => Some("u-stranger"),
            Self::User => Some("u-user"),
            Self::Admin => Some("u-admin"),
            Self::Owner => Some("u-owner"),
            Self::Operator => Some("o-operator"),
        }
    }
}
