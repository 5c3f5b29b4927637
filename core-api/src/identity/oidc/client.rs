//! Talks to one provider: asks what it is, sends browsers there, redeems codes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{Request, StatusCode};
use requestrocket_policy::jose::{
    Algorithm, ClaimChecks, Key, Keys, PublicKey, Refused, Requirement, Scalar, Trial, Verifier,
    claims_text, read_key_set,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;

use super::attempt::Attempt;
use super::claims::known;
use super::redeem::{self, Tokens, Way};
use super::signatures::Ring;
use crate::domain::people::provider::{Known, Provider};
use crate::outbound::Outbound;

#[cfg(test)]
mod tests;
use requestrocket_policy::secret::SecretText;

/// For each answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// For how long what a provider says of itself is believed.
const DESCRIPTION_LIFE: Duration = Duration::from_hours(1);
/// For how long its keys are.
const KEYS_LIFE: Duration = Duration::from_mins(10);
/// By how much its clock may differ.
const SKEW: Duration = Duration::from_mins(1);

/// Cheap to clone; clones know the same.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    provider: Provider,
    outbound: Outbound,
    described: Mutex<Option<(u64, Arc<Description>)>>,
    keys: Mutex<Option<(u64, Arc<[PublicKey]>)>>,
}

/// OpenID Connect Discovery 1.0 §3, and RP-Initiated Logout 1.0 §2.1.
#[derive(Debug, Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    userinfo_endpoint: Option<Url>,
    end_session_endpoint: Option<Url>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
    /// RFC 9207 §3
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// What a provider sends browsers back with.
#[derive(Debug)]
pub struct Sent {
    /// `code`
    pub code: SecretText,
    /// `iss` (RFC 9207)
    pub issuer: Option<String>,
}

/// Nobody is known. The texts name neither tokens nor codes.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The provider does not answer, or not as a provider does.
    #[error("the provider cannot be asked: {0}")]
    Away(String),
    /// What came from the browser or from the provider proves nothing.
    #[error("the answer proves nothing: {0}")]
    Unproved(String),
}

impl Client {
    /// Asks nobody yet.
    #[must_use]
    pub fn new(provider: Provider, outbound: Outbound) -> Self {
        Self(Arc::new(Inner {
            provider,
            outbound,
            described: Mutex::default(),
            keys: Mutex::default(),
        }))
    }

