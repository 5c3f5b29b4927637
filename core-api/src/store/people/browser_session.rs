//! Sessions at browsers; only digests of their cookies are here.

use std::net::IpAddr;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::session::allowance;
use crate::domain::id::{SessionId, UserId};
use crate::domain::listing::{ListQuery, Page};
use crate::domain::moment::Moment;
use crate::domain::people::browser_session::{BrowserSession, IDLE, Visitor};
use crate::domain::people::provider::ProviderName;
use crate::store::listing::{Listing, page};
use crate::store::row::{column, optional_column};

/// Of one user; who signs in once more ends the one that was used least lately.
const MOST: i64 = 100;

const LISTING: Listing = Listing {
    from: "browser_session",
    columns: "*",
    owner: "user_id",
    id: "session_id",
    kind: "",
    temporary: None,
};

/// A page of the user's sessions. What has ended and was not removed yet is among them.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn browser_session_list(
    conn: &mut AnyConnection,
    user: UserId,
    query: &ListQuery,
) -> sqlx::Result<Page<BrowserSession>> {
    page(conn, LISTING, &user.to_string(), query, session_from_row).await
}

/// The session whose cookie has this digest, if it has not ended, and how many requests a minute its
/// user may make (None: any number).
pub async fn browser_session_by_digest(
    conn: &mut AnyConnection,
    digest: &str,
    now: Moment,
) -> sqlx::Result<Option<(BrowserSession, Option<u64>)>> {
    let row = sqlx::query("SELECT * FROM browser_session WHERE session_digest = $1")
        .bind(digest)
        .fetch_optional(&mut *conn)
        .await?;
    let session = row.as_ref().map(session_from_row).transpose()?;
    let Some(session) = session.filter(|session| session.ends_at() > now) else {
        return Ok(None);
    };
    let requests_per_minute = allowance(conn, session.user).await?;
    Ok(Some((session, requests_per_minute)))
}

/// The user's session with this id, if it has not ended.
pub async fn browser_session_fetch(
    conn: &mut AnyConnection,
    user: UserId,
    id: SessionId,
    now: Moment,
) -> sqlx::Result<Option<BrowserSession>> {
    let row = sqlx::query("SELECT * FROM browser_session WHERE user_id = $1 AND session_id = $2")
        .bind(user.to_string())
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?;
    let session = row.as_ref().map(session_from_row).transpose()?;
    Ok(session.filter(|session| session.ends_at() > now))
}

/// Whether there is such a session that has not ended.
pub async fn browser_session_is_alive(
    conn: &mut AnyConnection,
    id: SessionId,
    now: Moment,
) -> sqlx::Result<bool> {
    let row = sqlx::query("SELECT * FROM browser_session WHERE session_id = $1")
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?;
    let session = row.as_ref().map(session_from_row).transpose()?;
    Ok(session.is_some_and(|session| session.ends_at() > now))
}

/// Adds a session by the digest of its cookie, in the place of the user's oldest if they have too
/// many.
pub async fn browser_session_insert(
    conn: &mut AnyConnection,
    session: &BrowserSession,
    digest: &str,
) -> sqlx::Result<()> {
    let BrowserSession {
        id,
        user,
        visitor,
        created_at,
        last_used_at,
        expires_at,
        provider,
    } = session;
    sqlx::query(
        "DELETE FROM browser_session WHERE user_id = $1 AND session_id NOT IN \
         (SELECT session_id FROM browser_session WHERE user_id = $1 \
         ORDER BY last_used_at DESC, session_id LIMIT $2)",
    )
    .bind(user.to_string())
    .bind(MOST - 1)
    .execute(&mut *conn)
    .await?;
    let Visitor {
        address,
        user_agent,
    } = visitor;
    sqlx::query(
        "INSERT INTO browser_session (session_id, user_id, session_digest, user_agent, name_key, \
         address, created_at, last_used_at, expires_at, provider) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(id.to_string())
    .bind(user.to_string())
    .bind(digest)
    .bind(user_agent.as_deref())
    .bind(user_agent.as_deref().unwrap_or_default().to_lowercase())
    .bind(address.to_string())
    .bind(created_at.to_string())
    .bind(last_used_at.to_string())
    .bind(expires_at.to_string())
    .bind(provider.as_ref().map(ProviderName::as_str))
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a session was used, and from where.
pub async fn browser_session_touch(
    conn: &mut AnyConnection,
    id: SessionId,
    (now, address): (Moment, IpAddr),
) -> sqlx::Result<()> {
    sqlx::query("UPDATE browser_session SET last_used_at = $1, address = $2 WHERE session_id = $3")
        .bind(now.to_string())
        .bind(address.to_string())
        .bind(id.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends one of the user's sessions.
pub async fn browser_session_delete(
    conn: &mut AnyConnection,
    user: UserId,
    id: SessionId,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM browser_session WHERE user_id = $1 AND session_id = $2")
        .bind(user.to_string())
        .bind(id.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends the session whose cookie has this digest, whosever it is.
pub async fn browser_session_delete_by_digest(
    conn: &mut AnyConnection,
    digest: &str,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM browser_session WHERE session_digest = $1")
        .bind(digest)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends all of the user's sessions.
pub async fn browser_session_delete_all(
    conn: &mut AnyConnection,
    user: UserId,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM browser_session WHERE user_id = $1")
        .bind(user.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes what has ended by now.
pub async fn browser_session_sweep(conn: &mut AnyConnection, now: Moment) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM browser_session WHERE expires_at <= $1 OR last_used_at <= $2")
        .bind(now.to_string())
        .bind(now.minus(IDLE).to_string())
        .execute(conn)
        .await?;
    Ok(())
}

fn session_from_row(row: &AnyRow) -> sqlx::Result<BrowserSession> {
    Ok(BrowserSession {
        id: column(row, "session_id")?,
        user: column(row, "user_id")?,
        visitor: Visitor {
            address: column(row, "address")?,
            user_agent: row.try_get("user_agent")?,
        },
        created_at: column(row, "created_at")?,
        last_used_at: column(row, "last_used_at")?,
        expires_at: column(row, "expires_at")?,
        provider: optional_column(row, "provider")?,
    })
}
