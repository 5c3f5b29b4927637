//! Idempotency keys.

use super::*;

fn keyed(credential: &str, key: &str, path: &str) -> Intake {
    Intake {
        credential_id: credential.to_owned(),
        idempotency: Some(key.parse().unwrap()),
        ..intake(request(path))
    }
}

#[tokio::test]
async fn the_same_request_again_is_the_first_one_for_a_day() {
    for world in worlds().await {
        let queue = &world.queue;
        let first = world.accept(keyed("c", "k", "/a")).await;
        let again = queue.accept(keyed("c", "k", "/a")).await.unwrap();
        assert_eq!(again, Accepted::Replayed(first.clone()));
        let other = queue.accept(keyed("c", "k", "/b")).await;
        assert!(matches!(other, Err(IntakeError::KeyReused)), "{other:?}");
        for other in [keyed("d", "k", "/b"), keyed("c", "l", "/b")] {
            world.accept(other).await;
        }
        world.clock.advance(Duration::from_millis(86_399_999));
        let again = queue.accept(keyed("c", "k", "/a")).await.unwrap();
        assert_eq!(again, Accepted::Replayed(first.clone()));
        world.clock.advance(Duration::from_millis(1));
        assert_ne!(world.accept(keyed("c", "k", "/b")).await, first);
    }
}

#[tokio::test]
async fn of_many_at_once_one_is_stored() {
    for world in worlds().await {
        let neighbour = world.neighbour().await;
        let queues = [&world.queue, &neighbour.queue];
        let all = (0..64).map(|at| queues[at % 2].accept(keyed("c", "k", "/a")));
        let mut new = Vec::new();
        for accepted in futures::future::join_all(all).await {
            match accepted {
                Ok(Accepted::New(id)) => new.push(id),
                Ok(Accepted::Replayed(_)) | Err(IntakeError::KeyBusy) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(new.len(), 1, "{new:?}");
        let again = world.queue.accept(keyed("c", "k", "/a")).await.unwrap();
        assert_eq!(again, Accepted::Replayed(new.remove(0)));
    }
}

#[tokio::test]
async fn a_key_in_hand_is_busy_until_it_is_put_down() {
    let keys = commit::KeysInHand::default();
    let key = keys.take("k").unwrap();
    assert!(keys.take("k").is_none());
    assert!(keys.take("l").is_some());
    drop(key);
    assert!(keys.take("k").is_some());
}
