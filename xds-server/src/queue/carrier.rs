//! Who carries attempts to targets, what it is given, and what it may answer.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;

/// Carries an attempt to its target through the region's Envoys.
pub trait Carrier: Send + Sync + 'static {
    /// One attempt. Takes no longer than [`Attempt::timeout`] and a little; what comes after the
    /// lease ended is discarded.
    fn carry(&self, attempt: Attempt) -> impl Future<Output = Outcome> + Send;

    /// What a target takes at once. The defaults for targets that say nothing.
    fn pace(&self, target_id: &str) -> Pace {
        let _ = target_id;
        Pace::default()
    }
}

/// How much of a target's requests may be on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// In flight at once, over all servers of the region.
    pub concurrency: u32,
    /// Begun in a second; none: as many as there are.
    pub per_second: Option<u32>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            concurrency: 10,
            per_second: None,
        }
    }
}

/// A request as its caller sent it, without the gateway's own part of the path.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// In upper case.
    pub method: String,
    /// What the target gets behind its base: `/` and the rest.
    pub path: String,
    /// Without `?`.
    pub query: Option<String>,
    /// In order, names in lower case.
    pub headers: Vec<(String, Bytes)>,
    /// The whole body.
    pub body: Bytes,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // All else may hold what is nobody's business.
        write!(f, "Request({} {} bytes)", self.method, self.body.len())
    }
}

/// One try to deliver a request.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Of the intake; for POST and PATCH the idempotency key where the caller sent none.
    pub request_id: String,
    /// From 1.
    pub number: u32,
    /// UUID text, as below.
    pub organisation_id: String,
    /// Whose policy judges it.
    pub proxy_id: String,
    /// Of the caller, at intake.
    pub credential_id: String,
    /// At intake.
    pub target_id: String,
    /// What the caller sent.
    pub request: Request,
    /// What [`super::Intake::caller`] was.
    pub caller: Bytes,
    /// Of the proxy, at intake.
    pub timeout: Duration,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The target answered, and the whole answer came, or as much of it as is kept.
    Answered(Answer),
    /// Nothing whole came: no connection, no name, no TLS, a time-out, a reset, a cut response.
    Unreachable {
        /// A few words for people, with no secret in them.
        error: String,
    },
    /// Credentials, rules or filters refuse the request by now: the refusal's code.
    Denied {
        /// As in an error's body.
        code: String,
    },
    /// It was not tried, and spends no attempt.
    NoWay(NoWay),
}

/// What stands in the way of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoWay {
    /// There is no Envoy to go through: nothing can be delivered now.
    Region,
    /// The proxy is inactive or incomplete: other proxies are not concerned.
    Proxy,
    /// Nothing that concerns anything but this attempt, such as a share that is used up.
    Request,
}

/// What a target answered, redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// Of HTTP.
    pub status: u16,
    /// In order, names in lower case; `retry-after` among them is obeyed.
    pub headers: Vec<(String, Bytes)>,
    /// No more than [`super::MAX_RESPONSE_BYTES`].
    pub body: Bytes,
    /// The target sent more than `body`.
    pub is_truncated: bool,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}
