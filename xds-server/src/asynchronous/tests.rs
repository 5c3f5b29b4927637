//! Headers that go on, and those that do not.

use super::*;

#[test]
fn a_header_goes_on_unless_it_is_of_a_connection_or_the_gateways() {
    for (name, goes_on) in [
        ("content-type", true),
        ("idempotency-key", true),
        ("x-forwarded-for", true),
        ("x-request-id", true),
        ("connection", false),
        ("content-length", false),
        ("transfer-encoding", false),
        ("expect", false),
        ("host", false),
        ("requestrocket-ordering-key", false),
        ("x-rr-arrival", false),
        ("x-rr-delivery", false),
        ("x-envoy-retry-on", false),
    ] {
        assert_eq!(is_end_to_end(name), goes_on, "{name}");
    }
}
