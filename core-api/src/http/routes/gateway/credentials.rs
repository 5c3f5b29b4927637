//! `/clients/{clientId}/credentials`

mod body;
mod consent;
mod input;
mod next;
mod previous;
mod secret;
mod token;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use body::CredentialInput;
use input::{ADDRESS, Object, read_change, read_new};
use next::{CredentialSlot, NextResource};
use previous::PreviousResource;
use secret::SECRET;
use token::{CredentialState, CredentialTokenResource, State};

use crate::domain::account::audit::{Log, Subject};
use crate::domain::gateway::credential::{Credential, CredentialForm, CredentialStatus};
use crate::domain::moment::Moment;
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, id};
use crate::http::body::Body;
use crate::http::call::{InPath, Mutation, Read};
use crate::http::etag::Tag;
use crate::http::labels;
use crate::http::list::{self, Filters, LabelParams, ListParams, Listed, RawQuery};
use crate::http::routes::shape::{CredentialAuthType, CredentialType, RuleEffect, document};
use crate::region::fleet::Fleets;
use crate::service::gateway::consents::ConsentLink;
use crate::service::gateway::credentials::{self, Written};
use crate::state::AppState;
use crate::store::gateway::credential::{credential_fetch, credential_list};
use requestrocket_policy::secret::SecretText;
use requestrocket_policy::secret_form::auth_type::Side;

const FILTERS: Filters = Filters {
    region: true,
    active: true,
    labels: true,
    priority: false,
    types: &["proxy", "target"],
    temporary: true,
    unread: false,
};

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_credentials, create_credential))
        .routes(routes!(
            get_credential,
            replace_credential,
            change_credential,
            delete_credential
        ))
        .merge(consent::router())
        .merge(previous::router())
        .merge(next::router())
}

/// A credential; its secret is never shown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialResource {
    credential_id: Uuid,
    client_id: Uuid,
    credential_name: String,
    #[schema(value_type = CredentialType)]
    credential_type: &'static str,
    #[schema(value_type = CredentialAuthType)]
    credential_auth_type: &'static str,
    credential_region: String,
    #[schema(value_type = RuleEffect)]
    credential_default_rule_effect: &'static str,
    credential_active: bool,
    /// Of the secret: +1 for every new one.
    credential_version: u64,
    /// Live: a secret that was replaced and is still accepted; null for none.
    credential_previous: Option<PreviousResource>,
    /// The secret that is to take the place of the present one at targets; null for none.
    credential_next: Option<NextResource>,
    /// Live: which of the two targets are given; null of credentials of callers.
    #[schema(value_type = Option<CredentialSlot>)]
    credential_active_slot: Option<&'static str>,
    /// Live: when a call last used it, at most a minute ago known; null: none that the region knows of
    /// did.
    credential_last_used_at: Option<String>,
    /// From then on callers are denied, and targets get nothing; null for never.
    credential_expires_at: Option<String>,
    /// The only hosts of targets that it may be given to; without any it may go to all.
    #[schema(max_items = 32)]
    credential_allowed_hosts: Vec<String>,
    /// Live: the entity tag does not cover it. Of oauth2 and customToken also how obtaining a token
    /// goes, of callers whose keys are fetched how that goes.
    #[schema(value_type = CredentialState)]
    credential_status: &'static str,
    labels: BTreeMap<String, String>,
    /// Of oauth2 and customToken, and of callers whose keys are fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_token: Option<CredentialTokenResource>,
    /// Where somebody has to consent within ten minutes. Only in the answer to what brought a secret
    /// of `authorization_code`, and once.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_url: Option<String>,
    created_by: String,
    created_at: String,
    updated_at: String,
}

impl CredentialResource {
    /// The credential as it is at that moment, with what its region says of its token.
    fn of(credential: &Credential, fleets: &Fleets, now: Moment) -> Self {
        let mut resource = Self::new(credential, now);
        let region = credential.region.as_str();
        let used_at = fleets.last_use(region, credential.id.uuid());
        let used_at = used_at.and_then(Moment::of_unix_ms);
        resource.credential_last_used_at = used_at.map(|at| at.to_string());
        let known = token::known(credential, fleets);
        if token::is_obtained(credential) || known.is_some() {
            if credential.status(now) == CredentialStatus::Active {
                resource.credential_status = token::status(credential, known.as_ref()).as_str();
            }
            resource.credential_token = Some(CredentialTokenResource::of(known.as_ref()));
        }
        resource
    }

