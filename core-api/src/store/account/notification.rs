//! Notifications, and who has read them.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::domain::account::notification::{About, Audience, Notice, Notification, Owner, WHILE};
use crate::domain::id::{NotificationId, UserId};
use crate::domain::listing::{ListQuery, Order, Page, Sort};
use crate::domain::moment::Moment;
use crate::store::row::{column, flag_column, unsigned};

/// Of one owner no more are kept: the oldest make room.
pub const MOST: i64 = 10_000;

/// Who asks for notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    /// None: somebody who is no user, and whose reading is not remembered.
    pub user: Option<UserId>,
    /// What they may see of an organisation's.
    pub audience: Audience,
}

impl Reader {
    fn bound(self) -> String {
        self.user.map(|user| user.to_string()).unwrap_or_default()
    }

    /// Whoever sees more also sees what everybody sees.
    fn level(self) -> i64 {
        level(self.audience)
    }
}

/// $1 is the owner, $2 who asks and $3 what they may see.
const VISIBLE: &str = "n.owner = $1 AND n.audience <= $3";
/// What the user does not want in lists is not in them.
const WANTED: &str = "NOT EXISTS (SELECT 1 FROM notification_preference p \
     WHERE p.user_id = $2 AND p.kind = n.kind AND p.in_app = 0)";
const IS_READ: &str = "EXISTS (SELECT 1 FROM notification_read r \
     WHERE r.notification_id = n.notification_id AND r.user_id = $2)";

/// Adds a notification; None: its owner was told of that cause before.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn notification_insert(
    conn: &mut AnyConnection,
    notice: &Notice,
    now: Moment,
) -> sqlx::Result<Option<NotificationId>> {
    let Notice {
        owner,
        audience,
        kind,
        severity,
        title,
        message,
        about,
        cause,
    } = notice;
    let id = NotificationId::random();
    let (resource_type, resource_id) = match about {
        Some(About { kind, id }) => (Some(kind.as_str()), Some(id.as_str())),
        None => (None, None),
    };
    let done = sqlx::query(
        "INSERT INTO notification (notification_id, owner, kind, severity, audience, title, \
         message, name_key, resource_type, resource_id, cause, created_at, is_mailed, is_posted) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0) ON CONFLICT DO NOTHING",
    )
    .bind(id.to_string())
    .bind(owner.to_string())
    .bind(kind.as_str())
    .bind(severity.as_str())
    .bind(level(*audience))
    .bind(title)
    .bind(message)
    .bind(notice.key())
    .bind(resource_type)
    .bind(resource_id)
    .bind(cause)
    .bind(now.to_string())
    .execute(conn)
    .await?;
    Ok((done.rows_affected() == 1).then_some(id))
}

/// What goes on for that cause has ended; false: nothing did.
pub async fn notification_end(conn: &mut AnyConnection, cause: &str) -> sqlx::Result<bool> {
    let done = sqlx::query("UPDATE notification SET cause = notification_id WHERE cause = $1")
        .bind(cause)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Causes of what goes on.
pub async fn notification_causes(conn: &mut AnyConnection) -> sqlx::Result<Vec<String>> {
    // A range, so that it is found by the index: `;` is what follows `:`.
    let rows = sqlx::query("SELECT cause FROM notification WHERE cause >= $1 AND cause < $2")
        .bind(WHILE)
        .bind(WHILE.replace(':', ";"))
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| row.try_get("cause")).collect()
}

/// A page of what `owner` was told and `reader` wants to see; only what they have not read, if that is
/// what they ask.
pub async fn notification_list(
    conn: &mut AnyConnection,
    owner: Owner,
    reader: Reader,
    query: &ListQuery,
) -> sqlx::Result<Page<Notification>> {
    let mut conditions = vec![VISIBLE, WANTED];
    let unread = format!("NOT {IS_READ}");
    if query.is_unread {
        conditions.push(&unread);
    }
    let pattern = query.search_pattern();
    if pattern.is_some() {
        conditions.push(r"n.name_key LIKE $4 ESCAPE '\'");
    }
    let from = format!("FROM notification n WHERE {}", conditions.join(" AND "));
    // What stands in the text are words of ours; what callers sent is bound.
    let bound = |sql: String| {
        let query = sqlx::query(AssertSqlSafe(sql))
            .bind(owner.to_string())
            .bind(reader.bound())
            .bind(reader.level());
        match &pattern {
            Some(pattern) => query.bind(pattern.clone()),
            None => query,
        }
    };
    let count = bound(format!("SELECT COUNT(*) AS total {from}"));
    let total: i64 = count.fetch_one(&mut *conn).await?.try_get("total")?;
    let order = order(query);
    let (limit, offset) = (query.limit, query.offset());
    let select = bound(format!(
        "SELECT {} {from} ORDER BY {order} LIMIT {limit} OFFSET {offset}",
        columns()
    ));
    let rows = select.fetch_all(conn).await?;
    let items = rows
        .iter()
        .map(notification_from_row)
        .collect::<sqlx::Result<_>>()?;
    Ok(Page {
        items,
        total: unsigned(total)?,
    })
}

