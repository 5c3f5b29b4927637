//! Refusals: the one table of statuses, codes and sentences, and how a refusal is rendered.

mod asynchronous;
mod refusal;

pub use asynchronous::Asynchronous;
pub use refusal::{Detail, Refusal};

use crate::http::ALLOWED_METHODS;

/// Why a request or a response is refused. One fixed answer each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Denial {
    /// A path that a lenient target could read as climbing.
    PathAmbiguous,
    /// Framing the gateway does not pass on.
    BadRequest,
    /// The caller took too long to send its request (made by Envoy).
    RequestTimeout,
    /// The caller's headers are too large (made by Envoy).
    HeadersTooLarge,
    /// None of the seven methods.
    MethodNotAllowed,
    /// No credential was presented.
    CredentialMissing,
    /// The credential is wrong, expired, revoked or inactive, or there is no such proxy.
    CredentialInvalid,
    /// Nobody could be asked whether the credential is right.
    CredentialCheckUnavailable,
    /// A browser asks whether a page may call the proxy, and its origin is none of those that may
    /// (made by Envoy).
    OriginNotAllowed,
    /// The proxy is switched off.
    ProxyInactive,
    /// The organisation is suspended.
    BillingSuspended,
    /// The proxy's target or target credential is gone.
    ProxyIncomplete,
    /// The configuration changed while the call was prepared, so what was put on it is not meant for
    /// where it would go now (made by Envoy).
    TargetCredentialUnavailable,
    /// A rule or a default effect denies.
    RuleDenied,
    /// A limit or a meter is exceeded.
    RateLimited,
    /// The request's body is larger than what the proxy's conditions may look into, or what is kept
    /// for later.
    RequestTooLarge,
    /// The target's response is longer than the proxy allows.
    ResponseTooLarge,
    /// The response has to be redacted, and cannot be.
    ResponseNotFilterable,
    /// The target cannot be reached (made by Envoy).
    TargetUnreachable,
    /// The target's address is one of those the region forbids (made by Envoy).
    AddressNotAllowed,
    /// The target took too long (made by Envoy).
    TargetTimeout,
    /// There is no room: too many calls at once, or too much held (made by Envoy, too).
    Overloaded,
    /// Of what is asked under `/async/` and `/requests/`.
    Asynchronous(Asynchronous),
    /// The gateway itself is at fault: no usable policy, no keys, events out of order. Bare.
    GatewayFault,
}

/// `requestrocket-proxy-code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProxyCode {
    /// The call was let through.
    AccessGranted,
    /// The call was refused.
    AccessDenied,
    /// The organisation is suspended.
    BillingSuspended,
    /// A limit or a meter is exceeded.
    RateLimitExceeded,
    /// The target's response is too large.
    ResponseTooLarge,
    /// The target's response has to be redacted, and cannot be.
    ResponseNotFilterable,
}

/// Name of the header with the proxy code.
pub const PROXY_CODE_HEADER: &str = "requestrocket-proxy-code";
/// Name of the header with the fixed sentence.
pub const PROXY_MESSAGE_HEADER: &str = "requestrocket-proxy-message";
/// Name of the header with warnings.
pub const PROXY_WARNING_HEADER: &str = "requestrocket-proxy-warning";
/// Name of the header with the gateway's request id.
pub const REQUEST_ID_HEADER: &str = "requestrocket-request-id";
/// Seconds after which to come back when there are too many calls at once.
pub const OVERLOADED_RETRY_AFTER: &str = "1";
/// The sentence of a call that was let through.
pub const GRANTED_MESSAGE: &str = "Access granted.";

/// A refusal as the caller gets it.
///
/// `body` belongs to every method; for HEAD the host sends the headers alone, as Envoy's local
/// replies do by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DenialResponse {
    /// Status code.
    pub status: u16,
    /// Header lines in the order they are sent.
    pub headers: Vec<(&'static str, String)>,
    /// JSON, or nothing when the gateway is at fault.
    pub body: Vec<u8>,
}

impl ProxyCode {
    /// The header's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessGranted => "proxy-access-granted",
            Self::AccessDenied => "proxy-access-denied",
            Self::BillingSuspended => "billing-suspended",
            Self::RateLimitExceeded => "rate-limit-exceeded",
            Self::ResponseTooLarge => "response-too-large",
            Self::ResponseNotFilterable => "response-not-filterable",
        }
    }
}

