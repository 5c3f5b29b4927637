//! What of requests and responses is sealed, and how.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;
use requestrocket_policy::secret::SecretBytes;
use requestrocket_proto::queue::v1 as wire;
use uuid::Uuid;

use super::carrier::{Answer, Request};
use super::intake::Callback;
use crate::records::record::Organisation;
use crate::secrets::keys::RegionKeys;
use crate::secrets::queued::{Part, QueueSafe};
use crate::store::organisation::organisation_list;
use crate::store::{Store, StoreFailed};

/// Seals and opens for whichever organisation it is, as long as it has its key.
#[derive(Clone, Debug)]
pub(super) struct Safe {
    region: String,
    keys: Arc<RegionKeys>,
    store: Store,
}

/// A request, with what goes beside it.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) request: Request,
    pub(super) caller: Bytes,
    pub(super) callback: Option<Callback>,
}

/// Nothing was sealed or opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum SafeFailed {
    /// It may be another time.
    #[error(transparent)]
    Store(#[from] StoreFailed),
    /// The organisation is gone, and its key with it, or something is damaged.
    #[error("the organisation's key does not open it")]
    Shut,
}

impl Safe {
    pub(super) fn new(region: &str, keys: Arc<RegionKeys>, store: Store) -> Self {
        Self {
            region: region.to_owned(),
            keys,
            store,
        }
    }

    pub(super) async fn seal_request(
        &self,
        organisation_id: &str,
        id: Uuid,
        parcel: &Parcel,
    ) -> Result<Vec<u8>, SafeFailed> {
        let plaintext = encode_parcel(parcel);
        self.seal(organisation_id, (id, Part::Request), &plaintext)
            .await
    }

    pub(super) async fn open_request(
        &self,
        organisation_id: &str,
        id: Uuid,
        sealed: &[u8],
    ) -> Result<Parcel, SafeFailed> {
        let part = (id, Part::Request);
        let opened = self.unseal(organisation_id, part, sealed).await?;
        decode_parcel(opened.expose()).ok_or(SafeFailed::Shut)
    }

    pub(super) async fn seal_response(
        &self,
        organisation_id: &str,
        id: Uuid,
        answer: &Answer,
    ) -> Result<Vec<u8>, SafeFailed> {
        let plaintext = encode_answer(answer);
        self.seal(organisation_id, (id, Part::Response), &plaintext)
            .await
    }

    pub(super) async fn open_response(
        &self,
        organisation_id: &str,
        id: Uuid,
        sealed: &[u8],
    ) -> Result<Answer, SafeFailed> {
        let part = (id, Part::Response);
        let opened = self.unseal(organisation_id, part, sealed).await?;
        decode_answer(opened.expose()).ok_or(SafeFailed::Shut)
    }

    async fn seal(
        &self,
        organisation_id: &str,
        part: (Uuid, Part),
        plaintext: &[u8],
    ) -> Result<Vec<u8>, SafeFailed> {
        let organisation = self.organisation(organisation_id).await?;
        let safe = self.open(&organisation)?;
        safe.seal(part, plaintext).map_err(|_| SafeFailed::Shut)
    }

    async fn unseal(
        &self,
        organisation_id: &str,
        part: (Uuid, Part),
        sealed: &[u8],
    ) -> Result<SecretBytes, SafeFailed> {
        let organisation = self.organisation(organisation_id).await?;
        let safe = self.open(&organisation)?;
        safe.unseal(part, sealed).ok_or(SafeFailed::Shut)
    }

    /// Looked up each time: what is deleted must not open anything any more.
    async fn organisation(&self, organisation_id: &str) -> Result<Organisation, SafeFailed> {
        let mut tx = self.store.begin_read().await?;
        let found = organisation_list(&mut tx, Some(&[organisation_id])).await?;
        found.into_iter().next().ok_or(SafeFailed::Shut)
    }

    fn open(&self, organisation: &Organisation) -> Result<QueueSafe<'_>, SafeFailed> {
        let id = &organisation.organisation_id;
        QueueSafe::open(&self.region, &self.keys, id, &organisation.keys)
            .map_err(|_| SafeFailed::Shut)
    }
}

fn encode_parcel(parcel: &Parcel) -> Vec<u8> {
    let Parcel {
        request:
            Request {
                method,
                path,
                query,
                headers,
                body,
            },
        caller,
        callback,
    } = parcel;
    let callback = callback.as_ref().map(|callback| wire::Callback {
        url: callback.url.clone(),
        includes_body: callback.includes_body,
    });
    let message = wire::Request {
        method: method.clone(),
        path: path.clone(),
        query: query.clone(),
        headers: encode_headers(headers),
        body: body.clone(),
        caller: caller.clone(),
        callback,
    };
    message.encode_to_vec()
}

fn decode_parcel(bytes: &[u8]) -> Option<Parcel> {
    let wire::Request {
        method,
        path,
        query,
        headers,
        body,
        caller,
        callback,
    } = wire::Request::decode(bytes).ok()?;
    let request = Request {
        method,
        path,
        query,
        headers: decode_headers(headers),
        body,
    };
    let callback =
        callback.map(|wire::Callback { url, includes_body }| Callback { url, includes_body });
    Some(Parcel {
        request,
        caller,
        callback,
    })
}

fn encode_answer(answer: &Answer) -> Vec<u8> {
    let Answer {
        status,
        headers,
        body,
        is_truncated,
    } = answer;
    let message = wire::Response {
        status: u32::from(*status),
        headers: encode_headers(headers),
        body: body.clone(),
        is_truncated: *is_truncated,
    };
    message.encode_to_vec()
}

fn decode_answer(bytes: &[u8]) -> Option<Answer> {
    let wire::Response {
        status,
        headers,
        body,
        is_truncated,
    } = wire::Response::decode(bytes).ok()?;
    Some(Answer {
        status: u16::try_from(status).ok()?,
        headers: decode_headers(headers),
        body,
        is_truncated,
    })
}

fn encode_headers(headers: &[(String, Bytes)]) -> Vec<wire::Header> {
    let header = |(name, value): &(String, Bytes)| wire::Header {
        name: name.clone(),
        value: value.clone(),
    };
    headers.iter().map(header).collect()
}

fn decode_headers(headers: Vec<wire::Header>) -> Vec<(String, Bytes)> {
    headers
        .into_iter()
        .map(|wire::Header { name, value }| (name, value))
        .collect()
}
