//! Inviting new members and accepting invites.

use sqlx::AnyConnection;

use crate::domain::account::audit::{Actor, Author, Entry, Origin, Subject as _};
use crate::domain::account::letter::{Errand, PAUSE};
use crate::domain::account::notification::{self, Notice};
use crate::domain::id::{InviteId, OrganisationId, UserId};
use crate::domain::name::Name;
use crate::domain::people::browser_session::Visitor;
use crate::domain::people::member::{INVITE_LIFE, Invite, Member, Roles};
use crate::domain::people::password::NewPassword;
use crate::domain::people::permission::Permission;
use crate::domain::people::rights::Rights;
use crate::domain::people::user::{About, Email, Profile, User};
use crate::error::{ApiError, ApiResult, Code, id};
use crate::identity::caller::{Caller, Scope};
use crate::identity::token::{NewToken, digest};
use crate::service::ceiling::{self, Counted};
use crate::service::change::Change;
use crate::service::people::{password, tokens};
use crate::state::AppState;
use crate::store::account::letter::letter_insert;
use crate::store::account::notification::{notification_delete_about, notification_insert};
use crate::store::log::write::{Done, Over, Write};
use crate::store::people::invite::{
    invite_accept, invite_address, invite_delete, invite_fetch, invite_fetch_to, invite_home,
    invite_insert, invite_is_by_letter, invite_renew, invite_use,
};
use crate::store::people::member::{member_fetch, member_insert};
use crate::store::people::user::{
    AddressProof, user_by_proved_address, user_fetch, user_insert, user_prove, user_proved_address,
};

/// What tokens of invites begin with.
pub const INVITE_PREFIX: &str = "i-";
const TOKEN_NAME: &str = "First token";

/// Who accepts an invite.
#[derive(Clone, Debug)]
pub enum Guest {
    /// A user who has a token or a session already; it is not restricted.
    Known(Caller),
    /// Somebody new.
    New(NewGuest),
}

/// Somebody who was no user before.
#[derive(Clone, Debug)]
pub struct NewGuest {
    /// First name.
    pub first_name: Name,
    /// Last name.
    pub last_name: Name,
    /// To sign in with.
    pub password: Option<NewPassword>,
    /// With what they come.
    pub visitor: Visitor,
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

/// Makes an invite; its token is only in the answer, and in the letter if mail is set up.
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
    tell_invited(&change.state, &mut write, (scope, &invite)).await?;
    let done = change.commit(write, Entry::created(&invite)).await?;
    Ok((invite, token, done))
}

/// Gives an invite another token, which is only in the answer, and seven days from now. The token
/// before is void.
///
/// # Errors
/// There is no such invite, it was accepted, `If-Match` names another version, only owners may invite
/// owners, or (`RATE_LIMITED`) a letter waits or was sent a moment ago.
pub async fn resend(
    change: &Change,
    scope: &Scope,
    invite: &str,
) -> ApiResult<(Invite, NewToken, Done)> {
    let token = NewToken::with_prefix(INVITE_PREFIX).map_err(ApiError::internal)?;
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let found = invite_fetch(write.conn(), scope.id(), id(invite)?).await?;
    let mut invite = found.ok_or_else(ApiError::not_found)?;
    change.expects(invite.revision)?;
    if invite.roles.is_owner() {
        scope.require(Permission::GrantOwner)?;
    }
    if invite.accepted_at.is_some() {
        return Err(ApiError::new(Code::Conflict, "the invite was accepted"));
    }
    if invite.expires_at <= write.now() {
        // It counts among the open ones again.
        let open = Counted::OpenInvites(scope.id(), write.now());
        ceiling::check(&change.state, &mut write, open).await?;
    }
    let before = invite.members();
    invite.expires_at = write.now().plus(INVITE_LIFE);
    invite.revision = write.version_after(invite.revision);
    invite_renew(write.conn(), &invite, &token.digest()).await?;
    tell_invited(&change.state, &mut write, (scope, &invite)).await?;
    let entry = Entry::changed(before, &invite, "resend");
    let done = change.commit(write, entry).await?;
    Ok((invite, token, done))
}

