//! Hostile bodies while there is less and less memory: whoever needs more of it ends alone, closed.
//!
//! Alone in its process, whose allocator has a limit. An allocation that fails without having been
//! asked for ends the process, as it would end a worker's module.

#![expect(unsafe_code, reason = "an allocator is one")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    io::Write as _,
    ptr::null_mut,
    rc::Rc,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use requestrocket_policy::{
    authz::LayerName,
    denial::Denial,
    effort::{TURN_STEPS, Turn},
    exchange::{
        BodyUse, ChunkDecision, Exchange, RequestBody, RequestDecision, Resolved, ResponseDecision,
    },
    fixtures::{Admitting, PROXY_ID, PolicyFixture, rules},
    http::{HeaderLine, RequestHead, ResponseHead},
};
use requestrocket_proto::policy::v1 as wire;

/// Allocations of up to so much are always granted: those that are not asked for are no larger.
const SMALL_BYTES: usize = 256 << 10;
/// So many limits are tried of all at which something else fails.
const LIMITS: usize = 6;

/// Counts what large allocations take together, and refuses those beyond a limit.
struct Limited;

static TAKEN: AtomicUsize = AtomicUsize::new(0);
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);
/// What was taken with each large allocation, as far as there is room to note it.
static WANTED: [AtomicUsize; 1 << 16] = [const { AtomicUsize::new(0) }; 1 << 16];
static NOTED: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Limited = Limited;

