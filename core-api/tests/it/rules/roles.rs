//! Every operation of the document by every kind of caller, in their own organisation and in another.

use http::StatusCode;
use serde_json::json;

use super::tenancy::{ids, paths};
use crate::world::{Who, World};

const EVERYBODY: [Who; 6] = [
    Who::Anonymous,
    Who::Stranger,
    Who::User,
    Who::Admin,
    Who::Owner,
    Who::Operator,
];

/// A row of the table in docs/people.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    See,
    Work,
    Manage,
    People,
    Own,
    Pay,
    Operate,
}

/// To whom an operation is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    /// To who may do what a row says, in an organisation; by the first that fits.
    In(&'static [Row]),
    /// To every user.
    Users,
    /// To every user and operators.
    Known,
    /// To operators.
    Operators,
    /// To who has a session: nobody here, as all call by tokens.
    Sessions,
    /// To whoever holds what is in the request, but to no operator, who is nobody.
    Guests,
    /// To everybody.
    Everybody,
}

/// The rows as the documentation has them: words that theirs begins with, and who may.
const TABLE: [(Row, &str, &[Who]); 7] = [
    (
        Row::See,
        "See the organisation",
        &[Who::Owner, Who::Admin, Who::User, Who::Operator],
    ),
    (
        Row::Work,
        "See, make, change and delete credentials",
        &[Who::Owner, Who::Admin, Who::User],
    ),
    (
        Row::Manage,
        "Change the organisation's name and settings",
        &[Who::Owner, Who::Admin],
    ),
    (
        Row::People,
        "See, invite, change and remove members",
        &[Who::Owner, Who::Admin],
    ),
    (
        Row::Own,
        "Make, change and remove owners; delete the organisation",
        &[Who::Owner],
    ),
    (
        Row::Pay,
        "See prices, balance and entries",
        &[Who::Owner, Who::Operator],
    ),
    (
        Row::Operate,
        "Change plan and status; add entries to the balance",
        &[Who::Operator],
    ),
];

/// To whom an operation is open; an operation that is not here has to be added.
fn open_to(method: &str, path: &str) -> Open {
    let below = |prefix: &str| path.starts_with(prefix);
    match (method, path) {
        (_, "/healthz" | "/readyz" | "/webhooks/oauth2" | "/session/methods")
        | ("post", "/session" | "/session/setup" | "/session/forgot" | "/session/reset") => {
            Open::Everybody
        }
        ("get", _) if below("/session/oidc/") => Open::Everybody,
        (_, "/invites/accept") => Open::Guests,
        (_, "/audit") | ("post", "/notifications/system") => Open::Operators,
        ("get", _) if below("/notifications/system") => Open::Known,
        _ if below("/notifications/system") => Open::Users,
        (_, "/session") => Open::Sessions,
        ("get", "/clients" | "/regions") => Open::Known,
        ("post", "/clients") => Open::Users,
        ("get", "/clients/{clientId}" | "/clients/{clientId}/configuration") => {
            Open::In(&[Row::See])
        }
        ("patch", "/clients/{clientId}") => Open::In(&[Row::Manage, Row::Operate]),
        ("put", "/clients/{clientId}" | "/clients/{clientId}/configuration") => {
            Open::In(&[Row::Manage])
        }
        ("delete", "/clients/{clientId}") => Open::In(&[Row::Own]),
        ("get", "/clients/{clientId}/billing") => Open::In(&[Row::Pay]),
        ("post", "/clients/{clientId}/billing/entries") => Open::In(&[Row::Operate]),
        ("get", "/clients/{clientId}/usage") => Open::In(&[Row::Manage]),
        _ if below("/users/me") => Open::Users,
        _ if ["members", "invites", "audit", "webhooks"]
            .iter()
            .any(|of| below(&format!("/clients/{{clientId}}/{of}"))) =>
        {
            Open::In(&[Row::People])
        }
        _ if [
            "credentials",
            "targets",
            "proxies",
            "requests",
            "telemetry",
            "notifications",
        ]
        .iter()
        .any(|of| below(&format!("/clients/{{clientId}}/{of}"))) =>
        {
            Open::In(&[Row::Work])
        }
        _ => panic!("to whom is {method} {path} open?"),
    }
}

