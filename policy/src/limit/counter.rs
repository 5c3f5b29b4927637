//! What is counted.

use requestrocket_proto::meter::v1 as wire;
use uuid::Uuid;

use super::PerWindow;

/// What a count belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CounterKind {
    /// The plan's limit of a proxy credential.
    Plan,
    /// All calls of a proxy.
    Proxy,
    /// A meter.
    Meter,
}

/// One counter: its kind, and the id of the credential, proxy or meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Counter {
    /// What the id is of.
    pub kind: CounterKind,
    /// The id.
    pub id: Uuid,
}

/// Ceilings in whole units; none: no limit.
pub type Limits = PerWindow<Option<u64>>;

impl CounterKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Plan, Self::Proxy, Self::Meter];

    pub(super) fn code(self) -> u8 {
        match self {
            Self::Plan => 1,
            Self::Proxy => 2,
            Self::Meter => 3,
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl Counter {
    /// Its name in the body of a refusal.
    pub fn name(&self) -> String {
        match self.kind {
            CounterKind::Plan => "plan".to_owned(),
            CounterKind::Proxy => "proxy".to_owned(),
            CounterKind::Meter => self.id.to_string(),
        }
    }

    /// None for one that this version does not know.
    pub fn from_wire(wire: wire::Counter) -> Option<Self> {
        let wire::Counter { kind, id } = wire;
        let kind = match wire::counter::Kind::try_from(kind).ok()? {
            wire::counter::Kind::Unspecified => return None,
            wire::counter::Kind::Plan => CounterKind::Plan,
            wire::counter::Kind::Proxy => CounterKind::Proxy,
            wire::counter::Kind::Meter => CounterKind::Meter,
        };
        let id = Uuid::from_slice(&id).ok()?;
        Some(Self { kind, id })
    }

    /// As it is sent.
    pub fn to_wire(self) -> wire::Counter {
        let kind = match self.kind {
            CounterKind::Plan => wire::counter::Kind::Plan,
            CounterKind::Proxy => wire::counter::Kind::Proxy,
            CounterKind::Meter => wire::counter::Kind::Meter,
        };
        wire::Counter {
            kind: kind.into(),
            id: self.id.as_bytes().to_vec().into(),
        }
    }
}
