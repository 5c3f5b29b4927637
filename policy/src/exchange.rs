//! One request from head to record: the order of the checks.

use std::sync::Arc;

use crate::{
    denial::Denial,
    http::{RequestHead, ResponseHead},
    policy::Policy,
    record::RequestRecord,
};

/// What the route says about the proxy of a request.
#[derive(Clone, Debug)]
pub enum Resolved {
    /// A compiled policy.
    Proxy(Arc<Policy>),
    /// No route: no such proxy.
    UnknownProxy,
    /// A route whose policy is of no use: it does not compile, or there are no keys.
    Fault,
}

/// One change of a request's head. `name`s are lower case.
#[derive(Clone, PartialEq, Eq)]
pub enum Edit<'e> {
    /// Replace `:path`.
    SetPath(Vec<u8>),
    /// Replace the header (all lines), or add it.
    SetHeader(&'e str, &'e [u8]),
    /// Remove all lines of the header.
    RemoveHeader(&'e str),
}

/// What to do with a request's head.
#[derive(Debug, PartialEq, Eq)]
pub enum RequestDecision<'e> {
    /// Answer the caller; the target is not contacted.
    Refuse(Denial),
    /// Make these changes, in order, and forward.
    Forward(Vec<Edit<'e>>),
}

/// What to do with a response's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseDecision {
    /// Pass it on as it is.
    PassThrough,
    /// Answer the caller in its place.
    Refuse(Denial),
}

/// One request. Feed it events, obey its decisions, and `finish` it for the record.
#[derive(Debug)]
pub struct Exchange {
    resolved: Resolved,
}

impl Exchange {
    /// Starts with what the route says.
    pub fn new(resolved: Resolved) -> Self {
        Self { resolved }
    }

    /// Decides a request's head. `now_ms` (Unix time) is asked for at most once, and only when the
    /// policy holds a credential that expires.
    pub fn on_request_head<'e>(
        &'e mut self,
        _head: &RequestHead<'_>,
        _now_ms: &dyn Fn() -> u64,
    ) -> RequestDecision<'e> {
        RequestDecision::Refuse(Denial::GatewayFault)
    }

    /// Decides a response's head.
    pub fn on_response_head(&mut self, _head: &dyn ResponseHead) -> ResponseDecision {
        ResponseDecision::Refuse(Denial::GatewayFault)
    }

    /// Ends the exchange, however far it came.
    pub fn finish(self) -> RequestRecord {
        let proxy = match self.resolved {
            Resolved::Proxy(_) | Resolved::UnknownProxy | Resolved::Fault => None,
        };
        RequestRecord {
            proxy,
            credential: None,
            denial: None,
        }
    }
}

impl std::fmt::Debug for Edit<'_> {
    /// Values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SetPath(_) => f.write_str("SetPath"),
            Self::SetHeader(name, _) => write!(f, "SetHeader({name})"),
            Self::RemoveHeader(name) => write!(f, "RemoveHeader({name})"),
        }
    }
}
