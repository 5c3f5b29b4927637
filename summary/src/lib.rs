//! What many calls come to: exact sums and counts, and how long they took within 1 %.
//!
//! Invariant: adding is commutative and associative (but for which meters are told apart when there
//! are too many), so it does not matter where and in which order
//! sums are made: in the region by the minute, in the control plane over regions.

mod durations;

use std::collections::BTreeMap;

use requestrocket_proto::record::v1::{MeterDelta, Record};
use requestrocket_proto::telemetry::v1 as wire;
use uuid::Uuid;

pub use self::durations::{Durations, Percentiles};

/// The proxy codes that are counted by themselves.
const DENIED: &str = "proxy-access-denied";
const RATE_LIMITED: &str = "rate-limit-exceeded";
/// Statuses are told apart up to here.
const HIGHEST_STATUS: u32 = 999;
/// Meters that are told apart: what a proxy can have is less, what an organisation can have is more
/// than anybody wants to read, and a sum has to stay small.
pub const MOST_METERS: usize = 500;

/// What calls come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many there were.
    pub requests: u64,
    /// Answers with a status from 400 on.
    pub errors: u64,
    /// Answers with `proxy-access-denied`.
    pub denied: u64,
    /// Answers with `rate-limit-exceeded`.
    pub rate_limited: u64,
    /// What they took together.
    pub duration_us: u64,
    /// The part of it that the target did not take.
    pub gateway_us: u64,
    /// Bodies of requests.
    pub request_bytes: u64,
    /// Bodies of responses.
    pub response_bytes: u64,
    /// By status; 0: the caller got no head.
    pub statuses: BTreeMap<u32, u64>,
    /// By proxy code; empty: none was said.
    pub proxy_codes: BTreeMap<String, u64>,
    /// By type of the caller's credential; empty: none was right.
    pub auth_types: BTreeMap<String, AuthSummary>,
    /// How long each took.
    pub durations: Durations,
    /// Of an organisation: calls of proxies or credentials that have no summary of their own.
    pub unplaced: u64,
    /// What meters counted, in millionths, by id. Beyond [`MOST_METERS`] those that came first.
    pub meters: BTreeMap<String, u64>,
}

/// Calls with one type of credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuthSummary {
    /// How many there were.
    pub requests: u64,
    /// Answers with `proxy-access-denied`.
    pub denied: u64,
}

impl Summary {
    /// Adds a call.
    pub fn add(&mut self, record: &Record) {
        let is_denied = record.proxy_code == DENIED;
        let denied = u64::from(is_denied);
        let gateway_us = record
            .duration_us
            .saturating_sub(record.target_duration_us.unwrap_or(0));
        for (sum, more) in [
            (&mut self.requests, 1),
            (&mut self.errors, u64::from(record.status >= 400)),
            (&mut self.denied, denied),
            (
                &mut self.rate_limited,
                u64::from(record.proxy_code == RATE_LIMITED),
            ),
            (&mut self.duration_us, record.duration_us),
            (&mut self.gateway_us, gateway_us),
            (&mut self.request_bytes, record.request_bytes),
            (&mut self.response_bytes, record.response_bytes),
        ] {
            grow(sum, more);
        }
        let status = Some(record.status).filter(|status| *status <= HIGHEST_STATUS);
        grow(self.statuses.entry(status.unwrap_or(0)).or_default(), 1);
        count(&mut self.proxy_codes, &record.proxy_code, 1);
        let one = AuthSummary {
            requests: 1,
            denied,
        };
        // `entry` would clone the name for every call.
        match self.auth_types.get_mut(&record.auth_type) {
            Some(auth) => auth.merge(one),
            None => {
                self.auth_types.insert(record.auth_type.clone(), one);
            }
        }
        for MeterDelta { meter_id, micros } in &record.meters {
            if let Ok(id) = Uuid::from_slice(meter_id) {
                self.count_meter(&id.to_string(), *micros);
            }
        }
        self.durations.add(record.duration_us);
    }

