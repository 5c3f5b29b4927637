//! Writing letters and sending them.
//!
//! Invariant: a token that a letter carries is made when the letter is written, so that no store
//! holds what lets somebody in; a letter that is tried again carries another one.

use std::time::Duration;

use futures::StreamExt as _;

use crate::domain::account::letter::{self, Errand, Letter, MOST_NOTICES, PAUSE, Written};
use crate::domain::account::notification::{Audience, Notification, Owner};
use crate::domain::id::{InviteId, NotificationId, OrganisationId, UserId};
use crate::domain::people::permission::Permission;
use crate::domain::people::user::Email;
use crate::error::{ApiError, ApiResult};
use crate::identity::token::NewToken;
use crate::mail::{Mailer, Unsent};
use crate::service::people::invites::INVITE_PREFIX;
use crate::service::people::password::add_reset_token;
use crate::state::AppState;
use crate::store::account::letter::{
    letter_delete, letter_due, letter_insert, letter_postpone, letter_sent, letter_sweep,
    letter_take,
};
use crate::store::account::letter_notice::{
    notice_add, notice_list, notice_mailed, notice_readers, notice_remove, notice_unmailed,
    notice_waiting,
};
use crate::store::people::invite::{invite_fetch, invite_give_token};
use crate::store::people::member::member_fetch;
use crate::store::people::organisation::organisation_fetch;
use crate::store::people::password::password_by_login;
use crate::store::people::user::{user_fetch, user_proved_address};

/// Letters by what became of them.
pub const LETTERS: &str = "rr_core_letters_total";
/// Of one moment people are told in one letter.
const GATHERED: Duration = Duration::from_secs(5);
/// What is older when mail is set up is no news.
const NEWS: Duration = Duration::from_hours(1);
/// Notifications that are looked at together, and letters.
const AT_ONCE: i64 = 100;
/// Whoever takes a letter has this long for it; then it is taken for not sent.
const LEASE: Duration = Duration::from_mins(5);
/// Letters that are sent at the same time.
const CONVERSATIONS: usize = 4;

/// A letter that can be sent, and what it tells.
struct Ready {
    to: Email,
    written: Written,
    told: Vec<NotificationId>,
}

/// Has letters written of what was told since the last time, to whoever wants it by mail.
///
/// # Errors
/// The store does not answer.
pub async fn collect(state: &AppState) -> ApiResult<()> {
    loop {
        let mut tx = state.db.begin().await?;
        let now = state.now();
        let found = notice_unmailed(&mut tx, AT_ONCE).await?;
        for one in &found {
            let is_first = notice_mailed(&mut tx, one.id).await?;
            if !is_first || one.created_at.plus(NEWS) < now {
                continue;
            }
            let whose = (one.notice.owner, one.notice.audience);
            for user in notice_readers(&mut tx, whose, one.notice.kind).await? {
                notice_add(&mut tx, user, one.id).await?;
            }
        }
        for user in notice_waiting(&mut tx).await? {
            let errand = Errand::Notices(user);
            letter_insert(&mut tx, &errand, (now, now.plus(GATHERED))).await?;
        }
        letter_sweep(&mut tx, now.minus(PAUSE)).await?;
        tx.commit().await?;
        if i64::try_from(found.len()).unwrap_or(i64::MAX) < AT_ONCE {
            return Ok(());
        }
    }
}

/// Sends what is due.
///
/// # Errors
/// The store does not answer.
pub async fn send_due(state: &AppState, mailer: &Mailer) -> ApiResult<()> {
    let due = letter_due(&mut *state.connect().await?, state.now(), AT_ONCE).await?;
    let sent = futures::stream::iter(due).map(|letter| async move {
        let done = send(state, mailer, &letter).await;
        if let Err(error) = done {
            let (kind, _) = letter.errand.words();
            tracing::error!(?error, kind, letter = %letter.id, "a letter waits");
        }
    });
    sent.buffer_unordered(CONVERSATIONS)
        .collect::<Vec<()>>()
        .await;
    Ok(())
}

/// Sends a letter. Until it is known to be sent it is tried again, so it may come twice.
async fn send(state: &AppState, mailer: &Mailer, letter: &Letter) -> ApiResult<()> {
    let (kind, _) = letter.errand.words();
    let now = state.now();
    let is_taken = {
        let mut conn = state.connect().await?;
        letter_take(&mut conn, letter, now.plus(LEASE)).await?
    };
    if !is_taken {
        return Ok(());
    }
    let Some(Ready { to, written, told }) = write(state, &letter.errand).await? else {
        return Ok(letter_delete(&mut *state.connect().await?, letter.id).await?);
    };
    let sent = tokio::time::timeout(LEASE / 2, mailer.send(&to, written)).await;
    let sent = sent.unwrap_or(Err(Unsent::NotNow(None)));
    match sent {
        Ok(()) => {
            metrics::counter!(LETTERS, "kind" => kind, "outcome" => "sent").increment(1);
            put_away(state, letter, &told).await
        }
        Err(reason @ Unsent::NotNow(_)) if !letter.is_late(now) => {
            metrics::counter!(LETTERS, "kind" => kind, "outcome" => "later").increment(1);
            tracing::warn!(%reason, kind, letter = %letter.id, "a letter is sent later");
            let mut conn = state.connect().await?;
            Ok(letter_postpone(&mut conn, letter.id, letter.next_try(now)).await?)
        }
        Err(reason) => {
            metrics::counter!(LETTERS, "kind" => kind, "outcome" => "never").increment(1);
            tracing::error!(%reason, kind, letter = %letter.id, "a letter is never sent");
            put_away(state, letter, &told).await
        }
    }
}

