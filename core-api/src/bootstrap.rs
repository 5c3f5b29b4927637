//! The first start: one organisation, its owner, and the tokens to begin with.

use std::path::Path;

use anyhow::Context as _;
use requestrocket_process::file;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::domain::account::audit::{Actor, Entry, Log, Named};
use crate::domain::id::{OrganisationId, TokenId, UserId};
use crate::domain::label::Labels;
use crate::domain::people::member::{Member, Roles};
use crate::domain::people::organisation::{
    Limits, Organisation, OrganisationStatus, Plan, Standing,
};
use crate::domain::people::rights::Rights;
use crate::domain::people::user::{About, Profile, User};
use crate::domain::people::user_token::UserToken;
use crate::identity::token::NewToken;
use crate::service::people::password::add_setup_token;
use crate::state::AppState;
use crate::store::log::write::Write;
use crate::store::people::member::member_insert;
use crate::store::people::organisation::organisation_insert;
use crate::store::people::user::{user_fetch, user_first, user_insert, user_is_none};
use crate::store::people::user_token::{operator_token_insert, user_token_insert};

const ORGANISATION_NAME: &str = "My organisation";
const EMAIL: &str = "owner@localhost";
const FIRST_NAME: &str = "First";
const LAST_NAME: &str = "Owner";
const TOKEN_NAME: &str = "First token";

/// What the first start made. The tokens are nowhere else.
#[derive(Debug)]
pub struct FirstStart {
    /// The organisation.
    pub organisation: OrganisationId,
    /// Its owner.
    pub user: UserId,
    /// Calls the Core API as the owner.
    pub user_token: NewToken,
    /// Changes plans and statuses.
    pub operator_token: NewToken,
    /// Lets the owner choose an address and a password, once within 15 minutes.
    pub setup_token: NewToken,
}

/// The bootstrap file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    client_id: String,
    user_id: String,
    user_token: &'a str,
    operator_token: &'a str,
    setup_token: &'a str,
}

/// Fills an empty store; None when the store was filled before.
///
/// The tokens go to `file` before they count, so that a crash cannot lose them. It must not exist:
/// it could be the only copy of other tokens.
///
/// # Errors
/// The store, the file or the machine's randomness fail.
pub async fn first_start(
    state: &AppState,
    plan: Plan,
    file: Option<&Path>,
) -> anyhow::Result<Option<FirstStart>> {
    let mut write = state.begin().await?;
    // Another process may be starting on the same empty store: the second waits here, and sees.
    write.revision().await?;
    if !user_is_none(write.conn()).await? {
        return Ok(None);
    }
    let (user, user_token) = (UserId::random(), NewToken::user()?);
    insert_user(&mut write, user, &user_token).await?;
    let first = FirstStart {
        organisation: OrganisationId::random(),
        user,
        user_token,
        operator_token: NewToken::operator()?,
        setup_token: add_setup_token(&mut write, user).await?,
    };
    let organisation = insert_organisation(&mut write, &first, plan).await?;
    let (digest, now) = (first.operator_token.digest(), write.now());
    operator_token_insert(write.conn(), &digest, now).await?;
    if let Some(file) = file {
        hand_over(&first, file)?;
    }
    let entry = Entry::created(&organisation);
    let author = Actor::System.into();
    write.commit(&state.fleets, &author, entry).await?;
    Ok(Some(first))
}

/// Makes one more operator token.
///
/// # Errors
/// The store or the machine's randomness fail.
pub async fn mint_operator_token(state: &AppState) -> anyhow::Result<NewToken> {
    let token = NewToken::operator()?;
    let mut write = state.begin().await?;
    let now = write.now();
    operator_token_insert(write.conn(), &token.digest(), now).await?;
    let made = Named {
        kind: "operatorToken",
        // It has no id; enough of its digest to tell it from others.
        id: token.digest().chars().take(12).collect(),
        name: String::new(),
    };
    let entry = Entry::of(Log::Operator, made, "create");
    let author = Actor::CommandLine.into();
    write.commit(&state.fleets, &author, entry).await?;
    Ok(token)
}

/// Makes a set-up token, by default for who was here first. With it somebody gets in who can no
/// longer sign in.
///
/// # Errors
/// There is no such user; the store or the machine's randomness fail.
pub async fn mint_setup_token(state: &AppState, user: Option<UserId>) -> anyhow::Result<NewToken> {
    let mut write = state.begin().await?;
    let found = match user {
        Some(user) => user_fetch(write.conn(), user).await?.map(|user| user.id),
        None => user_first(write.conn()).await?,
    };
    let user = found.context("there is no such user")?;
    let token = add_setup_token(&mut write, user).await?;
    let (id, name) = (user.to_string(), String::new());
    let kind = "user";
    let entry = Entry::of(Log::User(user), Named { kind, id, name }, "issueSetUp");
    let author = Actor::CommandLine.into();
    write.commit(&state.fleets, &author, entry).await?;
    Ok(token)
}

impl FirstStart {
    fn document(&self) -> serde_json::Result<Zeroizing<String>> {
        let document = Document {
            client_id: self.organisation.to_string(),
            user_id: self.user.to_string(),
            user_token: self.user_token.expose(),
            operator_token: self.operator_token.expose(),
            setup_token: self.setup_token.expose(),
        };
        serde_json::to_string(&document).map(Zeroizing::new)
    }
}

fn owner(write: &mut Write, id: UserId) -> anyhow::Result<User> {
    let profile = Profile {
        email: EMAIL.parse()?,
        first_name: FIRST_NAME.parse()?,
        last_name: LAST_NAME.parse()?,
        about: About::nothing(),
    };
    let now = write.now();
    Ok(User {
        id,
        profile,
        created_at: now,
        updated_at: now,
        revision: write.version_after(0),
    })
}

