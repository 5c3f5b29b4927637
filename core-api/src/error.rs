//! The one place that turns what went wrong into a status, a code and a body.
//!
//! Invariant: texts say what the caller can do about it; the cause of a 500 goes to the log only.

use std::str::FromStr;

use std::borrow::Cow;
use std::error::Error;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use requestrocket_policy::form::problem::{Fault, MAX_LISTED, Problem, Problems};

/// What a handler answers.
pub type ApiResult<T = Response> = Result<T, ApiError>;

/// Machine word of an error answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A value of the request is refused.
    Fault(Fault),
    /// The body is no JSON object.
    InvalidJson,
    /// No token, or none that counts.
    Unauthenticated,
    /// The member's roles do not permit it.
    Forbidden,
    /// No such thing, or another organisation's.
    NotFound,
    /// The path has no such method.
    MethodNotAllowed,
    /// The body did not arrive in time.
    RequestTimeout,
    /// Still bound to proxies.
    ResourceInUse,
    /// Another proxy of the region has the alias.
    AliasTaken,
    /// The region never enrolled.
    RegionUnavailable,
    /// The region cannot be asked now; for callers the same word.
    RegionAway,
    /// The record has as many attachments as it may have.
    LimitReached,
    /// The same key with another body.
    IdempotencyKeyReused,
    /// The first request with this key has not ended.
    IdempotencyInProgress,
    /// It cannot be done in the present state.
    Conflict,
    /// The organisation would be left without an owner.
    LastOwner,
    /// `If-Match` names another version.
    PreconditionFailed,
    /// More than 1 MiB.
    BodyTooLarge,
    /// Not JSON by its content type.
    UnsupportedMediaType,
    /// More would have to be looked at than one request may have looked at.
    SelectionTooLarge,
    /// Too many requests with this token.
    RateLimited,
    /// Ours to repair.
    Internal,
    /// The process cannot serve now.
    Unavailable,
}

/// A refusal on its way to the caller.
#[derive(Debug)]
pub struct ApiError {
    code: Code,
    message: Cow<'static, str>,
    details: Vec<Detail>,
    more_details: usize,
    retry_after_s: Option<u64>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

/// Body of every error answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// For people.
    error: String,
    /// For machines, such as `VALIDATION_FAILED`.
    code: &'static str,
    /// The HTTP status.
    status: u16,
    /// Every problem found; of more than 100 the first, and a last one that says how many more.
    #[schema(max_items = 100)]
    details: Vec<Detail>,
}

/// One problem of a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct Detail {
    /// Path of the member or parameter.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
    /// Offset in bytes inside a pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
}

impl ApiError {
    /// A refusal with the usual status of `code`.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Vec::new(),
            more_details: 0,
            retry_after_s: None,
            cause: None,
        }
    }

    /// Whether it is ours to repair.
    pub fn is_internal(&self) -> bool {
        self.code == Code::Internal
    }

    /// No such thing, or none of yours: both read the same.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "not found")
    }

    /// 500; `cause` is logged when the answer is made.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let mut error = Self::new(Code::Internal, "internal error");
        error.cause = Some(cause.into());
        error
    }

    /// 400 for one parameter or member.
    pub fn invalid(field: &str, text: impl Into<String>) -> Self {
        let mut problems = Problems::default();
        problems.add(Fault::ValidationFailed, field, text);
        problems.into()
    }

    /// Adds one detail.
    #[must_use]
    pub fn with_detail(mut self, field: &str, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        self.details.push(Detail {
            field: field.to_owned(),
            problem,
            position: None,
        });
        self
    }

    /// Adds `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.code
    }
}

impl Code {
    /// The word in the body.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fault(fault) => fault_word(fault),
            Self::InvalidJson => "INVALID_JSON",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::RequestTimeout => "REQUEST_TIMEOUT",
            Self::ResourceInUse => "RESOURCE_IN_USE",
            Self::AliasTaken => "ALIAS_TAKEN",
            Self::RegionUnavailable | Self::RegionAway => "REGION_UNAVAILABLE",
            Self::LimitReached => "LIMIT_REACHED",
            Self::IdempotencyKeyReused => "IDEMPOTENCY_KEY_REUSED",
            Self::IdempotencyInProgress => "IDEMPOTENCY_IN_PROGRESS",
            Self::Conflict => "CONFLICT",
            Self::LastOwner => "LAST_OWNER",
            Self::PreconditionFailed => "PRECONDITION_FAILED",
            Self::BodyTooLarge => "BODY_TOO_LARGE",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::SelectionTooLarge => "SELECTION_TOO_LARGE",
            Self::RateLimited => "RATE_LIMITED",
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Fault(_) | Self::InvalidJson | Self::SelectionTooLarge => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::ResourceInUse
            | Self::AliasTaken
            | Self::RegionUnavailable
            | Self::LimitReached
            | Self::IdempotencyInProgress
            | Self::Conflict
            | Self::LastOwner => StatusCode::CONFLICT,
            Self::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::RegionAway | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

fn fault_word(fault: Fault) -> &'static str {
    match fault {
        Fault::ValidationFailed => "VALIDATION_FAILED",
        Fault::UnknownField => "UNKNOWN_FIELD",
        Fault::FieldImmutable => "FIELD_IMMUTABLE",
        Fault::InvalidUrl => "INVALID_URL",
        Fault::AddressNotAllowed => "ADDRESS_NOT_ALLOWED",
        Fault::DestinationNotAllowed => "DESTINATION_NOT_ALLOWED",
        Fault::InvalidSecret => "INVALID_SECRET",
        Fault::InvalidPattern => "INVALID_PATTERN",
        Fault::InvalidJsonPath => "INVALID_JSON_PATH",
        Fault::ReferenceNotFound => "REFERENCE_NOT_FOUND",
        Fault::RegionMismatch => "REGION_MISMATCH",
        Fault::CredentialTypeMismatch => "CREDENTIAL_TYPE_MISMATCH",
        Fault::UnknownRegion => "UNKNOWN_REGION",
        Fault::RegionNotAllowed => "REGION_NOT_ALLOWED",
    }
}