impl Denial {
    /// Every refusal there is.
    pub const ALL: [Self; 34] = [
        Self::PathAmbiguous,
        Self::BadRequest,
        Self::RequestTimeout,
        Self::HeadersTooLarge,
        Self::MethodNotAllowed,
        Self::CredentialMissing,
        Self::CredentialInvalid,
        Self::CredentialCheckUnavailable,
        Self::OriginNotAllowed,
        Self::ProxyInactive,
        Self::BillingSuspended,
        Self::ProxyIncomplete,
        Self::TargetCredentialUnavailable,
        Self::RuleDenied,
        Self::RateLimited,
        Self::RequestTooLarge,
        Self::ResponseTooLarge,
        Self::ResponseNotFilterable,
        Self::TargetUnreachable,
        Self::AddressNotAllowed,
        Self::TargetTimeout,
        Self::Overloaded,
        Self::Asynchronous(Asynchronous::MethodNotAllowed),
        Self::Asynchronous(Asynchronous::StatusMethodNotAllowed),
        Self::Asynchronous(Asynchronous::BadOrdering),
        Self::Asynchronous(Asynchronous::BadKey),
        Self::Asynchronous(Asynchronous::BadCallback),
        Self::Asynchronous(Asynchronous::BadWait),
        Self::Asynchronous(Asynchronous::KeyReused),
        Self::Asynchronous(Asynchronous::KeyBusy),
        Self::Asynchronous(Asynchronous::UnknownRequest),
        Self::Asynchronous(Asynchronous::NotCancellable),
        Self::Asynchronous(Asynchronous::Unavailable),
        Self::GatewayFault,
    ];

    /// Status code.
    pub fn status(self) -> u16 {
        match self {
            Self::PathAmbiguous | Self::BadRequest => 400,
            Self::CredentialMissing => 401,
            Self::BillingSuspended => 402,
            Self::CredentialInvalid
            | Self::OriginNotAllowed
            | Self::ProxyInactive
            | Self::RuleDenied => 403,
            Self::MethodNotAllowed => 405,
            Self::RequestTimeout => 408,
            Self::RequestTooLarge | Self::ResponseTooLarge => 413,
            Self::ResponseNotFilterable => 422,
            Self::RateLimited => 429,
            Self::HeadersTooLarge => 431,
            Self::TargetUnreachable | Self::AddressNotAllowed => 502,
            Self::CredentialCheckUnavailable
            | Self::ProxyIncomplete
            | Self::TargetCredentialUnavailable
            | Self::Overloaded
            | Self::GatewayFault => 503,
            Self::TargetTimeout => 504,
            Self::Asynchronous(denial) => denial.status(),
        }
    }

    /// `requestrocket-proxy-code`; none when the gateway is at fault.
    pub fn proxy_code(self) -> Option<ProxyCode> {
        match self {
            Self::PathAmbiguous
            | Self::BadRequest
            | Self::RequestTimeout
            | Self::HeadersTooLarge
            | Self::MethodNotAllowed
            | Self::CredentialMissing
            | Self::CredentialInvalid
            | Self::CredentialCheckUnavailable
            | Self::OriginNotAllowed
            | Self::ProxyInactive
            | Self::RuleDenied
            | Self::RequestTooLarge => Some(ProxyCode::AccessDenied),
            Self::RateLimited => Some(ProxyCode::RateLimitExceeded),
            Self::ResponseNotFilterable => Some(ProxyCode::ResponseNotFilterable),
            Self::BillingSuspended => Some(ProxyCode::BillingSuspended),
            Self::ResponseTooLarge => Some(ProxyCode::ResponseTooLarge),
            Self::ProxyIncomplete
            | Self::TargetCredentialUnavailable
            | Self::TargetUnreachable
            | Self::AddressNotAllowed
            | Self::TargetTimeout
            | Self::Overloaded => Some(ProxyCode::AccessGranted),
            Self::Asynchronous(denial) => Some(denial.proxy_code()),
            Self::GatewayFault => None,
        }
    }

