//! A module instance: the calls that are under way, and what they share.

mod ticks;

use std::cell::{Cell, RefCell};

use requestrocket_policy::envelope::KeyRing;

use crate::{
    abi,
    cache::Room,
    calls::Calls,
    compiling::Resumable,
    counters::{Answered, Counters},
    driver::{
        Call, Flow, NewerKeys, Notes, OpaqueTokens, OpenCalls, Policies, RefusedTokens, Rooms,
        Shared,
    },
    host::Shared as _,
    pace::Pace,
    proxy_wasm_host::ProxyWasmHost,
    turns::Turns,
    usage::Usage,
};

/// The environment variable with the region's key ring.
const KEYS_VARIABLE: &str = "REQUESTROCKET_REGION_KEYS";
/// The environment variable with the number of Envoy's workers.
const WORKERS_VARIABLE: &str = "REQUESTROCKET_WORKERS";
/// What a VM keeps: of policies, which are a few KB each as a rule, 16,384 or 31 of the heaviest.
const ROOMS: Rooms = Rooms {
    admissions: Room {
        bytes: 64 << 20,
        entry_bytes: 2 << 10,
    },
    policies: Room {
        bytes: 256 << 20,
        entry_bytes: 16 << 10,
    },
};

/// A module instance; it has one thread.
pub(crate) struct Vm {
    shared: Option<Shared>,
    /// Never borrowed during a call of the host, which may call back.
    calls: RefCell<Calls>,
    ticks: Cell<u32>,
    pace: Pace,
    /// Never borrowed during a call of the host, either.
    resumable: RefCell<Resumable>,
}

impl Vm {
    /// Whether calls can be served.
    pub(crate) fn has_started(&self) -> bool {
        self.shared.is_some()
    }

    pub(crate) fn new() -> Self {
        let keys = region_keys();
        if keys.is_none() {
            ProxyWasmHost.warn(&format!(
                "no usable keys in {KEYS_VARIABLE}: every call is refused"
            ));
        }
        let counters = Counters::start(&ProxyWasmHost);
        if counters.is_err() {
            ProxyWasmHost.warn("counters cannot be shared: the filter does not start");
        }
        Self {
            shared: counters.ok().map(|counters| Shared {
                policies: Policies::new(keys, ROOMS),
                counters,
                turns: Turns::default(),
                open: OpenCalls::of_workers(workers()),
                tokens: RefCell::default(),
                notes: Notes::start(&ProxyWasmHost),
                keys: NewerKeys::default(),
                opaque: OpaqueTokens::default(),
                refused: RefusedTokens::default(),
                usage: Usage::start(&ProxyWasmHost),
            }),
            calls: RefCell::default(),
            ticks: Cell::new(0),
            pace: Pace::default(),
            resumable: RefCell::default(),
        }
    }

    pub(crate) fn on_request_head(&self, stream: u32, is_end: bool) -> Flow {
        // A VM that did not start serves nobody.
        let Some(shared) = &self.shared else {
            return Flow::AwaitAnswer;
        };
        let mut call = Box::new(Call::new(stream));
        let mut flow = call.on_request_head(&ProxyWasmHost, shared, is_end);
        let refused = call.refused_stream();
        self.keep(stream, call);
        if let Some(mut call) = refused.and_then(|stream| self.take(stream)) {
            flow = call.on_another_try(&ProxyWasmHost, shared, stream);
            self.keep(call.stream(), call);
        }
        // It may wait for its policy, which is compiled at ticks.
        if flow == Flow::AwaitAnswer {
            self.keep_pace(shared);
        }
        flow
    }

    pub(crate) fn on_response_head(&self, stream: u32, is_end: bool) -> Flow {
        let forgotten = || {
            let shared = self.shared.as_ref()?;
            Call::forgotten(&ProxyWasmHost, shared, stream).map(Box::new)
        };
        let call = self.take(stream).or_else(forgotten);
        self.go_on(stream, call, |call, shared| {
            call.on_response_head(&ProxyWasmHost, shared, is_end)
        })
    }

