//! Proxy → what of its configuration judges calls, for whoever asks later why a call passed.

use bytes::Bytes;
use prost::Message as _;
use requestrocket_proto::region::v1::{CallerTerms, KeptTerms};

use crate::records::region_config::{CallerConfig, ProxyConfig};

/// Terms under one version of a proxy's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyTerms {
    /// Whose proxy it is.
    pub organisation_id: String,
    /// As records name it.
    pub version: String,
    /// An encoded `KeptTerms`.
    pub terms: Bytes,
}

/// The terms of a proxy, of which `version` is the policy's.
pub(super) fn of(config: &ProxyConfig, version: &str) -> ProxyTerms {
    let caller = |caller: &CallerConfig| CallerTerms {
        credential_id: caller.credential_id.clone(),
        layer: Some(caller.layer.clone()),
    };
    let target = config.target.as_ref();
    let terms = KeptTerms {
        proxy: Some(config.layer.clone()),
        target: target.map(|target| target.layer.clone()),
        target_credential: config
            .target_credential
            .as_ref()
            .and_then(|it| it.layer.clone()),
        callers: config.proxy_credentials.iter().map(caller).collect(),
        meters: config.meters.clone(),
    };
    ProxyTerms {
        organisation_id: config.organisation_id.clone(),
        version: version.to_owned(),
        terms: terms.encode_to_vec().into(),
    }
}
