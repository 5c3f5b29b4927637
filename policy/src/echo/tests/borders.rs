//! Values across the borders of a body's parts.

use proptest::prelude::*;

use super::{SECRET, guard, stars, written::each_way};
use crate::{
    echo::{Guard, InPlace, Looked, Watch},
    effort::{TURN_STEPS, Turn},
};

/// What passes of a body in these parts, as a host keeps and passes it; and what was passed before
/// the last part.
fn watched(guard: &Guard, parts: &[&[u8]]) -> (Vec<u8>, usize) {
    let mut watch = Watch::default();
    let (mut passed, mut before_last) = (Vec::new(), 0);
    let mut at_hand = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        before_last = passed.len();
        at_hand.extend_from_slice(part);
        let is_end = place + 1 == parts.len();
        let turn = &mut Turn::of(TURN_STEPS);
        match watch.look(guard, (&mut at_hand, is_end), turn) {
            Looked::Clean | Looked::Masked => passed.append(&mut at_hand),
            Looked::Open => assert!(!is_end),
            Looked::TooMuch => panic!("too much"),
        }
        assert_eq!(watch.held_bytes(), at_hand.len());
    }
    (passed, before_last)
}

fn made_in_place(guard: &Guard, parts: &[&[u8]]) -> Vec<u8> {
    let mut in_place = InPlace::default();
    let (mut passed, mut made) = (Vec::new(), Vec::new());
    for (place, part) in parts.iter().enumerate() {
        made.extend_from_slice(part);
        let is_end = place + 1 == parts.len();
        in_place.look(guard, (&mut made, is_end));
        // Not each time.
        if place % 2 == 0 || is_end {
            let kept = in_place.keep(&mut made);
            passed.append(&mut made);
            made = kept;
        }
    }
    assert!(made.is_empty());
    passed
}

fn check(guard: &Guard, parts: &[&[u8]], want: &[u8]) {
    let said = format!("{parts:?}");
    assert!(watched(guard, parts).0 == want, "watched {said}");
    assert!(made_in_place(guard, parts) == want, "in place {said}");
}

#[test]
fn a_border_anywhere_hides_nothing() {
    let guard = guard(&[SECRET]);
    for written in each_way(SECRET) {
        let text = ["{\"k\":\"", &written, "\"}"].concat();
        let want = ["{\"k\":\"", &stars(written.len()), "\"}"].concat();
        let (text, want) = (text.as_bytes(), want.as_bytes());
        for border in 0..=text.len() {
            let (first, second) = text.split_at(border);
            check(&guard, &[first, second], want);
            check(&guard, &[first, second, b""], want);
        }
        let bytes: Vec<_> = text.chunks(1).collect();
        check(&guard, &bytes, want);
    }
}

#[test]
fn what_cannot_be_the_beginning_of_a_value_is_not_held_back() {
    let guard = guard(&[SECRET]);
    for (first, passed) in [
        ("data: {\"n\":1}\n\n", 15),
        ("sk-live is a prefix.", 20),
        ("sk-live", 0),
        ("a % of s", 0),
        ("a % of z.", 9),
    ] {
        let (_, before_last) = watched(&guard, &[first.as_bytes(), b"?"]);
        assert_eq!(before_last, passed, "{first}");
    }
}

#[test]
fn of_a_long_body_the_beginning_is_searched() {
    let guard = guard(&["12345678"]);
    let long = vec![b'x'; 1 << 20];
    let mut watch = Watch::default();
    let turn = &mut Turn::of(TURN_STEPS);
    let mut part = long.clone();
    part.extend(b"12345678");
    assert_eq!(watch.look(&guard, (&mut part, false), turn), Looked::Masked);
    assert!(part.ends_with(b"x********"));
    assert!(watch.is_over());
    assert_eq!(turn.left(), 0, "it is paid for");
}

#[test]
fn a_value_that_comes_byte_by_byte_again_and_again_is_too_much() {
    let value: String = ('a'..='w').cycle().take(4_000).collect();
    let guard = guard(&[&["Z", &value].concat()]);
    let mut watch = Watch::default();
    let turn = &mut Turn::of(TURN_STEPS);
    let text = ["Z", value.get(..3_900).unwrap()].concat().into_bytes();
    let looks = (1..text.len()).map(|end| {
        let mut at_hand = text[..end].to_vec();
        watch.look(&guard, (&mut at_hand, false), turn)
    });
    let looks: Vec<_> = looks.take_while(|looked| *looked == Looked::Open).collect();
    assert!((1_000..3_800).contains(&looks.len()), "{}", looks.len());
}

proptest! {
    #[test]
    fn in_parts_as_in_one(
        text in "(abab|ab|%61|\\\\u0062|6162|YWJh|[abc%]|\\\\){0,40}",
        borders in prop::collection::vec(0_usize..200, 0..6),
    ) {
        let guard = guard(&["abababab", "babaabab%61"]);
        let text = text.as_bytes();
        let want = guard.masked(text).unwrap_or_else(|| text.to_vec());
        let mut borders: Vec<_> = borders.into_iter().map(|at| at.min(text.len())).collect();
        borders.extend([0, text.len()]);
        borders.sort_unstable();
        let parts: Vec<_> = borders.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        check(&guard, &parts, &want);
    }
}

#[test]
fn no_more_is_held_than_fits_into_a_buffer() {
    let guard = guard(&["12345678"]);
    for (before, want) in [(32_760, Looked::Open), (32_761, Looked::Clean)] {
        let mut part = [vec![b'x'; before], b"12345678".to_vec()].concat();
        part.truncate(part.len() - 1);
        part.push(b'1');
        let mut watch = Watch::default();
        let turn = &mut Turn::of(TURN_STEPS);
        assert_eq!(watch.look(&guard, (&mut part, false), turn), want);
    }
}
