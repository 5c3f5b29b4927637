//! Choosing passwords. Whenever one changes, the sessions of all who knew the one before end.

use std::time::Duration;

use super::sign_in::{begin_attempt, open, refuse_if_sso_only, try_password};
use crate::domain::account::audit::{Actor, Author, Entry, Origin, Subject as _};
use crate::domain::account::letter::Errand;
use crate::domain::id::UserId;
use crate::domain::moment::Moment;
use crate::domain::people::browser_session::Visitor;
use crate::domain::people::password::{NewPassword, PresentedPassword};
use crate::domain::people::user::{Email, Profile, User};
use crate::error::{ApiError, ApiResult, Code, forbidden};
use crate::identity::password::hash;
use crate::identity::token::{NewToken, digest};
use crate::service::change::Change;
use crate::state::AppState;
use crate::store::account::letter::letter_insert;
use crate::store::log::write::{Done, Over, Write};
use crate::store::people::browser_session::browser_session_delete_all;
use crate::store::people::password::{
    Holder, Purpose, password_by_login, password_fetch, password_token_delete_all,
    password_token_fetch, password_token_insert, password_upsert,
};
use crate::store::people::user::{
    AddressProof, user_fetch, user_prove, user_proved_address, user_touch, user_update,
};

const TOKEN_PREFIX: &str = "p-";
/// How long a set-up token can be used.
const SETUP_LIFE: Duration = Duration::from_mins(15);
const RESET_PREFIX: &str = "r-";
/// How long a token of a letter can be used: letters take their time.
const RESET_LIFE: Duration = Duration::from_hours(1);

/// Adds a token by which somebody chooses the user's address and password; it is only in the answer.
///
/// # Errors
/// The database does not answer, or the machine gives no randomness.
pub async fn add_setup_token(write: &mut Write, user: UserId) -> anyhow::Result<NewToken> {
    let token = NewToken::with_prefix(TOKEN_PREFIX)?;
    let (now, end) = (write.now(), write.now().plus(SETUP_LIFE));
    let purpose = (user, Purpose::Setup);
    password_token_insert(write.conn(), &token.digest(), purpose, (now, end)).await?;
    Ok(token)
}

/// Adds a token by which somebody chooses the user's next password, and says until when; it is only
/// in the answer.
///
/// # Errors
/// The database does not answer, or the machine gives no randomness.
pub async fn add_reset_token(
    conn: &mut sqlx::AnyConnection,
    user: UserId,
    now: Moment,
) -> ApiResult<(NewToken, Moment)> {
    let token = NewToken::with_prefix(RESET_PREFIX).map_err(ApiError::internal)?;
    let end = now.plus(RESET_LIFE);
    let purpose = (user, Purpose::Reset);
    password_token_insert(conn, &token.digest(), purpose, (now, end)).await?;
    Ok((token, end))
}

/// Has a letter sent to whoever signs in with this address, if mail is set up. Who that is, if anybody,
/// is looked for when the letter is written: nothing here tells.
///
/// # Errors
/// The database does not answer.
pub async fn forgot(state: &AppState, email: &Email) -> ApiResult<()> {
    if !state.sends_mail || state.is_sso_only {
        return Ok(());
    }
    let (errand, now) = (Errand::Reset(email.login()), state.now());
    letter_insert(&mut *state.connect().await?, &errand, (now, now)).await?;
    Ok(())
}

