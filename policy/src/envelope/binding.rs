//! What an envelope belongs to: the associated data of its encryption.

use std::borrow::Cow;

use uuid::Uuid;

use crate::id::{CredentialId, OrganisationId};

/// The owner of a sealed value. An envelope moved to any other owner does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding<'a> {
    /// Name of the region.
    pub region: &'a str,
    /// The tenant.
    pub organisation: OrganisationId,
    /// The record within the tenant.
    pub record: Uuid,
    /// Which value of the record.
    pub field: Cow<'a, str>,
    /// Version of the value; 0 where the field has none.
    pub version: u64,
}

/// Where a target credential puts a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location {
    /// A request header.
    Header,
    /// A query parameter.
    Query,
    /// Where a scheme says that computes it for each call.
    Computed,
}

impl<'a> Binding<'a> {
    /// An organisation's data key, sealed under the region's key ring.
    pub fn data_key(region: &'a str, organisation: OrganisationId) -> Self {
        Self::of_organisation(region, organisation, "data-key")
    }

    /// The key of an organisation's digests, sealed under its data key.
    pub fn digest_key(region: &'a str, organisation: OrganisationId) -> Self {
        Self::of_organisation(region, organisation, "digest-key")
    }

    /// A credential's secret as its owner gave it.
    pub fn secret(
        region: &'a str,
        organisation: OrganisationId,
        credential: CredentialId,
        version: u64,
    ) -> Self {
        let record = *credential.as_uuid();
        Self {
            region,
            organisation,
            record,
            field: Cow::Borrowed("secret"),
            version,
        }
    }

    /// The code that an owner's consent brought.
    pub fn consent_code(
        region: &'a str,
        organisation: OrganisationId,
        (credential, version): (CredentialId, u64),
    ) -> Self {
        Self {
            field: Cow::Borrowed("consent-code"),
            ..Self::secret(region, organisation, credential, version)
        }
    }

    /// What shows that who has the code asked for it (RFC 7636).
    pub fn consent_verifier(
        region: &'a str,
        organisation: OrganisationId,
        (credential, version): (CredentialId, u64),
    ) -> Self {
        Self {
            field: Cow::Borrowed("consent-verifier"),
            ..Self::secret(region, organisation, credential, version)
        }
    }

    /// A secret that an issuer signs tokens with, sealed under the data key.
    pub fn shared_secret(
        region: &'a str,
        organisation: OrganisationId,
        (credential, version): (CredentialId, u64),
    ) -> Self {
        Self {
            field: Cow::Borrowed("shared-secret"),
            ..Self::secret(region, organisation, credential, version)
        }
    }

    /// A value that a target credential puts on requests, sealed under the data key.
    ///
    /// Header names are bound in lower case.
    pub fn injection(
        region: &'a str,
        organisation: OrganisationId,
        (credential, version): (CredentialId, u64),
        (location, name): (Location, &str),
    ) -> Self {
        let field = match location {
            Location::Header => format!("header:{}", name.to_ascii_lowercase()),
            Location::Query => format!("query:{name}"),
            Location::Computed => format!("computed:{name}"),
        };
        let record = *credential.as_uuid();
        Self {
            region,
            organisation,
            record,
            field: Cow::Owned(field),
            version,
        }
    }

    fn of_organisation(region: &'a str, organisation: OrganisationId, field: &'a str) -> Self {
        let record = *organisation.as_uuid();
        Self {
            region,
            organisation,
            record,
            field: Cow::Borrowed(field),
            version: 0,
        }
    }

    /// One string for every binding.
    pub(super) fn encode(&self, domain: &str, header: &[u8]) -> Vec<u8> {
        let Self {
            region,
            organisation,
            record,
            field,
            version,
        } = self;
        let parts = [
            domain.as_bytes(),
            header,
            region.as_bytes(),
            organisation.as_uuid().as_bytes(),
            record.as_bytes(),
            field.as_bytes(),
            &version.to_be_bytes(),
        ];
        let mut encoded = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
        // Each behind its length: else two owners could share a spelling.
        for part in parts {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            encoded.extend_from_slice(&length.to_be_bytes());
            encoded.extend_from_slice(part);
        }
        encoded
    }
}
