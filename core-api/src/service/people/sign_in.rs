//! Sessions at browsers: signing in by address and password, and out.
//!
//! Invariant: whether an address is known shows neither in an answer nor in its time, and nobody can
//! have passwords tried by more than one core.

use serde_json::json;

use crate::domain::account::audit::{Actor, Author, Entry, Log, Named, Origin, members};
use crate::domain::account::notification::Notice;
use crate::domain::id::UserId;
use crate::domain::people::browser_session::{BrowserSession, Visitor};
use crate::domain::people::password::PresentedPassword;
use crate::domain::people::provider::ProviderName;
use crate::domain::people::user::Email;
use crate::error::{ApiError, ApiResult, Code, id};
use crate::identity::attempts::Attempt;
use crate::identity::password::verify;
use crate::identity::token::{NewToken, digest};
use crate::service::change::Change;
use crate::state::AppState;
use crate::store::account::device::{Acquaintance, device_see};
use crate::store::account::notification::notification_insert;
use crate::store::log::write::{Done, Over, Write};
use crate::store::people::browser_session::{
    browser_session_delete, browser_session_delete_by_digest, browser_session_fetch,
    browser_session_insert, browser_session_sweep,
};
use crate::store::people::member::member_homes;
use crate::store::people::password::{password_by_login, password_fetch};

const SECRET_PREFIX: &str = "s-";
/// What rows of audit logs call it.
const SESSION: &str = "session";

/// Signs in who knows the password, in place of the session that the browser had.
///
/// # Errors
/// `UNAUTHENTICATED` for every pair that does not fit; `RATE_LIMITED` after too many.
pub async fn sign_in(
    state: &AppState,
    (email, password): (Email, PresentedPassword),
    (visitor, origin): (Visitor, Origin),
    had: Option<&str>,
) -> ApiResult<NewToken> {
    refuse_if_sso_only(state)?;
    let login = email.login();
    let attempt = begin_attempt(state, &login, &visitor)?;
    let holder = password_by_login(&mut *state.connect().await?, &login).await?;
    let hash = holder.as_ref().map(|holder| holder.hash.clone());
    let is_right = try_password(state, &visitor, password, hash).await;
    let holder = match is_right {
        Ok(true) => holder.ok_or_else(wrong)?,
        Ok(false) => {
            tell_of_failure(state, holder.map(|holder| holder.user), login, origin);
            return Err(wrong());
        }
        // It was not tried.
        Err(error) => {
            attempt.forget();
            return Err(error);
        }
    };
    attempt.forget();
    let mut write = state.begin().await?;
    write.alone_over(Over::User(holder.user)).await?;
    // Whoever changed it meanwhile ended the sessions of all who knew the one before.
    if password_fetch(write.conn(), holder.user).await?.as_ref() != Some(&holder) {
        return Err(wrong());
    }
    let secret = open(&mut write, holder.user, visitor, had).await?;
    let (id, token) = (holder.user, None);
    let actor = Actor::User { id, token };
    let author = Author { actor, origin };
    write
        .commit(&state.fleets, &author, of_session(id, "signIn"))
        .await?;
    Ok(secret)
}

/// Begins a session in place of the one that the browser had; the cookie's value is only in the
/// answer. It is always a new one, so that nobody can have prepared it. The user is told of a browser
/// that was not seen before.
///
/// # Errors
/// The database does not answer, or the machine gives no randomness.
pub(super) async fn open(
    write: &mut Write,
    user: UserId,
    visitor: Visitor,
    had: Option<&str>,
) -> ApiResult<NewToken> {
    open_by(write, (user, None), visitor, had).await
}

/// The same for whom a provider knows.
///
/// # Errors
/// As [`open`].
pub(super) async fn open_by(
    write: &mut Write,
    (user, provider): (UserId, Option<&ProviderName>),
    visitor: Visitor,
    had: Option<&str>,
) -> ApiResult<NewToken> {
    if let Some(had) = had {
        browser_session_delete_by_digest(write.conn(), had).await?;
    }
    let now = write.now();
    let device = digest(visitor.device().as_bytes());
    if device_see(write.conn(), user, &device, now).await? == Acquaintance::New {
        let notice = Notice::sign_in_new_device(user, &visitor, now);
        notification_insert(write.conn(), &notice, now).await?;
    }
    let secret = NewToken::with_prefix(SECRET_PREFIX).map_err(ApiError::internal)?;
    let mut session = BrowserSession::begin(user, visitor, write.now());
    session.provider = provider.cloned();
    browser_session_insert(write.conn(), &session, &secret.digest()).await?;
    Ok(secret)
}

