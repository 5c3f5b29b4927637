//! Reads what is sent for a credential.

use ipnet::IpNet;
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use serde_json::{Map, Value};

use super::CredentialResource;
use super::body::{CredentialInput, Lead, RotationInput};
use super::next::{self, NEXT, Sent};
use super::previous::PreviousResource;
use super::secret::{SECRET, secret};
use super::token::State;
use crate::domain::gateway::credential::Credential;
use crate::domain::gateway::slot::Slot;
use crate::domain::moment::Moment;
use crate::http::body::Body;
use crate::http::labels;
use crate::http::routes::shape::document;
use crate::service::gateway::credentials::{ChangedCredential, NewCredential, NewSecret};
use requestrocket_policy::form::fields::{Fields, parsed};
use requestrocket_policy::form::problem::{Fault, Problems};

/// Members that answers have and PUT and PATCH may only repeat.
const FIXED: [&str; 14] = [
    "credentialId",
    "clientId",
    "createdBy",
    "createdAt",
    "updatedAt",
    "credentialRegion",
    "credentialType",
    "credentialVersion",
    STATUS,
    PREVIOUS,
    LAST_USED,
    ACTIVE_SLOT,
    TOKEN,
    ADDRESS,
];
const STATUS: &str = "credentialStatus";
const PREVIOUS: &str = "credentialPrevious";
const LAST_USED: &str = "credentialLastUsedAt";
const ACTIVE_SLOT: &str = "credentialActiveSlot";
const TOKEN: &str = "credentialToken";
/// Where somebody has to consent; of some answers only.
pub(super) const ADDRESS: &str = "authorizationUrl";

/// Any JSON object.
pub(super) type Object = Map<String, Value>;

/// What POST asks for.
///
/// # Errors
/// Every problem of the body.
pub(super) fn read_new(mut body: Body, allowed: &[IpNet]) -> Result<NewCredential, Problems> {
    let mut problems = Problems::default();
    let labels = labels::take_new(&mut body, &mut problems);
    let mut fields = Fields::new(body.into_object(), &mut problems);
    let region = fields.required("credentialRegion", parsed);
    let side = fields.required("credentialType", parsed::<Side>);
    let auth_type = fields.required("credentialAuthType", parsed::<AuthType>);
    let secret = if let (Some(auth_type), Some(side)) = (auth_type, side) {
        new_secret(&mut fields, (auth_type, side), allowed)
    } else {
        // What belongs in it depends on both; untaken, it would be one problem more: unknown.
        fields.take(SECRET);
        None
    };
    let lead = Lead {
        region,
        side,
        auth_type,
        secret,
        rotation: None,
        next: None,
    };
    let input = CredentialInput::read(fields, lead, labels);
    problems.check()?;
    let new = input.and_then(CredentialInput::into_new);
    new.ok_or(problems)
}

fn new_secret(
    fields: &mut Fields<'_>,
    (auth_type, side): (AuthType, Side),
    allowed: &[IpNet],
) -> Option<NewSecret> {
    if !is_of(fields, auth_type, side) {
        fields.take(SECRET);
        return None;
    }
    if fields.has(SECRET) {
        return secret(fields, (auth_type, side), allowed);
    }
    // A null reads as absent.
    fields.take(SECRET);
    match (auth_type, side) {
        (AuthType::None, _) => Some(NewSecret::None),
        (AuthType::ApiKey, Side::Proxy) => Some(NewSecret::Generate),
        _ => {
            fields.problem(Fault::ValidationFailed, SECRET, "is required");
            None
        }
    }
}

/// What PUT or PATCH make of `current`.
///
/// # Errors
/// Every problem of the body.
pub(super) fn read_change(
    mut body: Body,
    current: &Credential,
    now: Moment,
    allowed: &[IpNet],
) -> Result<ChangedCredential, Problems> {
    let mut problems = Problems::default();
    // These move by themselves between a GET and the PUT of what it showed.
    body.ignore(STATUS, |value| {
        State::ALL.iter().any(|state| value == state.as_str())
    });
    body.ignore(PREVIOUS, |value| {
        let until = current.previous_until.map(PreviousResource::new);
        let was = until.map(|previous| Value::Object(document(&previous)));
        value.is_null() || was.as_ref() == Some(value)
    });
    body.ignore(ACTIVE_SLOT, |value| {
        value.is_null() || Slot::ALL.iter().any(|slot| value == slot.as_str())
    });
    let sent_next = Sent::of(&mut body);
    body.ignore(LAST_USED, |value| {
        let at = value.as_str().map(str::parse::<Moment>);
        value.is_null() || at.is_some_and(|at| at.is_ok())
    });
    body.ignore(TOKEN, |value| value.is_object() || value.is_null());
    body.ignore(ADDRESS, |value| value.is_string() || value.is_null());
    let mut shown = document(&CredentialResource::new(current, now));
    let labels = labels::take_changed(&mut body, &mut shown, &current.labels, &mut problems);
    let update = body.onto(&shown, &FIXED, &[SECRET, NEXT], &mut problems);
    let mut fields = Fields::new(update.object, &mut problems);
    let auth_type = fields
        .optional("credentialAuthType", parsed)
        .unwrap_or(current.auth_type);
    let is_new = fields.has(SECRET);
    let secret = changed_secret(&mut fields, auth_type, current, allowed);
    let lead = Lead {
        region: None,
        side: Some(current.side),
        auth_type: Some(auth_type),
        rotation: RotationInput::read(&mut fields, current.side, is_new),
        next: next::read(&mut fields, (current, auth_type), sent_next, now, allowed),
        secret,
    };
    let input = CredentialInput::read(fields, lead, labels);
    problems.check()?;
    let changed = input.and_then(CredentialInput::into_changed);
    changed.ok_or(problems)
}

fn changed_secret(
    fields: &mut Fields<'_>,
    auth_type: AuthType,
    current: &Credential,
    allowed: &[IpNet],
) -> Option<NewSecret> {
    let is_other = auth_type != current.auth_type;
    if is_other && !is_of(fields, auth_type, current.side) {
        fields.take(SECRET);
        return None;
    }
    if fields.has(SECRET) {
        let secret = secret(fields, (auth_type, current.side), allowed);
        // There is no other "none": nothing changes.
        return secret.filter(|_| is_other || auth_type != AuthType::None);
    }
    // A null reads as absent.
    fields.take(SECRET);
    if is_other && auth_type == AuthType::None {
        return Some(NewSecret::None);
    }
    if is_other {
        let text = "is required when `credentialAuthType` changes";
        fields.problem(Fault::ValidationFailed, SECRET, text);
    }
    None
}

fn is_of(fields: &mut Fields<'_>, auth_type: AuthType, side: Side) -> bool {
    let is_of = auth_type.is_of(side);
    if !is_of {
        let text = format!("is not for {} credentials", side.as_str());
        fields.problem(Fault::ValidationFailed, "credentialAuthType", text);
    }
    is_of
}
