//! What operators see and do, and what is kept for them.

use super::operators::{Edit, Held, ListedRequest, Replay, Selection};
use super::*;
use crate::fixtures::ORGANISATION;
use crate::queue::breaker::BreakerState;
use crate::queue::machine::Reason;

const PROXY: (&str, &str) = (ORGANISATION, "p");

fn all() -> Selection {
    Selection {
        organisation_id: ORGANISATION.to_owned(),
        proxy_id: "p".to_owned(),
        state: None,
        reason: None,
        from_ms: 0,
        to_ms: u64::MAX,
        before: None,
        limit: 10,
    }
}

impl World {
    async fn listed(&self, selection: Selection) -> Vec<String> {
        let listed = self.queue.list(&selection).await.unwrap();
        listed.into_iter().map(|it| it.request_id).collect()
    }

    /// A request that has failed.
    async fn failed(&self, hand: &mut Hand, intake: Intake) -> String {
        let id = self.accept(intake).await;
        assert_eq!(hand.answer(answered(400)).await.request_id, id);
        self.until(&id, State::Failed).await;
        id
    }
}

/// One that has failed, one that is done, one that waits, and one behind it; all but the last two a
/// second apart.
async fn four(world: &World, hand: &mut Hand) -> [String; 4] {
    let failed = world.failed(hand, intake(request("/a"))).await;
    world.advance(Duration::from_secs(1));
    let done = world.accept(intake(request("/b"))).await;
    hand.answer(answered(200)).await;
    world.until(&done, State::Succeeded).await;
    world.advance(Duration::from_secs(1));
    let waiting = world.accept(ordered("k", false)).await;
    hand.answer(unreachable()).await;
    world.until(&waiting, State::Waiting).await;
    world.clock.advance(Duration::from_millis(1));
    let queued = world.accept(ordered("k", false)).await;
    [failed, done, waiting, queued]
}

#[tokio::test]
async fn requests_are_listed_by_state_reason_and_time_in_pages() {
    for world in worlds().await {
        let mut hand = world.start();
        let ids = four(&world, &mut hand).await;
        let now_ms = world.clock.unix_ms();
        let in_state = |state| Selection {
            state: Some(state),
            ..all()
        };
        let failed_as = |reason| Selection {
            reason: Some(reason),
            ..all()
        };
        let mut other_proxy = all();
        other_proxy.proxy_id = "q".to_owned();
        let mut other_organisation = all();
        other_organisation.organisation_id = "o".to_owned();
        let (mut page, mut older, mut newer) = (all(), all(), all());
        page.limit = 2;
        older.to_ms = now_ms - 1;
        newer.from_ms = now_ms;
        let mut next_page = all();
        next_page.before = Some((now_ms - 1, ids[2].clone()));
        for (selection, want) in [
            (all(), &[3, 2, 1, 0][..]),
            (page, &[3, 2]),
            (next_page, &[1, 0]),
            (older, &[1, 0]),
            (newer, &[3]),
            (in_state(State::Queued), &[3]),
            (in_state(State::Waiting), &[2]),
            (in_state(State::Delivering), &[]),
            (in_state(State::Succeeded), &[1]),
            (in_state(State::Failed), &[0]),
            (failed_as(Reason::TargetRefused), &[0]),
            (failed_as(Reason::Expired), &[]),
            (other_proxy, &[]),
            (other_organisation, &[]),
        ] {
            let want: Vec<String> = want.iter().map(|at| ids[*at].clone()).collect();
            assert_eq!(world.listed(selection.clone()).await, want, "{selection:?}");
        }
    }
}

#[tokio::test]
async fn a_summary_counts_what_is_in_which_state() {
    for world in worlds().await {
        let mut hand = world.start();
        let [failed, ..] = four(&world, &mut hand).await;
        let first = world.queue.list(&all()).await.unwrap().pop().unwrap();
        let want = ListedRequest {
            request_id: failed,
            state: State::Failed,
            reason: Some(Reason::TargetRefused),
            replay_of: None,
            created_at_ms: world.clock.unix_ms() - 2_001,
            attempts: 1,
        };
        assert_eq!(first, want);
        let summary = world.queue.summary(ORGANISATION).await.unwrap();
        let totals = summary.totals;
        let counts = (
            totals.queued,
            totals.waiting,
            totals.delivering,
            totals.failed,
        );
        assert_eq!(counts, (1, 1, 0, 1));
        assert_eq!(summary.oldest_age_ms, Some(1));
        assert_eq!(summary.targets.len(), 1);
        assert_eq!(summary.targets[0].breaker, BreakerState::Closed);
        let other = world.queue.summary("o").await.unwrap();
        assert_eq!((other.totals.queued, other.targets.len()), (0, 0));
    }
}

#[tokio::test]
async fn a_replay_is_a_new_request_as_it_was_or_edited() {
    for world in worlds().await {
        let mut hand = world.start();
        let failed = world.failed(&mut hand, intake(request("/a"))).await;
        world.advance(Duration::from_hours(1));
        let queue = &world.queue;
        let replay = queue.replay(PROXY, &failed, Edit::default()).await.unwrap();
        let Replay::New(id) = replay else {
            panic!("{replay:?}");
        };
        let attempt = hand.answer(answered(200)).await;
        assert_eq!((&attempt.request_id, attempt.number), (&id, 1));
        assert_eq!(attempt.request, request("/a"));
        world.until(&id, State::Succeeded).await;
        let newest = world.queue.list(&all()).await.unwrap().remove(0);
        assert_eq!(
            (newest.request_id, newest.replay_of),
            (id, Some(failed.clone()))
        );

        let edit = Edit {
            method: Some("PUT".to_owned()),
            path: Some("/b?c".to_owned()),
            headers: Some(Vec::new()),
            body: Some(Bytes::from_static(b"d")),
        };
        queue.replay(PROXY, &failed, edit).await.unwrap();
        let want = Request {
            method: "PUT".to_owned(),
            path: "/b".to_owned(),
            query: Some("c".to_owned()),
            headers: Vec::new(),
            body: Bytes::from_static(b"d"),
        };
        assert_eq!(hand.answer(answered(200)).await.request, want);
    }
}

