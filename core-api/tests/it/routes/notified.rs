//! Each kind of notification by its cause: once, and to whom it concerns.

use std::time::Duration;

use requestrocket_core_api::bootstrap::mint_setup_token;
use requestrocket_core_api::region::fleet::Link;
use requestrocket_core_api::service::account::watch::{AWAY, Watch};
use requestrocket_proto::region::v1::{
    NodeStatus, Rejection, TokenState, TokenStates, TokenStatus, UnusableProxy,
};
use serde_json::{Value, json};

use crate::world::{REGION, Who, World, id_of};

const DAY: Duration = Duration::from_hours(24);
const PASSWORD: &str = "correct horse battery staple";

/// Kinds and titles of a list, the oldest first.
async fn told(world: &World, who: Who, path: &str) -> Vec<(String, String)> {
    let path = format!("{path}?order=asc&limit=100");
    let page = world.call("GET", &path).by(who).send().await;
    assert_eq!(page.status, 200, "{}", page.text);
    let all = page.body["data"].as_array().unwrap();
    let of = |one: &Value| (id_of(one, "kind"), id_of(one, "title"));
    all.iter().map(of).collect()
}

async fn kinds(world: &World, who: Who, path: &str) -> Vec<String> {
    let told = told(world, who, path).await;
    told.into_iter().map(|(kind, _)| kind).collect()
}

async fn look(world: &World, watch: &mut Watch) {
    // The second look is at what is known.
    for _ in 0..2 {
        watch.look(&world.state).await.unwrap();
    }
    // And so is that of a process that starts.
    Watch::begin(&world.state).look(&world.state).await.unwrap();
}

#[tokio::test]
async fn an_invite_reaches_who_has_shown_the_address_to_be_theirs() {
    for world in World::each().await {
        let body = json!({"email": "Stranger@Example.com", "roles": ["user"]});
        world.create("invites", &body).await;
        let own = "/users/me/notifications";
        assert!(
            told(&world, Who::Stranger, own).await.is_empty(),
            "it is not"
        );
        world
            .run(
                "UPDATE user_account SET proved_address = 'stranger@example.com' \
                  WHERE first_name = 'Stranger'",
            )
            .await;
        let invite = world.create("invites", &body).await;
        let want = ("invite".to_owned(), "You are invited to \"Org\"".to_owned());
        assert_eq!(
            told(&world, Who::Stranger, own).await,
            std::slice::from_ref(&want)
        );
        // However often somebody is invited, they are told once a day.
        for _ in 0..3 {
            world.create("invites", &body).await;
        }
        let once = told(&world, Who::Stranger, own).await;
        assert_eq!(once.len(), 1);
        world.pass(DAY);
        let again = world.at(&format!("invites/{}/resend", id_of(&invite, "inviteId")));
        assert_eq!(world.call("POST", &again).send().await.status, 200);
        assert_eq!(told(&world, Who::Stranger, own).await, [want.clone(), want]);
        // What was withdrawn cannot be accepted: nothing tells of it any more.
        let path = world.at(&format!("invites/{}", id_of(&invite, "inviteId")));
        assert_eq!(world.call("DELETE", &path).send().await.status, 204);
        assert!(told(&world, Who::Stranger, own).await.is_empty());
        assert!(told(&world, Who::User, own).await.is_empty());
    }
}

#[tokio::test]
async fn who_joins_and_who_goes_is_told_to_owners_and_admins_and_to_who_is_removed() {
    for world in World::each().await {
        let list = world.at("notifications");
        let user = "SELECT user_id FROM user_account WHERE first_name = 'User'";
        let path = world.at(&format!("members/{}", world.text(user).await));
        assert_eq!(world.call("DELETE", &path).send().await.status, 204);
        assert_eq!(kinds(&world, Who::Admin, &list).await, ["member-removed"]);
        let own = told(&world, Who::User, "/users/me/notifications").await;
        let want = ("member-removed", "You are no longer a member of Org");
        assert_eq!(own, [(want.0.to_owned(), want.1.to_owned())]);
        // Who leaves knows.
        let admin = "SELECT user_id FROM user_account WHERE first_name = 'Admin'";
        let path = world.at(&format!("members/{}", world.text(admin).await));
        let left = world.call("DELETE", &path).by(Who::Admin).send().await;
        assert_eq!(left.status, 204);
        assert!(
            told(&world, Who::Admin, "/users/me/notifications")
                .await
                .is_empty()
        );
        assert_eq!(
            kinds(&world, Who::Owner, &list).await,
            ["member-removed"; 2]
        );
    }
}

