use std::time::Duration;

use requestrocket_policy::form::fields::Fields;
use requestrocket_policy::form::problem::Problems;
use requestrocket_policy::secret_form::SecretForm;
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use requestrocket_policy::secret_form::signed_token::KeySource;
use serde_json::json;

use super::super::peer::{self, Peer};
use super::*;

const START_S: i64 = 1_800_000_000;
const ASKING: Asking<'_> = Asking {
    organisation_id: "o",
    credential_id: "c",
    version: 1,
};

struct Scene {
    peer: Peer,
    asked: Introspections,
    clock: Clock,
    form: Introspection,
}

impl Scene {
    async fn new(status: u16, body: &str) -> Self {
        let answer = peer::answer((status, ""), body);
        let peer = Peer::start(move |_| answer.clone()).await;
        let clock = Clock::manual(time::OffsetDateTime::from_unix_timestamp(START_S).unwrap());
        let client = Client::new(b"", &["127.0.0.0/8".parse().unwrap()]);
        Self {
            asked: Introspections::new(client, clock.clone()),
            form: form(&peer.url),
            clock,
            peer,
        }
    }

    async fn ask(&self, token: &str) -> Option<(Said, u64)> {
        let token = SecretText::new(token.to_owned());
        self.asked.ask(ASKING, &self.form, &token).await
    }
}

fn form(url: &str) -> Introspection {
    let secret = json!({
        "introspectionUrl": format!("{url}/introspect"),
        "clientId": "me", "clientSecret": "canary-secret",
    });
    let mut problems = Problems::default();
    let fields = Fields::new(secret.as_object().unwrap().clone(), &mut problems);
    match SecretForm::read(AuthType::OAuth2, Side::Proxy, fields) {
        Some(SecretForm::SignedToken(token)) => match token.keys {
            KeySource::Introspected(form) => form,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_client_shows_who_it_is_and_the_answer_holds_for_a_minute() {
    let scene = Scene::new(200, r#"{"active": true, "sub": "a"}"#).await;
    let claims = Said::Active(r#"{"active":true,"sub":"a"}"#.into());
    assert_eq!(scene.ask("t1").await, Some((claims.clone(), 60_000)));
    let asked = scene.peer.seen.borrow()[0].clone();
    assert!(
        asked.starts_with("POST /introspect HTTP/1.1\r\n"),
        "{asked}"
    );
    assert!(asked.contains("authorization: Basic bWU6Y2FuYXJ5LXNlY3JldA==\r\n"));
    let body = "token=t1&token_type_hint=access_token";
    assert_eq!(scene.peer.bodies(), [body]);
    scene.clock.advance(Duration::from_secs(59));
    assert_eq!(scene.ask("t1").await, Some((claims, 1_000)));
    assert_eq!(scene.peer.times(), 1);
    scene.clock.advance(Duration::from_secs(1));
    scene.ask("t1").await;
    scene.ask("t2").await;
    assert_eq!(scene.peer.times(), 3);
}

#[tokio::test]
async fn no_answer_holds_beyond_the_end_of_its_token() {
    let end = START_S + 30;
    let body = format!(r#"{{"active": true, "exp": {end}}}"#);
    let scene = Scene::new(200, &body).await;
    assert_eq!(scene.ask("t").await.unwrap().1, 30_000);
    scene.clock.advance(Duration::from_secs(30));
    assert_eq!(scene.ask("t").await, Some((Said::Inactive, 1_000)));
}

#[tokio::test]
async fn what_is_no_token_is_none_for_ten_seconds() {
    let scene = Scene::new(200, r#"{"active": false, "sub": "a"}"#).await;
    assert_eq!(scene.ask("t").await, Some((Said::Inactive, 10_000)));
    scene.clock.advance(Duration::from_millis(9_999));
    assert_eq!(scene.ask("t").await, Some((Said::Inactive, 1)));
    assert_eq!(scene.peer.times(), 1);
    scene.clock.advance(Duration::from_millis(1));
    scene.ask("t").await;
    assert_eq!(scene.peer.times(), 2);
}

#[tokio::test]
async fn what_is_no_answer_says_nothing_and_does_not_hold() {
    for (status, body) in [
        (503, r#"{"active": true}"#),
        (401, r#"{"active": true}"#),
        (302, ""),
        (200, "<html>"),
        (200, "[]"),
        (200, "{}"),
        (200, r#"{"active": "true"}"#),
    ] {
        let scene = Scene::new(status, body).await;
        assert_eq!(scene.ask("t").await, None, "{status} {body}");
        assert_eq!(scene.ask("t").await, None);
        assert_eq!(scene.peer.times(), 2);
    }
}

#[tokio::test]
async fn of_one_token_one_question_is_on_its_way() {
    let scene = Scene::new(200, r#"{"active": true}"#).await;
    scene.peer.gate.send_replace(false);
    let all = async { tokio::join!(scene.ask("t"), scene.ask("t"), scene.ask("t")) };
    let open = async {
        scene.peer.asked(1).await;
        scene.peer.gate.send_replace(true);
    };
    let ((one, two, three), ()) = tokio::join!(all, open);
    assert!(one.is_some() && one == two && two == three);
    assert_eq!(scene.peer.times(), 1);
}

#[tokio::test]
async fn an_organisation_has_a_hundred_questions_on_their_way() {
    let scene = Scene::new(200, r#"{"active": true}"#).await;
    let places: Vec<_> = (0..MAX_OF_ONE)
        .map(|_| scene.asked.place("organisation o".to_owned()).unwrap())
        .collect();
    assert_eq!(scene.ask("t").await, None);
    let token = SecretText::new("t".to_owned());
    let other = Asking {
        organisation_id: "other",
        ..ASKING
    };
    assert!(scene.asked.ask(other, &scene.form, &token).await.is_some());
    drop(places);
    assert!(scene.ask("t").await.is_some());
}