/// A place among the attempts that may fail.
///
/// # Errors
/// `RATE_LIMITED`: there were too many.
pub(super) fn begin_attempt(
    state: &AppState,
    login: &str,
    visitor: &Visitor,
) -> ApiResult<Attempt> {
    let begun = state.attempts.begin(login, visitor.address, state.now());
    begun.map_err(|seconds| {
        let text = "too many wrong passwords for this address";
        ApiError::new(Code::RateLimited, text).retry_after(seconds)
    })
}

/// Whether it is the password, in the one place for that.
///
/// # Errors
/// `RATE_LIMITED` when there is no place in time.
pub(super) async fn try_password(
    state: &AppState,
    visitor: &Visitor,
    password: PresentedPassword,
    hash: Option<String>,
) -> ApiResult<bool> {
    let from = visitor.address.to_string();
    let work = move || Ok(verify(password.expose(), hash.as_deref()));
    state.sign_ins.run(&from, work).await
}

/// Refuses passwords where only providers say who somebody is.
///
/// # Errors
/// `FORBIDDEN`.
pub(super) fn refuse_if_sso_only(state: &AppState) -> ApiResult<()> {
    if !state.is_sso_only {
        return Ok(());
    }
    let text = "passwords let nobody in here: sign in by a provider";
    Err(ApiError::new(Code::Forbidden, text))
}

fn wrong() -> ApiError {
    ApiError::new(
        Code::Unauthenticated,
        "no user has this address and this password",
    )
}

/// Adds rows of a failed attempt: to the logs of the user's organisations, or of an address that
/// nobody has to the operator's. The answer does not wait for them, since their number would show in
/// its time.
fn tell_of_failure(state: &AppState, user: Option<UserId>, login: String, origin: Origin) {
    let at = state.clone();
    state.tasks.spawn("failed sign-in", async move {
        if let Err(error) = add_failure(&at, user, &login, origin).await {
            tracing::error!(?error, "a failed sign-in is in no audit log");
        }
        Ok(())
    });
}

async fn add_failure(
    state: &AppState,
    user: Option<UserId>,
    login: &str,
    origin: Origin,
) -> ApiResult<()> {
    let logs = match user {
        Some(user) => {
            let homes = member_homes(&mut *state.connect().await?, user).await?;
            homes.into_iter().map(Log::Organisation).collect()
        }
        None => vec![Log::Operator],
    };
    let author = Author {
        actor: Actor::System,
        origin,
    };
    let id = user.map(|user| user.to_string()).unwrap_or_default();
    for log in logs {
        let resource = Named {
            kind: SESSION,
            id: id.clone(),
            name: String::new(),
        };
        let tried = members(json!({"email": login}));
        let entry = Entry::of(log, resource, "signInFailed").with_after(tried);
        let write = state.begin().await?;
        write.commit(&state.fleets, &author, entry).await?;
    }
    Ok(())
}

/// Ends one of the caller's sessions, which may be the one in use.
///
/// # Errors
/// There is no such session, `If-Match` names a version (sessions have none), or the caller came by
/// a restricted token.
pub async fn end(change: &Change, session: &str) -> ApiResult<Done> {
    let user = change.actor.whole_user()?;
    change.expects(0)?;
    let mut write = change.begin(Over::User(user)).await?;
    let now = write.now();
    let found = browser_session_fetch(write.conn(), user, id(session)?, now).await?;
    let session = found.ok_or_else(ApiError::not_found)?;
    browser_session_delete(write.conn(), user, session.id).await?;
    Ok(change.commit(write, of_session(user, "end")).await?)
}

/// Ends the session in use.
///
/// # Errors
/// The caller has none, or `If-Match` names a version.
pub async fn sign_out(change: &Change) -> ApiResult<Done> {
    let (user, session) = (change.actor.user()?, change.actor.session()?);
    change.expects(0)?;
    let mut write = change.begin(Over::User(user)).await?;
    browser_session_delete(write.conn(), user, session).await?;
    Ok(change.commit(write, of_session(user, "signOut")).await?)
}

/// Sessions are the user's own: no organisation's log tells of them.
pub(super) fn of_session(user: UserId, verb: &str) -> Entry {
    let (id, name) = (user.to_string(), String::new());
    let kind = SESSION;
    Entry::of(Log::User(user), Named { kind, id, name }, verb)
}

/// Removes the sessions that have ended.
///
/// # Errors
/// The database does not answer.
pub async fn remove_ended(state: &AppState) -> sqlx::Result<()> {
    browser_session_sweep(&mut *state.connect().await?, state.now()).await
}
