//! `credentialNext`, and `/clients/{clientId}/credentials/{credentialId}/switch`: the second secret of
//! a target credential.

use ipnet::IpNet;
use requestrocket_policy::form::fields::{Fields, parsed};
use requestrocket_policy::form::problem::{Fault, Invalid};
use requestrocket_policy::secret::SecretBytes;
use requestrocket_policy::secret_form::SecretForm;
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::CredentialResource;
use super::secret::{SECRET, secret};
use crate::domain::gateway::credential::Credential;
use crate::domain::gateway::slot::{NextSecret, Slot};
use crate::domain::moment::Moment;
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, id};
use crate::http::body::Body;
use crate::http::call::{InPath, Mutation};
use crate::http::routes::shape::words;
use crate::service::gateway::credentials::NewSecret;
use crate::service::gateway::slots::{self, FAILED, NextChange};
use crate::state::AppState;
use crate::store::gateway::credential::credential_fetch;

use requestrocket_policy::form::problem::Problems;

/// The member.
pub(super) const NEXT: &str = "credentialNext";
const SWITCH_AT: &str = "switchAt";
const VERSION: &str = "credentialVersion";
const FAILED_AT: &str = "failedAt";
const OBTAINED: &str = "is not for credentials whose tokens the region obtains";

words! {
    /// Which of its two secrets targets are given.
    CredentialSlot = Slot;
}

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(switch_secret))
}

/// The second secret of a target credential; itself never shown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NextResource {
    credential_version: u64,
    /// From then on targets are given it; null: not before somebody says so.
    switch_at: Option<String>,
    /// Live: when targets refused it, so that they are given the first one again. It is not given any
    /// more.
    failed_at: Option<String>,
}

impl NextResource {
    pub(super) fn new(next: &NextSecret) -> Self {
        let NextSecret {
            version,
            switch_at,
            failed_at,
        } = next;
        Self {
            credential_version: *version,
            switch_at: switch_at.map(|at| at.to_string()),
            failed_at: failed_at.map(|at| at.to_string()),
        }
    }
}

/// What to send for a second secret of a target credential.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "only its schema is used: it is read member by member"
)]
pub(super) struct NextInput {
    /// Write-only, of the credential's type; left out, the second secret that there is stays.
    #[schema(value_type = Option<Object>)]
    credential_secret: Option<Value>,
    /// From then on targets are given it: a moment, or `now`. Null: not before somebody says so, which
    /// is the default for a new one.
    #[schema(value_type = Option<String>)]
    switch_at: Option<Moment>,
}

/// What of the member was sent. Elsewhere null is what absence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Not the member.
    Nothing,
    /// Null.
    Null,
    /// Anything else.
    Something,
}

impl Sent {
    /// Of a body, which keeps anything else.
    pub(super) fn of(body: &mut Body) -> Self {
        let mut sent = Self::Nothing;
        body.ignore(NEXT, |value| {
            sent = if value.is_null() {
                Self::Null
            } else {
                Self::Something
            };
            sent == Self::Null
        });
        sent
    }
}

/// What is asked for, of a credential that is to be of that type.
pub(super) fn read(
    fields: &mut Fields<'_>,
    (current, auth_type): (&Credential, AuthType),
    sent: Sent,
    now: Moment,
    allowed: &[IpNet],
) -> Option<NextChange> {
    if sent != Sent::Something {
        // A merge has what is shown.
        fields.take(NEXT);
    }
    match sent {
        Sent::Nothing => return Some(NextChange::Keep),
        Sent::Null => return Some(NextChange::End),
        Sent::Something => {}
    }
    if let Some(text) = why_not(current.side, auth_type) {
        fields.take(NEXT);
        fields.problem(Fault::ValidationFailed, NEXT, text);
        return None;
    }
    let known = current.next.as_ref();
    let change = fields.object(NEXT, |mut next| {
        let is_new = next.has(SECRET);
        let given = is_new.then(|| secret(&mut next, (auth_type, current.side), allowed));
        // A null reads as absent.
        next.take(SECRET);
        let names_moment = next.names().iter().any(|name| name == SWITCH_AT);
        let switch_at = next.optional(SWITCH_AT, |value| switch_moment(value, now));
        repeated(&mut next, known);
        let change = match (given, known) {
            (Some(given), _) => match given {
                Some(NewSecret::Given(text)) if is_obtained(&text, auth_type) => {
                    next.problem(Fault::ValidationFailed, SECRET, OBTAINED);
                    None
                }
                Some(NewSecret::Given(text)) => Some(NextChange::Given(text, switch_at)),
                Some(NewSecret::None | NewSecret::Generate | NewSecret::ToConsent(..)) | None => {
                    None
                }
            },
            (None, None) => {
                next.problem(Fault::ValidationFailed, SECRET, "is required");
                None
            }
            (None, Some(known)) if !names_moment || known.switch_at == switch_at => {
                Some(NextChange::Keep)
            }
            (None, Some(known)) if known.failed_at.is_some() => {
                next.problem(Fault::ValidationFailed, SECRET, FAILED);
                None
            }
            (None, Some(_)) => Some(NextChange::At(switch_at)),
        };
        next.finish();
        change
    });
    change.flatten()
}

