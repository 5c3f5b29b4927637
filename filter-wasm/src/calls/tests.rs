//! Which calls are kept, and which are looked for.

use super::*;

fn kept(streams: &[u32]) -> Calls {
    let mut calls = Calls::default();
    for stream in streams {
        calls.keep(*stream, Box::new(Call::new(*stream)));
    }
    calls
}

#[test]
fn a_call_is_there_until_it_is_taken() {
    let mut calls = kept(&[1, 2]);
    assert!(calls.take(2).is_some());
    assert!(calls.take(2).is_none());
    assert!(calls.take(1).is_some());
    assert!(calls.take(3).is_none());
}

#[test]
fn who_is_not_heard_of_between_two_looks_is_quiet() {
    let mut calls = kept(&[1, 2]);
    assert!(calls.quiet().is_empty(), "both are new");
    let heard = calls.take(1).unwrap();
    calls.keep(1, heard);
    calls.keep(3, Box::new(Call::new(3)));
    assert_eq!(calls.quiet(), [2]);
    assert_eq!(calls.quiet(), [1, 2, 3]);
    assert!(calls.take(2).is_some());
    assert_eq!(calls.quiet(), [1, 3]);
}
