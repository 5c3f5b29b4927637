//! What a filter asks its region about keys that issuers publish and tokens that targets refuse
//! (`requestrocket.keys.v1`), and what it hears.

mod token;

pub use self::token::Obtained;
pub(crate) use self::token::{Renewable, injections};

use prost::Message as _;
use requestrocket_proto::keys::v1 as wire;

use crate::id::CredentialId;

/// An encoded `RenewRequest`.
pub fn request(credential: CredentialId) -> Vec<u8> {
    let credential_id = credential.as_uuid().as_bytes().to_vec().into();
    wire::RenewRequest { credential_id }.encode_to_vec()
}

/// Whether an encoded `RenewResponse` says that there may be other keys now.
pub fn is_renewed(bytes: &[u8]) -> bool {
    wire::RenewResponse::decode(bytes).is_ok_and(|response| response.is_renewed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_names_the_credential_and_only_a_yes_is_one() {
        let id: CredentialId = "0b9e3d4c-6a52-4a38-9d2f-5d1b7a4f0c11".parse().unwrap();
        let asked = wire::RenewRequest::decode(request(id).as_slice()).unwrap();
        assert_eq!(asked.credential_id.as_ref(), id.as_uuid().as_bytes());
        let answer = |is_renewed| wire::RenewResponse { is_renewed }.encode_to_vec();
        assert!(is_renewed(&answer(true)));
        assert!(!is_renewed(&answer(false)));
        assert!(!is_renewed(b"\xff"));
    }
}
