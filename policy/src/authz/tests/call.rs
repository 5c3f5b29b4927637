//! What conditions see of a call: methods, path, headers, query, claims.

use super::*;

#[test]
fn methods_are_a_list_and_get_means_head_too() {
    const METHODS: [&str; 7] = crate::http::ALLOWED_METHODS;
    for method in METHODS {
        let sent = Sent { method, ..GET };
        check("GET", &sent, matches!(method, "GET" | "HEAD"));
        check("HEAD", &sent, method == "HEAD");
        check("POST PUT", &sent, matches!(method, "POST" | "PUT"));
        check("OPTIONS", &sent, method == "OPTIONS");
        check("", &sent, true);
    }
    // What is none of the seven matches nothing, whatever its case.
    for method in ["get", "TRACE", "", "GETS"] {
        check(
            "GET HEAD POST PUT PATCH DELETE OPTIONS",
            &Sent { method, ..GET },
            false,
        );
    }
}

#[test]
fn the_path_is_searched_and_may_be_forbidden() {
    for (conditions, path, want) in [
        ("p:^/v1/", "/v1/items", true),
        ("p:^/v1/", "/v2/v1/", false),
        ("p:items", "/v1/items/7", true),
        ("p:(?i)ITEMS$", "/v1/items", true),
        ("!p:^/v1/", "/v1/items", false),
        ("!p:^/v1/", "/v2/items", true),
        ("p:^/a%2Fb$", "/a%2Fb", true),
        ("p:^/a%2fb$", "/a%2Fb", false),
        ("p:^/a.b$", "/aéb", true),
    ] {
        check(conditions, &Sent { path, ..GET }, want);
    }
    // An invalid byte is a character like any other.
    let invalid = Call::new(b"GET", b"/a\xffb", None, &[]);
    assert_eq!(
        layer("deny", &["allow 1 p:^/a.b$"]).decide(&invalid),
        allowed_by(1)
    );
}

#[test]
fn header_names_match_without_case_and_values_with() {
    let sent = Sent {
        headers: &[("x-role", "Admin"), ("X-Mixed", "a, b"), ("x-empty", "")],
        ..GET
    };
    for (conditions, want) in [
        ("h:^x-role$", true),
        ("h:^X-ROLE$", true),
        ("h:^X-Ro", true),
        ("h:role=Admin", true),
        ("h:role=admin", false),
        ("h:role=(?i)admin", true),
        ("h:^x-mixed$", true),
        // Lines are not split at commas.
        ("h:^x-mixed$=^a$", false),
        ("h:^x-mixed$=^a,\\sb$", true),
        ("h:^x-empty$", true),
        ("h:^x-empty$=^$", true),
        ("h:^x-empty$=.", false),
        ("h:^x-none$", false),
        ("!h:^x-none$", true),
        ("!h:^x-role$", false),
        ("!h:^x-role$=^User$", true),
        ("!h:^x-role$=^Admin$", false),
        ("h:^x-role$ h:^x-none$", false),
    ] {
        check(conditions, &sent, want);
    }
}

/// A target may read `X_Debug` as `X-Debug`.
#[test]
fn header_names_match_in_every_spelling() {
    let sent = Sent {
        headers: &[
            ("x_rr", "1"),
            ("X_Debug", "on"),
            ("x-role", "user"),
            ("x_role", "admin"),
        ],
        ..GET
    };
    for (conditions, want) in [
        ("h:^x-debug$", true),
        ("h:^x_debug$", true),
        ("h:^X_Debug$=^on$", true),
        ("h:^x-debug$=^off$", false),
        ("!h:^x-debug$", false),
        ("!h:^x_debug$", false),
        ("h:^x-rr$", true),
        ("h:^x_role$", true),
        ("!h:^x_role$", false),
        ("h:^X_debu[_g]$=^on$", true),
        (r"h:\bdebug\b=^on$", true),
    ] {
        check(conditions, &sent, want);
    }
    // A deny rule sees the twin, and an allow rule does not look past it.
    for (value, any, all) in [
        ("admin", Hold::Yes, Hold::No),
        ("user", Hold::Yes, Hold::No),
    ] {
        for name in ["x-role", "x_role", "x[_]role", r"x\Wrole"] {
            let condition = format!("h:^{name}$=^{value}$");
            assert_eq!(hold_any(&condition, &sent), any, "{condition}");
            assert_eq!(hold_all(&condition, &sent), all, "{condition}");
        }
    }
}

