use requestrocket_policy::{authz::LayerName, fixtures::PolicyFixture};

use super::*;

fn roomy(policies: usize) -> Cache {
    let weight = usize::MAX;
    Cache::new(Room { policies, weight })
}

fn ready() -> Cached {
    Cached::Ready(PolicyFixture::new().compile().unwrap().into())
}

fn is_ready(cached: Option<&Cached>) -> bool {
    matches!(cached, Some(Cached::Ready(_)))
}

#[test]
fn a_version_is_found_again() {
    let mut cache = roomy(4);
    assert!(cache.get(b"p/1").is_none());
    cache.insert(b"p/1", ready());
    assert!(is_ready(cache.get(b"p/1").as_ref()));
    assert!(cache.get(b"p/2").is_none());
    assert!(cache.get(b"q/1").is_none());
}

#[test]
fn an_invalid_policy_is_remembered() {
    let mut cache = roomy(4);
    cache.insert(b"p/1", Cached::Invalid);
    assert!(matches!(cache.get(b"p/1"), Some(Cached::Invalid)));
}

#[test]
fn a_newer_version_takes_the_place_of_the_older() {
    let mut cache = roomy(4);
    cache.insert(b"p/1", Cached::Invalid);
    cache.insert(b"p/2", ready());
    assert_eq!(cache.len(), 1);
    assert!(cache.get(b"p/1").is_none());
    assert!(is_ready(cache.get(b"p/2").as_ref()));
}

#[test]
fn names_that_share_a_beginning_are_different_proxies() {
    let mut cache = roomy(4);
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
        let mut cache = roomy(capacity);
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
    let mut cache = roomy(64);
    cache.insert(b"busy/v", ready());
    for n in 0..500 {
        let name = format!("proxy{n}/v");
        assert!(cache.get(name.as_bytes()).is_none());
        cache.insert(name.as_bytes(), Cached::Invalid);
        assert!(is_ready(cache.get(b"busy/v").as_ref()), "after {n} others");
    }
    assert!(!cache.is_empty());
}

/// Weighs some hundred KB.
fn heavy() -> Cached {
    let texts: Vec<String> = (0..10).map(|n| format!(r"deny 1 p:\w\w{n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let fixture = PolicyFixture::new().rules(LayerName::Proxy, "allow", &texts);
    Cached::Ready(fixture.compile().unwrap().into())
}

#[test]
fn it_never_holds_more_than_its_room_for_weight() {
    let heavy = heavy();
    let one = heavy.weight();
    assert!(one > 50_000, "{one}");
    for fitting in [1, 5, 20] {
        let weight = fitting * one + one / 2;
        let policies = 1_000;
        let mut cache = Cache::new(Room { policies, weight });
        for n in 0..100 {
            let name = format!("proxy{n}/v");
            cache.insert(name.as_bytes(), heavy.clone());
            assert!(is_ready(cache.get(name.as_bytes()).as_ref()));
            assert!(cache.len() <= fitting && cache.weight == cache.len() * one);
        }
    }
}

#[test]
fn newer_versions_weigh_in_the_place_of_older_ones() {
    let heavy = heavy();
    let (policies, weight) = (1_000, 3 * heavy.weight());
    let mut cache = Cache::new(Room { policies, weight });
    cache.insert(b"other/v", heavy.clone());
    for n in 0..100 {
        cache.insert(format!("proxy/{n}").as_bytes(), heavy.clone());
        assert!(is_ready(cache.get(b"other/v").as_ref()), "after {n}");
    }
    cache.insert(b"proxy/last", Cached::Invalid);
    assert_eq!(cache.weight, heavy.weight());
}

#[test]
fn one_that_is_heavier_than_the_room_is_held_alone() {
    let (policies, weight) = (1_000, 1);
    let mut cache = Cache::new(Room { policies, weight });
    cache.insert(b"p/1", heavy());
    cache.insert(b"q/1", heavy());
    assert_eq!(cache.len(), 1);
    assert!(is_ready(cache.get(b"q/1").as_ref()));
}
