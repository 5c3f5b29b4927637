//! What is shown of a token, or of keys, that the region obtains.

use requestrocket_policy::secret_form::SecretForm;
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use requestrocket_proto::region::v1::{TokenState, TokenStatus};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::gateway::credential::{Credential, CredentialStatus};
use crate::domain::moment::Moment;
use crate::http::call::Mutation;
use crate::http::routes::shape::words;
use crate::region::fleet::Fleets;
use crate::service::gateway::credentials::NewSecret;

/// The present token of a credential, or the keys that verify its callers' tokens, and what came of
/// asking for others.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CredentialTokenResource {
    /// Null: there is none yet. Of keys: they serve until then if there are no others to be had.
    expires_at: Option<String>,
    last_refresh_at: Option<String>,
    /// Null: it is asked for now, or not again before there is another secret.
    next_refresh_at: Option<String>,
    /// Failures since there was a token.
    attempts: u32,
    /// One word: the provider's `error`, or what else went wrong.
    last_error_code: Option<String>,
    /// The same for people; never holds a secret.
    last_error: Option<String>,
}

/// How a credential stands, with what its region says of its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It counts.
    Active,
    /// Its owner turned it off.
    Inactive,
    /// Its `credentialExpiresAt` has passed.
    Expired,
    /// Somebody has to consent at the provider.
    PendingConsent,
    /// The first token is on its way, or the first keys.
    Obtaining,
    /// The provider fails and is asked again; the old token serves to its end, and so do old keys.
    Failing,
    /// The provider took the grant back, or gave none that lasts.
    ReconsentNeeded,
    /// The provider does not want this client.
    InvalidClient,
}

words! {
    /// How a credential stands.
    CredentialState = State;
}

impl State {
    /// All of them, in the order in which they are shown.
    pub(super) const ALL: [Self; 8] = [
        Self::Active,
        Self::Inactive,
        Self::Expired,
        Self::PendingConsent,
        Self::Obtaining,
        Self::Failing,
        Self::ReconsentNeeded,
        Self::InvalidClient,
    ];

    /// As the API says it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Expired => "expired",
            Self::PendingConsent => "pending_consent",
            Self::Obtaining => "obtaining",
            Self::Failing => "failing",
            Self::ReconsentNeeded => "reconsent_needed",
            Self::InvalidClient => "invalid_client",
        }
    }
}

impl From<CredentialStatus> for State {
    fn from(status: CredentialStatus) -> Self {
        match status {
            CredentialStatus::Active => Self::Active,
            CredentialStatus::Inactive => Self::Inactive,
            CredentialStatus::Expired => Self::Expired,
        }
    }
}

impl CredentialTokenResource {
    /// As the region tells it.
    pub(super) fn of(known: Option<&TokenState>) -> Self {
        let Some(known) = known else {
            return Self::default();
        };
        let moment = |unix_ms: Option<u64>| Moment::of_unix_ms(unix_ms?).map(|it| it.to_string());
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self {
            expires_at: moment(known.expires_at_ms),
            last_refresh_at: moment(known.last_refresh_at_ms),
            next_refresh_at: moment(known.next_refresh_at_ms),
            attempts: known.attempts,
            last_error_code: text(&known.last_error_code),
            last_error: text(&known.last_error),
        }
    }
}

/// Whether the region certainly obtains its token. Whether it fetches keys or mints tokens ahead only
/// the secret says, which is not kept here.
pub(super) fn is_obtained(credential: &Credential) -> bool {
    let obtained = [AuthType::OAuth2, AuthType::CustomToken];
    credential.side == Side::Target && obtained.contains(&credential.auth_type)
}

/// What the region tells of the token of the present secret.
pub(super) fn known(credential: &Credential, fleets: &Fleets) -> Option<TokenState> {
    let region = credential.region.as_str();
    fleets.token(region, &credential.id.to_string(), credential.version)
}

/// How it goes.
pub(super) fn status(credential: &Credential, known: Option<&TokenState>) -> State {
    let consents = credential.consent.as_ref().map(|consent| consent.number);
    if consents == Some(0) {
        return State::PendingConsent;
    }
    // What a region tells of an older consent is over.
    let known = known.filter(|known| consents.is_none_or(|number| number <= known.consent));
    match known.map_or(TokenStatus::Obtaining, TokenState::status) {
        TokenStatus::Active => State::Active,
        TokenStatus::Failing => State::Failing,
        TokenStatus::ReconsentNeeded => State::ReconsentNeeded,
        TokenStatus::InvalidClient => State::InvalidClient,
        TokenStatus::PendingConsent => State::PendingConsent,
        // A newer region may know other words.
        TokenStatus::Obtaining | TokenStatus::Unspecified => State::Obtaining,
    }
}

/// Whether the region obtains something with a new secret.
pub(super) fn obtains(secret: &NewSecret, (auth_type, side): (AuthType, Side)) -> bool {
    match secret {
        NewSecret::Given(sent) => {
            SecretForm::open(auth_type, side, sent.expose()).is_ok_and(|form| form.is_obtained())
        }
        // Nothing comes before somebody has consented.
        NewSecret::None | NewSecret::Generate | NewSecret::ToConsent(..) => false,
    }
}

/// Who waits until a change is applied waits for the first token or keys, too. `obtains`: there are
/// some to come for a new secret.
pub(super) async fn tried(call: Mutation, credential: &Credential, obtains: bool) -> Mutation {
    let is_obtained = obtains || known(credential, &call.change.state.fleets).is_some();
    if !is_obtained || !credential.form.is_active {
        return call;
    }
    let region = credential.region.as_str().to_owned();
    let (id, version) = (credential.id.to_string(), credential.version);
    let fleets = call.change.state.fleets.clone();
    call.waiting(async |limit| fleets.wait_token(&region, (&id, version), limit).await)
        .await
}
