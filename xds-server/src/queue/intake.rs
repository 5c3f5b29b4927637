//! What is asked of the queue when a request comes in, and what it answers.

use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::carrier::Request;

/// The most characters of an ordering key.
const MAX_ORDERING_KEY: usize = 128;
/// The most characters of an idempotency key.
const MAX_IDEMPOTENCY_KEY: usize = 255;

/// A request that was let in and is to be delivered later.
#[derive(Clone, Debug)]
pub struct Intake {
    /// UUID text, as below.
    pub organisation_id: String,
    /// Through which it came.
    pub proxy_id: String,
    /// Of the caller.
    pub credential_id: String,
    /// Where it goes.
    pub target_id: String,
    /// What the caller sent, without what shows who it is.
    pub request: Request,
    /// What is known of the caller, for rules at delivery. The queue does not read it.
    pub caller: Bytes,
    /// None: any order.
    pub ordering: Option<Ordering>,
    /// None: each is another.
    pub idempotency: Option<IdempotencyKey>,
    /// Who is told of the outcome.
    pub callback: Option<Callback>,
    /// What an attempt may take: the proxy's.
    pub timeout: Duration,
    /// How long the response is kept; zero: not at all.
    pub keep_response: Duration,
}

impl Intake {
    /// What two requests with one idempotency key must have in common: method, path, query, body.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let Request {
            method,
            path,
            query,
            headers: _,
            body,
        } = &self.request;
        let mut hash = Sha256::new();
        for part in [method, path, query.as_deref().unwrap_or("")] {
            // With its length before it, no part runs into the next.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.update([u8::from(query.is_some())]);
        hash.update(body);
        hash.finalize().into()
    }
}

/// Requests of one key are delivered one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordering {
    /// Within the proxy: 1 to 128 visible ASCII characters.
    pub key: OrderingKey,
    /// If this request fails, those behind it wait.
    pub stops: bool,
}

/// The value of `requestrocket-ordering-key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderingKey(String);

/// The value of `idempotency-key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// A header of the intake has no such value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Of [`OrderingKey`].
    #[error("`requestrocket-ordering-key` must be 1 to 128 visible ASCII characters")]
    Ordering,
    /// Of [`Ordering::stops`].
    #[error("`requestrocket-ordering-policy` must be `stop` or `continue`, beside a key")]
    Policy,
    /// Of [`IdempotencyKey`].
    #[error("`idempotency-key` must be 1 to 255 visible ASCII characters, bare or quoted")]
    Idempotency,
}

impl Ordering {
    /// From the values of `requestrocket-ordering-key` and `requestrocket-ordering-policy`.
    ///
    /// # Errors
    /// One of them is none, or there is a policy without a key.
    pub fn read(key: Option<&str>, policy: Option<&str>) -> Result<Option<Self>, InvalidKey> {
        let Some(key) = key else {
            return policy.map_or(Ok(None), |_| Err(InvalidKey::Policy));
        };
        let key = key.parse()?;
        let stops = match policy {
            None | Some("continue") => false,
            Some("stop") => true,
            Some(_) => return Err(InvalidKey::Policy),
        };
        Ok(Some(Self { key, stops }))
    }
}

impl OrderingKey {
    /// As the caller wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OrderingKey {
    type Err = InvalidKey;

    fn from_str(raw: &str) -> Result<Self, InvalidKey> {
        let is_legal = (1..=MAX_ORDERING_KEY).contains(&raw.len()) && is_visible(raw);
        is_legal
            .then(|| Self(raw.to_owned()))
            .ok_or(InvalidKey::Ordering)
    }
}

impl IdempotencyKey {
    /// Without its quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = InvalidKey;

    /// Bare, or a string of structured fields (RFC 8941 §3.3.3) without escapes.
    fn from_str(raw: &str) -> Result<Self, InvalidKey> {
        let inner = raw
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let key = inner.unwrap_or(raw);
        // Spaces may stand between quotes.
        let is_text = key
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic());
        let is_plain = !key.contains(['"', '\\']) && (inner.is_some() || is_visible(key));
        if (1..=MAX_IDEMPOTENCY_KEY).contains(&key.len()) && is_text && is_plain {
            Ok(Self(key.to_owned()))
        } else {
            Err(InvalidKey::Idempotency)
        }
    }
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Who is told of the outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// `https`, of a host that the proxy lists.
    pub url: String,
    /// The response's body goes with it.
    pub includes_body: bool,
}

