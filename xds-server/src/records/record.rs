//! What the region knows, record by record; knows neither SQL nor Envoy.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use requestrocket_policy::destination::AllowedHosts;
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::region::v1::Cors;

/// An organisation with its keys, both envelopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// UUID text.
    pub organisation_id: String,
    /// Every call is answered 402.
    pub is_suspended: bool,
    /// Of its plan, for each proxy credential.
    pub credential_limits: wire::Limits,
    /// Its keys.
    pub keys: OrganisationKeys,
}

/// Keys of one organisation in their stored form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganisationKeys {
    /// Wrapped by a key of the region.
    pub data_key: Vec<u8>,
    /// Wrapped by the data key.
    pub digest_key: Vec<u8>,
}

/// A credential and, when it can be used, its secret in the filter's form.
#[derive(Clone, Debug, PartialEq)]
pub struct Credential {
    /// UUID text.
    pub credential_id: String,
    /// UUID text.
    pub organisation_id: String,
    /// Which side presents it.
    pub side: Side,
    /// `credentialActive`.
    pub is_active: bool,
    /// Of the secret.
    pub version: u64,
    /// Unix time in milliseconds; 0 for no end.
    pub ends_at_ms: u64,
    /// The only hosts that a target credential may be given to.
    pub allowed_hosts: AllowedHosts,
    /// Digests or envelopes, or why there are none.
    pub secret: Result<StoredSecret, SecretProblem>,
    /// What callers presented before, as far as it is still accepted.
    pub previous: Option<PreviousSecret>,
    /// Of a target credential: what is to take the place of its secret.
    pub next: Option<NextSecret>,
    /// Its rules and redactions.
    pub layer: wire::Layer,
}

/// The second secret of a target credential.
#[derive(Clone, Debug, PartialEq)]
pub struct NextSecret {
    /// Its own; that of the credential is of the first.
    pub version: u64,
    /// Envelopes, or why there are none.
    pub secret: Result<StoredSecret, SecretProblem>,
    /// Unix time in milliseconds from which targets are given it; 0: they are given the first.
    pub given_from_ms: u64,
    /// They are given it.
    pub is_given: bool,
    /// When they were given the first again, because they refused this one; 0: never.
    pub failed_at_ms: u64,
}

impl Credential {
    /// The secret that counts now, and its version.
    pub fn given(&self) -> (u64, &Result<StoredSecret, SecretProblem>) {
        match &self.next {
            Some(next) if next.is_given => (next.version, &next.secret),
            Some(_) | None => (self.version, &self.secret),
        }
    }
}

/// A secret of callers that was replaced.
#[derive(Clone, Debug, PartialEq)]
pub struct PreviousSecret {
    /// Its digests.
    pub presented: wire::proxy_credential::Presented,
    /// Unix time in milliseconds; never 0.
    pub ends_at_ms: u64,
}

/// A converted secret: never plaintext.
#[derive(Clone, Debug, PartialEq)]
pub enum StoredSecret {
    /// Of a proxy credential.
    Presented(wire::proxy_credential::Presented),
    /// Of a target credential.
    Injections(Vec<wire::Injection>),
    /// Of a target credential whose token the region obtains.
    Obtained(Recipe, Option<ObtainedToken>),
    /// Of a proxy credential whose keys the region fetches, or whose server it asks.
    Published(PublishedKeys, Option<FetchedKeys>),
}

impl StoredSecret {
    /// How something is obtained with it; none: nothing is.
    #[must_use]
    pub fn recipe(&self) -> Option<&Recipe> {
        match self {
            Self::Obtained(recipe, _) => Some(recipe),
            Self::Published(published, _) => {
                // A server that is asked about each token publishes nothing.
                (!published.token.is_introspected).then_some(&published.recipe)
            }
            Self::Presented(_) | Self::Injections(_) => None,
        }
    }
}

/// What is verified with keys that are fetched, and how they are.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedKeys {
    /// Of `jwtVerify` or `oauth2`.
    pub recipe: Recipe,
    /// As the filter's policy carries it, without keys.
    pub token: wire::SignedToken,
}

/// Keys as they were published last.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchedKeys {
    /// As the filter's policy carries them.
    pub keys: Vec<wire::VerificationKey>,
    /// Unix time in milliseconds; the filter does not use them from then on, should nobody take
    /// them away before.
    pub until_ms: u64,
}

impl PublishedKeys {
    /// What callers have to present.
    #[must_use]
    pub fn presented(&self, fetched: Option<&FetchedKeys>) -> wire::proxy_credential::Presented {
        let mut token = self.token.clone();
        if let Some(FetchedKeys { keys, until_ms }) = fetched {
            token.keys.clone_from(keys);
            token.keys_until_ms = *until_ms;
        }
        wire::proxy_credential::Presented::SignedToken(token)
    }
}

