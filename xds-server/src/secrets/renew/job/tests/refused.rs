//! A target does not take the token that calls are given.

use requestrocket_policy::renewal::Obtained;

use super::*;

impl Scene {
    /// The token that calls are given.
    async fn token(&self) -> Obtained {
        let row = self.row().await.unwrap();
        Obtained {
            credential: row.credential_id.parse().unwrap(),
            version: row.version,
            serves_until_ms: row.token.unwrap().serves_until_ms,
        }
    }

    /// Whether a node is told of another one that is given to calls from now on.
    async fn replaced(&self, refused: &Obtained) -> bool {
        let asked = self.asked_by_nodes();
        let injections = self.working(asked.replace(refused)).await;
        let row = self.row().await.unwrap();
        let present = row.token.map(|token| token.injections);
        assert!(injections.is_empty() || present == Some(injections.clone()));
        !injections.is_empty()
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_however_many_ask() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, T1), (200, T2)]).await;
        let scene = Scene::new(store, &client_credentials(&provider), Auth::Oauth2).await;
        scene.renew().await;
        let first = scene.token().await;
        assert!(!scene.replaced(&first).await, "it is fresh");
        scene.advance(30);
        let asked = scene.asked_by_nodes();
        let all = async { tokio::join!(asked.replace(&first), asked.replace(&first)) };
        let (one, other) = scene.working(all).await;
        assert!(!one.is_empty() && one == other);
        assert_eq!(provider.peer.times(), 2);
        let bearer = vec!["authorization = Bearer t2".to_owned()];
        assert_eq!(scene.given().await, Some((bearer, 1_030)));
        // Whoever had the first still is told of the second; the second is fresh.
        assert!(scene.replaced(&first).await);
        assert!(!scene.replaced(&scene.token().await).await);
        assert_eq!(provider.peer.times(), 2);
    }
}

#[tokio::test]
async fn a_target_that_refuses_for_ever_has_a_provider_asked_twice_a_minute() {
    for store in test_stores().await {
        let provider = Provider::start(&[]).await;
        for number in 0..8 {
            let token = format!(r#"{{"access_token": "t{number}", "expires_in": 1000}}"#);
            provider.then(200, &token);
        }
        let scene = Scene::new(store, &client_credentials(&provider), Auth::Oauth2).await;
        scene.renew().await;
        for _ in 0..60 {
            scene.advance(1);
            scene.replaced(&scene.token().await).await;
        }
        assert_eq!(provider.peer.times(), 3);
    }
}

#[tokio::test]
async fn a_provider_that_fails_is_not_asked_because_of_targets() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, T1), (503, "")]).await;
        let scene = Scene::new(store, &client_credentials(&provider), Auth::Oauth2).await;
        scene.renew().await;
        let first = scene.token().await;
        scene.advance(30);
        assert!(!scene.replaced(&first).await);
        assert_eq!(scene.life().await.0, TokenStatus::Failing);
        assert!(!scene.replaced(&first).await);
        assert_eq!(provider.peer.times(), 2);
        let bearer = vec!["authorization = Bearer t1".to_owned()];
        assert_eq!(scene.given().await, Some((bearer, 1_000)), "it serves on");
    }
}

#[tokio::test]
async fn a_token_of_another_secret_or_without_a_way_to_another_is_not_replaced() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, T1)]).await;
        let secret = client_credentials(&provider);
        let mut scene = Scene::new(store, &secret, Auth::Oauth2).await;
        scene.renew().await;
        let first = scene.token().await;
        scene.advance(30);
        let mut tx = scene.renewals.store.begin().await.unwrap();
        sqlx::query("UPDATE token SET consent = 1")
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert!(!scene.replaced(&first).await, "it came of a consent");
        let again = scene.credential(2, &secret, Auth::Oauth2);
        scene.apply(vec![again]).await;
        let asked = scene.asked_by_nodes();
        assert!(asked.replace(&first).await.is_empty());
        assert_eq!(provider.peer.times(), 1);
    }
}

#[tokio::test]
async fn a_refresh_because_of_a_target_is_paid_for_like_others() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, T1), (200, T2)]).await;
        let scene = Scene::new(store, &client_credentials(&provider), Auth::Oauth2).await;
        scene.renew().await;
        let first = scene.token().await;
        scene.advance(30);
        let now_ms = scene.renewals.now_ms();
        scene
            .renewals
            .pace
            .published(ORGANISATION, 60_000 * 500, now_ms);
        let paid_ms = scene.renewals.pace.free_at_ms(ORGANISATION);
        let (asked, writer) = (scene.asked_by_nodes(), &scene.renewals.writer);
        let is_paced = async {
            while scene.row().await.unwrap().life.next_at_ms != Some(paid_ms) {
                writer.came().await;
            }
        };
        tokio::select! {
            replaced = asked.replace(&first) => panic!("{replaced:?}"),
            () = is_paced => {}
        }
        scene.renew().await;
        assert_eq!(provider.peer.times(), 1);
    }
}
