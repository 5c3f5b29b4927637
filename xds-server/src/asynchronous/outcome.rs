//! What became of an attempt, by what an Envoy answered: the target's answer, or the gateway's own,
//! which no target can make.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use requestrocket_policy::denial::{
    Denial, GRANTED_MESSAGE, PROXY_CODE_HEADER, PROXY_MESSAGE_HEADER, ProxyCode,
};
use tokio::time::timeout;

use super::is_end_to_end;
use crate::queue::{Answer, MAX_RESPONSE_BYTES, NoWay, Outcome};

/// What a gateway's own answer makes of an attempt.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// It is the target's answer, or stands for it.
    Answer,
    Denied(&'static str),
    Unreachable(&'static str),
    NoWay(NoWay),
}

/// Of an answer whose head has come, and whose rest may take so long.
pub(super) async fn of(response: Response<Incoming>, reading: Duration) -> Outcome {
    let (parts, body) = response.into_parts();
    match said(&parts.headers) {
        Said::Denied(code) => Outcome::Denied {
            code: code.to_owned(),
        },
        Said::Unreachable(error) => unreachable(error),
        Said::NoWay(what) => Outcome::NoWay(what),
        Said::Answer => match timeout(reading, whole(body)).await {
            Ok(Some((body, is_truncated))) => Outcome::Answered(Answer {
                status: parts.status.as_u16(),
                headers: kept(&parts.headers),
                body,
                is_truncated,
            }),
            Ok(None) => unreachable("the answer was cut"),
            Err(_) => unreachable("the answer did not end in time"),
        },
    }
}

pub(super) fn unreachable(error: &str) -> Outcome {
    Outcome::Unreachable {
        error: error.to_owned(),
    }
}

fn said(headers: &HeaderMap) -> Said {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (code, message) = (text(PROXY_CODE_HEADER), text(PROXY_MESSAGE_HEADER));
    if message == Some(GRANTED_MESSAGE) {
        return Said::Answer;
    }
    let mut denials = Denial::ALL.into_iter();
    let denial = denials.find(|denial| {
        denial.proxy_code().map(ProxyCode::as_str) == code && Some(denial.message()) == message
    });
    // Answers without our words are bare: the gateway is at fault.
    means(denial.unwrap_or(Denial::GatewayFault))
}

fn means(denial: Denial) -> Said {
    match denial {
        // What is there is no good, and will be as little good the next time.
        Denial::ResponseTooLarge | Denial::ResponseNotFilterable => Said::Answer,
        Denial::TargetUnreachable
        | Denial::AddressNotAllowed
        | Denial::TargetTimeout
        | Denial::RequestTimeout => Said::Unreachable(denial.message()),
        // It may be there again soon.
        Denial::ProxyInactive
        | Denial::BillingSuspended
        | Denial::ProxyIncomplete
        | Denial::TargetCredentialUnavailable => Said::NoWay(NoWay::Proxy),
        // Others of the proxy are not concerned.
        Denial::CredentialCheckUnavailable | Denial::Overloaded | Denial::GatewayFault => {
            Said::NoWay(NoWay::Request)
        }
        Denial::PathAmbiguous
        | Denial::BadRequest
        | Denial::HeadersTooLarge
        | Denial::MethodNotAllowed
        | Denial::CredentialMissing
        | Denial::CredentialInvalid
        | Denial::OriginNotAllowed
        | Denial::RuleDenied
        | Denial::RateLimited
        | Denial::RequestTooLarge
        | Denial::Asynchronous(_) => Said::Denied(denial.code()),
    }
}

/// In order, as far as they are the target's.
fn kept(headers: &HeaderMap) -> Vec<(String, Bytes)> {
    let lines = headers.iter();
    let lines = lines.filter(|(name, _)| is_end_to_end(name.as_str()));
    lines
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                Bytes::copy_from_slice(value.as_bytes()),
            )
        })
        .collect()
}

/// As much of a body as is kept, and whether there is more; none: it was cut.
async fn whole(mut body: Incoming) -> Option<(Bytes, bool)> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else {
            continue;
        };
        let room = MAX_RESPONSE_BYTES.saturating_sub(whole.len());
        if data.len() > room {
            whole.extend_from_slice(data.get(..room).unwrap_or_default());
            return Some((whole.freeze(), true));
        }
        whole.extend_from_slice(&data);
    }
    Some((whole.freeze(), false))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn heard(code: &str, message: &str) -> Said {
        let mut headers = HeaderMap::new();
        for (name, value) in [(PROXY_CODE_HEADER, code), (PROXY_MESSAGE_HEADER, message)] {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        said(&headers)
    }

    #[test]
    fn only_the_gateway_says_that_it_did_not_ask_the_target() {
        assert_eq!(heard("proxy-access-granted", GRANTED_MESSAGE), Said::Answer);
        assert_eq!(said(&HeaderMap::new()), Said::NoWay(NoWay::Request));
        for denial in Denial::ALL {
            let Some(code) = denial.proxy_code() else {
                continue;
            };
            let heard = heard(code.as_str(), denial.message());
            match (means(denial), heard) {
                // Several denials have one sentence.
                (Said::Denied(code), Said::Denied(other)) => assert_eq!(code, other),
                (Said::Unreachable(_), Said::Denied(_)) => {
                    assert_eq!(denial, Denial::RequestTimeout);
                }
                (want, got) => assert_eq!(want, got, "{denial:?}"),
            }
        }
    }
}
