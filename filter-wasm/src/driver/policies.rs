//! From the chosen route to the compiled policy.

use std::{borrow::Cow, cell::RefCell};

use requestrocket_policy::{
    envelope::KeyRing, exchange::Resolved, http::HeaderLine, policy::Policy,
};

use crate::{
    cache::{Cache, Cached, Room},
    host::{Host, HostFailure},
};

/// The chosen route's name, put by Envoy before us. Asking for it costs more than all else that a
/// request needs. Early header mutation removes what callers send under `x-rr-`.
pub(super) const ROUTE_HEADER: &str = "x-rr-route";

/// Compiled policies, and the keys to compile more.
#[derive(Debug)]
pub struct Policies {
    /// None: there are no usable keys, and every call is refused.
    keys: Option<KeyRing>,
    cache: RefCell<Cache>,
}

impl Policies {
    /// With the region's keys, if there are any, and room for compiled policies.
    pub fn new(keys: Option<KeyRing>, room: Room) -> Self {
        Self {
            keys,
            cache: RefCell::new(Cache::new(room)),
        }
    }

    /// Of a request with this head.
    pub(super) fn resolve(&self, lines: &[HeaderLine<'_>], host: &impl Host) -> Resolved {
        self.of_name(route_name(lines, host), host)
    }

    /// Of a stream whose request is gone.
    pub(super) fn of_route(&self, host: &impl Host) -> Resolved {
        self.of_name(route_name(&[], host), host)
    }

    fn of_name(
        &self,
        name: Result<Option<Cow<'_, [u8]>>, HostFailure>,
        host: &impl Host,
    ) -> Resolved {
        let Some(keys) = &self.keys else {
            return Resolved::Fault;
        };
        let name = match name {
            Ok(Some(name)) => name,
            Ok(None) => return Resolved::UnknownProxy,
            Err(HostFailure) => return Resolved::Fault,
        };
        let Ok(mut cache) = self.cache.try_borrow_mut() else {
            return Resolved::Fault;
        };
        let cached = cache.get(&name).or_else(|| {
            let compiled = compile(host, &name, keys)?;
            cache.insert(&name, compiled.clone());
            Some(compiled)
        });
        match cached {
            Some(Cached::Ready(policy)) => Resolved::Proxy(policy),
            Some(Cached::Invalid) | None => Resolved::Fault,
        }
    }
}

/// The name of the chosen route: from the header that Envoy put for us, or else from Envoy.
fn route_name<'a>(
    lines: &[HeaderLine<'a>],
    host: &impl Host,
) -> Result<Option<Cow<'a, [u8]>>, HostFailure> {
    let line = lines
        .iter()
        .find(|(name, _)| *name == ROUTE_HEADER.as_bytes());
    let name = match line {
        Some(&(_, value)) => Some(Cow::Borrowed(value)),
        None => host.route_name()?.map(Cow::Owned),
    };
    Ok(name.filter(|name| !name.is_empty()))
}

/// None when the host gives no policy, which says nothing of the next request.
fn compile(host: &impl Host, route_name: &[u8], keys: &KeyRing) -> Option<Cached> {
    let encoded = host.route_policy().ok()??;
    match Policy::compile(&encoded, keys) {
        Ok(policy) => Some(Cached::Ready(policy.into())),
        Err(invalid) => {
            let name = String::from_utf8_lossy(route_name);
            host.warn(&format!("policy of route `{name}` is refused: {invalid}"));
            Some(Cached::Invalid)
        }
    }
}
