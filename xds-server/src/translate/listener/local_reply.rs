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
use requestrocket_policy::denial::{
    Asynchronous, Denial, OVERLOADED_RETRY_AFTER, PROXY_CODE_HEADER, PROXY_MESSAGE_HEADER,
    PROXY_WARNING_HEADER, ProxyCode, REQUEST_ID_HEADER,
};

use super::super::wire::{WARNING, header, number, text};

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
    denial: Denial,
    status: Status,
}

/// Where the status comes from.
enum Status {
    /// From the error table.
    OfDenial,
    /// What Envoy answers is right: 400, 408 or 431.
    OfEnvoy,
}

/// The first that matches counts; an answer of the filter matches none.
const REPLIES: [Reply; 14] = [
    // Whatever becomes of what the filter has handed over to the region server.
    Reply {
        when: When::Expression("'x-rr-arrival' in request.headers"),
        denial: Denial::Asynchronous(Asynchronous::Unavailable),
        status: Status::OfDenial,
    },
    // Before the flag DF below, which Envoy sets for a denied address, too.
    Reply {
        when: When::Expression("response.code_details == 'dns_resolution_failure{address_denied}'"),
        denial: Denial::AddressNotAllowed,
        status: Status::OfDenial,
    },
    // The route of a browser's question that a page of this origin may not ask.
    Reply {
        when: When::Expression(
            "response.code == 403 && response.code_details == 'direct_response'",
        ),
        denial: Denial::OriginNotAllowed,
        status: Status::OfDenial,
    },
    // A call that could be repeated: Envoy would try it again (`retry.rs`).
    Reply {
        when: When::Expression("response.code_details == 'lua_response'"),
        denial: Denial::TargetTimeout,
        status: Status::OfDenial,
    },
    // Another try was due when more of the body came than is kept.
    Reply {
        when: When::Expression(
            "response.code_details == 'request_payload_exceeded_retry_buffer_limit'",
        ),
        denial: Denial::TargetUnreachable,
        status: Status::OfDenial,
    },
    Reply {
        when: When::Flags(&["UT", "SI"]),
        denial: Denial::TargetTimeout,
        status: Status::OfDenial,
    },
    // Before what follows: it is no fault of the target's. The last is Envoy's full heap.
    Reply {
        when: When::Expression(
            "response.code_details == 'dns_cache_overflow' \
             || response.code_details == 'dns_cache_pending_requests_overflow' \
             || response.code_details == 'dynamic_forward_proxy_pending_request_overflow' \
             || response.code_details == 'overload'",
        ),
        denial: Denial::Overloaded,
        status: Status::OfDenial,
    },
    Reply {
        when: When::Flags(&["UO"]),
        denial: Denial::Overloaded,
        status: Status::OfDenial,
    },
    Reply {
        when: When::Flags(&["UF", "UH", "URX", "UC", "UR", "LR", "NC", "DF", "UPE", "DT"]),
        denial: Denial::TargetUnreachable,
        status: Status::OfDenial,
    },
    // The filter lets no call pass that has no route; this one's is no longer the one it was edited
    // for.
    Reply {
        when: When::Flags(&["NR"]),
        denial: Denial::TargetCredentialUnavailable,
        status: Status::OfDenial,
    },
    // To which Envoy would say 404.
    Reply {
        when: When::Expression("response.code_details == 'absolute_path_rejected'"),
        denial: Denial::BadRequest,
        status: Status::OfDenial,
    },
    // HTTP/1.0, to which Envoy would say 426.
    Reply {
        when: When::Expression("response.code_details == 'low_version'"),
        denial: Denial::BadRequest,
        status: Status::OfDenial,
    },
    // More came at once than the filter lets Envoy keep.
    Reply {
        when: When::Expression("response.code_details == 'request_payload_too_large'"),
        denial: Denial::RequestTooLarge,
        status: Status::OfDenial,
    },
    // What the codec refuses (400, 408, 431). The filter's own refusals come by here as well, with
    // the header.
    Reply {
        when: When::Expression(
            "response.code >= 400 && response.code < 500 \
             && !('requestrocket-proxy-code' in response.headers)",
        ),
        denial: Denial::BadRequest,
        status: Status::OfEnvoy,
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
        denial,
        status,
    } = reply;
    let (status, shown) = match status {
        Status::OfDenial => (
            number(u32::from(denial.status())),
            denial.status().to_string(),
        ),
        Status::OfEnvoy => (None, "%RESPONSE_CODE%".to_owned()),
    };
    let (code, message) = (denial.code(), denial.message());
    // Headers are made before the body, which repeats the id.
    let body = format!(
        r#"{{"error":"{message}","code":"{code}","status":{shown},"details":[],"requestId":"%RESP(requestrocket-request-id)%"}}"#
    );
    // An empty value makes no header.
    let proxy_code = denial.proxy_code().map_or("", ProxyCode::as_str);
    let mut headers_to_add = vec![
        header(PROXY_CODE_HEADER, proxy_code),
        header(PROXY_MESSAGE_HEADER, message),
        header(REQUEST_ID_HEADER, "%UNIQUE_ID%"),
        header(PROXY_WARNING_HEADER, WARNING),
    ];
    let passes = [
        Denial::Overloaded,
        Denial::Asynchronous(Asynchronous::Unavailable),
    ];
    if passes.contains(denial) {
        headers_to_add.push(header("retry-after", OVERLOADED_RETRY_AFTER));
    }
    ResponseMapper {
        filter: Some(filter(when)),
        status_code: status,
        headers_to_add,
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
