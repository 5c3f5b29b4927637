//! From acceptance to an end.

use super::*;
use crate::queue::machine::Reason;

#[tokio::test]
async fn what_was_accepted_is_delivered_as_it_came() {
    for world in worlds().await {
        let mut sent = intake(request("/v1/a?b"));
        sent.request.query = Some("c=d".to_owned());
        sent.request.body = Bytes::from(vec![0xff; 300_000]);
        let id = world.accept(sent.clone()).await;
        let status = world.status(&id).await;
        assert_eq!(status.state, State::Queued);
        assert_eq!((status.attempts, status.response), (Vec::new(), None));
        assert_eq!(status.next_attempt_at_ms, Some(world.clock.unix_ms()));

        let mut hand = world.start();
        let carried = hand.next().await;
        assert_eq!(world.status(&id).await.state, State::Delivering);
        assert_eq!(world.status(&id).await.attempts[0].duration_ms, None);
        let Attempt {
            request_id,
            number,
            organisation_id,
            proxy_id,
            credential_id,
            target_id,
            request,
            caller,
            timeout,
        } = carried.attempt;
        assert_eq!((request_id, number, request), (id.clone(), 1, sent.request));
        assert_eq!(
            (organisation_id, proxy_id, credential_id, target_id),
            (
                sent.organisation_id,
                sent.proxy_id,
                sent.credential_id,
                sent.target_id
            )
        );
        assert_eq!((caller, timeout), (sent.caller, sent.timeout));

        world.advance(Duration::from_millis(30));
        carried.answer.send(answered(200)).unwrap();
        let status = world.until(&id, State::Succeeded).await;
        let Outcome::Answered(answer) = answered(200) else {
            panic!();
        };
        assert_eq!(status.response, Some(answer));
        assert_eq!(status.attempts.len(), 1);
        assert_eq!(status.attempts[0].status, Some(200));
        assert_eq!(status.attempts[0].duration_ms, Some(30));
        assert_eq!(status.next_attempt_at_ms, None);
    }
}

#[tokio::test]
async fn a_target_that_is_down_is_tried_again_until_it_answers() {
    for world in worlds().await {
        let mut hand = world.start();
        let id = world.accept(intake(request("/a"))).await;
        hand.answer(unreachable()).await;
        world.until(&id, State::Waiting).await;
        world.advance(Duration::from_secs(1));
        assert_eq!(hand.answer(answered(503)).await.number, 2);
        let status = world.until(&id, State::Waiting).await;
        assert_eq!(status.response, None, "only the last answer is told");
        assert!(status.next_attempt_at_ms > Some(world.clock.unix_ms()));
        world.advance(Duration::from_secs(2));
        assert_eq!(hand.answer(answered(201)).await.number, 3);
        let status = world.until(&id, State::Succeeded).await;
        let tried = |tried: &Tried| (tried.number, tried.status, tried.error.clone());
        assert_eq!(
            status.attempts.iter().map(tried).collect::<Vec<_>>(),
            [
                (1, None, Some("connection refused".to_owned())),
                (2, Some(503), None),
                (3, Some(201), None)
            ]
        );
    }
}

#[tokio::test]
async fn refusals_are_final_and_say_why() {
    for world in worlds().await {
        let mut hand = world.start();
        let denied = Outcome::Denied {
            code: "proxy-access-denied".to_owned(),
        };
        for (outcome, reason, has_response) in [
            (answered(400), Reason::TargetRefused, true),
            (answered(302), Reason::TargetRefused, true),
            (denied, Reason::DeniedNow, false),
        ] {
            let id = world.accept(intake(request("/a"))).await;
            hand.answer(outcome.clone()).await;
            let status = world.until(&id, State::Failed).await;
            assert_eq!(status.reason, Some(reason), "{outcome:?}");
            assert_eq!(status.response.is_some(), has_response, "{outcome:?}");
            assert_eq!(status.attempts.len(), 1, "{outcome:?}");
        }
    }
}

#[tokio::test]
async fn a_response_that_is_not_to_be_kept_is_not() {
    for world in worlds().await {
        let mut hand = world.start();
        let sent = Intake {
            keep_response: Duration::ZERO,
            ..intake(request("/a"))
        };
        let id = world.accept(sent).await;
        hand.answer(answered(200)).await;
        let status = world.until(&id, State::Succeeded).await;
        assert_eq!(status.response, None);
        assert_eq!(status.attempts[0].status, Some(200));
    }
}

#[tokio::test]
async fn where_there_is_no_way_no_attempt_is_spent() {
    for world in worlds().await {
        let mut hand = world.start();
        let id = world.accept(intake(request("/a"))).await;
        for way in [NoWay::Region, NoWay::Proxy, NoWay::Region] {
            assert_eq!(hand.answer(Outcome::NoWay(way)).await.number, 1);
            let status = world.until(&id, State::Queued).await;
            assert_eq!(status.attempts, Vec::new());
            world.advance(Duration::from_secs(4));
        }
        assert_eq!(hand.answer(answered(200)).await.number, 1);
        assert_eq!(world.until(&id, State::Succeeded).await.attempts.len(), 1);
    }
}

