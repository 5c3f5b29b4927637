//! The rewriter's memory, and leads that are cut at every byte.

use super::*;
use crate::{
    effort::Effort,
    json::{MAX_BLANK_BYTES, MAX_DEPTH, MAX_NAME_BYTES, path::JsonPath, select::Selection},
    redact::stage::DESTROYED,
};

fn destroying(paths: &[&str]) -> Rewriter<Selection> {
    let mut selection = Selection::default();
    for path in paths {
        selection.add(&JsonPath::parse(path).unwrap(), DESTROYED);
    }
    Rewriter::new(selection, true)
}

fn held_bytes(rewriter: &Rewriter<Selection>) -> usize {
    rewriter.stash.capacity() + rewriter.decoded.capacity() + rewriter.lexer.name().len()
}

/// The largest lead there can be, twice for what a growing vector takes.
const MOST_BYTES: usize = 2 * (3 * MAX_NAME_BYTES + 4 * MAX_BLANK_BYTES);

#[test]
fn memory_does_not_grow_with_the_body() {
    let mut rewriter = destroying(&["$..secret"]);
    let mut out = Vec::new();
    let item = br#"{"id":1,"secret":{"a":["b"]},"\u0073ecret":"x","text":"some text"},"#;
    rewriter
        .push(b"[", &mut out, &mut Effort::unbounded())
        .unwrap();
    let mut most = 0;
    for n in 0..20_000 {
        // Pieces that end everywhere.
        let (head, tail) = item.split_at(n % item.len());
        rewriter
            .push(head, &mut out, &mut Effort::unbounded())
            .unwrap();
        rewriter
            .push(tail, &mut out, &mut Effort::unbounded())
            .unwrap();
        most = most.max(held_bytes(&rewriter));
        out.clear();
    }
    rewriter
        .push(b"0]", &mut out, &mut Effort::unbounded())
        .unwrap();
    rewriter.finish().unwrap();
    assert!(most < 1024, "{most}");
}

#[test]
fn the_largest_leads_are_bounded() {
    let blank = " ".repeat(MAX_BLANK_BYTES);
    let name = "n".repeat(MAX_NAME_BYTES);
    let text = format!("{{\"a\":1{blank},{blank}\"{name}\"{blank}:{blank}2}}");
    let mut rewriter = destroying(&["$..secret"]);
    let mut out = Vec::new();
    for chunk in text.as_bytes().chunks(1000) {
        rewriter
            .push(chunk, &mut out, &mut Effort::unbounded())
            .unwrap();
        assert!(held_bytes(&rewriter) <= MOST_BYTES);
    }
    rewriter.finish().unwrap();
    assert_eq!(out, text.as_bytes());
}

#[test]
fn open_containers_are_bounded() {
    let mut rewriter = destroying(&["$..secret"]);
    let deep = "[".repeat(10 * MAX_DEPTH);
    assert!(
        rewriter
            .push(deep.as_bytes(), &mut Vec::new(), &mut Effort::unbounded())
            .is_err()
    );
    assert!(rewriter.frames.len() <= MAX_DEPTH);
}

#[test]
fn a_lead_may_be_cut_anywhere() {
    let text = "{ \"secret\" : 1 , \"a,\" : [ 1 , 2 ] , \"secret\" : [ ] , \"b\" : { \"secret\" : 3 , \"c\" : 4 } } ";
    let want = "{ \"a,\" : [ 1 , 2 ] , \"b\" : { \"c\" : 4 } } ";
    let bytes = text.as_bytes();
    for first in 0..text.len() {
        for second in first..text.len() {
            let mut rewriter = destroying(&["$..secret"]);
            let mut out = Vec::new();
            for part in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                rewriter
                    .push(part, &mut out, &mut Effort::unbounded())
                    .unwrap();
            }
            rewriter.finish().unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), want, "{first} {second}");
        }
    }
}

/// Whatever is kept is out as soon as it is known, so that a stream flows.
#[test]
fn nothing_is_held_back_but_leads() {
    let mut rewriter = destroying(&["$..secret"]);
    let mut out = Vec::new();
    for (input, want) in [
        ("{\"a\":\"some", "{\"a\":\"some"),
        (" text", "{\"a\":\"some text"),
        ("\",\"b", "{\"a\":\"some text\""),
        ("\":", "{\"a\":\"some text\""),
        ("1", "{\"a\":\"some text\",\"b\":1"),
        ("5,\"secret\":[1,", "{\"a\":\"some text\",\"b\":15"),
        ("2]", "{\"a\":\"some text\",\"b\":15"),
        ("}", "{\"a\":\"some text\",\"b\":15}"),
        (" \r", "{\"a\":\"some text\",\"b\":15} \r"),
        ("\n", "{\"a\":\"some text\",\"b\":15} \r\n"),
    ] {
        rewriter
            .push(input.as_bytes(), &mut out, &mut Effort::unbounded())
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&out), want, "after {input}");
    }
    rewriter.finish().unwrap();
}
