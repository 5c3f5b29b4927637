//! What one part of looking into a request may cost, counted, and that it decides as at once.

use std::rc::Rc;

use super::*;
use crate::{authz::LayerName, coding::tests::gzip, effort::counted};

/// What no turn may be beyond, some 15 ms: its steps, and one path that is looked up with the last of
/// them.
const MOST_STEPS: u64 = 4 << 20;
const HEAVY: &str = "([a-z]{1,20}:?){1,8}!$";

/// The same rules on all four layers.
fn looking(rules: &[String]) -> PolicyFixture {
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let layers = [
        LayerName::ProxyCredential,
        LayerName::TargetCredential,
        LayerName::Target,
        LayerName::Proxy,
    ];
    let with_rules = |fixture: PolicyFixture, layer| fixture.rules(layer, "allow", &rules);
    layers.into_iter().fold(fixture(), with_rules)
}

fn array(element: &str, bytes: usize) -> Vec<u8> {
    let times = bytes / (element.len() + 1);
    let others = format!(",{element}").repeat(times);
    format!(r#"{{"a":[{element}{others}]}}"#).into_bytes()
}

/// Names, none of which repeats.
fn names(count: usize) -> Vec<u8> {
    let members: Vec<String> = (0..count)
        .map(|n| format!(r#""{}":1"#, n.reverse_bits()))
        .collect();
    format!("{{{}}}", members.join(",")).into_bytes()
}

/// The verdict, the most steps that a turn cost, and how many there were.
fn in_turns(resolved: &Resolved, coding: &str, body: &[u8]) -> (String, u64, usize) {
    let mut exchange = Exchange::new(resolved.clone());
    let path = api("/x");
    let lines = head_lines(&path, coding);
    let head = RequestHead::new(&lines);
    let ports = Admitting(0);
    let (mut most, mut turns) = (0, 0);
    let mut part = |work: &mut dyn FnMut(&mut Turn) -> bool| {
        let before = counted();
        let is_done = work(&mut Turn::of(1));
        most = most.max(counted() - before);
        turns += 1;
        is_done
    };
    let body = Rc::new(body.to_vec());
    let mut is_done = part(&mut |turn| exchange.look_into(&head, Rc::clone(&body), (turn, &ports)));
    while !is_done {
        is_done = part(&mut |turn| exchange.look_on(turn));
    }
    let before = counted();
    let verdict = exchange.on_request(&head, RequestBody::Whole(&body), &ports);
    let verdict = format!("{verdict:?}");
    assert_eq!(counted(), before, "nothing is looked at again");
    (verdict, most, turns)
}

fn at_once(resolved: &Resolved, coding: &str, body: &[u8]) -> String {
    let path = api("/x");
    let lines = head_lines(&path, coding);
    let mut exchange = Exchange::new(resolved.clone());
    let head = RequestHead::new(&lines);
    let verdict = exchange.on_request(&head, RequestBody::Whole(body), &Admitting(0));
    format!("{verdict:?}")
}

fn head_lines<'a>(path: &'a str, coding: &'a str) -> Vec<HeaderLine<'a>> {
    let headers = [
        ("authorization", "key"),
        ("content-type", "application/json"),
        ("content-encoding", coding),
    ];
    let sent = match coding {
        "" => &headers[..2],
        _ => &headers,
    };
    lines("POST", path, sent)
}

#[test]
fn no_part_of_looking_into_a_request_costs_more_than_its_share() {
    let on = |path: &str| vec![format!("deny 500 b:{path}={HEAVY}")];
    let many: Vec<String> = (0..25)
        .map(|n| format!("b:$.a[?@.x>{n}]={HEAVY}"))
        .collect();
    let many = vec![format!("deny 500 {}", many.join(" "))];
    let text = format!(r#"{{"a":"{}"}}"#, "word:".repeat(1 << 20)).into_bytes();
    let name = format!(r#"{{"{}":1}}"#, r"\u0041".repeat(2 << 20)).into_bytes();
    for (what, rules, body, is_allowed) in [
        ("one text", on("$.a"), text, true),
        ("one name", on("$.a"), name, false),
        ("values", on("$..x"), array("1", 1 << 20), true),
        ("too many found", on("$..*"), array("1", 1 << 18), false),
        (
            "texts",
            on("$.a[*]"),
            array(r#""abcdefgh""#, 512 << 10),
            true,
        ),
        ("objects", many, array(r#"{"x":1}"#, 100 << 10), true),
        ("names", on("$[?@.x>1]"), names(100_000), true),
        (
            "depths",
            on("$..a"),
            array(&format!("{}{}", "[".repeat(90), "]".repeat(90)), 512 << 10),
            true,
        ),
    ] {
        let resolved = resolved(&looking(&rules));
        let short = body.len() < 1 << 20;
        let gzipped = gzip(&body);
        let codings = [("", &body, true), ("gzip", &gzipped, short)];
        for (coding, body, is_decoded) in codings {
            let (verdict, most, turns) = in_turns(&resolved, coding, body);
            println!("{what} {coding}: {turns} turns, {most} steps at most");
            assert_eq!(verdict, at_once(&resolved, coding, body), "{what} {coding}");
            let want = is_allowed && is_decoded;
            assert_eq!(
                verdict.starts_with("Forward"),
                want,
                "{what} {coding}: {verdict}"
            );
            assert!(most <= MOST_STEPS, "{what} {coding}: {most}");
            assert!(turns > 1, "{what} {coding}");
        }
    }
}
