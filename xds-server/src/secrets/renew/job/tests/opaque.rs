//! Callers' tokens that only their server can read.

use requestrocket_policy::secret::SecretText;
use requestrocket_proto::policy::v1::proxy_credential::Presented;

use super::*;
use crate::records::assemble::assemble_all;
use crate::secrets::renew::introspect::Said;

#[tokio::test]
async fn a_server_is_asked_with_the_secret_of_the_credential_and_nothing_is_fetched() {
    for store in test_stores().await {
        let answer = r#"{"active": true, "sub": "a"}"#;
        let provider = Provider::start(&[(200, answer), (200, answer)]).await;
        let mut scene = Scene::bare(store).await;
        let secret = json!({
            "introspectionUrl": provider.url, "clientId": "me", "clientSecret": "canary-secret",
        });
        let side = (CredentialSide::Proxy, Auth::Oauth2);
        let region = &scene.region;
        let caller = region.credential(&id(20), 1, side, &secret.to_string());
        scene
            .apply(vec![
                organisation(false),
                target(&id(30), "https://a.example"),
                caller,
                proxy(&id(1), &[&id(20)], &id(30), ""),
            ])
            .await;
        scene.renew().await;
        assert_eq!((provider.peer.times(), scene.row().await), (0, None));
        let records = scene.records().await;
        let (_, assembled) = assemble_all(&records).next().unwrap();
        let config = assembled.config.unwrap();
        let Presented::SignedToken(token) = &config.proxy_credentials[0].presented else {
            panic!("no token");
        };
        assert!(token.is_introspected && token.keys.is_empty());
        let asked = scene.asked_by_nodes();
        let token = SecretText::new("opaque".to_owned());
        let said = asked.said((&id(20), 1), &token).await;
        let claims = r#"{"active":true,"sub":"a"}"#;
        assert_eq!(said, Some((Said::Active(claims.into()), 60_000)));
        let basic = "authorization: Basic bWU6Y2FuYXJ5LXNlY3JldA==\r\n";
        assert!(provider.peer.seen.borrow()[0].contains(basic));
        let of_another = asked.said((&id(20), 2), &token).await;
        assert_eq!(of_another, None, "of another secret");
        assert_eq!(asked.said((&id(30), 1), &token).await, None);
        assert_eq!(provider.peer.times(), 1);
    }
}
