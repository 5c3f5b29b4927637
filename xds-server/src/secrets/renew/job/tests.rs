mod keys;

use std::sync::Mutex;

use requestrocket_proto::region::v1 as region;
use requestrocket_proto::region::v1::CredentialAuthType as Auth;
use requestrocket_proto::region::v1::CredentialSide;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::{
    ORGANISATION, REGION, Region, id, organisation, proxy, removed, target, translation,
};
use crate::keys::{KeyRenewals, OpaqueTokens, RefusedTokens};
use crate::records::record::Records;
use crate::secrets::renew::introspect::Introspections;
use crate::secrets::renew::life::TokenStatus;
use crate::secrets::renew::peer::{self, Peer};
use crate::store::records::records_fetch;
use crate::store::tests::test_stores;
use crate::xds::publisher::Publisher;

mod consent;
mod opaque;
mod quirks;
mod refused;

const START_S: i64 = 1_800_000_000;

/// A token endpoint that answers what a test says.
struct Provider {
    url: String,
    peer: Peer,
    answers: Arc<Mutex<Vec<(u16, String)>>>,
}

impl Provider {
    async fn start(answers: &[(u16, &str)]) -> Self {
        let answers = answers
            .iter()
            .map(|(status, body)| (*status, (*body).to_owned()));
        let answers = Arc::new(Mutex::new(answers.rev().collect::<Vec<_>>()));
        let to_give = Arc::clone(&answers);
        let peer = Peer::start(move |_| {
            let next = to_give.lock().unwrap().pop();
            let (status, body) = next.unwrap_or((500, String::new()));
            peer::answer((status, ""), &body)
        });
        let peer = peer.await;
        Self {
            url: format!("{}/token", peer.url),
            peer,
            answers,
        }
    }

    fn then(&self, status: u16, body: &str) {
        let answer = (status, body.to_owned());
        self.answers.lock().unwrap().insert(0, answer);
    }
}

struct Scene {
    region: Region,
    renewals: Renewals,
    clock: Clock,
    revision: u64,
}

impl Scene {
    /// Nothing came yet.
    async fn bare(store: crate::store::tests::TestStore) -> Self {
        let region = Region::with(store).await;
        let clock = Clock::manual(time::OffsetDateTime::from_unix_timestamp(START_S).unwrap());
        let publisher = Arc::new(Publisher::new(translation()));
        let writer = Arc::new(RegionWriter::new(region.ingest.clone(), publisher));
        writer.load().await.unwrap();
        let renewals = Renewals {
            region: REGION.to_owned(),
            keys: Arc::clone(&region.keys),
            store: region.store.store.clone(),
            writer,
            client: Client::new(b"", &["127.0.0.0/8".parse().unwrap()]),
            sources: KeySources::default(),
            pace: Pace::default(),
            clock: clock.clone(),
        };
        Self {
            region,
            renewals,
            clock,
            revision: 0,
        }
    }

    async fn new(store: crate::store::tests::TestStore, secret: &Value, auth: Auth) -> Self {
        let mut scene = Self::bare(store).await;
        let credential = scene.credential(1, secret, auth);
        scene
            .apply(vec![
                organisation(false),
                target(&id(30), "https://a.example"),
                credential,
                proxy(&id(1), &[], &id(30), &id(20)),
            ])
            .await;
        scene
    }

    fn credential(&self, version: u64, secret: &Value, auth: Auth) -> region::Change {
        let side = (CredentialSide::Target, auth);
        self.region
            .credential(&id(20), version, side, &secret.to_string())
    }

    async fn apply(&mut self, changes: Vec<region::Change>) {
        self.revision += 1;
        self.renewals
            .writer
            .apply_delta(self.revision, changes)
            .await
            .unwrap();
    }

    /// Asks for everything that is due, to its end.
    async fn renew(&self) {
        let mut running = JoinSet::new();
        self.renewals.begin(&mut running).await;
        running.join_all().await;
    }

