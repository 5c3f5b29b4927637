//! Creating, rotating and deleting credentials. A secret is sealed before it is stored.

use std::time::Duration;

use requestrocket_policy::secret::{SecretBytes, SecretText};
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use serde_json::json;

use super::consents::{self, ConsentLink};
use super::destination::check_destinations;
use super::regions;
use super::release::{Bound, release};
use super::sealed::sealed;
use super::slots::{self, NextChange};
use crate::domain::account::audit::{Entry, Subject as _};
use crate::domain::gateway::api_key;
use crate::domain::gateway::consent::{ConsentPage, ConsentState};
use crate::domain::gateway::credential::{Credential, CredentialForm};
use crate::domain::gateway::region::RegionName;
use crate::domain::guard::attachment::AttachedTo;
use crate::domain::id::CredentialId;
use crate::domain::label::Labelled;
use crate::error::{ApiError, ApiResult, id};
use crate::identity::caller::Scope;
use crate::service::ceiling::{self, Counted};
use crate::service::change::Change;
use crate::store::gateway::consent::consent_request_forget;
use crate::store::gateway::credential::{
    credential_delete, credential_fetch, credential_insert, credential_previous_end,
    credential_secret_update, credential_update,
};
use crate::store::guard::attached::attached_ids;
use crate::store::log::write::{Done, Kind, Over};
use requestrocket_policy::form::problem::Problems;

/// What a caller sent as a new secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewSecret {
    /// None is needed.
    None,
    /// This one, as JSON text.
    Given(SecretBytes),
    /// The same, with which nothing is obtained before somebody has consented there.
    ToConsent(SecretBytes, Box<ConsentPage>),
    /// A key of ours, shown once.
    Generate,
}

/// A credential to be made.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// Where it is used.
    pub region: RegionName,
    /// Fixed from now on.
    pub side: Side,
    /// What the secret was read as.
    pub auth_type: AuthType,
    /// What else was decided.
    pub new: Labelled<CredentialForm>,
    /// Sealed before anything is stored.
    pub secret: NewSecret,
}

/// A change of a credential.
#[derive(Clone, Debug)]
pub struct ChangedCredential {
    /// Its type; another one only with a new secret.
    pub auth_type: AuthType,
    /// What else was decided.
    pub new: Labelled<CredentialForm>,
    /// The new secret, if there is one.
    pub secret: Option<NewSecret>,
    /// For how long the one before it is still accepted.
    pub overlap: Duration,
    /// What becomes of the second secret.
    pub next: NextChange,
}

/// A credential as it is now.
#[derive(Debug)]
pub struct Written {
    /// The record.
    pub credential: Credential,
    /// The key that was generated, to be shown this once.
    pub generated: Option<SecretText>,
    /// Where somebody has to consent, to be shown this once.
    pub asked: Option<ConsentLink>,
    /// The change.
    pub done: Done,
}

/// Adds a credential.
///
/// # Errors
/// The region is unknown, not the organisation's to use, or has never enrolled.
pub async fn create(change: &Change, scope: &Scope, new: NewCredential) -> ApiResult<Written> {
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let counted = Counted::Credentials(scope.id());
    ceiling::check(&change.state, &mut write, counted).await?;
    let mut problems = Problems::default();
    let organisation = &scope.organisation;
    regions::check(
        write.conn(),
        organisation,
        &new.region,
        "credentialRegion",
        &mut problems,
    )
    .await?;
    problems.check()?;
    let NewCredential {
        region,
        side,
        auth_type,
        new,
        secret,
    } = new;
    let settled = settle(secret, &region)?;
    let credential = Credential {
        id: CredentialId::random(),
        organisation: scope.id(),
        region,
        side,
        auth_type,
        form: new.form,
        labels: new.labels,
        version: 1,
        previous_until: None,
        next: None,
        consent: settled.page.map(|page| to_consent(page, true)),
        created_at: write.now(),
        updated_at: write.now(),
        created_by: scope.actor.clone(),
        revision: write.revision().await?,
    };
    let owner = (&credential, credential.version);
    let sealed = sealed(write.conn(), owner, settled.text.as_ref()).await?;
    credential_insert(write.conn(), &credential, sealed.as_deref()).await?;
    let by = (scope.actor.as_str(), &*change.state.public_url);
    let asked = consents::ask(&mut write, &credential, by).await?;
    write
        .touch(
            &credential.region,
            Kind::Credential,
            &credential.id.to_string(),
        )
        .await?;
    let done = change.commit(write, Entry::created(&credential)).await?;
    Ok(Written {
        credential,
        generated: settled.shown,
        asked,
        done,
    })
}