impl Open {
    /// What `who` is answered; None: whatever those are who may.
    fn refusal(self, who: Who, is_own: bool) -> Option<StatusCode> {
        let may = |who: Who| match self {
            Self::In(rows) => TABLE
                .iter()
                .any(|(row, _, by)| rows.contains(row) && by.contains(&who)),
            Self::Users | Self::Guests => who != Who::Operator,
            Self::Operators => who == Who::Operator,
            Self::Known | Self::Everybody => true,
            Self::Sessions => false,
        };
        match (self, who) {
            (Self::Everybody, _) | (Self::Guests, Who::Anonymous) => None,
            (_, Who::Anonymous) => Some(StatusCode::UNAUTHORIZED),
            (Self::In(_), who) if who != Who::Operator && !is_own => Some(StatusCode::NOT_FOUND),
            _ if may(who) => None,
            _ => Some(StatusCode::FORBIDDEN),
        }
    }
}

#[tokio::test]
async fn every_operation_is_open_to_exactly_those_of_the_table() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let ids = ids(&world, &proxy).await;
        let document = world.call("GET", "/openapi.json").send().await.body;
        let mut tried = 0;
        for (template, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                let path = paths(template, &ids, &world).remove(0);
                for who in EVERYBODY {
                    tried += 1;
                    let is_own = who != Who::Stranger;
                    let want = open_to(method, template).refusal(who, is_own);
                    check(&world, (method, &path, who), want).await;
                    if let Some(foreign) = elsewhere(&world, template, &path, who) {
                        let want = open_to(method, template).refusal(who, false);
                        check(&world, (method, &foreign, who), want).await;
                    }
                }
            }
        }
        assert!(tried > 600, "{tried}");
    }
}

/// The same in the organisation that is not theirs.
fn elsewhere(world: &World, template: &str, path: &str, who: Who) -> Option<String> {
    let is_member = matches!(who, Who::User | Who::Admin | Who::Owner);
    (is_member && template.contains("{clientId}")).then(|| path.replace(&world.home, &world.abroad))
}

/// Calls with what fits no version, so that nothing changes for who may.
async fn check(world: &World, (method, path, who): (&str, &str, Who), want: Option<StatusCode>) {
    let call = world.call(&method.to_uppercase(), path).by(who);
    let call = match method {
        "get" => call,
        "delete" => call.header("If-Match", "\"none\""),
        _ => call.json(&json!({})).header("If-Match", "\"none\""),
    };
    // Of streams only the head.
    let got = call.begin().await.status();
    if let Some(want) = want {
        assert_eq!(got, want, "{method} {path} by {who:?}");
        return;
    }
    // Another user's own things are nobody's.
    let is_hidden = path.starts_with("/users/me/") && got == StatusCode::NOT_FOUND;
    // That a call, or a provider, is not there is said to who may know.
    let is_missing = ["/requests/", "/notifications/", "/session/oidc/"]
        .iter()
        .any(|of| path.contains(of))
        && got == StatusCode::NOT_FOUND;
    let is_refused = [401, 403, 404, 405].contains(&got.as_u16());
    assert!(
        !is_refused || is_hidden || is_missing,
        "{method} {path} by {who:?}: {got}"
    );
    assert_ne!(got, StatusCode::INTERNAL_SERVER_ERROR, "{method} {path}");
}

#[test]
fn the_documentation_has_the_same_table() {
    let page = include_str!("../../../../docs/people.md");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .skip_while(|line| !line.starts_with("| May |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), TABLE.len(), "{rows:?}");
    for (cells, (row, words, may)) in rows.iter().zip(TABLE) {
        assert!(cells[1].starts_with(words), "{row:?}: {}", cells[1]);
        for (place, who) in [
            (2, Who::Owner),
            (3, Who::Admin),
            (4, Who::User),
            (5, Who::Operator),
        ] {
            let want = if may.contains(&who) { "✓" } else { "–" };
            assert_eq!(cells[place], want, "{row:?} {who:?}");
        }
    }
}

#[tokio::test]
async fn roles_add_up() {
    for world in World::each().await {
        world
            .run("UPDATE member SET roles = '[\"admin\", \"user\"]' WHERE roles = '[\"admin\"]'")
            .await;
        for path in ["targets", "members"] {
            let answer = world
                .call("GET", &world.at(path))
                .by(Who::Admin)
                .send()
                .await;
            assert_eq!(answer.status, 200, "{path}");
        }
    }
}
