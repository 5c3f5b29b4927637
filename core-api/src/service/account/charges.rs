//! Charging what was let through: each region is asked for its sums.
//!
//! Invariant: how much of a sum was charged is written in the transaction that takes it off the
//! balance. Sums only grow, so whatever comes twice, late or after a crash is charged once.

use std::collections::BTreeMap;
use std::time::Duration;

use requestrocket_proto::region::v1::{BilledQuery, BilledSum, BilledUsage, answer, query};

use super::billing::month;
use crate::domain::account::billing::{Money, Prices};
use crate::domain::id::OrganisationId;
use crate::domain::moment::Moment;
use crate::error::ApiResult;
use crate::region::fleet::Unanswered;
use crate::state::AppState;
use crate::store::account::billing::{
    ChargeKey, account_insert_missing, account_lock, account_update, billing_begin, charged_fetch,
    charged_list, charged_upsert, meters_named, month_fetch, month_upsert,
};

const HOUR_MS: u64 = 3_600_000;

/// Sums of one organisation.
type Sums = Vec<(ChargeKey, u64)>;

/// What charging goes by.
struct Tariff<'t> {
    prices: &'t Prices,
    /// Names of the meters that have a price, by id.
    names: BTreeMap<String, String>,
}

/// Charges what the connected regions let through in hours that began within `depth`, and opens
/// accounts of new organisations. A region that does not answer is asked the next time.
///
/// # Errors
/// The store does not answer.
pub async fn charge(state: &AppState, prices: &Prices, depth: Duration) -> ApiResult<()> {
    let now_ms = state.clock.unix_ms();
    let hour = |moment_ms: u64| moment_ms - moment_ms % HOUR_MS;
    let depth_ms = u64::try_from(depth.as_millis()).unwrap_or(u64::MAX);
    let mut tx = state.db.begin().await?;
    account_insert_missing(&mut tx).await?;
    let begin_ms = billing_begin(&mut tx, hour(now_ms)).await?;
    let mut names = BTreeMap::new();
    for name in prices.meters.keys() {
        let ids = meters_named(&mut tx, name).await?;
        names.extend(ids.into_iter().map(|id| (id, name.clone())));
    }
    tx.commit().await?;
    let tariff = Tariff { prices, names };
    let from_ms = begin_ms.max(hour(now_ms.saturating_sub(depth_ms)));
    for region in state.fleets.connected() {
        charge_region(state, &tariff, (&region, from_ms)).await?;
    }
    Ok(())
}

async fn charge_region(
    state: &AppState,
    tariff: &Tariff<'_>,
    (region, from_ms): (&str, u64),
) -> ApiResult<()> {
    let charged: BTreeMap<ChargeKey, u64> = {
        let mut conn = state.connect().await?;
        let charged = charged_list(&mut conn, region, from_ms).await?;
        charged.into_iter().collect()
    };
    let mut after = None;
    loop {
        let Ok(BilledUsage { sums, is_more }) = ask(state, region, (from_ms, after)).await else {
            return Ok(());
        };
        after = sums.last().cloned();
        for (organisation, sums) in grown(sums, &charged) {
            let done = charge_one(state, tariff, (region, organisation), &sums).await;
            if let Err(error) = done {
                // Others are charged nevertheless, and this one is tried again.
                tracing::error!(?error, %organisation, "an organisation is not charged");
            }
        }
        if !is_more || after.is_none() {
            return Ok(());
        }
    }
}

async fn ask(
    state: &AppState,
    region: &str,
    (from_ms, after): (u64, Option<BilledSum>),
) -> Result<BilledUsage, Unanswered> {
    let question = query::Kind::Billed(BilledQuery { from_ms, after });
    let answer::Kind::Billed(told) = state.fleets.ask(region, question).await? else {
        return Err(Unanswered::Unknown);
    };
    Ok(told)
}

/// Sums that are more than what was charged, by organisation.
fn grown(sums: Vec<BilledSum>, charged: &BTreeMap<ChargeKey, u64>) -> Vec<(OrganisationId, Sums)> {
    let mut grown: BTreeMap<String, Sums> = BTreeMap::new();
    for sum in sums {
        let BilledSum {
            start_ms,
            organisation_id: organisation,
            meter_id: meter,
            quantity,
        } = sum;
        // More than a column of the store holds; a region's sums are less.
        let quantity = quantity.min(i64::MAX as u64);
        let key = ChargeKey {
            organisation: organisation.clone(),
            start_ms,
            meter,
        };
        if charged.get(&key).is_none_or(|charged| *charged < quantity) {
            grown.entry(organisation).or_default().push((key, quantity));
        }
    }
    let known = |(id, sums): (String, Sums)| Some((id.parse().ok()?, sums));
    grown.into_iter().filter_map(known).collect()
}

async fn charge_one(
    state: &AppState,
    tariff: &Tariff<'_>,
    (region, organisation): (&str, OrganisationId),
    sums: &[(ChargeKey, u64)],
) -> ApiResult<()> {
    let mut tx = state.db.begin().await?;
    let Some(mut account) = account_lock(&mut tx, organisation).await? else {
        // It was deleted, or is so new that the next time will do.
        return Ok(());
    };
    let mut spent: BTreeMap<String, Money> = BTreeMap::new();
    for (key, quantity) in sums {
        let charged = charged_fetch(&mut tx, region, key).await?;
        let Some(more) = quantity.checked_sub(charged).filter(|more| *more > 0) else {
            continue;
        };
        let cost = tariff.of(&key.meter, more);
        account.balance = account.balance.less(cost);
        let start = Moment::of_unix_ms(key.start_ms).unwrap_or_else(|| state.now());
        let of_month = spent.entry(month(start)).or_default();
        *of_month = of_month.and(cost);
        charged_upsert(&mut tx, region, (key, *quantity)).await?;
    }
    for (month, more) in spent {
        let before = month_fetch(&mut tx, organisation, &month).await?;
        month_upsert(&mut tx, organisation, (&month, before.and(more))).await?;
    }
    let standing = tariff.prices.standing(account);
    account_update(&mut tx, organisation, (account, standing)).await?;
    tx.commit().await?;
    Ok(())
}

impl Tariff<'_> {
    /// Of calls, when the meter is empty; what has no price costs nothing.
    fn of(&self, meter: &str, quantity: u64) -> Money {
        if meter.is_empty() {
            return self.prices.of_calls(quantity);
        }
        let name = self.names.get(meter);
        name.map(|name| self.prices.of_meter(name, quantity))
            .unwrap_or_default()
    }
}