fn hand_over(first: &FirstStart, file: &Path) -> anyhow::Result<()> {
    file::write_new_private(file, first.document()?.as_bytes()).with_context(|| {
        let file = file.display();
        format!("`bootstrap_file` = `{file}` cannot be made; one that exists is not replaced")
    })
}

async fn insert_user(write: &mut Write, id: UserId, new: &NewToken) -> anyhow::Result<()> {
    let user = owner(write, id)?;
    let token = UserToken {
        id: TokenId::random(),
        user: user.id,
        name: TOKEN_NAME.parse()?,
        prefix: new.shown_prefix(),
        rights: Rights::default(),
        last_used_at: None,
        last_used_address: None,
        created_at: write.now(),
        revision: write.version_after(0),
    };
    user_insert(write.conn(), &user).await?;
    user_token_insert(write.conn(), &token, &new.digest()).await?;
    Ok(())
}

async fn insert_organisation(
    write: &mut Write,
    first: &FirstStart,
    plan: Plan,
) -> anyhow::Result<Organisation> {
    let (now, revision) = (write.now(), write.revision().await?);
    let organisation = Organisation {
        id: first.organisation,
        name: ORGANISATION_NAME.parse()?,
        plan,
        status: OrganisationStatus::Active,
        standing: Standing::Ok,
        limits: Limits::default(),
        allowed_regions: Vec::new(),
        labels: Labels::default(),
        created_at: now,
        updated_at: now,
        created_by: first.user.to_string(),
        revision,
    };
    let member = Member {
        organisation: first.organisation,
        user: first.user,
        profile: owner(write, first.user)?.profile,
        roles: Roles::owner(),
        created_at: now,
        updated_at: now,
        created_by: first.user.to_string(),
        revision,
    };
    organisation_insert(write.conn(), &organisation).await?;
    member_insert(write.conn(), &member).await?;
    write
        .touch_organisation(&first.organisation.to_string())
        .await?;
    Ok(organisation)
}

#[cfg(test)]
mod tests {
    use http::request::Parts;
    use http::{Request, header::AUTHORIZATION};
    use requestrocket_process::clock::Clock;
    use requestrocket_process::tasks::TaskSet;

    use super::*;
    use crate::http::authenticate::caller_of;
    use crate::identity::caller::Caller;
    use crate::region::fleet::Fleets;
    use crate::store::people::session::membership_fetch;
    use crate::store::testing::stores;

    fn bearing(token: &NewToken) -> Parts {
        let request = Request::builder().header(AUTHORIZATION, token.expose());
        request.body(()).unwrap().into_parts().0
    }

    #[tokio::test]
    async fn the_first_start_makes_an_owner_and_the_second_nothing() {
        for store in stores().await {
            let (fleets, tasks) = (Fleets::default(), TaskSet::default());
            let state = AppState::new(store.db.clone(), Clock::default(), fleets, tasks);
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("bootstrap.json");
            let first = first_start(&state, Plan::Team, Some(&file))
                .await
                .unwrap()
                .unwrap();
            let caller = caller_of(&state, &bearing(&first.user_token))
                .await
                .unwrap();
            assert_eq!(caller.user().unwrap(), first.user);
            let operator = caller_of(&state, &bearing(&first.operator_token))
                .await
                .unwrap();
            assert_eq!(operator, Caller::Operator);
            let mut conn = store.conn().await;
            let found = membership_fetch(&mut conn, first.organisation, first.user)
                .await
                .unwrap();
            let (organisation, roles) = found.unwrap();
            assert_eq!((organisation.plan, roles), (Plan::Team, Roles::owner()));
            let document: serde_json::Value =
                serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            assert_eq!(document["userToken"], first.user_token.expose());
            assert_eq!(document["clientId"], first.organisation.to_string());
            assert!(
                first_start(&state, Plan::Basic, Some(&file))
                    .await
                    .unwrap()
                    .is_none()
            );
        }
    }

    #[tokio::test]
    async fn of_processes_that_start_at_once_one_is_the_first() {
        for store in stores().await {
            let starts = (0..4).map(|_| {
                let (fleets, tasks) = (Fleets::default(), TaskSet::default());
                let state = AppState::new(store.db.clone(), Clock::default(), fleets, tasks);
                async move { first_start(&state, Plan::Team, None).await.unwrap() }
            });
            let made = futures::future::join_all(starts).await;
            assert_eq!(made.iter().flatten().count(), 1);
        }
    }

    #[tokio::test]
    async fn a_minted_operator_token_counts() {
        let store = crate::store::testing::sqlite().await;
        let (fleets, tasks) = (Fleets::default(), TaskSet::default());
        let state = AppState::new(store.db.clone(), Clock::default(), fleets, tasks);
        let token = mint_operator_token(&state).await.unwrap();
        assert_eq!(
            caller_of(&state, &bearing(&token)).await.unwrap(),
            Caller::Operator
        );
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_made_leaves_the_store_empty() {
        let store = crate::store::testing::sqlite().await;
        let (fleets, tasks) = (Fleets::default(), TaskSet::default());
        let state = AppState::new(store.db.clone(), Clock::default(), fleets, tasks);
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken.json");
        std::fs::write(&taken, "the only copy of something").unwrap();
        for file in [Path::new("/nonexistent/bootstrap.json"), &taken] {
            let refused = first_start(&state, Plan::Team, Some(file)).await;
            let problem = refused.unwrap_err().to_string();
            assert!(problem.contains("`bootstrap_file`"), "{problem}");
        }
        let kept = std::fs::read_to_string(&taken).unwrap();
        assert_eq!(kept, "the only copy of something");
        assert!(
            first_start(&state, Plan::Team, None)
                .await
                .unwrap()
                .is_some()
        );
    }
}
