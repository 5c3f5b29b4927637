//! Which records are asked for, and the cursor that goes on in that selection and no other.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost::Message as _;
use requestrocket_policy::form::problem::Problems;
use requestrocket_proto::region::v1::{RecordPosition, RecordsQuery, StatusRange};
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use uuid::Uuid;

use super::super::when::When;
use crate::domain::gateway::region::RegionName;
use crate::domain::listing::Order;
use crate::error::ApiResult;
use crate::http::list::ORDERS;
use crate::http::query::{LARGEST, Query};

const DEFAULT_LIMIT: u64 = 100;
/// Values of one parameter.
const VALUES: usize = 50;
/// Characters of one value.
const VALUE_CHARS: usize = 256;
/// Of the selection, before the position.
const FINGERPRINT_BYTES: usize = 8;

/// The parameters of a page of records, for the documentation.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what Selection reads")]
pub(super) struct PageParams {
    /// Records of a page. A page may hold fewer although there are more: `nextCursor` says.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u64>,
    /// `nextCursor` of the page before, of the same selection.
    cursor: Option<String>,
    /// `desc` (the newest first) or `asc`.
    #[param(default = "desc")]
    order: Option<String>,
}

/// The parameters that select records, for the documentation.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what Selection reads")]
pub(super) struct FilterParams {
    /// Completed then or later: RFC 3339, or Unix time in milliseconds.
    processed_after: Option<String>,
    /// Completed before then.
    processed_before: Option<String>,
    /// Such as `404`, `4xx`, or a list of them with commas.
    status: Option<String>,
    /// Codes such as `RULE_DENIED`, with commas.
    code: Option<String>,
    /// Values of `requestrocket-proxy-code`, with commas.
    proxy_code: Option<String>,
    /// Methods, with commas.
    method: Option<String>,
    /// Credentials that callers used, with commas.
    credential_id: Option<String>,
    /// Subjects of callers' tokens, with commas.
    subject: Option<String>,
    /// Part of the path.
    path_contains: Option<String>,
    /// Calls that took that long at least.
    min_duration_ms: Option<u64>,
    /// Only calls that were refused with `proxy-access-denied`.
    denied: Option<bool>,
    /// Calls of that trace: 32 hexadecimal digits.
    trace_id: Option<String>,
}

/// What is asked for.
#[derive(Debug, PartialEq)]
pub(super) struct Selection {
    pub(super) query: RecordsQuery,
    /// `region`, where it may be given.
    pub(super) region: Option<RegionName>,
    /// How many there were when it was begun; none: it begins.
    pub(super) recorded: Option<u64>,
}

/// A W3C trace's.
struct TraceId(String);

