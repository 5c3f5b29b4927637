//! Inviting new members and accepting invites.

use crate::domain::account::audit::{Actor, Author, Entry, Origin, Subject as _};
use crate::domain::id::{InviteId, OrganisationId, UserId};
use crate::domain::name::Name;
use crate::domain::people::member::{INVITE_LIFE, Invite, Member, Roles};
use crate::domain::people::permission::Permission;
use crate::domain::people::rights::Rights;
use crate::domain::people::user::{Email, Profile, User};
use crate::error::{ApiError, ApiResult, Code, id};
use crate::identity::caller::{Caller, Scope};
use crate::identity::token::{NewToken, digest};
use crate::service::ceiling::{self, Counted};
use crate::service::change::Change;
use crate::service::people::tokens;
use crate::state::AppState;
use crate::store::log::write::{Done, Over, Write};
use crate::store::people::invite::{
    invite_accept, invite_delete, invite_fetch, invite_home, invite_insert,
};
use crate::store::people::member::{member_fetch, member_insert};
use crate::store::people::user::{user_fetch, user_insert};

const INVITE_PREFIX: &str = "i-";
const TOKEN_NAME: &str = "First token";

/// Who accepts an invite.
#[derive(Clone, Debug)]
pub enum Guest {
    /// A user who has a token already; it is not restricted.
    Known(Caller),
    /// Somebody new, by first and last name.
    New(Name, Name),
}

/// What came of an accepted invite.
#[derive(Debug)]
pub struct Welcome {
    /// Who.
    pub user: UserId,
    /// Where.
    pub organisation: OrganisationId,
    /// A token of the user.
    pub token: NewToken,
    /// The change.
    pub done: Done,
}

/// Makes an invite; its token is only in the answer.
///
/// # Errors
/// Only owners may invite owners.
pub async fn create(
    change: &Change,
    scope: &Scope,
    email: Email,
    roles: Roles,
) -> ApiResult<(Invite, NewToken, Done)> {
    if roles.is_owner() {
        scope.require(Permission::GrantOwner)?;
    }
    let token = NewToken::with_prefix(INVITE_PREFIX).map_err(ApiError::internal)?;
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let open = Counted::OpenInvites(scope.id(), write.now());
    ceiling::check(&change.state, &mut write, open).await?;
    let invite = Invite {
        id: InviteId::random(),
        organisation: scope.id(),
        email,
        roles,
        expires_at: write.now().plus(INVITE_LIFE),
        accepted_at: None,
        created_at: write.now(),
        created_by: scope.actor.clone(),
        revision: write.version_after(0),
    };
    invite_insert(write.conn(), &invite, &token.digest()).await?;
    let done = change.commit(write, Entry::created(&invite)).await?;
    Ok((invite, token, done))
}

/// Withdraws an invite; one that was accepted is only forgotten.
///
/// # Errors
/// There is no such invite, or `If-Match` names another version.
pub async fn withdraw(change: &Change, scope: &Scope, invite: &str) -> ApiResult<Done> {
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let found = invite_fetch(write.conn(), scope.id(), id(invite)?).await?;
    let invite = found.ok_or_else(ApiError::not_found)?;
    change.expects(invite.revision)?;
    invite_delete(write.conn(), scope.id(), invite.id).await?;
    Ok(change.commit(write, Entry::deleted(&invite)).await?)
}

/// Makes `guest` a member by the invite with this token.
///
/// # Errors
/// The invite is unknown, expired or used, or the guest is a member already.
pub async fn accept(
    state: &AppState,
    origin: Origin,
    token: &str,
    guest: Guest,
) -> ApiResult<Welcome> {
    let digest = digest(token.as_bytes());
    let mut write = state.begin().await?;
    let home = invite_home(write.conn(), &digest).await?;
    let organisation = home.ok_or_else(unknown)?;
    write.alone_over(Over::Organisation(organisation)).await?;
    let (now, revision) = (write.now(), write.version_after(0));
    let accepted = invite_accept(write.conn(), &digest, now, revision).await?;
    let invite = accepted.ok_or_else(unknown)?;
    // No more than those of the token in use, else accepting an invite would lift its limits.
    let rights = match &guest {
        Guest::Known(caller) => Rights::clone(&caller.rights()),
        Guest::New(..) => Rights::default(),
    };
    let known = match &guest {
        Guest::Known(caller) => Some(caller.author(&origin)),
        Guest::New(..) => None,
    };
    let user = user_of(&mut write, guest, &invite).await?;
    if member_fetch(write.conn(), invite.organisation, user.id)
        .await?
        .is_some()
    {
        return Err(ApiError::new(Code::Conflict, "you are a member already"));
    }
    let members = Counted::Members(invite.organisation);
    ceiling::check(state, &mut write, members).await?;
    let member = Member {
        organisation: invite.organisation,
        user: user.id,
        profile: user.profile,
        roles: invite.roles,
        created_at: now,
        updated_at: now,
        created_by: invite.created_by.clone(),
        revision,
    };
    member_insert(write.conn(), &member).await?;
    let name = TOKEN_NAME.parse().map_err(ApiError::internal)?;
    let (_, token) = tokens::add(state, &mut write, user.id, name, rights).await?;
    // One row for all of it: the invite that is used up, the member and perhaps the user.
    let mut after = member.members();
    after.insert("inviteId".to_owned(), invite.id.to_string().into());
    let entry = Entry::created(&member).with_after(after);
    let author = known.unwrap_or(Author {
        actor: Actor::User {
            id: user.id,
            token: None,
        },
        origin,
    });
    let done = write.commit(&state.fleets, &author, entry).await?;
    Ok(Welcome {
        user: user.id,
        organisation: invite.organisation,
        token,
        done,
    })
}

fn unknown() -> ApiError {
    ApiError::new(
        Code::NotFound,
        "the invite is unknown, expired or was used before",
    )
}

async fn user_of(write: &mut Write, guest: Guest, invite: &Invite) -> ApiResult<User> {
    let (first_name, last_name) = match guest {
        Guest::Known(caller) => {
            let user = caller.user()?;
            // Behind the organisation's: locks are taken in one order.
            write.alone_over(Over::User(user)).await?;
            return user_fetch(write.conn(), user)
                .await?
                .ok_or_else(ApiError::not_found);
        }
        Guest::New(first_name, last_name) => (first_name, last_name),
    };
    let user = User {
        id: UserId::random(),
        profile: Profile {
            email: invite.email.clone(),
            first_name,
            last_name,
        },
        created_at: write.now(),
        updated_at: write.now(),
        revision: write.version_after(0),
    };
    user_insert(write.conn(), &user).await?;
    Ok(user)
}
