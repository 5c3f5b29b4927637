//! Creating, changing and deleting organisations.

use crate::domain::account::audit::{Entry, Log, Subject as _};
use crate::domain::gateway::region::RegionName;
use crate::domain::id::{OrganisationId, UserId};
use crate::domain::label::{Labelled, Labels};
use crate::domain::name::Name;
use crate::domain::people::member::{Member, Roles};
use crate::domain::people::organisation::{
    Limits, Organisation, OrganisationStatus, Plan, Standing,
};
use crate::error::{ApiError, ApiResult, Code};
use crate::service::ceiling::{self, Counted};
use crate::service::change::Change;
use crate::store::gateway::region::region_fetch;
use crate::store::log::write::{Done, Over, Write};
use crate::store::people::member::member_insert;
use crate::store::people::organisation::{
    organisation_delete, organisation_fetch, organisation_insert, organisation_proxies,
    organisation_resources, organisation_update,
};
use crate::store::people::user::user_fetch;
use requestrocket_policy::form::problem::{Fault, Problems};

/// What an organisation is limited to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Copied to new proxies.
    pub limits: Limits,
    /// Where it may have resources; empty for everywhere.
    pub allowed_regions: Vec<RegionName>,
}

/// What may change of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// For people.
    pub name: Name,
    /// Of who is no operator as it was.
    pub plan: Plan,
    /// Of who is no operator as it was.
    pub status: OrganisationStatus,
    /// What it is limited to.
    pub configuration: Configuration,
    /// By what it is found.
    pub labels: Labels,
}

impl Settings {
    /// What they are now.
    #[must_use]
    pub fn of(organisation: &Organisation) -> Self {
        Self {
            name: organisation.name.clone(),
            plan: organisation.plan,
            status: organisation.status,
            configuration: Configuration {
                limits: organisation.limits.clone(),
                allowed_regions: organisation.allowed_regions.clone(),
            },
            labels: organisation.labels.clone(),
        }
    }
}

/// Adds an organisation on plan basic, with `owner` as its owner.
///
/// # Errors
/// A region is unknown.
pub async fn create(
    change: &Change,
    owner: UserId,
    name: Name,
    new: Labelled<Configuration>,
) -> ApiResult<(Organisation, Done)> {
    let mut write = change.begin(Over::User(owner)).await?;
    ceiling::check(&change.state, &mut write, Counted::Organisations(owner)).await?;
    let (configuration, labels) = (new.form, new.labels);
    check_regions(&mut write, &configuration, "configuration.regions").await?;
    let now = write.now();
    let user = user_fetch(write.conn(), owner)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let revision = write.revision().await?;
    let organisation = Organisation {
        id: OrganisationId::random(),
        name,
        plan: Plan::Basic,
        status: OrganisationStatus::Active,
        // Who pays in advance pays before the first call.
        standing: match change.state.billing {
            Some(_) => Standing::Suspended,
            None => Standing::Ok,
        },
        limits: configuration.limits,
        allowed_regions: configuration.allowed_regions,
        labels,
        created_at: now,
        updated_at: now,
        created_by: owner.to_string(),
        revision,
    };
    let member = Member {
        organisation: organisation.id,
        user: owner,
        profile: user.profile,
        roles: Roles::owner(),
        created_at: now,
        updated_at: now,
        created_by: owner.to_string(),
        revision,
    };
    organisation_insert(write.conn(), &organisation).await?;
    member_insert(write.conn(), &member).await?;
    write
        .touch_organisation(&organisation.id.to_string())
        .await?;
    let done = change.commit(write, Entry::created(&organisation)).await?;
    Ok((organisation, done))
}

/// Changes an organisation to what `read` makes of its present state; `regions_field` is where
/// the caller wrote the regions.
///
/// # Errors
/// `If-Match` names another version, a region is unknown, or `read` refuses.
pub async fn update(
    change: &Change,
    organisation: OrganisationId,
    regions_field: &str,
    read: impl FnOnce(&Organisation) -> ApiResult<Settings>,
) -> ApiResult<(Organisation, Done)> {
    let mut write = change.begin(Over::Organisation(organisation)).await?;
    let found = organisation_fetch(write.conn(), organisation).await?;
    let mut organisation = found.ok_or_else(ApiError::not_found)?;
    change.expects(organisation.revision)?;
    let Settings {
        name,
        plan,
        status,
        configuration,
        labels,
    } = read(&organisation)?;
    let before = organisation.members();
    check_regions(&mut write, &configuration, regions_field).await?;
    let credential_limit =
        plan.credential_requests_per_minute(configuration.limits.credential_requests_per_minute);
    // Regions are told no more of an organisation.
    if (status, credential_limit) != (organisation.status, organisation.credential_limit()) {
        write
            .touch_organisation(&organisation.id.to_string())
            .await?;
    }
    organisation.name = name;
    organisation.plan = plan;
    organisation.status = status;
    organisation.limits = configuration.limits;
    organisation.allowed_regions = configuration.allowed_regions;
    organisation.labels = labels;
    organisation.updated_at = write.now();
    organisation.revision = write.version_after(organisation.revision);
    organisation_update(write.conn(), &organisation).await?;
    let entry = Entry::updated(before, &organisation);
    let done = change.commit(write, entry).await?;
    Ok((organisation, done))
}

/// Deletes an organisation and all that it owns; with `force` also while it has proxies.
///
/// # Errors
/// `If-Match` names another version, or the organisation has proxies.
pub async fn delete(change: &Change, organisation: OrganisationId) -> ApiResult<Done> {
    let mut write = change.begin(Over::Organisation(organisation)).await?;
    let found = organisation_fetch(write.conn(), organisation).await?;
    let organisation = found.ok_or_else(ApiError::not_found)?;
    change.expects(organisation.revision)?;
    let proxies = organisation_proxies(write.conn(), organisation.id).await?;
    if !proxies.is_empty() && !change.is_forced {
        let refusal = ApiError::new(Code::ResourceInUse, "the organisation has proxies");
        return Err(proxies.iter().fold(refusal, |refusal, (id, name)| {
            refusal.with_detail("proxyId", format!("{id} {name}"))
        }));
    }
    // Nobody can read the organisation's own log any more.
    let mut entry = Entry::deleted(&organisation);
    entry.log = Log::Operator;
    for (name, ids) in organisation_resources(write.conn(), organisation.id).await? {
        entry = entry.along(name, ids);
    }
    let revision = write.revision().await?;
    organisation_delete(write.conn(), organisation.id, revision).await?;
    write
        .removed_organisation(&organisation.id.to_string())
        .await?;
    Ok(change.commit(write, entry).await?)
}

async fn check_regions(
    write: &mut Write,
    configuration: &Configuration,
    field: &str,
) -> ApiResult<()> {
    let mut problems = Problems::default();
    for (index, region) in configuration.allowed_regions.iter().enumerate() {
        if region_fetch(write.conn(), region.as_str()).await?.is_none() {
            let field = format!("{field}[{index}]");
            problems.add(Fault::UnknownRegion, field, "names no region");
        }
    }
    Ok(problems.check()?)
}