    async fn row(&self) -> Option<TokenRow> {
        let mut tx = self.renewals.store.begin().await.unwrap();
        token_list(&mut tx, None).await.unwrap().remove(&id(20))
    }

    async fn records(&self) -> Records {
        let mut tx = self.renewals.store.begin().await.unwrap();
        records_fetch(&mut tx, &[&id(1)]).await.unwrap()
    }

    /// What calls are given, opened: `name = value`, and until when, in seconds from the start.
    async fn given(&self) -> Option<(Vec<String>, u64)> {
        let records = self.records().await;
        let credential = &records.credentials[&id(20)];
        let keys = &records.organisations[ORGANISATION].keys;
        let Ok(StoredSecret::Obtained(_, token)) = &credential.secret else {
            panic!("{:?}", credential.secret);
        };
        let token = token.as_ref()?;
        let opened = token.injections.iter().map(|injection| {
            let value = crate::secrets::recipe::opened(
                (REGION, &self.region.keys),
                keys,
                credential,
                injection,
            );
            format!("{} = {value}", injection.name)
        });
        let start_ms = u64::try_from(START_S).unwrap() * 1_000;
        Some((opened.collect(), (token.serves_until_ms - start_ms) / 1_000))
    }

    async fn life(&self) -> (TokenStatus, u32, Option<String>) {
        let life = self.row().await.unwrap().life;
        (
            life.status(),
            life.attempts,
            life.error.map(|error| error.code),
        )
    }

    /// What nodes of this region ask.
    fn asked_by_nodes(&self) -> KeyRenewals {
        let renewals = &self.renewals;
        KeyRenewals::new(
            RefusedTokens {
                writer: Arc::clone(&renewals.writer),
                store: renewals.store.clone(),
                pace: renewals.pace.clone(),
                clock: self.clock.clone(),
            },
            OpaqueTokens {
                region: REGION.to_owned(),
                keys: Arc::clone(&renewals.keys),
                store: renewals.store.clone(),
                asked: Introspections::new(renewals.client.clone(), self.clock.clone()),
            },
        )
    }

    /// What comes of that while the region works.
    async fn working<T>(&self, asking: impl Future<Output = T>) -> T {
        let work = async {
            loop {
                self.renewals.writer.came().await;
                self.renew().await;
            }
        };
        tokio::select! {
            biased;
            answer = asking => answer,
            () = work => panic!("it works on"),
        }
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn client_credentials(provider: &Provider) -> Value {
    json!({
        "grantType": "client_credentials", "tokenUrl": provider.url,
        "clientId": "me", "clientSecret": "canary-secret",
    })
}

fn password(provider: &Provider) -> Value {
    json!({
        "grantType": "password", "username": "u", "password": "p", "tokenUrl": provider.url,
        "clientId": "me", "clientSecret": "canary-secret",
    })
}

const T1: &str = r#"{"access_token": "t1", "expires_in": 1000}"#;
const T2: &str = r#"{"access_token": "t2", "expires_in": 1000}"#;

#[tokio::test]
async fn a_token_is_obtained_given_to_calls_and_refreshed_before_its_end() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, T1), (200, T2)]).await;
        let mut secret = client_credentials(&provider);
        secret["headers"] = json!({"X-Tenant": "7"});
        let scene = Scene::new(store, &secret, Auth::Oauth2).await;
        assert_eq!(scene.given().await, None, "there is none yet");
        assert_eq!(scene.life().await, (TokenStatus::Obtaining, 0, None));
        scene.renew().await;
        let given = |token: &str| {
            vec![
                "x-tenant = 7".to_owned(),
                format!("authorization = Bearer {token}"),
            ]
        };
        assert_eq!(scene.given().await, Some((given("t1"), 1_000)));
        scene.renew().await;
        scene.advance(719);
        scene.renew().await;
        assert_eq!(provider.peer.times(), 1, "it is not due");
        scene.advance(161);
        scene.renew().await;
        assert_eq!(scene.given().await, Some((given("t2"), 1_880)));
        assert_eq!(scene.life().await, (TokenStatus::Active, 0, None));
    }
}

