//! `authorization_code`: what a consent brought is shown once.

use requestrocket_policy::envelope::Binding;

use super::*;

const WITH_REFRESH: &str = r#"{"access_token": "t1", "expires_in": 1000, "refresh_token": "r1"}"#;

fn authorization_code(provider: &Provider) -> Value {
    json!({
        "grantType": "authorization_code", "tokenUrl": provider.url,
        "authorizationUrl": "https://a.example/authorize", "clientId": "me",
        "clientSecret": "canary-secret", "scopes": ["x"],
    })
}

impl Scene {
    /// The credential as it comes again, with a consent of this number to `version`.
    fn consent(&self, version: u64, number: u64, code: &str) -> region::Change {
        let mut change = self.credential(version, &json!({}), Auth::Oauth2);
        let record = (id(20).parse().unwrap(), version);
        let organisation = ORGANISATION.parse().unwrap();
        let seal = |text: &str, binding: Binding<'_>| {
            let key = self.region.keys.sealing.public_key();
            key.seal(text.as_bytes(), &binding).unwrap().into()
        };
        if let Some(region::change::Kind::Credential(credential)) = &mut change.kind {
            credential.sealed_secret.clear();
            let of_code = Binding::consent_code(REGION, organisation, record);
            let of_verifier = Binding::consent_verifier(REGION, organisation, record);
            credential.consent = Some(region::Consent {
                number,
                sealed_code: seal(code, of_code),
                sealed_verifier: seal("canary-verifier", of_verifier),
                redirect_uri: "https://core.example/webhooks/oauth2".to_owned(),
            });
        }
        change
    }
}

const BY_CODE: &str = "grant_type=authorization_code&code=c1\
    &redirect_uri=https%3A%2F%2Fcore.example%2Fwebhooks%2Foauth2&code_verifier=canary-verifier";

#[tokio::test]
async fn nobody_is_asked_before_somebody_consents_and_then_once() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, WITH_REFRESH), (200, T2)]).await;
        let mut scene = Scene::new(store, &authorization_code(&provider), Auth::Oauth2).await;
        scene.renew().await;
        assert_eq!(provider.peer.times(), 0);
        assert_eq!(scene.life().await, (TokenStatus::PendingConsent, 0, None));
        assert_eq!(scene.given().await, None);
        // What comes again counts once.
        for _ in 0..2 {
            scene.apply(vec![scene.consent(1, 1, "c1")]).await;
            scene.renew().await;
        }
        assert_eq!(provider.peer.bodies(), [BY_CODE]);
        assert_eq!(scene.life().await, (TokenStatus::Active, 0, None));
        assert_eq!(scene.row().await.unwrap().consent, None, "it is gone");
        scene.advance(880);
        scene.renew().await;
        let by_token = "grant_type=refresh_token&refresh_token=r1";
        assert_eq!(provider.peer.bodies(), [BY_CODE, by_token]);
        let bearer = vec!["authorization = Bearer t2".to_owned()];
        assert_eq!(scene.given().await, Some((bearer, 1_880)));
    }
}

#[tokio::test]
async fn a_code_that_is_refused_is_not_shown_again_and_a_new_consent_is_taken() {
    for store in test_stores().await {
        let refused = r#"{"error": "invalid_grant",
            "error_description": "code c0de-canary with canary-verifier"}"#;
        let provider = Provider::start(&[(503, ""), (400, refused), (200, T1)]).await;
        let mut scene = Scene::new(store, &authorization_code(&provider), Auth::Oauth2).await;
        scene.apply(vec![scene.consent(1, 1, "c0de-canary")]).await;
        for _ in 0..3 {
            scene.renew().await;
            scene.advance(100);
        }
        assert_eq!(
            provider.peer.times(),
            2,
            "once more after a failure in between"
        );
        let life = scene.row().await.unwrap().life;
        assert_eq!(life.status(), TokenStatus::ReconsentNeeded);
        let text = life.error.unwrap().text;
        assert_eq!(text, "invalid_grant: code *** with ***");
        scene.apply(vec![scene.consent(1, 2, "c1")]).await;
        scene.renew().await;
        assert_eq!(provider.peer.bodies()[2], BY_CODE);
        assert_eq!(scene.life().await, (TokenStatus::Active, 0, None));
    }
}

