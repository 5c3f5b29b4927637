//! The state machine of one delta ADS stream (pure): events in, responses out.
//!
//! The driver feeds [`Stream::on_request`], [`Stream::on_snapshot`] and [`Stream::on_tick`], and
//! takes [`Stream::next_response`] until there is none. What is sent is decided when it is taken,
//! so a slow client gets the newest state, and what it holds up is only itself.

mod catalogue;
mod request;
mod response;
mod type_state;
mod unsettled;

use std::collections::BTreeMap;
use std::sync::Arc;

use envoy_types::pb::envoy::service::discovery::v3::DeltaDiscoveryResponse;

use self::catalogue::Catalogue;
pub use self::request::{Reason, Request};
pub use self::type_state::Refusal;
use self::type_state::{Content, TypeState};
use self::unsettled::Unsettled;
use crate::translate::listener::ListenerAddresses;
use crate::xds::resource::ResourceKind;
use crate::xds::snapshot::Snapshot;
use crate::xds::subscription::InvalidSubscription;

/// Types unknown to this server that one stream may subscribe to.
const MAX_UNKNOWN_TYPES: usize = 32;
/// Requests that one stream may send between two ticks.
pub const MAX_REQUESTS_PER_TICK: u32 = 20_000;
/// Ticks after which a response must have been answered.
pub const MAX_TICKS_TO_ANSWER: u64 = 24;

/// Before any change that a node could have missed.
const FIRST_REVISION: u64 = 1;
/// Types that every Envoy asks for, whatever it holds; routes only once it has scopes.
const ASKED_BY_ALL: [ResourceKind; 3] = [
    ResourceKind::Cluster,
    ResourceKind::Listener,
    ResourceKind::Scope,
];

/// One client on one stream.
#[derive(Debug)]
pub struct Stream {
    catalogue: Catalogue,
    types: BTreeMap<TypeKey, TypeState>,
    unsettled: Unsettled,
    last_nonce: u64,
    tick: u64,
    requests_in_tick: u32,
}

/// Sorted as additions are sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum TypeKey {
    Known(ResourceKind),
    Unknown(Box<str>),
}

/// How far a node has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The revision that the node is to reach.
    pub revision: u64,
    /// Every resource of every revision up to this one was acknowledged or refused.
    pub settled_revision: u64,
    /// Present versions that the node does not take, sorted by kind and name.
    pub refusals: Vec<Refusal>,
}

/// The client does what no Envoy does; its stream is closed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// See there.
    #[error(transparent)]
    Subscription(#[from] InvalidSubscription),
    /// Every type costs memory.
    #[error("more than {MAX_UNKNOWN_TYPES} unknown resource types are subscribed")]
    TooManyTypes,
    /// Every request costs time.
    #[error("too many requests")]
    TooManyRequests,
    /// The client is stuck, or never was one.
    #[error("a response was not answered in time")]
    AnswerOverdue,
}

impl Stream {
    /// A stream of a node that listens on these addresses, before its first request.
    #[must_use]
    pub fn new(addresses: impl Into<ListenerAddresses>, snapshot: Arc<Snapshot>) -> Self {
        let mut stream = Self {
            catalogue: Catalogue::new(addresses.into()),
            types: BTreeMap::new(),
            unsettled: Unsettled::default(),
            last_nonce: 0,
            tick: 0,
            requests_in_tick: 0,
        };
        stream.on_snapshot(snapshot);
        stream
    }

    /// Takes in a request: its answer to a response, and its changes of what is wanted.
    pub fn on_request(&mut self, request: Request) -> Result<(), Violation> {
        self.requests_in_tick += 1;
        if self.requests_in_tick > MAX_REQUESTS_PER_TICK {
            return Err(Violation::TooManyRequests);
        }
        let key = TypeKey::of(&request.type_url);
        let Some(state) = self.types.get_mut(&key) else {
            return self.begin_type(key, request);
        };
        let mut touched = match request.nonce {
            Some(nonce) => state.answer(nonce, request.error.as_ref(), &self.catalogue),
            None => Vec::new(),
        };
        touched.extend(state.alter(request.subscribe, request.unsubscribe, &self.catalogue)?);
        if let TypeKey::Known(kind) = key {
            self.recheck(kind, &touched);
        }
        Ok(())
    }

    /// Moves on to `snapshot`, however many were left out.
    pub fn on_snapshot(&mut self, snapshot: Arc<Snapshot>) {
        // A change between the two snapshots may be as old as the first revision after the old.
        let since = self
            .catalogue
            .revision()
            .map(|revision| revision.saturating_add(1));
        let changed = self.catalogue.advance(snapshot);
        for (kind, name) in &changed {
            if let Some(state) = self.types.get_mut(&TypeKey::Known(*kind)) {
                state.mark_changed(name, &self.catalogue);
            }
            let resource = self.catalogue.get(Some(*kind), name);
            let revision = since.or(resource.map(|r| r.revision())).unwrap_or_default();
            self.unsettled.open((*kind, Arc::clone(name)), revision);
        }
        for (kind, name) in changed {
            self.recheck(kind, &[name]);
        }
    }

    /// Takes in that a tick went by.
    pub fn on_tick(&mut self) -> Result<(), Violation> {
        self.tick += 1;
        self.requests_in_tick = 0;
        let oldest = self
            .types
            .values()
            .filter_map(TypeState::oldest_in_flight)
            .min();
        match oldest {
            Some(sent) if self.tick - sent > MAX_TICKS_TO_ANSWER => Err(Violation::AnswerOverdue),
            Some(_) | None => Ok(()),
        }
    }

