//! The two secrets of a target credential: another second one, and which of them targets are given.

use requestrocket_policy::secret::SecretBytes;

use super::sealed::sealed;
use crate::domain::account::audit::{Entry, Subject as _};
use crate::domain::gateway::credential::Credential;
use crate::domain::gateway::slot::{NextSecret, Slot};
use crate::domain::id::CredentialId;
use crate::domain::moment::Moment;
use crate::error::{ApiError, ApiResult, id};
use crate::identity::caller::Scope;
use crate::service::change::Change;
use crate::store::gateway::credential::credential_fetch;
use crate::store::gateway::next_secret::{next_promote, next_replace, next_switch};
use crate::store::log::write::{Done, Kind, Over, Write};

/// What is to become of the second secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextChange {
    /// It stays, or there is none.
    Keep,
    /// There is none any more. The one that targets are given stays.
    End,
    /// Targets are given it from another moment on; none: not before somebody says so.
    At(Option<Moment>),
    /// There is another one, of the credential's type, as JSON text.
    Given(SecretBytes, Option<Moment>),
}

/// Why a second secret is not given any more.
pub const FAILED: &str = "was refused by targets; send another one";

/// Makes of the second secret what was asked for; true: its region has to hear of it. What takes the
/// place of a secret that targets are given makes that one the first.
pub(super) async fn change(
    write: &mut Write,
    credential: &mut Credential,
    change: NextChange,
) -> ApiResult<bool> {
    match change {
        NextChange::Keep => Ok(false),
        NextChange::End => {
            let is_any = credential.next.is_some();
            settle(write, credential).await?;
            Ok(is_any)
        }
        NextChange::At(switch_at) => {
            let Some(next) = credential.next.as_mut() else {
                return Ok(false);
            };
            let is_other = next.switch_at != switch_at;
            next.switch_at = switch_at;
            next_switch(write.conn(), credential).await?;
            Ok(is_other)
        }
        NextChange::Given(secret, switch_at) => {
            let version = credential.newest_version() + 1;
            settle(write, credential).await?;
            credential.next = Some(NextSecret {
                version,
                switch_at,
                failed_at: None,
            });
            let sealed = sealed(write.conn(), (credential, version), Some(&secret)).await?;
            let revision = write.revision().await?;
            next_replace(write.conn(), credential, sealed.as_deref(), revision).await?;
            Ok(true)
        }
    }
}

/// A new first secret was given: a second one that targets were given, or refused, is over, and so is
/// one of another type.
pub(super) async fn replaced(
    write: &mut Write,
    credential: &mut Credential,
    is_other_type: bool,
) -> ApiResult<()> {
    let now = write.now();
    let is_over =
        |next: &NextSecret| is_other_type || next.failed_at.is_some() || next.is_given(now);
    if credential.next.take_if(|next| is_over(next)).is_some() {
        let revision = write.revision().await?;
        next_replace(write.conn(), credential, None, revision).await?;
    }
    Ok(())
}

/// One secret is left: the one that targets are given.
async fn settle(write: &mut Write, credential: &mut Credential) -> ApiResult<()> {
    let now = write.now();
    let Some(next) = credential.next.take() else {
        return Ok(());
    };
    let revision = write.revision().await?;
    if next.is_given(now) {
        credential.version = next.version;
        next_promote(write.conn(), credential, revision).await?;
    } else {
        next_replace(write.conn(), credential, None, revision).await?;
    }
    Ok(())
}

/// Has targets given one of the two secrets from now on.
///
/// # Errors
/// There is no such credential, it is another version, there is no second secret, or targets refused
/// it.
pub async fn switch(
    change: &Change,
    scope: &Scope,
    credential: &str,
    slot: Slot,
) -> ApiResult<(Credential, Done)> {
    let credential: CredentialId = id(credential)?;
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let found = credential_fetch(write.conn(), scope.id(), credential).await?;
    let mut credential = found.ok_or_else(ApiError::not_found)?;
    change.expects(credential.revision)?;
    let now = write.now();
    let is_other = credential.active_slot(now) != slot;
    let missing = || ApiError::invalid("slot", "there is no `credentialNext`");
    let before = credential.members();
    let next = credential.next.as_mut();
    match (next, slot) {
        (None, Slot::Next) => return Err(missing()),
        (Some(next), Slot::Next) if next.failed_at.is_some() => {
            return Err(ApiError::invalid(
                "slot",
                format!("`credentialNext` {FAILED}"),
            ));
        }
        (Some(next), Slot::Next) if is_other => next.switch_at = Some(now),
        // One that is to come at its moment stays so.
        (Some(next), Slot::Current) if is_other => next.switch_at = None,
        (None | Some(_), _) => {}
    }
    credential.updated_at = now;
    credential.revision = write.version_after(credential.revision);
    next_switch(write.conn(), &credential).await?;
    if is_other {
        let id = credential.id.to_string();
        write
            .touch(&credential.region, Kind::Credential, &id)
            .await?;
    }
    let entry = Entry::changed(before, &credential, "switch");
    let done = change.commit(write, entry).await?;
    Ok((credential, done))
}
