//! Nobody fills the store.

use requestrocket_core_api::domain::ceiling::Ceilings;
use serde_json::json;

use crate::world::{REGION, Who, World, id_of};

const TWO: Ceilings = Ceilings {
    credentials: 2,
    targets: 2,
    proxies: 2,
    members: 4,
    invites: 2,
    webhooks: 2,
    tokens: 2,
    organisations: 2,
};

#[tokio::test]
async fn creations_end_at_their_ceiling_and_go_on_below_it() {
    for world in World::each().await {
        let proxies = [
            world.proxy_body(REGION).await,
            world.proxy_body(REGION).await,
        ];
        let world = world.with_ceilings(TWO);
        for body in &proxies {
            world.create("proxies", body).await;
        }
        let target = json!({
            "targetName": "T", "targetBaseURL": "https://t.example.com", "targetRegion": REGION,
        });
        let credential = json!({
            "credentialName": "C", "credentialType": "proxy", "credentialAuthType": "apiKey",
            "credentialRegion": REGION,
        });
        let invite = json!({"email": "a@example.com", "roles": ["user"]});
        let mut invites = Vec::new();
        for _ in 0..2 {
            invites.push(world.create("invites", &invite).await);
        }
        let webhook = json!({"url": "https://a.example/"});
        for _ in 0..2 {
            world.create("webhooks", &webhook).await;
        }
        let token = json!({"tokenName": "T"});
        let made = world.call("POST", "/users/me/tokens").json(&token).send();
        assert_eq!(made.await.status, 201);
        let organisation = json!({"clientName": "O"});
        let made = world.call("POST", "/clients").json(&organisation).send();
        assert_eq!(made.await.status, 201);
        let before = world.dump_of_records().await;
        for (path, body) in [
            (world.at("proxies"), &proxies[0]),
            (world.at("targets"), &target),
            (world.at("credentials"), &credential),
            (world.at("invites"), &invite),
            (world.at("webhooks"), &webhook),
            ("/users/me/tokens".to_owned(), &token),
            ("/clients".to_owned(), &organisation),
        ] {
            let answer = world.call("POST", &path).json(body).send().await;
            answer.expect(409, "LIMIT_REACHED");
            assert_eq!(world.dump_of_records().await, before, "{path}");
        }

        // One more member fits, then none.
        for (invite, status) in invites.iter().zip([201, 409]) {
            let accept = json!({
                "inviteToken": id_of(invite, "inviteToken"), "firstName": "A", "lastName": "B",
            });
            let call = world.call("POST", "/invites/accept").by(Who::Anonymous);
            let answer = call.json(&accept).send().await;
            assert_eq!(answer.status, status, "{}", answer.text);
        }
        // An accepted invite is open no more.
        world.create("invites", &invite).await;
        world.pass(std::time::Duration::from_hours(24 * 365));
        world.create("invites", &invite).await;
    }
}
