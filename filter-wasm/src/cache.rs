//! What was compiled, by route name (`{proxy}/{policy version}`), of which there is one per proxy: a
//! newer version takes the place of an older one.
//!
//! What does not compile is remembered too, as [`Cached::Invalid`], so that it costs its compilation
//! once and not on every request. Room is made one entry at a time, of the organisation that takes
//! the most: whoever cycles through many proxies drives out its own.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use requestrocket_policy::{admission::Admission, id::OrganisationId, policy::Policy};

/// What is known of one version of a proxy's policy.
#[derive(Debug)]
pub enum Cached<T> {
    /// It compiles.
    Ready(Arc<T>),
    /// It does not, and refuses everybody.
    Invalid,
}

impl<T> Clone for Cached<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Ready(value) => Self::Ready(Arc::clone(value)),
            Self::Invalid => Self::Invalid,
        }
    }
}

/// What a cache can keep.
pub trait Weighty {
    /// About as many bytes as it takes.
    fn bytes(&self) -> usize;
}

impl Weighty for Policy {
    fn bytes(&self) -> usize {
        self.weight()
    }
}

impl Weighty for Admission {
    fn bytes(&self) -> usize {
        self.weight()
    }
}

/// What a cache has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What all entries may take together; the heaviest one fits in any case.
    pub bytes: usize,
    /// What an entry takes besides its weight.
    pub entry_bytes: usize,
}

/// Whose an entry is; none: nobody knows.
pub type Owner = Option<OrganisationId>;

/// The entries of the proxies that were called last, as many as there is room for.
#[derive(Debug)]
pub struct Cache<T> {
    room: Room,
    /// Of all entries.
    bytes: usize,
    /// By the proxy's part of the route name.
    entries: HashMap<Box<[u8]>, Entry<T>>,
    /// Proxies by owner, each owner's oldest first.
    order: BTreeMap<(Owner, u64), Box<[u8]>>,
    /// What each owner's entries take.
    owners: BTreeMap<Owner, usize>,
    /// The owners by what they take.
    heaviest: BTreeSet<(usize, Owner)>,
    next_turn: u64,
}

#[derive(Debug)]
struct Entry<T> {
    version: Box<[u8]>,
    value: Cached<T>,
    bytes: usize,
    /// Its place in the order.
    place: (Owner, u64),
    /// Since it got its place.
    was_used: bool,
}

/// Entries that were used get another turn before they go, but so many in a row at most.
const SPARED: usize = 8;

impl<T: Weighty> Cache<T> {
    /// An empty cache.
    pub fn new(room: Room) -> Self {
        Self {
            room,
            bytes: 0,
            entries: HashMap::new(),
            order: BTreeMap::new(),
            owners: BTreeMap::new(),
            heaviest: BTreeSet::new(),
            next_turn: 0,
        }
    }

    /// What is known of exactly this version.
    pub fn get(&mut self, route_name: &[u8]) -> Option<Cached<T>> {
        let (proxy, version) = split(route_name);
        let entry = self.entries.get_mut(proxy)?;
        if *entry.version != *version {
            return None;
        }
        entry.was_used = true;
        Some(entry.value.clone())
    }

    /// Remembers a version in place of the proxy's others.
    pub fn insert(&mut self, (route_name, owner): (&[u8], Owner), value: Cached<T>) {
        let (proxy, version) = split(route_name);
        // Before room is made: what its former version takes is free.
        self.remove(proxy);
        let weight = match &value {
            Cached::Ready(value) => value.bytes(),
            // Its name costs an entry all the same.
            Cached::Invalid => 0,
        };
        let bytes = weight.saturating_add(self.room.entry_bytes);
        while self.bytes.saturating_add(bytes) > self.room.bytes && self.drop_one() {}
        let place = self.put_last(owner, proxy);
        self.account(owner, |taken| taken.saturating_add(bytes));
        self.bytes = self.bytes.saturating_add(bytes);
        let entry = Entry {
            version: version.into(),
            value,
            bytes,
            place,
            was_used: false,
        };
        self.entries.insert(proxy.into(), entry);
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Drops the oldest of the owner that takes the most; false: there is nothing.
    fn drop_one(&mut self) -> bool {
        let Some(&(_, owner)) = self.heaviest.last() else {
            return false;
        };
        for _ in 0..SPARED {
            if !self.spare_oldest(owner) {
                break;
            }
        }
        match self.oldest(owner) {
            Some(proxy) => {
                self.remove(&proxy);
                true
            }
            None => false,
        }
    }

    fn oldest(&self, owner: Owner) -> Option<Box<[u8]>> {
        let mut of_owner = self.order.range((owner, 0)..=(owner, u64::MAX));
        of_owner.next().map(|(_, proxy)| proxy.clone())
    }

    /// Puts the oldest last if it was used since it got its place; false: it was not.
    fn spare_oldest(&mut self, owner: Owner) -> bool {
        let Some(proxy) = self.oldest(owner) else {
            return false;
        };
        let used = self.entries.get_mut(&proxy).filter(|it| it.was_used);
        let Some(place) = used.map(|entry| entry.place) else {
            return false;
        };
        self.order.remove(&place);
        let place = self.put_last(owner, &proxy);
        if let Some(entry) = self.entries.get_mut(&proxy) {
            entry.place = place;
            entry.was_used = false;
        }
        true
    }

    fn put_last(&mut self, owner: Owner, proxy: &[u8]) -> (Owner, u64) {
        let place = (owner, self.next_turn);
        self.next_turn = self.next_turn.wrapping_add(1);
        self.order.insert(place, proxy.into());
        place
    }

    fn remove(&mut self, proxy: &[u8]) {
        let Some(entry) = self.entries.remove(proxy) else {
            return;
        };
        self.order.remove(&entry.place);
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        let (owner, _) = entry.place;
        self.account(owner, |taken| taken.saturating_sub(entry.bytes));
    }

    fn account(&mut self, owner: Owner, change: impl FnOnce(usize) -> usize) {
        let before = self.owners.remove(&owner).unwrap_or(0);
        self.heaviest.remove(&(before, owner));
        let taken = change(before);
        if taken > 0 {
            self.owners.insert(owner, taken);
            self.heaviest.insert((taken, owner));
        }
    }
}

/// The name's part that stays over a proxy's life, and the part that changes with its policy.
fn split(route_name: &[u8]) -> (&[u8], &[u8]) {
    let slash = route_name.iter().position(|&byte| byte == b'/');
    route_name.split_at(slash.unwrap_or(route_name.len()))
}

#[cfg(test)]
mod tests;
