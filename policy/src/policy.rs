//! A proxy's policy in the form that decides requests.

use crate::{envelope::KeyRing, id::ProxyId};

/// Where a target credential puts a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location {
    /// A request header.
    Header,
    /// A query parameter.
    Query,
}

/// Everything the filter knows about one proxy, compiled so that requests cost little.
#[derive(Debug)]
pub struct Policy {
    pub(crate) proxy: ProxyId,
}

/// The bytes are not a usable policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPolicy {
    /// Not an encoded `ProxyPolicy`.
    #[error("policy cannot be decoded")]
    Encoding,
}

impl Policy {
    /// Compiles an encoded `requestrocket.policy.v1.ProxyPolicy`, decrypting what it needs.
    pub fn compile(_bytes: &[u8], _keys: &KeyRing) -> Result<Self, InvalidPolicy> {
        Err(InvalidPolicy::Encoding)
    }
}
