//! Memory, which may end. An allocation that fails ends the whole module, and with it every call of
//! its worker. So whatever a stranger may make large is asked for before, and who hears that there is
//! none ends alone, closed.
//!
//! * A buffer that grows with what comes is reserved (`try_reserve`).
//! * What allocates by itself asks first whether as much is there as it may take: decoders of
//!   libraries for a part of the body, the search of a path, a part of a document's places, a turn.
//!
//! What is left is small whatever strangers do, and is not asked for:
//!
//! * heads, and what is made of them: Envoy takes 60 KiB (`max_request_headers_kb`, its default, of
//!   both directions), of which there are some copies at a time;
//! * what a stream needs without holding it: names and white space of 64 KiB, values of 1 KiB that
//!   are looked for, 512 containers, one portion of 64 KiB with what a stage makes of it;
//! * answers of ours, lines of logs and what is asked of the region server: ids, and names that an
//!   admin chose, of at most some hundred bytes each;
//! * policies, which an admin chooses: their messages are 2 MiB at most and what they compile to is
//!   bounded by its weight.

use std::hint::black_box;

/// There is not as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no memory")]
pub struct NoMemory;

/// What a turn may take without asking again: texts of values that patterns are tried on, a record
/// with what is made of it.
pub(crate) const TURN_BYTES: usize = 64 << 20;

/// Whether so much is there, in one piece. Nobody else takes it before whoever asked is done: a
/// worker does one thing at a time, and what was asked for is given back to the allocator.
pub(crate) fn ask(bytes: usize) -> Result<(), NoMemory> {
    let mut room: Vec<u8> = Vec::new();
    room.try_reserve_exact(bytes).map_err(|_| NoMemory)?;
    // Else the compiler leaves out what is only given back.
    black_box(&mut room);
    Ok(())
}

/// For what grows by little pieces: asks for many of them at a time.
#[derive(Debug, Default)]
pub(crate) struct Allowance {
    left: usize,
}

impl Allowance {
    const BYTES: usize = 1 << 20;

    /// Before so much more is allocated.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), NoMemory> {
        if let Some(left) = self.left.checked_sub(bytes) {
            self.left = left;
            return Ok(());
        }
        ask(bytes.saturating_add(Self::BYTES))?;
        self.left = Self::BYTES;
        Ok(())
    }
}

/// Appends to a buffer, if there is memory for it.
pub(crate) fn extend(buffer: &mut Vec<u8>, bytes: &[u8]) -> Result<(), NoMemory> {
    buffer.try_reserve(bytes.len()).map_err(|_| NoMemory)?;
    buffer.extend_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_there_is_not() {
        assert_eq!(ask(TURN_BYTES), Ok(()));
        assert_eq!(ask(isize::MAX.unsigned_abs() + 1), Err(NoMemory));
        assert_eq!(Allowance::default().take(usize::MAX), Err(NoMemory));
    }
}
