//! The tallies of several counters as one value of shared data.
//!
//! Layout: a version byte; then for each counter its kind, its id and a slot count; then for each
//! slot its window, flags and numbers (little endian).

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Counter, CounterKind, Micros, Slot, Tally, Window};

const VERSION: u8 = 1;
/// Of a meter with a limit: four windows.
const TYPICAL_BYTES: usize = 256;
const LIMITED: u8 = 1;
const SETTLED: u8 = 2;
const RESERVED: u8 = 4;

/// What an Envoy keeps for several counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tallies(BTreeMap<Counter, Tally>);

impl Tallies {
    /// The counter's tally; a fresh one when nothing was counted yet.
    pub fn get(&self, counter: Counter) -> Tally {
        self.0.get(&counter).copied().unwrap_or_default()
    }

    /// The counter's tally, to change it.
    pub fn tally_mut(&mut self, counter: Counter) -> &mut Tally {
        self.0.entry(counter).or_default()
    }

    /// Every counter.
    pub fn iter(&self) -> impl Iterator<Item = (Counter, &Tally)> {
        self.0.iter().map(|(counter, tally)| (*counter, tally))
    }

    /// Forgets the counters of which nobody asks any more.
    pub fn forget_over(&mut self, now_ms: u64) {
        self.0.retain(|_, tally| !tally.is_over(now_ms));
    }

    /// As a value of shared data.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1 + self.0.len() * TYPICAL_BYTES);
        out.push(VERSION);
        for (counter, tally) in &self.0 {
            out.push(counter.kind.code());
            out.extend_from_slice(counter.id.as_bytes());
            let slots = tally
                .slots
                .iter()
                .filter_map(|(window, slot)| Some((window, slot.as_ref()?)));
            let place = out.len();
            out.push(0);
            for (window, slot) in slots {
                if let Some(count) = out.get_mut(place) {
                    *count += 1;
                }
                write_slot(window, slot, &mut out);
            }
        }
        out
    }

    /// From a value of shared data. What is none is taken for a fresh start.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        read_all(bytes).unwrap_or_default()
    }
}

fn write_slot(window: Window, slot: &Slot, out: &mut Vec<u8>) {
    let is_limited = slot.limit > Micros::ZERO;
    let is_reserved = slot.reserved > Micros::ZERO;
    let flags = [
        (is_limited, LIMITED),
        (slot.is_settled, SETTLED),
        (is_reserved, RESERVED),
    ];
    let flags = flags.into_iter().filter(|(is_set, _)| *is_set);
    let flags = flags.fold(0, |all, (_, flag)| all | flag);
    out.extend_from_slice(&[window_code(window), flags]);
    for number in [slot.start_ms, slot.own.get(), slot.answered_own.get()] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&slot.epoch.to_le_bytes());
    out.extend_from_slice(&slot.nodes.to_le_bytes());
    // Every call of the proxy reads these bytes, so what a slot does not need is left out.
    if is_limited {
        for number in [
            slot.others.get(),
            slot.limit.get(),
            slot.ceiling.get(),
            slot.granted_at_ms,
        ] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&slot.valid_ms.to_le_bytes());
    }
    if is_reserved {
        for number in [slot.reserved.get(), slot.reserved_until_ms] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }
}

fn read_all(bytes: &[u8]) -> Option<Tallies> {
    let (&VERSION, mut rest) = bytes.split_first()? else {
        return None;
    };
    let mut tallies = Tallies::default();
    while let Some((&kind, tail)) = rest.split_first() {
        rest = tail;
        let counter = Counter {
            kind: CounterKind::from_code(kind)?,
            id: Uuid::from_bytes(take(&mut rest)?),
        };
        let [slots] = take(&mut rest)?;
        let tally = tallies.tally_mut(counter);
        for _ in 0..slots {
            let (window, slot) = read_slot(&mut rest)?;
            *tally.slots.get_mut(window) = Some(slot);
        }
    }
    Some(tallies)
}

fn read_slot(rest: &mut &[u8]) -> Option<(Window, Slot)> {
    let [window, flags] = take(rest)?;
    let window = Window::ALL
        .into_iter()
        .find(|known| window_code(*known) == window)?;
    let mut slot = Slot {
        start_ms: number(rest)?,
        own: Micros::new(number(rest)?),
        answered_own: Micros::new(number(rest)?),
        epoch: u32::from_le_bytes(take(rest)?),
        nodes: u32::from_le_bytes(take(rest)?),
        is_settled: flags & SETTLED != 0,
        ..Slot::default()
    };
    if flags & LIMITED != 0 {
        slot.others = Micros::new(number(rest)?);
        slot.limit = Micros::new(number(rest)?);
        slot.ceiling = Micros::new(number(rest)?);
        slot.granted_at_ms = number(rest)?;
        slot.valid_ms = u32::from_le_bytes(take(rest)?);
    }
    if flags & RESERVED != 0 {
        slot.reserved = Micros::new(number(rest)?);
        slot.reserved_until_ms = number(rest)?;
    }
    Some((window, slot))
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    take(rest).map(u64::from_le_bytes)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

fn window_code(window: Window) -> u8 {
    match window {
        Window::Minute => 1,
        Window::Hour => 2,
        Window::Day => 3,
        Window::Month => 4,
    }
}

#[cfg(test)]
mod tests;
