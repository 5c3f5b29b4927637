//! What the filter and the region server say to each other of asynchronous requests, in headers that
//! no caller can bring: who sent one, when it comes; for whom it is sent, when it is delivered.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use prost::Message as _;
use requestrocket_proto::passage::v1 as wire;
use uuid::Uuid;

use crate::id::{CredentialId, OrganisationId, ProxyId};

/// Header of a call that is the region server's to answer.
pub const ARRIVAL_HEADER: &str = "x-rr-arrival";
/// Header of a call that the region server makes.
pub const DELIVERY_HEADER: &str = "x-rr-delivery";
/// Says, on the answer to a call that brought an asynchronous request, which it is.
pub const REQUEST_HEADER: &str = "requestrocket-async-request-id";
/// Whose certificate a client shows that may make such calls: a host name that no node can have,
/// because names of nodes have no dots.
pub const DELIVERER: &str = "deliveries.requestrocket.internal";
/// Behind the name of its route, of a call that is the region server's to answer.
pub const ARRIVES: &str = "/arrives";

/// Who sent a request, as its credential was found right when it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Which credential.
    pub credential: CredentialId,
    /// What the token said, a JSON object.
    pub claims: Option<String>,
}

/// A call that was let in and is the region server's to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Whose proxy was called.
    pub organisation: OrganisationId,
    /// Which.
    pub proxy: ProxyId,
    /// By whom.
    pub sender: Sender,
}

/// A call that the region server makes for a caller who is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The request.
    pub request: Uuid,
    /// From 1.
    pub attempt: u32,
    /// Who sent it.
    pub sender: Sender,
}

impl Sender {
    /// As it is kept with a request.
    pub fn encode(&self) -> Vec<u8> {
        self.to_wire().encode_to_vec()
    }

    /// None of what was not encoded here.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        Self::from_wire(wire::Caller::decode(bytes).ok()?)
    }

    fn to_wire(&self) -> wire::Caller {
        wire::Caller {
            credential_id: self.credential.as_uuid().as_bytes().to_vec().into(),
            claims: self.claims.clone().unwrap_or_default(),
        }
    }

    fn from_wire(caller: wire::Caller) -> Option<Self> {
        let wire::Caller {
            credential_id,
            claims,
        } = caller;
        Some(Self {
            credential: Uuid::from_slice(&credential_id).ok()?.into(),
            claims: Some(claims).filter(|text| !text.is_empty()),
        })
    }
}

impl Arrival {
    /// The header's value.
    pub fn to_header(&self) -> Vec<u8> {
        let arrival = wire::Arrival {
            organisation_id: self.organisation.as_uuid().as_bytes().to_vec().into(),
            proxy_id: self.proxy.as_uuid().as_bytes().to_vec().into(),
            caller: Some(self.sender.to_wire()),
        };
        text(&arrival)
    }

    /// None of a value that the filter did not write.
    pub fn from_header(value: &[u8]) -> Option<Self> {
        let wire::Arrival {
            organisation_id,
            proxy_id,
            caller,
        } = read(value)?;
        Some(Self {
            organisation: Uuid::from_slice(&organisation_id).ok()?.into(),
            proxy: Uuid::from_slice(&proxy_id).ok()?.into(),
            sender: Sender::from_wire(caller?)?,
        })
    }
}

impl Delivery {
    /// The header's value.
    pub fn to_header(&self) -> Vec<u8> {
        let delivery = wire::Delivery {
            request_id: self.request.as_bytes().to_vec().into(),
            attempt: self.attempt,
            caller: Some(self.sender.to_wire()),
        };
        text(&delivery)
    }

    /// None of a value that the region server did not write.
    pub fn from_header(value: &[u8]) -> Option<Self> {
        let wire::Delivery {
            request_id,
            attempt,
            caller,
        } = read(value)?;
        Some(Self {
            request: Uuid::from_slice(&request_id).ok()?,
            attempt,
            sender: Sender::from_wire(caller?)?,
        })
    }
}

fn text(message: &impl prost::Message) -> Vec<u8> {
    URL_SAFE_NO_PAD.encode(message.encode_to_vec()).into_bytes()
}

fn read<M: prost::Message + Default>(value: &[u8]) -> Option<M> {
    M::decode(&URL_SAFE_NO_PAD.decode(value).ok()?[..]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(claims: Option<&str>) -> Sender {
        Sender {
            credential: Uuid::from_u128(1).into(),
            claims: claims.map(str::to_owned),
        }
    }

    #[test]
    fn what_is_said_is_understood() {
        for claims in [None, Some(r#"{"sub":"zoë","n":[1,2]}"#)] {
            let arrival = Arrival {
                organisation: Uuid::from_u128(2).into(),
                proxy: Uuid::from_u128(3).into(),
                sender: sender(claims),
            };
            assert_eq!(Arrival::from_header(&arrival.to_header()), Some(arrival));
            let delivery = Delivery {
                request: Uuid::from_u128(4),
                attempt: 3,
                sender: sender(claims),
            };
            let header = delivery.to_header();
            let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
            assert!(header.iter().all(is_plain), "{header:?}");
            assert_eq!(Delivery::from_header(&header), Some(delivery));
            let kept = sender(claims).encode();
            assert_eq!(Sender::decode(&kept), Some(sender(claims)));
        }
    }

    #[test]
    fn what_nobody_said_is_nothing() {
        for value in ["", "1", "=", "CgE", "not base64!"] {
            assert_eq!(Arrival::from_header(value.as_bytes()), None, "{value}");
            assert_eq!(Delivery::from_header(value.as_bytes()), None, "{value}");
        }
        assert_eq!(Sender::decode(b""), None);
        assert_eq!(Sender::decode(&[0xff; 20]), None);
    }
}
