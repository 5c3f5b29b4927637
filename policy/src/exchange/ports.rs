//! What an exchange asks its host for besides the stream itself.

use uuid::Uuid;

use crate::{
    authn::AuthPorts,
    limit::{Charge, Exceeded, Micros, NearLimit, Report},
    shares::Holder,
    sign::Tools,
};

/// The host of an exchange: what authentication asks, what is counted, and what schemes need to
/// sign.
pub trait Ports: AuthPorts + Tools {
    /// Whether one more call of this holder may be open. Asked before anything is counted.
    fn has_room(&self, holder: Holder) -> bool;

    /// Decides whether the charges fit below all their limits and, only then, counts them. With
    /// each comes the proxy or credential whose counters they are kept with.
    fn charge(&self, charges: &[(Uuid, &Charge)]) -> Charging;

    /// Adds what a response brought to a counter.
    fn add(&self, charge: (Uuid, &Charge), amount: Micros);
}

/// What became of a call's charges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Charging {
    /// They are counted.
    Admitted(Vec<NearLimit>),
    /// The region server has to be asked; nothing was counted.
    Ask(Question),
    /// A limit is reached; nothing was counted.
    Exceeded(Exceeded),
    /// Nothing can be counted.
    Fault,
}

/// What the region server is asked, with the owner of each counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Of each limit that has to be asked about.
    pub reports: Vec<(Uuid, Report)>,
    /// Unix time in milliseconds, read before the counts in the reports were.
    pub read_at_ms: u64,
}
