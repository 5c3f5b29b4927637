//! Bodies of requests on their way in: bounded each, and all of them together.

use std::sync::Arc;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use requestrocket_policy::denial::{Asynchronous, Denial};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is taken of the room at a time.
const STEP_BYTES: usize = 64 << 10;

/// The room for all bodies that are on their way. Clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Semaphore>);

/// A body that came, and its place. What holds it holds the place.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Bytes,
    _place: Option<OwnedSemaphorePermit>,
}

impl Room {
    pub(super) fn of(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes / STEP_BYTES)))
    }

    /// The whole body, which may have so many bytes.
    pub(super) async fn take(&self, mut body: Body, max_bytes: u64) -> Result<Held, Denial> {
        let (mut whole, mut place) = (BytesMut::new(), None);
        let mut steps = 0;
        while let Some(frame) = body.frame().await {
            // The caller is gone, or its Envoy.
            let frame = frame.map_err(|_| Denial::BadRequest)?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            let length = whole.len().saturating_add(data.len());
            if !u64::try_from(length).is_ok_and(|length| length <= max_bytes) {
                return Err(Denial::RequestTooLarge);
            }
            while steps * STEP_BYTES < length {
                self.widen(&mut place)?;
                steps += 1;
            }
            whole.extend_from_slice(&data);
        }
        Ok(Held {
            bytes: whole.freeze(),
            _place: place,
        })
    }

    fn widen(&self, place: &mut Option<OwnedSemaphorePermit>) -> Result<(), Denial> {
        let step = Arc::clone(&self.0).try_acquire_owned();
        let step = step.map_err(|_| Denial::Asynchronous(Asynchronous::Unavailable))?;
        match place {
            Some(place) => place.merge(step),
            None => *place = Some(step),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn take(room: &Room, bytes: usize, max_bytes: u64) -> Result<Held, Denial> {
        room.take(Body::from(vec![b'x'; bytes]), max_bytes).await
    }

    #[tokio::test]
    async fn a_body_is_whole_or_too_large() {
        let room = Room::of(1 << 20);
        for (bytes, max_bytes, want) in [
            (0, 0, Ok(0)),
            (1, 0, Err(Denial::RequestTooLarge)),
            (70_000, 70_000, Ok(70_000)),
            (70_001, 70_000, Err(Denial::RequestTooLarge)),
        ] {
            let got = take(&room, bytes, max_bytes).await;
            assert_eq!(
                got.map(|held| held.bytes.len()),
                want,
                "{bytes} {max_bytes}"
            );
        }
    }

    #[tokio::test]
    async fn all_bodies_together_have_an_end_and_give_their_room_back() {
        let room = Room::of(3 * STEP_BYTES);
        let first = take(&room, 2 * STEP_BYTES, u64::MAX).await.unwrap();
        let full = Denial::Asynchronous(Asynchronous::Unavailable);
        let second = take(&room, STEP_BYTES + 1, u64::MAX).await;
        assert_eq!(second.map(|_| ()), Err(full));
        take(&room, STEP_BYTES, u64::MAX).await.unwrap();
        drop(first);
        take(&room, 3 * STEP_BYTES, u64::MAX).await.unwrap();
    }
}