    /// Runs a callback of a call that still matters; others go on.
    pub(crate) fn on(
        &self,
        stream: u32,
        callback: impl FnOnce(&mut Call, &Shared) -> Flow,
    ) -> Flow {
        self.go_on(stream, self.take(stream), callback)
    }

    /// As [`Vm::on`], for what may be about a valve: then that is for the call that it belongs to.
    pub(crate) fn on_response(
        &self,
        stream: u32,
        callback: impl FnOnce(&mut Call, &Shared) -> Flow,
        at_valve: impl FnOnce(&mut Call, &Shared) -> Flow,
    ) -> Flow {
        let call = self.take(stream);
        let Some(valve_of) = call.as_ref().and_then(|call| call.valve_of()) else {
            return self.go_on(stream, call, callback);
        };
        if let Some(valve) = call {
            self.keep(stream, valve);
        }
        self.on(valve_of, at_valve)
    }

    fn go_on(
        &self,
        stream: u32,
        call: Option<Box<Call>>,
        callback: impl FnOnce(&mut Call, &Shared) -> Flow,
    ) -> Flow {
        let (Some(shared), Some(mut call)) = (&self.shared, call) else {
            return Flow::Continue;
        };
        let flow = callback(&mut call, shared);
        self.keep(stream, call);
        self.keep_pace(shared);
        flow
    }

    pub(crate) fn on_answer(&self, token: u32, size: Option<usize>) {
        let Some(shared) = &self.shared else {
            return;
        };
        let message = size.map(|size| abi::buffer(abi::BufferType::GrpcMessage, size));
        let message = message.and_then(Result::ok);
        // Envoy says no more than the token: each part knows those under which it asked.
        if shared.open.on_answer(token, message.as_deref()) {
            self.keep_pace(shared);
            return;
        }
        if shared.usage.on_answer(token, message.as_deref()) {
            return;
        }
        if shared
            .keys
            .on_answer(&ProxyWasmHost, token, message.as_deref())
            || shared
                .opaque
                .on_answer(&ProxyWasmHost, token, message.as_deref())
        {
            let mut room = ticks::MAX_DEFERRED;
            self.go_on_with_checks(shared, &mut room);
            return;
        }
        if shared
            .refused
            .on_answer(&ProxyWasmHost, token, message.as_deref())
        {
            let mut room = ticks::MAX_DEFERRED;
            self.go_on_with_other_tokens(shared, &mut room);
            return;
        }
        let answered = match message {
            Some(bytes) => shared.counters.on_answer(&ProxyWasmHost, token, &bytes),
            None => shared.counters.on_failure(&ProxyWasmHost, token),
        };
        if let Some(Answered { stream, asked }) = answered {
            self.resume(stream, |call| call.on_answer(&ProxyWasmHost, shared, asked));
        }
    }

    /// Goes on with a call that was held, if it is still there.
    fn resume(&self, stream: u32, callback: impl FnOnce(&mut Call) -> Flow) {
        let Some(mut call) = self.take(stream) else {
            return;
        };
        if !ProxyWasmHost.enter(stream) {
            return;
        }
        let flow = callback(&mut call);
        self.keep(stream, call);
        if flow == Flow::Continue {
            ticks::continue_request();
        }
    }

    pub(crate) fn on_request_part(&self, stream: u32, size: usize) {
        if let Some(shared) = &self.shared {
            shared.open.on_request_part(stream, size);
        }
    }

    pub(crate) fn on_request_end(&self, stream: u32) {
        if let Some(shared) = &self.shared {
            shared.open.on_request_end(stream);
        }
    }

    fn keep(&self, stream: u32, call: Box<Call>) {
        self.calls.borrow_mut().keep(stream, call);
    }

    fn take(&self, stream: u32) -> Option<Box<Call>> {
        self.calls.borrow_mut().take(stream)
    }
}

fn workers() -> Option<u32> {
    std::env::var_os(WORKERS_VARIABLE)?.to_str()?.parse().ok()
}

fn region_keys() -> Option<KeyRing> {
    let text = std::env::var_os(KEYS_VARIABLE)?;
    text.to_str()?.parse().ok()
}