    /// The next response to send, if there is one: additions in the order of kinds, then removals
    /// in the reverse order.
    pub fn next_response(&mut self) -> Option<DeltaDiscoveryResponse> {
        // Without a revision nothing is known, and a node keeps its last good state.
        let revision = self.catalogue.revision()?;
        let (nonce, tick) = (self.last_nonce + 1, self.tick);
        let (type_url, content) = self.next_content(nonce, tick)?;
        self.last_nonce = nonce;
        Some(response::compose(type_url, content, nonce, revision))
    }

    /// How far the node has come.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let revision = self.catalogue.revision().unwrap_or_default();
        let refusals = self.types.values().flat_map(TypeState::refused);
        Standing {
            revision,
            settled_revision: self.settled_revision(revision),
            refusals: refusals.map(|(_, refusal)| refusal.clone()).collect(),
        }
    }

    fn settled_revision(&self, revision: u64) -> u64 {
        // Before its questions it is not known what the node holds and has to drop.
        let has_asked = ASKED_BY_ALL
            .iter()
            .all(|kind| self.types.contains_key(&TypeKey::Known(*kind)));
        match self.unsettled.oldest() {
            Some(oldest) if has_asked => oldest.saturating_sub(1),
            None if has_asked => revision,
            Some(_) | None => 0,
        }
    }

    fn next_content(&mut self, nonce: u64, tick: u64) -> Option<(String, Content)> {
        // Make before break (xDS, "Eventual consistency considerations"): what is named comes
        // first.
        for (key, state) in &mut self.types {
            if let Some(content) = state.next_changes(nonce, tick, &self.catalogue) {
                return Some((key.type_url(), content));
            }
        }
        // What names goes before what it names.
        for (key, state) in self.types.iter_mut().rev() {
            if let Some(content) = state.next_removals(nonce, tick) {
                return Some((key.type_url(), content));
            }
        }
        for (key, state) in &mut self.types {
            if let Some(content) = state.owed_answer(nonce, tick) {
                return Some((key.type_url(), content));
            }
        }
        None
    }

    fn begin_type(&mut self, key: TypeKey, request: Request) -> Result<(), Violation> {
        let kind = key.kind();
        let unknown = self.types.keys().filter(|key| key.kind().is_none()).count();
        if kind.is_none() && unknown >= MAX_UNKNOWN_TYPES {
            return Err(Violation::TooManyTypes);
        }
        let Request {
            subscribe, initial, ..
        } = request;
        let state = TypeState::begin(kind, subscribe, initial, &self.catalogue)?;
        self.types.insert(key, state);
        if let Some(kind) = kind {
            self.open_removals(kind);
            self.recheck(kind, &self.catalogue.names(Some(kind)));
        }
        Ok(())
    }

    /// What the client brought and is to drop went away at some revision that nobody remembers.
    fn open_removals(&mut self, kind: ResourceKind) {
        if let Some(state) = self.types.get(&TypeKey::Known(kind)) {
            for name in state.due_removals() {
                self.unsettled
                    .open((kind, Arc::clone(name)), FIRST_REVISION);
            }
        }
    }

    /// Settles what of `names` the node has answered for by now.
    fn recheck(&mut self, kind: ResourceKind, names: &[Arc<str>]) {
        for name in names {
            if self.is_settled(kind, name) {
                self.unsettled.settle(&(kind, Arc::clone(name)));
            }
            // A node that refuses a proxy's scope, or lost it, never asks for the route.
            if kind == ResourceKind::Scope && self.is_settled(ResourceKind::Route, name) {
                self.unsettled
                    .settle(&(ResourceKind::Route, Arc::clone(name)));
            }
        }
    }

    fn is_settled(&self, kind: ResourceKind, name: &str) -> bool {
        let state = self.types.get(&TypeKey::Known(kind));
        if state.is_some_and(|state| state.is_settled(name, &self.catalogue)) {
            return true;
        }
        let is_wanted = state.is_some_and(|state| state.covers(name));
        match kind {
            // Without a request for this type the node holds nothing that could be removed.
            _ if !is_wanted && self.catalogue.get(Some(kind), name).is_none() => true,
            ResourceKind::Route => !is_wanted && self.is_scope_refused(name),
            ResourceKind::Cluster | ResourceKind::Listener | ResourceKind::Scope => false,
        }
    }

    fn is_scope_refused(&self, proxy_id: &str) -> bool {
        let scopes = self.types.get(&TypeKey::Known(ResourceKind::Scope));
        scopes.is_some_and(|scopes| scopes.is_refused(proxy_id))
    }
}

impl TypeKey {
    fn of(type_url: &str) -> Self {
        match ResourceKind::of_type_url(type_url) {
            Some(kind) => Self::Known(kind),
            None => Self::Unknown(type_url.into()),
        }
    }

    fn kind(&self) -> Option<ResourceKind> {
        match self {
            Self::Known(kind) => Some(*kind),
            Self::Unknown(_) => None,
        }
    }

    fn type_url(&self) -> String {
        match self {
            Self::Known(kind) => kind.type_url(),
            Self::Unknown(type_url) => type_url.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
