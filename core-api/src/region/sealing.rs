//! Sealing of secrets to a region's public key: the last place that sees a secret in the clear.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use requestrocket_policy::envelope::Binding;
use requestrocket_policy::envelope::sealing::SealingPublicKey;

/// Public key of a region: what is sealed to it, only the region opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionKey(SealingPublicKey);

/// Whose secret it is; the sealed text opens for nothing else.
#[derive(Clone, Copy, Debug)]
pub struct SecretOwner<'a> {
    /// Region that will open it.
    pub region: &'a str,
    /// Owning organisation.
    pub organisation_id: &'a str,
    /// The credential.
    pub credential_id: &'a str,
    /// Which of the credential's secrets.
    pub version: u64,
}

/// Which secret of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `credentialSecret`, as JSON.
    Secret,
    /// The code that a consent brought.
    Code,
    /// What is shown with that code.
    Verifier,
}

/// Nothing can be sealed to the region.
#[derive(Debug, thiserror::Error)]
pub enum SealingUnavailable {
    /// There is no such region.
    #[error("there is no such region")]
    UnknownRegion,
    /// It never connected, so its key is unknown.
    #[error("region never enrolled")]
    NeverEnrolled,
    /// The store does not answer.
    #[error("sealing key cannot be read")]
    Store(#[from] sqlx::Error),
}

/// A secret was not sealed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealingFailed {
    /// The owner's id is no UUID.
    #[error("owner of the secret has no id")]
    Owner,
    /// The region gave a key to which nothing can be sealed.
    #[error("nothing can be sealed to the region's key")]
    Key,
}

/// Not an X25519 public key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealing public key must be the 32 bytes of an X25519 key")]
pub struct InvalidRegionKey;

impl RegionKey {
    /// The key itself, which is public.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }
}

impl TryFrom<&[u8]> for RegionKey {
    type Error = InvalidRegionKey;

    fn try_from(bytes: &[u8]) -> Result<Self, InvalidRegionKey> {
        let key = SealingPublicKey::from_bytes(bytes).map_err(|_| InvalidRegionKey)?;
        // A key of low order parses and seals nothing: refuse it when it is told, not when used.
        let probe = Binding::data_key("", uuid::Uuid::nil().into());
        key.seal(b"", &probe).map_err(|_| InvalidRegionKey)?;
        Ok(Self(key))
    }
}

/// Seals `secret` (the JSON of `credentialSecret`) and gives the text to store.
///
/// # Errors
/// The owner's ids are not UUIDs, or the key is unusable.
pub fn seal(
    key: &RegionKey,
    owner: &SecretOwner<'_>,
    secret: &[u8],
) -> Result<String, SealingFailed> {
    seal_part(key, owner, (Part::Secret, secret))
}

/// The same of another secret of the credential.
///
/// # Errors
/// As [`seal`].
pub fn seal_part(
    key: &RegionKey,
    owner: &SecretOwner<'_>,
    (part, secret): (Part, &[u8]),
) -> Result<String, SealingFailed> {
    let organisation = owner
        .organisation_id
        .parse()
        .map_err(|_| SealingFailed::Owner)?;
    let credential = owner
        .credential_id
        .parse()
        .map_err(|_| SealingFailed::Owner)?;
    let (region, record) = (owner.region, (credential, owner.version));
    let binding = match part {
        Part::Secret => Binding::secret(region, organisation, credential, owner.version),
        Part::Code => Binding::consent_code(region, organisation, record),
        Part::Verifier => Binding::consent_verifier(region, organisation, record),
    };
    let sealed = key
        .0
        .seal(secret, &binding)
        .map_err(|_| SealingFailed::Key)?;
    Ok(BASE64.encode(sealed))
}

#[cfg(test)]
mod tests {
    use requestrocket_policy::envelope::sealing::SealingPrivateKey;

    use super::*;

    const ORGANISATION: &str = "11111111-1111-4111-8111-111111111111";
    const CREDENTIAL: &str = "22222222-2222-4222-8222-222222222222";
    const SECRET: &[u8] = br#"{"key":"hunter2-hunter2"}"#;

    fn owner(version: u64) -> SecretOwner<'static> {
        SecretOwner {
            region: "eu-1",
            organisation_id: ORGANISATION,
            credential_id: CREDENTIAL,
            version,
        }
    }

    #[test]
    fn only_the_region_opens_what_was_sealed_for_this_owner() {
        let private = SealingPrivateKey::generate().unwrap();
        let key = RegionKey::try_from(private.public_key().to_bytes().as_slice()).unwrap();
        let text = seal(&key, &owner(3), SECRET).unwrap();
        let sealed = BASE64.decode(&text).unwrap();
        let open = |version| {
            let organisation = ORGANISATION.parse().unwrap();
            let credential = CREDENTIAL.parse().unwrap();
            private.open(
                &sealed,
                &Binding::secret("eu-1", organisation, credential, version),
            )
        };
        assert_eq!(open(3).unwrap().expose(), SECRET);
        assert!(open(4).is_err());
        assert!(!text.contains("hunter2") && !sealed.windows(7).any(|part| part == b"hunter2"));
    }

    #[test]
    fn sealing_twice_gives_two_texts() {
        let private = SealingPrivateKey::generate().unwrap();
        let key = RegionKey::try_from(private.public_key().to_bytes().as_slice()).unwrap();
        let texts = [(); 2].map(|()| seal(&key, &owner(1), SECRET).unwrap());
        assert_ne!(texts[0], texts[1]);
    }

    #[test]
    fn a_key_to_which_nothing_can_be_sealed_is_refused() {
        for bytes in [&[0; 32][..], &[1; 31], &[1; 33], &[]] {
            assert_eq!(
                RegionKey::try_from(bytes),
                Err(InvalidRegionKey),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn an_owner_without_an_id_gets_nothing() {
        let private = SealingPrivateKey::generate().unwrap();
        let key = RegionKey::try_from(private.public_key().to_bytes().as_slice()).unwrap();
        let nobody = SecretOwner {
            credential_id: "x",
            ..owner(1)
        };
        assert_eq!(seal(&key, &nobody, SECRET), Err(SealingFailed::Owner));
    }
}
