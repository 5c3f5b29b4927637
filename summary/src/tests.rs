use requestrocket_proto::record::v1::{MeterDelta, Record};

use super::*;

/// Numbers that look like chance and are the same every time.
fn durations(count: u64) -> Vec<u64> {
    let mut state: u64 = 7;
    let next = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        // Over six powers of ten.
        let magnitude = 10_u64.pow(u32::try_from(state >> 61).unwrap().min(6));
        (state >> 33) % (magnitude * 9) + 1
    };
    (0..count).map(next).collect()
}

fn exact(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted[rank - 1]
}

fn record(status: u32, proxy_code: &str, auth_type: &str) -> Record {
    Record {
        status,
        proxy_code: proxy_code.to_owned(),
        auth_type: auth_type.to_owned(),
        duration_us: 1_500,
        target_duration_us: Some(1_000),
        request_bytes: 3,
        response_bytes: 5,
        ..Record::default()
    }
}

#[test]
fn percentiles_are_within_one_percent() {
    for count in [1, 2, 3, 10, 99, 100, 101, 20_000] {
        let mut all = durations(count);
        let mut summed = Durations::default();
        for us in &all {
            summed.add(*us);
        }
        all.sort_unstable();
        let Percentiles { p50, p95, p99 } = summed.percentiles().unwrap();
        for (percent, found) in [(50, p50), (95, p95), (99, p99)] {
            let want = exact(&all, percent);
            let off = found.abs_diff(want);
            assert!(
                off * 100 <= want,
                "p{percent} of {count}: {found} for {want}"
            );
        }
    }
}

#[test]
fn it_does_not_matter_where_sums_are_made() {
    let mut whole = Durations::default();
    let mut parts = vec![Durations::default(); 7];
    for (n, us) in durations(5_000).into_iter().enumerate() {
        whole.add(us);
        parts[n % 7].add(us);
    }
    let mut merged = Durations::default();
    for part in parts.iter().rev() {
        merged.merge(&Durations::from_wire(&part.to_wire()).unwrap());
    }
    assert_eq!(merged, whole);
    let kept = whole.to_wire().steps.len();
    assert!(kept < 2_000, "{kept}");
}

#[test]
fn calls_are_counted_by_what_became_of_them() {
    let mut one = Summary::default();
    one.add(&record(200, "proxy-access-granted", "apiKey"));
    one.add(&record(403, DENIED, ""));
    let mut other = Summary::default();
    other.add(&record(429, RATE_LIMITED, "apiKey"));
    other.add(&record(0, "", "apiKey"));
    other.unplaced = 2;
    let read = Summary::from_wire(other.to_wire()).unwrap();
    assert_eq!(read, other);
    one.merge(&read);
    assert_eq!(
        (one.requests, one.errors, one.denied, one.rate_limited),
        (4, 2, 1, 1)
    );
    assert_eq!((one.duration_us, one.gateway_us), (6_000, 2_000));
    assert_eq!((one.request_bytes, one.response_bytes), (12, 20));
    assert_eq!(one.unplaced, 2);
    let statuses: Vec<_> = one.statuses.into_iter().collect();
    assert_eq!(statuses, [(0, 1), (200, 1), (403, 1), (429, 1)]);
    assert_eq!(one.proxy_codes.len(), 4);
    let keys = AuthSummary {
        requests: 3,
        denied: 0,
    };
    let none = AuthSummary {
        requests: 1,
        denied: 1,
    };
    assert_eq!((one.auth_types["apiKey"], one.auth_types[""]), (keys, none));
}

#[test]
fn what_is_no_sum_is_refused_and_nothing_overflows() {
    let durations = |steps: &[u64], counts: &[u64]| {
        Durations::from_wire(&wire::Durations {
            steps: steps.to_vec(),
            counts: counts.to_vec(),
        })
    };
    assert_eq!(durations(&[1], &[]), None);
    assert_eq!(durations(&[1, u64::MAX], &[1, 1]), None);
    let mut most = durations(&[5, 1_000], &[u64::MAX, 1]).unwrap();
    most.merge(&most.clone());
    assert_eq!(most.percentiles().unwrap().p50, 5);
    let mut long = Durations::default();
    long.add(u64::MAX);
    assert!(long.percentiles().is_some());
    assert_eq!(Durations::default().percentiles(), None);
}

#[test]
fn meters_are_added_up_each_by_itself() {
    let calls = |deltas: &[(u8, u64)]| {
        let deltas = deltas.iter().map(|(id, micros)| MeterDelta {
            meter_id: vec![*id; 16].into(),
            micros: *micros,
        });
        let mut sum = Summary::default();
        sum.add(&Record {
            meters: deltas.collect(),
            ..Record::default()
        });
        sum
    };
    let mut whole = calls(&[(1, 1_000_000), (2, 5)]);
    whole.merge(&Summary::from_wire(calls(&[(1, 7), (3, u64::MAX)]).to_wire()).unwrap());
    whole.merge(&calls(&[(3, 1)]));
    let sums: Vec<_> = whole.meters.values().copied().collect();
    assert_eq!(sums, [1_000_007, 5, u64::MAX]);
    let bad = MeterDelta {
        meter_id: vec![1].into(),
        micros: 1,
    };
    whole.add(&Record {
        meters: vec![bad],
        ..Record::default()
    });
    assert_eq!(whole.meters.len(), 3, "no meter");
}

#[test]
fn there_are_only_so_many_meters_in_a_sum() {
    let mut sum = Summary::default();
    for n in 0..600_u128 {
        let delta = MeterDelta {
            meter_id: Uuid::from_u128(n).as_bytes().to_vec().into(),
            micros: 1,
        };
        sum.add(&Record {
            meters: vec![delta],
            ..Record::default()
        });
    }
    assert_eq!((sum.meters.len(), sum.requests), (MOST_METERS, 600));
}