#[tokio::test]
async fn at_the_deadline_what_waits_has_failed() {
    for world in worlds().await {
        let mut hand = world.start();
        let tried = world.accept(intake(request("/a"))).await;
        hand.answer(unreachable()).await;
        world.until(&tried, State::Waiting).await;
        let carried = {
            let busy = world.accept(intake(request("/b"))).await;
            (busy, hand.next().await)
        };
        world.tasks.shutdown().await;
        let neighbour = world.neighbour().await;
        let late = neighbour.accept(intake(request("/c"))).await;
        neighbour.clock.advance(DEADLINE);
        let _hand = neighbour.start();
        let status = neighbour.until(&tried, State::Failed).await;
        assert_eq!(status.reason, Some(Reason::TargetDown));
        let status = neighbour.until(&late, State::Failed).await;
        assert_eq!(status.reason, Some(Reason::Expired));
        // Its worker is gone, and nobody knows what the target did.
        let status = neighbour.until(&carried.0, State::Failed).await;
        assert_eq!(status.reason, Some(Reason::Internal));
        assert_eq!(status.attempts[0].duration_ms, None);
        assert!(status.attempts[0].error.is_some());
    }
}

#[tokio::test]
async fn a_request_is_cancelled_until_it_is_delivered() {
    for world in worlds().await {
        let queue = &world.queue;
        let id = world.accept(intake(request("/a"))).await;
        assert_eq!(queue.cancel("q", &id).await.unwrap(), Cancelled::Unknown);
        assert_eq!(queue.cancel("p", "r").await.unwrap(), Cancelled::Unknown);
        assert_eq!(queue.cancel("p", &id).await.unwrap(), Cancelled::Done);
        assert_eq!(queue.cancel("p", &id).await.unwrap(), Cancelled::TooLate);
        assert_eq!(world.status(&id).await.state, State::Cancelled);

        let mut hand = world.start();
        let id = world.accept(intake(request("/b"))).await;
        let carried = hand.next().await;
        assert_eq!(carried.attempt.request.path, "/b", "the other one is gone");
        assert_eq!(queue.cancel("p", &id).await.unwrap(), Cancelled::TooLate);
        carried.answer.send(unreachable()).unwrap();
        world.until(&id, State::Waiting).await;
        assert_eq!(queue.cancel("p", &id).await.unwrap(), Cancelled::Done);
        let status = world.status(&id).await;
        assert_eq!((status.state, status.attempts.len()), (State::Cancelled, 1));
    }
}

#[tokio::test]
async fn who_waits_is_told_at_the_end_and_strangers_nothing() {
    for world in worlds().await {
        let mut hand = world.start();
        let id = world.accept(intake(request("/a"))).await;
        let long = Duration::from_mins(1);
        let answers = async {
            hand.answer(answered(200)).await;
        };
        let (status, ()) = tokio::join!(world.queue.status("p", &id, long), answers);
        assert_eq!(status.unwrap().unwrap().state, State::Succeeded);
        assert_eq!(world.queue.status("q", &id, long).await.unwrap(), None);
        assert_eq!(world.queue.status("p", "r", long).await.unwrap(), None);
        let id = world.accept(intake(request("/a"))).await;
        let short = Duration::from_millis(1);
        let status = world.queue.status("p", &id, short).await.unwrap().unwrap();
        assert!(!status.state.is_final());
    }
}

#[tokio::test]
async fn what_is_stored_cannot_be_read_and_is_nothing_without_the_organisation() {
    for world in worlds().await {
        let mut sent = intake(request("/canary-path"));
        sent.request.body = Bytes::from_static(b"canary-body");
        sent.request.query = Some("canary-query".to_owned());
        sent.caller = Bytes::from_static(b"canary-caller");
        sent.ordering = Ordering::read(Some("canary-ordering"), None).unwrap();
        sent.idempotency = Some("canary-idempotency".parse().unwrap());
        let id = world.accept(sent).await;
        let mut hand = world.start();
        hand.answer(answered(400)).await;
        let failed = world.until(&id, State::Failed).await;
        assert!(failed.response.is_some());
        let waiting = world.accept(intake(request("/b"))).await;
        let carried = hand.next().await;
        if world.region.store.url().starts_with("sqlite") {
            for entry in std::fs::read_dir(world.region.store.folder()).unwrap() {
                let bytes = std::fs::read(entry.unwrap().path()).unwrap();
                let has_canary = bytes.windows(7).any(|seen| seen == b"canary-");
                assert!(!has_canary);
            }
        }
        // A full sync that does not know the organisation: its key is gone.
        world.region.ingest.apply_full(2, Vec::new()).await.unwrap();
        carried.answer.send(answered(200)).unwrap();
        for gone in [&id, &waiting] {
            let status = world.queue.status("p", gone, Duration::ZERO).await;
            assert_eq!(status.unwrap(), None);
        }
        let refused = world.queue.accept(intake(request("/c"))).await;
        assert!(matches!(refused, Err(IntakeError::Away)), "{refused:?}");
    }
}
