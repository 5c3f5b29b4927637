//! The response's half of a call.

use std::cell::Cell;

use requestrocket_policy::{
    denial::Denial,
    effort::{TURN_STEPS, Turn},
    exchange::{BodySearch, BodyUse, ChunkDecision, Exchange, ResponseDecision, ResponseEdit},
    http::{HeaderLine, ResponseHead},
};

use super::{
    Call, CallPorts, Flow, Progress, Shared,
    notes::{keep_end, keep_outcome},
};
use crate::{
    counters::Inquiry,
    host::{Host, HostFailure, ResponsePart},
};

/// What of the response's body the exchange wants to see, and how far that is.
#[derive(Debug)]
pub(super) struct ResponseState {
    pub(super) body: BodyUse,
    /// The caller has no head yet, so there can still be another answer.
    pub(super) is_head_held: bool,
    /// What passes is searched.
    pub(super) is_searched: bool,
    pub(super) worked: Worked,
    /// Envoy holds what came, at the valve.
    pub(super) is_held_back: bool,
    /// How much of that has bytes in its buffer.
    pub(super) held_bytes: usize,
    #[cfg(feature = "bench-buffering")]
    pub(super) held: Vec<u8>,
}

/// What is to be done with the bytes that the valve lets through next.
#[derive(Debug, Default)]
pub(super) enum Worked {
    /// It did not see them: they are of an answer that was made behind it.
    #[default]
    Nothing,
    /// They pass as they are.
    Pass,
    /// These pass in their place, and with these edits the head if it is still held.
    Replace(Vec<u8>, Vec<ResponseEdit>),
    /// They are dropped, and the head is held on.
    Drop,
}

/// What came of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// There is more to be done.
    Waits,
    /// The request is let through.
    Forwarded,
    /// What is held back of the response may go on.
    Done,
    /// Nothing is left to go on with.
    Over,
}

/// A part of a response's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Bytes in Envoy's buffer.
    pub size: usize,
    /// Nothing follows.
    pub is_end: bool,
}

impl Call {
    /// The call whose response comes on a stream that is not remembered, if it is one that was
    /// forgotten after it was forwarded. Envoy itself passes most of their responses.
    pub fn forgotten(host: &impl Host, shared: &Shared, stream: u32) -> Option<Self> {
        let exchange = Exchange::forgotten(shared.policies.of_route(host))?;
        Some(Self {
            stream,
            progress: Progress::Forwarded(exchange),
        })
    }

    /// A response's head has arrived, the target's or one that Envoy made; `is_end` when there is
    /// no body.
    pub fn on_response_head(&mut self, host: &impl Host, shared: &Shared, is_end: bool) -> Flow {
        // Only answers that Envoy makes itself come before the request was decided.
        let mut exchange = match std::mem::take(&mut self.progress) {
            Progress::Forwarded(exchange) => exchange,
            // The answer in its place; what the region server says passes as it is.
            Progress::Over | Progress::HandedOver => {
                self.progress = Progress::Done;
                return Flow::Continue;
            }
            other @ (Progress::Fresh
            | Progress::Waiting(_)
            | Progress::Answering(..)
            | Progress::Valve(_)
            | Progress::Try(_)
            | Progress::Done) => {
                self.progress = other;
                return Flow::Continue;
            }
        };
        let head = HostResponseHead {
            host,
            has_failed: Cell::new(false),
        };
        let ports = CallPorts::new(host, &shared.counters, Inquiry::NONE);
        let decision = exchange.on_response_head(&head, is_end, &ports);
        keep_outcome(host, &mut exchange);
        // What the engine took for a missing header may be there.
        if head.has_failed.get() {
            return self.refuse(host, &Denial::GatewayFault.into());
        }
        if let Some(token) = exchange.refused_token() {
            shared.refused.tell(host, token);
        }
        match decision {
            ResponseDecision::Refuse(refusal) => self.refuse(host, &refusal),
            ResponseDecision::Forward(edits, body) => {
                if edits.iter().any(|edit| apply(host, edit).is_err()) {
                    return self.refuse(host, &Denial::GatewayFault.into());
                }
                self.forward_head(exchange, body, is_end)
            }
        }
    }

    fn forward_head(&mut self, exchange: Exchange, body: BodyUse, is_end: bool) -> Flow {
        let search = exchange.body_search();
        let is_head_held = body == BodyUse::Rewrite || search == Some(BodySearch::HeadAndParts);
        if body == BodyUse::Unused && (is_end || search.is_none()) {
            self.progress = Progress::Done;
            return Flow::Continue;
        }
        let state = ResponseState {
            body,
            is_head_held,
            is_searched: exchange.searches_body(),
            worked: Worked::Nothing,
            is_held_back: false,
            held_bytes: 0,
            #[cfg(feature = "bench-buffering")]
            held: Vec::new(),
        };
        self.progress = Progress::Answering(Box::new(exchange), state);
        if is_head_held {
            Flow::AwaitBody
        } else {
            Flow::Continue
        }
    }

    /// Whether the target has answered and the caller has nothing of that.
    pub(super) fn is_head_held(&self) -> bool {
        match &self.progress {
            Progress::Answering(_, state) => state.is_head_held,
            Progress::Fresh
            | Progress::Waiting(_)
            | Progress::HandedOver
            | Progress::Forwarded(_)
            | Progress::Valve(_)
            | Progress::Try(_)
            | Progress::Over
            | Progress::Done => false,
        }
    }

