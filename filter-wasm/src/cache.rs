//! Compiled policies by route name (`{proxy}/{policy version}`), of which there is one per proxy:
//! a newer version takes the place of an older one.
//!
//! A route whose policy does not compile is remembered too, as [`Cached::Invalid`], so that it
//! costs its compilation once and not on every request.

use std::{collections::HashMap, sync::Arc};

use requestrocket_policy::policy::Policy;

/// What is known of one version of a proxy's policy.
#[derive(Clone, Debug)]
pub enum Cached {
    /// It compiles.
    Ready(Arc<Policy>),
    /// It does not, and refuses everybody.
    Invalid,
}

/// What a cache has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Policies.
    pub policies: usize,
    /// What they weigh together ([`Policy::weight`]); the heaviest one fits in any case.
    pub weight: usize,
}

/// The policies of the proxies that were called last, as many as there is room for.
#[derive(Debug)]
pub struct Cache {
    room: Room,
    /// Of all entries.
    weight: usize,
    /// By the proxy's part of the route name.
    entries: HashMap<Box<[u8]>, Entry>,
    /// Counts lookups; an entry's age is its distance to it.
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    version: Box<[u8]>,
    policy: Cached,
    used_at: u64,
}

impl Cached {
    fn weight(&self) -> usize {
        match self {
            Self::Ready(policy) => policy.weight(),
            Self::Invalid => 0,
        }
    }
}

impl Cache {
    /// An empty cache.
    pub fn new(room: Room) -> Self {
        Self {
            room,
            weight: 0,
            entries: HashMap::new(),
            clock: 0,
        }
    }

    /// The policy of exactly this version.
    pub fn get(&mut self, route_name: &[u8]) -> Option<Cached> {
        let (proxy, version) = split(route_name);
        self.clock = self.clock.wrapping_add(1);
        let entry = self.entries.get_mut(proxy)?;
        if *entry.version != *version {
            return None;
        }
        entry.used_at = self.clock;
        Some(entry.policy.clone())
    }

    /// Remembers a version in place of the proxy's others.
    pub fn insert(&mut self, route_name: &[u8], policy: Cached) {
        let (proxy, version) = split(route_name);
        if let Some(older) = self.entries.remove(proxy) {
            self.weight -= older.policy.weight();
        }
        while self.is_full(policy.weight()) {
            self.drop_oldest();
        }
        self.weight += policy.weight();
        let entry = Entry {
            version: version.into(),
            policy,
            used_at: self.clock,
        };
        self.entries.insert(proxy.into(), entry);
    }

    /// How many policies there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether one more of this weight does not fit; it always fits into an empty cache.
    fn is_full(&self, weight: usize) -> bool {
        !self.entries.is_empty()
            && (self.entries.len() >= self.room.policies
                || self.weight.saturating_add(weight) > self.room.weight)
    }

    /// Drops an eighth at once: finding the oldest means looking at all of them.
    fn drop_oldest(&mut self) {
        let mut ages: Vec<u64> = self.entries.values().map(|entry| entry.used_at).collect();
        let dropped = ages.len() / 8;
        if dropped == 0 {
            self.entries.clear();
            self.weight = 0;
            return;
        }
        let (_, &mut last_dropped, _) = ages.select_nth_unstable(dropped);
        self.entries.retain(|_, entry| entry.used_at > last_dropped);
        self.weight = self
            .entries
            .values()
            .map(|entry| entry.policy.weight())
            .sum();
    }
}

/// The name's part that stays over a proxy's life, and the part that changes with its policy.
fn split(route_name: &[u8]) -> (&[u8], &[u8]) {
    let slash = route_name.iter().position(|&byte| byte == b'/');
    route_name.split_at(slash.unwrap_or(route_name.len()))
}

#[cfg(test)]
mod tests;