/// The region obtains, or mints, tokens with it.
fn is_obtained(secret: &SecretBytes, auth_type: AuthType) -> bool {
    let form = SecretForm::open(auth_type, Side::Target, secret.expose());
    form.is_ok_and(|form| form.is_obtained())
}

fn why_not(side: Side, auth_type: AuthType) -> Option<&'static str> {
    match (side, auth_type) {
        (Side::Proxy, _) => {
            Some("is for credentials of targets; `rotation` is for those of callers")
        }
        (Side::Target, AuthType::OAuth2 | AuthType::CustomToken) => Some(OBTAINED),
        (Side::Target, AuthType::None) => Some("is for credentials that have a secret"),
        (
            Side::Target,
            AuthType::ApiKey
            | AuthType::Bearer
            | AuthType::BasicAuth
            | AuthType::Jwt
            | AuthType::JwtVerify
            | AuthType::Custom
            | AuthType::SignedJwt
            | AuthType::AwsSigV4
            | AuthType::Hmac,
        ) => None,
    }
}

fn switch_moment(value: &Value, now: Moment) -> Result<Moment, Invalid> {
    if value == "now" {
        return Ok(now);
    }
    parsed(value)
}

/// What answers show may be sent back; when it failed moves by itself.
fn repeated(next: &mut Fields<'_>, known: Option<&NextSecret>) {
    let version = next.take(VERSION);
    let is_known = |version: &Value| {
        let known = known.map(|known| known.version);
        version
            .as_u64()
            .is_some_and(|version| known == Some(version))
    };
    if version.is_some_and(|version| !is_known(&version)) {
        next.problem(Fault::FieldImmutable, VERSION, "cannot be changed");
    }
    next.optional(FAILED_AT, parsed::<Moment>);
}

/// Which of the two secrets targets are to be given.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "only its schema is used: it is read member by member"
)]
pub(super) struct SwitchInput {
    #[schema(value_type = CredentialSlot)]
    slot: Slot,
}

/// Has targets given the first or the second secret of a credential, from now on.
#[utoipa::path(
    post,
    path = "/clients/{clientId}/credentials/{credentialId}/switch",
    tag = "credentials",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("credentialId" = Uuid, Path, description = "The credential"),
    ),
    request_body = SwitchInput,
    responses((status = 200, body = CredentialResource))
)]
async fn switch_secret(
    call: Mutation,
    InPath((client, credential)): InPath<(String, String)>,
    body: Body,
) -> ApiResult {
    let scope = call.enter(&client, Permission::WriteResources).await?;
    // Whether the body is right is nobody's business whose credential it is not.
    let mut conn = call.change.state.connect().await?;
    let found = credential_fetch(&mut conn, scope.id(), id(&credential)?).await?;
    drop(conn);
    found.ok_or_else(ApiError::not_found)?;
    let mut problems = Problems::default();
    let mut fields = Fields::new(body.into_object(), &mut problems);
    let slot = fields.required("slot", parsed::<Slot>);
    fields.finish();
    problems.check()?;
    let slot = slot.ok_or(problems)?;
    let (credential, done) = slots::switch(&call.change, &scope, &credential, slot).await?;
    let state = &call.change.state;
    let resource = CredentialResource::of(&credential, &state.fleets, state.now());
    Ok(call.updated(&done, &resource).await)
}
