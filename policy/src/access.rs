//! What a filter asks its region about calls that last (`requestrocket.access.v1`), and what it hears.

use prost::Message as _;
use requestrocket_proto::access::v1 as wire;
use uuid::Uuid;

use crate::{
    denial::Denial,
    id::{CredentialId, ProxyId},
};

/// Callers of one request.
pub const MAX_CALLERS: usize = 1_000;

/// Calls that a node has open at most, on all its workers. Each may need a connection of its own,
/// and to one address a machine makes no more than it has ports for: 28,232 as Linux is set up.
pub const MAX_OPEN_CALLS: u32 = 28_000;

/// Whose calls are let through together, and end together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Caller {
    /// The proxy that is called.
    pub proxy: ProxyId,
    /// What was presented.
    pub credential: CredentialId,
}

/// Whether a caller's open calls may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// They may.
    Granted,
    /// The proxy or its credential is gone, or the credential is not in force.
    Revoked,
    /// The proxy is inactive.
    Inactive,
    /// The organisation is suspended.
    Suspended,
}

impl Caller {
    /// None: an id is none.
    pub fn from_wire(wire: &wire::Caller) -> Option<Self> {
        let wire::Caller {
            proxy_id,
            credential_id,
        } = wire;
        Some(Self {
            proxy: Uuid::from_slice(proxy_id).ok()?.into(),
            credential: Uuid::from_slice(credential_id).ok()?.into(),
        })
    }

    /// As it is sent.
    pub fn to_wire(self) -> wire::Caller {
        wire::Caller {
            proxy_id: self.proxy.as_uuid().as_bytes().to_vec().into(),
            credential_id: self.credential.as_uuid().as_bytes().to_vec().into(),
        }
    }
}

impl Access {
    /// What a call would be told that came now; none when it would be let through.
    pub fn denial(self) -> Option<Denial> {
        match self {
            Self::Granted => None,
            Self::Revoked => Some(Denial::CredentialInvalid),
            Self::Inactive => Some(Denial::ProxyInactive),
            Self::Suspended => Some(Denial::BillingSuspended),
        }
    }

    /// As it is sent.
    pub fn to_wire(self) -> wire::Access {
        match self {
            Self::Granted => wire::Access::Granted,
            Self::Revoked => wire::Access::Revoked,
            Self::Inactive => wire::Access::Inactive,
            Self::Suspended => wire::Access::Suspended,
        }
    }

    /// What is not said is no reason to end a call.
    fn from_wire(wire: i32) -> Self {
        match wire::Access::try_from(wire) {
            Ok(wire::Access::Revoked) => Self::Revoked,
            Ok(wire::Access::Inactive) => Self::Inactive,
            Ok(wire::Access::Suspended) => Self::Suspended,
            Ok(wire::Access::Unspecified | wire::Access::Granted) | Err(_) => Self::Granted,
        }
    }
}

/// An encoded `CheckRequest`.
pub fn request(callers: &[Caller]) -> Vec<u8> {
    let request = wire::CheckRequest {
        callers: callers.iter().map(|caller| caller.to_wire()).collect(),
    };
    request.encode_to_vec()
}

/// Reads an encoded `CheckResponse` to a request of so many callers; none if it is not one.
pub fn answers(bytes: &[u8], callers: usize) -> Option<Vec<Access>> {
    let wire::CheckResponse { accesses } = wire::CheckResponse::decode(bytes).ok()?;
    let answers = accesses.into_iter().map(Access::from_wire);
    // Answers have no names: they are in the order of the callers.
    (answers.len() == callers).then(|| answers.collect())
}

#[cfg(test)]
mod tests;
