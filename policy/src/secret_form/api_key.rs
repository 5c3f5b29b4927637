//! `apiKey`: a key alone.

use super::{
    place::{self, Place},
    value::{bare, prefix},
};
use crate::{form::fields::Fields, secret::SecretText};

/// What callers present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresentedKey {
    /// This one.
    Given(SecretText),
    /// One that is still to be made; never what was sealed.
    Generated,
}

/// What a target is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InjectedKey {
    /// The value.
    pub key: SecretText,
    /// Header or parameter; a header by default.
    pub location: Place,
    /// Of the header or parameter; `Authorization` by default.
    pub name: String,
    /// Put before the value; empty by default.
    pub prefix: String,
}

/// `{key?}`: no key asks for a generated one.
pub(super) fn presented(fields: &mut Fields<'_>) -> Option<PresentedKey> {
    match fields.take("key") {
        None => Some(PresentedKey::Generated),
        Some(key) => fields.checked("key", bare(&key)).map(PresentedKey::Given),
    }
}

/// `{key, location?, name?, prefix?}`
pub(super) fn injected(fields: &mut Fields<'_>) -> Option<InjectedKey> {
    let key = fields.required("key", bare);
    let (location, name) = place::read(fields);
    let prefix = fields.optional("prefix", prefix);
    Some(InjectedKey {
        key: key?,
        location,
        name,
        prefix: prefix.unwrap_or_default(),
    })
}
