//! Consents: where somebody is sent to give one, and what is remembered until they come back.

use std::time::Duration;

use requestrocket_policy::secret_form::oauth2::{Consent, OAuth2, Pkce};
use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;

use crate::domain::id::{CredentialId, OrganisationId, UserId};
use crate::domain::moment::Moment;

/// For so long an answer is taken.
pub const CONSENT_LIFE: Duration = Duration::from_mins(10);
/// A credential to which nobody ever consented goes after this, unless a proxy uses it.
pub const TEMPORARY_LIFE: Duration = Duration::from_hours(24);
/// Path of the answer, below the public URL of this process.
pub const ANSWER_PATH: &str = "/webhooks/oauth2";

/// Where somebody consents, without what is made anew each time. Holds no secret: a browser is sent
/// there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentPage {
    url: String,
    parameters: Vec<(String, String)>,
    is_bound: bool,
}

/// Of a credential to which somebody has to consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentState {
    /// Where.
    pub page: ConsentPage,
    /// How often somebody did, to the present secret.
    pub number: u64,
    /// Nobody ever has, to any.
    pub is_temporary: bool,
}

/// Somebody was sent to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentRequest {
    /// For which credential.
    pub credential: CredentialId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Which of its secrets.
    pub version: u64,
    /// With whose rights the answer is taken.
    pub user: UserId,
    /// Where the provider sends the answer.
    pub redirect_uri: String,
    /// Sealed to the region; none: the provider knows of none.
    pub sealed_verifier: Option<String>,
    /// No answer is taken from then on.
    pub expires_at: Moment,
}

/// What a consent brought, on its way to the region. All but the address is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedConsent {
    /// Base64.
    pub code: String,
    /// Base64.
    pub verifier: Option<String>,
    /// Where the code came.
    pub redirect_uri: String,
}

impl ConsentPage {
    /// The page that a secret names.
    #[must_use]
    pub fn new(form: &OAuth2, consent: &Consent) -> Self {
        let request = &form.request;
        let scopes = request.scopes.join(&request.scope_separator);
        let known = [
            ("client_id", Some(form.client.id.clone())),
            ("scope", (!scopes.is_empty()).then_some(scopes)),
            ("audience", request.audience.clone()),
            ("resource", request.resource.clone()),
        ];
        let known = known
            .into_iter()
            // No parameter may be sent twice (RFC 6749 §3.1).
            .filter(|(name, _)| !consent.parameters.contains_key(*name))
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let own = consent.parameters.clone();
        Self {
            url: consent.authorization_url.as_str().to_owned(),
            parameters: known.chain(own).collect(),
            is_bound: consent.pkce == Pkce::S256,
        }
    }

    /// Whether a code is of use to whoever has the verifier alone.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.is_bound
    }

    /// Where somebody is sent this time.
    #[must_use]
    pub fn address(&self, redirect_uri: &str, state: &str, challenge: Option<&str>) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("response_type", "code");
        query.extend_pairs(&self.parameters);
        query.append_pair("redirect_uri", redirect_uri);
        query.append_pair("state", state);
        if let Some(challenge) = challenge {
            query.append_pair("code_challenge", challenge);
            query.append_pair("code_challenge_method", "S256");
        }
        // A query that the endpoint has is kept (RFC 6749 §3.1).
        let joint = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{joint}{}", self.url, query.finish())
    }
}

#[cfg(test)]
mod tests {
    use requestrocket_policy::secret_form::SecretForm;
    use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
    use serde_json::{Value, json};

    use super::*;

    fn page(extra: &Value) -> ConsentPage {
        let mut secret = json!({
            "grantType": "authorization_code", "authorizationUrl": "https://a.example/authorize",
            "tokenUrl": "https://a.example/token", "clientId": "m&e", "clientSecret": "canary",
        });
        for (name, value) in extra.as_object().unwrap() {
            secret[name] = value.clone();
        }
        let json = secret.to_string();
        let form = SecretForm::open(AuthType::OAuth2, Side::Target, json.as_bytes()).unwrap();
        let (form, consent) = form.consent().unwrap();
        ConsentPage::new(form, consent)
    }

    #[test]
    fn an_address_says_who_asks_for_what_and_where_to_answer() {
        let answer = "https://core.example/webhooks/oauth2";
        for (extra, challenge, want) in [
            (
                json!({}),
                Some("ch"),
                "https://a.example/authorize?response_type=code&client_id=m%26e\
                 &redirect_uri=https%3A%2F%2Fcore.example%2Fwebhooks%2Foauth2&state=st\
                 &code_challenge=ch&code_challenge_method=S256",
            ),
            (
                json!({
                    "authorizationUrl": "https://a.example/authorize?tenant=1", "pkce": "none",
                    "scopes": ["a", "b"], "audience": "api", "resource": "urn:r",
                    "authorizationParams": {"access_type": "offline", "audience": "#other"},
                }),
                None,
                "https://a.example/authorize?tenant=1&response_type=code&client_id=m%26e&scope=a+b\
                 &resource=urn%3Ar&access_type=offline&audience=%23other\
                 &redirect_uri=https%3A%2F%2Fcore.example%2Fwebhooks%2Foauth2&state=st",
            ),
        ] {
            let page = page(&extra);
            assert_eq!(page.is_bound(), challenge.is_some());
            assert_eq!(page.address(answer, "st", challenge), want);
            let stored = serde_json::to_string(&page).unwrap();
            assert!(!stored.contains("canary"), "{stored}");
            assert_eq!(serde_json::from_str::<ConsentPage>(&stored).unwrap(), page);
        }
    }
}