    /// `code` of the JSON body.
    pub fn code(self) -> &'static str {
        match self {
            Self::PathAmbiguous => "PATH_AMBIGUOUS",
            Self::BadRequest | Self::RequestTimeout | Self::HeadersTooLarge => "BAD_REQUEST",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::CredentialMissing => "CREDENTIAL_MISSING",
            Self::CredentialInvalid => "CREDENTIAL_INVALID",
            Self::CredentialCheckUnavailable => "CREDENTIAL_CHECK_UNAVAILABLE",
            Self::OriginNotAllowed => "ORIGIN_NOT_ALLOWED",
            Self::ProxyInactive => "PROXY_INACTIVE",
            Self::BillingSuspended => "BILLING_SUSPENDED",
            Self::ProxyIncomplete => "PROXY_INCOMPLETE",
            Self::TargetCredentialUnavailable => "TARGET_CREDENTIAL_UNAVAILABLE",
            Self::RuleDenied => "RULE_DENIED",
            Self::RateLimited => "RATE_LIMITED",
            Self::RequestTooLarge => "REQUEST_TOO_LARGE",
            Self::ResponseTooLarge => "RESPONSE_TOO_LARGE",
            Self::ResponseNotFilterable => "RESPONSE_NOT_FILTERABLE",
            Self::TargetUnreachable | Self::AddressNotAllowed => "TARGET_UNREACHABLE",
            Self::TargetTimeout => "TARGET_TIMEOUT",
            Self::Overloaded => "OVERLOADED",
            Self::Asynchronous(denial) => denial.code(),
            Self::GatewayFault => "GATEWAY_FAULT",
        }
    }

    /// The fixed sentence: `requestrocket-proxy-message` and `error` of the JSON body.
    pub fn message(self) -> &'static str {
        match self {
            Self::PathAmbiguous => "The path can be read in more than one way.",
            Self::BadRequest | Self::RequestTimeout | Self::HeadersTooLarge => {
                "The request is malformed, incomplete or too large."
            }
            Self::MethodNotAllowed => "The method is not allowed.",
            Self::CredentialMissing => "A proxy credential is required.",
            Self::CredentialInvalid => "The proxy credential is not valid for this proxy.",
            Self::CredentialCheckUnavailable => "The proxy credential cannot be checked now.",
            Self::OriginNotAllowed => "Pages of this origin may not call the proxy.",
            Self::ProxyInactive => "The proxy is inactive.",
            Self::BillingSuspended => "The organisation is suspended.",
            Self::ProxyIncomplete => "The proxy's target or target credential is missing.",
            Self::TargetCredentialUnavailable => {
                "The target credential cannot be used for this call now."
            }
            Self::RuleDenied => "A rule does not allow this call.",
            Self::RateLimited => "A limit is exceeded.",
            Self::RequestTooLarge => "The request's body is too large.",
            Self::ResponseTooLarge => "The target's response is too large.",
            Self::ResponseNotFilterable => "The target's response cannot be redacted.",
            Self::TargetUnreachable => "The target could not be reached.",
            Self::AddressNotAllowed => "address not allowed",
            Self::TargetTimeout => "The target did not answer in time.",
            Self::Overloaded => "There are too many calls at once.",
            Self::Asynchronous(denial) => denial.message(),
            Self::GatewayFault => "The gateway is at fault.",
        }
    }

    /// The refusal as the caller gets it.
    pub fn response(self, request_id: &str) -> DenialResponse {
        self.response_with("", request_id)
    }

    /// The same with further members of the body, each behind a comma.
    fn response_with(self, members: &str, request_id: &str) -> DenialResponse {
        let status = self.status();
        let Some(proxy_code) = self.proxy_code() else {
            return DenialResponse {
                status,
                headers: Vec::new(),
                body: Vec::new(),
            };
        };
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            (PROXY_CODE_HEADER, proxy_code.as_str().to_owned()),
            (PROXY_MESSAGE_HEADER, self.message().to_owned()),
            (REQUEST_ID_HEADER, request_id.to_owned()),
        ];
        match self {
            // The same for every proxy, known or not, so it names no proxy and no auth type of one.
            Self::CredentialMissing => {
                headers.push((
                    "www-authenticate",
                    "Bearer realm=\"requestrocket\"".to_owned(),
                ));
            }
            Self::MethodNotAllowed => headers.push(("allow", ALLOWED_METHODS.join(", "))),
            Self::CredentialCheckUnavailable | Self::Overloaded => {
                headers.push(("retry-after", OVERLOADED_RETRY_AFTER.to_owned()));
            }
            Self::Asynchronous(denial) => headers.extend(denial.header()),
            Self::PathAmbiguous
            | Self::BadRequest
            | Self::RequestTimeout
            | Self::HeadersTooLarge
            | Self::CredentialInvalid
            | Self::OriginNotAllowed
            | Self::ProxyInactive
            | Self::BillingSuspended
            | Self::ProxyIncomplete
            | Self::TargetCredentialUnavailable
            | Self::RuleDenied
            | Self::RateLimited
            | Self::RequestTooLarge
            | Self::ResponseTooLarge
            | Self::ResponseNotFilterable
            | Self::TargetUnreachable
            | Self::AddressNotAllowed
            | Self::TargetTimeout
            | Self::GatewayFault => {}
        }
        DenialResponse {
            status,
            headers,
            body: self.body_with(members, request_id).into_bytes(),
        }
    }

    /// The JSON body. `request_id` may also be a placeholder that Envoy fills in.
    pub fn body(self, request_id: &str) -> String {
        self.body_with("", request_id)
    }

    fn body_with(self, members: &str, request_id: &str) -> String {
        format!(
            r#"{{"error":"{}","code":"{}","status":{},"details":[],"requestId":"{}"{members}}}"#,
            self.message(),
            self.code(),
            self.status(),
            JsonText(request_id),
        )
    }
}

/// Text inside a JSON string.
struct JsonText<'a>(&'a str);

impl std::fmt::Display for JsonText<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.chars().try_for_each(|char| match char {
            '"' | '\\' => write!(f, "\\{char}"),
            '\0'..='\u{1f}' => write!(f, "\\u{:04x}", u32::from(char)),
            _ => write!(f, "{char}"),
        })
    }
}

#[cfg(test)]
mod tests;