/// Sends a letter, if mail is set up, and tells the users whose address it is, as far as that is known.
async fn tell_invited(
    state: &AppState,
    write: &mut Write,
    (scope, invite): (&Scope, &Invite),
) -> ApiResult<()> {
    let now = write.now();
    if state.sends_mail {
        let errand = Errand::Invite(scope.id(), invite.id);
        if !letter_insert(write.conn(), &errand, (now, now)).await? {
            let text = "a letter of this invite waits, or was sent within five minutes";
            let refusal = ApiError::new(Code::RateLimited, text);
            return Err(refusal.retry_after(PAUSE.as_secs()));
        }
    }
    let login = invite.email.login();
    for user in user_by_proved_address(write.conn(), &login).await? {
        let notice = Notice::invite(user, invite, (scope.organisation.name.as_str(), now));
        notification_insert(write.conn(), &notice, now).await?;
    }
    Ok(())
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
    let told = notification::About {
        kind: "invite".to_owned(),
        id: invite.id.to_string(),
    };
    notification_delete_about(write.conn(), &told).await?;
    Ok(change.commit(write, Entry::deleted(&invite)).await?)
}

/// Makes `guest` a member by the invite with this token.
///
/// # Errors
/// The invite is unknown, expired or used, the guest is a member already, or a password is too easy
/// to guess or of somebody who signs in with the address already.
pub async fn accept(
    state: &AppState,
    origin: Origin,
    token: &str,
    guest: Guest,
) -> ApiResult<Welcome> {
    let digest = digest(token.as_bytes());
    let hash = hash_of(state, &digest, &guest).await?;
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
        Guest::New(_) => Rights::default(),
    };
    let known = match &guest {
        Guest::Known(caller) => Some(caller.author(&origin)),
        Guest::New(_) => None,
    };
    let user = user_of(&mut write, guest, &invite).await?;
    // Whoever holds the token got it at the address, or by whom the inviter trusted with it.
    if user.profile.email.login() == invite.email.login() {
        let proof = if invite_is_by_letter(write.conn(), invite.id).await? {
            AddressProof::Sure
        } else {
            AddressProof::Trust
        };
        user_prove(write.conn(), &user, proof).await?;
    }
    if let Some(hash) = hash {
        password::replace(&mut write, &user, hash).await?;
    }
    let id = user.id;
    let entry = join(state, &mut write, user, &invite).await?;
    let name = TOKEN_NAME.parse().map_err(ApiError::internal)?;
    let (_, token) = tokens::add(state, &mut write, id, name, rights).await?;
    let author = known.unwrap_or(Author {
        actor: Actor::User { id, token: None },
        origin,
    });
    let done = write.commit(&state.fleets, &author, entry).await?;
    Ok(Welcome {
        user: id,
        organisation: invite.organisation,
        token,
        done,
    })
}

/// What is stored of a new guest's password, which takes time: before the change begins.
async fn hash_of(state: &AppState, digest: &str, guest: &Guest) -> ApiResult<Option<String>> {
    let Guest::New(NewGuest {
        first_name,
        last_name,
        password: Some(new),
        visitor,
    }) = guest
    else {
        return Ok(None);
    };
    let mut conn = state.connect().await?;
    let email = invite_address(&mut conn, digest).await?;
    drop(conn);
    let profile = Profile {
        email: email.ok_or_else(unknown)?,
        first_name: first_name.clone(),
        last_name: last_name.clone(),
        about: About::nothing(),
    };
    let of = ("password", &profile);
    password::hashed(state, visitor, new.clone(), of)
        .await
        .map(Some)
}