#[tokio::test]
async fn a_consent_overtakes_what_is_asked_for_meanwhile_and_a_new_secret_overtakes_it() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, WITH_REFRESH), (200, T1), (200, T2)]).await;
        let secret = authorization_code(&provider);
        let mut scene = Scene::new(store, &secret, Auth::Oauth2).await;
        scene.apply(vec![scene.consent(1, 1, "c1")]).await;
        scene.renew().await;
        scene.advance(880);
        provider.peer.gate.send_replace(false);
        let mut running = JoinSet::new();
        scene.renewals.begin(&mut running).await;
        provider.peer.asked(2).await;
        scene.apply(vec![scene.consent(1, 2, "c2")]).await;
        provider.peer.gate.send_replace(true);
        running.join_all().await;
        let life = scene.row().await.unwrap().life;
        assert_eq!((life.consent, life.status()), (2, TokenStatus::Obtaining));
        // Before it is shown there is another secret.
        let again = scene.credential(2, &secret, Auth::Oauth2);
        scene.apply(vec![again]).await;
        scene.renew().await;
        assert_eq!(provider.peer.times(), 2);
        assert_eq!(scene.life().await, (TokenStatus::PendingConsent, 0, None));
        assert_eq!(scene.given().await, None);
        // One to a secret of the past is no consent.
        let mut late = scene.consent(1, 3, "c3");
        if let Some(region::change::Kind::Credential(credential)) = &mut late.kind {
            credential.version = 2;
        }
        scene.apply(vec![late]).await;
        let code = Some("unusable_consent".to_owned());
        let want = (TokenStatus::ReconsentNeeded, 0, code);
        assert_eq!(scene.life().await, want);
        scene.renew().await;
        assert_eq!(provider.peer.times(), 2);
    }
}

#[tokio::test]
async fn a_token_that_ends_without_a_refresh_token_needs_consent_again() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, T1)]).await;
        let mut scene = Scene::new(store, &authorization_code(&provider), Auth::Oauth2).await;
        scene.apply(vec![scene.consent(1, 1, "c1")]).await;
        scene.renew().await;
        scene.advance(880);
        scene.renew().await;
        assert_eq!(provider.peer.times(), 1);
        let code = Some("no_refresh_token".to_owned());
        let want = (TokenStatus::ReconsentNeeded, 1, code);
        assert_eq!(scene.life().await, want);
        let bearer = vec!["authorization = Bearer t1".to_owned()];
        assert_eq!(scene.given().await, Some((bearer, 1_000)), "it serves on");
    }
}

/// Such as after the organisation's key was lost. The region has no other grant, and says so.
#[tokio::test]
async fn a_consent_that_does_not_open_is_told_as_one() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, T1)]).await;
        let mut scene = Scene::new(store, &authorization_code(&provider), Auth::Oauth2).await;
        scene.apply(vec![scene.consent(1, 1, "c1")]).await;
        let mut tx = scene.renewals.store.begin().await.unwrap();
        sqlx::query("UPDATE token SET consent_code = 'AAAA'")
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        scene.renew().await;
        let code = Some("unusable_consent".to_owned());
        let want = (TokenStatus::ReconsentNeeded, 1, code);
        assert_eq!(scene.life().await, want);
        assert_eq!(provider.peer.times(), 0);
    }
}

#[tokio::test]
async fn several_refreshers_show_a_code_once() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, T1), (200, T2)]).await;
        let mut scene = Scene::new(store, &authorization_code(&provider), Auth::Oauth2).await;
        scene.apply(vec![scene.consent(1, 1, "c1")]).await;
        provider.peer.gate.send_replace(false);
        let mut running = JoinSet::new();
        for _ in 0..4 {
            let renewals = scene.renewals.clone();
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
        assert_eq!(provider.peer.bodies(), [BY_CODE]);
    }
}
