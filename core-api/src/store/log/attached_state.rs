//! The active rules, redactions and meters of many records at once, as regions are told of them.

use std::collections::BTreeMap;

use sqlx::{AnyConnection, FromRow};

use super::present::{fetch, statement};

/// What kind of record something is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A credential of either side.
    Credential,
    /// A target.
    Target,
    /// A proxy.
    Proxy,
}

/// A rule, as far as its region cares.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub struct RuleState {
    /// What it is attached to.
    pub attached_id: String,
    /// Its id.
    pub rule_id: String,
    /// `allow` or `deny`.
    pub effect: String,
    /// 0 to 1000.
    pub priority: i64,
    /// JSON.
    pub conditions: String,
}

/// A redaction, as far as its region cares.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub struct RedactionState {
    /// What it is attached to.
    pub attached_id: String,
    /// Its id.
    pub filter_id: String,
    /// `retain` or `destroy`.
    pub operation: String,
    /// JSON.
    pub paths: String,
    /// JSON.
    pub conditions: String,
}

/// A meter, as far as its region cares.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub struct MeterState {
    /// Its proxy.
    pub attached_id: String,
    /// Its id.
    pub meter_id: String,
    /// JSON; none for a count of requests.
    pub extraction: Option<String>,
    /// JSON.
    pub conditions: String,
    /// Ceiling of a minute.
    pub limit_minute: Option<i64>,
    /// Ceiling of an hour.
    pub limit_hour: Option<i64>,
    /// Ceiling of a day.
    pub limit_day: Option<i64>,
    /// Ceiling of a month.
    pub limit_month: Option<i64>,
}

/// By the id of what they are attached to.
pub type Attached<T> = BTreeMap<String, Vec<T>>;

impl Holder {
    fn column(self) -> &'static str {
        match self {
            Self::Credential => "credential_id",
            Self::Target => "target_id",
            Self::Proxy => "proxy_id",
        }
    }
}

/// The active rules of the records of these ids in `region`.
///
/// # Errors
/// The store does not answer; so everywhere below.
pub async fn rule_states(
    conn: &mut AnyConnection,
    region: &str,
    holder: Holder,
    ids: &[&str],
) -> sqlx::Result<Attached<RuleState>> {
    let key = holder.column();
    let columns = format!("{key} AS attached_id, rule_id, effect, priority, conditions FROM rule");
    let rest = "AND region_name = $1 AND is_active = 1 ORDER BY rule_id";
    let rows = fetch(
        conn,
        &statement(&columns, key, ids, rest),
        ids,
        Some(region),
    )
    .await?;
    Ok(grouped(rows, |row: &RuleState| &row.attached_id))
}

/// The active redactions of the records of these ids in `region`.
pub async fn redaction_states(
    conn: &mut AnyConnection,
    region: &str,
    holder: Holder,
    ids: &[&str],
) -> sqlx::Result<Attached<RedactionState>> {
    let key = holder.column();
    let columns =
        format!("{key} AS attached_id, filter_id, operation, paths, conditions FROM redaction");
    let rest = "AND region_name = $1 AND is_active = 1 ORDER BY filter_id";
    let rows = fetch(
        conn,
        &statement(&columns, key, ids, rest),
        ids,
        Some(region),
    )
    .await?;
    Ok(grouped(rows, |row: &RedactionState| &row.attached_id))
}

/// The active meters of the proxies of these ids in `region`.
pub async fn meter_states(
    conn: &mut AnyConnection,
    region: &str,
    ids: &[&str],
) -> sqlx::Result<Attached<MeterState>> {
    let columns = "proxy_id AS attached_id, meter_id, extraction, conditions, limit_minute, \
         limit_hour, limit_day, limit_month FROM meter";
    let rest = "AND region_name = $1 AND is_active = 1 ORDER BY meter_id";
    let rows = fetch(
        conn,
        &statement(columns, "proxy_id", ids, rest),
        ids,
        Some(region),
    )
    .await?;
    Ok(grouped(rows, |row: &MeterState| &row.attached_id))
}

fn grouped<T>(rows: Vec<T>, id: impl Fn(&T) -> &String) -> Attached<T> {
    let mut groups: Attached<T> = BTreeMap::new();
    for row in rows {
        groups.entry(id(&row).clone()).or_default().push(row);
    }
    groups
}
