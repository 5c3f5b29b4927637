//! The light part of a policy: names, keys and credentials.

use std::num::NonZeroU64;

use prost::Message as _;
use requestrocket_proto::policy::v1 as wire;

use super::{InvalidPolicy, credential, token::Safe};
use crate::{
    admission::{Admission, Names},
    authn::DigestKey,
    envelope::{Binding, Key, KeyRing},
    id::{Alias, OrganisationId, ProxyId, Region},
};

/// Most bytes of an encoded admission: a hundred credentials with keys and checks, and as many that
/// they had before. It bounds what a call costs before its caller is known.
pub const MAX_ADMISSION_BYTES: usize = 1 << 20;

/// What a byte of the message weighs: digests are kept as they are, ids and prefixes apart.
const ENCODED_BYTE: usize = 4;

impl Admission {
    /// Compiles an encoded `requestrocket.policy.v1.Admission`, opening its keys.
    pub fn compile(bytes: &[u8], keys: &KeyRing) -> Result<Self, InvalidPolicy> {
        if bytes.len() > MAX_ADMISSION_BYTES {
            return Err(InvalidPolicy::TooLong(MAX_ADMISSION_BYTES));
        }
        let admission = wire::Admission::decode(bytes).map_err(|_| InvalidPolicy::Encoding)?;
        // No `..`: a new wire field must fail to compile.
        let wire::Admission {
            proxy_id,
            organisation_id,
            region,
            alias,
            data_key,
            digest_key,
            proxy_credentials,
            max_response_bytes,
            inspects_responses,
        } = admission;
        let names = names(&proxy_id, &alias)?;
        let organisation: OrganisationId = organisation_id
            .parse()
            .map_err(InvalidPolicy::OrganisationId)?;
        let region: Region = region.parse()?;
        // The region's ring opens this key, and this one all else of the organisation.
        let data_key = open_data_key((keys, &data_key), (&region, organisation))?;
        let digest_key = open_digest_key((&data_key, &digest_key), (&region, organisation))?;
        let safe = Safe {
            data_key: &data_key,
            region: &region,
            organisation,
        };
        let credentials = credential::compile_all(proxy_credentials, &safe)?;
        Ok(Self {
            names,
            organisation,
            region,
            data_key,
            digest_key,
            credentials,
            max_response_bytes: NonZeroU64::new(max_response_bytes)
                .ok_or(InvalidPolicy::MaxResponseBytes)?,
            inspects_responses,
            weight: bytes.len().saturating_mul(ENCODED_BYTE),
        })
    }
}

fn names(proxy_id: &str, alias: &str) -> Result<Names, InvalidPolicy> {
    let id: ProxyId = proxy_id.parse().map_err(InvalidPolicy::ProxyId)?;
    let alias = if alias.is_empty() {
        None
    } else {
        Some(alias.parse::<Alias>()?)
    };
    Ok(Names {
        id,
        id_text: proxy_id.into(),
        alias,
    })
}

fn open_data_key(
    (keys, envelope): (&KeyRing, &[u8]),
    (region, organisation): (&Region, OrganisationId),
) -> Result<KeyRing, InvalidPolicy> {
    let binding = Binding::data_key(region.as_str(), organisation);
    let bytes = keys
        .open(envelope, &binding)
        .map_err(InvalidPolicy::DataKey)?;
    let key = Key::unnamed(bytes).map_err(InvalidPolicy::DataKeyMaterial)?;
    Ok(KeyRing::of(key))
}

fn open_digest_key(
    (data_key, envelope): (&KeyRing, &[u8]),
    (region, organisation): (&Region, OrganisationId),
) -> Result<DigestKey, InvalidPolicy> {
    let binding = Binding::digest_key(region.as_str(), organisation);
    let bytes = data_key
        .open(envelope, &binding)
        .map_err(InvalidPolicy::DigestKey)?;
    Ok(DigestKey::new(bytes.expose())?)
}