/// What was answered to an intake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The request is durable, under this id.
    New(String),
    /// The same request came before, and this is its id.
    Replayed(String),
}

/// Nothing was accepted.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The idempotency key came before with another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The first request with the idempotency key is being stored.
    #[error("the first request with this idempotency key is being stored")]
    KeyBusy,
    /// So many requests wait already that no more are taken.
    #[error("too many requests are waiting")]
    Full,
    /// The store does not answer, or has no room.
    #[error("the queue cannot store anything now")]
    Away,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordering(key: &str) -> Result<OrderingKey, InvalidKey> {
        key.parse()
    }

    #[test]
    fn ordering_keys_are_up_to_128_visible_characters() {
        for legal in ["a", "customer:17", "!~", &"k".repeat(128)] {
            assert_eq!(ordering(legal).unwrap().as_str(), legal);
        }
        for illegal in ["", "a b", "é", "a\n", &"k".repeat(129)] {
            assert_eq!(ordering(illegal), Err(InvalidKey::Ordering), "{illegal}");
        }
    }

    #[test]
    fn the_policy_is_one_of_two_words_and_stands_beside_a_key() {
        let read = |key, policy| Ordering::read(key, policy).map(|read| read.map(|it| it.stops));
        for (key, policy, want) in [
            (None, None, Ok(None)),
            (Some("k"), None, Ok(Some(false))),
            (Some("k"), Some("continue"), Ok(Some(false))),
            (Some("k"), Some("stop"), Ok(Some(true))),
            (Some("k"), Some("Stop"), Err(InvalidKey::Policy)),
            (None, Some("stop"), Err(InvalidKey::Policy)),
            (Some(""), None, Err(InvalidKey::Ordering)),
        ] {
            assert_eq!(read(key, policy), want, "{key:?} {policy:?}");
        }
    }

    #[test]
    fn idempotency_keys_are_bare_or_quoted() {
        let long = "k".repeat(255);
        let quoted = format!("\"{long}\"");
        for (raw, want) in [
            ("abc", "abc"),
            ("\"abc\"", "abc"),
            ("\"a b\"", "a b"),
            (long.as_str(), long.as_str()),
            (quoted.as_str(), long.as_str()),
        ] {
            assert_eq!(raw.parse::<IdempotencyKey>().unwrap().as_str(), want);
        }
        let longer = "k".repeat(256);
        for illegal in [
            "",
            "\"\"",
            "a b",
            "\"a",
            "a\"",
            "a\\b",
            "\"a\\\"b\"",
            "é",
            &longer,
        ] {
            assert!(illegal.parse::<IdempotencyKey>().is_err(), "{illegal}");
        }
    }

    #[test]
    fn a_fingerprint_knows_every_part_of_a_request_but_its_headers() {
        let request = |method: &str, path: &str, query: Option<&str>, body: &'static str| {
            let request = Request {
                method: method.to_owned(),
                path: path.to_owned(),
                query: query.map(str::to_owned),
                headers: Vec::new(),
                body: Bytes::from_static(body.as_bytes()),
            };
            super::super::fixtures::intake(request).fingerprint()
        };
        let all = [
            request("POST", "/a", None, "x"),
            request("PUT", "/a", None, "x"),
            request("POST", "/ab", None, "x"),
            request("POST", "/a", Some(""), "x"),
            request("POST", "/a", Some("x"), ""),
            request("POST", "/a", None, "y"),
        ];
        for (at, one) in all.iter().enumerate() {
            let same = all.iter().filter(|other| *other == one).count();
            assert_eq!(same, 1, "{at}");
        }
        let plain = super::super::fixtures::intake(super::super::fixtures::request("/a"));
        let mut with_header = plain.clone();
        let name = "traceparent".to_owned();
        with_header.request.headers.push((name, Bytes::new()));
        assert_eq!(with_header.fingerprint(), plain.fingerprint());
    }
}
