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

/// The policies of the proxies that were called last, at most `capacity` of them.
#[derive(Debug)]
pub struct Cache {
    capacity: usize,
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

impl Cache {
    /// An empty cache.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
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
        if self.entries.len() >= self.capacity && !self.entries.contains_key(proxy) {
            self.drop_oldest();
        }
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

    /// Drops an eighth at once: finding the oldest means looking at all of them.
    fn drop_oldest(&mut self) {
        let mut ages: Vec<u64> = self.entries.values().map(|entry| entry.used_at).collect();
        let dropped = ages.len() / 8;
        if dropped == 0 {
            self.entries.clear();
            return;
        }
        let (_, &mut last_dropped, _) = ages.select_nth_unstable(dropped);
        self.entries.retain(|_, entry| entry.used_at > last_dropped);
    }
}

/// The name's part that stays over a proxy's life, and the part that changes with its policy.
fn split(route_name: &[u8]) -> (&[u8], &[u8]) {
    let slash = route_name.iter().position(|&byte| byte == b'/');
    route_name.split_at(slash.unwrap_or(route_name.len()))
}

#[cfg(test)]
mod tests;