    fn count_meter(&mut self, id: &str, micros: u64) {
        if self.meters.contains_key(id) || self.meters.len() < MOST_METERS {
            count(&mut self.meters, id, micros);
        }
    }

    /// Adds what other calls come to.
    pub fn merge(&mut self, other: &Self) {
        let Self {
            requests,
            errors,
            denied,
            rate_limited,
            duration_us,
            gateway_us,
            request_bytes,
            response_bytes,
            statuses,
            proxy_codes,
            auth_types,
            durations,
            unplaced,
            meters,
        } = other;
        for (sum, more) in [
            (&mut self.requests, requests),
            (&mut self.errors, errors),
            (&mut self.denied, denied),
            (&mut self.rate_limited, rate_limited),
            (&mut self.duration_us, duration_us),
            (&mut self.gateway_us, gateway_us),
            (&mut self.request_bytes, request_bytes),
            (&mut self.response_bytes, response_bytes),
            (&mut self.unplaced, unplaced),
        ] {
            grow(sum, *more);
        }
        for (status, calls) in statuses {
            grow(self.statuses.entry(*status).or_default(), *calls);
        }
        for (code, calls) in proxy_codes {
            count(&mut self.proxy_codes, code, *calls);
        }
        for (name, auth) in auth_types {
            self.auth_types
                .entry(name.clone())
                .or_default()
                .merge(*auth);
        }
        for (id, micros) in meters {
            self.count_meter(id, *micros);
        }
        self.durations.merge(durations);
    }

    /// None for what no code of ours wrote.
    #[must_use]
    pub fn from_wire(wire: wire::Summary) -> Option<Self> {
        let wire::Summary {
            requests,
            errors,
            denied,
            rate_limited,
            duration_us,
            gateway_us,
            request_bytes,
            response_bytes,
            statuses,
            proxy_codes,
            auth_types,
            durations,
            unplaced,
            meters,
        } = wire;
        let auth_types = auth_types.into_iter().map(|(name, auth)| {
            let wire::AuthSummary { requests, denied } = auth;
            (name, AuthSummary { requests, denied })
        });
        Some(Self {
            requests,
            errors,
            denied,
            rate_limited,
            duration_us,
            gateway_us,
            request_bytes,
            response_bytes,
            statuses: statuses.into_iter().collect(),
            proxy_codes: proxy_codes.into_iter().collect(),
            auth_types: auth_types.collect(),
            durations: Durations::from_wire(&durations.unwrap_or_default())?,
            unplaced,
            meters: meters.into_iter().collect(),
        })
    }

    /// As it is kept and sent.
    #[must_use]
    pub fn to_wire(&self) -> wire::Summary {
        let auth_types = self.auth_types.iter().map(|(name, auth)| {
            let AuthSummary { requests, denied } = *auth;
            (name.clone(), wire::AuthSummary { requests, denied })
        });
        wire::Summary {
            requests: self.requests,
            errors: self.errors,
            denied: self.denied,
            rate_limited: self.rate_limited,
            duration_us: self.duration_us,
            gateway_us: self.gateway_us,
            request_bytes: self.request_bytes,
            response_bytes: self.response_bytes,
            statuses: self.statuses.clone(),
            proxy_codes: self.proxy_codes.clone(),
            auth_types: auth_types.collect(),
            durations: Some(self.durations.to_wire()),
            unplaced: self.unplaced,
            meters: self.meters.clone(),
        }
    }
}

impl AuthSummary {
    fn merge(&mut self, other: Self) {
        grow(&mut self.requests, other.requests);
        grow(&mut self.denied, other.denied);
    }
}

fn grow(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str, more: u64) {
    match counts.get_mut(name) {
        Some(calls) => grow(calls, more),
        None => {
            counts.insert(name.to_owned(), more);
        }
    }
}

#[cfg(test)]
mod tests;
