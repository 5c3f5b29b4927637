//! Reads what is sent for a credential.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ipnet::IpNet;
use requestrocket_policy::destination::HostPattern;
use requestrocket_policy::secret_form::SecretForm;
use requestrocket_policy::secret_form::api_key::PresentedKey;
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use requestrocket_policy::secret_form::endpoint::Endpoint;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::CredentialResource;
use super::previous::PreviousResource;
use crate::domain::gateway::address::is_allowed;
use crate::domain::gateway::consent::ConsentPage;
use crate::domain::gateway::credential::{
    Credential, CredentialForm, CredentialStatus, LONGEST_OVERLAP_SECONDS, MAX_ALLOWED_HOSTS,
};
use crate::domain::guard::effect::Effect;
use crate::domain::label::Labelled;
use crate::domain::moment::Moment;
use crate::http::body::Body;
use crate::http::labels;
use crate::http::routes::shape::{CredentialAuthType, CredentialType, RuleEffect, document};
use crate::service::gateway::credentials::{ChangedCredential, NewCredential, NewSecret};
use requestrocket_policy::form::fields::{Fields, boolean, integer, parsed};
use requestrocket_policy::form::problem::{Fault, Problems};

/// Members that answers have and PUT and PATCH may only repeat.
const FIXED: [&str; 12] = [
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
    TOKEN,
    ADDRESS,
];
const ALLOWED_HOSTS: &str = "credentialAllowedHosts";
const STATUS: &str = "credentialStatus";
const PREVIOUS: &str = "credentialPrevious";
const ROTATION: &str = "rotation";
/// How obtaining a token may go, besides.
const TOKEN_STATUSES: [&str; 5] = [
    "pending_consent",
    "obtaining",
    "failing",
    "reconsent_needed",
    "invalid_client",
];
const TOKEN: &str = "credentialToken";
/// Where somebody has to consent; of some answers only.
pub(super) const ADDRESS: &str = "authorizationUrl";
/// Write-only: taken as sent, never merged.
pub(super) const SECRET: &str = "credentialSecret";

/// What to send for a credential.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what is read below")]
pub(super) struct CredentialInput {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    credential_name: String,
    /// Cannot be changed later; PUT may leave it out.
    credential_type: Option<CredentialType>,
    /// Another one needs a new secret.
    credential_auth_type: Option<CredentialAuthType>,
    /// Cannot be changed later; PUT may leave it out.
    credential_region: Option<String>,
    /// Write-only. apiKey `{key}` (of a target also location, name, prefix), bearer
    /// `{token, prefix}`, basicAuth `{username, password}`, jwt `{token}`,
    /// jwtVerify and oauth2 of callers `{publicKey}`, `{sharedSecret}`, `{jwksUri}` or `{issuer}`
    /// with what tokens must say,
    /// signedJwt `{algorithm, privateKey | sharedSecret, keyId, claims, ttlSeconds, location, name,
    /// prefix}`, awsSigV4 `{accessKeyId, secretAccessKey, sessionToken, region, service,
    /// unsignedPayload}`, hmac `{key, hash, stringToSign, encoding, header, prefix,
    /// timestampHeader}`, custom `{headers, query}`, oauth2 and customToken how the region obtains a
    /// token. Left out in PUT and PATCH it stays. `{}` for an apiKey of callers
    /// generates one, which that answer alone shows.
    credential_secret: Option<Object>,
    credential_default_rule_effect: Option<RuleEffect>,
    /// Default true.
    credential_active: Option<bool>,
    /// From then on callers are denied, and targets get nothing; null (default) for never.
    credential_expires_at: Option<String>,
    /// The only hosts of targets that it may be given to, such as `api.example.com`, or
    /// `*.example.com` for every host below it; without any it may go to all. Of target credentials.
    #[schema(max_items = 32)]
    credential_allowed_hosts: Option<Vec<String>>,
    /// With a new secret for callers.
    rotation: Option<RotationInput>,
    /// Up to 32 pairs to find it by; no region hears of them.
    labels: Option<BTreeMap<String, String>>,
}

