//! Refusals of what is asked under `/async/` and `/requests/`; most are said by the region server.

use super::{OVERLOADED_RETRY_AFTER, ProxyCode};

/// Why it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asynchronous {
    /// Of `/async/`: none of the five methods.
    MethodNotAllowed,
    /// Of `/requests/`: neither GET nor DELETE.
    StatusMethodNotAllowed,
    /// A header about the order of requests cannot be used.
    BadOrdering,
    /// The idempotency key cannot be used.
    BadKey,
    /// The callback's URL cannot be used.
    BadCallback,
    /// The wait is no number of seconds, or too long.
    BadWait,
    /// The idempotency key came before, with something else.
    KeyReused,
    /// The request that came with this idempotency key is being stored.
    KeyBusy,
    /// There is no such request of this proxy, or whoever asks may not know.
    UnknownRequest,
    /// The request is being delivered, or is over.
    NotCancellable,
    /// Requests cannot be stored now. Nothing was.
    Unavailable,
}

impl Asynchronous {
    pub(super) fn status(self) -> u16 {
        match self {
            Self::BadOrdering | Self::BadKey | Self::BadCallback | Self::BadWait => 400,
            Self::UnknownRequest => 404,
            Self::MethodNotAllowed | Self::StatusMethodNotAllowed => 405,
            Self::KeyBusy | Self::NotCancellable => 409,
            Self::KeyReused => 422,
            Self::Unavailable => 503,
        }
    }

    pub(super) fn proxy_code(self) -> ProxyCode {
        match self {
            Self::Unavailable => ProxyCode::AccessGranted,
            Self::MethodNotAllowed
            | Self::StatusMethodNotAllowed
            | Self::BadOrdering
            | Self::BadKey
            | Self::BadCallback
            | Self::BadWait
            | Self::KeyReused
            | Self::KeyBusy
            | Self::UnknownRequest
            | Self::NotCancellable => ProxyCode::AccessDenied,
        }
    }

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::MethodNotAllowed | Self::StatusMethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::BadOrdering => "INVALID_ORDERING",
            Self::BadKey => "INVALID_IDEMPOTENCY_KEY",
            Self::BadCallback => "INVALID_CALLBACK",
            Self::BadWait => "INVALID_WAIT",
            Self::KeyReused => "IDEMPOTENCY_KEY_REUSED",
            Self::KeyBusy => "IDEMPOTENCY_IN_PROGRESS",
            Self::UnknownRequest => "NOT_FOUND",
            Self::NotCancellable => "NOT_CANCELLABLE",
            Self::Unavailable => "ASYNC_UNAVAILABLE",
        }
    }

    pub(super) fn message(self) -> &'static str {
        match self {
            Self::MethodNotAllowed | Self::StatusMethodNotAllowed => "The method is not allowed.",
            Self::BadOrdering => {
                "requestrocket-ordering-key must be 1 to 128 visible ASCII characters, and \
                 requestrocket-ordering-policy, beside a key, stop or continue."
            }
            Self::BadKey => "Idempotency-Key must be 1 to 255 visible ASCII characters.",
            Self::BadCallback => {
                "requestrocket-callback-url must be an https URL of a host that the proxy allows, \
                 and requestrocket-callback-body can only be include."
            }
            Self::BadWait => "wait must be a whole number of seconds from 0 to 30.",
            Self::KeyReused => "The Idempotency-Key came before with another request.",
            Self::KeyBusy => "The first request with this Idempotency-Key is being stored.",
            Self::UnknownRequest => "There is no such request.",
            Self::NotCancellable => "The request is being delivered or is over.",
            Self::Unavailable => "Requests cannot be accepted now.",
        }
    }

    /// What its answer has besides.
    pub(super) fn header(self) -> Option<(&'static str, String)> {
        let (name, value) = match self {
            Self::MethodNotAllowed => ("allow", "GET, POST, PUT, PATCH, DELETE"),
            Self::StatusMethodNotAllowed => ("allow", "GET, DELETE"),
            Self::KeyBusy | Self::Unavailable => ("retry-after", OVERLOADED_RETRY_AFTER),
            Self::BadOrdering
            | Self::BadKey
            | Self::BadCallback
            | Self::BadWait
            | Self::KeyReused
            | Self::UnknownRequest
            | Self::NotCancellable => return None,
        };
        Some((name, value.to_owned()))
    }
}
