//! Names of filters that several resources name.

/// Name of the filter that decides.
pub(super) const FILTER: &str = "requestrocket";
/// Its name where it judges calls that waited.
pub(super) const AGAIN: &str = "requestrocket-again";
/// Its name where it holds back what comes of a response.
pub(super) const VALVE: &str = "requestrocket-valve";
/// Its name where another try of a call comes by.
pub(super) const TRY: &str = "requestrocket-try";
/// Name of the filter whose route configuration names the target.
pub(super) const FORWARD_PROXY: &str = "envoy.filters.http.dynamic_forward_proxy";
/// Name of the filter that has calls which may be repeated tried again.
pub(super) const REPEATABLE: &str = "repeatable";
