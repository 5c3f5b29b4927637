//! Which rows are asked for, and the cursor that goes on in that selection and no other.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use requestrocket_policy::form::problem::Problems;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use utoipa::IntoParams;

use crate::domain::account::audit::Log;
use crate::domain::moment::Moment;
use crate::error::ApiResult;
use crate::http::query::Query;
use crate::http::routes::operations::when::When;
use crate::store::account::audit::AuditSelection;

const DEFAULT_LIMIT: u64 = 100;
/// Characters of one value.
const VALUE_CHARS: usize = 256;
/// Of the selection, before the number.
const FINGERPRINT_BYTES: usize = 24;

/// The parameters of a page of an audit log, for the documentation.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what Selection reads")]
pub(super) struct AuditPageParams {
    /// Rows of a page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u64>,
    /// `nextCursor` of the page before, of the same selection.
    cursor: Option<String>,
}

/// The parameters that select rows, for the documentation.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what Selection reads")]
pub(super) struct AuditFilterParams {
    /// Done then or later: RFC 3339, or Unix time in milliseconds.
    from: Option<String>,
    /// Done before then.
    to: Option<String>,
    /// Id of a user, or `operator`, `command-line`, `system`.
    actor: Option<String>,
    /// Such as `proxy.update`.
    action: Option<String>,
    /// Such as `proxy`.
    resource_type: Option<String>,
    /// Id of a record.
    resource_id: Option<String>,
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selection {
    log: Log,
    pub(super) rows: AuditSelection,
    pub(super) limit: u64,
    /// Where the page before ended.
    pub(super) before: Option<u64>,
}

impl Selection {
    /// Reads the parameters of a page of that log.
    pub(super) fn read(raw: Option<&str>, log: Log) -> ApiResult<Self> {
        let mut problems = Problems::default();
        let mut query = Query::new(raw, &mut problems);
        let rows = AuditSelection {
            from: moment(&mut query, "from"),
            to: moment(&mut query, "to"),
            actor: text(&mut query, "actor"),
            action: text(&mut query, "action"),
            resource_type: text(&mut query, "resourceType"),
            resource_id: text(&mut query, "resourceId"),
        };
        let limit = query.integer("limit", 1, 1_000).unwrap_or(DEFAULT_LIMIT);
        let mut selection = Self {
            log,
            rows,
            limit,
            before: None,
        };
        if let Some(cursor) = query.take("cursor") {
            selection.before = selection.place(&cursor);
            if selection.before.is_none() {
                query.problem("cursor", "must be the `nextCursor` of the same selection");
            }
        }
        query.finish();
        problems.check()?;
        Ok(selection)
    }

    /// What was asked for, as the row of the reading says it.
    pub(super) fn shown(&self) -> Map<String, Value> {
        let moment = |moment: Option<Moment>| moment.map(|moment| moment.to_string());
        let AuditSelection {
            from,
            to,
            actor,
            action,
            resource_type,
            resource_id,
        } = self.rows.clone();
        [
            ("from", moment(from)),
            ("to", moment(to)),
            ("actor", actor),
            ("action", action),
            ("resourceType", resource_type),
            ("resourceId", resource_id),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
        .collect()
    }

    /// The cursor that goes on before this row.
    pub(super) fn cursor(&self, before: u64) -> String {
        let mut bytes = self.fingerprint().to_vec();
        bytes.extend(before.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// None: it is no cursor of this selection.
    fn place(&self, cursor: &str) -> Option<u64> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (fingerprint, number) = bytes.split_first_chunk::<FINGERPRINT_BYTES>()?;
        // A place in another selection would skip rows, and nobody would notice.
        (*fingerprint == self.fingerprint()).then_some(())?;
        number.try_into().ok().map(u64::from_be_bytes)
    }

    /// Of all but where a page begins and how long it is.
    fn fingerprint(&self) -> [u8; FINGERPRINT_BYTES] {
        let asked = Value::from(self.shown());
        let digest = Sha256::new()
            .chain_update(self.log.to_string())
            .chain_update(asked.to_string())
            .finalize();
        let first = digest.first_chunk::<FINGERPRINT_BYTES>();
        first.copied().unwrap_or_default()
    }
}

fn moment(query: &mut Query<'_>, name: &str) -> Option<Moment> {
    let When(unix_ms) = query.parsed(name)?;
    let moment = Moment::of_unix_ms(unix_ms);
    if moment.is_none() {
        query.problem(name, "must be a moment before the year 10000");
    }
    moment
}

fn text(query: &mut Query<'_>, name: &str) -> Option<String> {
    let text = query.take(name)?;
    if !(1..=VALUE_CHARS).contains(&text.chars().count()) {
        query.problem(name, format!("must have 1 to {VALUE_CHARS} characters"));
    }
    Some(text)
}
