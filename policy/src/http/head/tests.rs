//! One pass over the lines finds what the engine asks for, and nothing is shown.

use super::*;

fn head<'a>(lines: &'a [HeaderLine<'a>]) -> RequestHead<'a> {
    RequestHead::new(lines)
}

#[test]
fn pseudo_headers_and_carriers_are_found_in_any_order_and_case() {
    let lines: [HeaderLine<'_>; 6] = [
        (b"Authorization", b"key"),
        (b"x", b"1"),
        (b":path", b"/a"),
        (b"Proxy-Authorization", b"p"),
        (b":method", b"GET"),
        (b":authority", b"h"),
    ];
    let head = head(&lines);
    assert!(head.method == Lines::One(b"GET"));
    assert!(head.path == Lines::One(b"/a"));
    assert!(head.authority == Lines::One(b"h"));
    assert!(head.authorization == Lines::One(b"key"));
    assert!(head.has_authorization() && head.has_proxy_authorization);
}

#[test]
fn an_empty_head_has_nothing() {
    let head = head(&[]);
    for lines in [head.method, head.path, head.authority, head.authorization] {
        assert!(lines == Lines::None);
    }
    assert!(!head.has_authorization() && !head.has_proxy_authorization);
}

#[test]
fn repeated_lines_are_several_also_when_equal() {
    let lines: [HeaderLine<'_>; 5] = [
        (b"authorization", b"a"),
        (b"AUTHORIZATION", b"a"),
        (b"authorization", b""),
        (b":path", b"/"),
        (b":path", b"/"),
    ];
    let head = head(&lines);
    assert!(head.authorization == Lines::Several && head.path == Lines::Several);
}

#[test]
fn host_and_authority_are_one_thing() {
    for (lines, want) in [
        (vec![(&b"host"[..], &b"h"[..])], Lines::One(b"h")),
        (vec![(b":authority", b"h")], Lines::One(b"h")),
        (vec![(b":authority", b"h"), (b"Host", b"h")], Lines::Several),
        (vec![(b"host", b"h"), (b"host", b"i")], Lines::Several),
        (vec![(b"x-host", b"h"), (b"hosts", b"i")], Lines::None),
    ] {
        assert!(head(&lines).authority == want, "{}", lines.len());
    }
}

#[test]
fn lines_of_a_name_are_counted_without_case_and_with_twins() {
    let lines: [HeaderLine<'_>; 5] = [
        (b"x-key", b""),
        (b"X-KEY", b"1"),
        (b"X_Key", b"1"),
        (b"x-keys", b""),
        (b"key", b""),
    ];
    let head = head(&lines);
    for (name, want) in [
        ("x-key", 3),
        ("x-keys", 1),
        ("key", 1),
        ("other", 0),
        ("", 0),
    ] {
        assert_eq!(head.count(name), want, "{name}");
    }
    assert_eq!(head.spellings("x-key"), ["x-key", "x_key"]);
    assert_eq!(head.spellings("other"), [""; 0]);
}

#[test]
fn names_and_values_may_be_any_bytes() {
    let lines: [HeaderLine<'_>; 3] = [
        (b"\xff\xfe", b"\x00"),
        (b"", b""),
        (b"authorization", b"\xff"),
    ];
    assert!(head(&lines).authorization == Lines::One(b"\xff"));
}

#[test]
fn debug_shows_no_value() {
    let lines: [HeaderLine<'_>; 1] = [(b"authorization", b"canary")];
    let head = head(&lines);
    let shown = format!("{head:?} {:?} {:?}", head.authorization, Lines::Several);
    assert_eq!(shown, "RequestHead { lines: 1, .. } One Several");
}