/// Makes the caller a member by an invite to an address that they have shown to be theirs.
///
/// # Errors
/// There is no such invite to them, they are a member already, or came by a restricted token.
pub async fn accept_own(change: &Change, invite: &str) -> ApiResult<(Invite, Done)> {
    let user = change.actor.whole_user()?;
    let invite: InviteId = id(invite)?;
    let found = own(&mut *change.state.connect().await?, change, user, invite).await?;
    let mut write = change.begin(Over::Organisation(found.organisation)).await?;
    write.alone_over(Over::User(user)).await?;
    let mut invite = own(write.conn(), change, user, invite).await?;
    let (now, revision) = (write.now(), write.version_after(invite.revision));
    if !invite_use(write.conn(), invite.id, now, revision).await? {
        return Err(ApiError::not_found());
    }
    invite.accepted_at = Some(now);
    let user = user_fetch(write.conn(), user).await?;
    let user = user.ok_or_else(ApiError::not_found)?;
    let entry = join(&change.state, &mut write, user, &invite).await?;
    let done = change.commit(write, entry).await?;
    Ok((invite, done))
}

/// Declines an invite to the caller: it is withdrawn.
///
/// # Errors
/// There is no such invite to them, or they came by a restricted token.
pub async fn decline(change: &Change, invite: &str) -> ApiResult<Done> {
    let user = change.actor.whole_user()?;
    let invite: InviteId = id(invite)?;
    let found = own(&mut *change.state.connect().await?, change, user, invite).await?;
    let mut write = change.begin(Over::Organisation(found.organisation)).await?;
    let invite = own(write.conn(), change, user, invite).await?;
    invite_delete(write.conn(), invite.organisation, invite.id).await?;
    Ok(change.commit(write, Entry::deleted(&invite)).await?)
}

/// An invite to an address that the user has shown to be theirs.
async fn own(
    conn: &mut AnyConnection,
    change: &Change,
    user: UserId,
    invite: InviteId,
) -> ApiResult<Invite> {
    let address = user_proved_address(&mut *conn, user).await?;
    let address = address.ok_or_else(ApiError::not_found)?;
    let found = invite_fetch_to(conn, &address, change.state.now(), invite).await?;
    found.ok_or_else(ApiError::not_found)
}

/// Adds the member; one row tells of all of it: the invite that is used up, the member and perhaps
/// the user.
async fn join(
    state: &AppState,
    write: &mut Write,
    user: User,
    invite: &Invite,
) -> ApiResult<Entry> {
    let known = member_fetch(write.conn(), invite.organisation, user.id).await?;
    if known.is_some() {
        return Err(ApiError::new(Code::Conflict, "you are a member already"));
    }
    let members = Counted::Members(invite.organisation);
    ceiling::check(state, write, members).await?;
    let (now, revision) = (write.now(), write.version_after(0));
    let member = Member {
        organisation: invite.organisation,
        user: user.id,
        profile: user.profile,
        roles: invite.roles.clone(),
        created_at: now,
        updated_at: now,
        created_by: invite.created_by.clone(),
        revision,
    };
    member_insert(write.conn(), &member).await?;
    notification_insert(write.conn(), &Notice::member_added(&member), now).await?;
    let mut after = member.members();
    after.insert("inviteId".to_owned(), invite.id.to_string().into());
    Ok(Entry::created(&member).with_after(after))
}

fn unknown() -> ApiError {
    ApiError::new(
        Code::NotFound,
        "the invite is unknown, expired or was used before",
    )
}

async fn user_of(write: &mut Write, guest: Guest, invite: &Invite) -> ApiResult<User> {
    let guest = match guest {
        Guest::Known(caller) => {
            let user = caller.user()?;
            // Behind the organisation's: locks are taken in one order.
            write.alone_over(Over::User(user)).await?;
            return user_fetch(write.conn(), user)
                .await?
                .ok_or_else(ApiError::not_found);
        }
        Guest::New(guest) => guest,
    };
    let user = User {
        id: UserId::random(),
        profile: Profile {
            email: invite.email.clone(),
            first_name: guest.first_name,
            last_name: guest.last_name,
            about: About::nothing(),
        },
        created_at: write.now(),
        updated_at: write.now(),
        revision: write.version_after(0),
    };
    user_insert(write.conn(), &user).await?;
    Ok(user)
}
