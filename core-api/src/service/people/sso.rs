//! Users whom an OpenID provider knows: who they are here, what their groups make them, their session.
//!
//! Invariant: a provider changes only memberships that its own groups made, and leaves every
//! organisation an owner.

use super::members::{keep_an_owner, tell_of_removal};
use super::sign_in::{self, open_by};
use crate::domain::account::audit::{Actor, Author, Entry, Origin, Subject as _, members};
use crate::domain::account::notification::Notice;
use crate::domain::id::{OrganisationId, UserId};
use crate::domain::name::Name;
use crate::domain::people::browser_session::Visitor;
use crate::domain::people::member::{Member, Roles};
use crate::domain::people::provider::{Known, Provider};
use crate::domain::people::user::{About, Email, Profile, User};
use crate::error::{ApiError, ApiResult, Code};
use crate::identity::token::NewToken;
use crate::service::ceiling::{self, Counted};
use crate::state::AppState;
use crate::store::account::notification::notification_insert;
use crate::store::log::write::{Over, Write};
use crate::store::people::identity::{
    identity_fetch, identity_insert, member_owe, member_provider,
};
use crate::store::people::member::{member_delete, member_fetch, member_insert, member_update};
use crate::store::people::organisation::organisation_fetch;
use crate::store::people::user::{user_by_proved_address, user_fetch, user_insert, user_prove};
use serde_json::json;

/// What stands in for a name that a provider does not say.
const NAMELESS: &str = "–";

/// Signs in whom a provider knows, in place of the session that the browser had. Who is new becomes
/// a user, if the provider makes users, and their groups make them a member where they say so.
///
/// # Errors
/// `FORBIDDEN`: there is no such user, and none is made.
pub async fn sign_in(
    state: &AppState,
    (provider, known): (&Provider, &Known),
    (visitor, origin): (Visitor, Origin),
    had: Option<&str>,
) -> ApiResult<NewToken> {
    let user = user_of(state, provider, known, &origin).await?;
    for (organisation, roles) in provider.roles(&known.groups) {
        let done = follow(state, provider, (organisation, user), roles).await;
        if let Err(error) = done {
            // Whoever cannot be a member there can be one elsewhere.
            tracing::warn!(?error, %organisation, provider = %provider.name, "groups are not followed");
        }
    }
    let mut write = state.begin().await?;
    write.alone_over(Over::User(user)).await?;
    let found = user_fetch(write.conn(), user).await?;
    found.ok_or_else(nobody)?;
    let secret = open_by(&mut write, (user, Some(&provider.name)), visitor, had).await?;
    let entry = sign_in::of_session(user, "signIn");
    let by = members(json!({"provider": provider.name.as_str()}));
    let author = author(
        Actor::User {
            id: user,
            token: None,
        },
        origin,
    );
    write
        .commit(&state.fleets, &author, entry.with_after(by))
        .await?;
    Ok(secret)
}

fn author(actor: Actor, origin: Origin) -> Author {
    Author { actor, origin }
}

fn nobody() -> ApiError {
    let text = "the provider knows you, and nobody here does: ask for an invite";
    ApiError::new(Code::Forbidden, text)
}

/// Whom the provider means: whom it meant before; else who has shown that the address is theirs, if
/// the provider knows it to be theirs too; else somebody new.
async fn user_of(
    state: &AppState,
    provider: &Provider,
    known: &Known,
    origin: &Origin,
) -> ApiResult<UserId> {
    let identity = (&provider.name, known.subject.as_str());
    let before = identity_fetch(&mut *state.connect().await?, identity).await?;
    if let Some(user) = before {
        return Ok(user);
    }
    let (text, is_verified) = known.email.as_ref().ok_or_else(nobody)?;
    let email: Email = text.parse().map_err(|_| nobody())?;
    let mut write = state.begin().await?;
    let now = write.now();
    let holders = match is_verified {
        true => user_by_proved_address(write.conn(), &email.login()).await?,
        false => Vec::new(),
    };
    let (user, entry) = match holders.as_slice() {
        [] if provider.makes_users => {
            let user = new_user(&mut write, known, email)?;
            user_insert(write.conn(), &user).await?;
            if *is_verified {
                user_prove(write.conn(), &user).await?;
            }
            let entry = Entry::created(&user);
            (user, entry)
        }
        [only] => {
            let found = user_fetch(write.conn(), *only).await?;
            let user = found.ok_or_else(nobody)?;
            let entry = Entry::changed(user.members(), &user, "linkProvider");
            (user, entry)
        }
        // Of several nobody can say who it is.
        _ => return Err(nobody()),
    };
    identity_insert(write.conn(), identity, (user.id, now)).await?;
    let by = members(json!({"provider": provider.name.as_str()}));
    let author = author(Actor::System, origin.clone());
    write
        .commit(&state.fleets, &author, entry.with_after(by))
        .await?;
    Ok(user.id)
}

