use super::*;

/// After outcomes at one moment: `.` for a success, `x` for a failure.
fn after(breaker: Breaker, outcomes: &str, now_ms: u64) -> Breaker {
    outcomes
        .chars()
        .fold(breaker, |breaker, outcome| match outcome {
            'x' => breaker.failed(now_ms),
            _ => breaker.succeeded(),
        })
}

#[test]
fn five_in_a_row_or_half_of_the_last_twenty_open_it() {
    for (outcomes, want) in [
        ("", BreakerState::Closed),
        ("xxxx", BreakerState::Closed),
        ("xxxxx", BreakerState::Open),
        ("xxxx.xxxx", BreakerState::Closed),
        ("....xxxxx", BreakerState::Open),
        // Nine of nineteen and ten of twenty.
        ("x.x.x.x.x.x.x.x.x..", BreakerState::Closed),
        ("x.x.x.x.x.x.x.x.x..x", BreakerState::Open),
        ("x.x.x.x.x.x.x.x.x...", BreakerState::Closed),
        // What is older than twenty is forgotten.
        ("xx.xx....................x.x.x.x.x.x", BreakerState::Closed),
    ] {
        assert_eq!(
            after(Breaker::default(), outcomes, 0).state(),
            want,
            "{outcomes}"
        );
    }
}

#[test]
fn an_open_one_lets_one_probe_through_in_five_seconds() {
    let open = after(Breaker::default(), "xxxxx", 1_000);
    assert_eq!(open.passage(1_000), Passage::Shut);
    assert_eq!(open.passage(5_999), Passage::Shut);
    assert_eq!(open.passage(6_000), Passage::Probe);
    let probing = open.probed(7_000);
    assert_eq!(probing.state(), BreakerState::HalfOpen);
    assert_eq!(probing.passage(11_999), Passage::Shut);
    assert_eq!(
        probing.passage(12_000),
        Passage::Probe,
        "a probe may be lost"
    );
    let failed = probing.failed(8_000);
    assert_eq!(failed.state(), BreakerState::Open);
    assert_eq!(failed.passage(11_999), Passage::Shut);
    assert_eq!(failed.passage(12_000), Passage::Probe);
    assert_eq!(probing.unasked().state(), BreakerState::Open);
}

#[test]
fn a_success_closes_it_and_nothing_of_before_counts() {
    let closed = after(Breaker::default(), "xxxxx", 0)
        .probed(5_000)
        .succeeded();
    assert_eq!(closed, Breaker::default());
    assert_eq!(after(closed, "xxxx", 5_000).state(), BreakerState::Closed);
    assert_eq!(after(closed, "xxxxx", 5_000).state(), BreakerState::Open);
}
