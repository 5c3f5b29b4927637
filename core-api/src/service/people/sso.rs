//! Users whom an OpenID provider knows: who they are here, what their groups make them, their session.
//!
//! Invariant: a provider changes only memberships that its own groups made, and leaves every
//! organisation an owner.

use std::collections::BTreeMap;

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
use crate::store::people::browser_session::browser_session_by_digest;
use crate::store::people::identity::{
    identity_fetch, identity_insert, identity_is_of, member_owe, member_owed, member_provider,
};
use crate::store::people::member::{member_delete, member_fetch, member_insert, member_update};
use crate::store::people::organisation::organisation_fetch;
use crate::store::people::user::{
    AddressProof, user_by_sure_address, user_fetch, user_insert, user_prove,
};
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
    let user = user_of(state, provider, known, (&origin, had)).await?;
    for (organisation, roles) in wanted(state, provider, (known, user)).await? {
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

/// What the user is to be where: also nothing, where groups made them a member that have no say there
/// any more. Empty if the provider does not say which groups they are in.
async fn wanted(
    state: &AppState,
    provider: &Provider,
    (known, user): (&Known, UserId),
) -> ApiResult<BTreeMap<OrganisationId, Option<Roles>>> {
    let Some(groups) = &known.groups else {
        return Ok(BTreeMap::new());
    };
    let mut wanted = provider.roles(groups);
    let mut conn = state.connect().await?;
    for organisation in member_owed(&mut conn, user, &provider.name).await? {
        wanted.entry(organisation).or_default();
    }
    Ok(wanted)
}

fn author(actor: Actor, origin: Origin) -> Author {
    Author { actor, origin }
}

fn nobody() -> ApiError {
    let text = "the provider knows you, and nobody here does: ask for an invite";
    ApiError::new(Code::Forbidden, text)
}

/// Whom the provider means: whom it meant before; else who is signed in here under that address, or
/// to whom it belongs for sure, if the provider knows it to be theirs too; else somebody new. An
/// address that somebody was only trusted with is not enough: whoever planted it would get the
/// rights of whom the provider means.
async fn user_of(
    state: &AppState,
    provider: &Provider,
    known: &Known,
    (origin, had): (&Origin, Option<&str>),
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
    let holder = if *is_verified {
        holder(&mut write, provider, (&email, had)).await?
    } else {
        None
    };
    let (user, entry) = match holder {
        None if provider.makes_users => {
            let user = new_user(&mut write, known, email)?;
            user_insert(write.conn(), &user).await?;
            let entry = Entry::created(&user);
            (user, entry)
        }
        Some(user) => {
            let entry = Entry::changed(user.members(), &user, "linkProvider");
            (user, entry)
        }
        None => return Err(nobody()),
    };
    if *is_verified {
        user_prove(write.conn(), &user, AddressProof::Sure).await?;
    }
    let noted = identity_insert(write.conn(), identity, (user.id, now)).await;
    match noted {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            drop(write);
            let other = identity_fetch(&mut *state.connect().await?, identity).await?;
            return other.ok_or_else(nobody);
        }
        noted => noted?,
    }
    let by = members(json!({"provider": provider.name.as_str()}));
    let author = author(Actor::System, origin.clone());
    write
        .commit(&state.fleets, &author, entry.with_after(by))
        .await?;
    Ok(user.id)
}

/// Whose address it is; None: nobody's, somebody's whom the provider calls otherwise, or that of several.
async fn holder(
    write: &mut Write,
    provider: &Provider,
    (email, had): (&Email, Option<&str>),
) -> ApiResult<Option<User>> {
    let now = write.now();
    let signed_in = match had {
        Some(had) => browser_session_by_digest(write.conn(), had, now).await?,
        None => None,
    };
    let mut found = Vec::new();
    if let Some((session, _)) = signed_in {
        found.extend(user_fetch(write.conn(), session.user).await?);
        found.retain(|user| user.profile.email.login() == email.login());
    }
    if found.is_empty() {
        for user in user_by_sure_address(write.conn(), &email.login()).await? {
            if !identity_is_of(write.conn(), &provider.name, user).await? {
                found.extend(user_fetch(write.conn(), user).await?);
            }
        }
    }
    let [user] = found.as_slice() else {
        return Ok(None);
    };
    write.alone_over(Over::User(user.id)).await?;
    let is_known = identity_is_of(write.conn(), &provider.name, user.id).await?;
    Ok((!is_known).then(|| user.clone()))
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
    write.alone_over(Over::User(user)).await?;
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
