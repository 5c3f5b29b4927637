//! Accounts of organisations: what they are given, and what follows from a balance.

use serde_json::json;
use uuid::Uuid;

use crate::domain::account::audit::{Actor, Entry, Log, Named, members};
use crate::domain::account::billing::{Account, BillingEntry, Money, Prices};
use crate::domain::account::notification::Notice;
use crate::domain::id::OrganisationId;
use crate::domain::moment::Moment;
use crate::domain::people::organisation::{Organisation, Standing};
use crate::error::{ApiError, ApiResult};
use crate::service::change::Change;
use crate::state::AppState;
use crate::store::account::billing::{
    account_fetch, account_insert, account_lock, account_update, entry_insert, entry_list,
    month_fetch, standing_outdated, standing_update,
};
use crate::store::account::notification::notification_insert;
use crate::store::log::write::{Done, Over, Write};
use crate::store::people::organisation::organisation_fetch;

/// Entries that are shown.
const SHOWN: u16 = 100;
/// Organisations of one look.
const TOGETHER: u16 = 200;

/// What an organisation is told of its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What is left.
    pub account: Account,
    /// What was charged in this month (UTC).
    pub spent_this_month: Money,
    /// The newest 100, the newest first.
    pub entries: Vec<BillingEntry>,
}

/// The prices that calls are charged by.
///
/// # Errors
/// `NOT_FOUND`: billing is off.
pub fn prices(state: &AppState) -> ApiResult<&Prices> {
    state.billing.as_deref().ok_or_else(ApiError::not_found)
}

/// The account as it is.
///
/// # Errors
/// The database does not answer; so everywhere below.
pub async fn statement(state: &AppState, organisation: OrganisationId) -> ApiResult<Statement> {
    let mut conn = state.connect().await?;
    let account = account_fetch(&mut conn, organisation).await?;
    Ok(Statement {
        account: account.unwrap_or_default(),
        spent_this_month: month_fetch(&mut conn, organisation, &month(state.now())).await?,
        entries: entry_list(&mut conn, organisation, SHOWN).await?,
    })
}

/// The month that a moment is in (UTC), such as `2026-11`.
pub(super) fn month(at: Moment) -> String {
    at.to_string().chars().take(7).collect()
}

/// Gives an organisation an amount, or takes it back. Regions are told in the same change if its calls
/// are to go on or to end.
///
/// # Errors
/// The organisation is gone, or the balance would be none.
pub async fn add_entry(
    change: &Change,
    organisation: OrganisationId,
    (amount, note): (Money, String),
) -> ApiResult<(BillingEntry, Done)> {
    let prices = prices(&change.state)?;
    let mut write = change.begin(Over::Organisation(organisation)).await?;
    let found = organisation_fetch(write.conn(), organisation).await?;
    let organisation = found.ok_or_else(ApiError::not_found)?;
    account_insert(write.conn(), organisation.id).await?;
    let account = account_lock(write.conn(), organisation.id).await?;
    let mut account = account.ok_or_else(ApiError::not_found)?;
    let balance = account.balance.plus(amount);
    account.balance = balance.map_err(|error| ApiError::invalid("amount", error.to_string()))?;
    if amount.is_positive() {
        account.last_credit = amount;
    }
    let entry = BillingEntry {
        id: Uuid::new_v4(),
        amount,
        note,
        created_at: write.now(),
    };
    let standing = prices.standing(account);
    account_update(write.conn(), organisation.id, (account, standing)).await?;
    entry_insert(write.conn(), organisation.id, &entry).await?;
    stand(&mut write, &organisation, standing).await?;
    let resource = Named {
        kind: "billingEntry",
        id: entry.id.to_string(),
        name: entry.note.clone(),
    };
    let row = Entry::of(Log::Organisation(organisation.id), resource, "create");
    let after = json!({"amount": amount.to_string(), "balance": account.balance.to_string()});
    let done = change.commit(write, row.with_after(members(after))).await?;
    Ok((entry, done))
}

/// Tells regions of organisations whose account says something else than they know; without billing
/// that all calls go on.
pub async fn settle(state: &AppState) -> ApiResult<()> {
    loop {
        let outdated = {
            let mut conn = state.connect().await?;
            standing_outdated(&mut conn, state.billing.is_some(), TOGETHER).await?
        };
        if outdated.is_empty() {
            return Ok(());
        }
        for organisation in outdated {
            settle_one(state, organisation).await?;
        }
    }
}

async fn settle_one(state: &AppState, organisation: OrganisationId) -> ApiResult<()> {
    let mut write = state.begin().await?;
    write.alone_over(Over::Organisation(organisation)).await?;
    let Some(organisation) = organisation_fetch(write.conn(), organisation).await? else {
        return Ok(());
    };
    let standing = match (
        &state.billing,
        account_lock(write.conn(), organisation.id).await?,
    ) {
        (Some(prices), Some(account)) => {
            let standing = prices.standing(account);
            // Else a share that the settings changed would have it looked at for ever.
            account_update(write.conn(), organisation.id, (account, standing)).await?;
            standing
        }
        (Some(_) | None, _) => Standing::Ok,
    };
    stand(&mut write, &organisation, standing).await?;
    let resource = Named {
        kind: "billing",
        id: organisation.id.to_string(),
        name: organisation.name.to_string(),
    };
    let mut row = Entry::of(Log::Organisation(organisation.id), resource, "update");
    row.before = Some(members(json!({"status": organisation.standing.as_str()})));
    let row = row.with_after(members(json!({"status": standing.as_str()})));
    write
        .commit(&state.fleets, &Actor::System.into(), row)
        .await?;
    Ok(())
}

async fn stand(
    write: &mut Write,
    organisation: &Organisation,
    standing: Standing,
) -> sqlx::Result<()> {
    standing_update(write.conn(), organisation.id, standing).await?;
    let (before, after) = (organisation.standing, standing);
    let (id, now) = (organisation.id, write.now());
    let notice = match after {
        Standing::Low => Some(Notice::billing_low(id, now)),
        Standing::Suspended => Some(Notice::billing_suspended(id, now)),
        Standing::Ok => None,
    };
    if let Some(notice) = notice.filter(|_| before != after) {
        notification_insert(write.conn(), &notice, now).await?;
    }
    // Regions are told no more of it.
    if (before == Standing::Suspended) != (after == Standing::Suspended) {
        let id = organisation.id.to_string();
        write.touch_organisation(&id).await?;
    }
    Ok(())
}
