//! Answers that go on: a task makes them piece by piece, no faster than they are taken, for as long as
//! their reader is there and may have them.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use requestrocket_process::tasks::TaskSet;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult};
use crate::identity::caller::{Caller, Scope};
use crate::state::AppState;

/// Pieces that were made and not taken.
const WAITING: usize = 1;
/// Who takes no piece for so long has gone.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks whether the reader may go on: who is removed reads nothing a second later.
const RECHECK: Duration = Duration::from_millis(500);

/// Takes the pieces of an answer.
#[derive(Debug)]
pub struct Pieces {
    sender: mpsc::Sender<Option<Bytes>>,
    patience: Duration,
}

/// Somebody who reads, as long as that is permitted.
#[derive(Debug)]
pub struct Reader {
    /// What the process has.
    pub state: AppState,
    caller: Caller,
    organisation: String,
    permission: Permission,
}

/// Nobody reads any more, or nobody may.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// The reader went.
    #[error("nobody reads any more")]
    Gone,
    /// The rest cannot be made, or the reader may not have it.
    #[error("the answer cannot go on")]
    Refused(ApiError),
}

impl From<ApiError> for Ended {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl From<sqlx::Error> for Ended {
    fn from(error: sqlx::Error) -> Self {
        Self::Refused(error.into())
    }
}

impl Pieces {
    /// Hands on a piece; waits until the one before is taken.
    ///
    /// # Errors
    /// Nobody takes it.
    pub async fn send(&self, piece: impl Into<Bytes>) -> Result<(), Ended> {
        self.hand_on(Some(piece.into())).await
    }

    async fn hand_on(&self, piece: Option<Bytes>) -> Result<(), Ended> {
        let sent = timeout(self.patience, self.sender.send(piece)).await;
        sent.map_err(|_| Ended::Gone)?.map_err(|_| Ended::Gone)
    }
}

impl Reader {
    /// The caller of an organisation, who may read by that permission.
    pub fn new(state: &AppState, caller: Caller, scope: &Scope, permission: Permission) -> Self {
        Self {
            state: state.clone(),
            caller,
            organisation: scope.id().to_string(),
            permission,
        }
    }

    /// Does `work` to its end, or until the reader may no longer read, whatever it waits for then.
    ///
    /// # Errors
    /// What `work` says; the token or session ended, or its user lost the permission.
    pub async fn while_permitted<T>(
        &self,
        work: impl Future<Output = Result<T, Ended>>,
    ) -> Result<T, Ended> {
        tokio::select! {
            done = work => done,
            refused = self.refused() => Err(Ended::Refused(refused)),
        }
    }

    async fn refused(&self) -> ApiError {
        loop {
            tokio::time::sleep(RECHECK).await;
            if let Err(error) = self.check().await {
                return error;
            }
        }
    }

    /// Refuses who may no longer read.
    ///
    /// # Errors
    /// The token or session ended, or its user lost the permission.
    pub async fn check(&self) -> ApiResult<()> {
        self.caller.recheck(&self.state).await?;
        let (organisation, permission) = (&self.organisation, self.permission);
        Scope::enter(&self.state, &self.caller, organisation, permission).await?;
        Ok(())
    }
}

/// An answer of that type, which `make` makes. It is whole only when that has succeeded: else its
/// reader sees that it was cut.
pub fn streamed<F>(
    tasks: &TaskSet,
    content_type: &'static str,
    make: impl FnOnce(Pieces) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = Result<Pieces, Ended>> + Send,
{
    let mut response = streamed_within(PATIENCE, tasks, make).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn streamed_within<F>(
    patience: Duration,
    tasks: &TaskSet,
    make: impl FnOnce(Pieces) -> F + Send + 'static,
) -> Body
where
    F: Future<Output = Result<Pieces, Ended>> + Send,
{
    let (pieces, taken) = mpsc::channel(WAITING);
    let stopping = tasks.stopping();
    tasks.spawn("streamed answer", async move {
        let all = async {
            let sender = pieces.clone();
            let pieces = make(Pieces { sender, patience }).await?;
            pieces.hand_on(None).await
        };
        tokio::select! {
            whole = all => if let Err(Ended::Refused(error)) = whole {
                tracing::info!(code = error.code().as_str(), "a streamed answer was cut");
            },
            () = pieces.closed() => {}
            () = stopping.cancelled() => {}
        }
        Ok(())
    });
    let body = futures::stream::unfold(Some(taken), async |taken| {
        let mut taken = taken?;
        match taken.recv().await {
            Some(Some(piece)) => Some((Ok(piece), Some(taken))),
            Some(None) => None,
            // Without its last chunk the reader sees that it was cut (RFC 9112 §8).
            None => Some((Err(io::Error::from(io::ErrorKind::UnexpectedEof)), None)),
        }
    });
    Body::from_stream(body)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use axum::body::BodyDataStream;
    use futures::StreamExt as _;

    use super::*;

    /// Pieces without an end, and how many were begun.
    fn endless(patience: Duration, tasks: &TaskSet) -> (BodyDataStream, Arc<AtomicU32>) {
        let begun = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&begun);
        let body = streamed_within(patience, tasks, async move |pieces: Pieces| {
            loop {
                count.fetch_add(1, Ordering::SeqCst);
                pieces.send("piece").await?;
            }
        });
        (body.into_data_stream(), begun)
    }

    /// Until every task of this thread waits.
    async fn all_wait() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn no_more_is_made_than_is_taken() {
        let tasks = TaskSet::default();
        let (mut body, begun) = endless(PATIENCE, &tasks);
        for taken in 0..5 {
            all_wait().await;
            let ahead = begun.load(Ordering::SeqCst) - taken;
            assert_eq!(ahead, 2, "one waits to be taken, and one for that");
            assert!(body.next().await.unwrap().is_ok());
        }
        drop(body);
        tasks.shutdown().await;
    }

    #[tokio::test]
    async fn who_takes_nothing_is_cut() {
        let tasks = TaskSet::default();
        let (mut body, _) = endless(Duration::ZERO, &tasks);
        all_wait().await;
        tasks.shutdown().await;
        assert!(body.next().await.unwrap().is_ok());
        assert!(
            body.next().await.unwrap().is_err(),
            "it does not seem whole"
        );
        assert!(body.next().await.is_none());
    }

    #[tokio::test]
    async fn it_ends_with_its_reader_and_with_the_process() {
        let tasks = TaskSet::default();
        let (gone, _) = endless(PATIENCE, &tasks);
        drop(gone);
        let (mut read, _) = endless(PATIENCE, &tasks);
        assert!(read.next().await.unwrap().is_ok());
        tasks.shutdown().await;
        let rest: Vec<_> = read.collect().await;
        assert!(rest.last().unwrap().is_err());
    }

    #[tokio::test]
    async fn what_was_made_to_its_end_is_whole() {
        let tasks = TaskSet::default();
        let response = streamed(&tasks, "text/plain", async move |pieces: Pieces| {
            pieces.send("piece").await?;
            Ok(pieces)
        });
        let bytes = axum::body::to_bytes(response.into_body(), 100).await;
        assert_eq!(bytes.unwrap(), "piece");
    }
}
