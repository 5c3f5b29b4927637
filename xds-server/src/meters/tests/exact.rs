//! Never more than the limit, and all of it while somebody calls.

use proptest::prelude::*;

use super::simulation::{Fate, Simulation};
use super::{START_MS, per_minute};

/// Calls that are made whatever happens, after the hostile time.
const CALM_MS: u64 = 12_000;
const HOSTILE_MS: u64 = 20_000;

fn fate() -> impl Strategy<Value = Fate> {
    (
        0..60_u64,
        proptest::bool::weighted(0.3),
        proptest::option::weighted(0.2, 0..900_u64),
    )
        .prop_map(|(delay_ms, is_lost, doubled_after_ms)| Fate {
            delay_ms,
            is_lost,
            doubled_after_ms,
        })
}

/// Milliseconds since the call before, and the Envoy.
fn calls() -> impl Strategy<Value = Vec<(u64, usize)>> {
    proptest::collection::vec((0..400_u64, 0..5_usize), 0..120)
}

/// Makes the calls, and restarts the region, over the hostile time.
fn hostile(simulation: &mut Simulation, nodes: usize, calls: &[(u64, usize)], restarts: &[u64]) {
    let mut at_ms = 0;
    for (gap_ms, node) in calls {
        at_ms += gap_ms;
        if at_ms < HOSTILE_MS {
            simulation.call_at(at_ms, node % nodes);
        }
    }
    for at_ms in restarts {
        simulation.restart_at(*at_ms);
    }
    simulation.run_until(HOSTILE_MS);
}

/// Every Envoy calls on and on, and the network behaves.
fn calm(simulation: &mut Simulation, nodes: usize) {
    simulation.network(&[Fate::PROMPT]);
    let start_ms = simulation.now_ms();
    for step in 0..CALM_MS / 10 {
        let node = usize::try_from(step).unwrap() % nodes;
        simulation.call_at(start_ms + step * 10, node);
    }
    simulation.run_until(start_ms + CALM_MS);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn exactly_the_limit_is_admitted_whatever_the_network_does(
        limit in 1..40_u64,
        nodes in 1..5_usize,
        calls in calls(),
        fates in proptest::collection::vec(fate(), 1..40),
    ) {
        let mut simulation = Simulation::new(per_minute(limit), &vec![0; nodes], 5);
        simulation.network(&fates);
        hostile(&mut simulation, nodes, &calls, &[]);
        let so_far = simulation.admitted.get(&START_MS).copied().unwrap_or(0);
        prop_assert!(so_far <= limit, "{} of {}", so_far, limit);
        calm(&mut simulation, nodes);
        prop_assert_eq!(simulation.admitted.get(&START_MS), Some(&limit));
    }

    #[test]
    fn exactly_the_limit_is_admitted_over_restarts_of_the_region(
        limit in 1..40_u64,
        nodes in 1..5_usize,
        calls in calls(),
        fates in proptest::collection::vec(fate(), 1..40),
        restarts in proptest::collection::vec(0..HOSTILE_MS, 1..4),
    ) {
        let mut simulation = Simulation::new(per_minute(limit), &vec![0; nodes], 1);
        simulation.network(&fates);
        hostile(&mut simulation, nodes, &calls, &restarts);
        let so_far = simulation.admitted.get(&START_MS).copied().unwrap_or(0);
        prop_assert!(so_far <= limit, "{} of {}", so_far, limit);
        calm(&mut simulation, nodes);
        prop_assert_eq!(simulation.admitted.get(&START_MS), Some(&limit));
    }

    /// Limits so high that workers count in batches, until they come near.
    #[test]
    fn exactly_a_high_limit_is_admitted_though_workers_count_by_themselves(
        limit in 3_000..8_000_u64,
        nodes in 1..4_usize,
        calls in calls(),
        fates in proptest::collection::vec(fate(), 1..40),
        restarts in proptest::collection::vec(0..HOSTILE_MS, 0..3),
    ) {
        let mut simulation = Simulation::new(per_minute(limit), &vec![0; nodes], 1);
        simulation.network(&fates);
        simulation.burst = 40;
        hostile(&mut simulation, nodes, &calls, &restarts);
        let so_far = simulation.admitted.get(&START_MS).copied().unwrap_or(0);
        prop_assert!(so_far <= limit, "{} of {}", so_far, limit);
        calm(&mut simulation, nodes);
        prop_assert_eq!(simulation.admitted.get(&START_MS), Some(&limit));
        prop_assert!(simulation.in_batches > 0);
    }

    /// Over the ends of windows, with clocks that differ by less than a lease is remembered.
    #[test]
    fn every_window_holds_its_limit_on_every_clock(
        limit in 1..20_u64,
        clocks in proptest::collection::vec(-700..700_i64, 1..4),
        fates in proptest::collection::vec(fate(), 1..40),
    ) {
        let mut simulation = Simulation::new(per_minute(limit), &clocks, 5);
        simulation.network(&fates);
        for step in 0..3_000_u64 {
            simulation.call_at(step * 50, usize::try_from(step).unwrap() % clocks.len());
        }
        simulation.run_until(55_000);
        simulation.network(&[Fate::PROMPT]);
        simulation.run_until(150_000);
        for (window, admitted) in &simulation.admitted {
            prop_assert!(admitted <= &limit, "{} of {} from {}", admitted, limit, window);
        }
        // A whole minute on every clock, most of it in peace.
        prop_assert_eq!(simulation.admitted.get(&(START_MS + 60_000)), Some(&limit));
    }
}

#[test]
fn a_burst_on_every_envoy_at_once_is_cut_at_the_limit() {
    for nodes in 1..6 {
        let mut simulation = Simulation::new(per_minute(100), &vec![0; nodes], 0);
        for call in 0..500 {
            simulation.call_at(2_000, call % nodes);
        }
        simulation.run_until(4_000);
        let admitted = simulation.admitted.get(&START_MS).copied().unwrap_or(0);
        assert!(admitted <= 100, "{admitted} on {nodes}");
        calm(&mut simulation, nodes);
        assert_eq!(simulation.admitted.get(&START_MS), Some(&100), "{nodes}");
    }
}
