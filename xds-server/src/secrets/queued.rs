//! Seals requests and responses that wait in the store under their organisation's data key.

use std::borrow::Cow;
use std::fmt;

use requestrocket_policy::envelope::{Binding, KeyRing, Nonce};
use requestrocket_policy::id::OrganisationId;
use requestrocket_policy::secret::SecretBytes;
use uuid::Uuid;

use super::keys::RegionKeys;
use super::{ConversionFailed, open_data_key, parse_id};
use crate::records::record::{OrganisationKeys, SecretProblem};

/// What is sealed of a request; none opens in another one's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// As the caller sent it.
    Request,
    /// As the target answered it.
    Response,
}

/// An organisation's data key, opened.
pub struct QueueSafe<'a> {
    region: &'a str,
    organisation: OrganisationId,
    data: KeyRing,
}

impl fmt::Debug for QueueSafe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QueueSafe({:?})", self.organisation)
    }
}

impl<'a> QueueSafe<'a> {
    /// Opens the key.
    ///
    /// # Errors
    /// It does not open, or the id is none.
    pub fn open(
        region: &'a str,
        keys: &RegionKeys,
        organisation_id: &str,
        wrapped: &OrganisationKeys,
    ) -> Result<Self, SecretProblem> {
        let organisation = parse_id(organisation_id)?;
        let data = open_data_key(keys, wrapped, (region, organisation))?;
        Ok(Self {
            region,
            organisation,
            data,
        })
    }

    /// For the store.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn seal(
        &self,
        (request, part): (Uuid, Part),
        plaintext: &[u8],
    ) -> Result<Vec<u8>, ConversionFailed> {
        let binding = self.binding(request, part);
        Ok(self.data.seal(plaintext, &binding, Nonce::random()?)?)
    }

    /// Of the store; none: it does not open.
    #[must_use]
    pub fn unseal(&self, (request, part): (Uuid, Part), sealed: &[u8]) -> Option<SecretBytes> {
        self.data.open(sealed, &self.binding(request, part)).ok()
    }

    fn binding(&self, record: Uuid, part: Part) -> Binding<'a> {
        let field = match part {
            Part::Request => "queued-request",
            Part::Response => "queued-response",
        };
        Binding {
            region: self.region,
            organisation: self.organisation,
            record,
            field: Cow::Borrowed(field),
            version: 0,
        }
    }
}