/// Changes a credential to what `read` makes of its present state.
///
/// # Errors
/// There is none, `If-Match` names another version, or `read` found problems.
pub async fn update(
    change: &Change,
    scope: &Scope,
    credential: &str,
    read: impl FnOnce(&Credential) -> Result<ChangedCredential, Problems>,
) -> ApiResult<Written> {
    let credential: CredentialId = id(credential)?;
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let found = credential_fetch(write.conn(), scope.id(), credential).await?;
    let mut credential = found.ok_or_else(ApiError::not_found)?;
    change.expects(credential.revision)?;
    let ChangedCredential {
        auth_type,
        new,
        secret,
        overlap,
        next,
    } = read(&credential)?;
    let before = credential.members();
    let mut concerns_regions =
        secret.is_some() || new.concerns_regions(&credential.form, &credential.labels);
    credential.form = new.form;
    credential.labels = new.labels;
    credential.updated_at = write.now();
    credential.revision = write.version_after(credential.revision);
    credential_update(write.conn(), &credential).await?;
    let (mut shown, mut asked) = (None, None);
    if let Some(secret) = secret {
        let settled = settle(secret, &credential.region)?;
        let is_other_type = credential.auth_type != auth_type;
        credential.auth_type = auth_type;
        credential.version = credential.newest_version() + 1;
        credential.previous_until = (!overlap.is_zero()).then(|| write.now().plus(overlap));
        let consent = credential.consent.as_ref();
        let was_temporary = consent.is_some_and(|it| it.is_temporary);
        credential.consent = settled.page.map(|page| to_consent(page, was_temporary));
        let owner = (&credential, credential.version);
        let sealed = sealed(write.conn(), owner, settled.text.as_ref()).await?;
        let revision = write.revision().await?;
        credential_secret_update(write.conn(), &credential, sealed.as_deref(), revision).await?;
        // A state that is still out belongs to the former secret.
        consent_request_forget(write.conn(), credential.id).await?;
        let by = (scope.actor.as_str(), &*change.state.public_url);
        asked = consents::ask(&mut write, &credential, by).await?;
        shown = settled.shown;
        slots::replaced(&mut write, &mut credential, is_other_type).await?;
    }
    concerns_regions |= slots::change(&mut write, &mut credential, next).await?;
    if concerns_regions {
        let used = AttachedTo::Credential(credential.id);
        check_destinations(write.conn(), scope.id(), used, "credentialAllowedHosts").await?;
        let id = credential.id.to_string();
        write
            .touch(&credential.region, Kind::Credential, &id)
            .await?;
    }
    let entry = Entry::updated(before, &credential);
    let done = change.commit(write, entry).await?;
    Ok(Written {
        credential,
        generated: shown,
        asked,
        done,
    })
}

/// Ends the secret that a credential had before its present one, at once.
///
/// # Errors
/// There is no such credential, it is another version, or nothing of its former secret is accepted.
pub async fn end_previous(change: &Change, scope: &Scope, credential: &str) -> ApiResult<Done> {
    let credential: CredentialId = id(credential)?;
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let found = credential_fetch(write.conn(), scope.id(), credential).await?;
    let mut credential = found.ok_or_else(ApiError::not_found)?;
    change.expects(credential.revision)?;
    let before = credential.members();
    let previous = credential.previous_at(write.now());
    previous.ok_or_else(ApiError::not_found)?;
    credential.updated_at = write.now();
    credential.revision = write.version_after(credential.revision);
    credential_previous_end(write.conn(), &credential).await?;
    credential.previous_until = None;
    let id = credential.id.to_string();
    write
        .touch(&credential.region, Kind::Credential, &id)
        .await?;
    let entry = Entry::updated(before, &credential);
    Ok(change.commit(write, entry).await?)
}

/// Deletes a credential. A proxy credential goes at any time: that is how a caller is revoked.
///
/// # Errors
/// There is none, it is another version, or proxies give it to their targets.
pub async fn delete(change: &Change, scope: &Scope, credential: &str) -> ApiResult<Done> {
    let credential: CredentialId = id(credential)?;
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let found = credential_fetch(write.conn(), scope.id(), credential).await?;
    let credential = found.ok_or_else(ApiError::not_found)?;
    change.expects(credential.revision)?;
    let (bound, is_forced) = match credential.side {
        Side::Proxy => (Bound::ProxyCredential(credential.id), true),
        Side::Target => (Bound::TargetCredential(credential.id), change.is_forced),
    };
    let released = release(&mut write, scope.id(), &credential.region, bound, is_forced).await?;
    let attached_to = AttachedTo::Credential(credential.id);
    let attached = attached_ids(write.conn(), scope.id(), attached_to).await?;
    credential_delete(write.conn(), scope.id(), credential.id).await?;
    write
        .removed(
            &credential.region,
            Kind::Credential,
            &credential.id.to_string(),
        )
        .await?;
    let entry = attached.along(Entry::deleted(&credential));
    Ok(change
        .commit(write, entry.along("proxies", released))
        .await?)
}

/// What a new secret comes to.
struct Settled {
    /// To be sealed.
    text: Option<SecretBytes>,
    /// A key of ours, to be shown.
    shown: Option<SecretText>,
    /// Where somebody has to consent.
    page: Option<ConsentPage>,
}

fn settle(secret: NewSecret, region: &RegionName) -> ApiResult<Settled> {
    let of = |text| Settled {
        text,
        shown: None,
        page: None,
    };
    match secret {
        NewSecret::None => Ok(of(None)),
        NewSecret::Given(text) => Ok(of(Some(text))),
        NewSecret::ToConsent(text, page) => Ok(Settled {
            page: Some(*page),
            ..of(Some(text))
        }),
        NewSecret::Generate => {
            let key = api_key::generate(region).map_err(ApiError::internal)?;
            let text = json!({ "key": key.expose() }).to_string();
            Ok(Settled {
                shown: Some(key),
                ..of(Some(text.into_bytes().into()))
            })
        }
    }
}

/// Nobody has consented yet to the secret that names this page.
fn to_consent(page: ConsentPage, is_temporary: bool) -> ConsentState {
    ConsentState {
        page,
        number: 0,
        is_temporary,
    }
}