    /// As the settings have it.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.0.provider
    }

    /// Where a browser is sent to sign in.
    ///
    /// # Errors
    /// The provider does not say what it is.
    pub async fn authorization_url(
        &self,
        attempt: &Attempt,
        (back, now_ms): (&str, u64),
    ) -> Result<Url, Failed> {
        let provider = self.provider();
        let mut url = self.described(now_ms).await?.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &provider.client_id)
            .append_pair("redirect_uri", back)
            .append_pair("scope", &provider.scopes.join(" "))
            .append_pair("state", &attempt.state(&provider.name))
            .append_pair("nonce", &attempt.nonce(&provider.name))
            .append_pair("code_challenge", &attempt.challenge(&provider.name))
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }

    /// Where a browser is sent to sign out there too; none: the provider has no such place.
    ///
    /// # Errors
    /// The provider does not say what it is.
    pub async fn end_session_url(
        &self,
        (back, now_ms): (&str, u64),
    ) -> Result<Option<Url>, Failed> {
        let described = self.described(now_ms).await?;
        let url = described.end_session_endpoint.clone();
        Ok(url.map(|mut url| {
            url.query_pairs_mut()
                .append_pair("client_id", &self.provider().client_id)
                .append_pair("post_logout_redirect_uri", back);
            url
        }))
    }

    /// Who signed in, by what the browser came back with.
    ///
    /// # Errors
    /// Nobody that this attempt, this provider and now can be said of.
    pub async fn who(
        &self,
        attempt: &Attempt,
        sent: Sent,
        (back, now_ms): (&str, u64),
    ) -> Result<Known, Failed> {
        let described = self.described(now_ms).await?;
        let is_required = described.authorization_response_iss_parameter_supported;
        match &sent.issuer {
            Some(issuer) if *issuer != described.issuer => {
                return Err(unproved("`iss` names another provider"));
            }
            None if is_required => return Err(unproved("`iss` is missing")),
            Some(_) | None => {}
        }
        let tokens = self.redeem(&described, attempt, (sent.code, back)).await?;
        let mut claims = self.verified(&tokens.id_token, attempt, now_ms).await?;
        let provider = self.provider();
        let lacks_groups =
            !provider.grants.is_empty() && !claims.contains_key(&provider.groups_claim);
        if (lacks_groups || !claims.contains_key("email"))
            && let Some(url) = &described.userinfo_endpoint
        {
            let bearer = format!("Bearer {}", tokens.access_token);
            let more = Request::get(url.as_str()).header(AUTHORIZATION, bearer);
            self.add(&mut claims, more.body(Vec::new())).await?;
        }
        let known = known(&claims, &self.provider().groups_claim);
        known.ok_or_else(|| unproved("`sub` is missing"))
    }

    /// What the ID token does not say.
    async fn add(
        &self,
        claims: &mut Map<String, Value>,
        request: http::Result<Request<Vec<u8>>>,
    ) -> Result<(), Failed> {
        let (_, body) = self.ask(request, "user info").await?;
        let more: Map<String, Value> =
            serde_json::from_slice(&body).map_err(|_| away("user info is no JSON object"))?;
        // Else somebody's token could fetch somebody else's claims (Core 1.0 §5.3.2).
        if more.get("sub") != claims.get("sub") {
            return Err(unproved("user info is of somebody else"));
        }
        for (name, value) in more {
            claims.entry(name).or_insert(value);
        }
        Ok(())
    }

    async fn redeem(
        &self,
        described: &Description,
        attempt: &Attempt,
        answer: (SecretText, &str),
    ) -> Result<Tokens, Failed> {
        let methods = &described.token_endpoint_auth_methods_supported;
        let is = |method: &str| methods.iter().any(|one| one == method);
        let way = if is("client_secret_post") && !is("client_secret_basic") {
            Way::Form
        } else {
            Way::Basic
        };
        let endpoint = (described.token_endpoint.as_str(), way);
        let request = redeem::request(self.provider(), endpoint, attempt, answer);
        let (status, body) = self.ask(request, "the token endpoint").await?;
        if status.is_server_error() {
            let text = format!("the token endpoint answers {status}");
            return Err(Failed::Away(text));
        }
        if status != StatusCode::OK {
            let text = format!("the token endpoint answers {status}");
            return Err(Failed::Unproved(text));
        }
        serde_json::from_slice(&body).map_err(|_| unproved("the answer has no ID token"))
    }

    /// The claims of an ID token (OpenID Connect Core 1.0 §3.1.3.7).
    async fn verified(
        &self,
        token: &str,
        attempt: &Attempt,
        now_ms: u64,
    ) -> Result<Map<String, Value>, Failed> {
        let mut keys = self.keys(now_ms, KEYS_LIFE).await?;
        let mut verified = self.verify((token, attempt), &keys, now_ms);
        if verified.is_err_and(Refused::may_know_newer_keys) {
            // Asked for anew. Tokens come from the provider itself: nobody else has it asked.
            keys = self.keys(now_ms, Duration::ZERO).await?;
            verified = self.verify((token, attempt), &keys, now_ms);
        }
        verified.map_err(|refused| Failed::Unproved(format!("ID token: {refused}")))?;
        let text = claims_text(token.as_bytes());
        let claims: Option<Map<String, Value>> =
            text.and_then(|text| serde_json::from_str(&text).ok());
        let claims = claims.ok_or_else(|| unproved("ID token: no claims"))?;
        let is_for_several = claims.get("aud").is_some_and(|aud| {
            let all = aud.as_array();
            all.is_some_and(|all| all.len() > 1)
        });
        let party = claims.get("azp").map(Value::as_str);
        match party {
            None if is_for_several => Err(unproved("ID token: `azp` is missing")),
            Some(party) if party != Some(&*self.provider().client_id) => {
                Err(unproved("ID token: `azp` is somebody else"))
            }
            Some(_) | None => Ok(claims),
        }
    }

    fn verify(
        &self,
        (token, attempt): (&str, &Attempt),
        keys: &[PublicKey],
        now_ms: u64,
    ) -> Result<(), Refused> {
        let Provider {
            issuer,
            client_id,
            name,
            ..
        } = self.provider();
        let keys = keys.iter().filter_map(|key| {
            Some(Key {
                id: key.id.as_deref().map(Box::from),
                algorithm: key.algorithm,
                material: key.numbers.material().ok()?,
            })
        });
        let nonce = Requirement {
            name: "nonce".into(),
            allowed: [Scalar::Text(attempt.nonce(name).into())].into(),
        };
        let verifier = Verifier {
            algorithms: Algorithm::ALL
                .into_iter()
                .filter(|one| is_public(*one))
                .collect(),
            keys: Keys::Set(keys.collect()),
            claims: ClaimChecks {
                issuer: Some(issuer.as_str().into()),
                audience: [client_id.as_str().into()].into(),
                required: [nonce].into(),
                scopes: [].into(),
                skew_ms: u64::try_from(SKEW.as_millis()).unwrap_or(0),
                requires_exp: true,
            },
        };
        let trial = Trial::new(now_ms, &Ring);
        verifier.verify(token.as_bytes(), &trial).map(drop)
    }

    /// The whole answer, if it is no longer than answers are.
    async fn ask(
        &self,
        request: http::Result<Request<Vec<u8>>>,
        what: &str,
    ) -> Result<(StatusCode, Vec<u8>), Failed> {
        let request = request.map_err(|_| Failed::Away(format!("{what} has no address")))?;
        let answer = self.0.outbound.send(request, PATIENCE).await;
        let answer = answer.map_err(|error| Failed::Away(format!("{what}: {error}")))?;
        Ok((answer.status(), answer.into_body()))
    }

    async fn described(&self, now_ms: u64) -> Result<Arc<Description>, Failed> {
        let mut kept = self.0.described.lock().await;
        if let Some((at_ms, described)) = kept.as_ref()
            && is_younger(*at_ms, DESCRIPTION_LIFE, now_ms)
        {
            return Ok(Arc::clone(described));
        }
        let url = self.provider().discovery.as_str();
        let request = Request::get(url).body(Vec::new());
        let (status, body) = self.ask(request, "discovery").await?;
        if status != StatusCode::OK {
            return Err(Failed::Away(format!("discovery answers {status}")));
        }
        let described: Description = serde_json::from_slice(&body)
            .map_err(|error| Failed::Away(format!("discovery is unreadable: {error}")))?;
        if described.issuer != self.provider().issuer {
            return Err(away("discovery is of another issuer"));
        }
        let described = Arc::new(described);
        *kept = Some((now_ms, Arc::clone(&described)));
        Ok(described)
    }

    /// Keys that are no older than that.
    async fn keys(&self, now_ms: u64, age: Duration) -> Result<Arc<[PublicKey]>, Failed> {
        let url = self.described(now_ms).await?.jwks_uri.clone();
        let mut kept = self.0.keys.lock().await;
        if let Some((at_ms, keys)) = kept.as_ref()
            && is_younger(*at_ms, age, now_ms)
        {
            return Ok(Arc::clone(keys));
        }
        let request = Request::get(url.as_str()).body(Vec::new());
        let (status, body) = self.ask(request, "the key set").await?;
        if status != StatusCode::OK {
            return Err(Failed::Away(format!("the key set answers {status}")));
        }
        let set = read_key_set(&body);
        let set = set.map_err(|error| Failed::Away(format!("the key set: {error}")))?;
        let keys: Arc<[PublicKey]> = set.keys.into();
        *kept = Some((now_ms, Arc::clone(&keys)));
        Ok(keys)
    }
}

/// With a shared secret whoever knows ours could sign for the provider.
fn is_public(algorithm: Algorithm) -> bool {
    !matches!(algorithm, Algorithm::Hs(_))
}

fn is_younger(at_ms: u64, age: Duration, now_ms: u64) -> bool {
    u128::from(now_ms.saturating_sub(at_ms)) < age.as_millis()
}

fn away(text: &str) -> Failed {
    Failed::Away(text.to_owned())
}

fn unproved(text: &str) -> Failed {
    Failed::Unproved(text.to_owned())
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.provider.fmt(f)
    }
}
