//! Creating, changing and deleting proxies: what they bind must belong together.

use std::collections::BTreeSet;

use requestrocket_policy::secret_form::auth_type::Side;
use sqlx::error::DatabaseError;

use super::destination::check_destinations;
use super::regions;
use crate::domain::account::audit::{Entry, Subject as _};
use crate::domain::gateway::proxy::{PlacedProxy, Proxy, ProxyForm};
use crate::domain::gateway::region::RegionName;
use crate::domain::guard::attachment::AttachedTo;
use crate::domain::id::{CredentialId, ProxyId};
use crate::domain::label::Labelled;
use crate::error::{ApiError, ApiResult, Code, id};
use crate::identity::caller::Scope;
use crate::service::ceiling::{self, Counted};
use crate::service::change::Change;
use crate::service::guard::weight::check_proxies;
use crate::store::gateway::credential::credential_fetch;
use crate::store::gateway::proxy::{
    proxy_alias_is_taken, proxy_delete, proxy_fetch, proxy_insert, proxy_update,
};
use crate::store::gateway::region::region_fetch;
use crate::store::gateway::target::target_fetch;
use crate::store::guard::attached::attached_ids;
use crate::store::log::write::{Done, Kind, Over, Write};
use requestrocket_policy::form::problem::{Fault, Problems};

/// A proxy's form, and which of its references the caller did not touch: those may name records
/// that were deleted by force.
#[derive(Clone, Debug)]
pub struct ProxyChange {
    /// What it is to be.
    pub new: Labelled<ProxyForm>,
    /// The target is as it was.
    pub keeps_target: bool,
    /// The target credential is as it was.
    pub keeps_target_credential: bool,
}

/// Adds a proxy.
///
/// # Errors
/// Its region cannot be used, its references do not fit or bring too much together, or its alias is
/// taken.
pub async fn create(
    change: &Change,
    scope: &Scope,
    region: RegionName,
    new: Labelled<ProxyForm>,
) -> ApiResult<(PlacedProxy, Done)> {
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let counted = Counted::Proxies(scope.id());
    ceiling::check(&change.state, &mut write, counted).await?;
    let mut problems = Problems::default();
    let organisation = &scope.organisation;
    regions::check(
        write.conn(),
        organisation,
        &region,
        "proxyRegion",
        &mut problems,
    )
    .await?;
    let row = region_fetch(write.conn(), region.as_str()).await?;
    let region_base_url = row.and_then(|row| row.base_url);
    let mut proxy = Proxy {
        id: ProxyId::random(),
        organisation: scope.id(),
        region,
        form: new.form,
        labels: new.labels,
        has_target: false,
        has_target_credential: false,
        created_at: write.now(),
        updated_at: write.now(),
        created_by: scope.actor.clone(),
        revision: 0,
    };
    bind(&mut write, &mut proxy, (false, false), &mut problems).await?;
    problems.check()?;
    check_alias(&mut write, &proxy).await?;
    // Late, because from here on no other change can draw one.
    proxy.revision = write.revision().await?;
    let inserted = proxy_insert(write.conn(), &proxy).await;
    inserted.map_err(alias_or_fault)?;
    check_uses(&mut write, &proxy).await?;
    write
        .touch(&proxy.region, Kind::Proxy, &proxy.id.to_string())
        .await?;
    let placed = PlacedProxy {
        desired_revision: proxy.revision,
        region_base_url,
        proxy,
    };
    let done = change.commit(write, Entry::created(&placed)).await?;
    Ok((placed, done))
}

/// Changes a proxy to what `read` makes of its present state.
///
/// # Errors
/// There is none, `If-Match` names another version, `read` found problems, its references do not
/// fit or bring too much together, or its alias is taken.
pub async fn update(
    change: &Change,
    scope: &Scope,
    proxy: &str,
    read: impl FnOnce(&PlacedProxy) -> Result<ProxyChange, Problems>,
) -> ApiResult<(PlacedProxy, Done)> {
    let proxy: ProxyId = id(proxy)?;
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let found = proxy_fetch(write.conn(), scope.id(), proxy).await?;
    let mut placed = found.ok_or_else(ApiError::not_found)?;
    change.expects(placed.proxy.revision)?;
    let ProxyChange {
        new,
        keeps_target,
        keeps_target_credential,
    } = read(&placed)?;
    let before = placed.members();
    let proxy = &mut placed.proxy;
    let concerns_regions = new.concerns_regions(&proxy.form, &proxy.labels);
    proxy.form = new.form;
    proxy.labels = new.labels;
    let mut problems = Problems::default();
    let keeps = (keeps_target, keeps_target_credential);
    bind(&mut write, proxy, keeps, &mut problems).await?;
    problems.check()?;
    check_alias(&mut write, proxy).await?;
    proxy.updated_at = write.now();
    proxy.revision = write.version_after(proxy.revision);
    let updated = proxy_update(write.conn(), proxy).await;
    updated.map_err(alias_or_fault)?;
    if concerns_regions {
        check_uses(&mut write, proxy).await?;
        write
            .touch(&proxy.region, Kind::Proxy, &proxy.id.to_string())
            .await?;
        placed.desired_revision = write.revision().await?;
    }
    let entry = Entry::updated(before, &placed);
    let done = change.commit(write, entry).await?;
    Ok((placed, done))
}