impl From<Problem> for Detail {
    fn from(problem: Problem) -> Self {
        let Problem {
            fault: _,
            field,
            text,
            position,
        } = problem;
        Self {
            field,
            problem: text,
            position,
        }
    }
}

impl From<Problems> for ApiError {
    fn from(problems: Problems) -> Self {
        let fault = problems.leading().unwrap_or(Fault::ValidationFailed);
        let mut error = Self::new(Code::Fault(fault), "the request is not valid");
        let (listed, unlisted) = problems.into_parts();
        error.details = listed.into_iter().map(Detail::from).collect();
        error.more_details = unlisted;
        if let [only] = error.details.as_slice() {
            error.message = format!("`{}` {}", only.field, only.problem).into();
        }
        error
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        Self::internal(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Some(cause) = &self.cause {
            let cause: &(dyn Error + 'static) = &**cause;
            tracing::error!(error = cause, "request failed");
        }
        let status = self.code.status();
        let body = ErrorBody {
            error: self.message.into_owned(),
            code: self.code.as_str(),
            status: status.as_u16(),
            details: capped(self.details, self.more_details),
        };
        let mut response = (status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        // Caches may keep a 404 or 405 that says nothing of it (RFC 9110 §15.1).
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == Code::Unauthenticated {
            // RFC 9110 §15.5.2 wants a challenge with every 401.
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// At most [`MAX_LISTED`] of them, the last of which counts what is left out.
fn capped(mut details: Vec<Detail>, unlisted: usize) -> Vec<Detail> {
    if details.len() + unlisted <= MAX_LISTED {
        return details;
    }
    let total = details.len() + unlisted;
    details.truncate(MAX_LISTED - 1);
    let left_out = total - details.len();
    details.push(Detail {
        field: String::new(),
        problem: format!("and {left_out} more"),
        position: None,
    });
    details
}

/// You are known, and may not.
pub(crate) fn forbidden() -> ApiError {
    ApiError::new(Code::Forbidden, "you may not do this")
}

/// Nobody knows you.
pub(crate) fn unauthenticated() -> ApiError {
    ApiError::new(
        Code::Unauthenticated,
        "a valid token is required in the Authorization header, or a session's cookie",
    )
}

/// An id out of a path: what is no id names nothing.
///
/// # Errors
/// `NOT_FOUND`.
pub fn id<T: FromStr>(raw: &str) -> ApiResult<T> {
    raw.parse().map_err(|_| ApiError::not_found())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_member_names_the_answer_before_all_else() {
        let mut problems = Problems::default();
        problems.add(Fault::RegionMismatch, "a", "x");
        problems.add(Fault::ValidationFailed, "b", "y");
        assert_eq!(
            ApiError::from(problems.clone()).code(),
            Code::Fault(Fault::RegionMismatch)
        );
        problems.add(Fault::UnknownField, "c", "z");
        let error = ApiError::from(problems);
        assert_eq!(error.code().as_str(), "UNKNOWN_FIELD");
        let fields: Vec<_> = error
            .details
            .iter()
            .map(|detail| detail.field.as_str())
            .collect();
        assert_eq!(fields, ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn the_cause_of_a_500_stays_here() {
        let response = ApiError::internal("disk `/secret` is full").into_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        let want = r#"{"error":"internal error","code":"INTERNAL","status":500,"details":[]}"#;
        assert_eq!(body, want);
    }

    #[test]
    fn an_answer_lists_a_hundred_problems_at_most() {
        for (found, listed, last) in [
            (1, 1, "p"),
            (100, 100, "p"),
            (101, 100, "and 2 more"),
            (5000, 100, "and 4901 more"),
        ] {
            let mut problems = Problems::default();
            for n in 1..found {
                problems.add(Fault::ValidationFailed, format!("f{n}"), "p");
            }
            problems.add(Fault::UnknownField, "last", "p");
            let error = ApiError::from(problems);
            assert_eq!(error.code(), Code::Fault(Fault::UnknownField), "{found}");
            let details = capped(error.details, error.more_details);
            assert_eq!(details.len(), listed, "{found}");
            assert_eq!(details.last().unwrap().problem, last, "{found}");
        }
        let many = (0..300).fold(ApiError::not_found(), |error, _| {
            error.with_detail("f", "p")
        });
        let details = capped(many.details, many.more_details);
        assert_eq!(
            (details.len(), details[99].problem.as_str()),
            (100, "and 201 more")
        );
    }
}
