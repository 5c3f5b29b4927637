use requestrocket_policy::{authz::LayerName, fixtures::PolicyFixture};

use super::*;

/// Takes more than one step.
fn heavy(organisation: u128) -> Compilation {
    let texts: Vec<String> = (0..10).map(|n| format!(r"deny 1 p:\w\w\w\w{n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let fixture = PolicyFixture::of(uuid::Uuid::from_u128(organisation).into());
    let fixture = fixture.rules(LayerName::Proxy, "allow", &texts);
    Compilation::new(fixture.admission().unwrap(), fixture.encode().1)
}

fn owner(organisation: u128) -> OrganisationId {
    uuid::Uuid::from_u128(organisation).into()
}

#[test]
fn all_who_wait_hear_of_their_policy_once() {
    let mut compiling = Compiling::default();
    assert!(compiling.is_idle() && compiling.step().is_none());
    assert_eq!(compiling.join(b"p/1", 1), Ok(false));
    compiling.begin(b"p/1", heavy(1), 1);
    assert_eq!(compiling.join(b"p/1", 2), Ok(true));
    assert_eq!(compiling.join(b"p/2", 3), Ok(false), "another version");
    let mut steps = 1;
    let compiled = loop {
        match compiling.step() {
            Some(compiled) => break compiled,
            None => steps += 1,
        }
    };
    assert!(steps > 3, "{steps}");
    assert!(compiled.policy.is_ok());
    assert_eq!(
        (&*compiled.route_name, compiled.owner),
        (&b"p/1"[..], owner(1))
    );
    assert_eq!(compiled.waiting, [1, 2]);
    assert!(compiling.is_idle());
    assert_eq!(compiling.join(b"p/1", 4), Ok(false));
}

#[test]
fn policies_have_a_step_each_in_turn() {
    let mut compiling = Compiling::default();
    for name in [b"p/1", b"q/1", b"r/1"] {
        compiling.begin(name, heavy(1), 1);
    }
    let mut ends = Vec::new();
    for step in 0.. {
        if let Some(compiled) = compiling.step() {
            ends.push((step, compiled.route_name));
        }
        if compiling.is_idle() {
            break;
        }
    }
    let (first, _) = ends[0];
    let names: Vec<&[u8]> = ends.iter().map(|(_, name)| &**name).collect();
    assert_eq!(names, [b"p/1", b"q/1", b"r/1"]);
    assert_eq!(
        ends.iter().map(|(at, _)| at - first).collect::<Vec<_>>(),
        [0, 1, 2]
    );
}

#[test]
fn one_organisation_leaves_places_for_others() {
    let mut compiling = Compiling::default();
    for n in 0..POLICIES_OF_ONE {
        assert!(compiling.has_room_for(owner(1)));
        compiling.begin(format!("p{n}/1").as_bytes(), heavy(1), 1);
    }
    assert!(!compiling.has_room_for(owner(1)));
    for n in POLICIES_OF_ONE..POLICIES {
        let other = u128::try_from(n).unwrap();
        assert!(compiling.has_room_for(owner(other)));
        compiling.begin(format!("p{n}/1").as_bytes(), heavy(other), 1);
    }
    assert!(!compiling.has_room_for(owner(99)));
}

#[test]
fn so_many_wait_and_no_more() {
    let mut compiling = Compiling::default();
    compiling.begin(b"p/1", heavy(1), 0);
    for stream in 1..256 {
        assert_eq!(compiling.join(b"p/1", stream), Ok(true));
    }
    assert_eq!(compiling.join(b"p/1", 256), Err(Crowded));
}