#[test]
fn no_rule_sees_what_carries_the_credential_or_is_the_gateways_own() {
    for name in [
        "authorization",
        "Authorization",
        "proxy-authorization",
        "PROXY-Authorization",
        "host",
        ":path",
        ":authority",
        ":method",
        "x-rr-request-id",
        "X-RR-Route",
        "x_rr_route",
        "x-rr_route",
        "x-envoy-original-path",
        "X_Envoy-Original-Path",
        "proxy_authorization",
        "requestrocket-request-id",
        "requestrocket_x",
    ] {
        let sent = Sent {
            headers: &[(name, "secret")],
            ..GET
        };
        check("h:.", &sent, false);
        check("h:.*=secret", &sent, false);
        check("!h:.*=secret", &sent, true);
    }
    for name in [
        "x-authorization",
        "x-rr",
        "accept",
        "proxy",
        "hosts",
        "x",
        "requestrocket",
        "",
    ] {
        let sent = Sent {
            headers: &[(name, "secret")],
            ..GET
        };
        check("h:.*=secret", &sent, true);
    }
    for query in [
        "Authorization=secret",
        "%61uthorization=secret",
        "AUTHORIZATION",
    ] {
        check("q:.", &Sent { query, ..GET }, false);
    }
}

#[test]
fn parameters_are_decoded_names_and_values() {
    for (conditions, query, want) in [
        ("q:^a$=^1$", "a=1", true),
        ("q:^a$=^1$", "b=2&a=1", true),
        ("q:^a$=^1$", "%61=%31", true),
        ("q:^A$", "a=1", false),
        ("q:^a$=^x\\sy$", "a=x+y", true),
        ("q:^a$=^x\\sy$", "a=x%20y", true),
        ("q:^a$=^x\\+y$", "a=x%2By", true),
        ("q:^a\\sb$", "a+b", true),
        ("q:^a$", "a", true),
        ("q:^a$=^$", "a", true),
        ("q:^a$=^$", "a=", true),
        ("q:^a$=.", "a", false),
        // Split at the first `=` and at `&` only.
        ("q:^a$=^b=c$", "a=b=c", true),
        ("q:^a$=^1;b=2$", "a=1;b=2", true),
        ("q:^b$", "a=1;b=2", false),
        ("q:^a\\[\\]$=^1$", "a[]=1", true),
        ("q:^a\\[\\]$=^1$", "a%5B%5D=1", true),
        // Invalid escapes stay as written; decoding happens once.
        ("q:^a$=^%zz%$", "a=%zz%", true),
        ("q:^a$=^%41$", "a=%2541", true),
        ("q:^a$=^.$", "a=%ff", true),
        ("q:^a$=^\u{fffd}$", "a=%ff", true),
        ("q:^a$=^é$", "a=%C3%A9", true),
        // Between two `&` there is no parameter.
        ("q:^$", "", false),
        ("q:^$", "a=1&&b=2&", false),
        ("q:^$=^1$", "=1", true),
        ("!q:^debug$", "a=1", true),
        ("!q:^debug$", "a=1&debug", false),
        ("!q:^debug$=^1$", "debug=0", true),
    ] {
        check(conditions, &Sent { query, ..GET }, want);
    }
    let many = "a=1&".repeat(10_000) + "b=2";
    check(
        "q:^b$=^2$ !q:^c$",
        &Sent {
            query: &many,
            ..GET
        },
        true,
    );
}

#[test]
fn claims_are_those_of_the_token_and_none_without_one() {
    let claims = Some(r#"{"sub":"u1","realm_access":{"roles":["user","admin"]},"exp":17}"#);
    let sent = Sent { claims, ..GET };
    check("c:$.sub=^u1$", &sent, true);
    check("c:$.exp=^17$", &sent, true);
    check("c:$.nope", &sent, false);
    check("!c:$.nope", &sent, true);
    assert_eq!(
        hold_any("c:$.realm_access.roles[*]=^admin$", &sent),
        Hold::Yes
    );
    assert_eq!(
        hold_all("c:$.realm_access.roles[*]=^admin$", &sent),
        Hold::No
    );
    check("c:$.sub", &GET, false);
    check("!c:$.sub", &GET, true);
}