#[tokio::test]
async fn only_what_has_failed_is_replayed_and_by_nobody_else() {
    for world in worlds().await {
        let mut hand = world.start();
        let done = world.accept(intake(request("/a"))).await;
        hand.answer(answered(200)).await;
        world.until(&done, State::Succeeded).await;
        let failed = world.failed(&mut hand, intake(request("/a"))).await;
        for (proxy, id, want) in [
            (PROXY, &done, Replay::NotFailed),
            (PROXY, &"r".to_owned(), Replay::Unknown),
            ((ORGANISATION, "q"), &failed, Replay::Unknown),
            (("o", "p"), &failed, Replay::Unknown),
        ] {
            let replay = world.queue.replay(proxy, id, Edit::default()).await;
            assert_eq!(replay.unwrap(), want, "{proxy:?}");
        }
    }
}

#[tokio::test]
async fn a_replay_of_one_that_stops_takes_its_place() {
    for world in worlds().await {
        let mut hand = world.start();
        let failed = world.failed(&mut hand, ordered("k", true)).await;
        let behind = world.accept(ordered("k", false)).await;
        let replay = world.queue.replay(PROXY, &failed, Edit::default()).await;
        let Replay::New(id) = replay.unwrap() else {
            panic!();
        };
        let carried = hand.next().await;
        assert_eq!(carried.attempt.request_id, id);
        assert_eq!(world.status(&behind).await.state, State::Queued);
        carried.answer.send(answered(200)).unwrap();
        assert_eq!(hand.answer(answered(200)).await.request_id, behind);
        world.until(&behind, State::Succeeded).await;
    }
}

#[tokio::test]
async fn what_is_paused_waits_and_nothing_else_does() {
    for world in worlds().await {
        let mut hand = world.start();
        for held in [Held::Proxy("p".to_owned()), Held::Target("t".to_owned())] {
            world.queue.pause(ORGANISATION, &held).await.unwrap();
            // Another organisation cannot hold it, nor let it go.
            world.queue.resume("o", &held).await.unwrap();
            let waits = world.accept(intake(request("/a"))).await;
            let other = Intake {
                proxy_id: "q".to_owned(),
                target_id: "u".to_owned(),
                ..intake(request("/b"))
            };
            let other = world.accept(other).await;
            assert_eq!(hand.answer(answered(200)).await.request_id, other);
            assert!(hand.is_idle(), "{held:?}");
            assert_eq!(world.status(&waits).await.state, State::Queued);
            world.queue.resume(ORGANISATION, &held).await.unwrap();
            assert_eq!(hand.answer(answered(200)).await.request_id, waits);
            world.until(&waits, State::Succeeded).await;
        }
    }
}

#[tokio::test]
async fn responses_requests_and_keys_are_forgotten_in_their_time() {
    for world in worlds().await {
        let mut hand = world.start();
        let done = Intake {
            idempotency: Some("k".parse().unwrap()),
            keep_response: Duration::from_hours(1),
            ..intake(request("/a"))
        };
        let done = world.accept(done).await;
        hand.answer(answered(200)).await;
        world.until(&done, State::Succeeded).await;
        let failed = world.failed(&mut hand, intake(request("/b"))).await;
        let is_there = async |id: &String| world.queue.status("p", id, Duration::ZERO).await;
        let hour = Duration::from_hours(1);
        for (hours, has_response, has_done, has_failed) in [
            (0, true, true, true),
            (1, false, true, true),
            (23, false, false, true),
            (14 * 24 - 24 - 1, false, false, true),
            (1, false, false, false),
        ] {
            world.clock.advance(hour * hours);
            upkeep::forget(&world.queue).await.unwrap();
            let status = is_there(&done).await.unwrap();
            assert_eq!(status.is_some(), has_done, "{hours}");
            let has = status.is_some_and(|status| status.response.is_some());
            assert_eq!(has, has_response, "{hours}");
            assert_eq!(
                is_there(&failed).await.unwrap().is_some(),
                has_failed,
                "{hours}"
            );
        }
    }
}

#[tokio::test]
async fn who_has_too_much_waiting_has_nothing_accepted_until_it_is_less() {
    for world in worlds().await {
        let id = world.accept(intake(request("/a"))).await;
        for (most, is_full) in [
            ((1, u64::MAX), true),
            ((2, u64::MAX), false),
            ((2, 1), true),
        ] {
            upkeep::look(&world.queue, most).await.unwrap();
            let accepted = world.queue.accept(intake(request("/b"))).await;
            match accepted {
                Err(IntakeError::Full) => assert!(is_full, "{most:?}"),
                Ok(Accepted::New(new)) => {
                    assert!(!is_full, "{most:?}");
                    world.queue.cancel("p", &new).await.unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
        world.queue.cancel("p", &id).await.unwrap();
        upkeep::look(&world.queue, (1, u64::MAX)).await.unwrap();
        world.accept(intake(request("/b"))).await;
    }
}