    /// A part of the response's body has arrived, worked on as far as it is to be.
    pub fn on_response_body(&mut self, host: &impl Host, shared: &Shared, chunk: Chunk) -> Flow {
        if matches!(self.progress, Progress::Over) {
            return Self::drop_part(host);
        }
        let Progress::Answering(exchange, state) = &mut self.progress else {
            return Flow::Continue;
        };
        #[cfg(feature = "bench-buffering")]
        if state.body == BodyUse::Rewrite {
            return state.on_held_body(host, chunk);
        }
        let worked = match std::mem::take(&mut state.worked) {
            Worked::Nothing => {
                let ports = CallPorts::new(host, &shared.counters, Inquiry::NONE);
                let decision = decide(exchange, state, (host, chunk), &ports);
                keep_outcome(host, exchange);
                match decision {
                    ChunkDecision::Pass => Worked::Pass,
                    ChunkDecision::Replace(bytes, edits) => Worked::Replace(bytes, edits),
                    ChunkDecision::Wait => Worked::Drop,
                    ChunkDecision::Refuse(refusal) => return self.refuse(host, &refusal),
                    // Without a valve there is nobody who holds back what waits for its turn.
                    ChunkDecision::Later | ChunkDecision::Cut => {
                        keep_end(host, exchange);
                        return Self::cut(host);
                    }
                }
            }
            worked @ (Worked::Pass | Worked::Replace(..) | Worked::Drop) => worked,
        };
        let done = match worked {
            Worked::Nothing | Worked::Pass => return self.pass(host, shared, chunk),
            Worked::Replace(bytes, edits) => {
                state.is_head_held = false;
                let edited = edits.iter().try_for_each(|edit| apply(host, edit));
                edited
                    .and_then(|()| host.replace_response_chunk(&bytes))
                    .map(|()| Flow::Continue)
            }
            Worked::Drop => host.replace_response_chunk(&[]).map(|()| Flow::HeldBack),
        };
        done.unwrap_or_else(|HostFailure| Self::cut(host))
    }

    /// The response's body ended, and trailers follow it.
    pub fn on_response_trailers(&mut self, host: &impl Host, shared: &Shared) -> Flow {
        if matches!(self.progress, Progress::Over) {
            return Flow::Held;
        }
        let Progress::Answering(_, state) = &mut self.progress else {
            return Flow::Continue;
        };
        let edited = match std::mem::take(&mut state.worked) {
            // Lines of a head that is held can still be put.
            Worked::Replace(bytes, edits) if bytes.is_empty() => {
                edits.iter().try_for_each(|edit| apply(host, edit))
            }
            // The buffer may be gone, and Envoy 1.40 would write to where it was.
            Worked::Replace(..) | Worked::Drop => Err(HostFailure),
            Worked::Nothing | Worked::Pass => Ok(()),
        };
        let passed = edited.and_then(|()| self.pass_trailers(host, shared));
        passed.map_or_else(|HostFailure| Self::reset(host), |()| Flow::Continue)
    }

    /// Ends the response so that the caller sees that it is not whole. Nothing more of it passes.
    pub(super) fn cut(host: &impl Host) -> Flow {
        Self::drop_part(host);
        Self::reset(host)
    }

    /// The bytes at hand are dropped whether or not Envoy takes them out.
    pub(super) fn drop_part(host: &impl Host) -> Flow {
        if host.replace_response_chunk(&[]).is_err() {
            host.warn("a cut response could not be drained");
        }
        Flow::Dropped
    }

    pub(super) fn reset(host: &impl Host) -> Flow {
        if host.reset().is_err() {
            host.warn("a response could not be cut");
        }
        Flow::Dropped
    }
}

/// Decides a part of a body that no valve saw: Envoy makes short ones itself.
fn decide(
    exchange: &mut Exchange,
    state: &ResponseState,
    (host, chunk): (&impl Host, Chunk),
    ports: &CallPorts<'_, impl Host>,
) -> ChunkDecision {
    // What was held back to be searched again is seen already.
    let held = exchange.searched_and_held();
    match state.body {
        BodyUse::Unused => ChunkDecision::Pass,
        BodyUse::Size => exchange.on_response_size(chunk.size.saturating_sub(held)),
        BodyUse::Bytes | BodyUse::Rewrite => match host.response_chunk(chunk.size) {
            Ok(bytes) => {
                let turn = &mut Turn::of(TURN_STEPS);
                let new = bytes.get(held..).unwrap_or_default();
                exchange.on_response_chunk((new, chunk.is_end), turn, ports)
            }
            Err(HostFailure) => unreadable(state),
        },
    }
}

/// The host does not give a part of a body.
pub(super) fn unreadable(state: &ResponseState) -> ChunkDecision {
    if state.is_head_held {
        ChunkDecision::Refuse(Denial::GatewayFault.into())
    } else {
        ChunkDecision::Cut
    }
}

pub(super) fn apply(host: &impl Host, edit: &ResponseEdit) -> Result<(), HostFailure> {
    match edit {
        ResponseEdit::PutLines(name, lines) => {
            host.put_response_lines(ResponsePart::Head, name, lines)
        }
        ResponseEdit::SetHeader(name, value) => host.set_response_header(name, value.as_bytes()),
        ResponseEdit::RemoveHeader(name) => host.remove_response_header(name),
    }
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

    fn lines(&self, look: &mut dyn FnMut(&[HeaderLine<'_>])) {
        let shown = self.host.response_lines(ResponsePart::Head);
        let shown = shown.and_then(|map| map.lines().map(|lines| look(&lines)));
        if shown.is_err() {
            self.has_failed.set(true);
        }
    }

    fn is_switch_asked(&self) -> bool {
        self.host.is_switch_asked().unwrap_or_else(|HostFailure| {
            self.has_failed.set(true);
            false
        })
    }
}
