//! What rules, redactions and meters have in common: each is attached to one record.

use std::fmt;
use std::str::FromStr;

use crate::domain::gateway::region::RegionName;
use crate::domain::id::{CredentialId, InvalidId, OrganisationId, ProxyId, TargetId};
use crate::domain::label::Labels;
use crate::domain::moment::Moment;

/// All that is attached to one record takes at most so many bytes together: a region is told of
/// a record with its attachments in one message.
pub const MAX_BYTES_TOGETHER: u64 = 256 * 1024;

/// The record that something is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttachedTo {
    /// A credential of either side.
    Credential(CredentialId),
    /// A target.
    Target(TargetId),
    /// A proxy.
    Proxy(ProxyId),
}

/// What can be attached.
pub trait Attachable {
    /// Names one.
    type Id: Copy + Eq + fmt::Debug + fmt::Display + FromStr<Err = InvalidId> + Send + Sync;
    /// One record has at most so many.
    const MAX_COUNT: u64;
    /// What several are called.
    const PLURAL: &'static str;

    /// A new id.
    fn random_id() -> Self::Id;
}

/// The record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment<F: Attachable> {
    /// What paths and denials name it by.
    pub id: F::Id,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Where it is used.
    pub region: RegionName,
    /// What it belongs to.
    pub attached_to: AttachedTo,
    /// What its owner decided.
    pub form: F,
    /// By what it is found.
    pub labels: Labels,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
    /// User id.
    pub created_by: String,
    /// Its version; every stored change alters it.
    pub revision: u64,
}

impl AttachedTo {
    /// As the API says its kind.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Credential(_) => "credential",
            Self::Target(_) => "target",
            Self::Proxy(_) => "proxy",
        }
    }

    /// Its id, whatever its kind.
    #[must_use]
    pub fn id(self) -> uuid::Uuid {
        match self {
            Self::Credential(id) => id.uuid(),
            Self::Target(id) => id.uuid(),
            Self::Proxy(id) => id.uuid(),
        }
    }
}

impl fmt::Display for AttachedTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.id())
    }
}