/// How a token, or keys, are obtained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// By which its form is read.
    pub auth_type: AuthType,
    /// The secret itself, sealed under the organisation's data key.
    pub sealed: Vec<u8>,
    /// Somebody has to consent before there is a first token.
    pub needs_consent: bool,
}

/// A token as the filter's policy carries it.
#[derive(Clone, Debug, PartialEq)]
pub struct ObtainedToken {
    /// With what goes beside it.
    pub injections: Vec<wire::Injection>,
    /// Unix time in milliseconds; the token is not used from then on.
    pub serves_until_ms: u64,
    /// Statuses of a target that does not take it.
    pub refresh_on: Vec<u32>,
}

/// Why a credential cannot be used. The text names no content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretProblem {
    /// The record came without a secret of its version.
    #[error("secret of this version never arrived")]
    Missing,
    /// Not sealed to this region, organisation, credential and version.
    #[error("sealed secret does not open")]
    Sealed,
    /// Not the object that the auth type asks for.
    #[error("secret has the wrong shape for its type")]
    Shape,
    /// A value or name in it is refused.
    #[error("secret holds a value or name that is refused")]
    Value,
    /// A header or parameter may not carry a secret.
    #[error("secret names a header or parameter that cannot be set")]
    Name,
    /// `exp` of a literal token is no time.
    #[error("token has an `exp` that is no time")]
    Expiry,
    /// The auth type does not exist on this side.
    #[error("auth type does not fit the side of the credential")]
    AuthType,
    /// The organisation's keys do not open.
    #[error("keys of the organisation do not open")]
    Keys,
    /// The stored form is damaged.
    #[error("stored secret is damaged")]
    Damaged,
    /// The host of the target is not one that it may be given to.
    #[error("credential may not be given to the host of the target")]
    Destination,
}

impl SecretProblem {
    const ALL: [Self; 10] = [
        Self::Missing,
        Self::Sealed,
        Self::Shape,
        Self::Value,
        Self::Name,
        Self::Expiry,
        Self::AuthType,
        Self::Keys,
        Self::Damaged,
        Self::Destination,
    ];

    /// From what it prints, as it is stored.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|problem| problem.to_string() == text)
    }

    /// One word for it, as in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Sealed => "sealed",
            Self::Shape => "shape",
            Self::Value => "value",
            Self::Name => "name",
            Self::Expiry => "expiry",
            Self::AuthType => "auth_type",
            Self::Keys => "keys",
            Self::Damaged => "damaged",
            Self::Destination => "destination",
        }
    }
}

/// Where a proxy may forward to.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// UUID text.
    pub target_id: String,
    /// UUID text.
    pub organisation_id: String,
    /// As saved.
    pub base_url: String,
    /// Its rules and redactions.
    pub layer: wire::Layer,
    /// How often it is called to see whether it answers; 0: never.
    pub check_seconds: u32,
    /// What it is asked for then; empty: `/`.
    pub test_path: String,
}

/// What binds credentials and target.
#[derive(Clone, Debug, PartialEq)]
pub struct Proxy {
    /// UUID text.
    pub proxy_id: String,
    /// UUID text.
    pub organisation_id: String,
    /// `proxyActive`.
    pub is_active: bool,
    /// In list order.
    pub proxy_credential_ids: Vec<String>,
    /// May be gone.
    pub target_id: String,
    /// May be gone.
    pub target_credential_id: String,
    /// Until the target's response head.
    pub timeout_seconds: NonZeroU32,
    /// Ceiling for a declared response length.
    pub max_response_bytes: u64,
    /// Ceiling for a request body that conditions look into.
    pub max_inspected_bytes: u64,
    /// Slug usable in place of the id.
    pub alias: Option<String>,
    /// Its rules and redactions.
    pub layer: wire::Layer,
    /// Over all its callers.
    pub limits: wire::Limits,
    /// Active ones.
    pub meters: Vec<wire::Meter>,
    /// None: pages of other origins cannot call it.
    pub cors: Option<Cors>,
}

/// What stands in for a layer that is missing or damaged: nothing gets past it.
pub fn denying_layer() -> wire::Layer {
    wire::Layer {
        default_effect: wire::Effect::Deny.into(),
        rules: Vec::new(),
        redactions: Vec::new(),
    }
}

/// Some proxies and every record they name.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// By id.
    pub organisations: BTreeMap<String, Organisation>,
    /// By id.
    pub credentials: BTreeMap<String, Credential>,
    /// By id.
    pub targets: BTreeMap<String, Target>,
    /// By id.
    pub proxies: BTreeMap<String, Proxy>,
}
