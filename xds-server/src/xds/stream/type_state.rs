//! What a stream knows of its client for one resource type.
//!
//! Invariant: a name is due exactly while the client wants it and what it was last told differs
//! from the catalogue; so a refused resource, which was told, is not due until it changes.

pub(super) mod outgoing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) use self::outgoing::Content;
use super::catalogue::Catalogue;
use super::request::Reason;
use crate::xds::resource::{ResourceKind, Version};
use crate::xds::subscription::{InvalidSubscription, Subscription};

/// One resource type of one stream.
#[derive(Debug)]
pub(super) struct TypeState {
    kind: Option<ResourceKind>,
    subscription: Subscription,
    told: BTreeMap<Arc<str>, Told>,
    due_changes: BTreeSet<Arc<str>>,
    due_removals: BTreeSet<Arc<str>>,
    /// Due too, each in a response of its own: they were refused in company.
    due_alone: BTreeSet<Arc<str>>,
    /// The client waits for a response even if there is nothing to say.
    owes_answer: bool,
    in_flight: BTreeMap<u64, InFlight>,
    refused: BTreeMap<Arc<str>, Refusal>,
    /// Refused routes in whose place one is to be sent that lets nobody pass: what the client holds
    /// is older than whatever was revoked since. It is no version of the resource, so nothing that
    /// was told changes with it.
    due_closing: BTreeSet<Arc<str>>,
}

/// What the client was last told of a resource.
#[derive(Debug)]
struct Told {
    said: Said,
    /// Nonce of the response that told it, until its answer.
    awaiting: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// It has this version.
    Version(Version),
    /// It does not exist.
    Absent,
    /// Something that was refused, or must be said again: the client may hold any version.
    Unsure,
}

#[derive(Debug)]
struct InFlight {
    names: Vec<Arc<str>>,
    sent_at_tick: u64,
}

/// The client does not take the present version of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// None for a resource that all proxies share.
    pub proxy_id: Option<Arc<str>>,
    /// That of the resource.
    pub revision: u64,
    /// The client's error text.
    pub detail: String,
}

impl TypeState {
    /// The state after the first request of a type. `initial` is what the client says it holds.
    pub(super) fn begin(
        kind: Option<ResourceKind>,
        subscribe: Vec<String>,
        initial: impl IntoIterator<Item = (String, String)>,
        catalogue: &Catalogue,
    ) -> Result<Self, InvalidSubscription> {
        let (subscription, change) = Subscription::begin(subscribe)?;
        let told: BTreeMap<Arc<str>, Told> = initial
            .into_iter()
            .filter(|(name, _)| subscription.covers(name))
            .map(|(name, version)| (name.into(), Told::held(&version)))
            .collect();
        let mut begun = Self {
            kind,
            owes_answer: subscription.is_wildcard() && told.is_empty(),
            subscription,
            told,
            due_changes: BTreeSet::new(),
            due_removals: BTreeSet::new(),
            due_alone: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            refused: BTreeMap::new(),
            due_closing: BTreeSet::new(),
        };
        begun.mark_everything(catalogue);
        for name in change.subscribed {
            begun.mark(&name, catalogue);
        }
        Ok(begun)
    }

    /// Takes in the names of a later request; returns those whose standing may have changed.
    pub(super) fn alter(
        &mut self,
        subscribe: Vec<String>,
        unsubscribe: Vec<String>,
        catalogue: &Catalogue,
    ) -> Result<Vec<Arc<str>>, InvalidSubscription> {
        let change = self.subscription.alter(subscribe, unsubscribe)?;
        if change.ended_wildcard {
            self.forget_unwanted();
        }
        if change.began_wildcard {
            self.owes_answer = true;
            self.mark_everything(catalogue);
        }
        for name in &change.unsubscribed {
            self.forget(name);
            // Under a wildcard it stays wanted, and the client is told where it stands.
            if self.subscription.covers(name) {
                self.mark(name, catalogue);
            }
        }
        for name in change.subscribed {
            // What was refused is not sent again until it changes, whoever asks.
            if !self.refused.contains_key(&name) {
                self.say_again(&name, catalogue);
            }
        }
        Ok(change.unsubscribed)
    }

    /// Takes in that the catalogue may say something else of `name` now.
    pub(super) fn mark(&mut self, name: &Arc<str>, catalogue: &Catalogue) {
        let told = self.told.get(name);
        if let Some(resource) = catalogue.get(self.kind, name) {
            self.due_removals.remove(name);
            let is_told = told.is_some_and(|told| told.said == Said::Version(resource.version()));
            if is_told || !self.subscription.covers(name) {
                self.due_changes.remove(name);
                self.due_alone.remove(name);
            } else if !self.due_alone.contains(name) {
                self.due_changes.insert(Arc::clone(name));
            }
        } else {
            self.due_changes.remove(name);
            self.due_alone.remove(name);
            let is_missed = match told {
                Some(told) => told.said != Said::Absent,
                None => self.subscription.names(name),
            };
            if is_missed {
                self.due_removals.insert(Arc::clone(name));
            }
        }
    }

    /// The resource changed: a refusal was of what it was before, and may be repeated.
    pub(super) fn mark_changed(&mut self, name: &Arc<str>, catalogue: &Catalogue) {
        self.due_closing.remove(name);
        match self.refused.remove(name) {
            Some(_) => self.say_again(name, catalogue),
            None => self.mark(name, catalogue),
        }
    }

