//! All resources of one revision, immutable; successive snapshots share what did not change.
//!
//! Invariant: two snapshots of one publisher can be compared in the order of their differences,
//! because unchanged tree nodes are the same memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;

use crate::access::Callers;
use crate::translate::listener::ListenerTemplate;
use crate::translate::{ProxyPassage, ProxyResources, ProxyTerms};
use crate::xds::resource::{Resource, ResourceKind};

type Table = OrdMap<Arc<str>, Arc<Resource>>;

/// Resources of a region at one revision.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// None: nothing is known yet, and nothing may be told to a node that has a last good state.
    revision: Option<u64>,
    clusters: Table,
    listener: Option<Arc<ListenerTemplate>>,
    routes: Table,
    scopes: Table,
    /// Proxy id → name of its second scope.
    alias_scopes: OrdMap<Arc<str>, Arc<str>>,
    /// Proxy id → name of the cluster with the token that its target is given.
    tokens: OrdMap<Arc<str>, Arc<str>>,
    /// Name of such a cluster → of how many proxies.
    token_uses: OrdMap<Arc<str>, usize>,
    /// Proxy id → who may call it.
    callers: OrdMap<Arc<str>, Arc<Callers>>,
    /// Proxy id → what judges its calls.
    terms: OrdMap<Arc<str>, Arc<ProxyTerms>>,
    /// Proxy id → what its asynchronous requests go by.
    passages: OrdMap<Arc<str>, Arc<ProxyPassage>>,
}

/// A proxy as it is from a revision on; `None`: gone.
pub type ProxyChange = (Arc<str>, Option<ProxyResources>);

impl Snapshot {
    /// The first snapshot: what all proxies share, and nothing else.
    #[must_use]
    pub fn of_shared(clusters: Vec<Resource>, listener: ListenerTemplate) -> Self {
        let named = |cluster: Resource| (Arc::clone(cluster.name()), Arc::new(cluster));
        Self {
            clusters: clusters.into_iter().map(named).collect(),
            listener: Some(Arc::new(listener)),
            ..Self::default()
        }
    }

    /// The snapshot of `revision`, in which `changes` replaced what these proxies had.
    #[must_use]
    pub fn with_changes(&self, revision: u64, changes: Vec<ProxyChange>) -> Self {
        let mut next = self.clone();
        next.revision = Some(revision);
        // An alias can move from one proxy to another within a revision, so all leave first.
        for (proxy_id, resources) in &changes {
            let alias = resources.as_ref().and_then(|r| r.alias_scope.as_ref());
            next.drop_alias(proxy_id, alias.map(|(name, _)| name));
        }
        for (proxy_id, resources) in changes {
            match resources {
                Some(resources) => next.put_proxy(&proxy_id, resources, revision),
                None => next.drop_proxy(&proxy_id),
            }
        }
        next
    }

    /// The snapshot of `revision` that holds `proxies` and no others.
    #[must_use]
    pub fn with_all(&self, revision: u64, proxies: Vec<(Arc<str>, ProxyResources)>) -> Self {
        let kept: BTreeSet<&Arc<str>> = proxies.iter().map(|(proxy_id, _)| proxy_id).collect();
        let gone: Vec<ProxyChange> = self
            .routes
            .keys()
            .filter(|proxy_id| !kept.contains(proxy_id))
            .map(|proxy_id| (Arc::clone(proxy_id), None))
            .collect();
        let present = proxies
            .into_iter()
            .map(|(proxy_id, resources)| (proxy_id, Some(resources)));
        self.with_changes(revision, gone.into_iter().chain(present).collect())
    }

    /// The revision, once there is one.
    #[must_use]
    pub fn revision(&self) -> Option<u64> {
        self.revision
    }

    /// How many proxies there are.
    #[must_use]
    pub fn proxies(&self) -> usize {
        self.routes.len()
    }

    /// Who may call a proxy; none for one that is not there.
    #[must_use]
    pub fn callers(&self, proxy_id: &str) -> Option<&Arc<Callers>> {
        self.callers.get(proxy_id)
    }

    /// What asynchronous requests of a proxy go by; none for one that is not there.
    #[must_use]
    pub fn passage(&self, proxy_id: &str) -> Option<&Arc<ProxyPassage>> {
        self.passages.get(proxy_id)
    }

    /// What judges calls in `newer` otherwise than here; none of a proxy that is gone.
    #[must_use]
    pub fn changed_terms(&self, newer: &Self) -> Vec<(Arc<str>, Option<Arc<ProxyTerms>>)> {
        let changed = self.terms.diff(&newer.terms).map(|item| match item {
            DiffItem::Add(id, terms)
            | DiffItem::Update {
                new: (id, terms), ..
            } => (Arc::clone(id), Some(Arc::clone(terms))),
            DiffItem::Remove(id, _) => (Arc::clone(id), None),
        });
        changed.collect()
    }

    /// What a node's listener is made of.
    #[must_use]
    pub fn listener(&self) -> Option<&Arc<ListenerTemplate>> {
        self.listener.as_ref()
    }