async fn put_away(state: &AppState, letter: &Letter, told: &[NotificationId]) -> ApiResult<()> {
    let mut tx = state.db.begin().await?;
    if let Errand::Notices(user) = letter.errand {
        notice_remove(&mut tx, user, told).await?;
    }
    if letter.errand.is_paused() {
        letter_sent(&mut tx, letter.id, state.now()).await?;
    } else {
        letter_delete(&mut tx, letter.id).await?;
    }
    Ok(tx.commit().await?)
}

/// None: there is nothing to say any more, or nobody to say it to.
async fn write(state: &AppState, errand: &Errand) -> ApiResult<Option<Ready>> {
    match errand {
        Errand::Invite(organisation, invite) => write_invite(state, *organisation, *invite).await,
        Errand::Reset(login) => write_reset(state, login).await,
        Errand::Notices(user) => write_notices(state, *user).await,
    }
}

async fn write_invite(
    state: &AppState,
    organisation: OrganisationId,
    invite: InviteId,
) -> ApiResult<Option<Ready>> {
    let token = NewToken::with_prefix(INVITE_PREFIX).map_err(ApiError::internal)?;
    let mut tx = state.db.begin().await?;
    let home = organisation_fetch(&mut tx, organisation).await?;
    let invite = invite_fetch(&mut tx, organisation, invite).await?;
    let (Some(home), Some(invite)) = (home, invite) else {
        return Ok(None);
    };
    let is_open = invite.expires_at > state.now()
        && invite_give_token(&mut tx, invite.id, &token.digest()).await?;
    tx.commit().await?;
    let link = format!("{}/app/invite#token={}", state.public_url, token.expose());
    Ok(is_open.then(|| Ready {
        written: letter::invite(home.name.as_str(), &link, invite.expires_at),
        to: invite.email,
        told: Vec::new(),
    }))
}

async fn write_reset(state: &AppState, login: &str) -> ApiResult<Option<Ready>> {
    let mut tx = state.db.begin().await?;
    let Some(holder) = password_by_login(&mut tx, login).await? else {
        return Ok(None);
    };
    let Some(to) = proved_address(&mut tx, holder.user).await? else {
        return Ok(None);
    };
    let (token, expires_at) = add_reset_token(&mut tx, holder.user, state.now()).await?;
    tx.commit().await?;
    let link = format!("{}/app/reset#token={}", state.public_url, token.expose());
    let written = letter::reset(&link, expires_at);
    let told = Vec::new();
    Ok(Some(Ready { to, written, told }))
}

async fn write_notices(state: &AppState, user: UserId) -> ApiResult<Option<Ready>> {
    let mut tx = state.db.begin().await?;
    let waiting = notice_list(&mut tx, user).await?;
    let mut known = Vec::new();
    for one in waiting {
        if is_reader(&mut tx, user, &one).await? {
            known.push(one);
        } else {
            notice_remove(&mut tx, user, &[one.id]).await?;
        }
    }
    let to = proved_address(&mut tx, user).await?;
    let told: Vec<_> = known.iter().map(|one| one.id).collect();
    if to.is_none() {
        notice_remove(&mut tx, user, &told).await?;
    }
    tx.commit().await?;
    let Some(to) = to.filter(|_| !known.is_empty()) else {
        return Ok(None);
    };
    let more = known.len().saturating_sub(MOST_NOTICES);
    known.truncate(MOST_NOTICES);
    let link = format!("{}/app/", state.public_url);
    let more = u64::try_from(more).unwrap_or(u64::MAX);
    let written = letter::notices(&known, more, &link);
    Ok(Some(Ready { to, written, told }))
}

/// Whether a user may still be told: who was removed meanwhile may not.
async fn is_reader(
    conn: &mut sqlx::AnyConnection,
    user: UserId,
    told: &Notification,
) -> ApiResult<bool> {
    let Owner::Organisation(organisation) = told.notice.owner else {
        return Ok(true);
    };
    let Some(member) = member_fetch(conn, organisation, user).await? else {
        return Ok(false);
    };
    Ok(match told.notice.audience {
        Audience::Members => true,
        Audience::Managers => Permission::ReadMembers.is_granted_to(member.roles.each()),
    })
}

/// The user's address, if it is known to be theirs: letters of ours do not go to strangers.
async fn proved_address(conn: &mut sqlx::AnyConnection, user: UserId) -> ApiResult<Option<Email>> {
    let proved = user_proved_address(conn, user).await?;
    let found = user_fetch(conn, user).await?;
    let address = found.map(|user| user.profile.email);
    Ok(address.filter(|address| proved == Some(address.login())))
}
