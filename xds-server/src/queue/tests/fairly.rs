//! Targets that take so much, are down, or belong to others.

use super::*;

#[tokio::test]
async fn a_target_has_so_many_at_once_over_all_servers() {
    for world in worlds().await {
        let pace = Pace {
            concurrency: 3,
            per_second: None,
        };
        let neighbour = world.neighbour().await;
        for _ in 0..8 {
            world.accept(intake(request("/a"))).await;
        }
        let (mut one, mut other) = (world.start_at(pace), neighbour.start_at(pace));
        let mut open = Vec::new();
        for left in (0..8).rev() {
            while open.len() < 3 && open.len() <= left {
                open.push(tokio::select! {
                    carried = one.next() => carried,
                    carried = other.next() => carried,
                });
            }
            // None that the target does not take.
            assert!(one.is_idle() && other.is_idle());
            let carried: Carried = open.pop().unwrap();
            let id = carried.attempt.request_id.clone();
            carried.answer.send(answered(200)).unwrap();
            world.until(&id, State::Succeeded).await;
            neighbour.queue.0.came.notify_one();
        }
    }
}

#[tokio::test]
async fn a_rate_is_kept() {
    for world in worlds().await {
        let mut hand = world.start_at(Pace {
            concurrency: 10,
            per_second: Some(2),
        });
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(world.accept(intake(request("/a"))).await);
        }
        for id in ids {
            let attempt = hand.answer(answered(200)).await;
            assert_eq!(attempt.request_id, id);
            world.until(&id, State::Succeeded).await;
            assert!(hand.is_idle());
            world.advance(Duration::from_millis(499));
            // A round of the workers in which the next one would have begun.
            let other = Intake {
                target_id: format!("other than {id}"),
                ..intake(request("/b"))
            };
            let other = world.accept(other).await;
            assert_eq!(hand.answer(answered(200)).await.request_id, other);
            world.advance(Duration::from_millis(1));
        }
    }
}

#[tokio::test]
async fn a_target_that_is_down_gets_one_probe_in_five_seconds_and_all_once_it_is_up() {
    for world in worlds().await {
        let mut hand = world.start();
        let mut ids = Vec::new();
        for _ in 0..8 {
            ids.push(world.accept(intake(request("/a"))).await);
        }
        let mut carried = Vec::new();
        for _ in 0..8 {
            carried.push(hand.next().await);
        }
        for Carried { answer, .. } in carried {
            answer.send(unreachable()).unwrap();
        }
        for id in &ids {
            world.until(id, State::Waiting).await;
        }
        // All are due, and the breaker is open.
        for _ in 0..3 {
            world.advance(Duration::from_secs(5));
            let probe = hand.next().await;
            assert!(hand.is_idle());
            let id = probe.attempt.request_id.clone();
            probe.answer.send(unreachable()).unwrap();
            world.until(&id, State::Waiting).await;
            world.advance(Duration::from_millis(1));
            assert!(hand.is_idle());
        }
        let status = world.status(&ids[0]).await;
        assert!(status.attempts.len() <= 4, "waiting spends no attempt");
        world.advance(Duration::from_secs(5));
        hand.answer(answered(200)).await;
        for _ in 0..7 {
            hand.answer(answered(200)).await;
        }
        for id in &ids {
            world.until(id, State::Succeeded).await;
        }
    }
}

#[tokio::test]
async fn another_target_does_not_wait_for_one_that_does_not_answer() {
    for world in worlds().await {
        let mut hand = world.start();
        for _ in 0..50 {
            world.accept(intake(request("/slow"))).await;
        }
        let mut slow = Vec::new();
        for _ in 0..10 {
            slow.push(hand.next().await);
        }
        let other = Intake {
            target_id: "u".to_owned(),
            ..intake(request("/fast"))
        };
        let id = world.accept(other).await;
        assert_eq!(hand.answer(answered(200)).await.request_id, id);
        world.until(&id, State::Succeeded).await;
        drop(slow);
    }
}
