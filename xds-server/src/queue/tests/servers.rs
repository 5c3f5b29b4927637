//! Servers that stop, are stopped, and share a store.

use std::collections::BTreeMap;

use super::*;

#[tokio::test]
async fn what_was_accepted_is_delivered_by_the_next_server() {
    for world in worlds().await {
        let id = world.accept(intake(request("/a"))).await;
        world.tasks.shutdown().await;
        let refused = world.queue.accept(intake(request("/b"))).await;
        assert!(matches!(refused, Err(IntakeError::Away)), "{refused:?}");
        let next = world.neighbour().await;
        let mut hand = next.start();
        assert_eq!(hand.answer(answered(200)).await.request_id, id);
        next.until(&id, State::Succeeded).await;
        assert!(hand.is_idle());
    }
}

#[tokio::test]
async fn a_worker_that_hangs_is_overtaken_and_not_heard() {
    for world in worlds().await {
        let mut hand = world.start();
        let sent = intake(request("/a"));
        let lease = sent.timeout + LEASE_SLACK;
        let id = world.accept(sent).await;
        let hung = hand.next().await;
        let neighbour = world.neighbour().await;
        let mut other = neighbour.start();
        world
            .clock
            .advance(lease.saturating_sub(Duration::from_millis(1)));
        neighbour.queue.0.came.notify_one();
        // The other server looks, and finds nothing else.
        let unrelated = neighbour.accept(intake(request("/b"))).await;
        let (one, two) = tokio::select! {
            carried = hand.next() => (carried, "hand"),
            carried = other.next() => (carried, "other"),
        };
        assert_eq!(one.attempt.request_id, unrelated, "{two}");
        one.answer.send(answered(200)).unwrap();
        world.until(&unrelated, State::Succeeded).await;

        world.clock.advance(Duration::from_millis(1));
        assert_eq!(
            world.status(&id).await.state,
            State::Waiting,
            "not for ever"
        );
        neighbour.queue.0.came.notify_one();
        let taken = tokio::select! {
            carried = hand.next() => carried,
            carried = other.next() => carried,
        };
        assert_eq!(
            (taken.attempt.request_id.as_str(), taken.attempt.number),
            (id.as_str(), 2)
        );
        // The one that hung comes back with a success that is another's to tell.
        hung.answer.send(answered(200)).unwrap();
        taken.answer.send(answered(400)).unwrap();
        let status = world.until(&id, State::Failed).await;
        let statuses = status.attempts.iter().map(|tried| tried.status);
        assert_eq!(statuses.collect::<Vec<_>>(), [None, Some(400)]);
    }
}

#[tokio::test]
async fn of_two_servers_each_request_is_delivered_once() {
    for world in worlds().await {
        let neighbour = world.neighbour().await;
        let accepts = (0..60).map(|at| {
            let target_id = format!("t{}", at % 7);
            let sent = Intake {
                target_id,
                ..ordered(&format!("k{}", at % 11), false)
            };
            let queue = if at % 2 == 0 {
                &world.queue
            } else {
                &neighbour.queue
            };
            queue.accept(sent)
        });
        let (mut one, mut other) = (world.start(), neighbour.start());
        let mut times: BTreeMap<String, u32> = BTreeMap::new();
        // Accepted and delivered at the same time, so that they meet in the same rows.
        let delivered = async {
            for _ in 0..60 {
                let carried = tokio::select! {
                    carried = one.next() => carried,
                    carried = other.next() => carried,
                };
                *times.entry(carried.attempt.request_id.clone()).or_default() += 1;
                carried.answer.send(answered(200)).unwrap();
            }
        };
        let (accepted, ()) = tokio::join!(futures::future::join_all(accepts), delivered);
        let mut ids = Vec::new();
        for accepted in accepted {
            let Ok(Accepted::New(id)) = accepted else {
                panic!("{accepted:?}");
            };
            ids.push(id);
        }
        for id in &ids {
            world.until(id, State::Succeeded).await;
            assert_eq!(times.get(id), Some(&1));
        }
        assert!(one.is_idle() && other.is_idle());
    }
}
