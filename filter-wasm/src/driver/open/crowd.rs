//! How many calls each caller and each proxy has, so that nobody takes all that Envoy can keep open.
//!
//! Calls that are over are among them until somebody looks.

use std::collections::BTreeMap;

use requestrocket_policy::{access::Caller, id::ProxyId};

/// Calls that may be open on one worker. A node makes 10,000 connections to one address at most;
/// calls beyond would wait for one of them.
pub(super) const MAX_OF_PROXY: usize = 4_000;
pub(super) const MAX_OF_CALLER: usize = 2_000;
/// So many calls come between two looks for those that are over; a caller with nearly as many as it
/// may have is refused until then.
const MIN_NEW: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Crowd {
    proxies: BTreeMap<ProxyId, OfProxy>,
}

#[derive(Debug, Default)]
struct OfProxy {
    calls: usize,
    callers: BTreeMap<Caller, usize>,
    /// Since its calls were looked at.
    new: usize,
}

/// Whether there is room for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    There,
    /// Maybe, when those that are over are taken away.
    Unknown,
    Full,
}

impl Crowd {
    pub(super) fn add(&mut self, caller: Caller) {
        let of = self.proxies.entry(caller.proxy).or_default();
        of.calls += 1;
        of.new += 1;
        *of.callers.entry(caller).or_default() += 1;
    }

    pub(super) fn remove(&mut self, caller: Caller) {
        let Some(of) = self.proxies.get_mut(&caller.proxy) else {
            return;
        };
        of.calls = of.calls.saturating_sub(1);
        if let Some(calls) = of.callers.get_mut(&caller) {
            *calls = calls.saturating_sub(1);
            if *calls == 0 {
                of.callers.remove(&caller);
            }
        }
        if of.calls == 0 {
            self.proxies.remove(&caller.proxy);
        }
    }

    pub(super) fn room(&self, caller: Caller) -> Room {
        let Some(of) = self.proxies.get(&caller.proxy) else {
            return Room::There;
        };
        let calls = of.callers.get(&caller).copied().unwrap_or_default();
        if of.calls < MAX_OF_PROXY && calls < MAX_OF_CALLER {
            Room::There
        } else if of.new < MIN_NEW {
            Room::Full
        } else {
            Room::Unknown
        }
    }

    /// The proxy's calls that are over were just taken away.
    pub(super) fn looked_at(&mut self, proxy: ProxyId) {
        if let Some(of) = self.proxies.get_mut(&proxy) {
            of.new = 0;
        }
    }
}
