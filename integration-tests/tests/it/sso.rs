//! Signing in by an OpenID provider: who one is, what groups make one, keys, forgeries, the way out.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::core_api::CoreApi;
use requestrocket_integration_tests::sso::{Browser, Seen, SignInProvider};
use requestrocket_integration_tests::stack::Stack;
use serde_json::{Value, json};

const PASSWORD: &str = "seven grey herons on a wire";

/// A stack whose people sign in at a provider.
struct Corp {
    provider: SignInProvider,
    stack: Stack,
    base: String,
    settings: tempfile::TempDir,
}

impl Corp {
    async fn start() -> Result<Self> {
        let stack = Stack::start(&[]).await?;
        let base = stack.file.core_api.clone();
        let back = ["corp", "closed"].map(|name| format!("{base}/session/oidc/{name}/callback"));
        let provider = SignInProvider::start(&back).await?;
        let settings = tempfile::tempdir()?;
        let mut corp = Self {
            provider,
            stack,
            base,
            settings,
        };
        corp.configure("").await?;
        Ok(corp)
    }

    /// Begins anew with the providers and these further settings.
    async fn configure(&mut self, further: &str) -> Result<()> {
        let (issuer, client) = (&self.provider.url, &self.stack.file.client_id);
        let known = format!(
            "issuer = \"{issuer}\"\nclient_id = \"gateway\"\n\
             client_secret = \"canary-client-secret\"\n\
             scopes = [\"email\", \"profile\", \"groups\"]\n"
        );
        let grant = |group: &str, role: &str| {
            format!(
                "[[oidc.corp.roles]]\ngroup = \"{group}\"\norganisation = \"{client}\"\n\
                 roles = [\"{role}\"]\n"
            )
        };
        let text = format!(
            "{further}[oidc.corp]\ntitle = \"Corp\"\n{known}{}{}\
             [oidc.closed]\nmakes_users = false\n{known}",
            grant("operators", "admin"),
            grant("readers", "user"),
        );
        let file = self.settings.path().join("oidc.toml");
        std::fs::write(&file, text)?;
        let arguments = ["--core-api-settings", path(&file)?];
        self.stack.restart(&arguments).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Signs in as `name`; where that led to.
    async fn sign_in(&self, browser: &Browser, name: &str) -> Result<String> {
        let begin = self.url("/session/oidc/corp?next=/me");
        browser.go(&begin, name, &self.url("/app/")).await
    }

    async fn see(&self, browser: &Browser, path: &str) -> Result<(u16, Value)> {
        let Seen { status, text, .. } = browser.ask(&[&self.url(path)]).await?;
        Ok((status, serde_json::from_str(&text).unwrap_or_default()))
    }

    /// The roles of who uses this browser in the organisation; none: they are no member.
    async fn roles(&self, browser: &Browser) -> Result<Option<Value>> {
        let (status, me) = self.see(browser, "/users/me").await?;
        ensure!(status == 200, "{status} {me}");
        let owner = CoreApi::owner(&self.stack.file)?;
        let members = owner.get("members?limit=100").await?.succeeded()?.json;
        let all = members["data"].as_array().context("members")?;
        let own = all.iter().find(|one| one["userId"] == me["userId"]);
        Ok(own.map(|one| one["roles"].clone()))
    }
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("a path in UTF-8")
}

#[tokio::test]
async fn a_provider_says_who_somebody_is_and_its_groups_what_they_may() -> Result<()> {
    let mut corp = Corp::start().await?;
    let (ada, bob) = (Browser::new()?, Browser::new()?);
    let (status, methods) = corp.see(&ada, "/session/methods").await?;
    let corp_and_closed = json!([
        {"provider": "closed", "title": "closed"}, {"provider": "corp", "title": "Corp"},
    ]);
    ensure!(
        status == 200 && methods["providers"] == corp_and_closed,
        "{methods}"
    );

    corp.provider.put_into("ada", "operators").await?;
    let led_to = corp.sign_in(&ada, "ada").await?;
    ensure!(led_to == corp.url("/app/me"), "{led_to}");
    let (_, session) = corp.see(&ada, "/session").await?;
    ensure!(session["email"] == "ada@example.com", "{session}");
    ensure!(session["provider"] == "corp", "{session}");
    ensure!(corp.roles(&ada).await? == Some(json!(["admin"])));

    // Who is in no group is a user, and a member of nothing.
    corp.sign_in(&bob, "bob").await?;
    ensure!(corp.roles(&bob).await?.is_none());

    // The next time counts what is so by then, with another key.
    corp.provider.put_into("ada", "readers").await?;
    corp.provider.roll().await?;
    let another = Browser::new()?;
    corp.sign_in(&another, "ada").await?;
    ensure!(corp.roles(&another).await? == Some(json!(["user"])));
    corp.provider.put_into("ada", "").await?;
    corp.sign_in(&Browser::new()?, "ada").await?;
    ensure!(corp.roles(&ada).await?.is_none());
    let home = format!("/clients/{}", corp.stack.file.client_id);
    let (status, _) = corp.see(&ada, &home).await?;
    ensure!(status == 404, "{status}");

    // Who leaves here leaves there, too.
    let origin = format!("Origin: {}", corp.base);
    let end = [
        "--request",
        "DELETE",
        "--header",
        &origin,
        &corp.url("/session"),
    ];
    ensure!(ada.ask(&end).await?.status == 204);
    let out = ada.ask(&[&corp.url("/session/oidc/corp/logout")]).await?;
    let there = format!("{}/session/end?", corp.provider.url);
    ensure!(
        out.status == 303 && out.redirect.starts_with(&there),
        "{out:?}"
    );

    corp.configure("sso_only = true\n").await?;
    let nobody = CoreApi::owner(&corp.stack.file)?.with_authorization(None);
    let token = &corp.stack.file.setup_token;
    let chosen = json!({"token": token, "email": "owner@example.com", "password": PASSWORD});
    nobody
        .send("POST", "/session/setup", &chosen)
        .await?
        .succeeded()?;
    let by_password = json!({"email": "owner@example.com", "password": PASSWORD});
    let refused = nobody.send("POST", "/session", &by_password).await?;
    ensure!(refused.status == 403, "{refused:?}");
    corp.sign_in(&another, "ada").await?;
    Ok(())
}

#[tokio::test]
async fn an_answer_counts_once_and_only_at_the_browser_that_asked() -> Result<()> {
    let corp = Corp::start().await?;
    let (ada, mallory) = (Browser::new()?, Browser::new()?);
    let callback = corp.url("/session/oidc/corp/callback");
    let begin = corp.url("/session/oidc/corp?next=//evil.example/");
    let answer = ada.go(&begin, "ada", &callback).await?;

    // Somebody's answer at somebody else's browser: they would act as who they are not.
    let signed_in = |seen: &Seen| seen.status == 303;
    let stolen = mallory.ask(&[&answer]).await?;
    ensure!(
        stolen.status == 400 && !stolen.text.contains("code="),
        "{stolen:?}"
    );
    mallory
        .go(&corp.url("/session/oidc/corp"), "mallory", &callback)
        .await?;
    ensure!(
        !signed_in(&mallory.ask(&[&answer]).await?),
        "of another attempt"
    );
    let head = ada.ask(&["--head", &answer]).await?;
    ensure!(!signed_in(&head), "{head:?}");

    let good = ada.ask(&[&answer]).await?;
    ensure!(
        signed_in(&good) && good.redirect == corp.url("/app/"),
        "{good:?}"
    );
    let again = ada.ask(&[&answer]).await?;
    ensure!(again.status == 400, "{again:?}");

    // Of another provider of ours, of nobody, of one that is no provider.
    let answer = Browser::new()?;
    let sent = answer
        .go(&corp.url("/session/oidc/corp"), "ada", &callback)
        .await?;
    let mixed_up = sent.replace("/oidc/corp/", "/oidc/closed/");
    ensure!(
        !signed_in(&answer.ask(&[&mixed_up]).await?),
        "a provider's answer to another"
    );
    let closed = corp.url("/session/oidc/closed/callback");
    let stranger = Browser::new()?;
    let sent = stranger
        .go(&corp.url("/session/oidc/closed"), "eve", &closed)
        .await?;
    ensure!(
        !signed_in(&stranger.ask(&[&sent]).await?),
        "nobody knows eve"
    );
    let none = stranger.ask(&[&corp.url("/session/oidc/none")]).await?;
    ensure!(none.status == 404, "{none:?}");
    let (status, _) = corp.see(&stranger, "/session").await?;
    ensure!(status == 401, "{status}");
    Ok(())
}

#[tokio::test]
async fn who_plants_an_address_is_not_taken_for_whose_it_is() -> Result<()> {
    let corp = Corp::start().await?;
    // An invite's token is seen by who invites, so that anybody's address can be planted by it.
    let owner = CoreApi::owner(&corp.stack.file)?;
    let invite = json!({"email": "victim@example.com", "roles": ["user"]});
    let invite = owner.create("invites", &invite).await?;
    let planted = json!({
        "inviteToken": invite["inviteToken"], "firstName": "M", "lastName": "M", "password": PASSWORD,
    });
    let nobody = owner.with_authorization(None);
    let planted = nobody.send("POST", "/invites/accept", &planted).await?;
    let planted = planted.succeeded()?.json;
    let victim = Browser::new()?;
    corp.sign_in(&victim, "victim").await?;
    let (_, me) = corp.see(&victim, "/users/me").await?;
    ensure!(me["email"] == "victim@example.com", "{me}");
    ensure!(
        me["userId"] != planted["userId"],
        "who planted the address would have their rights"
    );
    Ok(())
}