#[tokio::test]
async fn a_provider_that_is_down_takes_nothing_away_before_the_end() {
    for store in test_stores().await {
        let page = "<html>canary-secret</html>";
        let provider = Provider::start(&[(200, T1), (403, page), (429, ""), (200, T2)]).await;
        let scene = Scene::new(store, &client_credentials(&provider), Auth::Oauth2).await;
        scene.renew().await;
        scene.advance(880);
        scene.renew().await;
        let code = Some("http_403".to_owned());
        assert_eq!(scene.life().await, (TokenStatus::Failing, 1, code));
        let bearer = vec!["authorization = Bearer t1".to_owned()];
        assert_eq!(scene.given().await, Some((bearer, 1_000)), "it serves on");
        scene.advance(2);
        scene.renew().await;
        assert_eq!(scene.life().await.1, 2);
        scene.advance(5);
        scene.renew().await;
        assert_eq!(scene.life().await, (TokenStatus::Active, 0, None));
    }
}

#[tokio::test]
async fn a_parsed_oauth_error_is_final_until_there_is_another_secret() {
    for store in test_stores().await {
        let denied = r#"{"error": "invalid_client", "error_description": "canary-secret is bad"}"#;
        let provider = Provider::start(&[(401, denied), (200, T1)]).await;
        let mut scene = Scene::new(store, &client_credentials(&provider), Auth::Oauth2).await;
        scene.renew().await;
        scene.advance(100_000);
        scene.renew().await;
        assert_eq!(provider.peer.times(), 1);
        let life = scene.row().await.unwrap().life;
        assert_eq!(life.status(), TokenStatus::InvalidClient);
        assert_eq!(life.error.unwrap().text, "invalid_client: *** is bad");
        let again = scene.credential(2, &client_credentials(&provider), Auth::Oauth2);
        scene.apply(vec![again]).await;
        scene.renew().await;
        assert_eq!(scene.life().await, (TokenStatus::Active, 0, None));
    }
}