    /// The resource of that name; listeners are each node's own and not found here.
    #[must_use]
    pub fn get(&self, kind: ResourceKind, name: &str) -> Option<&Arc<Resource>> {
        self.table(kind)?.get(name)
    }

    /// Names of all resources of a kind, sorted.
    pub fn names(&self, kind: ResourceKind) -> impl Iterator<Item = &Arc<str>> {
        self.table(kind).into_iter().flat_map(OrdMap::keys)
    }

    /// What differs in `newer`: in the order of kinds, names sorted.
    #[must_use]
    pub fn changed_names(&self, newer: &Self) -> Vec<(ResourceKind, Arc<str>)> {
        let mut changed = Vec::new();
        for kind in ResourceKind::ALL {
            if let (Some(old), Some(new)) = (self.table(kind), newer.table(kind)) {
                changed.extend(old.diff(new).map(|item| (kind, name_of(&item))));
            }
        }
        changed
    }

    fn table(&self, kind: ResourceKind) -> Option<&Table> {
        match kind {
            ResourceKind::Cluster => Some(&self.clusters),
            ResourceKind::Listener => None,
            ResourceKind::Route => Some(&self.routes),
            ResourceKind::Scope => Some(&self.scopes),
        }
    }

    fn put_proxy(&mut self, proxy_id: &Arc<str>, resources: ProxyResources, revision: u64) {
        let ProxyResources {
            scope,
            alias_scope,
            route,
            token,
            callers,
            terms,
            passage,
        } = resources;
        self.use_token(proxy_id, token.as_ref().map(|(name, _)| name));
        if let Some((name, body)) = token {
            put(
                &mut self.clusters,
                Resource::encoded(name, body, revision, None),
            );
        }
        let owner = Some(Arc::clone(proxy_id));
        let make = |name: &Arc<str>, body| {
            Resource::encoded(Arc::clone(name), body, revision, owner.clone())
        };
        put(&mut self.routes, make(proxy_id, route));
        put(&mut self.scopes, make(proxy_id, scope));
        self.callers.insert(Arc::clone(proxy_id), Arc::new(callers));
        self.passages
            .insert(Arc::clone(proxy_id), Arc::new(passage));
        let is_known = self.terms.get(proxy_id).is_some_and(|it| **it == terms);
        if !is_known {
            self.terms.insert(Arc::clone(proxy_id), Arc::new(terms));
        }
        if let Some((name, body)) = alias_scope {
            put(&mut self.scopes, make(&name, body));
            self.alias_scopes.insert(Arc::clone(proxy_id), name);
        }
    }

    fn drop_proxy(&mut self, proxy_id: &Arc<str>) {
        self.routes.remove(proxy_id);
        self.scopes.remove(proxy_id);
        self.callers.remove(proxy_id);
        self.passages.remove(proxy_id);
        self.terms.remove(proxy_id);
        self.use_token(proxy_id, None);
    }

    /// A proxy has that cluster's token from now on. A cluster of which none has it goes.
    fn use_token(&mut self, proxy_id: &Arc<str>, name: Option<&Arc<str>>) {
        if self.tokens.get(proxy_id) == name {
            return;
        }
        let former = match name {
            Some(name) => {
                *self.token_uses.entry(Arc::clone(name)).or_default() += 1;
                self.tokens.insert(Arc::clone(proxy_id), Arc::clone(name))
            }
            None => self.tokens.remove(proxy_id),
        };
        let Some(former) = former else {
            return;
        };
        let left = self.token_uses.get(&former).map_or(0, |uses| uses - 1);
        if left == 0 {
            self.token_uses.remove(&former);
            self.clusters.remove(&former);
        } else {
            self.token_uses.insert(former, left);
        }
    }

    /// Removes the alias of a proxy unless it is `kept` or another proxy's by now.
    fn drop_alias(&mut self, proxy_id: &Arc<str>, kept: Option<&Arc<str>>) {
        if self.alias_scopes.get(proxy_id) == kept {
            return;
        }
        let Some(name) = self.alias_scopes.remove(proxy_id) else {
            return;
        };
        let is_own = self
            .scopes
            .get(&name)
            .is_some_and(|r| r.proxy_id() == Some(proxy_id));
        if is_own {
            self.scopes.remove(&name);
        }
    }
}

/// Puts a resource in its place; one that is there with the same bytes stays, with its revision.
fn put(table: &mut Table, resource: Resource) {
    let is_present = table
        .get(resource.name())
        .is_some_and(|present| **present == resource);
    if !is_present {
        table.insert(Arc::clone(resource.name()), Arc::new(resource));
    }
}

fn name_of(item: &DiffItem<'_, '_, Arc<str>, Arc<Resource>>) -> Arc<str> {
    match item {
        DiffItem::Add(name, _)
        | DiffItem::Remove(name, _)
        | DiffItem::Update { new: (name, _), .. } => Arc::clone(name),
    }
}

#[cfg(test)]
mod tests;
