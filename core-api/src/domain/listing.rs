//! What is asked of a list of records, and a page of it.

use crate::domain::gateway::region::RegionName;
use crate::domain::label::LabelFilter;

/// What a caller asks of a list; a list refuses the filters that it does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// 1-based.
    pub page: u64,
    /// Items per page.
    pub limit: u64,
    /// By what.
    pub sort: Sort,
    /// Which way.
    pub order: Order,
    /// Only of this region.
    pub region: Option<RegionName>,
    /// Only active or inactive ones.
    pub is_active: Option<bool>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only with all of these labels.
    pub labels: Vec<LabelFilter>,
    /// Lower-case part of the name.
    pub search: Option<String>,
    /// Only those with one of these ids.
    pub among: Option<Vec<String>>,
    /// With those that are not yet what they were made for.
    pub includes_temporary: bool,
    /// Only what the caller has not read.
    pub is_unread: bool,
}

/// By what a list is sorted; ties go by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// `createdAt`
    CreatedAt,
    /// `name`, without regard to case.
    Name,
    /// `priority`; of rules only.
    Priority,
}

/// Which way a list is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// One page of records.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The records of this page.
    pub items: Vec<T>,
    /// Records on all pages.
    pub total: u64,
}

impl ListQuery {
    /// Records before this page.
    #[must_use]
    pub fn offset(&self) -> i64 {
        let pages_before = self.page.saturating_sub(1);
        i64::try_from(pages_before.saturating_mul(self.limit)).unwrap_or(i64::MAX)
    }

    /// The search text as a pattern of SQL's LIKE with escape character `\\`.
    #[must_use]
    pub fn search_pattern(&self) -> Option<String> {
        let text = self.search.as_ref()?;
        let escaped = text
            // First, else it would escape the backslashes that follow.
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_");
        Some(format!("%{escaped}%"))
    }
}