/// Gives the user of a letter's token another password. All their sessions end.
///
/// # Errors
/// Only providers let anybody in, the token is unknown, used or has ended, or the password is too easy to guess.
pub async fn reset(
    state: &AppState,
    (token, new): (&str, NewPassword),
    (visitor, origin): (Visitor, Origin),
) -> ApiResult<()> {
    refuse_if_sso_only(state)?;
    let (digest, purpose) = (digest(token.as_bytes()), Purpose::Reset);
    let mut conn = state.connect().await?;
    let id = holder_of(&mut conn, (&digest, purpose), state).await?;
    let found = user_fetch(&mut conn, id).await?;
    drop(conn);
    let user = found.ok_or_else(ApiError::not_found)?;
    let hash = hashed(state, &visitor, new, ("password", &user.profile)).await?;
    let mut write = state.begin().await?;
    write.alone_over(Over::User(id)).await?;
    holder_of(write.conn(), (&digest, purpose), state).await?;
    let found = user_fetch(write.conn(), id).await?;
    let mut user = found.ok_or_else(ApiError::not_found)?;
    user.revision = write.version_after(user.revision);
    user_touch(write.conn(), id, user.revision).await?;
    if user_proved_address(write.conn(), id).await? == Some(user.profile.email.login()) {
        user_prove(write.conn(), &user, AddressProof::Sure).await?;
    }
    replace(&mut write, &user, hash).await?;
    let actor = Actor::User { id, token: None };
    let author = Author { actor, origin };
    let entry = Entry::changed(user.members(), &user, "resetPassword");
    write.commit(&state.fleets, &author, entry).await?;
    Ok(())
}

/// Gives the user of a set-up token an address and a password, and begins a session.
///
/// # Errors
/// The token is unknown, used or has ended; the password is too easy to guess; somebody else signs
/// in with the address.
pub async fn set_up(
    state: &AppState,
    (token, email, new): (&str, Email, NewPassword),
    (visitor, origin): (Visitor, Origin),
    had: Option<&str>,
) -> ApiResult<NewToken> {
    let digest = digest(token.as_bytes());
    let mut conn = state.connect().await?;
    let user = holder_of(&mut conn, (&digest, Purpose::Setup), state).await?;
    let found = user_fetch(&mut conn, user).await?;
    drop(conn);
    let mut user = found.ok_or_else(ApiError::not_found)?;
    let before = user.members();
    user.profile.email = email;
    let hash = hashed(state, &visitor, new, ("password", &user.profile)).await?;
    let mut write = state.begin().await?;
    write.alone_over(Over::User(user.id)).await?;
    holder_of(write.conn(), (&digest, Purpose::Setup), state).await?;
    user.updated_at = write.now();
    user.revision = write.version_after(user.revision);
    user_update(write.conn(), &user).await?;
    // Who gives out set-up tokens vouches for whom they are given to.
    user_prove(write.conn(), &user, AddressProof::Trust).await?;
    replace(&mut write, &user, hash).await?;
    let secret = open(&mut write, user.id, visitor, had).await?;
    let actor = Actor::User {
        id: user.id,
        token: None,
    };
    let author = Author { actor, origin };
    let entry = Entry::changed(before, &user, "setUp");
    write.commit(&state.fleets, &author, entry).await?;
    Ok(secret)
}

async fn holder_of(
    conn: &mut sqlx::AnyConnection,
    (digest, purpose): (&str, Purpose),
    state: &AppState,
) -> ApiResult<UserId> {
    let found = password_token_fetch(conn, digest, purpose, state.now()).await?;
    found.ok_or_else(|| {
        let text = "the token is unknown, expired or was used before";
        ApiError::new(Code::NotFound, text)
    })
}

