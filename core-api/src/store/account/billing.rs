//! What organisations paid and used.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::domain::account::billing::{Account, BillingEntry, Money};
use crate::domain::id::OrganisationId;
use crate::domain::people::organisation::Standing;
use crate::store::row::{column, number, unsigned, unsigned_column};

/// Of what something was charged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChargeKey {
    /// Whose.
    pub organisation: String,
    /// The hour, Unix time in milliseconds.
    pub start_ms: u64,
    /// Empty: calls.
    pub meter: String,
}

/// Notes since when calls are charged, unless that is known, and gives it back.
///
/// # Errors
/// The database does not answer, or a row is none of ours; so everywhere below.
pub async fn billing_begin(conn: &mut AnyConnection, start_ms: u64) -> sqlx::Result<u64> {
    sqlx::query("INSERT INTO billing (id, start_ms) VALUES (1, $1) ON CONFLICT DO NOTHING")
        .bind(number(start_ms)?)
        .execute(&mut *conn)
        .await?;
    let (start_ms,): (i64,) = sqlx::query_as("SELECT start_ms FROM billing WHERE id = 1")
        .fetch_one(conn)
        .await?;
    unsigned(start_ms)
}

/// Opens the accounts that are missing: nothing is on them, so what they are of is suspended.
pub async fn account_insert_missing(conn: &mut AnyConnection) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO billing_account (organisation_id, balance, last_credit, standing) \
         SELECT organisation_id, '0', '0', 'suspended' FROM organisation WHERE NOT EXISTS \
         (SELECT 1 FROM billing_account a WHERE a.organisation_id = organisation.organisation_id) \
         ON CONFLICT DO NOTHING",
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Opens the account of one organisation, unless it has one.
pub async fn account_insert(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO billing_account (organisation_id, balance, last_credit, standing) \
         VALUES ($1, '0', '0', 'suspended') ON CONFLICT DO NOTHING",
    )
    .bind(organisation.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// The account; nobody else changes it until the end of the transaction. None: there is none.
pub async fn account_lock(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
) -> sqlx::Result<Option<Account>> {
    let row = sqlx::query(
        "UPDATE billing_account SET balance = balance WHERE organisation_id = $1 \
         RETURNING balance, last_credit",
    )
    .bind(organisation.to_string())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(account_from_row).transpose()
}

/// The account as it is; None: there is none.
pub async fn account_fetch(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
) -> sqlx::Result<Option<Account>> {
    let row =
        sqlx::query("SELECT balance, last_credit FROM billing_account WHERE organisation_id = $1")
            .bind(organisation.to_string())
            .fetch_optional(conn)
            .await?;
    row.as_ref().map(account_from_row).transpose()
}

/// Writes an account and what follows from it.
pub async fn account_update(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    (account, standing): (Account, Standing),
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE billing_account SET balance = $1, last_credit = $2, standing = $3 \
         WHERE organisation_id = $4",
    )
    .bind(account.balance.to_string())
    .bind(account.last_credit.to_string())
    .bind(standing.as_str())
    .bind(organisation.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Organisations that regions know in another standing than their account's, at most `limit`;
/// without billing those in any but the best.
pub async fn standing_outdated(
    conn: &mut AnyConnection,
    is_billed: bool,
    limit: u16,
) -> sqlx::Result<Vec<OrganisationId>> {
    let select = if is_billed {
        "SELECT o.organisation_id FROM organisation o JOIN billing_account a \
         ON a.organisation_id = o.organisation_id WHERE a.standing <> o.standing LIMIT $1"
    } else {
        "SELECT organisation_id FROM organisation WHERE standing <> 'ok' LIMIT $1"
    };
    let rows = sqlx::query(select)
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| column(row, "organisation_id"))
        .collect()
}

/// The standing of an organisation that regions are to be told.
pub async fn standing_update(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    standing: Standing,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE organisation SET standing = $1 WHERE organisation_id = $2")
        .bind(standing.as_str())
        .bind(organisation.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Adds an entry behind the organisation's others. Lock its account first.
pub async fn entry_insert(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    entry: &BillingEntry,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO billing_entry (entry_id, organisation_id, number, amount, note, created_at) \
         SELECT $1, $2, COALESCE(MAX(number), 0) + 1, $3, $4, $5 FROM billing_entry \
         WHERE organisation_id = $2",
    )
    .bind(entry.id.to_string())
    .bind(organisation.to_string())
    .bind(entry.amount.to_string())
    .bind(&entry.note)
    .bind(entry.created_at.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// The organisation's newest entries, the newest first.
pub async fn entry_list(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    limit: u16,
) -> sqlx::Result<Vec<BillingEntry>> {
    let rows = sqlx::query(
        "SELECT entry_id, amount, note, created_at FROM billing_entry WHERE organisation_id = $1 \
         ORDER BY number DESC LIMIT $2",
    )
    .bind(organisation.to_string())
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?;
    let read = |row: &AnyRow| {
        Ok(BillingEntry {
            id: column(row, "entry_id")?,
            amount: money_column(row, "amount")?,
            note: row.try_get("note")?,
            created_at: column(row, "created_at")?,
        })
    };
    rows.iter().map(read).collect()
}

/// What was charged in a month such as `2026-11`.
pub async fn month_fetch(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    month: &str,
) -> sqlx::Result<Money> {
    let row =
        sqlx::query("SELECT spent FROM billing_month WHERE organisation_id = $1 AND month = $2")
            .bind(organisation.to_string())
            .bind(month)
            .fetch_optional(conn)
            .await?;
    let spent = row.as_ref().map(|row| money_column(row, "spent"));
    Ok(spent.transpose()?.unwrap_or_default())
}

/// Writes what was charged in a month. Lock the account first.
pub async fn month_upsert(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    (month, spent): (&str, Money),
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO billing_month (organisation_id, month, spent) VALUES ($1, $2, $3) \
         ON CONFLICT (organisation_id, month) DO UPDATE SET spent = excluded.spent",
    )
    .bind(organisation.to_string())
    .bind(month)
    .bind(spent.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// How much was charged of what a region told, of one sum.
pub async fn charged_fetch(
    conn: &mut AnyConnection,
    region: &str,
    key: &ChargeKey,
) -> sqlx::Result<u64> {
    let row = sqlx::query(
        "SELECT quantity FROM billing_usage WHERE organisation_id = $1 AND region_name = $2 \
         AND start_ms = $3 AND meter_id = $4",
    )
    .bind(&key.organisation)
    .bind(region)
    .bind(number(key.start_ms)?)
    .bind(&key.meter)
    .fetch_optional(conn)
    .await?;
    row.as_ref()
        .map_or(Ok(0), |row| unsigned_column(row, "quantity"))
}

/// The same of all sums of hours from then on.
pub async fn charged_list(
    conn: &mut AnyConnection,
    region: &str,
    from_ms: u64,
) -> sqlx::Result<Vec<(ChargeKey, u64)>> {
    let rows = sqlx::query(
        "SELECT organisation_id, start_ms, meter_id, quantity FROM billing_usage \
         WHERE region_name = $1 AND start_ms >= $2",
    )
    .bind(region)
    .bind(number(from_ms)?)
    .fetch_all(conn)
    .await?;
    let read = |row: &AnyRow| {
        let key = ChargeKey {
            organisation: row.try_get("organisation_id")?,
            start_ms: unsigned_column(row, "start_ms")?,
            meter: row.try_get("meter_id")?,
        };
        Ok((key, unsigned_column(row, "quantity")?))
    };
    rows.iter().map(read).collect()
}

/// Writes how much was charged. Lock the account first.
pub async fn charged_upsert(
    conn: &mut AnyConnection,
    region: &str,
    (key, quantity): (&ChargeKey, u64),
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO billing_usage (organisation_id, region_name, start_ms, meter_id, quantity) \
         VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (organisation_id, region_name, start_ms, meter_id) \
         DO UPDATE SET quantity = excluded.quantity",
    )
    .bind(&key.organisation)
    .bind(region)
    .bind(number(key.start_ms)?)
    .bind(&key.meter)
    .bind(number(quantity)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// Ids of the meters of this name.
pub async fn meters_named(conn: &mut AnyConnection, name: &str) -> sqlx::Result<Vec<String>> {
    let rows: Vec<(String,)> = sqlx::query_as("SELECT meter_id FROM meter WHERE meter_name = $1")
        .bind(name)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

fn account_from_row(row: &AnyRow) -> sqlx::Result<Account> {
    Ok(Account {
        balance: money_column(row, "balance")?,
        last_credit: money_column(row, "last_credit")?,
    })
}

fn money_column(row: &AnyRow, name: &str) -> sqlx::Result<Money> {
    let text: String = row.try_get(name)?;
    Money::stored(&text).map_err(|error| sqlx::Error::ColumnDecode {
        index: name.to_owned(),
        source: Box::new(error),
    })
}
