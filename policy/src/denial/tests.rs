//! The table of errors that callers get, row by row.

use super::*;

const ID: &str = "4be0643f-1d98-4573-97cd-ca98a65347dd";

#[test]
fn the_table_is_that_of_the_specification() {
    let table = "
        PathAmbiguous 400 proxy-access-denied PATH_AMBIGUOUS
        BadRequest 400 proxy-access-denied BAD_REQUEST
        RequestTimeout 408 proxy-access-denied BAD_REQUEST
        HeadersTooLarge 431 proxy-access-denied BAD_REQUEST
        MethodNotAllowed 405 proxy-access-denied METHOD_NOT_ALLOWED
        CredentialMissing 401 proxy-access-denied CREDENTIAL_MISSING
        CredentialInvalid 403 proxy-access-denied CREDENTIAL_INVALID
        CredentialCheckUnavailable 503 proxy-access-denied CREDENTIAL_CHECK_UNAVAILABLE
        OriginNotAllowed 403 proxy-access-denied ORIGIN_NOT_ALLOWED
        ProxyInactive 403 proxy-access-denied PROXY_INACTIVE
        BillingSuspended 402 billing-suspended BILLING_SUSPENDED
        ProxyIncomplete 503 proxy-access-granted PROXY_INCOMPLETE
        TargetCredentialUnavailable 503 proxy-access-granted TARGET_CREDENTIAL_UNAVAILABLE
        RuleDenied 403 proxy-access-denied RULE_DENIED
        RateLimited 429 rate-limit-exceeded RATE_LIMITED
        RequestTooLarge 413 proxy-access-denied REQUEST_TOO_LARGE
        ResponseTooLarge 413 response-too-large RESPONSE_TOO_LARGE
        ResponseNotFilterable 422 response-not-filterable RESPONSE_NOT_FILTERABLE
        TargetUnreachable 502 proxy-access-granted TARGET_UNREACHABLE
        AddressNotAllowed 502 proxy-access-granted TARGET_UNREACHABLE
        TargetTimeout 504 proxy-access-granted TARGET_TIMEOUT
        Overloaded 503 proxy-access-granted OVERLOADED
        Asynchronous(MethodNotAllowed) 405 proxy-access-denied METHOD_NOT_ALLOWED
        Asynchronous(StatusMethodNotAllowed) 405 proxy-access-denied METHOD_NOT_ALLOWED
        Asynchronous(BadOrdering) 400 proxy-access-denied INVALID_ORDERING
        Asynchronous(BadKey) 400 proxy-access-denied INVALID_IDEMPOTENCY_KEY
        Asynchronous(BadCallback) 400 proxy-access-denied INVALID_CALLBACK
        Asynchronous(BadWait) 400 proxy-access-denied INVALID_WAIT
        Asynchronous(KeyReused) 422 proxy-access-denied IDEMPOTENCY_KEY_REUSED
        Asynchronous(KeyBusy) 409 proxy-access-denied IDEMPOTENCY_IN_PROGRESS
        Asynchronous(UnknownRequest) 404 proxy-access-denied NOT_FOUND
        Asynchronous(NotCancellable) 409 proxy-access-denied NOT_CANCELLABLE
        Asynchronous(Unavailable) 503 proxy-access-granted ASYNC_UNAVAILABLE
        GatewayFault 503 - GATEWAY_FAULT";
    let rows = table.lines().map(str::trim).filter(|row| !row.is_empty());
    let shown = Denial::ALL.map(|denial| {
        let proxy_code = denial.proxy_code().map_or("-", ProxyCode::as_str);
        format!(
            "{denial:?} {} {proxy_code} {}",
            denial.status(),
            denial.code()
        )
    });
    assert_eq!(shown.to_vec(), rows.collect::<Vec<_>>());
}

fn header<'a>(response: &'a DenialResponse, name: &str) -> Option<&'a str> {
    let mut values = response.headers.iter().filter(|(other, _)| *other == name);
    let value = values.next().map(|(_, value)| value.as_str());
    assert!(values.next().is_none(), "two {name}");
    value
}

