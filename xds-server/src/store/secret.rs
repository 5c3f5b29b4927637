//! Secrets of credentials as text: digests and envelopes, encoded as the policy carries them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::policy::v1::proxy_credential::Presented;

use super::message::{decode, encode};
use crate::records::record::{PreviousSecret, PublishedKeys, Recipe, StoredSecret};

/// Behind the type of a secret with which nothing can be obtained before somebody consents.
const CONSENT: &str = "+consent";

pub(super) fn encode_secret(secret: &StoredSecret) -> String {
    // All else of these messages are columns; only the secret part is filled.
    match secret.clone() {
        StoredSecret::Presented(presented) => encode_presented(presented),
        StoredSecret::Injections(injections) => encode(&wire::TargetCredential {
            credential_id: String::new(),
            version: 0,
            injections,
            layer: None,
            ends_at_ms: 0,
            serves_until_ms: None,
            refresh_on: Vec::new(),
            is_token_apart: false,
        }),
        // The token is a row of its own: what refreshes it does not touch the credential.
        StoredSecret::Obtained(recipe, _) => encode_recipe(&recipe),
        // So are the keys.
        StoredSecret::Published(PublishedKeys { recipe, token }, _) => {
            let presented = encode_presented(Presented::SignedToken(token));
            format!("{}:{presented}", encode_recipe(&recipe))
        }
    }
}

fn encode_presented(presented: Presented) -> String {
    encode(&wire::ProxyCredential {
        credential_id: String::new(),
        is_active: false,
        ends_at_ms: 0,
        presented: Some(presented),
    })
}

fn encode_recipe(recipe: &Recipe) -> String {
    let Recipe {
        auth_type,
        sealed,
        needs_consent,
    } = recipe;
    let mark = if *needs_consent { CONSENT } else { "" };
    format!("{}{mark}:{}", auth_type.as_str(), STANDARD.encode(sealed))
}

fn decode_recipe(text: &str) -> Option<Recipe> {
    let (word, sealed) = text.split_once(':')?;
    let marked = word.strip_suffix(CONSENT);
    let word = marked.unwrap_or(word);
    Some(Recipe {
        auth_type: AuthType::ALL.into_iter().find(|it| it.as_str() == word)?,
        sealed: STANDARD.decode(sealed).ok()?,
        needs_consent: marked.is_some(),
    })
}

pub(super) fn encode_previous(previous: &PreviousSecret) -> String {
    encode_presented(previous.presented.clone())
}

pub(super) fn decode_previous(text: &str, ends_at_ms: u64) -> Option<PreviousSecret> {
    match decode_secret(Side::Proxy, text)? {
        StoredSecret::Presented(presented) if ends_at_ms != 0 => Some(PreviousSecret {
            presented,
            ends_at_ms,
        }),
        StoredSecret::Presented(_)
        | StoredSecret::Injections(_)
        | StoredSecret::Obtained(..)
        | StoredSecret::Published(..) => None,
    }
}

pub(super) fn decode_secret(side: Side, text: &str) -> Option<StoredSecret> {
    match side {
        // Base64 has no colon.
        Side::Proxy if text.contains(':') => {
            // From the right, because the recipe has one of its own.
            let (recipe, presented) = text.rsplit_once(':')?;
            let message: wire::ProxyCredential = decode(Some(presented))?;
            let Presented::SignedToken(token) = message.presented? else {
                return None;
            };
            let recipe = decode_recipe(recipe)?;
            let published = PublishedKeys { recipe, token };
            Some(StoredSecret::Published(published, None))
        }
        Side::Proxy => {
            let message: wire::ProxyCredential = decode(Some(text))?;
            message.presented.map(StoredSecret::Presented)
        }
        Side::Target if text.contains(':') => {
            Some(StoredSecret::Obtained(decode_recipe(text)?, None))
        }
        Side::Target => {
            let message: wire::TargetCredential = decode(Some(text))?;
            Some(StoredSecret::Injections(message.injections))
        }
    }
}