/// Deletes a proxy; its credentials and its target stay.
///
/// # Errors
/// There is none, or it is another version.
pub async fn delete(change: &Change, scope: &Scope, proxy: &str) -> ApiResult<Done> {
    let proxy: ProxyId = id(proxy)?;
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let found = proxy_fetch(write.conn(), scope.id(), proxy).await?;
    let placed = found.ok_or_else(ApiError::not_found)?;
    let proxy = &placed.proxy;
    change.expects(proxy.revision)?;
    let attached = attached_ids(write.conn(), scope.id(), AttachedTo::Proxy(proxy.id)).await?;
    proxy_delete(write.conn(), scope.id(), proxy.id).await?;
    write
        .removed(&proxy.region, Kind::Proxy, &proxy.id.to_string())
        .await?;
    let entry = attached.along(Entry::deleted(&placed));
    Ok(change.commit(write, entry).await?)
}

/// What it brings together: not too much, and no credential for another host.
async fn check_uses(write: &mut Write, proxy: &Proxy) -> ApiResult<()> {
    let (organisation, used) = (proxy.organisation, AttachedTo::Proxy(proxy.id));
    check_proxies(write.conn(), organisation, used).await?;
    let field = "proxyTargetCredentialId";
    check_destinations(write.conn(), organisation, used, field).await
}

/// Notes every reference that does not fit, and whether target and target credential exist.
async fn bind(
    write: &mut Write,
    proxy: &mut Proxy,
    (keeps_target, keeps_credential): (bool, bool),
    problems: &mut Problems,
) -> ApiResult<()> {
    let mut seen = BTreeSet::new();
    for (index, credential) in proxy.form.proxy_credentials.iter().enumerate() {
        let field = format!("proxyProxyCredentialIds[{index}]");
        if seen.insert(*credential) {
            check_credential(write, proxy, (*credential, Side::Proxy), &field, problems).await?;
        } else {
            problems.add(Fault::ValidationFailed, field, "is repeated");
        }
    }
    let target = target_fetch(write.conn(), proxy.organisation, proxy.form.target).await?;
    proxy.has_target = target.is_some();
    match target {
        Some(target) if target.region != proxy.region => {
            problems.add(
                Fault::RegionMismatch,
                "proxyTargetId",
                "is of another region",
            );
        }
        None if !keeps_target => not_found("proxyTargetId", problems),
        Some(_) | None => {}
    }
    let credential = (proxy.form.target_credential, Side::Target);
    let mut found = Problems::default();
    proxy.has_target_credential = check_credential(
        write,
        proxy,
        credential,
        "proxyTargetCredentialId",
        &mut found,
    )
    .await?;
    // A deleted one may stay named while other things change; one that is there has to fit.
    if proxy.has_target_credential || !keeps_credential {
        found
            .into_parts()
            .0
            .into_iter()
            .for_each(|problem| problems.push(problem));
    }
    Ok(())
}

/// Whether the credential exists; notes when it does not fit.
async fn check_credential(
    write: &mut Write,
    proxy: &Proxy,
    (credential, side): (CredentialId, Side),
    field: &str,
    problems: &mut Problems,
) -> ApiResult<bool> {
    let found = credential_fetch(write.conn(), proxy.organisation, credential).await?;
    let Some(credential) = found else {
        not_found(field, problems);
        return Ok(false);
    };
    if credential.region != proxy.region {
        problems.add(Fault::RegionMismatch, field, "is of another region");
    }
    if credential.side != side {
        let text = format!("is not a {} credential", side.as_str());
        problems.add(Fault::CredentialTypeMismatch, field, text);
    }
    Ok(true)
}

/// The same for ids that are unknown and ids of other organisations.
fn not_found(field: &str, problems: &mut Problems) {
    problems.add(
        Fault::ReferenceNotFound,
        field,
        "names no record of the organisation",
    );
}

async fn check_alias(write: &mut Write, proxy: &Proxy) -> ApiResult<()> {
    let Some(alias) = &proxy.form.alias else {
        return Ok(());
    };
    if !proxy_alias_is_taken(write.conn(), &proxy.region, alias, proxy.id).await? {
        return Ok(());
    }
    Err(alias_taken())
}

/// Another organisation, whose changes do not wait for ours, may have taken the alias since that
/// look. Nothing else of a proxy is unique but its random id.
fn alias_or_fault(error: sqlx::Error) -> ApiError {
    let database = error.as_database_error();
    if database.is_some_and(DatabaseError::is_unique_violation) {
        return alias_taken();
    }
    error.into()
}

fn alias_taken() -> ApiError {
    let error = ApiError::new(
        Code::AliasTaken,
        "another proxy of the region has this alias",
    );
    error.with_detail("proxyAlias", "is taken")
}
