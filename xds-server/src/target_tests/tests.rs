use std::time::Duration;

use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::region::v1 as region;
use requestrocket_proto::region::v1::CredentialAuthType as Auth;
use requestrocket_proto::region::v1::CredentialSide;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::fixtures::{self, CANARY, ORGANISATION, Region};
use crate::store::tests::test_stores;

struct Scene {
    region: Region,
    tests: TargetTests,
    listener: TcpListener,
}

impl Scene {
    async fn new(region: Region, allowed: &[&str]) -> Self {
        let allowed: Vec<_> = allowed.iter().map(|it| it.parse().unwrap()).collect();
        Self {
            tests: region.target_tests(&allowed),
            region,
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        }
    }

    fn query(&self, path: &str, credential: &str) -> TargetTestQuery {
        let port = self.listener.local_addr().unwrap().port();
        TargetTestQuery {
            organisation_id: ORGANISATION.to_owned(),
            base_url: format!("http://127.0.0.1:{port}/v1/"),
            path: path.to_owned(),
            target_credential_id: credential.to_owned(),
        }
    }

    /// What a target comes to that answers with these bytes; the request as it came.
    async fn served(&self, answer: &str, query: TargetTestQuery) -> (TargetTest, String) {
        let serve = async {
            let (mut stream, _) = self.listener.accept().await.unwrap();
            let mut seen = vec![0; 4096];
            let read = stream.read(&mut seen).await.unwrap();
            // Whoever has the head goes.
            let _ = stream.write_all(answer.as_bytes()).await;
            String::from_utf8(seen[..read].to_vec()).unwrap()
        };
        let both = async { tokio::join!(self.tests.answer(query), serve) };
        let both = tokio::time::timeout(Duration::from_secs(30), both).await;
        let (test, seen) = both.unwrap();
        (test.unwrap().unwrap(), seen)
    }
}

#[tokio::test]
async fn a_target_is_called_with_a_credential_of_its_organisation_or_none() {
    let [bearer, hmac, gone] = [1, 2, 3].map(fixtures::id);
    for store in test_stores().await {
        let region = Region::with(store).await;
        let signed = serde_json::json!({
            "key": CANARY, "header": "X-Signature", "stringToSign": "{method} {path}",
        });
        let target = CredentialSide::Target;
        let changes = vec![
            fixtures::organisation(false),
            region.bearer(&bearer, 1, CANARY),
            region.credential(&hmac, 1, (target, Auth::Hmac), &signed.to_string()),
        ];
        region.ingest.apply_delta(1, changes).await.unwrap();
        let scene = Scene::new(region, &["127.0.0.0/8"]).await;

        // Of an answer without an end the head is enough; nothing is followed.
        let answer = "HTTP/1.1 302 Found\r\nlocation: /else\r\ntransfer-encoding: chunked\r\n\r\n";
        let (test, seen) = scene.served(answer, scene.query("/x?a=1", "")).await;
        assert_eq!((test.is_reachable, test.status), (true, 302));
        assert_eq!(test.error, "");
        assert!(seen.starts_with("GET /v1/x?a=1 HTTP/1.1\r\n"), "{seen}");
        assert!(!seen.contains("authorization"), "{seen}");

        let answer = "HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n";
        for (credential, want) in [
            (&bearer, format!("authorization: Bearer {CANARY}\r\n")),
            (&hmac, "x-signature: ".to_owned()),
        ] {
            let (test, seen) = scene.served(answer, scene.query("/", credential)).await;
            assert_eq!((test.is_reachable, test.status), (true, 503));
            assert!(seen.starts_with("GET /v1/ HTTP/1.1\r\n"), "{seen}");
            assert!(seen.contains(&want), "{seen}");
        }

        let query = scene.query("/", &gone);
        let test = scene.tests.answer(query).await.unwrap().unwrap();
        assert_eq!(test.error, "region does not have the target credential");
        // Nor does another organisation get it.
        let query = TargetTestQuery {
            organisation_id: fixtures::id(9),
            ..scene.query("/", &bearer)
        };
        let test = scene.tests.answer(query).await.unwrap().unwrap();
        assert_eq!((test.is_reachable, test.status), (false, 0));
        drop(scene.region.folder);
    }
}

#[tokio::test]
async fn addresses_that_targets_may_not_have_are_not_called() {
    let region = Region::with(crate::store::tests::fresh_sqlite().await).await;
    let scene = Scene::new(region, &[]).await;
    let test = scene.tests.answer(scene.query("/", "")).await;
    let test = test.unwrap().unwrap();
    assert_eq!((test.is_reachable, test.status), (false, 0));
    assert_eq!(test.error, "address not allowed");
}

#[tokio::test]
async fn a_target_that_is_to_be_checked_is_called_with_what_a_proxy_gives_it() {
    let [target, credential, proxy] = [1, 2, 3].map(fixtures::id);
    let region = Region::with(crate::store::tests::fresh_sqlite().await).await;
    let bearer = region.bearer(&credential, 1, CANARY);
    let scene = Scene::new(region, &["127.0.0.0/8"]).await;
    let base_url = scene.query("/", "").base_url;
    let mut checked = fixtures::target(&target, &base_url);
    if let Some(region::change::Kind::Target(target)) = &mut checked.kind {
        target.check_seconds = 60;
        "/health".clone_into(&mut target.test_path);
    }
    let changes = vec![
        fixtures::organisation(false),
        checked,
        bearer,
        fixtures::proxy(&proxy, &[], &target, &credential),
    ];
    scene.region.ingest.apply_delta(1, changes).await.unwrap();
    let tasks = TaskSet::default();
    let mut checks = TargetChecking::start(scene.tests.clone(), &tasks).subscribe();
    let (mut stream, _) = scene.listener.accept().await.unwrap();
    let mut seen = vec![0; 4096];
    let read = stream.read(&mut seen).await.unwrap();
    let seen = String::from_utf8(seen[..read].to_vec()).unwrap();
    assert!(seen.starts_with("GET /v1/health HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains(CANARY), "{seen}");
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(answer).await.unwrap();
    let told = checks
        .wait_for(|checks| checks.contains_key(&*target))
        .await;
    let check = Arc::clone(&told.unwrap()[&*target]);
    assert_eq!(check.test.as_ref().unwrap().status, 200);
}