    /// The same without that.
    fn new(credential: &Credential, now: Moment) -> Self {
        let CredentialForm {
            name,
            default_rule_effect,
            is_active,
            expires_at,
            allowed_hosts,
        } = &credential.form;
        Self {
            credential_id: credential.id.uuid(),
            client_id: credential.organisation.uuid(),
            credential_name: name.to_string(),
            credential_type: credential.side.as_str(),
            credential_auth_type: credential.auth_type.as_str(),
            credential_region: credential.region.to_string(),
            credential_default_rule_effect: default_rule_effect.as_str(),
            credential_active: *is_active,
            credential_version: credential.version,
            credential_previous: credential.previous_at(now).map(PreviousResource::new),
            credential_next: credential.next.as_ref().map(NextResource::new),
            credential_active_slot: match credential.side {
                Side::Proxy => None,
                Side::Target => Some(credential.active_slot(now).as_str()),
            },
            credential_last_used_at: None,
            credential_expires_at: expires_at.map(|end| end.to_string()),
            credential_allowed_hosts: allowed_hosts.iter().map(ToString::to_string).collect(),
            credential_status: State::from(credential.status(now)).as_str(),
            labels: labels::shown(&credential.labels),
            credential_token: None,
            authorization_url: None,
            created_by: credential.created_by.clone(),
            created_at: credential.created_at.to_string(),
            updated_at: credential.updated_at.to_string(),
        }
    }
}

impl Subject for Credential {
    const KIND: &'static str = "credential";

    fn log(&self) -> Log {
        Log::Organisation(self.organisation)
    }

    fn named(&self) -> (String, String) {
        (self.id.to_string(), self.form.name.to_string())
    }

    fn members(&self) -> Map<String, Value> {
        let mut members = document(&CredentialResource::new(self, self.updated_at));
        members.remove("credentialStatus");
        members.remove("credentialLastUsedAt");
        members
    }
}

/// The organisation's credentials.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/credentials",
    tag = "credentials",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ListParams,
        LabelParams,
        ("region" = Option<String>, Query, description = "Only of this region"),
        ("active" = Option<bool>, Query, description = "Only active or inactive ones"),
        ("type" = Option<String>, Query, description = "`proxy` or `target`"),
        (
            "includeTemporary" = Option<bool>,
            Query,
            description = "Also those to which nobody has consented yet"
        ),
    ),
    responses((status = 200, body = Listed<CredentialResource>))
)]
async fn list_credentials(
    call: Read,
    InPath(client): InPath<String>,
    query: RawQuery,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let query = query.list(FILTERS)?;
    let page = credential_list(&mut *call.state.connect().await?, scope.id(), &query).await?;
    let (fleets, now) = (&call.state.fleets, call.state.now());
    Ok(list::answer(&query, page, |credential| {
        CredentialResource::of(&credential, fleets, now)
    }))
}

/// Adds a credential.
#[utoipa::path(
    post,
    path = "/clients/{clientId}/credentials",
    tag = "credentials",
    params(("clientId" = Uuid, Path, description = "The organisation")),
    request_body = CredentialInput,
    responses((status = 201, body = CredentialResource))
)]
async fn create_credential(
    call: Mutation,
    InPath(client): InPath<String>,
    body: Body,
) -> ApiResult {
    let scope = call.enter(&client, Permission::WriteResources).await?;
    let new = read_new(body, &call.change.state.allow_private_targets)?;
    // Asked here: once the secret is sealed for its region, nothing here can read it.
    let obtains = token::obtains(&new.secret, (new.auth_type, new.side));
    let Written {
        credential,
        generated,
        asked,
        done,
    } = credentials::create(&call.change, &scope, new).await?;
    let call = token::tried(call, &credential, obtains).await;
    let id = credential.id.to_string();
    let state = &call.change.state;
    let resource = CredentialResource::of(&credential, &state.fleets, state.now());
    match with_shown(&resource, generated.as_ref(), asked.as_ref()) {
        None => Ok(call.created(&done, &id, &resource).await),
        Some(shown) => call.created_once(&done, &id, &shown, &resource).await,
    }
}