#[tokio::test]
async fn a_rotated_refresh_token_is_used_and_a_dead_one_is_replaced_by_the_grant() {
    for store in test_stores().await {
        let first = r#"{"access_token": "t1", "expires_in": 10, "refresh_token": "r1"}"#;
        let second = r#"{"access_token": "t2", "expires_in": 10, "refresh_token": "r2"}"#;
        let third = r#"{"access_token": "t3", "expires_in": 10}"#;
        let dead = r#"{"error": "invalid_grant"}"#;
        let provider = Provider::start(&[
            (200, first),
            (200, second),
            (200, third),
            (400, dead),
            (200, T1),
        ])
        .await;
        let scene = Scene::new(store, &password(&provider), Auth::Oauth2).await;
        for _ in 0..4 {
            scene.renew().await;
            scene.advance(10);
        }
        let by_password = "grant_type=password&username=u&password=p";
        let by_token = |token| format!("grant_type=refresh_token&refresh_token={token}");
        let want = [
            by_password.to_owned(),
            by_token("r1"),
            by_token("r2"),
            // The third answer brought none, so the second stays.
            by_token("r2"),
            by_password.to_owned(),
        ];
        assert_eq!(provider.peer.bodies(), want);
        assert_eq!(scene.life().await, (TokenStatus::Active, 0, None));
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_dead_and_all_there_was_needs_consent() {
    for store in test_stores().await {
        let provider = Provider::start(&[(400, r#"{"error": "invalid_grant"}"#)]).await;
        let mut secret = client_credentials(&provider);
        secret["grantType"] = "refresh_token".into();
        secret["refreshToken"] = "r0".into();
        let scene = Scene::new(store, &secret, Auth::Oauth2).await;
        scene.renew().await;
        scene.advance(100_000);
        scene.renew().await;
        assert_eq!(scene.life().await.0, TokenStatus::ReconsentNeeded);
        assert_eq!(provider.peer.times(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_was_overtaken_is_discarded() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, T1), (200, T2)]).await;
        provider.peer.gate.send_replace(false);
        let mut scene = Scene::new(store, &client_credentials(&provider), Auth::Oauth2).await;
        let mut running = JoinSet::new();
        scene.renewals.begin(&mut running).await;
        provider.peer.asked(1).await;
        let again = scene.credential(2, &client_credentials(&provider), Auth::Oauth2);
        scene.apply(vec![again]).await;
        provider.peer.gate.send_replace(true);
        running.join_all().await;
        assert_eq!(
            scene.given().await,
            None,
            "the first answer is of another secret"
        );
        scene.renew().await;
        let bearer = vec!["authorization = Bearer t2".to_owned()];
        assert_eq!(scene.given().await, Some((bearer, 1_000)));
    }
}

#[tokio::test]
async fn several_refreshers_of_one_store_ask_once() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, T1), (200, T2)]).await;
        provider.peer.gate.send_replace(false);
        let scene = Scene::new(store, &client_credentials(&provider), Auth::Oauth2).await;
        let others: Vec<Renewals> = (0..4).map(|_| scene.renewals.clone()).collect();
        let mut running = JoinSet::new();
        for renewals in others {
            running.spawn(async move {
                let mut own = JoinSet::new();
                renewals.begin(&mut own).await;
                own.join_all().await;
            });
        }
        provider.peer.asked(1).await;
        scene.renew().await;
        provider.peer.gate.send_replace(true);
        running.join_all().await;
        assert_eq!(provider.peer.times(), 1);
        assert_eq!(scene.life().await, (TokenStatus::Active, 0, None));
    }
}

#[tokio::test]
async fn a_lease_that_nobody_renews_ends_and_a_late_answer_changes_nothing() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, T1)]).await;
        let scene = Scene::new(store, &client_credentials(&provider), Auth::Oauth2).await;
        let dead = scene.renewals.take(&id(20)).await.unwrap().unwrap();
        scene.renew().await;
        assert_eq!(provider.peer.times(), 0, "somebody asks already");
        scene.advance(LEASE_MS / 1_000);
        scene.renew().await;
        assert_eq!(scene.life().await.0, TokenStatus::Active);
        let failure = Failure::transient("late", "late");
        let outcome = scene.renewals.failed(&dead, &failure).await.unwrap();
        assert_eq!(outcome, "overtaken");
        assert_eq!(scene.life().await, (TokenStatus::Active, 0, None));
    }
}

#[tokio::test]
async fn one_organisation_has_so_many_requests_on_their_way_at_most() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, T1)]).await;
        provider.peer.gate.send_replace(false);
        let secret = client_credentials(&provider);
        let mut scene = Scene::new(store, &secret, Auth::Oauth2).await;
        let side = (CredentialSide::Target, Auth::Oauth2);
        let json = secret.to_string();
        let more = (40..50).map(|number| scene.region.credential(&id(number), 1, side, &json));
        let more = more.collect();
        scene.apply(more).await;
        let mut running = JoinSet::new();
        scene.renewals.begin(&mut running).await;
        assert_eq!(running.len(), MAX_OF_ONE);
        scene.renewals.begin(&mut running).await;
        assert_eq!(running.len(), MAX_OF_ONE, "they are still on their way");
        provider.peer.asked(1).await;
        provider.peer.gate.send_replace(true);
        running.join_all().await;
        let mut running = JoinSet::new();
        scene.renewals.begin(&mut running).await;
        assert_eq!(running.len(), 11 - MAX_OF_ONE, "the others had their turn");
        running.join_all().await;
    }
}