/// One of `status`.
struct Statuses(StatusRange);

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Invalid(&'static str);

impl Selection {
    /// Reads the parameters of a list of an organisation's records, or of one proxy's.
    pub(super) fn read(
        raw: Option<&str>,
        (organisation_id, proxy_id): (String, Option<String>),
    ) -> ApiResult<Self> {
        let mut problems = Problems::default();
        let mut query = Query::new(raw, &mut problems);
        let limit = query.integer("limit", 1, 1_000).unwrap_or(DEFAULT_LIMIT);
        let order = query.word("order", &ORDERS).unwrap_or(Order::Descending);
        let mut selection = Self::filters(&mut query, (organisation_id, proxy_id));
        selection.query.limit = u32::try_from(limit).unwrap_or(1);
        selection.query.is_ascending = order == Order::Ascending;
        if let Some(cursor) = query.take("cursor") {
            match selection.position(&cursor) {
                Some((position, recorded)) => selection.go_on(position, recorded),
                None => query.problem("cursor", "must be the `nextCursor` of the same selection"),
            }
        }
        query.finish();
        problems.check()?;
        Ok(selection)
    }

    /// Reads the parameters of what has no pages.
    pub(super) fn read_filters(
        raw: Option<&str>,
        owner: (String, Option<String>),
    ) -> ApiResult<Self> {
        let mut problems = Problems::default();
        let mut query = Query::new(raw, &mut problems);
        let selection = Self::filters(&mut query, owner);
        query.finish();
        problems.check()?;
        Ok(selection)
    }

    fn filters(
        query: &mut Query<'_>,
        (organisation_id, proxy_id): (String, Option<String>),
    ) -> Self {
        let statuses: Vec<Statuses> = list(query, "status");
        let credentials: Vec<Uuid> = list(query, "credentialId");
        let is_whole = proxy_id.is_none();
        let least_ms = query.integer("minDurationMs", 0, LARGEST / 1_000);
        let records = RecordsQuery {
            organisation_id,
            proxy_id: proxy_id.unwrap_or_default(),
            from_ms: moment(query, "processedAfter"),
            to_ms: moment(query, "processedBefore"),
            statuses: statuses.into_iter().map(|Statuses(range)| range).collect(),
            codes: list(query, "code"),
            proxy_codes: list(query, "proxyCode"),
            methods: list(query, "method"),
            credential_ids: credentials.iter().map(Uuid::to_string).collect(),
            subjects: list(query, "subject"),
            path_contains: text(query, "pathContains"),
            min_duration_us: least_ms.unwrap_or(0) * 1_000,
            is_denied: query.boolean("denied").unwrap_or(false),
            trace_id: query
                .parsed("traceId")
                .map_or_else(String::new, |TraceId(id)| id),
            ..RecordsQuery::default()
        };
        Self {
            query: records,
            region: is_whole.then(|| query.parsed("region")).flatten(),
            recorded: None,
        }
    }

    fn go_on(&mut self, position: RecordPosition, recorded: u64) {
        self.query.after = Some(position);
        // The first page counted; the cursor brings the number along.
        self.query.is_uncounted = true;
        self.recorded = Some(recorded);
    }

    /// The cursor that goes on behind `position` in so many.
    pub(super) fn cursor(&self, position: &RecordPosition, recorded: u64) -> Option<String> {
        let id: Uuid = position.request_id.parse().ok()?;
        let mut bytes = self.fingerprint().to_vec();
        bytes.extend(recorded.to_be_bytes());
        bytes.extend(position.completed_at_ms.to_be_bytes());
        bytes.extend(id.as_bytes());
        Some(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// None: it is no cursor of this selection.
    fn position(&self, cursor: &str) -> Option<(RecordPosition, u64)> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (fingerprint, rest) = bytes.split_first_chunk::<FINGERPRINT_BYTES>()?;
        let (recorded, rest) = rest.split_first_chunk()?;
        let (completed_at_ms, id) = rest.split_first_chunk()?;
        // A place in another selection would skip records, and nobody would notice.
        (*fingerprint == self.fingerprint()).then_some(())?;
        let position = RecordPosition {
            completed_at_ms: u64::from_be_bytes(*completed_at_ms),
            request_id: Uuid::from_slice(id).ok()?.to_string(),
        };
        Some((position, u64::from_be_bytes(*recorded)))
    }

    /// Of all but where a page begins and how long it is.
    fn fingerprint(&self) -> [u8; FINGERPRINT_BYTES] {
        let all = RecordsQuery {
            limit: 0,
            after: None,
            is_uncounted: false,
            ..self.query.clone()
        };
        let region = self.region.as_ref().map_or("", RegionName::as_str);
        let digest = Sha256::new()
            .chain_update(all.encode_to_vec())
            .chain_update(region)
            .finalize();
        let first = digest.first_chunk::<FINGERPRINT_BYTES>();
        first.copied().unwrap_or_default()
    }
}

fn moment(query: &mut Query<'_>, name: &str) -> Option<u64> {
    query.parsed::<When>(name).map(|When(unix_ms)| unix_ms)
}

fn text(query: &mut Query<'_>, name: &str) -> String {
    let text = query.take(name).unwrap_or_default();
    if text.chars().count() > VALUE_CHARS {
        query.problem(name, format!("must have at most {VALUE_CHARS} characters"));
    }
    text
}

/// Values with commas between them.
fn list<T: FromStr>(query: &mut Query<'_>, name: &str) -> Vec<T>
where
    T::Err: std::fmt::Display,
{
    let Some(text) = query.take(name) else {
        return Vec::new();
    };
    let values: Vec<&str> = text.split(',').collect();
    let is_long = |value: &&str| value.chars().count() > VALUE_CHARS;
    if values.len() > VALUES || values.iter().any(is_long) {
        let text = format!("must hold at most {VALUES} values of {VALUE_CHARS} characters");
        query.problem(name, text);
        return Vec::new();
    }
    let mut list = Vec::new();
    for value in values {
        match value.parse::<T>() {
            Ok(_) if value.is_empty() => query.problem(name, "must hold no empty value"),
            Ok(value) => list.push(value),
            Err(error) => query.problem(name, error.to_string()),
        }
    }
    list
}

impl FromStr for TraceId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_id = text.len() == 32 && text.bytes().all(is_digit);
        let id = is_id.then(|| Self(text.to_owned()));
        id.ok_or(Invalid("must be 32 lower-case hexadecimal digits"))
    }
}

impl FromStr for Statuses {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = Invalid("must be statuses such as 404 or 4xx");
        let (first, last) = match text.as_bytes() {
            [class @ b'1'..=b'5', b'x', b'x'] => {
                let first = u32::from(class - b'0') * 100;
                (first, first + 99)
            }
            [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9'] => {
                let status = text.parse().map_err(|_| invalid)?;
                (status, status)
            }
            _ => return Err(invalid),
        };
        Ok(Self(StatusRange { first, last }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Option<Selection> {
        Selection::read(Some(raw), ("o".to_owned(), None)).ok()
    }

    fn position() -> RecordPosition {
        RecordPosition {
            completed_at_ms: 1_234,
            request_id: Uuid::from_u128(7).to_string(),
        }
    }

    #[test]
    fn parameters_are_read_or_refused() {
        let all = "limit=7&order=asc&processedAfter=1970-01-01T00:00:01Z&processedBefore=2000\
                   &status=404,5xx&code=A,B&method=GET&minDurationMs=3&denied=true&region=eu-1";
        let selection = read(all).unwrap();
        assert_eq!(selection.region.as_ref().unwrap().as_str(), "eu-1");
        let query = selection.query;
        assert_eq!((query.limit, query.is_ascending), (7, true));
        assert_eq!((query.from_ms, query.to_ms), (Some(1_000), Some(2_000)));
        let ranges: Vec<_> = query
            .statuses
            .iter()
            .map(|it| (it.first, it.last))
            .collect();
        assert_eq!(ranges, [(404, 404), (500, 599)]);
        assert_eq!(query.codes, ["A", "B"]);
        assert_eq!((query.min_duration_us, query.is_denied), (3_000, true));
        let of_trace = read("traceId=0af7651916cd43dd8448eb211c80319c").unwrap();
        assert_eq!(of_trace.query.trace_id, "0af7651916cd43dd8448eb211c80319c");
        for wrong in [
            "traceId=0AF7651916CD43DD8448EB211C80319C",
            "traceId=0af7",
            "limit=0",
            "limit=1001",
            "order=up",
            "status=4x",
            "status=404,",
            "status=9xx",
            "processedAfter=yesterday",
            "credentialId=1",
            "denied=1",
            "cursor=abc",
            "unknown=1",
            "code=A&code=B",
        ] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
        for raw in ["limit=1", "order=asc", "cursor=x", "status=4x"] {
            let tail = Selection::read_filters(Some(raw), ("o".to_owned(), None));
            assert!(tail.is_err(), "{raw}");
        }
        let of_proxy = Selection::read(Some("region=eu-1"), ("o".into(), Some("p".into())));
        assert!(of_proxy.is_err());
    }

    #[test]
    fn a_cursor_goes_on_in_its_own_selection_only() {
        let selection = read("status=404&limit=5").unwrap();
        let cursor = selection.cursor(&position(), 12).unwrap();
        for (raw, is_of_it) in [
            (format!("status=404&limit=9&cursor={cursor}"), true),
            (format!("status=405&cursor={cursor}"), false),
            (format!("status=404&order=asc&cursor={cursor}"), false),
            (format!("status=404&region=eu-1&cursor={cursor}"), false),
            (format!("status=404&cursor={cursor}A"), false),
            ("status=404&cursor=".to_owned(), false),
        ] {
            let read = read(&raw).map(|selection| (selection.query.after, selection.recorded));
            let want = is_of_it.then(|| (Some(position()), Some(12)));
            assert_eq!(read, want, "{raw}");
        }
        let other = ("other".to_owned(), None);
        let raw = format!("status=404&cursor={cursor}");
        assert!(Selection::read(Some(&raw), other).is_err());
    }
}
