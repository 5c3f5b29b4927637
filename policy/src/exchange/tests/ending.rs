//! Credentials that end, by the clock of the host, and those that may not go where they would.

use requestrocket_proto::policy::v1 as wire;
use uuid::Uuid;

use super::*;
use crate::{
    authn::AuthPorts,
    jose::{self, Signatures},
    limit::{Charge, Micros},
    sign::Tools,
};

/// Of [`Admitting`].
const NOW: u64 = 1_000;
const KEY: &[(&str, &str)] = &[("authorization", "key")];

fn denial(fixture: &PolicyFixture, headers: &[(&str, &str)]) -> Option<Denial> {
    decide(&resolved(fixture), "GET", &api("/"), headers).err()
}

#[test]
fn a_callers_credential_ends_with_all_its_secrets() {
    for (ends_at_ms, want) in [
        (NOW + 1, None),
        (NOW, Some(Denial::CredentialInvalid)),
        (1, Some(Denial::CredentialInvalid)),
        (0, None),
    ] {
        let ending = fixture().also("old", NOW + 5).ending(ends_at_ms);
        for key in ["key", "old"] {
            let got = denial(&ending, &[("authorization", key)]);
            assert_eq!(got, want, "{key} ends at {ends_at_ms}");
        }
    }
    let both = fixture().until(NOW).ending(NOW + 1);
    assert_eq!(denial(&both, KEY), Some(Denial::CredentialInvalid));
}

#[test]
fn a_former_secret_is_accepted_before_its_end_whatever_its_type() {
    let fixture = |end| {
        let first = PolicyFixture::new().bearer("Bearer ", "new");
        first.previously("old", end).api_key("other")
    };
    for (end, old) in [(NOW + 1, None), (NOW, Some(Denial::CredentialInvalid))] {
        for (value, want) in [
            ("Bearer new", None),
            ("old", old),
            ("other", None),
            ("Bearer old", Some(Denial::CredentialInvalid)),
        ] {
            let got = denial(&fixture(end), &[("authorization", value)]);
            assert_eq!(got, want, "{value} until {end}");
        }
    }
}

#[test]
fn a_targets_credential_is_given_before_its_end_only() {
    let unavailable = Some(Denial::TargetCredentialUnavailable);
    for (fixture, want) in [
        (fixture().target_ending(NOW + 1), None),
        (fixture().target_ending(NOW), unavailable),
        (fixture().target_ending(1), unavailable),
    ] {
        assert_eq!(denial(&fixture, KEY), want);
    }
}

#[test]
fn that_it_ended_is_told_after_all_that_is_asked_of_the_caller() {
    let ended = || fixture().target_ending(NOW);
    let wrong = &[("authorization", "x")];
    assert_eq!(denial(&ended(), wrong), Some(Denial::CredentialInvalid));
    let mut inactive = ended();
    inactive.wire.is_active = false;
    assert_eq!(denial(&inactive, KEY), Some(Denial::ProxyInactive));
    let mut denying = ended();
    denying.wire.layer = Some(wire::Layer {
        default_effect: wire::Effect::Deny.into(),
        ..wire::Layer::default()
    });
    assert_eq!(denial(&denying, KEY), Some(Denial::RuleDenied));
}

/// A host that cannot count.
struct Uncounting;

impl Tools for Uncounting {}

impl Signatures for Uncounting {
    fn is_signed(&self, _: &jose::Question<'_>) -> bool {
        false
    }
}

impl AuthPorts for Uncounting {
    fn now_ms(&self) -> u64 {
        NOW
    }
}

impl Ports for Uncounting {
    fn has_room(&self, _: Holder) -> bool {
        true
    }

    fn charge(&self, _: &[(Uuid, &Charge)]) -> Charging {
        Charging::Fault
    }

    fn add(&self, _: (Uuid, &Charge), _: Micros) {}
}

#[test]
fn what_cannot_be_forwarded_is_not_counted() {
    for (ends_at_ms, want) in [
        (NOW, Denial::TargetCredentialUnavailable),
        (NOW + 1, Denial::GatewayFault),
    ] {
        let mut fixture = fixture().target_ending(ends_at_ms);
        fixture.wire.limits = Some(wire::Limits {
            minute: Some(1),
            ..wire::Limits::default()
        });
        let mut exchange = Exchange::new(resolved(&fixture));
        let path = api("/");
        let lines = lines("GET", &path, KEY);
        let head = RequestHead::new(&lines);
        let decision = exchange.on_request(&head, RequestBody::Whole(&[]), &Uncounting);
        assert_eq!(refusal(decision), Some(want));
    }
}
