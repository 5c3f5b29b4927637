//! From the chosen route to what is known of its proxy: who is let in, and the policy once somebody
//! was.

use std::{borrow::Cow, cell::RefCell, sync::Arc};

use requestrocket_policy::{
    admission::Admission,
    compile::Compilation,
    denial::Denial,
    envelope::KeyRing,
    exchange::Resolved,
    http::HeaderLine,
    policy::{InvalidPolicy, Policy},
};

use crate::{
    cache::{Cache, Cached, Room},
    compiling::{Compiled, Compiling, Crowded},
    host::{self, Host, HostFailure},
};

/// The chosen route's name, put by Envoy before us. Asking for it costs more than all else that a
/// request needs. Early header mutation removes what callers send under `x-rr-`.
pub(super) const ROUTE_HEADER: &str = "x-rr-route";

/// Compiled policies, and the keys to compile more.
#[derive(Debug)]
pub struct Policies {
    /// None: there are no usable keys, and every call is refused.
    keys: Option<KeyRing>,
    /// Their light parts, for callers who are not let in yet.
    admissions: RefCell<Cache<Admission>>,
    compiled: RefCell<Cache<Policy>>,
    compiling: RefCell<Compiling>,
}

/// What a VM keeps of proxies.
#[derive(Clone, Copy, Debug)]
pub struct Rooms {
    /// For light parts.
    pub admissions: Room,
    /// For policies.
    pub policies: Room,
}

impl Policies {
    /// With the region's keys, if there are any, and room for what is compiled.
    pub fn new(keys: Option<KeyRing>, rooms: Rooms) -> Self {
        Self {
            keys,
            admissions: RefCell::new(Cache::new(rooms.admissions)),
            compiled: RefCell::new(Cache::new(rooms.policies)),
            compiling: RefCell::default(),
        }
    }