// SAFETY: all memory is the system allocator's, with the layouts that it is asked for; a null
// pointer says that there is none.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > SMALL_BYTES {
            let taken = TAKEN.fetch_add(layout.size(), Relaxed) + layout.size();
            if let Some(place) = WANTED.get(NOTED.fetch_add(1, Relaxed)) {
                place.store(taken, Relaxed);
            }
            if taken > LIMIT.load(Relaxed) {
                TAKEN.fetch_sub(layout.size(), Relaxed);
                return null_mut();
            }
        }
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if layout.size() > SMALL_BYTES {
            TAKEN.fetch_sub(layout.size(), Relaxed);
        }
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// What is done to bodies.
#[derive(Clone, Copy, Debug)]
enum Looking {
    /// By a filter on each of so many layers.
    Filters(usize, &'static [&'static str]),
    Meter(&'static str),
    /// By a rule, into a request.
    Rule(&'static str),
}

const LAYERS: [LayerName; 4] = [
    LayerName::Proxy,
    LayerName::ProxyCredential,
    LayerName::Target,
    LayerName::TargetCredential,
];

impl Looking {
    fn resolved(self) -> Resolved {
        let mut fixture = PolicyFixture::new().api_key("key");
        match self {
            Self::Filters(layers, paths) => {
                for layer in LAYERS.into_iter().take(layers) {
                    fixture = fixture.redactions(layer, &["destroy $"]);
                    for redaction in &mut fixture.layer(layer).redactions {
                        redaction.paths = paths.iter().copied().map(str::to_owned).collect();
                    }
                }
            }
            Self::Meter(path) => fixture.wire.meters.push(wire::Meter {
                meter_id: rules::rule_id(1).to_string(),
                conditions: Some(rules::conditions("")),
                extraction: Some(wire::meter::Extraction::BodyPath(path.to_owned())),
                ..wire::Meter::default()
            }),
            Self::Rule(text) => fixture = fixture.rules(LayerName::Proxy, "allow", &[text]),
        }
        fixture.admission.max_response_bytes = 1 << 40;
        fixture.wire.max_inspected_bytes = 16 << 20;
        Resolved::Proxy(fixture.compile().unwrap().into())
    }
}

/// A body and what its head says of it.
struct Body {
    name: &'static str,
    kind: &'static str,
    coding: &'static str,
    bytes: Rc<Vec<u8>>,
}

impl ResponseHead for Body {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        let value = match name {
            ":status" => "200",
            "content-type" => self.kind,
            "content-encoding" => self.coding,
            _ => return None,
        };
        Some(value.into())
    }

    fn lines(&self, look: &mut dyn FnMut(&[HeaderLine<'_>])) {
        let kind = (b"content-type".as_slice(), self.kind.as_bytes());
        let coding = (b"content-encoding".as_slice(), self.coding.as_bytes());
        look(&[(b":status", b"200"), kind, coding]);
    }
}

/// How an exchange ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Passed(Vec<u8>),
    Cut,
    Refused(Denial),
}

fn end(resolved: &Resolved, looking: Looking, body: &Body) -> End {
    match looking {
        Looking::Rule(_) => of_request(resolved, body),
        Looking::Filters(..) | Looking::Meter(_) => of_response(resolved, body),
    }
}

fn of_request(resolved: &Resolved, body: &Body) -> End {
    let path = format!("/api/{PROXY_ID}/x");
    let lines = head(
        &path,
        &[
            ("content-type", body.kind),
            ("content-encoding", body.coding),
        ],
    );
    let head = RequestHead::new(&lines);
    let (mut exchange, ports) = (Exchange::new(resolved.clone()), Admitting(0));
    let decision = exchange.on_request(&head, RequestBody::Unread, &ports);
    assert_eq!(decision, RequestDecision::NeedBody);
    let turn = || Turn::of(TURN_STEPS);
    let bytes = &body.bytes;
    let mut is_done = exchange.look_into(&head, Rc::clone(bytes), (&mut turn(), &ports));
    while !is_done {
        is_done = exchange.look_on(&mut turn());
    }
    match exchange.on_request(&head, RequestBody::Whole(bytes), &ports) {
        RequestDecision::Forward(_) | RequestDecision::HandOver(_) => End::Passed(Vec::new()),
        RequestDecision::Refuse(refusal) => End::Refused(refusal.denial),
        RequestDecision::NeedPolicy | RequestDecision::NeedBody | RequestDecision::Ask(_) => {
            panic!("it waits")
        }
    }
}

fn of_response(resolved: &Resolved, body: &Body) -> End {
    let path = format!("/api/{PROXY_ID}/x");
    let lines = head(&path, &[]);
    let (mut exchange, ports) = (Exchange::new(resolved.clone()), Admitting(0));
    let request = RequestHead::new(&lines);
    let decision = exchange.on_request(&request, RequestBody::Whole(b""), &ports);
    assert!(matches!(decision, RequestDecision::Forward(_)));
    let decision = exchange.on_response_head(body, false, &ports);
    let ResponseDecision::Forward(_, BodyUse::Bytes | BodyUse::Rewrite) = decision else {
        panic!("{decision:?}");
    };
    let mut sent = Vec::new();
    let chunks = body.bytes.chunks(64 << 10).map(|chunk| (chunk, false));
    for (chunk, is_end) in chunks.chain([(&[][..], true)]) {
        let turn = || Turn::of(TURN_STEPS);
        let mut decision = exchange.on_response_chunk((chunk, is_end), &mut turn(), &ports);
        while decision == ChunkDecision::Later {
            decision = exchange.on_turn(&mut turn(), &ports);
        }
        match decision {
            ChunkDecision::Pass => unlimited(|| sent.extend_from_slice(chunk)),
            ChunkDecision::Replace(bytes, _) => unlimited(|| sent.extend(bytes)),
            ChunkDecision::Wait | ChunkDecision::Later => {}
            ChunkDecision::Refuse(refusal) => return End::Refused(refusal.denial),
            ChunkDecision::Cut => return End::Cut,
        }
    }
    End::Passed(sent)
}

/// What the test itself needs.
fn unlimited<T>(work: impl FnOnce() -> T) -> T {
    let limit = LIMIT.swap(usize::MAX, Relaxed);
    let done = work();
    LIMIT.store(limit, Relaxed);
    done
}

fn head<'h>(path: &'h str, more: &[(&'static str, &'static str)]) -> Vec<HeaderLine<'h>> {
    let lines = [
        (":method", "POST"),
        (":path", path),
        ("authorization", "key"),
    ];
    let lines = lines.into_iter().chain(more.iter().copied());
    lines
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect()
}

/// A frame whose window is 8 MiB, with a text of so many bytes that is nearly all one character.
fn zstd(length: usize) -> Vec<u8> {
    const BLOCK: usize = 128 << 10;
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3];
    let mut block = |kind: usize, is_last: bool, size: usize, content: &[u8]| {
        let header = size << 3 | kind << 1 | usize::from(is_last);
        frame.extend(header.to_le_bytes().into_iter().take(3));
        frame.extend_from_slice(content);
    };
    let start = br#"{"a":[""#;
    block(0, false, start.len(), start);
    for _ in 0..length / BLOCK {
        block(1, false, BLOCK, b"x");
    }
    block(0, true, 3, br#""]}"#);
    frame
}

