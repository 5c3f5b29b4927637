//! Letters: invites, other passwords and notifications, by a real mail server.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::canary::Canary;
use requestrocket_integration_tests::core_api::{Answer, CoreApi};
use requestrocket_integration_tests::mail::MailServer;
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};

const FIRST: &str = "seven grey herons on a wire";
const SECOND: &str = "eleven blue kites over a lake";

/// A stack that sends letters, whose owner's address is known to be theirs.
struct Post {
    server: MailServer,
    stack: Stack,
    owner: CoreApi,
    /// Nobody that is known.
    nobody: CoreApi,
}

impl Post {
    async fn start() -> Result<Self> {
        let server = MailServer::start().await?;
        let settings = server.settings()?;
        let settings = settings.to_str().context("a path in UTF-8")?;
        let stack = Stack::start(&["--core-api-settings", settings]).await?;
        let owner = CoreApi::owner(&stack.file)?;
        let nobody = owner.with_authorization(None);
        let token = &stack.file.setup_token;
        let chosen = json!({"token": token, "email": "owner@example.com", "password": FIRST});
        nobody
            .send("POST", "/session/setup", &chosen)
            .await?
            .succeeded()?;
        Ok(Self {
            server,
            stack,
            owner,
            nobody,
        })
    }

    async fn invite(&self, email: &str) -> Result<Value> {
        let body = json!({"email": email, "roles": ["user"]});
        self.owner.create("invites", &body).await
    }

    async fn ask(&self, path: &str, body: &Value) -> Result<Answer> {
        self.nobody.send("POST", path, body).await
    }

    async fn sign_in(&self, email: &str, password: &str) -> Result<u16> {
        let body = json!({"email": email, "password": password});
        Ok(self.ask("/session", &body).await?.status)
    }
}

/// Fails where two things differ, and shows both.
fn same<T: PartialEq + std::fmt::Debug + Copy>(got: T, want: T) -> Result<()> {
    ensure!(got == want, "{got:?} instead of {want:?}");
    Ok(())
}

#[tokio::test]
async fn letters_bring_invites_other_passwords_and_notifications() -> Result<()> {
    let post = Post::start().await?;
    let wants = json!({"member-added": {"inApp": true, "email": true}});
    let preferences = "/users/me/notification-preferences";
    post.owner
        .send("PUT", preferences, &wants)
        .await?
        .succeeded()?;

    let invite = post.invite("ada@example.com").await?;
    ensure!(
        invite.get("inviteToken").is_none(),
        "who is invited alone gets it"
    );
    let letter = post.server.letter("ada@example.com", 0).await?;
    ensure!(letter.tls, "letters go by TLS");
    same(letter.from.as_str(), "gateway@example.com")?;
    let header = |name: &str| letter.headers.get(name).map_or("", String::as_str);
    same(header("From"), "RequestRocket <gateway@example.com>")?;
    same(header("To"), "ada@example.com")?;
    same(header("Auto-Submitted"), "auto-generated")?;
    let link = format!("{}/app/invite#token=", post.stack.file.core_api);
    ensure!(letter.body.contains(&link), "{}", letter.body);
    let invited = Canary::new(letter.token()?);
    // Nobody fills somebody else's box with it.
    let again = format!(
        "invites/{}/resend",
        invite["inviteId"].as_str().context("id")?
    );
    let again = post.owner.send("POST", &again, &Value::Null).await?;
    same((again.status, again.code()), (429, "RATE_LIMITED"))?;
    let accept = json!({
        "inviteToken": letter.token()?, "firstName": "Ada", "lastName": "L", "password": FIRST,
    });
    post.ask("/invites/accept", &accept).await?.succeeded()?;
    let told = post.server.letter("owner@example.com", 0).await?;
    ensure!(told.body.contains("Ada"), "{}", told.body);

    // Whether there is somebody shows neither in the answer nor, of twice, in a second letter.
    for email in ["ada@example.com", "nobody@example.com", "ADA@example.com"] {
        let asked = post
            .ask("/session/forgot", &json!({"email": email}))
            .await?;
        same((asked.status, asked.text.as_str()), (202, ""))?;
    }
    let letter = post.server.letter("ada@example.com", 1).await?;
    ensure!(letter.body.contains("/app/reset#token="), "{}", letter.body);
    let reset = Canary::new(letter.token()?);
    let with =
        |password: &str| json!({"token": letter.token().unwrap_or(""), "password": password});
    let easy = post.ask("/session/reset", &with("password1234")).await?;
    same(
        (easy.status, easy.text_at("/details/0/field")),
        (400, "password"),
    )?;
    same(post.ask("/session/reset", &with(SECOND)).await?.status, 204)?;
    same(post.ask("/session/reset", &with(FIRST)).await?.status, 404)?;
    same(post.sign_in("ada@example.com", FIRST).await?, 401)?;
    same(post.sign_in("ada@example.com", SECOND).await?, 204)?;

    same(post.server.letters_to("ada@example.com")?.len(), 2)?;
    same(post.server.letters_to("nobody@example.com")?.len(), 0)?;
    for canary in [invited, reset] {
        canary.absent_below(post.stack.data_dir())?;
    }
    Ok(())
}

#[tokio::test]
async fn a_letter_that_is_put_off_comes_later_and_one_that_is_refused_stops_nobody() -> Result<()> {
    let post = Post::start().await?;
    post.invite("refused@example.com").await?;
    post.invite("later@example.com").await?;
    post.invite("grace@example.com").await?;
    post.server.letter("grace@example.com", 0).await?;
    let later = wait::until_within(Duration::from_mins(1), "a letter put off", || async {
        Ok(post
            .server
            .letters_to("later@example.com")?
            .into_iter()
            .next())
    });
    let token = later.await?.token()?.to_owned();
    let accept = json!({
        "inviteToken": token, "firstName": "Late", "lastName": "R", "password": FIRST,
    });
    post.ask("/invites/accept", &accept).await?.succeeded()?;
    same(post.server.letters_to("refused@example.com")?.len(), 0)?;
    Ok(())
}