/// One that `owner` was told and `reader` may see.
pub async fn notification_fetch(
    conn: &mut AnyConnection,
    owner: Owner,
    reader: Reader,
    id: NotificationId,
) -> sqlx::Result<Option<Notification>> {
    let columns = columns();
    let select =
        format!("SELECT {columns} FROM notification n WHERE {VISIBLE} AND n.notification_id = $4");
    let row = sqlx::query(AssertSqlSafe(select))
        .bind(owner.to_string())
        .bind(reader.bound())
        .bind(reader.level())
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(notification_from_row).transpose()
}

/// Notes that a user has read one.
pub async fn notification_read(
    conn: &mut AnyConnection,
    id: NotificationId,
    user: UserId,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO notification_read (notification_id, user_id) VALUES ($1, $2) \
         ON CONFLICT DO NOTHING",
    )
    .bind(id.to_string())
    .bind(user.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets that a user has read one.
pub async fn notification_unread(
    conn: &mut AnyConnection,
    id: NotificationId,
    user: UserId,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM notification_read WHERE notification_id = $1 AND user_id = $2")
        .bind(id.to_string())
        .bind(user.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes that a user has read all that `owner` was told and they may see; says how many they had not.
pub async fn notification_read_all(
    conn: &mut AnyConnection,
    owner: Owner,
    (user, audience): (UserId, Audience),
) -> sqlx::Result<u64> {
    let insert = format!(
        "INSERT INTO notification_read (notification_id, user_id) \
         SELECT n.notification_id, $2 FROM notification n WHERE {VISIBLE} AND NOT {IS_READ} \
         ON CONFLICT DO NOTHING"
    );
    let done = sqlx::query(AssertSqlSafe(insert))
        .bind(owner.to_string())
        .bind(user.to_string())
        .bind(level(audience))
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}

/// Removes what is older than that, and of owners with too many the oldest.
pub async fn notification_sweep(conn: &mut AnyConnection, oldest: Moment) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM notification WHERE created_at < $1")
        .bind(oldest.to_string())
        .execute(&mut *conn)
        .await?;
    let full = sqlx::query("SELECT owner FROM notification GROUP BY owner HAVING COUNT(*) > $1")
        .bind(MOST)
        .fetch_all(&mut *conn)
        .await?;
    for row in &full {
        sqlx::query(
            "DELETE FROM notification WHERE owner = $1 AND created_at < (SELECT created_at \
             FROM notification WHERE owner = $1 ORDER BY created_at DESC LIMIT 1 OFFSET $2)",
        )
        .bind(row.try_get::<String, _>("owner")?)
        .bind(MOST - 1)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Removes all that `owner` was told.
pub async fn notification_delete_all(conn: &mut AnyConnection, owner: Owner) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM notification WHERE owner = $1")
        .bind(owner.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes all that was told about a record.
pub async fn notification_delete_about(
    conn: &mut AnyConnection,
    About { kind, id }: &About,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM notification WHERE resource_type = $1 AND resource_id = $2")
        .bind(kind)
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// The columns of one that nobody asks for.
pub(super) const UNASKED: &str = "n.*, CAST(0 AS BIGINT) AS is_read";

fn level(audience: Audience) -> i64 {
    match audience {
        Audience::Members => 0,
        Audience::Managers => 1,
    }
}

fn columns() -> String {
    format!("n.*, CAST(CASE WHEN {IS_READ} THEN 1 ELSE 0 END AS BIGINT) AS is_read")
}

fn order(query: &ListQuery) -> String {
    let way = match query.order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    };
    let column = match query.sort {
        Sort::Name => "n.name_key",
        Sort::CreatedAt | Sort::Priority => "n.created_at",
    };
    format!("{column} {way}, n.notification_id {way}")
}

pub(super) fn notification_from_row(row: &AnyRow) -> sqlx::Result<Notification> {
    let kind: Option<String> = row.try_get("resource_type")?;
    let id: Option<String> = row.try_get("resource_id")?;
    let audience = match row.try_get::<i64, _>("audience")? {
        0 => Audience::Members,
        _ => Audience::Managers,
    };
    Ok(Notification {
        id: column(row, "notification_id")?,
        notice: Notice {
            owner: column(row, "owner")?,
            audience,
            kind: column(row, "kind")?,
            severity: column(row, "severity")?,
            title: row.try_get("title")?,
            message: row.try_get("message")?,
            about: kind.zip(id).map(|(kind, id)| About { kind, id }),
            cause: row.try_get("cause")?,
        },
        created_at: column(row, "created_at")?,
        is_read: flag_column(row, "is_read")?,
    })
}