/// One credential.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/credentials/{credentialId}",
    tag = "credentials",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("credentialId" = Uuid, Path, description = "The credential"),
    ),
    responses((status = 200, body = CredentialResource), (status = 304, description = "As known"))
)]
async fn get_credential(
    call: Read,
    InPath((client, credential)): InPath<(String, String)>,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let mut conn = call.state.connect().await?;
    let found = credential_fetch(&mut conn, scope.id(), id(&credential)?).await?;
    let credential = found.ok_or_else(ApiError::not_found)?;
    Ok(call.answer(
        &CredentialResource::of(&credential, &call.state.fleets, call.state.now()),
        &Tag::of_revision(credential.revision),
    ))
}

/// Replaces a credential; its secret stays unless one is sent.
#[utoipa::path(
    put,
    path = "/clients/{clientId}/credentials/{credentialId}",
    tag = "credentials",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("credentialId" = Uuid, Path, description = "The credential"),
    ),
    request_body = CredentialInput,
    responses((status = 200, body = CredentialResource))
)]
async fn replace_credential(
    call: Mutation,
    InPath((client, credential)): InPath<(String, String)>,
    body: Body,
) -> ApiResult {
    update(call, &client, &credential, body).await
}

/// Changes members of a credential (JSON merge patch).
#[utoipa::path(
    patch,
    path = "/clients/{clientId}/credentials/{credentialId}",
    tag = "credentials",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("credentialId" = Uuid, Path, description = "The credential"),
    ),
    request_body(content = CredentialInput, content_type = "application/merge-patch+json"),
    responses((status = 200, body = CredentialResource))
)]
async fn change_credential(
    call: Mutation,
    InPath((client, credential)): InPath<(String, String)>,
    body: Body,
) -> ApiResult {
    update(call, &client, &credential, body).await
}

async fn update(call: Mutation, client: &str, credential: &str, body: Body) -> ApiResult {
    let scope = call.enter(client, Permission::WriteResources).await?;
    let now = call.change.state.now();
    let allowed = Arc::clone(&call.change.state.allow_private_targets);
    let mut obtains = false;
    let read = |current: &Credential| {
        let changed = read_change(body, current, now, &allowed)?;
        let of = (changed.auth_type, current.side);
        let new = changed.secret.as_ref();
        obtains = new.is_some_and(|secret| token::obtains(secret, of));
        Ok(changed)
    };
    let written = credentials::update(&call.change, &scope, credential, read).await?;
    let Written {
        credential,
        generated,
        asked,
        done,
    } = written;
    let call = token::tried(call, &credential, obtains).await;
    let resource = CredentialResource::of(&credential, &call.change.state.fleets, now);
    match with_shown(&resource, generated.as_ref(), asked.as_ref()) {
        None => Ok(call.updated(&done, &resource).await),
        Some(shown) => call.updated_once(&done, &shown).await,
    }
}

/// Deletes a credential. One that proxies give to their targets needs `force=true`; one of
/// callers never does, and its callers are denied at once.
#[utoipa::path(
    delete,
    path = "/clients/{clientId}/credentials/{credentialId}",
    tag = "credentials",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("credentialId" = Uuid, Path, description = "The credential"),
        ("force" = Option<bool>, Query, description = "Also when proxies use it"),
    ),
    responses((status = 204))
)]
async fn delete_credential(
    call: Mutation,
    InPath((client, credential)): InPath<(String, String)>,
) -> ApiResult {
    let scope = call.enter(&client, Permission::WriteResources).await?;
    let done = credentials::delete(&call.change, &scope, &credential).await?;
    Ok(call.deleted(&done).await)
}

/// The answer with what only it ever has; None: there is no such thing.
fn with_shown(
    resource: &CredentialResource,
    key: Option<&SecretText>,
    asked: Option<&ConsentLink>,
) -> Option<Object> {
    let key = key.map(|key| (SECRET, json!({ "key": key.expose() })));
    let address = asked.map(|asked| (ADDRESS, json!(asked.address.expose())));
    let (name, value) = key.or(address)?;
    let mut object = document(resource);
    object.insert(name.to_owned(), value);
    Some(object)
}