/// Changes the caller's password. All their sessions end; one in use goes on as a new one, whose
/// cookie's value is only in the answer.
///
/// # Errors
/// They have none yet, the present one is another, the new one is too easy to guess, `If-Match` names
/// another version, or the caller came by a restricted token.
pub async fn change(
    change: &Change,
    (current, new): (PresentedPassword, NewPassword),
    visitor: Visitor,
) -> ApiResult<(Option<NewToken>, Done)> {
    let (id, state) = (change.actor.whole_user()?, &change.state);
    let mut conn = state.connect().await?;
    let holder = password_fetch(&mut conn, id).await?;
    let user = user_fetch(&mut conn, id).await?;
    drop(conn);
    let holder = holder.ok_or_else(|| {
        let text = "you have no password yet: a set-up token makes the first one";
        ApiError::new(Code::Conflict, text)
    })?;
    let mut user = user.ok_or_else(forbidden)?;
    change.expects(user.revision)?;
    let attempt = begin_attempt(state, &holder.login, &visitor)?;
    let current_hash = Some(holder.hash.clone());
    if !try_password(state, &visitor, current, current_hash).await? {
        let text = "`current` is not your password";
        return Err(ApiError::new(Code::Forbidden, text));
    }
    attempt.forget();
    let hash = hashed(state, &visitor, new, ("new", &user.profile)).await?;
    let mut write = change.begin(Over::User(id)).await?;
    if password_fetch(write.conn(), id).await?.as_ref() != Some(&holder) {
        let text = "your password was changed meanwhile";
        return Err(ApiError::new(Code::Conflict, text));
    }
    user.revision = write.version_after(user.revision);
    user_touch(write.conn(), id, user.revision).await?;
    replace(&mut write, &user, hash).await?;
    let secret = match change.actor.session() {
        Ok(_) => Some(open(&mut write, id, visitor, None).await?),
        Err(_) => None,
    };
    // Of passwords a row says only that there is another.
    let entry = Entry::changed(user.members(), &user, "changePassword");
    let done = change.commit(write, entry).await?;
    Ok((secret, done))
}

/// Writes the password of a user, by their present address, and ends what the one before let in.
///
/// # Errors
/// Somebody else signs in with the address.
pub(super) async fn replace(write: &mut Write, user: &User, hash: String) -> ApiResult<()> {
    let holder = Holder {
        user: user.id,
        login: user.profile.email.login(),
        hash,
    };
    refuse_taken(write, &holder).await?;
    let now = write.now();
    let written = password_upsert(write.conn(), &holder, now).await;
    written.map_err(taken_meanwhile)?;
    password_token_delete_all(write.conn(), user.id).await?;
    browser_session_delete_all(write.conn(), user.id).await?;
    Ok(())
}

/// Has a user who has a password sign in with their new address from now on.
///
/// # Errors
/// Somebody else signs in with it.
pub async fn follow_address(write: &mut Write, user: &User) -> ApiResult<()> {
    let Some(mut holder) = password_fetch(write.conn(), user.id).await? else {
        return Ok(());
    };
    let login = user.profile.email.login();
    if login != holder.login {
        // Letters that are on their way to the address of before let nobody in.
        password_token_delete_all(write.conn(), user.id).await?;
    }
    holder.login = login;
    refuse_taken(write, &holder).await?;
    let now = write.now();
    let written = password_upsert(write.conn(), &holder, now).await;
    written.map_err(taken_meanwhile)
}

async fn refuse_taken(write: &mut Write, holder: &Holder) -> ApiResult<()> {
    let other = password_by_login(write.conn(), &holder.login).await?;
    match other {
        Some(other) if other.user != holder.user => Err(taken()),
        Some(_) | None => Ok(()),
    }
}

/// Somebody took it between the look and the write.
fn taken_meanwhile(error: sqlx::Error) -> ApiError {
    let database = error.as_database_error();
    if database.is_some_and(sqlx::error::DatabaseError::is_unique_violation) {
        return taken();
    }
    error.into()
}

fn taken() -> ApiError {
    ApiError::new(Code::Conflict, "somebody else signs in with this address")
}

/// What is stored of a password that may be chosen, made in the one place for that; `field` is where
/// it was sent.
///
/// # Errors
/// It is too easy to guess, or there is no place in time.
pub(super) async fn hashed(
    state: &AppState,
    visitor: &Visitor,
    new: NewPassword,
    (field, profile): (&'static str, &Profile),
) -> ApiResult<String> {
    let (from, profile) = (visitor.address.to_string(), profile.clone());
    let work = move || {
        let checked = new.check_of(&profile);
        checked.map_err(|problem| ApiError::invalid(field, problem.to_string()))?;
        hash(new.expose()).map_err(ApiError::internal)
    };
    state.sign_ins.run(&from, work).await
}
