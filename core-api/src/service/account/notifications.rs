//! Reading notifications, which remembers who has read what, and posting those of operators.

use sqlx::AnyConnection;

use crate::domain::account::audit::{Entry, Log, Named};
use crate::domain::account::notification::{
    Audience, Notice, Notification, Owner, Preferences, Severity,
};
use crate::domain::id::{NotificationId, UserId};
use crate::domain::name::Name;
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, forbidden, id};
use crate::identity::caller::{Caller, Scope};
use crate::service::change::Change;
use crate::state::AppState;
use crate::store::account::notification::{
    Reader, notification_fetch, notification_insert, notification_read, notification_read_all,
    notification_sweep, notification_unread,
};
use crate::store::account::preference::preference_replace;
use crate::store::log::write::{Done, Over};

/// For how long notifications are kept.
const KEPT: std::time::Duration = std::time::Duration::from_hours(90 * 24);

/// What an operator says to everybody.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// In a few words.
    pub title: Name,
    /// In sentences.
    pub message: String,
    /// How bad it is.
    pub severity: Severity,
}

/// What is asked for: whose, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// Whose.
    pub owner: Owner,
    /// By whom.
    pub reader: Reader,
}

impl Shelf {
    /// What everybody is told.
    pub fn system(caller: &Caller) -> Self {
        let (owner, audience) = (Owner::System, Audience::Members);
        let user = caller.user().ok();
        let reader = Reader { user, audience };
        Self { owner, reader }
    }

    /// What an organisation is told.
    pub fn of_organisation(caller: &Caller, scope: &Scope) -> Self {
        let audience = match scope.require(Permission::ReadMembers) {
            Ok(()) => Audience::Managers,
            Err(_) => Audience::Members,
        };
        let user = caller.user().ok();
        let reader = Reader { user, audience };
        let owner = Owner::Organisation(scope.id());
        Self { owner, reader }
    }

    /// What the caller is told of their own account.
    ///
    /// # Errors
    /// They are no user, or came by a restricted token.
    pub fn own(caller: &Caller) -> ApiResult<Self> {
        let (user, audience) = (caller.whole_user()?, Audience::Members);
        let owner = Owner::User(user);
        let user = Some(user);
        let reader = Reader { user, audience };
        Ok(Self { owner, reader })
    }

    /// One of them.
    ///
    /// # Errors
    /// There is none.
    pub async fn find(&self, state: &AppState, notification: &str) -> ApiResult<Notification> {
        self.fetch(&mut *state.connect().await?, id(notification)?)
            .await
    }

    async fn fetch(
        &self,
        conn: &mut AnyConnection,
        notification: NotificationId,
    ) -> ApiResult<Notification> {
        let found = notification_fetch(conn, self.owner, self.reader, notification).await?;
        found.ok_or_else(ApiError::not_found)
    }
}

/// Notes that the caller has read one, or has not; says how it is then.
///
/// # Errors
/// There is none, `If-Match` names a version (notifications have none), or the caller is an operator
/// or came by a restricted token, which changes nothing of its user.
pub async fn mark(
    change: &Change,
    shelf: &Shelf,
    (notification, is_read): (NotificationId, bool),
) -> ApiResult<(Notification, Done)> {
    let user = change.actor.whole_user()?;
    change.expects(0)?;
    let mut write = change.begin(Over::User(user)).await?;
    let mut found = shelf.fetch(write.conn(), notification).await?;
    let conn = write.conn();
    if is_read {
        notification_read(conn, notification, user).await?;
    } else {
        notification_unread(conn, notification, user).await?;
    }
    found.is_read = is_read;
    let verb = if is_read { "read" } else { "unread" };
    let name = found.notice.title.clone();
    let entry = of_reader(user, (notification.to_string(), name), verb);
    let done = change.commit(write, entry).await?;
    Ok((found, done))
}

/// Notes that the caller has read all of them.
///
/// # Errors
/// As [`mark`].
pub async fn mark_all(change: &Change, shelf: &Shelf) -> ApiResult<Done> {
    let user = change.actor.whole_user()?;
    let mut write = change.begin(Over::User(user)).await?;
    let reader = (user, shelf.reader.audience);
    notification_read_all(write.conn(), shelf.owner, reader).await?;
    let entry = of_reader(user, (shelf.owner.to_string(), String::new()), "readAll");
    Ok(change.commit(write, entry).await?)
}

/// Writes where the caller wants to be told of what.
///
/// # Errors
/// `If-Match` names a version, or the caller is an operator or came by a restricted token.
pub async fn prefer(change: &Change, preferences: &Preferences) -> ApiResult<Done> {
    let user = change.actor.whole_user()?;
    change.expects(0)?;
    let mut write = change.begin(Over::User(user)).await?;
    preference_replace(write.conn(), user, preferences).await?;
    let kind = "notificationPreferences";
    let (id, name) = (user.to_string(), String::new());
    let entry = Entry::of(Log::User(user), Named { kind, id, name }, "update");
    Ok(change.commit(write, entry).await?)
}

/// Tells everybody what an operator says.
///
/// # Errors
/// The caller is no operator.
pub async fn announce(change: &Change, said: Announcement) -> ApiResult<(Notification, Done)> {
    if change.actor != Caller::Operator {
        return Err(forbidden());
    }
    let Announcement {
        title,
        message,
        severity,
    } = said;
    let mut write = change.state.begin().await?;
    let now = write.now();
    let notice = Notice {
        severity,
        ..Notice::announcement(title.to_string(), message)
    };
    let made = notification_insert(write.conn(), &notice, now).await?;
    let id = made.ok_or_else(|| ApiError::internal("a cause of its own was known before"))?;
    let kind = "notification";
    let (row, name) = (id.to_string(), title.to_string());
    let entry = Entry::of(
        Log::Operator,
        Named {
            kind,
            id: row,
            name,
        },
        "create",
    );
    let done = change.commit(write, entry).await?;
    let told = Notification {
        id,
        notice,
        created_at: now,
        is_read: false,
    };
    Ok((told, done))
}

/// Removes what is too old.
///
/// # Errors
/// The database does not answer.
pub async fn remove_old(state: &AppState) -> sqlx::Result<()> {
    notification_sweep(&mut *state.connect().await?, state.now().minus(KEPT)).await
}

/// What users read is their own: no organisation's log tells of it.
fn of_reader(user: UserId, (id, name): (String, String), verb: &str) -> Entry {
    let kind = "notification";
    Entry::of(Log::User(user), Named { kind, id, name }, verb)
}
