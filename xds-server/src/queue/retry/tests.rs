use bytes::Bytes;

use super::*;

fn answered(status: u16, retry_after: Option<&str>) -> Outcome {
    let name = "retry-after".to_owned();
    let headers = retry_after
        .map(|value| (name, Bytes::copy_from_slice(value.as_bytes())))
        .into_iter()
        .collect();
    Outcome::Answered(Answer {
        status,
        headers,
        body: Bytes::new(),
        is_truncated: false,
    })
}

fn unreachable() -> Outcome {
    Outcome::Unreachable {
        error: "connection refused".to_owned(),
    }
}

fn life(attempts: u32) -> Life {
    Life {
        attempts,
        ..Life::new(0, 900_000)
    }
}

const DOWN: Verdict = Verdict::Ends(End::Failed(Reason::TargetDown));

#[test]
fn statuses_are_retried_or_final() {
    let retried: Vec<u16> = (100..=999).filter(|status| is_retried(*status)).collect();
    let mut want = vec![408, 425, 429];
    want.extend((500..600).filter(|status| ![501, 505].contains(status)));
    assert_eq!(retried, want);
}

#[test]
fn an_outcome_ends_a_request_or_has_it_tried_again() {
    let refused = Verdict::Ends(End::Failed(Reason::TargetRefused));
    let denied = Outcome::Denied {
        code: "ACCESS_DENIED".to_owned(),
    };
    let again = Verdict::Again { at_ms: 11 };
    for (outcome, want, health_of) in [
        (
            answered(200, None),
            Verdict::Ends(End::Succeeded),
            Health::Well,
        ),
        (
            answered(204, None),
            Verdict::Ends(End::Succeeded),
            Health::Well,
        ),
        (answered(302, None), refused, Health::Well),
        (answered(400, None), refused, Health::Well),
        (answered(404, Some("5")), refused, Health::Well),
        (answered(501, None), refused, Health::Well),
        (answered(429, None), again, Health::Ill),
        (answered(503, None), again, Health::Ill),
        (unreachable(), again, Health::Ill),
        (
            denied,
            Verdict::Ends(End::Failed(Reason::DeniedNow)),
            Health::Unknown,
        ),
        (
            Outcome::NoWay(NoWay::Region),
            Verdict::Unspent { at_ms: 2_010 },
            Health::Unknown,
        ),
        (
            Outcome::NoWay(NoWay::Proxy),
            Verdict::Unspent { at_ms: 2_010 },
            Health::Unknown,
        ),
    ] {
        assert_eq!(verdict(&outcome, &life(1), 10, 0), want, "{outcome:?}");
        assert_eq!(health(&outcome), health_of, "{outcome:?}");
    }
}

#[test]
fn waits_are_spread_below_a_ceiling_that_doubles_up_to_two_minutes() {
    for (attempts, ceiling) in [
        (1, 1_000),
        (2, 2_000),
        (3, 4_000),
        (7, 64_000),
        (8, 120_000),
        (10, 120_000),
        (u32::MAX, 120_000),
    ] {
        assert_eq!(delay_ms(attempts, 0), 1, "{attempts}");
        assert_eq!(delay_ms(attempts, ceiling - 1), ceiling, "{attempts}");
        assert_eq!(delay_ms(attempts, ceiling), 1, "{attempts}");
    }
}

#[test]
fn a_target_is_left_alone_as_long_as_it_wants() {
    for (value, want) in [
        ("60", Verdict::Again { at_ms: 70_000 }),
        ("0", Verdict::Again { at_ms: 10_001 }),
        ("nonsense", Verdict::Again { at_ms: 10_001 }),
        ("-1", Verdict::Again { at_ms: 10_001 }),
        (
            "Thu, 01 Jan 1970 00:01:00 GMT",
            Verdict::Again { at_ms: 60_000 },
        ),
        ("889", Verdict::Again { at_ms: 899_000 }),
        // There is no time left for that.
        ("890", DOWN),
        ("18446744073709551615", DOWN),
    ] {
        let outcome = answered(503, Some(value));
        assert_eq!(verdict(&outcome, &life(1), 10_000, 0), want, "{value}");
    }
}

#[test]
fn the_tenth_attempt_is_the_last_and_none_begins_past_the_deadline() {
    assert!(matches!(
        verdict(&unreachable(), &life(9), 0, 0),
        Verdict::Again { .. }
    ));
    assert_eq!(verdict(&unreachable(), &life(10), 0, 0), DOWN);
    assert_eq!(verdict(&unreachable(), &life(1), 899_999, 0), DOWN);
    assert_eq!(verdict(&unreachable(), &life(1), 950_000, 0), DOWN);
    let done = verdict(&answered(200, None), &life(10), 950_000, 0);
    assert_eq!(done, Verdict::Ends(End::Succeeded));
}
