//! Envoy's own answers in the gateway's words: what stopped a call after the filter let it pass,
//! or before the filter saw it.

use envoy_types::pb::envoy::config::accesslog::v3::{
    AccessLogFilter, ExtensionFilter, ResponseFlagFilter, access_log_filter::FilterSpecifier,
    extension_filter,
};
use envoy_types::pb::envoy::config::core::v3::{
    SubstitutionFormatString, substitution_format_string::Format,
};
use envoy_types::pb::envoy::extensions::access_loggers::filters::cel::v3::ExpressionFilter;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    LocalReplyConfig, ResponseMapper,
};
use envoy_types::util::pack_any;

use super::super::wire::{header, number, text};

/// Which of Envoy's answers is meant.
enum When {
    /// Any of these response flags is set.
    Flags(&'static [&'static str]),
    /// A CEL expression holds.
    Expression(&'static str),
}

/// One row of the error table that Envoy, not the filter, has to say.
struct Reply {
    when: When,
    /// None: Envoy's own.
    status: Option<u32>,
    proxy_code: &'static str,
    code: &'static str,
    message: &'static str,
}

const GRANTED: &str = "proxy-access-granted";
const DENIED: &str = "proxy-access-denied";

/// The first that matches counts; an answer of the filter matches none.
const REPLIES: [Reply; 5] = [
    Reply {
        when: When::Expression("response.code_details == 'dns_resolution_failure{address_denied}'"),
        status: Some(502),
        proxy_code: GRANTED,
        code: "TARGET_UNREACHABLE",
        message: "address not allowed",
    },
    Reply {
        when: When::Flags(&["UT", "SI"]),
        status: Some(504),
        proxy_code: GRANTED,
        code: "TARGET_TIMEOUT",
        message: "The target did not answer in time.",
    },
    Reply {
        when: When::Flags(&[
            "UF", "UH", "URX", "UC", "UR", "LR", "UO", "NC", "DF", "UPE", "DT",
        ]),
        status: Some(502),
        proxy_code: GRANTED,
        code: "TARGET_UNREACHABLE",
        message: "The target could not be reached.",
    },
    Reply {
        when: When::Expression("response.code_details == 'absolute_path_rejected'"),
        status: Some(400),
        proxy_code: DENIED,
        code: "BAD_REQUEST",
        message: "The request is malformed.",
    },
    Reply {
        when: When::Expression(
            "response.code >= 400 && response.code < 500 \
             && !('requestrocket-proxy-code' in response.headers)",
        ),
        status: None,
        proxy_code: DENIED,
        code: "BAD_REQUEST",
        message: "The request is malformed.",
    },
];

/// The mappers of the connection manager.
pub(super) fn build() -> LocalReplyConfig {
    LocalReplyConfig {
        mappers: REPLIES.iter().map(mapper).collect(),
        body_format: None,
    }
}

fn mapper(reply: &Reply) -> ResponseMapper {
    let Reply {
        when,
        status,
        proxy_code,
        code,
        message,
    } = reply;
    let shown = status.map_or("%RESPONSE_CODE%".to_owned(), |status| status.to_string());
    // Headers are made before the body, which repeats the id.
    let body = format!(
        r#"{{"error":"{message}","code":"{code}","status":{shown},"details":[],"requestId":"%RESP(requestrocket-request-id)%"}}"#
    );
    ResponseMapper {
        filter: Some(filter(when)),
        status_code: status.and_then(number),
        headers_to_add: vec![
            header("requestrocket-proxy-code", proxy_code),
            header("requestrocket-proxy-message", message),
            header("requestrocket-request-id", "%UNIQUE_ID%"),
        ],
        body_format_override: Some(SubstitutionFormatString {
            content_type: "application/json".to_owned(),
            format: Some(Format::TextFormatSource(text(body))),
            ..SubstitutionFormatString::default()
        }),
        ..ResponseMapper::default()
    }
}

fn filter(when: &When) -> AccessLogFilter {
    let specifier = match when {
        When::Flags(flags) => FilterSpecifier::ResponseFlagFilter(ResponseFlagFilter {
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
        }),
        When::Expression(expression) => FilterSpecifier::ExtensionFilter(ExtensionFilter {
            name: "envoy.access_loggers.extension_filters.cel".to_owned(),
            config_type: Some(extension_filter::ConfigType::TypedConfig(pack_any(
                ExpressionFilter {
                    expression: (*expression).to_owned(),
                    ..ExpressionFilter::default()
                },
            ))),
        }),
    };
    AccessLogFilter {
        filter_specifier: Some(specifier),
    }
}
