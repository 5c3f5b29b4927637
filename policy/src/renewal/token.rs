//! Tokens that the region obtains for targets, and obtains again when one is refused.

use prost::Message as _;
use requestrocket_proto::{keys::v1 as wire, policy::v1::Injection};

use crate::id::CredentialId;

/// One token of a target credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Obtained {
    /// Whose.
    pub credential: CredentialId,
    /// Of the secret that it was obtained with.
    pub version: u64,
    /// Its end, Unix time in milliseconds: no two of a version have the same.
    pub serves_until_ms: u64,
}

/// A token, and what a target says when it does not take it.
#[derive(Debug)]
pub(crate) struct Renewable {
    pub(crate) token: Obtained,
    pub(crate) statuses: Box<[u16]>,
}

impl Obtained {
    /// An encoded `RenewTokenRequest`: a target refused it.
    pub fn request(self) -> Vec<u8> {
        wire::RenewTokenRequest {
            credential_id: self.credential.as_uuid().as_bytes().to_vec().into(),
            version: self.version,
            serves_until_ms: self.serves_until_ms,
        }
        .encode_to_vec()
    }

    /// Whether an encoded `RenewTokenResponse` brings another one.
    pub fn is_in(answer: &[u8]) -> bool {
        injections(answer).is_some()
    }
}

impl Renewable {
    /// None: nobody obtains another one because of a status.
    pub(crate) fn of(
        (credential, version): (CredentialId, u64),
        serves_until_ms: Option<u64>,
        refresh_on: &[u32],
    ) -> Option<Self> {
        let statuses = refresh_on.iter().map(|status| u16::try_from(*status).ok());
        let statuses: Box<[u16]> = statuses.collect::<Option<_>>()?;
        let token = Obtained {
            credential,
            version,
            serves_until_ms: serves_until_ms?,
        };
        (!statuses.is_empty()).then_some(Self { token, statuses })
    }
}

/// What an encoded `RenewTokenResponse` has in the place of the token that was refused.
pub(crate) fn injections(answer: &[u8]) -> Option<Vec<Injection>> {
    let wire::RenewTokenResponse { injections } = wire::RenewTokenResponse::decode(answer).ok()?;
    (!injections.is_empty()).then_some(injections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_names_the_token_and_only_another_one_is_an_answer() {
        let credential: CredentialId = "0b9e3d4c-6a52-4a38-9d2f-5d1b7a4f0c11".parse().unwrap();
        let token = Obtained {
            credential,
            version: 3,
            serves_until_ms: 1_000,
        };
        let asked = wire::RenewTokenRequest::decode(token.request().as_slice()).unwrap();
        assert_eq!(
            asked.credential_id.as_ref(),
            credential.as_uuid().as_bytes()
        );
        assert_eq!((asked.version, asked.serves_until_ms), (3, 1_000));
        let answer = |injections| wire::RenewTokenResponse { injections }.encode_to_vec();
        assert!(Obtained::is_in(&answer(vec![Injection::default()])));
        for none in [answer(Vec::new()), b"\xff".to_vec()] {
            assert!(!Obtained::is_in(&none));
        }
    }
}
