//! Who changes what. Use cases that change something begin and end here; all but the acceptance of an
//! invite, whose actor may be somebody new.

use crate::domain::account::audit::{Entry, Origin};
use crate::domain::version::Expected;
use crate::error::{ApiError, ApiResult, Code};
use crate::identity::caller::Caller;
use crate::state::AppState;
use crate::store::log::write::{Done, Over, Write};

/// A change that somebody asks for: over REST, or on behalf of a job.
#[derive(Debug)]
pub struct Change {
    /// What the process has.
    pub state: AppState,
    /// Who asks.
    pub actor: Caller,
    /// From where.
    pub origin: Origin,
    /// Which version of the record is meant.
    pub expected: Expected,
    /// What others still use goes too.
    pub is_forced: bool,
}

impl Change {
    /// Begins; end it with [`commit`](Self::commit). Others that change the same wait meanwhile.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn begin(&self, over: Over) -> sqlx::Result<Write> {
        let mut write = self.state.begin().await?;
        write.alone_over(over).await?;
        Ok(write)
    }

    /// Refuses to change what is no longer as the actor saw it.
    ///
    /// # Errors
    /// `PRECONDITION_FAILED`.
    pub fn expects(&self, version: u64) -> ApiResult<()> {
        if self.expected.holds(version) {
            return Ok(());
        }
        Err(ApiError::new(
            Code::PreconditionFailed,
            "the resource was changed since `If-Match`",
        ))
    }

    /// Ends the change, of which `entry` tells: whatever is to be kept or sent of it is written in its
    /// transaction, here.
    ///
    /// # Errors
    /// The database does not answer; the change may then be done or not.
    pub async fn commit(&self, write: Write, entry: Entry) -> sqlx::Result<Done> {
        let author = self.actor.author(&self.origin);
        write.commit(&self.state.fleets, &author, entry).await
    }
}