#[tokio::test]
async fn a_browser_that_was_not_seen_before_is_told_of() {
    for world in World::each().await {
        let world = world.behind_a_balancer();
        let user = "SELECT user_id FROM user_account WHERE first_name = 'Owner'";
        let user = world.text(user).await.parse().unwrap();
        let token = mint_setup_token(&world.state, Some(user)).await.unwrap();
        let come = |path: &str, body: &Value, (agent, from): (&str, &str)| {
            let call = world.call("POST", path).by(Who::Anonymous).json(body);
            let call = call
                .header("User-Agent", agent)
                .header("X-Forwarded-For", from);
            async { assert_eq!(call.send().await.status, 204) }
        };
        let mut body = json!({"email": "owner@example.com", "password": PASSWORD});
        let mut first = body.clone();
        first["token"] = token.expose().into();
        come("/session/setup", &first, ("Firefox/1", "203.0.113.7")).await;
        let own = "/users/me/notifications";
        for (agent, from, want) in [
            ("Firefox/1", "203.0.113.7", 0),
            // Carried about at home.
            ("Firefox/1", "203.0.113.200", 0),
            ("Firefox/1", "198.51.100.7", 1),
            ("Safari/1", "203.0.113.7", 2),
            ("Safari/1", "203.0.113.8", 2),
            ("Firefox/1", "2001:db8::1", 3),
            ("Firefox/1", "2001:db8:0:9::1", 3),
        ] {
            world.pass(Duration::from_secs(1));
            come("/session", &body, (agent, from)).await;
            let told = kinds(&world, Who::Owner, own).await;
            assert_eq!(told, vec!["sign-in-new-device"; want], "{agent} {from}");
        }
        // Somebody who does not get in is no news.
        body["password"] = "another long password".into();
        let wrong = world
            .call("POST", "/session")
            .by(Who::Anonymous)
            .json(&body);
        let wrong = wrong.header("User-Agent", "curl").send().await;
        wrong.expect(401, "UNAUTHENTICATED");
        assert_eq!(kinds(&world, Who::Owner, own).await.len(), 3);
    }
}

#[tokio::test]
async fn what_ends_is_told_of_two_weeks_and_three_days_before_and_then() {
    for world in World::each().await {
        let end = world.state.now().plus(15 * DAY).to_string();
        let body = json!({
            "credentialName": "C", "credentialType": "proxy", "credentialRegion": REGION,
            "credentialAuthType": "bearer", "credentialSecret": {"token": "t0ken-t0ken"},
            "credentialExpiresAt": end,
        });
        world.create("credentials", &body).await;
        let token = json!({"tokenName": "T", "expiresAt": end});
        let made = world
            .call("POST", "/users/me/tokens")
            .json(&token)
            .send()
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
        let mut watch = Watch::begin(&world.state);
        for (days, titles) in [
            (0, vec![]),
            (1, vec!["ends"]),
            (10, vec!["ends"]),
            (1, vec!["ends", "ends"]),
            (3, vec!["ends", "ends", "has ended"]),
            (30, vec!["ends", "ends", "has ended"]),
        ] {
            world.pass(days * DAY);
            look(&world, &mut watch).await;
            for (path, what) in [
                (world.at("notifications"), "Credential C"),
                ("/users/me/notifications".to_owned(), "Token T"),
            ] {
                let said = told(&world, Who::Owner, &path).await;
                let said: Vec<_> = said.into_iter().map(|(_, title)| title).collect();
                let want: Vec<_> = titles.iter().map(|how| format!("{what} {how}")).collect();
                assert_eq!(said, want, "{days}");
            }
        }
        // Whose the token is not, nor who sees no credentials of the organisation.
        assert!(
            told(&world, Who::Admin, "/users/me/notifications")
                .await
                .is_empty()
        );
        let list = world.at("notifications");
        assert_eq!(
            kinds(&world, Who::User, &list).await,
            ["credential-expiring"; 3]
        );
    }
}

