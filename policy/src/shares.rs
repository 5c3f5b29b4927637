//! Something that all share, counted by whose it is.
//!
//! Everybody may take as much as is left over. Of what there is, an organisation alone may take half,
//! two a third each, and so on. Of what an organisation may take, one of its proxies alone may take
//! two thirds, and so may one credential, whichever proxies it calls; of what a proxy may take, one
//! of its callers two thirds. So there is always something left for the next.

use std::collections::{BTreeMap, btree_map::Entry};

use crate::{
    access::Caller,
    id::{CredentialId, OrganisationId, ProxyId},
};

/// Who takes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Whose proxy is called.
    pub organisation: OrganisationId,
    /// The proxy that is called.
    pub proxy: ProxyId,
    /// What was presented; none: nobody remembers.
    pub credential: Option<CredentialId>,
}

/// There is nothing left for whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("others are to have something, too")]
pub struct NothingLeft;

/// What is taken, of how much each user of it says.
#[derive(Debug, Default)]
pub struct Shares {
    taken: usize,
    organisations: BTreeMap<OrganisationId, OfOrganisation>,
}

/// What an organisation has taken, and who of it.
#[derive(Debug, Default)]
struct OfOrganisation {
    taken: usize,
    parts: BTreeMap<Part, usize>,
}

/// Those that an organisation's share is divided among; each holder is one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Proxy(ProxyId),
    Credential(Option<CredentialId>),
    Caller(ProxyId, Option<CredentialId>),
}

/// How much there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// For all together.
    pub all: usize,
    /// For one organisation, however much is left over.
    pub organisation: usize,
}

impl Whole {
    /// Of which one organisation alone may take half.
    pub const fn of(all: usize) -> Self {
        Self {
            all,
            organisation: all / 2,
        }
    }
}

impl Holder {
    /// Who calls; none: nobody remembers.
    pub fn caller(self) -> Option<Caller> {
        let proxy = self.proxy;
        self.credential
            .map(|credential| Caller { proxy, credential })
    }

    fn parts(self) -> [Part; 3] {
        [
            Part::Proxy(self.proxy),
            Part::Credential(self.credential),
            Part::Caller(self.proxy, self.credential),
        ]
    }
}

impl OfOrganisation {
    fn part(&self, part: Part) -> usize {
        self.parts.get(&part).copied().unwrap_or_default()
    }
}

impl Shares {
    /// Takes so much more, all or nothing. To take nothing is always allowed.
    ///
    /// # Errors
    ///
    /// [`NothingLeft`] of as much; then nothing has changed.
    pub fn take(&mut self, whole: Whole, holder: Holder, more: usize) -> Result<(), NothingLeft> {
        if more > self.left(whole, holder) {
            return Err(NothingLeft);
        }
        self.add(holder, more);
        Ok(())
    }

    /// Takes so much more, whether it is left or not.
    pub fn add(&mut self, holder: Holder, more: usize) {
        if more == 0 {
            return;
        }
        self.taken = self.taken.saturating_add(more);
        let of = self.organisations.entry(holder.organisation).or_default();
        of.taken = of.taken.saturating_add(more);
        for part in holder.parts() {
            let taken = of.parts.entry(part).or_default();
            *taken = taken.saturating_add(more);
        }
    }

    /// Gives back so much of what was taken.
    pub fn give_back(&mut self, holder: Holder, less: usize) {
        let Entry::Occupied(mut of) = self.organisations.entry(holder.organisation) else {
            return;
        };
        self.taken = self.taken.saturating_sub(less);
        of.get_mut().taken = of.get().taken.saturating_sub(less);
        // Else the maps would keep everybody who ever took something.
        if of.get().taken == 0 {
            of.remove();
            return;
        }
        for part in holder.parts() {
            if let Entry::Occupied(mut taken) = of.get_mut().parts.entry(part) {
                *taken.get_mut() = taken.get().saturating_sub(less);
                if *taken.get() == 0 {
                    taken.remove();
                }
            }
        }
    }

    /// How much more the holder may take.
    pub fn left(&self, whole: Whole, holder: Holder) -> usize {
        let nothing = OfOrganisation::default();
        let of = self.organisations.get(&holder.organisation);
        let of = of.unwrap_or(&nothing);
        let [proxy, credential, caller] = holder.parts().map(|part| of.part(part));
        let all_others = self.taken.saturating_sub(of.taken);
        let most = half(whole.all.saturating_sub(all_others)).min(whole.organisation);
        let most_of = |own: usize| two_thirds(most.saturating_sub(of.taken.saturating_sub(own)));
        let of_proxy = most_of(proxy);
        let other_callers = proxy.saturating_sub(caller);
        let of_caller = two_thirds(of_proxy.saturating_sub(other_callers));
        // What a caller may take is less than what is left of its proxy's and its organisation's.
        let of_credential = most_of(credential).saturating_sub(credential);
        of_caller.saturating_sub(caller).min(of_credential)
    }

    /// What an organisation has taken.
    pub fn of(&self, organisation: OrganisationId) -> usize {
        let of = self.organisations.get(&organisation);
        of.map(|of| of.taken).unwrap_or_default()
    }

    /// Whether nobody has anything.
    pub fn is_empty(&self) -> bool {
        self.organisations.is_empty()
    }
}

fn half(left: usize) -> usize {
    left / 2
}

fn two_thirds(left: usize) -> usize {
    left.saturating_sub(left / 3)
}

#[cfg(test)]
mod tests;
