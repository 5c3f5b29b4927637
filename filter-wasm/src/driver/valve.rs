//! The filter's place next to the target, for calls whose responses are looked into. A response comes
//! by here first: here it is worked on, and here it is held back while that waits for its turn, so
//! that Envoy reads no more of it from the target than it has room for. What is let through is
//! replaced by what the work made of it where the call was decided.
//!
//! Envoy keeps what is held back, and nobody can reach it there: what is to be worked on was copied.

use requestrocket_policy::{
    denial::Denial,
    effort::{TURN_STEPS, Turn},
    exchange::{BodyUse, ChunkDecision, Exchange},
    http::HeaderLine,
};

use super::{
    Call, CallPorts, Flow, Progress, Shared,
    notes::{keep_end, keep_outcome},
    response::{Chunk, Turned, Worked, unreadable},
};
use crate::{
    counters::Inquiry,
    host::{Host, HostFailure},
};

/// Brings the number of the stream that decided the call. Early header mutation removes what
/// callers send under `x-rr-`.
pub(super) const HEADER: &str = "x-rr-valve";

/// Bytes of which nothing came yet, and that Envoy holds on: much less than what it holds before it
/// stops reading.
const MAX_KEPT_BYTES: usize = 16 << 10;

/// The stream that decided a call with this head, if the call is here only for its response.
pub(super) fn decided_by(lines: &[HeaderLine<'_>]) -> Option<u32> {
    let mut lines = lines.iter();
    let (_, value) = lines.find(|(name, _)| *name == HEADER.as_bytes())?;
    std::str::from_utf8(value).ok()?.parse().ok()
}

impl Call {
    /// The call is here for its response, which belongs to the call of that stream.
    pub(super) fn stand_by(&mut self, host: &impl Host, decided_by: u32) -> Flow {
        match host.remove_request_header(HEADER) {
            Ok(()) => {
                self.progress = Progress::Valve(decided_by);
                Flow::Continue
            }
            Err(HostFailure) => self.refuse(host, &Denial::GatewayFault.into()),
        }
    }

    /// The stream whose response comes by here, if this is a valve.
    pub fn valve_of(&self) -> Option<u32> {
        match self.progress {
            Progress::Valve(decided_by) => Some(decided_by),
            Progress::Fresh
            | Progress::Waiting(_)
            | Progress::HandedOver
            | Progress::Forwarded(_)
            | Progress::Answering(..)
            | Progress::Try(_)
            | Progress::Over
            | Progress::Done => None,
        }
    }

    /// A part of this call's response has come to its valve.
    pub fn on_valve_body(
        &mut self,
        (host, shared): (&impl Host, &Shared),
        valve: u32,
        chunk: Chunk,
    ) -> Flow {
        if matches!(self.progress, Progress::Over) {
            return Self::drop_part(host);
        }
        if cfg!(feature = "bench-buffering") {
            return Flow::Continue;
        }
        let Progress::Answering(exchange, state) = &mut self.progress else {
            return Flow::Continue;
        };
        let ports = CallPorts::new(host, &shared.counters, Inquiry::NONE);
        let decision = match state.body {
            // Lengths are watched where the call was decided.
            BodyUse::Unused | BodyUse::Size => return Flow::Continue,
            BodyUse::Bytes | BodyUse::Rewrite => match host.response_chunk(chunk.size) {
                Ok(bytes) => work_at_once(exchange, (host, shared), |exchange, turn| {
                    exchange.on_response_chunk((&bytes, chunk.is_end), turn, &ports)
                }),
                Err(HostFailure) => unreadable(state),
            },
        };
        keep_outcome(host, exchange);
        match decision {
            // An empty buffer that Envoy holds is enough to put bytes into when trailers come.
            ChunkDecision::Wait if host.replace_response_chunk(&[]).is_err() => Self::cut(host),
            ChunkDecision::Wait => self.hold_back(Flow::HeldBack),
            ChunkDecision::Later => {
                state.held_bytes = state.held_bytes.saturating_add(chunk.size);
                self.wait_for_turn(shared, valve, Flow::HeldBack)
            }
            ChunkDecision::Refuse(refusal) => self.refuse(host, &refusal),
            ChunkDecision::Cut => {
                keep_end(host, exchange);
                Self::cut(host)
            }
            ChunkDecision::Pass => self.let_through(Worked::Pass),
            ChunkDecision::Replace(bytes, edits) => self.let_through(Worked::Replace(bytes, edits)),
        }
    }

    /// Trailers of this call's response have come to its valve.
    pub fn on_valve_trailers(&mut self, (host, shared): (&impl Host, &Shared), valve: u32) -> Flow {
        if matches!(self.progress, Progress::Over) {
            return Flow::Held;
        }
        let Progress::Answering(exchange, state) = &mut self.progress else {
            return Flow::Continue;
        };
        if matches!(state.body, BodyUse::Unused | BodyUse::Size) {
            return Flow::Continue;
        }
        let is_held_back = state.is_held_back;
        let ports = CallPorts::new(host, &shared.counters, Inquiry::NONE);
        let end = |exchange: &mut Exchange, turn: &mut Turn| {
            exchange.on_response_chunk((&[], true), turn, &ports)
        };
        // With nothing held back there are no bytes whose place others could take, so that there is
        // nothing to wait for: what takes longer than a turn is cut.
        let decision = if is_held_back {
            work_at_once(exchange, (host, shared), end)
        } else {
            end(exchange, &mut Turn::of(TURN_STEPS))
        };
        keep_outcome(host, exchange);
        match decision {
            ChunkDecision::Replace(bytes, _) if !is_held_back && !bytes.is_empty() => {
                Self::reset(host)
            }
            ChunkDecision::Replace(bytes, edits) => self.let_through(Worked::Replace(bytes, edits)),
            ChunkDecision::Pass => self.let_through(Worked::Pass),
            ChunkDecision::Later if !is_held_back => Self::reset(host),
            ChunkDecision::Later => self.wait_for_turn(shared, valve, Flow::Held),
            ChunkDecision::Refuse(refusal) => self.refuse(host, &refusal),
            ChunkDecision::Wait => Self::reset(host),
            ChunkDecision::Cut => {
                keep_end(host, exchange);
                Self::reset(host)
            }
        }
    }

    /// It is this call's turn to be worked on.
    pub fn on_turn(&mut self, host: &impl Host, shared: &Shared, turn: &mut Turn) -> Turned {
        if let Some(turned) = self.on_request_turn(host, shared, turn) {
            return turned;
        }
        let Progress::Answering(exchange, state) = &mut self.progress else {
            return Turned::Over;
        };
        let ports = CallPorts::new(host, &shared.counters, Inquiry::NONE);
        let decision = exchange.on_turn(turn, &ports);
        keep_outcome(host, exchange);
        let worked = match decision {
            ChunkDecision::Later => return Turned::Waits,
            ChunkDecision::Pass => Worked::Pass,
            ChunkDecision::Replace(bytes, edits) => Worked::Replace(bytes, edits),
            // As long as little is held back that may stay: what comes of the rest takes its place.
            ChunkDecision::Wait if state.held_bytes <= MAX_KEPT_BYTES => return Turned::Over,
            ChunkDecision::Wait => Worked::Drop,
            ChunkDecision::Refuse(refusal) => {
                self.refuse(host, &refusal);
                return Turned::Over;
            }
            ChunkDecision::Cut => {
                keep_end(host, exchange);
                Self::reset(host);
                return Turned::Over;
            }
        };
        self.let_through(worked);
        Turned::Done
    }

    fn let_through(&mut self, worked: Worked) -> Flow {
        if let Progress::Answering(_, state) = &mut self.progress {
            state.worked = worked;
            state.is_held_back = false;
            state.held_bytes = 0;
        }
        Flow::Continue
    }

    fn hold_back(&mut self, held: Flow) -> Flow {
        if let Progress::Answering(_, state) = &mut self.progress {
            state.is_held_back = true;
        }
        held
    }

    fn wait_for_turn(&mut self, shared: &Shared, valve: u32, held: Flow) -> Flow {
        if let Progress::Answering(exchange, _) = &self.progress
            && let Some(organisation) = exchange.organisation()
        {
            shared.turns.queue(organisation, self.stream, valve);
        }
        self.hold_back(held)
    }
}

/// Works on what has just come, as far as the call's organisation may now.
fn work_at_once(
    exchange: &mut Exchange,
    (host, shared): (&impl Host, &Shared),
    work: impl FnOnce(&mut Exchange, &mut Turn) -> ChunkDecision,
) -> ChunkDecision {
    let Some(organisation) = exchange.organisation() else {
        return ChunkDecision::Cut;
    };
    let work = |turn: &mut Turn| work(exchange, turn);
    shared.turns.at_once(organisation, host, work)
}
