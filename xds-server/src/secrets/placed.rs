//! A value on its way to the policy, with where it goes.

use requestrocket_policy::envelope::{Binding, KeyRing, Nonce};
use requestrocket_policy::policy::Location;
use requestrocket_policy::secret::SecretBytes;
use requestrocket_proto::policy::v1 as wire;

use super::{ConversionFailed, Owner};

/// One value and where it goes.
pub(super) struct PlacedValue {
    pub(super) location: Location,
    pub(super) name: String,
    pub(super) value: SecretBytes,
    /// Bytes of the value before and behind what is secret in it.
    pub(super) around: (usize, usize),
    /// It is computed over the whole body.
    pub(super) reads_body: bool,
}

impl PlacedValue {
    /// Brings the value into the form that policies carry.
    pub(super) fn seal(
        &self,
        owner: &Owner<'_>,
        data_key: &KeyRing,
    ) -> Result<wire::Injection, ConversionFailed> {
        let Owner {
            region,
            organisation,
            credential,
            version,
        } = *owner;
        let place = (self.location, self.name.as_str());
        let binding = Binding::injection(region, organisation, (credential, version), place);
        let sealed = data_key.seal(self.value.expose(), &binding, Nonce::random()?)?;
        Ok(wire::Injection {
            location: wire_location(self.location).into(),
            name: self.name.clone(),
            sealed_value: sealed.into(),
            reads_body: self.reads_body,
            bytes_before: length(self.around.0),
            bytes_behind: length(self.around.1),
        })
    }
}

pub(super) fn wire_location(location: Location) -> wire::Location {
    match location {
        Location::Header => wire::Location::Header,
        Location::Query => wire::Location::Query,
        Location::Computed => wire::Location::Computed,
    }
}

/// Prefixes and templates are short.
fn length(bytes: usize) -> u32 {
    bytes.try_into().unwrap_or(u32::MAX)
}