    /// Of a request with this head. A policy that is not compiled yet is not even read.
    pub(super) fn resolve(&self, lines: &[HeaderLine<'_>], host: &impl Host) -> Resolved {
        match route_name(lines, host) {
            Ok(Some(name)) => self.known(&name, host).unwrap_or(Resolved::Fault),
            Ok(None) if self.keys.is_some() => Resolved::UnknownProxy,
            Ok(None) | Err(HostFailure) => Resolved::Fault,
        }
    }

    /// Of a stream whose request is gone.
    pub(super) fn of_route(&self, host: &impl Host) -> Resolved {
        self.resolve(&[], host)
    }

    fn known(&self, name: &[u8], host: &impl Host) -> Option<Resolved> {
        let keys = self.keys.as_ref()?;
        // First, because a policy has its admission with it.
        let compiled = self.compiled.try_borrow_mut().ok()?.get(name);
        if let Some(Cached::Ready(policy)) = compiled {
            return Some(Resolved::Proxy(self.with_token(policy, name, host)));
        }
        let mut admissions = self.admissions.try_borrow_mut().ok()?;
        let known = admissions.get(name).or_else(|| {
            let encoded = host.route_admission().ok()??;
            let admission = checked(host, name, Admission::compile(&encoded, keys));
            let owner = match &admission {
                Cached::Ready(admission) => Some(admission.organisation()),
                Cached::Invalid => None,
            };
            admissions.insert((name, owner), admission.clone());
            Some(admission)
        });
        match known? {
            Cached::Ready(admission) => Some(Resolved::Admission(admission)),
            Cached::Invalid => None,
        }
    }

    /// The policy of a request whose caller is let in. One that is compiled in a step is at once;
    /// for others the call has to wait.
    pub(super) fn admitted(
        &self,
        (lines, admission): (&[HeaderLine<'_>], &Arc<Admission>),
        stream: u32,
        host: &impl Host,
    ) -> Obtained {
        let Ok(Some(name)) = route_name(lines, host) else {
            return Obtained::Refused(Denial::GatewayFault);
        };
        match self.obtain((&name, admission), stream, host) {
            Some(Obtained::Ready(policy)) => Obtained::Ready(self.with_token(policy, &name, host)),
            Some(obtained) => obtained,
            None => Obtained::Refused(Denial::GatewayFault),
        }
    }

    /// The policy with the token that is there now, if that travels by itself. Should there be none
    /// to be had, what it has serves to its end.
    fn with_token(&self, policy: Arc<Policy>, name: &[u8], host: &impl Host) -> Arc<Policy> {
        if !policy.awaits_token() {
            return policy;
        }
        let renewed = self.renewed(&policy, name, host);
        renewed.unwrap_or(policy)
    }

    /// None: it has that token already, or there is none.
    fn renewed(&self, policy: &Policy, name: &[u8], host: &impl Host) -> Option<Arc<Policy>> {
        let serial = host.token_serial().ok()??;
        if policy.has_token(&serial) {
            return None;
        }
        let token = host.token().ok()??;
        let renewed = policy.with_token(&serial, &token).or_else(|invalid| {
            let name = String::from_utf8_lossy(name);
            host.warn(&format!("token of route `{name}` is refused: {invalid}"));
            // In its place one that serves nobody, so that it is not looked at again.
            policy.with_token(&serial, &[])
        });
        let renewed = Arc::new(renewed.ok()?);
        let owner = policy.admission().organisation();
        let mut compiled = self.compiled.try_borrow_mut().ok()?;
        compiled.insert((name, Some(owner)), Cached::Ready(Arc::clone(&renewed)));
        Some(renewed)
    }

    fn obtain(
        &self,
        (name, admission): (&[u8], &Arc<Admission>),
        stream: u32,
        host: &impl Host,
    ) -> Option<Obtained> {
        let mut compiled = self.compiled.try_borrow_mut().ok()?;
        match compiled.get(name) {
            Some(Cached::Ready(policy)) => return Some(Obtained::Ready(policy)),
            Some(Cached::Invalid) => return None,
            None => {}
        }
        let owner = admission.organisation();
        let mut compiling = self.compiling.try_borrow_mut().ok()?;
        // Before its policy is read: a call of the host, and a long text.
        match compiling.join(name, stream) {
            Ok(true) => return Some(Obtained::Waits),
            Ok(false) => {}
            Err(Crowded) => return Some(Obtained::Refused(Denial::Overloaded)),
        }
        let encoded = host.route_policy().ok()??;
        let mut compilation = Compilation::new(Arc::clone(admission), encoded);
        let is_short = compilation.is_short();
        // A short one, too, may have patterns that take several steps.
        let Some(policy) = is_short.then(|| compilation.step()).flatten() else {
            if !compiling.has_room_for(owner) {
                return Some(Obtained::Refused(Denial::Overloaded));
            }
            compiling.begin(name, compilation, stream);
            return Some(Obtained::Waits);
        };
        host.count_compiled();
        let policy = checked(host, name, policy);
        compiled.insert((name, Some(owner)), policy.clone());
        match policy {
            Cached::Ready(policy) => Some(Obtained::Ready(policy)),
            Cached::Invalid => None,
        }
    }

    /// Whether policies are being compiled.
    pub fn are_idle(&self) -> bool {
        self.compiling.try_borrow().is_ok_and(|it| it.is_idle())
    }

    /// Compiles for a moment. The streams whose calls can go on, because their policy is there or
    /// will not be.
    pub fn compile_some(&self, host: &impl host::Shared) -> Vec<u32> {
        let (Ok(mut compiling), Ok(mut compiled)) = (
            self.compiling.try_borrow_mut(),
            self.compiled.try_borrow_mut(),
        ) else {
            return Vec::new();
        };
        let Some(Compiled {
            route_name,
            owner,
            policy,
            waiting,
        }) = compiling.step()
        else {
            return Vec::new();
        };
        host.count_compiled();
        let policy = checked(host, &route_name, policy);
        compiled.insert((&route_name, Some(owner)), policy);
        waiting
    }
}

/// What comes of asking for a policy.
#[derive(Debug)]
pub(super) enum Obtained {
    Ready(Arc<Policy>),
    /// The call is heard of when it is there.
    Waits,
    Refused(Denial),
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

/// What does not compile is told to the operator, once.
fn checked<T>(
    host: &impl host::Shared,
    route_name: &[u8],
    compiled: Result<T, InvalidPolicy>,
) -> Cached<T> {
    match compiled {
        Ok(value) => Cached::Ready(value.into()),
        Err(invalid) => {
            let name = String::from_utf8_lossy(route_name);
            host.warn(&format!("policy of route `{name}` is refused: {invalid}"));
            Cached::Invalid
        }
    }
}