/// Windows of 16 MiB, which are taken as they fill.
fn brotli(length: usize) -> Vec<u8> {
    let digits = (0..length / 8).map(|number| format!("{:08}", number * 0x9e37 % 100_000));
    let text = format!(r#"{{"a":["{}"]}}"#, digits.collect::<String>());
    let mut coded = Vec::new();
    let mut encoder = brotli::CompressorWriter::new(&mut coded, text.len(), 1, 24);
    encoder.write_all(text.as_bytes()).unwrap();
    drop(encoder);
    coded
}

fn bodies() -> Vec<Body> {
    let plain = |name, kind, text: String| Body {
        name,
        kind,
        coding: "identity",
        bytes: text.into_bytes().into(),
    };
    let coded = |name, coding, bytes| Body {
        name,
        kind: "application/json",
        coding,
        bytes: Rc::new(bytes),
    };
    let json = |name, text| plain(name, "application/json", text);
    let many = |text: &str, count| format!(r#"{{"a":[{}0]}}"#, format!("{text},").repeat(count));
    let names: Vec<String> = (0..8_000).map(|n| format!(r#""\u0061{n}":[1]"#)).collect();
    let long = "\\u0061y".repeat(50 << 10);
    vec![
        coded("zstd", "zstd", zstd(900 << 10)),
        coded("brotli", "br", brotli(900 << 10)),
        coded("both", "br, zstd", zstd(1 << 20)),
        json("many containers", many(r#"[1],{"x":[2]}"#, 8_000)),
        json("many names", format!(r#"{{"a":{{{}}}}}"#, names.join(","))),
        json(
            "twins",
            many(r#"{"x":1,"y":2}"#, 4_000).replace(r#"{"a""#, r#"{"a":1,"a":2,"a""#),
        ),
        json("long texts", many(&format!(r#"{{"x":"{long}"}}"#), 2)),
        plain(
            "a long event",
            "text/event-stream",
            format!("data: [\"{long}\"]\n\n"),
        ),
        plain(
            "an event of many lines",
            "text/event-stream",
            format!("data: [\n{}data: 1]\n\n", "data: 1,\n".repeat(40_000)),
        ),
        plain(
            "a comment",
            "text/event-stream",
            format!(":{long}\nid: {long}\n\n"),
        ),
        plain(
            "long lines",
            "application/x-ndjson",
            format!("[\"{long}\",[1]]\n").repeat(2),
        ),
        plain(
            "a blank line",
            "application/x-ndjson",
            format!("{}\n[1]\n", " ".repeat(1 << 20)),
        ),
    ]
}

const LOOKING: [Looking; 11] = [
    Looking::Filters(1, &["$.a.x"]),
    Looking::Filters(4, &["$..x"]),
    Looking::Filters(1, &["$.a[-1]"]),
    Looking::Filters(2, &["$..[?@>0]", "$.a[-1]"]),
    Looking::Filters(1, &["$.a[?length(@.x)>1]", "$..[?@.x==@.y]"]),
    Looking::Filters(1, &["$.a[?match(@.x,'a.*z')]"]),
    Looking::Meter("$.a[0]"),
    Looking::Meter("$..[-1]"),
    Looking::Rule("deny 1 b:$.a[0].x=^z"),
    Looking::Rule("deny 1 b:$..[-1]=y$"),
    Looking::Rule("deny 1 b:$.a[?@.x<@.y]=1"),
];

/// The limits at which something fails that does not fail with a little more.
fn limits() -> Vec<usize> {
    let noted = NOTED.load(Relaxed).min(WANTED.len());
    let wanted = WANTED.iter().take(noted);
    let mut limits: Vec<usize> = wanted.map(|taken| taken.load(Relaxed) - 1).collect();
    limits.sort_unstable();
    limits.dedup();
    let step = limits.len().div_ceil(LIMITS).max(1);
    limits.into_iter().rev().step_by(step).collect()
}

#[test]
fn whoever_gets_no_memory_ends_alone_and_closed() {
    let mut refused = 0;
    for body in &bodies() {
        for looking in LOOKING {
            let resolved = looking.resolved();
            // What was learnt of the paths is there then.
            let whole = end(&resolved, looking, body);
            NOTED.store(0, Relaxed);
            assert_eq!(end(&resolved, looking, body), whole);
            let before = TAKEN.load(Relaxed);
            for limit in limits() {
                // Not captured, so that the last line says what ended the process.
                let case = format!("{}, {looking:?}, {limit} bytes\n", body.name);
                std::io::stderr().write_all(case.as_bytes()).unwrap();
                LIMIT.store(limit, Relaxed);
                let limited = end(&resolved, looking, body);
                LIMIT.store(usize::MAX, Relaxed);
                let is_same = limited == whole;
                let is_right = match limited {
                    End::Passed(sent) => {
                        drop(sent);
                        is_same
                    }
                    End::Refused(denial) if !is_same => denial == Denial::Overloaded,
                    End::Cut | End::Refused(_) => !matches!(looking, Looking::Meter(_)),
                };
                assert!(is_right, "{case}: {whole:?}");
                refused += usize::from(!is_same);
                assert_eq!(TAKEN.load(Relaxed), before, "{case} keeps something");
            }
        }
    }
    assert!(refused > 100, "{refused} of them got no memory");
}