    /// Whether the client has answered for what the catalogue says of `name`.
    pub(super) fn is_settled(&self, name: &str, catalogue: &Catalogue) -> bool {
        let present = catalogue.get(self.kind, name);
        match (self.told.get(name), present) {
            (Some(told), Some(resource)) => {
                told.said == Said::Version(resource.version()) && told.awaiting.is_none()
            }
            (Some(told), None) => told.said == Said::Absent && told.awaiting.is_none(),
            (None, Some(_)) => false,
            (None, None) => !self.due_removals.contains(name),
        }
    }

    pub(super) fn covers(&self, name: &str) -> bool {
        self.subscription.covers(name)
    }

    /// What the client holds or asked for, and is to be told that it is gone.
    pub(super) fn due_removals(&self) -> impl Iterator<Item = &Arc<str>> {
        self.due_removals.iter()
    }

    /// Present versions that the client refused.
    pub(super) fn refused(&self) -> impl Iterator<Item = (&Arc<str>, &Refusal)> {
        self.refused.iter()
    }

    pub(super) fn is_refused(&self, name: &str) -> bool {
        self.refused.contains_key(name)
    }

    /// When the oldest response without an answer was sent.
    pub(super) fn oldest_in_flight(&self) -> Option<u64> {
        self.in_flight
            .first_key_value()
            .map(|(_, sent)| sent.sent_at_tick)
    }

    /// The client answered a response, with an error text when it refused it. Returns the names
    /// of the response; none when the nonce is of no response that waits for its answer.
    pub(super) fn answer(
        &mut self,
        nonce: u64,
        error: Option<&Reason>,
        catalogue: &Catalogue,
    ) -> Vec<Arc<str>> {
        let Some(InFlight { names, .. }) = self.in_flight.remove(&nonce) else {
            return Vec::new();
        };
        // A NACK is of a whole response: only of one resource alone it says which.
        let is_alone = names.len() == 1;
        for name in &names {
            // Told again meanwhile, or unsubscribed: this answer is not about that.
            let Some(told) = self.told.get_mut(name) else {
                continue;
            };
            if told.awaiting != Some(nonce) {
                continue;
            }
            told.awaiting = None;
            match (told.said, error) {
                (Said::Version(version), Some(detail)) if is_alone => {
                    self.refuse(name, version, detail, catalogue);
                }
                (Said::Version(_), Some(_)) => self.isolate(name, catalogue),
                // Without a subscription by name nothing will ask for it: kept, each removed proxy
                // would stay.
                (Said::Absent, _) if !self.subscription.names(name) => {
                    self.told.remove(name);
                }
                (Said::Version(_) | Said::Absent | Said::Unsure, _) => {}
            }
        }
        names
    }

    fn refuse(
        &mut self,
        name: &Arc<str>,
        version: Version,
        detail: &Reason,
        catalogue: &Catalogue,
    ) {
        match catalogue.get(self.kind, name) {
            Some(resource) if resource.version() == version => {
                let proxy_id = resource.proxy_id().cloned();
                let refusal = Refusal {
                    proxy_id,
                    revision: resource.revision(),
                    detail: detail.as_str().to_owned(),
                };
                self.refused.insert(Arc::clone(name), refusal);
                self.close(name);
            }
            // What was refused is not the present version, but may become it again.
            Some(_) | None => self.say_again(name, catalogue),
        }
    }

    fn close(&mut self, name: &Arc<str>) {
        // What can be revoked travels on routes only.
        if self.kind == Some(ResourceKind::Route) {
            self.due_closing.insert(Arc::clone(name));
        }
    }

    /// It was refused together with others, of which it may be the good one: once more, alone.
    fn isolate(&mut self, name: &Arc<str>, catalogue: &Catalogue) {
        self.say_again(name, catalogue);
        if self.due_changes.remove(name) {
            self.due_alone.insert(Arc::clone(name));
        }
    }

    fn say_again(&mut self, name: &Arc<str>, catalogue: &Catalogue) {
        let unsure = Told {
            said: Said::Unsure,
            awaiting: None,
        };
        self.told.insert(Arc::clone(name), unsure);
        self.mark(name, catalogue);
    }

    fn mark_everything(&mut self, catalogue: &Catalogue) {
        let held: Vec<Arc<str>> = self.told.keys().cloned().collect();
        for name in held {
            self.mark(&name, catalogue);
        }
        if self.subscription.is_wildcard() {
            for name in catalogue.names(self.kind) {
                self.mark(&name, catalogue);
            }
        }
    }

    fn forget(&mut self, name: &Arc<str>) {
        self.told.remove(name);
        self.due_changes.remove(name);
        self.due_removals.remove(name);
        self.due_alone.remove(name);
        self.refused.remove(name);
        self.due_closing.remove(name);
    }

    fn forget_unwanted(&mut self) {
        let Self { subscription, .. } = self;
        self.told.retain(|name, _| subscription.covers(name));
        self.refused.retain(|name, _| subscription.covers(name));
        self.due_changes.retain(|name| subscription.covers(name));
        self.due_removals.retain(|name| subscription.covers(name));
        self.due_alone.retain(|name| subscription.covers(name));
        self.due_closing.retain(|name| subscription.covers(name));
    }
}

impl Told {
    /// What a client says it holds from an earlier stream. A version that is none of ours is
    /// hashed into one that differs from every present one.
    fn held(version: &str) -> Self {
        let version = version
            .parse()
            .unwrap_or_else(|_| Version::of(version.as_bytes()));
        Self {
            said: Said::Version(version),
            awaiting: None,
        }
    }
}
