//! `authorization_code`: where people consent before there is a first token.

use std::collections::BTreeMap;

use crate::{
    form::{
        fields::Fields,
        problem::{Fault, Invalid},
    },
    secret_form::{
        custom::values,
        endpoint::{Endpoint, endpoint},
    },
};

/// Of all parameters, names and values: they become part of a URL.
const MAX_PARAMETERS_BYTES: usize = 4_096;

/// How people are sent to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Where they consent; browsers go there, the region does not.
    pub authorization_url: Endpoint,
    /// What is said there besides; no secrets, since browsers carry them.
    pub parameters: BTreeMap<String, String>,
    /// Whether a code is of use to whoever asked for it alone (RFC 7636).
    pub pkce: Pkce,
}

/// How a code is bound to who asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pkce {
    /// By the hash of a verifier.
    S256,
    /// Not at all: for providers that refuse what they do not know.
    None,
}

/// `authorizationUrl`, `authorizationParams`, `pkce`
pub(super) fn read(fields: &mut Fields<'_>) -> Option<Consent> {
    let authorization_url = fields.required("authorizationUrl", endpoint);
    let parameters = fields.object("authorizationParams", |members| values(members, parameter));
    let pkce = fields.optional("pkce", |value| match value.as_str() {
        Some("S256") => Ok(Pkce::S256),
        Some("none") => Ok(Pkce::None),
        _ => Err(Invalid::value("must be `S256` or `none`")),
    });
    // An inner None was noted member by member.
    let parameters = parameters.unwrap_or_else(|| Some(BTreeMap::new()))?;
    let parameters: BTreeMap<_, _> = parameters
        .into_iter()
        // No secrets: they are shown to whoever consents.
        .map(|(name, value)| (name, value.expose().to_owned()))
        .collect();
    let bytes: usize = parameters
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if bytes > MAX_PARAMETERS_BYTES {
        let text = format!("are more than {MAX_PARAMETERS_BYTES} bytes");
        fields.problem(Fault::InvalidSecret, "authorizationParams", text);
    }
    Some(Consent {
        authorization_url: authorization_url?,
        parameters,
        pkce: pkce.unwrap_or(Pkce::S256),
    })
}

/// What is made anew for each consent, or said by another member, is not said a second time.
fn parameter(raw: &str) -> Result<String, Invalid> {
    let own = [
        "response_type",
        "response_mode",
        "client_id",
        "client_secret",
        "redirect_uri",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
    ];
    let is_legal = (1..=256).contains(&raw.len()) && !raw.chars().any(char::is_control);
    if own.contains(&raw) || !is_legal {
        return Err(Invalid::value("is not the name of an extra parameter"));
    }
    Ok(raw.to_owned())
}
