//! Requests of one ordering key.

use super::*;
use crate::queue::machine::Reason;

#[tokio::test]
async fn those_of_a_key_go_one_after_the_other_and_others_do_not_wait() {
    for world in worlds().await {
        let mut hand = world.start();
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(world.accept(ordered("k", false)).await);
        }
        let first = hand.next().await;
        assert_eq!(first.attempt.request_id, ids[0]);
        let other = world.accept(ordered("l", false)).await;
        assert_eq!(hand.answer(answered(200)).await.request_id, other);
        world.until(&other, State::Succeeded).await;
        let elsewhere = Intake {
            proxy_id: "q".to_owned(),
            ..ordered("k", false)
        };
        let elsewhere = world.accept(elsewhere).await;
        assert_eq!(hand.answer(answered(200)).await.request_id, elsewhere);
        assert!(hand.is_idle());

        // One that waits for another attempt is still the first.
        first.answer.send(unreachable()).unwrap();
        world.until(&ids[0], State::Waiting).await;
        assert_eq!(world.status(&ids[1]).await.state, State::Queued);
        assert_eq!(world.status(&ids[1]).await.next_attempt_at_ms, None);
        world.advance(Duration::from_secs(1));
        // And one that failed lets the next go.
        assert_eq!(hand.answer(answered(400)).await.request_id, ids[0]);
        assert_eq!(hand.answer(answered(200)).await.request_id, ids[1]);
        assert_eq!(hand.answer(answered(200)).await.request_id, ids[2]);
        world.until(&ids[2], State::Succeeded).await;
    }
}

#[tokio::test]
async fn one_that_is_cancelled_leaves_the_line() {
    for world in worlds().await {
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(world.accept(ordered("k", true)).await);
        }
        for id in &ids[..2] {
            let cancelled = world.queue.cancel("p", id).await.unwrap();
            assert_eq!(cancelled, Cancelled::Done);
        }
        let mut hand = world.start();
        assert_eq!(hand.answer(answered(200)).await.request_id, ids[2]);
        world.until(&ids[2], State::Succeeded).await;
    }
}

#[tokio::test]
async fn one_that_stops_has_those_behind_it_wait_until_it_is_given_up_or_their_time_is_over() {
    for world in worlds().await {
        let mut hand = world.start();
        let failed = world.accept(ordered("k", true)).await;
        let behind = world.accept(ordered("k", false)).await;
        hand.answer(answered(400)).await;
        world.until(&failed, State::Failed).await;
        world.advance(Duration::from_mins(1));
        let next = world.accept(ordered("k", false)).await;
        let free = world.accept(intake(request("/free"))).await;
        assert_eq!(hand.answer(answered(200)).await.request_id, free);
        world.until(&free, State::Succeeded).await;
        assert_eq!(world.status(&behind).await.state, State::Queued);
        assert_eq!(world.status(&next).await.state, State::Queued);
        world.advance(DEADLINE.saturating_sub(Duration::from_mins(1)));
        let status = world.until(&behind, State::Failed).await;
        assert_eq!(status.reason, Some(Reason::Expired));
        assert_eq!(world.status(&next).await.state, State::Queued);

        let given_up = world.queue.cancel("p", &failed).await.unwrap();
        assert_eq!(given_up, Cancelled::Done);
        assert_eq!(hand.answer(answered(200)).await.request_id, next);
        world.until(&next, State::Succeeded).await;
        let again = world.queue.cancel("p", &failed).await.unwrap();
        assert_eq!(again, Cancelled::TooLate);
    }
}
