//! Identifiers. Each has one text form and one constructor that can fail.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// The text is not a UUID in its canonical lower-case form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("id must be a UUID in canonical lower-case form")]
pub struct InvalidId;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The id as a UUID.
            pub fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(raw: &str) -> Result<Self, InvalidId> {
                canonical_uuid(raw).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

uuid_id! {
    /// Id of a proxy.
    ProxyId
}
uuid_id! {
    /// Id of an organisation, the tenant.
    OrganisationId
}
uuid_id! {
    /// Id of a proxy credential or a target credential.
    CredentialId
}

uuid_id! {
    /// Id of a rule.
    RuleId
}
uuid_id! {
    /// Id of a redaction, which the API calls a filter.
    FilterId
}
uuid_id! {
    /// Id of a meter.
    MeterId
}

/// A region's name such as `eu-west-1`.
///
/// Invariant: 2 to 32 bytes of lower-case letters, digits and dashes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Box<str>);

/// The text is not a region's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("region must be 2 to 32 lower-case letters, digits or dashes")]
pub struct InvalidRegion;

impl Region {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Region {
    type Err = InvalidRegion;

    fn from_str(raw: &str) -> Result<Self, InvalidRegion> {
        if (2..=32).contains(&raw.len()) && raw.bytes().all(is_slug_byte) {
            Ok(Self(raw.into()))
        } else {
            Err(InvalidRegion)
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A proxy's second name, usable in the URL in place of its id.
///
/// Invariant: 3 to 63 lower-case letters, digits and inner dashes; not a UUID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias(Box<str>);

/// The text is not an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("alias must be 3 to 63 lower-case letters, digits or inner dashes, and no UUID")]
pub struct InvalidAlias;

impl Alias {
    /// The alias.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Alias {
    type Err = InvalidAlias;

    fn from_str(raw: &str) -> Result<Self, InvalidAlias> {
        let is_legal = (3..=63).contains(&raw.len())
            && raw.bytes().all(is_slug_byte)
            && !raw.starts_with('-')
            && !raw.ends_with('-')
            // The segment that names a proxy must not name two.
            && canonical_uuid(raw).is_err();
        if is_legal {
            Ok(Self(raw.into()))
        } else {
            Err(InvalidAlias)
        }
    }
}

fn is_slug_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

/// `Uuid::try_parse` also takes braces, URNs, upper case and no dashes; ids have one form only.
fn canonical_uuid(raw: &str) -> Result<Uuid, InvalidId> {
    let uuid = Uuid::try_parse(raw).map_err(|_| InvalidId)?;
    let mut buffer = Uuid::encode_buffer();
    if uuid.hyphenated().encode_lower(&mut buffer) == raw {
        Ok(uuid)
    } else {
        Err(InvalidId)
    }
}

#[cfg(test)]
mod tests;