#[test]
fn every_refusal_carries_the_four_headers_and_the_body() {
    for denial in Denial::ALL
        .into_iter()
        .filter(|denial| *denial != Denial::GatewayFault)
    {
        let response = denial.response(ID);
        assert_eq!(response.status, denial.status());
        assert_eq!(header(&response, "content-type"), Some("application/json"));
        let proxy_code = denial.proxy_code().map(ProxyCode::as_str);
        assert_eq!(header(&response, "requestrocket-proxy-code"), proxy_code);
        assert_eq!(
            header(&response, "requestrocket-proxy-message"),
            Some(denial.message())
        );
        assert_eq!(header(&response, "requestrocket-request-id"), Some(ID));
        let is_401 = denial == Denial::CredentialMissing;
        assert_eq!(
            header(&response, "www-authenticate").is_some(),
            is_401,
            "{denial:?}"
        );
        let passes = [
            Denial::CredentialCheckUnavailable,
            Denial::Overloaded,
            Denial::Asynchronous(Asynchronous::KeyBusy),
            Denial::Asynchronous(Asynchronous::Unavailable),
        ]
        .contains(&denial);
        let retry_after = passes.then_some("1");
        assert_eq!(header(&response, "retry-after"), retry_after);
        let is_405 = denial.status() == 405;
        assert_eq!(header(&response, "allow").is_some(), is_405, "{denial:?}");
        let body = String::from_utf8(response.body).unwrap();
        let want = format!(
            "{{\"error\":\"{}\",\"code\":\"{}\",\"status\":{},\"details\":[],\"requestId\":\"{ID}\"}}",
            denial.message(),
            denial.code(),
            denial.status(),
        );
        assert_eq!(body, want);
    }
}

#[test]
fn the_extra_headers_are_fixed() {
    let missing = Denial::CredentialMissing.response(ID);
    assert_eq!(
        header(&missing, "www-authenticate"),
        Some("Bearer realm=\"requestrocket\"")
    );
    let method = Denial::MethodNotAllowed.response(ID);
    let allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    assert_eq!(header(&method, "allow"), Some(allow));
    for (denial, allow) in [
        (
            Asynchronous::MethodNotAllowed,
            "GET, POST, PUT, PATCH, DELETE",
        ),
        (Asynchronous::StatusMethodNotAllowed, "GET, DELETE"),
    ] {
        let response = Denial::Asynchronous(denial).response(ID);
        assert_eq!(header(&response, "allow"), Some(allow));
    }
}

#[test]
fn a_gateway_fault_is_bare() {
    let response = Denial::GatewayFault.response(ID);
    assert_eq!(
        response,
        DenialResponse {
            status: 503,
            headers: Vec::new(),
            body: Vec::new()
        }
    );
}

#[test]
fn there_is_one_sentence_for_each_code() {
    for one in Denial::ALL {
        let message = one.message();
        // A forbidden address has words of its own.
        let is_sentence = message.ends_with('.') || one == Denial::AddressNotAllowed;
        assert!(message.is_ascii() && is_sentence, "{message}");
        assert!(!message.contains(['"', '\\']), "{message}");
        for other in Denial::ALL
            .into_iter()
            .filter(|other| other.code() == one.code())
        {
            // A forbidden address says so.
            let says_more = [one, other].contains(&Denial::AddressNotAllowed);
            assert!(says_more || other.message() == message, "{one:?} {other:?}");
        }
    }
    assert_eq!(Denial::AddressNotAllowed.message(), "address not allowed");
}

#[test]
fn the_body_is_json_whatever_the_request_id() {
    for (id, want) in [
        ("a\"b", "a\\\"b"),
        ("a\\b", "a\\\\b"),
        ("a\nb\u{0}", "a\\u000ab\\u0000"),
        ("é", "é"),
        ("", ""),
        ("%REQ(X-ID)%", "%REQ(X-ID)%"),
    ] {
        let body = Denial::BadRequest.body(id);
        assert!(
            body.ends_with(&format!("\"requestId\":\"{want}\"}}")),
            "{body}"
        );
    }
}

#[cfg(feature = "secrets")]
#[test]
fn every_body_is_one_json_object_of_the_five_members() {
    for denial in Denial::ALL {
        for id in [ID, "", "a\"b\\c\n\u{1}é\u{7f}"] {
            let body: serde_json::Value = serde_json::from_str(&denial.body(id)).unwrap();
            let want = serde_json::json!({
                "error": denial.message(),
                "code": denial.code(),
                "status": denial.status(),
                "details": [],
                "requestId": id,
            });
            assert_eq!(body, want, "{denial:?}");
        }
    }
}

#[test]
fn header_values_are_plain_text() {
    for denial in Denial::ALL {
        for (name, value) in denial.response(ID).headers {
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{name}"
            );
            assert!(
                value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()),
                "{name}: {value}"
            );
        }
    }
}
