//! `/clients/{clientId}/billing`: what an organisation has, and what it is given.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::domain::account::billing::{BillingEntry, Money, Prices};
use crate::domain::name::Name;
use crate::domain::people::permission::Permission;
use crate::error::ApiResult;
use crate::http::body::Body;
use crate::http::call::{InPath, Mutation, Read};
use crate::service::account::billing::{Statement, add_entry, prices, statement};
use crate::state::AppState;
use requestrocket_policy::form::fields::{Fields, parsed};
use requestrocket_policy::form::problem::Problems;

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get_billing))
        .routes(routes!(create_billing_entry))
}

/// What is left of what an organisation paid. Amounts are decimal texts, so that none is rounded.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BillingResource {
    /// ISO 4217 code.
    currency: String,
    /// Below zero by what passed before calls ended.
    balance: String,
    /// `suspended` at zero: callers get 402. `low` below a share of the last entry above zero.
    status: &'static str,
    /// In this month (UTC).
    spent_this_month: String,
    prices: PricesResource,
    /// The newest 100, the newest first.
    entries: Vec<BillingEntryResource>,
}

/// What things cost.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PricesResource {
    /// Of 1,000 calls that were let through.
    #[serde(rename = "per1000Requests")]
    per_1000_requests: String,
    /// Of a unit that a meter of this name counts.
    meters: BTreeMap<String, String>,
}

/// An amount that the operator gave, or took back.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BillingEntryResource {
    entry_id: Uuid,
    /// Below zero: taken back.
    amount: String,
    note: String,
    created_at: String,
}

/// What to send for an entry.
#[derive(Debug, ToSchema)]
struct BillingEntryInput {
    /// A decimal number, with up to six decimals; below zero takes back.
    #[schema(value_type = String)]
    amount: Money,
    /// For people.
    #[schema(value_type = Option<String>)]
    note: Option<Name>,
}

impl BillingEntryInput {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        let amount = fields.required("amount", parsed);
        let note = fields.optional("note", parsed);
        fields.finish();
        Some(Self {
            amount: amount?,
            note,
        })
    }
}

impl BillingResource {
    fn new(prices: &Prices, statement: &Statement) -> Self {
        let Statement {
            account,
            spent_this_month,
            entries,
        } = statement;
        let meters = prices.meters.iter();
        let meters = meters.map(|(name, price)| (name.clone(), price.to_string()));
        Self {
            currency: prices.currency.clone(),
            balance: account.balance.to_string(),
            status: prices.standing(*account).as_str(),
            spent_this_month: spent_this_month.to_string(),
            prices: PricesResource {
                per_1000_requests: prices.per_1000_requests.to_string(),
                meters: meters.collect(),
            },
            entries: entries.iter().map(BillingEntryResource::from).collect(),
        }
    }
}

impl From<&BillingEntry> for BillingEntryResource {
    fn from(entry: &BillingEntry) -> Self {
        Self {
            entry_id: entry.id,
            amount: entry.amount.to_string(),
            note: entry.note.clone(),
            created_at: entry.created_at.to_string(),
        }
    }
}

/// The organisation's account. 404 where billing is off.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/billing",
    tag = "billing",
    params(("clientId" = Uuid, Path, description = "The organisation")),
    responses((status = 200, body = BillingResource), (status = 304, description = "As known"))
)]
async fn get_billing(call: Read, InPath(client): InPath<String>) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadBilling).await?;
    let prices = prices(&call.state)?;
    let statement = statement(&call.state, scope.id()).await?;
    call.answer_content(&BillingResource::new(prices, &statement))
}

/// Adds an amount to the organisation's balance, or takes it back; send an `Idempotency-Key`. For
/// operators. 404 where billing is off.
#[utoipa::path(
    post,
    path = "/clients/{clientId}/billing/entries",
    tag = "billing",
    params(("clientId" = Uuid, Path, description = "The organisation")),
    request_body = BillingEntryInput,
    responses((status = 200, body = BillingEntryResource))
)]
async fn create_billing_entry(
    call: Mutation,
    InPath(client): InPath<String>,
    body: Body,
) -> ApiResult {
    let scope = call.enter(&client, Permission::WriteBilling).await?;
    prices(&call.change.state)?;
    let mut problems = Problems::default();
    let input = BillingEntryInput::read(Fields::new(body.into_object(), &mut problems));
    problems.check()?;
    let BillingEntryInput { amount, note } = input.ok_or(problems)?;
    let note = note.map(|note| note.to_string()).unwrap_or_default();
    let (entry, done) = add_entry(&call.change, scope.id(), (amount, note)).await?;
    let shown = BillingEntryResource::from(&entry);
    Ok(call.updated(&done, &shown).await)
}
