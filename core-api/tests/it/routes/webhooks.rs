//! Webhooks: how they are kept, what they are sent, and what becomes of those that take nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::StatusCode;
use requestrocket_core_api::domain::account::notification::Notice;
use requestrocket_core_api::service::account::deliveries::{collect, due, send};
use requestrocket_core_api::store::account::notification::notification_insert;
use requestrocket_core_api::store::account::webhook_delivery::delivery_take;
use ring::hmac;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::world::{Who, World, id_of};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);

/// A server that answers as it is told, and with 204 when it is told nothing.
struct Receiver {
    url: String,
    heard: Arc<Heard>,
    _serving: JoinSet<()>,
}

#[derive(Default)]
struct Heard {
    answers: Mutex<VecDeque<u16>>,
    messages: Mutex<Vec<(HeaderMap, String)>>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let heard = Arc::new(Heard::default());
        let app = Router::new().fallback(hear).with_state(Arc::clone(&heard));
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            url,
            heard,
            _serving: serving,
        }
    }

    fn will_answer(&self, statuses: &[u16]) {
        self.heard.answers.lock().unwrap().extend(statuses);
    }

    /// What came since the last time.
    fn heard(&self) -> Vec<(HeaderMap, String)> {
        std::mem::take(&mut *self.heard.messages.lock().unwrap())
    }

    /// The types of what came since the last time.
    fn types(&self) -> Vec<String> {
        let bodies = self.heard();
        let kind = |(_, body): &(HeaderMap, String)| -> String {
            id_of(&serde_json::from_str::<Value>(body).unwrap(), "type")
        };
        bodies.iter().map(kind).collect()
    }
}

async fn hear(State(heard): State<Arc<Heard>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    heard.messages.lock().unwrap().push((head.headers, body));
    let status = heard.answers.lock().unwrap().pop_front().unwrap_or(204);
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("location", "/elsewhere")]).into_response()
}

/// A webhook that is told of `kinds`; its document, with the secret.
async fn hook(world: &World, url: &str, kinds: &Value) -> Value {
    let body = json!({"url": url, "kinds": kinds});
    world.create("webhooks", &body).await
}

fn path(world: &World, webhook: &Value) -> String {
    world.at(&format!("webhooks/{}", id_of(webhook, "webhookId")))
}

async fn tell(world: &World, notice: &Notice) {
    let mut tx = world.state.db.begin().await.unwrap();
    let told = notification_insert(&mut tx, notice, world.state.now()).await;
    assert!(told.unwrap().is_some(), "{notice:?}");
    tx.commit().await.unwrap();
}

/// The organisation is told that little is left, as often as this is called.
async fn tell_home(world: &World) {
    world.pass(SECOND);
    let home = world.home.parse().unwrap();
    tell(world, &Notice::billing_low(home, world.state.now())).await;
}

/// One look of the process: what is new, and what is due.
async fn look(world: &World) {
    collect(&world.state).await.unwrap();
    for delivery in due(&world.state, 1_000).await.unwrap() {
        send(&world.state, delivery).await.unwrap();
    }
}

async fn shown(world: &World, path: &str) -> Value {
    world.call("GET", path).send().await.body
}

async fn waiting(world: &World) -> i64 {
    world.number("SELECT COUNT(*) FROM webhook_delivery").await
}

