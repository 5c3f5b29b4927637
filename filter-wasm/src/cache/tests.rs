use requestrocket_policy::fixtures::PolicyFixture;

use super::*;

fn ready() -> Cached {
    Cached::Ready(PolicyFixture::new().compile().unwrap().into())
}

fn is_ready(cached: Option<&Cached>) -> bool {
    matches!(cached, Some(Cached::Ready(_)))
}

#[test]
fn a_version_is_found_again() {
    let mut cache = Cache::new(4);
    assert!(cache.get(b"p/1").is_none());
    cache.insert(b"p/1", ready());
    assert!(is_ready(cache.get(b"p/1").as_ref()));
    assert!(cache.get(b"p/2").is_none());
    assert!(cache.get(b"q/1").is_none());
}

#[test]
fn an_invalid_policy_is_remembered() {
    let mut cache = Cache::new(4);
    cache.insert(b"p/1", Cached::Invalid);
    assert!(matches!(cache.get(b"p/1"), Some(Cached::Invalid)));
}

#[test]
fn a_newer_version_takes_the_place_of_the_older() {
    let mut cache = Cache::new(4);
    cache.insert(b"p/1", Cached::Invalid);
    cache.insert(b"p/2", ready());
    assert_eq!(cache.len(), 1);
    assert!(cache.get(b"p/1").is_none());
    assert!(is_ready(cache.get(b"p/2").as_ref()));
}

#[test]
fn names_that_share_a_beginning_are_different_proxies() {
    let mut cache = Cache::new(4);
    cache.insert(b"p/1", ready());
    assert!(cache.get(b"p").is_none());
    assert!(cache.get(b"p1").is_none());
    assert!(cache.get(b"/1").is_none());
    cache.insert(b"p", Cached::Invalid);
    assert!(
        cache.get(b"p/1").is_none(),
        "a name without a version is a version of its own"
    );
}

#[test]
fn it_never_holds_more_than_its_capacity() {
    for capacity in [1, 7, 8, 64] {
        let mut cache = Cache::new(capacity);
        for n in 0..500 {
            let name = format!("proxy{n}/v");
            assert!(cache.get(name.as_bytes()).is_none());
            cache.insert(name.as_bytes(), Cached::Invalid);
            assert!(cache.len() <= capacity);
            assert!(cache.get(name.as_bytes()).is_some());
        }
    }
}

#[test]
fn the_policies_that_are_used_stay() {
    let mut cache = Cache::new(64);
    cache.insert(b"busy/v", ready());
    for n in 0..500 {
        let name = format!("proxy{n}/v");
        assert!(cache.get(name.as_bytes()).is_none());
        cache.insert(name.as_bytes(), Cached::Invalid);
        assert!(is_ready(cache.get(b"busy/v").as_ref()), "after {n} others");
    }
    assert!(!cache.is_empty());
}
