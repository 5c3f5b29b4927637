//! Any request head: it is decided without a panic, nobody without a credential is let through, and
//! what is sent on cannot climb out of the target's base path.
//!
//! The input is a method, a path, then header names and values, separated by the byte 0xff (which
//! no HTTP codec lets through).

#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use requestrocket_policy::exchange::{Edit, Exchange, RequestBody, RequestDecision, Resolved};
use requestrocket_policy::fixtures::{Admitting, PolicyFixture};
use requestrocket_policy::http::{HeaderLine, RequestHead};

const BASE: &[u8] = b"/base";

fn compile(fixture: &PolicyFixture) -> Resolved {
    Resolved::Proxy(Arc::new(fixture.compile().expect("a valid fixture")))
}

/// Known secrets, so that the fuzzer can present them.
static OPEN: LazyLock<Resolved> = LazyLock::new(|| {
    let fixture = PolicyFixture::new().api_key("k").bearer("Bearer ", "t").basic_auth("u:p");
    compile(&fixture.jwt("a.b.c").base_path("/base"))
});

/// A secret that no input holds.
static CLOSED: LazyLock<Resolved> = LazyLock::new(|| {
    compile(&PolicyFixture::new().api_key("3f0a4f4ec9b04b2fa0f9b1f6a7b8c9d0").base_path("/base"))
});

fn decide(resolved: &Resolved, lines: &[HeaderLine<'_>]) -> Option<Vec<Vec<u8>>> {
    let mut exchange = Exchange::new(resolved.clone());
    let paths = match exchange.on_request(&RequestHead::new(lines), RequestBody::Whole(&[]), &Admitting(0)) {
        RequestDecision::Refuse(refusal) => {
            refusal.response("id");
            None
        }
        RequestDecision::NeedBody | RequestDecision::Ask(_) => None,
        RequestDecision::Forward(edits) => {
            let path = |edit| match edit {
                Edit::SetPath(path) => Some(path),
                Edit::SetHeader(..) | Edit::RemoveHeader(_) | Edit::Warn(_) => None,
            };
            Some(edits.into_iter().filter_map(path).collect())
        }
    };
    exchange.finish(&Admitting(0));
    paths
}

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.split(|byte| *byte == 0xff);
    let method = parts.next().unwrap_or_default();
    let path = parts.next().unwrap_or_default();
    let mut lines: Vec<HeaderLine<'_>> = vec![(b":method", method), (b":path", path)];
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        lines.push((name, value));
    }
    assert!(decide(&CLOSED, &lines).is_none(), "let in without the secret");
    for path in decide(&OPEN, &lines).into_iter().flatten() {
        assert!(path.starts_with(BASE), "left the base path");
        let before_query = path.split(|byte| *byte == b'?').next().unwrap_or_default();
        let climbs = before_query.split(|byte| *byte == b'/').any(|segment| segment == b"..");
        assert!(!climbs, "sent a dot segment");
    }
});