#[tokio::test]
async fn a_webhook_is_kept_and_its_secret_is_shown_once() {
    for world in World::each().await {
        let list = world.at("webhooks");
        let body = json!({"url": "https://a.example/hook?x=1"});
        let make = || {
            let call = world.call("POST", &list).header("Idempotency-Key", "k");
            call.json(&body).send()
        };
        let made = make().await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(made.header("cache-control"), "no-store");
        let mut webhook = made.body;
        let secret = id_of(&webhook, "secret");
        let bytes = BASE64.decode(secret.strip_prefix("whsec_").unwrap());
        assert_eq!(bytes.unwrap().len(), 32);
        webhook.as_object_mut().unwrap().remove("secret");
        let want = json!({
            "webhookId": webhook["webhookId"], "clientId": world.home,
            "url": "https://a.example/hook?x=1", "kinds": null, "webhookActive": true,
            "webhookHealth": null, "createdBy": webhook["createdBy"],
            "createdAt": webhook["createdAt"], "updatedAt": webhook["updatedAt"],
        });
        assert_eq!(webhook, want);
        assert_eq!(make().await.body, webhook, "a repetition shows no secret");
        assert_eq!(shown(&world, &list).await["data"], json!([webhook]));
        let path = path(&world, &webhook);
        let tag = {
            let got = world.call("GET", &path).send().await;
            assert_eq!(got.body, webhook);
            got.header("etag").to_owned()
        };
        let put = world.call("PUT", &path).json(&webhook).send().await;
        assert_eq!((put.status, &put.body["kinds"]), (200, &Value::Null));
        let some = json!({"kinds": ["meter-exceeded", "announcement", "meter-exceeded"]});
        let late = world.call("PATCH", &path).header("If-Match", &tag);
        late.json(&some)
            .send()
            .await
            .expect(412, "PRECONDITION_FAILED");
        let patch = world.call("PATCH", &path).json(&some).send().await;
        assert_eq!(
            patch.body["kinds"],
            json!(["announcement", "meter-exceeded"])
        );
        let off = world
            .call("PATCH", &path)
            .json(&json!({"webhookActive": false}));
        assert_eq!(off.send().await.body["webhookActive"], false);
        for (query, found) in [
            ("active=false", 1),
            ("active=true", 0),
            ("search=A.EXAMPLE", 1),
        ] {
            let page = shown(&world, &format!("{list}?{query}")).await;
            assert_eq!(page["pagination"]["total"], found, "{query}");
        }
        let dump = world.dump().await;
        let plain = secret.strip_prefix("whsec_").unwrap();
        assert!(!dump.contains(plain), "the store holds the secret");
        let gone = world.call("DELETE", &path).send().await;
        assert_eq!(gone.status, 204);
        world
            .call("GET", &path)
            .send()
            .await
            .expect(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn what_no_webhook_can_be_is_refused() {
    for world in World::each().await {
        let webhook = hook(&world, "https://a.example/", &Value::Null).await;
        let path = path(&world, &webhook);
        for (body, code, field) in [
            (json!({}), "VALIDATION_FAILED", "url"),
            (json!({"url": "ftp://a.example"}), "INVALID_URL", "url"),
            (
                json!({"url": "https://10.0.0.1/"}),
                "ADDRESS_NOT_ALLOWED",
                "url",
            ),
            (
                json!({"url": "http://1.1.1.1/"}),
                "ADDRESS_NOT_ALLOWED",
                "url",
            ),
            (
                json!({"url": "https://a.example", "kinds": []}),
                "VALIDATION_FAILED",
                "kinds",
            ),
            (
                json!({"url": "https://a.example", "kinds": ["invite"]}),
                "VALIDATION_FAILED",
                "kinds[0]",
            ),
            (
                json!({"url": "https://a.example", "secret": "whsec_x"}),
                "UNKNOWN_FIELD",
                "secret",
            ),
        ] {
            for (method, path) in [("POST", &world.at("webhooks")), ("PUT", &path)] {
                let answer = world.call(method, path).json(&body).send().await;
                assert_eq!(
                    answer.expect(400, code).fields(),
                    [field],
                    "{method} {body}"
                );
            }
        }
        let moved = json!({"webhookId": world.home});
        let moved = world.call("PATCH", &path).json(&moved).send().await;
        moved.expect(400, "FIELD_IMMUTABLE");
    }
}

#[tokio::test]
async fn a_message_is_signed_and_sent_until_it_is_taken() {
    for world in World::each().await {
        let receiver = Receiver::start().await;
        receiver.will_answer(&[500, 302, 200]);
        let webhook = hook(&world, &receiver.url, &Value::Null).await;
        let path = path(&world, &webhook);
        tell_home(&world).await;
        let told = shown(&world, &world.at("notifications")).await["data"][0].clone();
        look(&world).await;
        look(&world).await;
        let first = receiver.heard();
        assert_eq!(first.len(), 1, "not before it is due");
        let health = shown(&world, &path).await["webhookHealth"].clone();
        assert_eq!(health["error"], "answered 500");
        assert!(health["failingSince"].is_string() && health["deliveredAt"].is_null());
        world.pass(5 * SECOND);
        look(&world).await;
        let health = shown(&world, &path).await["webhookHealth"].clone();
        assert_eq!(health["error"], "answered 302");
        world.pass(300 * SECOND);
        look(&world).await;
        look(&world).await;
        let all = [first, receiver.heard()].concat();
        assert_eq!(all.len(), 3, "no redirect is followed");
        assert_eq!(waiting(&world).await, 0);
        let health = shown(&world, &path).await["webhookHealth"].clone();
        assert!(health["deliveredAt"].is_string());
        assert_eq!(
            (&health["failingSince"], &health["error"]),
            (&Value::Null, &Value::Null)
        );

        let secret = id_of(&webhook, "secret");
        let key = BASE64.decode(secret.trim_start_matches("whsec_")).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        for (head, body) in &all {
            let text = |name: &str| head[name].to_str().unwrap();
            assert_eq!(text("content-type"), "application/json");
            assert_eq!(text("webhook-id"), all[0].0["webhook-id"].to_str().unwrap());
            assert_eq!(body, &all[0].1, "each time the same bytes");
            let signed = format!(
                "{}.{}.{body}",
                text("webhook-id"),
                text("webhook-timestamp")
            );
            let signature = BASE64.decode(text("webhook-signature").strip_prefix("v1,").unwrap());
            hmac::verify(&key, signed.as_bytes(), &signature.unwrap()).unwrap();
        }
        assert_ne!(all[0].0["webhook-timestamp"], all[2].0["webhook-timestamp"]);
        let message: Value = serde_json::from_str(&all[0].1).unwrap();
        let mut data = told;
        data.as_object_mut().unwrap().remove("read");
        let want = json!({
            "type": "notification.billing-low", "timestamp": data["createdAt"], "data": data,
        });
        assert_eq!(message, want);
    }
}

#[tokio::test]
async fn each_is_told_of_what_it_wants_and_of_nobody_elses() {
    for world in World::each().await {
        let (all, some, abroad) = (
            Receiver::start().await,
            Receiver::start().await,
            Receiver::start().await,
        );
        hook(&world, &all.url, &Value::Null).await;
        hook(
            &world,
            &some.url,
            &json!(["announcement", "meter-exceeded"]),
        )
        .await;
        let path = format!("/clients/{}/webhooks", world.abroad);
        let call = world.call("POST", &path).by(Who::Stranger);
        let made = call.json(&json!({"url": abroad.url})).send().await;
        assert_eq!(made.status, 201);
        tell_home(&world).await;
        tell(
            &world,
            &Notice::announcement("T".to_owned(), "M".to_owned()),
        )
        .await;
        look(&world).await;
        assert_eq!(all.types(), ["notification.billing-low"]);
        assert_eq!(some.types(), ["notification.announcement"]);
        assert!(abroad.types().is_empty());
        assert_eq!(waiting(&world).await, 0);
        // What was told before there was a webhook is no news.
        hook(&world, &abroad.url, &Value::Null).await;
        look(&world).await;
        assert!(abroad.types().is_empty());
    }
}

#[tokio::test]
async fn of_two_processes_one_sends_and_what_one_died_with_is_sent_by_another() {
    for world in World::each().await {
        let receiver = Receiver::start().await;
        hook(&world, &receiver.url, &Value::Null).await;
        tell_home(&world).await;
        let (one, other) = tokio::join!(collect(&world.state), collect(&world.state));
        one.and(other).unwrap();
        let delivery = due(&world.state, 9).await.unwrap().remove(0);
        let both = (
            send(&world.state, delivery.clone()),
            send(&world.state, delivery),
        );
        let (one, other) = tokio::join!(both.0, both.1);
        one.and(other).unwrap();
        assert_eq!(receiver.types().len(), 1);

        tell_home(&world).await;
        collect(&world.state).await.unwrap();
        let delivery = due(&world.state, 9).await.unwrap().remove(0);
        let until = world.state.now().plus(30 * SECOND);
        let mut conn = world.state.connect().await.unwrap();
        assert!(delivery_take(&mut conn, &delivery, until).await.unwrap());
        drop(conn);
        look(&world).await;
        assert!(receiver.types().is_empty(), "somebody has it");
        world.pass(30 * SECOND);
        look(&world).await;
        assert_eq!(receiver.types().len(), 1);
        assert_eq!(waiting(&world).await, 0);
    }
}

#[tokio::test]
async fn who_has_many_waiting_keeps_nobody_elses_from_being_looked_at() {
    for world in World::each().await {
        let url = "https://a.example/";
        hook(&world, url, &json!(["billing-low"])).await;
        for _ in 0..5 {
            tell_home(&world).await;
        }
        hook(&world, url, &json!(["announcement"])).await;
        tell(
            &world,
            &Notice::announcement("T".to_owned(), "M".to_owned()),
        )
        .await;
        collect(&world.state).await.unwrap();
        let due = due(&world.state, 2).await.unwrap();
        let all: Vec<_> = due.iter().map(|delivery| delivery.webhook).collect();
        assert_eq!(all.len(), 3, "two of the first");
        assert_ne!(all[0], all[1], "and the other's is not behind them");
    }
}

#[tokio::test]
async fn a_message_that_is_never_taken_is_sent_eight_times() {
    for world in World::each().await {
        let receiver = Receiver::start().await;
        receiver.will_answer(&[503; 20]);
        hook(&world, &receiver.url, &Value::Null).await;
        tell_home(&world).await;
        for _ in 0..10 {
            look(&world).await;
            world.pass(8 * 3600 * SECOND);
        }
        assert_eq!(receiver.types().len(), 8);
        assert_eq!(waiting(&world).await, 0);
    }
}

#[tokio::test]
async fn who_takes_nothing_for_five_days_or_says_it_is_gone_is_switched_off() {
    for world in World::each().await {
        for (answers, days) in [(vec![500; 99], 5), (vec![410], 0)] {
            let receiver = Receiver::start().await;
            receiver.will_answer(&answers);
            let webhook = hook(&world, &receiver.url, &json!(["billing-low"])).await;
            let path = path(&world, &webhook);
            for _ in 0..days {
                tell_home(&world).await;
                look(&world).await;
                assert_eq!(shown(&world, &path).await["webhookActive"], true);
                world.pass(DAY);
            }
            tell_home(&world).await;
            look(&world).await;
            let off = shown(&world, &path).await;
            assert_eq!(off["webhookActive"], false);
            assert_eq!(waiting(&world).await, 0);
            let told = shown(&world, &world.at("notifications?search=switched")).await;
            let told = &told["data"][0];
            assert_eq!(told["kind"], "webhook-disabled");
            assert_eq!(told["resource"]["id"], webhook["webhookId"]);
            assert_eq!(told["title"], "Webhook at 127.0.0.1 is switched off");
            let log = world.at("audit?action=webhook.update&limit=1");
            let row = shown(&world, &log).await["data"][0].clone();
            assert_eq!(row["actor"]["type"], "system");
            assert_eq!(row["after"], json!({"webhookActive": false}));
            let heard = receiver.types().len();
            tell_home(&world).await;
            look(&world).await;
            assert_eq!(receiver.types().len(), 0, "after {heard}");
            // Switched on again it has all its time.
            let on = world
                .call("PATCH", &path)
                .json(&json!({"webhookActive": true}));
            assert_eq!(on.send().await.body["webhookHealth"], Value::Null);
            tell_home(&world).await;
            look(&world).await;
            assert_eq!(receiver.types().len(), 1);
            assert_eq!(shown(&world, &path).await["webhookActive"], true);
            world.call("DELETE", &path).send().await;
        }
    }
}

#[tokio::test]
async fn what_waits_for_a_webhook_that_is_switched_off_or_deleted_is_dropped() {
    for world in World::each().await {
        for method in ["PATCH", "DELETE"] {
            let webhook = hook(&world, "https://a.example/", &Value::Null).await;
            tell_home(&world).await;
            collect(&world.state).await.unwrap();
            assert_eq!(waiting(&world).await, 1);
            let call = world.call(method, &path(&world, &webhook));
            let call = match method {
                "PATCH" => call.json(&json!({"webhookActive": false})),
                _ => call,
            };
            assert!(call.send().await.status < 300);
            assert_eq!(waiting(&world).await, 0, "{method}");
        }
    }
}

#[tokio::test]
async fn a_webhook_is_tried() {
    for world in World::each().await {
        let receiver = Receiver::start().await;
        receiver.will_answer(&[200, 302]);
        let webhook = hook(&world, &receiver.url, &Value::Null).await;
        let path = path(&world, &webhook);
        let test = || world.call("POST", &format!("{path}/test")).send();
        let good = test().await.body;
        assert_eq!(
            (&good["delivered"], &good["status"]),
            (&json!(true), &json!(200))
        );
        assert_eq!(good["error"], Value::Null);
        let (_, body) = receiver.heard().remove(0);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["type"], "webhook.test");
        assert_eq!(body["data"], json!({"webhookId": webhook["webhookId"]}));
        let led = test().await.body;
        assert_eq!(
            (&led["delivered"], &led["status"]),
            (&json!(false), &json!(302))
        );
        assert_eq!(led["error"], "answered 302");
        assert_eq!(receiver.heard().len(), 1, "not followed");
        drop(receiver);
        let gone = test().await.body;
        assert_eq!(
            (&gone["delivered"], &gone["status"]),
            (&json!(false), &Value::Null)
        );
        assert_eq!(gone["error"], "server cannot be reached");
        assert_eq!(shown(&world, &path).await["webhookHealth"], Value::Null);
    }
}

#[tokio::test]
async fn a_secret_of_another_key_signs_nothing() {
    for world in World::each().await {
        let receiver = Receiver::start().await;
        let webhook = hook(&world, &receiver.url, &Value::Null).await;
        world.run("UPDATE webhook SET secret = '1.AAAA'").await;
        tell_home(&world).await;
        look(&world).await;
        assert!(receiver.heard().is_empty());
        let health = shown(&world, &path(&world, &webhook)).await["webhookHealth"].clone();
        let why = "cannot be signed, because the key of the store is another";
        assert_eq!(health["error"], why);
        assert_eq!(waiting(&world).await, 1);
    }
}
