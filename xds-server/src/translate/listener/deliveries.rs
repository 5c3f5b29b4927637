//! Who may bring deliveries: whoever shows the certificate that the region server made for that.
//!
//! The region's authority signs nodes as well, and a node must not call in anybody's name, so the
//! certificate's name is what counts.

use envoy_types::pb::envoy::config::core::v3::{TransportSocket, transport_socket};
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    CertificateValidationContext, CommonTlsContext, DownstreamTlsContext, SdsSecretConfig,
    SubjectAltNameMatcher, TlsParameters,
    common_tls_context::{CombinedCertificateValidationContext, ValidationContextType},
    subject_alt_name_matcher::SanType,
    tls_parameters::TlsProtocol,
};
use envoy_types::pb::envoy::r#type::matcher::v3::{StringMatcher, string_matcher::MatchPattern};
use envoy_types::util::pack_any;
use requestrocket_policy::passage::DELIVERER;

use super::super::wire::flag;

/// What the bootstrap calls the node's certificate, and the region's authority.
const NODE: &str = "node";
const AUTHORITY: &str = "region-ca";

/// Mutual TLS.
pub(super) fn tls() -> TransportSocket {
    let secret = |name: &str| SdsSecretConfig {
        // Without a source it is one of the bootstrap's.
        name: name.to_owned(),
        ..SdsSecretConfig::default()
    };
    let deliverer = SubjectAltNameMatcher {
        san_type: SanType::Dns.into(),
        matcher: Some(StringMatcher {
            match_pattern: Some(MatchPattern::Exact(DELIVERER.to_owned())),
            ..StringMatcher::default()
        }),
        ..SubjectAltNameMatcher::default()
    };
    let validation = CombinedCertificateValidationContext {
        default_validation_context: Some(CertificateValidationContext {
            match_typed_subject_alt_names: vec![deliverer],
            ..CertificateValidationContext::default()
        }),
        validation_context_sds_secret_config: Some(secret(AUTHORITY)),
        ..CombinedCertificateValidationContext::default()
    };
    let context = DownstreamTlsContext {
        require_client_certificate: flag(true),
        common_tls_context: Some(CommonTlsContext {
            tls_params: Some(TlsParameters {
                tls_minimum_protocol_version: TlsProtocol::TlSv13.into(),
                tls_maximum_protocol_version: TlsProtocol::TlSv13.into(),
                ..TlsParameters::default()
            }),
            alpn_protocols: vec!["h2".to_owned()],
            tls_certificate_sds_secret_configs: vec![secret(NODE)],
            validation_context_type: Some(ValidationContextType::CombinedValidationContext(
                validation,
            )),
            ..CommonTlsContext::default()
        }),
        ..DownstreamTlsContext::default()
    };
    TransportSocket {
        name: "envoy.transport_sockets.tls".to_owned(),
        config_type: Some(transport_socket::ConfigType::TypedConfig(pack_any(context))),
    }
}