/// How a secret gives way to a new one.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what is read below")]
struct RotationInput {
    /// For so long the secret before it is accepted, too; default 0.
    #[schema(minimum = 0, maximum = 604_800)]
    overlap_seconds: Option<u64>,
}

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
        fields.take(SECRET);
        None
    };
    let new = Labelled::both(form(fields, side), labels);
    problems.check()?;
    match (region, side, auth_type, secret, new) {
        (Some(region), Some(side), Some(auth_type), Some(secret), Some(new)) => Ok(NewCredential {
            region,
            side,
            auth_type,
            new,
            secret,
        }),
        _ => Err(problems),
    }
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
        let words = CredentialStatus::ALL.iter().map(|status| status.as_str());
        words.chain(TOKEN_STATUSES).any(|word| value == word)
    });
    body.ignore(PREVIOUS, |value| {
        let until = current.previous_until.map(PreviousResource::new);
        let was = until.map(|previous| Value::Object(document(&previous)));
        value.is_null() || was.as_ref() == Some(value)
    });
    body.ignore(TOKEN, |value| value.is_object() || value.is_null());
    body.ignore(ADDRESS, |value| value.is_string() || value.is_null());
    let mut shown = document(&CredentialResource::new(current, now));
    let labels = labels::take_changed(&mut body, &mut shown, &current.labels, &mut problems);
    let update = body.onto(&shown, &FIXED, &[SECRET], &mut problems);
    let mut fields = Fields::new(update.object, &mut problems);
    let auth_type = fields
        .optional("credentialAuthType", parsed)
        .unwrap_or(current.auth_type);
    let is_new = fields.has(SECRET);
    let secret = changed_secret(&mut fields, auth_type, current, allowed);
    let overlap = overlap(&mut fields, current.side, is_new);
    let new = Labelled::both(form(fields, Some(current.side)), labels);
    problems.check()?;
    let new = new.ok_or(problems)?;
    Ok(ChangedCredential {
        auth_type,
        new,
        secret,
        overlap,
    })
}

/// For how long the secret before the new one is accepted.
fn overlap(fields: &mut Fields<'_>, side: Side, is_new: bool) -> Duration {
    let seconds = fields.object(ROTATION, |mut rotation| {
        let seconds = integer(0, LONGEST_OVERLAP_SECONDS);
        let seconds = rotation.optional("overlapSeconds", seconds);
        rotation.finish();
        seconds.unwrap_or_default()
    });
    if seconds.is_some() && side == Side::Target {
        let text = "is for credentials of callers";
        fields.problem(Fault::ValidationFailed, ROTATION, text);
    } else if seconds.is_some() && !is_new {
        let text = "needs a new `credentialSecret`";
        fields.problem(Fault::ValidationFailed, ROTATION, text);
    }
    Duration::from_secs(seconds.unwrap_or_default())
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

/// What is sealed is what was sent, once it can be read.
fn secret(
    fields: &mut Fields<'_>,
    (auth_type, side): (AuthType, Side),
    allowed: &[IpNet],
) -> Option<NewSecret> {
    let read = fields.object(SECRET, |members| {
        let sent = members.json();
        Some((SecretForm::read(auth_type, side, members)?, sent.ok()?))
    });
    let (form, sent) = read.flatten()?;
    let is_forbidden = |endpoint: &Endpoint| {
        let literal = endpoint.literal();
        literal.is_some_and(|address| !is_allowed(address, allowed))
    };
    for (member, endpoint) in form.endpoints() {
        if is_forbidden(&endpoint) {
            let member = format!("{SECRET}.{member}");
            let text = "names an address that may not be called";
            fields.problem(Fault::AddressNotAllowed, &member, text);
        }
    }
    if let Some((form, consent)) = form.consent() {
        let page = Box::new(ConsentPage::new(form, consent));
        return Some(NewSecret::ToConsent(sent, page));
    }
    match form {
        SecretForm::None => Some(NewSecret::None),
        SecretForm::PresentedKey(PresentedKey::Generated) => Some(NewSecret::Generate),
        _ => Some(NewSecret::Given(sent)),
    }
}

fn is_of(fields: &mut Fields<'_>, auth_type: AuthType, side: Side) -> bool {
    let is_of = auth_type.is_of(side);
    if !is_of {
        let text = format!("is not for {} credentials", side.as_str());
        fields.problem(Fault::ValidationFailed, "credentialAuthType", text);
    }
    is_of
}

fn form(mut fields: Fields<'_>, side: Option<Side>) -> Option<CredentialForm> {
    let name = fields.required("credentialName", parsed);
    let default_rule_effect = fields.optional("credentialDefaultRuleEffect", parsed);
    let is_active = fields.optional("credentialActive", boolean);
    let expires_at = fields.optional("credentialExpiresAt", parsed);
    let allowed_hosts = allowed_hosts(&mut fields, side);
    fields.finish();
    Some(CredentialForm {
        name: name?,
        default_rule_effect: default_rule_effect.unwrap_or(Effect::Allow),
        is_active: is_active.unwrap_or(true),
        expires_at,
        allowed_hosts,
    })
}

fn allowed_hosts(fields: &mut Fields<'_>, side: Option<Side>) -> Vec<HostPattern> {
    let hosts = fields.list(ALLOWED_HOSTS, MAX_ALLOWED_HOSTS, parsed::<HostPattern>);
    let hosts = hosts.unwrap_or_default();
    if side == Some(Side::Proxy) && !hosts.is_empty() {
        let text = "is for credentials of targets";
        fields.problem(Fault::ValidationFailed, ALLOWED_HOSTS, text);
    }
    let unique: BTreeSet<HostPattern> = hosts.into_iter().collect();
    unique.into_iter().collect()
}
