//! Runs one exchange against a host: reads what the engine needs, obeys what it decides.
//!
//! No decision is taken here but one: what cannot be read, resolved or carried out is refused as a
//! fault of the gateway, and a request is forwarded only after every one of its edits succeeded.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
};

use requestrocket_policy::{
    denial::Denial,
    envelope::KeyRing,
    exchange::{Edit, Exchange, RequestDecision, Resolved, ResponseDecision},
    http::{HeaderLine, RequestHead, ResponseHead},
    policy::Policy,
};

use crate::{
    cache::{Cache, Cached},
    host::{Host, HostFailure},
};

/// The chosen route's name, put by Envoy before us. Asking for it costs more than all else that a
/// request needs. Early header mutation removes what callers send under `x-rr-`.
const ROUTE_HEADER: &[u8] = b"x-rr-route";

/// What Envoy is to do with the stream after a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Hand it to the next filter.
    Continue,
    /// Hold it: the caller has its answer from us.
    Stop,
}

/// What the requests of one VM share.
#[derive(Debug)]
pub struct Policies {
    /// None: there are no usable keys, and every call is refused.
    keys: Option<KeyRing>,
    cache: RefCell<Cache>,
}

/// One request.
#[derive(Debug, Default)]
pub struct Call {
    /// None until the request's head was seen.
    exchange: Option<Exchange>,
}

impl Policies {
    /// With the region's keys, if there are any, and room for `capacity` compiled policies.
    pub fn new(keys: Option<KeyRing>, capacity: usize) -> Self {
        Self {
            keys,
            cache: RefCell::new(Cache::new(capacity)),
        }
    }

    fn resolve(&self, lines: &[HeaderLine<'_>], host: &impl Host) -> Resolved {
        let Some(keys) = &self.keys else {
            return Resolved::Fault;
        };
        let name = match route_name(lines, host) {
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
    let line = lines.iter().find(|(name, _)| *name == ROUTE_HEADER);
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

impl Call {
    /// The request's head has arrived.
    pub fn on_request_head(&mut self, host: &impl Host, policies: &Policies) -> Flow {
        match self.judge_request(host, policies) {
            Ok(()) => Flow::Continue,
            Err(denial) => refuse(host, denial),
        }
    }

    /// A response's head has arrived, the target's or one that Envoy or we made.
    pub fn on_response_head(&mut self, host: &impl Host) -> Flow {
        // Only answers that Envoy makes itself come before the request's head.
        let Some(exchange) = &mut self.exchange else {
            return Flow::Continue;
        };
        let head = HostResponseHead {
            host,
            has_failed: Cell::new(false),
        };
        let decision = exchange.on_response_head(&head);
        match decision {
            _ if head.has_failed.get() => refuse(host, Denial::GatewayFault),
            ResponseDecision::PassThrough => Flow::Continue,
            ResponseDecision::Refuse(denial) => refuse(host, denial),
        }
    }

    fn judge_request(&mut self, host: &impl Host, policies: &Policies) -> Result<(), Denial> {
        let fault = |HostFailure| Denial::GatewayFault;
        let headers = host.request_headers().map_err(fault)?;
        let lines = headers.lines().map_err(fault)?;
        let resolved = policies.resolve(&lines, host);
        let exchange = self.exchange.insert(Exchange::new(resolved));
        // Without a clock every credential that expires has expired.
        let now_ms = || host.now_ms().unwrap_or(u64::MAX);
        match exchange.on_request_head(&RequestHead::new(&lines), &now_ms) {
            RequestDecision::Refuse(denial) => Err(denial),
            RequestDecision::Forward(edits) => edits
                .iter()
                .try_for_each(|edit| apply(host, edit))
                .map_err(fault),
        }
    }
}

fn apply(host: &impl Host, edit: &Edit<'_>) -> Result<(), HostFailure> {
    match edit {
        Edit::SetPath(path) => host.set_request_header(":path", path),
        Edit::SetHeader(name, value) => host.set_request_header(name, value),
        Edit::RemoveHeader(name) => host.remove_request_header(name),
    }
}

/// The one place that answers callers.
fn refuse(host: &impl Host, denial: Denial) -> Flow {
    let reply = match host.random() {
        Ok(random) => denial.response(&request_id(random)),
        Err(HostFailure) => Denial::GatewayFault.response(""),
    };
    if host.send_reply(&reply).is_err() {
        // Nothing more can be done: the stream stays held until it times out.
        host.warn("a refusal could not be sent");
    }
    Flow::Stop
}

fn request_id(random: [u8; 16]) -> String {
    uuid::Builder::from_random_bytes(random)
        .into_uuid()
        .to_string()
}

/// Asks the host for each header, and remembers when it had none to give.
struct HostResponseHead<'h, H> {
    host: &'h H,
    has_failed: Cell<bool>,
}

impl<H: Host> ResponseHead for HostResponseHead<'_, H> {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.host
            .response_header(name)
            .unwrap_or_else(|HostFailure| {
                self.has_failed.set(true);
                None
            })
    }
}

#[cfg(test)]
mod tests;