#[tokio::test]
async fn a_region_that_is_away_for_five_minutes_is_told_of_once_until_it_comes_back() {
    for world in World::each().await {
        let fleets = &world.state.fleets;
        let mut watch = Watch::begin(&world.state);
        let system = "/notifications/system";
        let link = |link| fleets.update(REGION, |state| state.link = link);
        for times in 1..=2_usize {
            link(Link::Up);
            look(&world, &mut watch).await;
            // Longer than any message takes, and it is there.
            world.pass(2 * AWAY);
            look(&world, &mut watch).await;
            let since_ms = world.state.clock.unix_ms();
            link(Link::Down { since_ms });
            world.pass(Duration::from_millis(299_999));
            look(&world, &mut watch).await;
            assert_eq!(kinds(&world, Who::User, system).await.len(), times - 1);
            world.pass(Duration::from_millis(1));
            look(&world, &mut watch).await;
            world.pass(AWAY);
            look(&world, &mut watch).await;
            let want = vec!["region-disconnected"; times];
            assert_eq!(kinds(&world, Who::User, system).await, want);
        }
        // A process that starts gives it time to come.
        let mut next = Watch::begin(&world.state);
        link(Link::Never);
        world.run("DELETE FROM notification").await;
        next.look(&world.state).await.unwrap();
        assert!(kinds(&world, Who::User, system).await.is_empty());
        world.pass(AWAY);
        next.look(&world.state).await.unwrap();
        assert_eq!(
            kinds(&world, Who::User, system).await,
            ["region-disconnected"]
        );
    }
}

#[tokio::test]
async fn what_envoys_or_the_region_refuse_is_told_of_once_for_each_change() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let mut watch = Watch::begin(&world.state);
        let list = world.at("notifications");
        let report = |revision: u64| {
            let rejection = Rejection {
                proxy_id: proxy.clone(),
                revision: revision + 5,
                detail: "no such cluster".to_owned(),
                brought_by: revision,
            };
            let node = |id: &str| NodeStatus {
                node_id: id.to_owned(),
                is_connected: true,
                rejections: vec![rejection.clone()],
                ..NodeStatus::default()
            };
            world.state.fleets.update(REGION, |state| {
                state.link = Link::Up;
                // Two that refuse the same are one piece of news.
                state.nodes = vec![node("a"), node("b")];
            });
        };
        for (revision, want) in [(7, 1), (7, 1), (8, 2)] {
            report(revision);
            look(&world, &mut watch).await;
            assert_eq!(
                kinds(&world, Who::User, &list).await,
                vec!["config-rejected"; want]
            );
        }
        let unusable = UnusableProxy {
            proxy_id: proxy.clone(),
            after_revision: 8,
            revision: 9,
            detail: "credential X".to_owned(),
        };
        world.state.fleets.update(REGION, |state| {
            state.nodes.clear();
            state.unusable = [(proxy.clone(), unusable)].into();
        });
        look(&world, &mut watch).await;
        assert_eq!(kinds(&world, Who::User, &list).await.len(), 3);
        let foreign = format!("/clients/{}/notifications", world.abroad);
        assert!(kinds(&world, Who::Stranger, &foreign).await.is_empty());
    }
}

#[tokio::test]
async fn a_credential_without_a_token_is_told_of_and_so_is_its_recovery() {
    for world in World::each().await {
        let id = world.credential(REGION, "target").await;
        let mut watch = Watch::begin(&world.state);
        let list = world.at("notifications");
        let mut said = Vec::new();
        for (status, attempts, is_news) in [
            (TokenStatus::Active, 0, false),
            (TokenStatus::Failing, 2, false),
            (TokenStatus::Failing, 3, true),
            (TokenStatus::Failing, 40, false),
            (TokenStatus::Obtaining, 40, false),
            (TokenStatus::Active, 0, true),
            (TokenStatus::ReconsentNeeded, 1, true),
            (TokenStatus::PendingConsent, 0, false),
            (TokenStatus::Active, 0, true),
            (TokenStatus::InvalidClient, 1, true),
        ] {
            let token = TokenState {
                credential_id: id.clone(),
                version: 1,
                status: status.into(),
                attempts,
                ..TokenState::default()
            };
            let report = TokenStates {
                is_first: false,
                tokens: vec![token],
                removed: Vec::new(),
            };
            world.state.fleets.update(REGION, |state| {
                state.link = Link::Up;
                state.take_tokens(report).unwrap();
            });
            world.pass(Duration::from_secs(5));
            look(&world, &mut watch).await;
            if is_news {
                let word = match status {
                    TokenStatus::Active => "credential-recovered",
                    _ => "credential-failing",
                };
                said.push(word);
            }
            assert_eq!(kinds(&world, Who::User, &list).await, said, "{status:?}");
        }
    }
}
