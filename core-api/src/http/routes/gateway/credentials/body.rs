//! The body of a credential.

use std::collections::BTreeSet;
use std::time::Duration;

use requestrocket_policy::destination::HostPattern;
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use serde_json::Value;
use utoipa::ToSchema;

use super::next::NextInput;
use crate::domain::gateway::credential::{
    CredentialForm, LONGEST_OVERLAP_SECONDS, MAX_ALLOWED_HOSTS,
};
use crate::domain::gateway::region::RegionName;
use crate::domain::guard::effect::Effect;
use crate::domain::label::{Labelled, Labels};
use crate::domain::moment::Moment;
use crate::domain::name::Name;
use crate::http::routes::shape::{CredentialAuthType, CredentialType, RuleEffect};
use crate::service::gateway::credentials::{ChangedCredential, NewCredential, NewSecret};
use crate::service::gateway::slots::NextChange;
use requestrocket_policy::form::fields::{Fields, boolean, integer, parsed};
use requestrocket_policy::form::problem::{Fault, Invalid};

const ALLOWED_HOSTS: &str = "credentialAllowedHosts";
const ROTATION: &str = "rotation";

/// What to send for a credential.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub(super) struct CredentialInput {
    /// 1 to 200 characters.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    credential_name: Name,
    /// Cannot be changed later; PUT may leave it out.
    #[schema(value_type = Option<CredentialType>)]
    credential_type: Option<Side>,
    /// Another one needs a new secret.
    #[schema(value_type = Option<CredentialAuthType>)]
    credential_auth_type: Option<AuthType>,
    /// Cannot be changed later; PUT may leave it out.
    #[schema(value_type = Option<String>)]
    credential_region: Option<RegionName>,
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
    #[schema(value_type = Option<Object>)]
    credential_secret: Option<NewSecret>,
    #[schema(value_type = Option<RuleEffect>)]
    credential_default_rule_effect: Option<Effect>,
    /// Default true.
    credential_active: Option<bool>,
    /// From then on callers are denied, and targets get nothing; null (default) for never.
    #[schema(value_type = Option<String>)]
    credential_expires_at: Option<Moment>,
    /// The only hosts of targets that it may be given to, such as `api.example.com`, or
    /// `*.example.com` for every host below it; without any it may go to all. Of target credentials.
    #[schema(value_type = Option<Vec<String>>, max_items = 32)]
    credential_allowed_hosts: BTreeSet<HostPattern>,
    /// With a new secret for callers.
    rotation: Option<RotationInput>,
    /// Of target credentials, in PUT and PATCH: another secret, and from when on targets are given it.
    /// Left out it stays; null: there is none any more, and the one that targets are given stays.
    #[schema(value_type = Option<NextInput>)]
    credential_next: Option<NextChange>,
    /// Up to 32 pairs to find it by; no region hears of them.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    labels: Labels,
}

/// How a secret gives way to a new one.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub(super) struct RotationInput {
    /// For so long the secret before it is accepted, too; default 0.
    #[schema(minimum = 0, maximum = 604_800)]
    overlap_seconds: Option<u64>,
}

/// What of a body says how the rest is read.
#[derive(Debug)]
pub(super) struct Lead {
    pub(super) region: Option<RegionName>,
    pub(super) side: Option<Side>,
    pub(super) auth_type: Option<AuthType>,
    pub(super) secret: Option<NewSecret>,
    pub(super) rotation: Option<RotationInput>,
    pub(super) next: Option<NextChange>,
}

impl CredentialInput {
    /// Reads what is left when `lead` and labels were taken out.
    pub(super) fn read(mut fields: Fields<'_>, lead: Lead, labels: Option<Labels>) -> Option<Self> {
        let name = fields.required("credentialName", parsed);
        let credential_default_rule_effect = fields.optional("credentialDefaultRuleEffect", parsed);
        let credential_active = fields.optional("credentialActive", boolean);
        let credential_expires_at = fields.optional("credentialExpiresAt", parsed);
        let credential_allowed_hosts = allowed_hosts(&mut fields, lead.side);
        fields.finish();
        let Lead {
            region,
            side,
            auth_type,
            secret,
            rotation,
            next,
        } = lead;
        Some(Self {
            credential_name: name?,
            credential_type: side,
            credential_auth_type: auth_type,
            credential_region: region,
            credential_secret: secret,
            credential_default_rule_effect,
            credential_active,
            credential_expires_at,
            credential_allowed_hosts,
            rotation,
            credential_next: next,
            labels: labels?,
        })
    }

    /// None: something is missing that a new one needs.
    pub(super) fn into_new(self) -> Option<NewCredential> {
        let (lead, new) = self.into_parts();
        Some(NewCredential {
            region: lead.region?,
            side: lead.side?,
            auth_type: lead.auth_type?,
            secret: lead.secret?,
            new,
        })
    }

    /// None: its type is not known.
    pub(super) fn into_changed(self) -> Option<ChangedCredential> {
        let (lead, new) = self.into_parts();
        let overlap = lead.rotation.and_then(|rotation| rotation.overlap_seconds);
        Some(ChangedCredential {
            auth_type: lead.auth_type?,
            secret: lead.secret,
            overlap: Duration::from_secs(overlap.unwrap_or_default()),
            next: lead.next?,
            new,
        })
    }

    fn into_parts(self) -> (Lead, Labelled<CredentialForm>) {
        let form = CredentialForm {
            name: self.credential_name,
            default_rule_effect: self.credential_default_rule_effect.unwrap_or(Effect::Allow),
            is_active: self.credential_active.unwrap_or(true),
            expires_at: self.credential_expires_at,
            allowed_hosts: self.credential_allowed_hosts.into_iter().collect(),
        };
        let lead = Lead {
            region: self.credential_region,
            side: self.credential_type,
            auth_type: self.credential_auth_type,
            secret: self.credential_secret,
            rotation: self.rotation,
            next: self.credential_next,
        };
        let labels = self.labels;
        (lead, Labelled { form, labels })
    }
}

impl RotationInput {
    /// `is_new`: there is a new secret.
    pub(super) fn read(fields: &mut Fields<'_>, side: Side, is_new: bool) -> Option<Self> {
        let rotation = fields.object(ROTATION, |mut rotation| {
            let seconds = integer(0, LONGEST_OVERLAP_SECONDS);
            let overlap_seconds = rotation.optional("overlapSeconds", seconds);
            rotation.finish();
            Self { overlap_seconds }
        })?;
        let text = match (side, is_new) {
            (Side::Target, _) => "is for credentials of callers",
            (Side::Proxy, false) => "needs a new `credentialSecret`",
            (Side::Proxy, true) => return Some(rotation),
        };
        fields.problem(Fault::ValidationFailed, ROTATION, text);
        None
    }
}

fn allowed_hosts(fields: &mut Fields<'_>, side: Option<Side>) -> BTreeSet<HostPattern> {
    let hosts = fields.list(ALLOWED_HOSTS, MAX_ALLOWED_HOSTS, host_pattern);
    let hosts = hosts.unwrap_or_default();
    if side == Some(Side::Proxy) && !hosts.is_empty() {
        let text = "is for credentials of targets";
        fields.problem(Fault::ValidationFailed, ALLOWED_HOSTS, text);
    }
    hosts.into_iter().collect()
}

/// Of a top-level domain anybody may have a host.
fn host_pattern(value: &Value) -> Result<HostPattern, Invalid> {
    let pattern: HostPattern = parsed(value)?;
    if pattern.is_too_wide() {
        let text = "must name at least two labels after `*.`, such as `*.example.com`";
        return Err(Invalid::value(text));
    }
    Ok(pattern)
}