#[tokio::test]
async fn an_organisation_that_waits_for_nothing_comes_before_one_that_waits_for_much() {
    for store in test_stores().await {
        let provider = Provider::start(&[]).await;
        let secret = client_credentials(&provider);
        let mut scene = Scene::new(store, &secret, Auth::Oauth2).await;
        let side = (CredentialSide::Target, Auth::Oauth2);
        let json = secret.to_string();
        let more = (40..45).map(|number| scene.region.credential(&id(number), 1, side, &json));
        let more = more.collect();
        scene.apply(more).await;
        let mut tx = scene.renewals.store.begin().await.unwrap();
        for statement in [
            "INSERT INTO organisation (organisation_id, is_suspended, data_key, digest_key) \
             SELECT 'another', is_suspended, data_key, digest_key FROM organisation",
            "UPDATE credential SET organisation_id = 'another' WHERE credential_id LIKE '%44'",
            "UPDATE token SET next_at_ms = next_at_ms - 1 WHERE credential_id NOT LIKE '%44'",
        ] {
            sqlx::query(statement).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
        let due = scene.renewals.due(2).await.unwrap();
        assert!(due.contains(&id(44)), "{due:?}");
    }
}

#[tokio::test]
async fn what_is_inactive_or_gone_is_not_asked_for() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, T1)]).await;
        let secret = client_credentials(&provider);
        let mut scene = Scene::new(store, &secret, Auth::Oauth2).await;
        let mut inactive = scene.credential(1, &secret, Auth::Oauth2);
        if let Some(region::change::Kind::Credential(record)) = &mut inactive.kind {
            record.is_active = false;
            record.sealed_secret.clear();
        }
        scene.apply(vec![inactive]).await;
        scene.renew().await;
        assert_eq!(provider.peer.times(), 0);
        let told = scene.renewals.writer.tokens();
        assert_eq!(told.borrow().len(), 1);
        let gone = vec![removed(region::RecordKind::Credential, &id(20))];
        scene.apply(gone).await;
        scene.renew().await;
        assert_eq!((provider.peer.times(), scene.row().await), (0, None));
        assert!(told.borrow().is_empty());
    }
}

#[tokio::test]
async fn a_secret_that_came_twice_does_not_begin_anew() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, T1)]).await;
        let secret = client_credentials(&provider);
        let mut scene = Scene::new(store, &secret, Auth::Oauth2).await;
        scene.renew().await;
        let same = scene.credential(1, &secret, Auth::Oauth2);
        scene.apply(vec![same]).await;
        scene.renew().await;
        let bearer = vec!["authorization = Bearer t1".to_owned()];
        assert_eq!(scene.given().await, Some((bearer, 1_000)));
        assert_eq!(provider.peer.times(), 1);
    }
}

#[tokio::test]
async fn a_custom_token_is_obtained_by_its_requests() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, r#"{"nonce": "n1"}"#)]).await;
        provider.then(200, r#"{"token": "t1"}"#);
        let secret = json!({
            "values": {"user": "u", "key": "canary-secret"},
            "requests": [
                {"method": "GET", "url": provider.url},
                {
                    "url": format!("{}?n={{step1.$.nonce}}", provider.url),
                    "headers": {"Authorization": "Basic {base64:{secret.user}:{secret.key}}"},
                },
            ],
            "response": {"tokenPath": "$.token", "ttlSeconds": 50},
            "apply": {"name": "X-Token", "template": "T {token}"},
        });
        let scene = Scene::new(store, &secret, Auth::CustomToken).await;
        scene.renew().await;
        let line = vec!["x-token = T t1".to_owned()];
        assert_eq!(scene.given().await, Some((line, 50)));
        let asked = provider.peer.seen.borrow()[1].clone();
        assert!(
            asked.starts_with("POST /token?n=n1 HTTP/1.1\r\n"),
            "{asked}"
        );
        assert!(asked.contains("authorization: Basic dTpjYW5hcnktc2VjcmV0\r\n"));
    }
}
