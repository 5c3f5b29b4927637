//! What a filter asks its region about opaque tokens (`requestrocket.keys.v1`), and what it hears.

use prost::Message as _;
use requestrocket_proto::keys::v1 as wire;

use crate::authn::{Introspected, Unknown};

/// An encoded `IntrospectRequest`.
pub fn request(unknown: &Unknown<'_>) -> Vec<u8> {
    let Unknown {
        id: _,
        credential,
        version,
        token,
    } = *unknown;
    wire::IntrospectRequest {
        credential_id: credential.as_uuid().as_bytes().to_vec().into(),
        version,
        token: token.to_vec().into(),
    }
    .encode_to_vec()
}

/// What an encoded `IntrospectResponse` says, and for how many milliseconds it holds; none: nobody
/// could say.
pub fn answer(bytes: &[u8]) -> Option<(Introspected, u64)> {
    let response = wire::IntrospectResponse::decode(bytes).ok()?;
    let state = response.state();
    let wire::IntrospectResponse {
        state: _,
        claims,
        holds_ms,
    } = response;
    let said = match state {
        wire::TokenState::Active => Introspected::Active(claims.into()),
        wire::TokenState::Inactive => Introspected::Inactive,
        wire::TokenState::Unknown => return None,
    };
    Some((said, holds_ms.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_server_said_is_an_answer() {
        let encoded = |state: wire::TokenState| {
            wire::IntrospectResponse {
                state: state.into(),
                claims: "{}".to_owned(),
                holds_ms: 7,
            }
            .encode_to_vec()
        };
        let active = answer(&encoded(wire::TokenState::Active));
        assert_eq!(active, Some((Introspected::Active("{}".into()), 7)));
        let inactive = answer(&encoded(wire::TokenState::Inactive));
        assert_eq!(inactive, Some((Introspected::Inactive, 7)));
        assert_eq!(answer(&encoded(wire::TokenState::Unknown)), None);
        for none in [&b""[..], b"\xff"] {
            assert_eq!(answer(none), None);
        }
    }
}
