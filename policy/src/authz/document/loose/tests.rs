//! What is suspected of bodies, by path.

use super::*;
use crate::effort::go_through;

fn is_suspected(body: &[u8], path: &str) -> bool {
    let path = JsonPath::parse(path).unwrap();
    let effort = &mut Effort::unbounded();
    let suspected = go_through(suspected(std::slice::from_ref(&path), body, effort));
    let [is_suspected] = *suspected else {
        panic!("one path")
    };
    assert!(!is_suspected || could_be_json(body), "{body:?}");
    is_suspected
}

#[track_caller]
fn check(body: &[u8], path: &str, want: bool) {
    let shown = String::from_utf8_lossy(body);
    assert_eq!(is_suspected(body, path), want, "{shown:?} {path}");
}

#[test]
fn a_name_is_found_however_it_is_written() {
    for body in [
        &br#"{"model":1"#[..],
        b"{'model':1}",
        b"{`model`:1}",
        b"{model:1}",
        b"{model = 1}",
        b"{ \"model\" /* x */ // y\n # z\n : 1",
        br#"{"m\u006fdel":1}"#,
        br#"{"m\u{6f}del":1}"#,
        br#"{"m\x6fdel":1}"#,
        br#"{"m\157del":1}"#,
        br#"{"m\U0000006fdel":1}"#,
        br#"{"\model":1}"#,
        b"{\"mo\\\ndel\":1}",
        b"{\"mo\\\r\ndel\":1}",
        b"{\"mo\\\xe2\x80\xa8del\":1}",
        b"{\"mo\\\xe2\x80\xa9del\":1}",
        b"{\"model\"\xe2\x80\xa8:1}",
        b"// x\xe2\x80\xa8y\n{\"model\":1}",
        b"// x\xe2\x80\xa8{\"model\":1}",
        b"{\"model\"// x\xe2\x80\xa8y\n:1}",
        b"{\"model\"// x\ry\n:1}",
        b"{\"model\"\xc2\xa0:1}",
        b"{model\xe3\x80\x80:1}",
        b"{// x\\\nm\\u006fdel:1}",
        b"{\"mo\xffdel\":1}",
        b"{\"mo\xc3del\":1}",
        b"{\"mo\0del\":1}",
        b"[1 2 {model:3}]",
        b"1 \"x\" true {\"model\":1}",
        b"\x1e{\"a\":1}\x1e{\"model\":1}",
        b"/*\xff*/{/*\xff*/model:1}",
        b"# x\n{#\xff\nmodel:1}",
        b"{\"a\":\"\xff\",\"model\":1",
        b"\xff{\xff\"mo\xffdel\xff\"\xff:1",
        b"{\xffmodel:1}",
        b"{a\xff: x@y\x01\nmodel: z}",
        b"{\x01model\x02:1}",
        b"\xef\xbb\xbf{\"model\":1,}",
        b"\xc2\xa0{\"model\":1,}",
        b"{\0\"\0m\0o\0d\0e\0l\0\"\0:\0",
        b"\0{\0\"\0m\0o\0d\0e\0l\0\"\0:",
        b"\xff\xfe{\0m\0o\0d\0e\0l\0:\0",
        b"{\0\0\0m\0\0\0o\0\0\0d\0\0\0e\0\0\0l\0\0\0:\0\0\0",
        b"\0\0\0{\0\0\0m\0\0\0o\0\0\0d\0\0\0e\0\0\0l\0\0\0:",
    ] {
        check(body, "$.model", true);
        check(body, "$..['x','model']", true);
        check(body, "$.other", false);
        check(body, "$.model.other", false);
        check(body, "$", true);
    }
}

#[test]
fn a_name_that_is_no_members_is_not_found() {
    for body in [
        &b"{}"[..],
        b"{\"a\":\"model\"}",
        b"{\"submodel\":1}",
        b"{\"models\":1}",
        b"{\"Model\":1}",
        b"model: 1",
        b"model=1",
        b"\"model\":1",
        b"12,{\"model\":1}",
        b"2026-11-26 {\"model\":1}",
        b"hello {\"model\":1}",
        b"<a>{\"model\":1}</a>",
        b"// {\"model\":1}",
        b"/* {\"model\":1}",
    ] {
        check(body, "$.model", false);
    }
}

#[test]
fn names_that_a_reader_may_lose_are_found_everywhere() {
    for path in ["$['']", "$['a\\u0000']", "$['\\n']"] {
        check(b"{\"b\":1,}", path, true);
        check(b"{}", path, false);
    }
}

#[test]
fn other_selectors_find_what_there_is() {
    for (body, path, want) in [
        (&b"[1,]"[..], "$[0]", true),
        (b"[1,]", "$[*]", true),
        (b"[1,]", "$..*", true),
        (b"[]x", "$[0]", true),
        (b"[],", "$[0]", false),
        (b"{},", "$.*", false),
        (b"{a}", "$[0]", false),
        (b"{a}", "$[?@.x]", true),
        (b"{\xff@\x01a:1}", "$.a", false),
        (b"{\xffa:1}", "$.a", true),
        (b"[x\xff]", "$[0]", true),
        (b"[x\x01]", "$[0]", true),
        (b"[x\xff\x01]", "$[0]", false),
        (b"[x,\xff\x01]", "$[0]", true),
        (b"12 13", "$", true),
        (b"12 13", "$[0]", false),
        (b"12 apples", "$", false),
        (b"'a' b", "$", true),
    ] {
        check(body, path, want);
    }
}

#[test]
fn what_costs_too_much_to_look_for_may_be_there() {
    for (filling, want) in [("a/*", true), ("a ", false)] {
        let body = format!("{{{}", filling.repeat(1 << 18));
        assert_eq!(is_suspected(body.as_bytes(), "$.a"), want, "{filling}");
    }
}
