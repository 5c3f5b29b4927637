//! What is done between calls: at every tick, and five times a second.

use requestrocket_policy::effort::{TURN_STEPS, Turn};

use super::Vm;
use crate::{
    abi,
    compiling::STEP_MS,
    counters::TICK_MS,
    driver::{Call, Ending, Shared, TICKS_PER_LOOK, Turned},
    host::Shared as _,
    proxy_wasm_host::ProxyWasmHost,
};

/// How often there is a turn while bodies wait to be worked on.
const TURN_MS: u32 = 1;

/// What the host is asked for in a tick, of what it does after that: replies and streams that go on.
/// It does one in the course of the other, as deep as there are many.
pub(super) const MAX_DEFERRED: usize = 32;

/// Ticks of the house between two looks for streams that have ended.
const TICKS_PER_SWEEP: u32 = 2;

impl Vm {
    pub(crate) fn on_tick(&self, root: u32) {
        let Some(shared) = &self.shared else {
            return;
        };
        let now_ms = ProxyWasmHost.now_ms().ok();
        let mut room = MAX_DEFERRED;
        if self.pace.step.is_due(now_ms) {
            self.compile(shared, &mut room);
        }
        if self.pace.house.is_due(now_ms) {
            self.keep_house(root, shared, &mut room);
        }
        // Before the turn, which so lets nothing through of a call that ends.
        self.end_what_is_due(shared, &mut room);
        self.work_for_a_turn(shared, &mut room);
        self.keep_pace(shared);
    }

    /// Has ticks come as often as what waits wants it.
    pub(super) fn keep_pace(&self, shared: &Shared) {
        let is_compiling = !shared.policies.are_idle() || !self.resumable.borrow().is_empty();
        let period_ms = if !shared.turns.is_empty() || shared.open.is_any_due() {
            TURN_MS
        } else if is_compiling {
            STEP_MS
        } else {
            TICK_MS
        };
        if self.pace.is_another(period_ms) && abi::set_tick_period(period_ms).is_err() {
            ProxyWasmHost.warn("the period of ticks could not be set");
        }
    }

    fn keep_house(&self, root: u32, shared: &Shared, room: &mut usize) {
        // What could not be told now is told on the next tick.
        let _untold = shared.counters.tick(&ProxyWasmHost);
        let metered = shared.counters.take_metered();
        let _untold = shared.usage.tick(&ProxyWasmHost, metered);
        self.go_on_with_checks(shared, room);
        self.go_on_with_other_tokens(shared, room);
        let ticks = self.ticks.get().wrapping_add(1);
        self.ticks.set(ticks);
        if ticks.is_multiple_of(TICKS_PER_SWEEP) {
            self.look_after_quiet_calls(shared, room);
        }
        if ticks.is_multiple_of(TICKS_PER_LOOK) {
            // What could not be looked at now is looked at a second later.
            let _unseen = shared.open.look_for_late(&ProxyWasmHost);
            let _unasked = shared.open.look(&ProxyWasmHost, root);
        }
    }

    /// Goes on with calls that waited for newer keys, or for what the server of their token says.
    pub(super) fn go_on_with_checks(&self, shared: &Shared, room: &mut usize) {
        let mut streams = shared.keys.due(&ProxyWasmHost, *room);
        *room -= streams.len();
        let more = shared.opaque.due(&ProxyWasmHost, *room);
        *room -= more.len();
        streams.extend(more);
        for stream in streams {
            self.resume(stream, |call| call.on_newer_keys(&ProxyWasmHost, shared));
        }
    }

    /// Goes on with tries that waited for another token.
    pub(super) fn go_on_with_other_tokens(&self, shared: &Shared, room: &mut usize) {
        let streams = shared.refused.due(&ProxyWasmHost, *room);
        *room -= streams.len();
        for stream in streams {
            if !ProxyWasmHost.enter(stream) {
                continue;
            }
            let Some(tried) = self.take(stream) else {
                continue;
            };
            let refused = tried.refused_stream();
            self.keep(stream, tried);
            if let Some(mut call) = refused.and_then(|stream| self.take(stream)) {
                call.on_another_token(&ProxyWasmHost, shared);
                self.keep(call.stream(), call);
            }
            continue_request();
        }
    }

    /// Goes on with policies that calls wait for, and with those calls.
    fn compile(&self, shared: &Shared, room: &mut usize) {
        let compiled = shared.policies.compile_some(&ProxyWasmHost);
        self.resumable.borrow_mut().add(compiled);
        let streams = self.resumable.borrow_mut().some();
        *room = room.saturating_sub(streams.len());
        for stream in streams {
            self.resume(stream, |call| call.on_policy(&ProxyWasmHost, shared));
        }
    }

    /// Goes on with bodies that are much work, one organisation after another.
    fn work_for_a_turn(&self, shared: &Shared, room: &mut usize) {
        let mut turn = Turn::of(TURN_STEPS);
        while turn.left() > 0
            && *room > 0
            && let Some(stream) = shared.turns.next()
        {
            let turned = self.work_on(stream, shared, &mut turn);
            let valve = shared.turns.took(turned != Turned::Waits);
            *room -= usize::from(turned != Turned::Waits);
            match turned {
                Turned::Forwarded => continue_request(),
                // What is held back is held on the valve's stream, not on the call's.
                Turned::Done if valve.is_some_and(|valve| ProxyWasmHost.enter(valve)) => {
                    continue_response();
                }
                Turned::Waits | Turned::Done | Turned::Over => {}
            }
        }
    }

    fn work_on(&self, stream: u32, shared: &Shared, turn: &mut Turn) -> Turned {
        let is_there = ProxyWasmHost.enter(stream);
        let Some(mut call) = self.take(stream) else {
            return Turned::Over;
        };
        if !is_there {
            call.on_end(&ProxyWasmHost, shared);
            return Turned::Over;
        }
        let turned = call.on_turn(&ProxyWasmHost, shared, turn);
        self.keep(stream, call);
        turned
    }

    /// Ends those whose stream has ended, and those that keep us waiting for too long.
    fn look_after_quiet_calls(&self, shared: &Shared, room: &mut usize) {
        let quiet = self.calls.borrow_mut().quiet();
        for stream in quiet {
            // The others are found again.
            if *room == 0 {
                return;
            }
            let is_there = ProxyWasmHost.enter(stream);
            let Some(mut call) = self.take(stream) else {
                continue;
            };
            if is_there {
                *room -= usize::from(call.on_silence(&ProxyWasmHost, shared));
                self.keep(stream, call);
            } else {
                call.on_end(&ProxyWasmHost, shared);
            }
        }
    }

    /// Ends calls that were let through and may not go on, those that are still there.
    fn end_what_is_due(&self, shared: &Shared, room: &mut usize) {
        let due = shared.open.due(&ProxyWasmHost, *room);
        *room -= due.len();
        for Ending { stream, denial } in due {
            if ProxyWasmHost.enter(stream) {
                let call = self.take(stream);
                // A forgotten call is not kept, but its stream is there.
                let call = call.map_or_else(|| Call::new(stream), |call| *call);
                let rest = call.end(&ProxyWasmHost, shared, denial);
                self.keep(stream, Box::new(rest));
            }
        }
    }
}

/// Of the stream that was entered last.
pub(super) fn continue_request() {
    if abi::continue_request().is_err() {
        ProxyWasmHost.warn("a held request could not be continued");
    }
}

fn continue_response() {
    if abi::continue_response().is_err() {
        ProxyWasmHost.warn("a held response could not be continued");
    }
}
