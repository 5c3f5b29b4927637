//! Keys that their issuer publishes, and the region fetches.

use serde_json::Value;

use crate::{
    address::is_forbidden,
    form::{
        fields::{Fields, integer},
        problem::{Fault, Invalid},
    },
    secret_form::endpoint::{Endpoint, endpoint},
};

/// Behind an issuer (OpenID Connect Discovery 1.0 §4).
const WELL_KNOWN: &str = "/.well-known/openid-configuration";
/// Of `jwksMaxStaleSeconds`: a day. A set is fetched about once an hour, so it is no less than that.
const DEFAULT_STALE_SECONDS: u64 = 86_400;
const MIN_STALE_SECONDS: u64 = 3_600;
const MAX_STALE_SECONDS: u64 = 604_800;

/// Where keys are published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The set, or who knows where it is.
    pub place: KeysAt,
    /// So long after they were fetched keys serve on when there are no others to be had.
    pub max_stale_seconds: u64,
}

/// What is fetched first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysAt {
    /// `jwksUri`: the set.
    KeySet(Endpoint),
    /// What `issuer` says of itself, in a document that names the set.
    Discovery {
        /// The document.
        document: Endpoint,
        /// What it must call itself.
        issuer: String,
    },
}

impl Published {
    /// The URL that was named, with its member.
    pub(super) fn endpoint(&self) -> (&'static str, &Endpoint) {
        match &self.place {
            KeysAt::KeySet(url) => ("jwksUri", url),
            KeysAt::Discovery { document, .. } => ("issuer", document),
        }
    }
}

/// The members beside the place.
pub(super) fn read(fields: &mut Fields<'_>, place: Option<KeysAt>) -> Option<Published> {
    let bounds = integer(MIN_STALE_SECONDS, MAX_STALE_SECONDS);
    let max_stale_seconds = fields.optional("jwksMaxStaleSeconds", bounds);
    Some(Published {
        place: place?,
        max_stale_seconds: max_stale_seconds.unwrap_or(DEFAULT_STALE_SECONDS),
    })
}

/// `jwksUri`
pub(super) fn key_set(value: &Value) -> Result<KeysAt, Invalid> {
    checked(endpoint(value)?).map(KeysAt::KeySet)
}

/// Where an issuer describes itself.
pub(super) fn discovery(issuer: &str) -> Result<KeysAt, Invalid> {
    let named = Endpoint::parse(issuer)?;
    if named.as_str().contains('?') {
        let text = "must not have a query where keys are found by it";
        return Err(Invalid::new(Fault::InvalidUrl, text));
    }
    // A slash at its end goes first (OpenID Connect Discovery 1.0 §4.1).
    let document = format!("{}{WELL_KNOWN}", issuer.trim_end_matches('/'));
    Ok(KeysAt::Discovery {
        document: checked(Endpoint::parse(&document)?)?,
        issuer: issuer.to_owned(),
    })
}

fn checked(url: Endpoint) -> Result<Endpoint, Invalid> {
    let is_public = || url.literal().is_some_and(|address| !is_forbidden(address));
    // Whoever can change keys on their way can sign: without TLS they come from a private network
    // that the operator opened. Where a name leads is seen when it is called.
    if url.is_tls() || !is_public() {
        return Ok(url);
    }
    let text = "must begin with https:// where the address is public";
    Err(Invalid::new(Fault::InvalidUrl, text))
}
