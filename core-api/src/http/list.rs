//! Lists: the parameters that every one takes, and its envelope.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::query::{LARGEST, Query};
use crate::domain::listing::{ListQuery, Order, Page, Sort};
use crate::error::{ApiError, ApiResult};
use requestrocket_policy::form::problem::Problems;

const LONGEST_SEARCH: usize = 200;
/// Each is looked for in every record of the list.
const MAX_LABEL_FILTERS: usize = 8;
/// The last one is of some lists only.
const SORTS: [(&str, Sort); 3] = [
    ("createdAt", Sort::CreatedAt),
    ("name", Sort::Name),
    ("priority", Sort::Priority),
];
/// Words of `?order=`.
pub const ORDERS: [(&str, Order); 2] = [("asc", Order::Ascending), ("desc", Order::Descending)];

/// The filters that a list has.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says whether there is a parameter"
)]
pub struct Filters {
    /// `?region=`
    pub region: bool,
    /// `?active=`
    pub active: bool,
    /// `?label=`
    pub labels: bool,
    /// `?sort=priority`
    pub priority: bool,
    /// Words of `?type=`; empty for none.
    pub types: &'static [&'static str],
    /// `?includeTemporary=`
    pub temporary: bool,
    /// `?unread=`
    pub unread: bool,
}

/// The parameters of every list, for the documentation.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what ListQuery reads")]
pub struct ListParams {
    /// 1-based page.
    #[param(minimum = 1, default = 1)]
    page: Option<u64>,
    /// Items per page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u64>,
    /// `createdAt` or `name`; rules also `priority`.
    #[param(default = "createdAt")]
    sort: Option<String>,
    /// `asc` or `desc`.
    #[param(default = "desc")]
    order: Option<String>,
    /// Part of the name, without regard to case.
    search: Option<String>,
}

/// The parameter of lists of what has labels, for the documentation.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what ListQuery reads")]
pub struct LabelParams {
    /// Only records with this label: `key=value`, or `key` whatever its value. Repeated: with all
    /// of them.
    label: Option<Vec<String>>,
}

/// The envelope of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listed<T> {
    data: Vec<T>,
    pagination: Pagination,
}

/// Where in a list a page is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Pagination {
    page: u64,
    limit: u64,
    total: u64,
    pages: u64,
}

/// Reads the parameters of a list that has `filters`.
///
/// # Errors
/// Lists every parameter that is repeated, unknown or out of range.
pub fn read(raw: Option<&str>, filters: Filters) -> ApiResult<ListQuery> {
    let mut problems = Problems::default();
    let mut query = Query::new(raw, &mut problems);
    let sorts = SORTS.split_at(if filters.priority { 3 } else { 2 }).0;
    let list = ListQuery {
        page: query.integer("page", 1, LARGEST).unwrap_or(1),
        limit: query.integer("limit", 1, 100).unwrap_or(20),
        sort: query.word("sort", sorts).unwrap_or(Sort::CreatedAt),
        order: query.word("order", &ORDERS).unwrap_or(Order::Descending),
        region: if filters.region {
            query.parsed("region")
        } else {
            None
        },
        is_active: if filters.active {
            query.boolean("active")
        } else {
            None
        },
        kind: kind(&mut query, filters.types),
        labels: if filters.labels {
            query.list("label", MAX_LABEL_FILTERS)
        } else {
            Vec::new()
        },
        search: search(&mut query),
        among: None,
        includes_temporary: filters.temporary
            && query.boolean("includeTemporary").unwrap_or_default(),
        is_unread: filters.unread && query.boolean("unread").unwrap_or_default(),
    };
    query.finish();
    problems.check()?;
    Ok(list)
}

/// The answer: `page` in its envelope, each record as `show` has it.
pub fn answer<T, V: Serialize>(
    list: &ListQuery,
    page: Page<T>,
    show: impl FnMut(T) -> V,
) -> Response {
    let pagination = Pagination {
        page: list.page,
        limit: list.limit,
        total: page.total,
        pages: page.total.div_ceil(list.limit),
    };
    let data: Vec<V> = page.items.into_iter().map(show).collect();
    axum::Json(Listed { data, pagination }).into_response()
}

/// The query of a request as it came, for handlers that know their own parameters.
#[derive(Debug)]
pub struct RawQuery(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for RawQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self(parts.uri.query().map(str::to_owned)))
    }
}

impl RawQuery {
    /// Reads it as the query of a list.
    ///
    /// # Errors
    /// As [`read`].
    pub fn list(&self, filters: Filters) -> ApiResult<ListQuery> {
        read(self.0.as_deref(), filters)
    }
}

/// A longer text is in no name.
fn search(query: &mut Query<'_>) -> Option<String> {
    let text = query.take("search")?;
    if text.chars().count() > LONGEST_SEARCH {
        let problem = format!("must be at most {LONGEST_SEARCH} characters");
        query.problem("search", problem);
    }
    Some(text.to_lowercase())
}

fn kind(query: &mut Query<'_>, types: &[&'static str]) -> Option<String> {
    if types.is_empty() {
        return None;
    }
    let words: Vec<_> = types.iter().map(|word| (*word, *word)).collect();
    query.word("type", &words).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Filters = Filters {
        region: true,
        active: true,
        labels: true,
        priority: false,
        types: &["proxy", "target"],
        temporary: false,
        unread: false,
    };

    #[test]
    fn defaults() {
        let list = read(None, ALL).unwrap();
        assert_eq!((list.page, list.limit), (1, 20));
        assert_eq!(
            (list.sort, list.order),
            (Sort::CreatedAt, Order::Descending)
        );
        assert_eq!((list.offset(), list.search_pattern()), (0, None));
    }

    #[test]
    fn what_is_refused() {
        for raw in [
            "page=0",
            "page=-1",
            "page=+1",
            "page=1.5",
            "page=",
            "page=a",
            "page=9007199254740992",
            "limit=0",
            "limit=101",
            "limit=1000000000",
            "page=1&page=2",
            "page=1&%70age=2",
            "sort=created_at",
            "sort=createdAt;drop",
            "order=up",
            "active=1",
            "type=both",
            "region=EU",
            "search=%ff",
            "search=%00",
            "label=",
            "label=A",
            "label=a=%0a",
            "label=a&label=-",
            "bogus=1",
            "Page=1",
        ] {
            assert!(read(Some(raw), ALL).is_err(), "{raw}");
        }
        for raw in ["region=eu", "active=true", "type=proxy", "label=a"] {
            assert!(read(Some(raw), Filters::default()).is_err(), "{raw}");
        }
    }

    #[test]
    fn a_label_may_be_repeated_and_nothing_else() {
        let list = read(Some("label=a=b%3dc&label=a"), ALL).unwrap();
        assert_eq!(
            list.labels,
            ["a=b=c", "a"].map(|filter| filter.parse().unwrap())
        );
        let many = |count| vec!["label=a"; count].join("&");
        assert!(read(Some(&many(MAX_LABEL_FILTERS)), ALL).is_ok());
        assert!(read(Some(&many(MAX_LABEL_FILTERS + 1)), ALL).is_err());
    }

    #[test]
    fn a_page_far_past_the_end_is_no_error() {
        let list = read(Some("page=9007199254740991&limit=100"), ALL).unwrap();
        assert_eq!(list.offset(), 900_719_925_474_099_000);
    }

    #[test]
    fn wildcards_in_a_search_are_text() {
        let list = read(Some("search=50%25_A%5C"), ALL).unwrap();
        assert_eq!(list.search_pattern().as_deref(), Some("%50\\%\\_a\\\\%"));
    }
}
