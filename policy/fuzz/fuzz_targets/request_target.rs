//! A granted path never leaves the target's base path, and never carries the caller's credential.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use requestrocket_policy::{
    exchange::{Edit, Exchange, RequestDecision, Resolved},
    fixtures::{PROXY_ID, PolicyFixture},
    http::{HeaderLine, RequestHead},
};

static PROXY: LazyLock<Resolved> = LazyLock::new(|| {
    let fixture = PolicyFixture::new().api_key("key").base_path("/base");
    Resolved::Proxy(Arc::new(fixture.compile().expect("a valid fixture")))
});

fuzz_target!(|below: &[u8]| {
    let path = [b"/api/", PROXY_ID.as_bytes(), b"/", below].concat();
    let lines: [HeaderLine<'_>; 3] =
        [(b":method", b"GET"), (b":path", &path), (b"authorization", b"key")];
    let mut exchange = Exchange::new(PROXY.clone());
    let decision = exchange.on_request_head(&RequestHead::new(&lines), &|| 0);
    let RequestDecision::Forward(edits) = decision else {
        return;
    };
    let sent = edits.iter().find_map(|edit| match edit {
        Edit::SetPath(path) => Some(path),
        Edit::SetHeader(..) | Edit::RemoveHeader(_) => None,
    });
    let sent = sent.expect("the path always changes");
    assert!(sent.starts_with(b"/base/"));
    let (sent, query) = match sent.iter().position(|&byte| byte == b'?') {
        Some(at) => (&sent[..at], &sent[at + 1..]),
        None => (&sent[..], &[][..]),
    };
    let climbs = |path: &[u8]| {
        path.split(|&byte| matches!(byte, b'/' | b'\\')).any(|one| matches!(one, b"." | b".."))
    };
    assert!(!climbs(sent));
    let names = query.split(|&byte| byte == b'&');
    let names = names.filter_map(|one| one.split(|&byte| byte == b'=').next());
    for name in names {
        assert!(!name.eq_ignore_ascii_case(b"authorization"));
    }
});
