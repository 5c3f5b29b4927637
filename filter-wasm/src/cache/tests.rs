use requestrocket_policy::{authz::LayerName, fixtures::PolicyFixture};

use super::*;

const ENTRY: usize = 1 << 20;

/// With room for so many light policies.
fn roomy(policies: usize) -> Cache<Policy> {
    Cache::new(Room {
        bytes: policies * ENTRY + ENTRY / 2,
        entry_bytes: ENTRY,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "what the cache is told of owners")]
fn owner(n: u128) -> Owner {
    Some(uuid::Uuid::from_u128(n).into())
}

fn ready() -> Cached<Policy> {
    Cached::Ready(PolicyFixture::new().compile().unwrap().into())
}

fn is_ready(cached: Option<&Cached<Policy>>) -> bool {
    matches!(cached, Some(Cached::Ready(_)))
}

#[test]
fn a_version_is_found_again() {
    let mut cache = roomy(4);
    assert!(cache.get(b"p/1").is_none());
    cache.insert((b"p/1", owner(1)), ready());
    assert!(is_ready(cache.get(b"p/1").as_ref()));
    assert!(cache.get(b"p/2").is_none());
    assert!(cache.get(b"q/1").is_none());
}

#[test]
fn an_invalid_policy_is_remembered() {
    let mut cache = roomy(4);
    cache.insert((b"p/1", owner(1)), Cached::Invalid);
    assert!(matches!(cache.get(b"p/1"), Some(Cached::Invalid)));
}

#[test]
fn a_newer_version_takes_the_place_of_the_older() {
    let mut cache = roomy(4);
    cache.insert((b"p/1", owner(1)), Cached::Invalid);
    cache.insert((b"p/2", owner(1)), ready());
    assert_eq!(cache.len(), 1);
    assert!(cache.get(b"p/1").is_none());
    assert!(is_ready(cache.get(b"p/2").as_ref()));
}

#[test]
fn names_that_share_a_beginning_are_different_proxies() {
    let mut cache = roomy(4);
    cache.insert((b"p/1", owner(1)), ready());
    assert!(cache.get(b"p").is_none());
    assert!(cache.get(b"p1").is_none());
    assert!(cache.get(b"/1").is_none());
    cache.insert((b"p", owner(1)), Cached::Invalid);
    assert!(
        cache.get(b"p/1").is_none(),
        "a name without a version is a version of its own"
    );
}

#[test]
fn it_never_holds_more_than_its_capacity() {
    for capacity in [1, 7, 8, 64] {
        let mut cache = roomy(capacity);
        for n in 0..500_u128 {
            let name = format!("proxy{n}/v");
            assert!(cache.get(name.as_bytes()).is_none());
            cache.insert((name.as_bytes(), owner(n % 3)), Cached::Invalid);
            let want = capacity.min(usize::try_from(n).unwrap() + 1);
            assert_eq!(cache.len(), want, "one goes for one that comes");
            assert!(cache.get(name.as_bytes()).is_some());
        }
    }
}

#[test]
fn the_policies_that_are_used_stay() {
    let mut cache = roomy(64);
    cache.insert((b"busy/v", owner(1)), ready());
    for n in 0..500 {
        let name = format!("proxy{n}/v");
        cache.insert((name.as_bytes(), owner(1)), Cached::Invalid);
        assert!(is_ready(cache.get(b"busy/v").as_ref()), "after {n} others");
    }
    assert!(!cache.is_empty());
}

#[test]
fn one_that_is_used_no_more_goes_in_its_turn() {
    let mut cache = roomy(4);
    for name in ["a/v", "b/v", "c/v", "d/v"] {
        cache.insert((name.as_bytes(), owner(1)), Cached::Invalid);
    }
    assert!(cache.get(b"a/v").is_some());
    cache.insert((b"e/v", owner(1)), Cached::Invalid);
    assert!(cache.get(b"b/v").is_none(), "the oldest that was not used");
    for name in ["f/v", "g/v", "h/v"] {
        cache.insert((name.as_bytes(), owner(1)), Cached::Invalid);
    }
    assert!(cache.get(b"a/v").is_none(), "it was used once, long ago");
}

#[test]
fn whoever_cycles_through_many_proxies_drives_out_its_own() {
    let mut cache = roomy(64);
    for n in 0..20 {
        let name = format!("quiet{n}/v");
        cache.insert((name.as_bytes(), owner(n)), ready());
    }
    for n in 0..500 {
        let name = format!("cycling{n}/v");
        cache.insert((name.as_bytes(), owner(99)), Cached::Invalid);
        assert!(cache.get(name.as_bytes()).is_some());
    }
    for n in 0..20 {
        let name = format!("quiet{n}/v");
        assert!(is_ready(cache.get(name.as_bytes()).as_ref()), "{name}");
    }
}

#[test]
fn when_all_are_used_one_goes_all_the_same() {
    let mut cache = roomy(64);
    for n in 0..200 {
        for older in 0..n {
            cache.get(format!("proxy{older}/v").as_bytes());
        }
        let name = format!("proxy{n}/v");
        cache.insert((name.as_bytes(), owner(1)), Cached::Invalid);
        assert_eq!(cache.len(), 64.min(n + 1));
    }
}

/// Weighs some hundred KB.
fn heavy() -> Cached<Policy> {
    let texts: Vec<String> = (0..10).map(|n| format!(r"deny 1 p:\w\w{n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let fixture = PolicyFixture::new().rules(LayerName::Proxy, "allow", &texts);
    Cached::Ready(fixture.compile().unwrap().into())
}

fn weight(policy: &Cached<Policy>) -> usize {
    match policy {
        Cached::Ready(policy) => policy.weight(),
        Cached::Invalid => 0,
    }
}

#[test]
fn it_never_holds_more_than_its_room_for_weight() {
    let heavy = heavy();
    let one = weight(&heavy);
    assert!(one > 50_000, "{one}");
    for fitting in [1, 5, 20] {
        let bytes = fitting * one + one / 2;
        let entry_bytes = 0;
        let mut cache = Cache::new(Room { bytes, entry_bytes });
        for n in 0..100 {
            let name = format!("proxy{n}/v");
            cache.insert((name.as_bytes(), owner(1)), heavy.clone());
            assert!(is_ready(cache.get(name.as_bytes()).as_ref()));
            assert!(cache.len() <= fitting && cache.bytes == cache.len() * one);
        }
    }
}

#[test]
fn newer_versions_weigh_in_the_place_of_older_ones() {
    let heavy = heavy();
    let (bytes, entry_bytes) = (3 * weight(&heavy), 0);
    let mut cache = Cache::new(Room { bytes, entry_bytes });
    cache.insert((b"other/v", owner(1)), heavy.clone());
    for n in 0..100_u128 {
        // Also when the proxy is another organisation's now.
        let name = format!("proxy/{n}");
        cache.insert((name.as_bytes(), owner(n % 2)), heavy.clone());
        assert!(is_ready(cache.get(b"other/v").as_ref()), "after {n}");
    }
    cache.insert((b"proxy/last", owner(2)), Cached::Invalid);
    assert_eq!(cache.bytes, weight(&heavy));
    assert_eq!(cache.order.len(), 2);
    assert_eq!(cache.heaviest.len(), cache.owners.len());
}

#[test]
fn one_that_is_heavier_than_the_room_is_held_alone() {
    let mut cache = Cache::new(Room {
        bytes: 1,
        entry_bytes: 0,
    });
    cache.insert((b"p/1", owner(1)), heavy());
    cache.insert((b"q/1", owner(2)), heavy());
    assert_eq!(cache.len(), 1);
    assert!(is_ready(cache.get(b"q/1").as_ref()));
}