fn new_user(write: &mut Write, known: &Known, email: Email) -> ApiResult<User> {
    let name = |text: &Option<String>| {
        let said = text.as_ref().and_then(|text| text.parse::<Name>().ok());
        said.map_or_else(|| NAMELESS.parse().map_err(ApiError::internal), Ok)
    };
    let (now, revision) = (write.now(), write.version_after(0));
    Ok(User {
        id: UserId::random(),
        profile: Profile {
            email,
            first_name: name(&known.first_name)?,
            last_name: name(&known.last_name)?,
            about: About::nothing(),
        },
        created_at: now,
        updated_at: now,
        revision,
    })
}

/// Makes somebody in an organisation what their groups say; none: nothing.
async fn follow(
    state: &AppState,
    provider: &Provider,
    (organisation, user): (OrganisationId, UserId),
    roles: Option<Roles>,
) -> ApiResult<()> {
    let mut write = state.begin().await?;
    write.alone_over(Over::Organisation(organisation)).await?;
    if organisation_fetch(write.conn(), organisation)
        .await?
        .is_none()
    {
        return Err(ApiError::not_found());
    }
    let found = member_fetch(write.conn(), organisation, user).await?;
    let by = member_provider(write.conn(), organisation, user).await?;
    let is_own = by.as_deref() == Some(provider.name.as_str());
    let entry = match (found, roles) {
        (None, Some(roles)) => {
            add(state, &mut write, (organisation, user), (provider, roles)).await?
        }
        (Some(member), Some(roles)) if is_own && member.roles != roles => {
            change(&mut write, member, roles).await?
        }
        (Some(member), None) if is_own => {
            keep_an_owner(&mut write, &member).await?;
            member_delete(write.conn(), organisation, user).await?;
            tell_of_removal(&mut write, &member).await?;
            Entry::deleted(&member)
        }
        (Some(_) | None, _) => return Ok(()),
    };
    let by = author(Actor::System, Origin::default());
    write.commit(&state.fleets, &by, entry).await?;
    Ok(())
}

async fn add(
    state: &AppState,
    write: &mut Write,
    (organisation, user): (OrganisationId, UserId),
    (provider, roles): (&Provider, Roles),
) -> ApiResult<Entry> {
    ceiling::check(state, write, Counted::Members(organisation)).await?;
    let found = user_fetch(write.conn(), user).await?;
    let (now, revision) = (write.now(), write.version_after(0));
    let member = Member {
        organisation,
        user,
        profile: found.ok_or_else(nobody)?.profile,
        roles,
        created_at: now,
        updated_at: now,
        created_by: format!("provider:{}", provider.name),
        revision,
    };
    member_insert(write.conn(), &member).await?;
    member_owe(write.conn(), (organisation, user), &provider.name).await?;
    notification_insert(write.conn(), &Notice::member_added(&member), now).await?;
    Ok(Entry::created(&member))
}

async fn change(write: &mut Write, mut member: Member, roles: Roles) -> ApiResult<Entry> {
    let before = member.members();
    if !roles.is_owner() {
        keep_an_owner(write, &member).await?;
    }
    member.roles = roles;
    member.updated_at = write.now();
    member.revision = write.version_after(member.revision);
    member_update(write.conn(), &member).await?;
    Ok(Entry::updated(before, &member))
}
