//! Any events in any order: no panic, and exactly one record.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use requestrocket_policy::{
    exchange::{Exchange, RequestBody, RequestDecision, Resolved},
    fixtures::{Admitting, PolicyFixture},
    http::{HeaderLine, RequestHead, ResponseHead},
};

static PROXY: LazyLock<Resolved> = LazyLock::new(|| {
    let fixture = PolicyFixture::new()
        .api_key("key")
        .bearer("Bearer ", "token")
        .basic_auth("user:pass")
        .jwt("a.b.c")
        .until(1_000)
        .base_path("/v1")
        .header("x-key", "secret")
        .query("k", "v");
    Resolved::Proxy(Arc::new(fixture.compile().expect("a valid fixture")))
});

struct Lines<'a>(Vec<HeaderLine<'a>>);

impl ResponseHead for Lines<'_> {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        let line = self.0.iter().find(|(other, _)| *other == name.as_bytes());
        line.map(|(_, value)| value.to_vec())
    }

    fn lines(&self, look: &mut dyn FnMut(&[HeaderLine<'_>])) {
        look(&self.0);
    }
}

/// Lines of `name: value`.
fn lines(block: &[u8]) -> Vec<HeaderLine<'_>> {
    block
        .split(|&byte| byte == b'\n')
        .map(|line| {
            let at = line.iter().skip(1).position(|&byte| byte == b':').map_or(line.len(), |at| at + 1);
            let (name, value) = line.split_at(at);
            (name, value.strip_prefix(b": ").unwrap_or(value))
        })
        .collect()
}

// The first byte says which proxy; blocks are separated by empty lines; a block that starts with
// `:status` is a response's head.
fuzz_target!(|data: &[u8]| {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let resolved = match first % 4 {
        0 => Resolved::UnknownProxy,
        1 => Resolved::Fault,
        _ => PROXY.clone(),
    };
    let mut exchange = Exchange::new(resolved);
    let mut forwards = 0;
    let mut rest = rest;
    while !rest.is_empty() {
        let end = rest.windows(2).position(|pair| pair == b"\n\n").unwrap_or(rest.len());
        let (block, after) = rest.split_at(end);
        rest = after.get(2..).unwrap_or_default();
        let lines = lines(block);
        if block.starts_with(b":status") {
            exchange.on_response_head(&Lines(lines), false, &Admitting(500));
        } else {
            let decision = exchange.on_request(&RequestHead::new(&lines), RequestBody::Whole(&[]), &Admitting(500));
            forwards += usize::from(matches!(decision, RequestDecision::Forward(_)));
        }
    }
    let record = exchange.finish(&Admitting(0));
    assert!(forwards <= 1);
    assert!(forwards == 0 || record.credential.is_some());
});
