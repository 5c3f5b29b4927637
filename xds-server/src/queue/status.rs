//! What people are told of a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::carrier::Answer;
use super::machine::{Reason, State};

/// How a request stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// UUID text.
    pub request_id: String,
    /// Where it stands.
    pub state: State,
    /// Why it failed, for operators.
    pub reason: Option<Reason>,
    /// In order; the last one may be under way.
    pub attempts: Vec<Tried>,
    /// None: there will be none, or one is under way, or nobody knows when.
    pub next_attempt_at_ms: Option<u64>,
    /// Of the last attempt of a request that has ended; none: it is not kept.
    pub response: Option<Answer>,
    /// Who was told; none: nobody wanted to be.
    pub callbacks: Option<Vec<Tried>>,
}

/// An attempt that was made: to deliver, or to tell somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// From 1.
    pub number: u32,
    /// Unix time in milliseconds.
    pub started_at_ms: u64,
    /// None: it is under way, or nobody knows what became of it.
    pub duration_ms: Option<u64>,
    /// Of the answer.
    pub status: Option<u16>,
    /// Why there is none, for people.
    pub error: Option<String>,
}

/// Taking a request back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It will not be delivered.
    Done,
    /// It is being delivered, or has ended.
    TooLate,
    /// There is none of that id at this proxy.
    Unknown,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusBody<'a> {
    request_id: &'a str,
    status: &'static str,
    attempts: Vec<TriedBody<'a>>,
    next_attempt_at: Option<String>,
    response: Option<AnswerBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callbacks: Option<Vec<TriedBody<'a>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TriedBody<'a> {
    number: u32,
    started_at: Option<String>,
    duration_ms: Option<u64>,
    status: Option<u16>,
    error: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AnswerBody<'a> {
    status: u16,
    headers: Vec<(&'a str, String)>,
    body: Option<String>,
    truncated: bool,
}

impl Status {
    /// As its caller gets it: JSON, with the response's body in base64 or, in its place, null.
    #[must_use]
    pub fn to_json(&self, includes_body: bool) -> serde_json::Value {
        let Self {
            request_id,
            state,
            // Its caller sees what the target answered; why that is final is for operators.
            reason: _,
            attempts,
            next_attempt_at_ms,
            response,
            callbacks,
        } = self;
        let body = StatusBody {
            request_id,
            status: state.as_str(),
            attempts: attempts.iter().map(TriedBody::of).collect(),
            next_attempt_at: next_attempt_at_ms.and_then(rfc3339),
            response: response
                .as_ref()
                .map(|answer| AnswerBody::of(answer, includes_body)),
            callbacks: callbacks
                .as_ref()
                .map(|tried| tried.iter().map(TriedBody::of).collect()),
        };
        serde_json::to_value(body).unwrap_or_default()
    }
}

impl<'a> TriedBody<'a> {
    fn of(tried: &'a Tried) -> Self {
        let Tried {
            number,
            started_at_ms,
            duration_ms,
            status,
            error,
        } = tried;
        Self {
            number: *number,
            started_at: rfc3339(*started_at_ms),
            duration_ms: *duration_ms,
            status: *status,
            error: error.as_deref(),
        }
    }
}

impl<'a> AnswerBody<'a> {
    fn of(answer: &'a Answer, includes_body: bool) -> Self {
        let Answer {
            status,
            headers,
            body,
            is_truncated,
        } = answer;
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        Self {
            status: *status,
            headers: headers
                .iter()
                .map(|(name, value)| (name.as_str(), text(value)))
                .collect(),
            body: includes_body.then(|| STANDARD.encode(body)),
            truncated: *is_truncated,
        }
    }
}

/// As JSON has it: UTC, with milliseconds.
fn rfc3339(moment_ms: u64) -> Option<String> {
    let nanos = i128::from(moment_ms) * 1_000_000;
    let moment = time::OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?;
    let format = time::macros::format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
    );
    moment.format(format).ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_is_told_in_words_times_and_base64() {
        let status = Status {
            request_id: "r".to_owned(),
            state: State::Waiting,
            reason: None,
            attempts: vec![Tried {
                number: 1,
                started_at_ms: 1_700_000_000_123,
                duration_ms: Some(45),
                status: None,
                error: Some("connection refused".to_owned()),
            }],
            next_attempt_at_ms: Some(1_700_000_001_000),
            response: None,
            callbacks: None,
        };
        let mut want = json!({
            "requestId": "r",
            "status": "waiting",
            "attempts": [{"number": 1, "startedAt": "2023-11-14T22:13:20.123Z", "durationMs": 45,
                "status": null, "error": "connection refused"}],
            "nextAttemptAt": "2023-11-14T22:13:21.000Z",
            "response": null,
        });
        assert_eq!(status.to_json(true), want);

        let response = Answer {
            status: 200,
            headers: vec![("a".to_owned(), Bytes::from_static(b"b"))],
            body: Bytes::from_static(b"hi"),
            is_truncated: true,
        };
        let status = Status {
            response: Some(response),
            callbacks: Some(Vec::new()),
            ..status
        };
        want["callbacks"] = json!([]);
        want["response"] =
            json!({"status": 200, "headers": [["a", "b"]], "body": "aGk=", "truncated": true});
        assert_eq!(status.to_json(true), want);
        want["response"]["body"] = json!(null);
        assert_eq!(status.to_json(false), want);
    }
}
