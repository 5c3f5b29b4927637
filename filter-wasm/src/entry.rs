//! What Envoy calls, and nothing else: it makes only the calls that the module exports, and each
//! costs every request. So there is no SDK here, which would export them all.

#![expect(
    unsafe_code,
    reason = "exports carry the names that the host looks for"
)]

use std::cell::{Cell, RefCell};

use requestrocket_policy::{
    effort::{TURN_STEPS, Turn},
    envelope::KeyRing,
};

use crate::{
    abi,
    cache::Room,
    calls::Calls,
    counters::{Answered, Counters, TICK_MS},
    driver::{Call, Chunk, Ending, Flow, OpenCalls, Policies, Shared, TICKS_PER_LOOK, Turned},
    host::Shared as _,
    proxy_wasm_host::ProxyWasmHost,
    turns::Turns,
};

/// The environment variable with the region's key ring.
const KEYS_VARIABLE: &str = "REQUESTROCKET_REGION_KEYS";
/// Compiled policies a VM keeps: a few KB each as a rule, and at least 32 of the heaviest.
const CACHE_ROOM: Room = Room {
    policies: 16_384,
    weight: 256 << 20,
};

/// How often there is a turn while work waits.
const TURN_PERIOD_MS: u32 = 1;

/// Ticks between two looks for streams that have ended.
const TICKS_PER_SWEEP: u32 = 2;

/// Answers to the host. Under proxy-wasm's names for them: continue; hold a head and let the body
/// come, or hold body bytes in Envoy's buffer; hold them and, when they are many, read no more; hold
/// nothing, the bytes were taken; hold all until the stream is continued.
const CONTINUE: u32 = 0;
const STOP_ITERATION: u32 = 1;
const STOP_WATERMARK: u32 = 2;
const STOP_NO_BUFFER: u32 = 3;
const STOP_ALL: u32 = 4;
const STARTED: u32 = 1;
const NOT_STARTED: u32 = 0;

/// A module instance; it has one thread.
struct Vm {
    shared: Option<Shared>,
    /// Never borrowed during a call of the host, which may call back.
    calls: RefCell<Calls>,
    ticks: Cell<u32>,
    /// Unix time in milliseconds when the counters last had their tick.
    counted_at_ms: Cell<u64>,
    /// Of ticks.
    period_ms: Cell<u32>,
}

thread_local! {
    static VM: Vm = Vm::new();
}

unsafe extern "C" {
    /// Runs what the C library must have run before anything else.
    fn __wasm_call_ctors();
}

/// The host's first call.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    // SAFETY: made by the linker; called once, before all other code of the module.
    unsafe { __wasm_call_ctors() };
}

/// Says which ABI this is.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Memory for a value that the host returns; `abi` takes it over as a boxed slice.
///
/// Without memory for it there is none: the host then answers the call that wanted the value with
/// an error, and only that stream's call ends. Room beyond the size would be another length than
/// `abi` takes over, so exactly that is reserved.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    let mut value: Vec<u8> = Vec::new();
    if value.try_reserve_exact(size).is_err() {
        return std::ptr::null_mut();
    }
    value.resize(size, 0);
    Box::into_raw(value.into_boxed_slice()).cast()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_root: u32, _configuration_size: usize) -> u32 {
    // Missing keys are reported when Envoy starts, not when the first caller comes.
    let is_counting = VM.with(|vm| vm.shared.is_some());
    if is_counting && abi::set_tick_period(TICK_MS).is_ok() {
        STARTED
    } else {
        NOT_STARTED
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(root: u32) {
    VM.with(|vm| vm.on_tick(root));
}

/// The region server answered; the message is there during this call only.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_grpc_receive(_root: u32, token: u32, size: usize) {
    VM.with(|vm| vm.on_answer(token, Some(size)));
}

/// A call to the region server failed.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_grpc_close(_root: u32, token: u32, _status: u32) {
    VM.with(|vm| vm.on_answer(token, None));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(stream: u32, _lines: usize, is_end: u32) -> u32 {
    #[cfg(feature = "trap-header")]
    trap_if_asked();
    VM.with(|vm| match vm.on_request_head(stream, is_end != 0) {
        // The body is held too, so that it is not asked about before the answer.
        Flow::AwaitAnswer => STOP_ALL,
        flow => status(flow),
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_body(stream: u32, size: usize, is_end: u32) -> u32 {
    let is_end = is_end != 0;
    VM.with(|vm| {
        vm.on_request_part(stream, size);
        if is_end {
            vm.on_request_end(stream);
        }
        vm.on(stream, |call, shared| {
            call.on_request_body(&ProxyWasmHost, shared, (size, is_end))
        })
    })
}

/// The body is complete; the host holds all of it.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(stream: u32, _lines: usize) -> u32 {
    VM.with(|vm| {
        vm.on_request_end(stream);
        vm.on(stream, |call, shared| {
            call.on_request_trailers(&ProxyWasmHost, shared)
        })
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(stream: u32, _lines: usize, is_end: u32) -> u32 {
    VM.with(|vm| vm.on_response_head(stream, is_end != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_body(stream: u32, size: usize, is_end: u32) -> u32 {
    let chunk = Chunk {
        size,
        is_end: is_end != 0,
    };
    VM.with(|vm| {
        vm.on_response(
            stream,
            |call, shared| call.on_response_body(&ProxyWasmHost, shared, chunk),
            |call, shared| call.on_valve_body((&ProxyWasmHost, shared), stream, chunk),
        )
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_trailers(stream: u32, _lines: usize) -> u32 {
    VM.with(|vm| {
        vm.on_response(
            stream,
            |call, _| call.on_response_trailers(&ProxyWasmHost),
            |call, shared| call.on_valve_trailers((&ProxyWasmHost, shared), stream),
        )
    })
}

impl Vm {
    fn new() -> Self {
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
                policies: Policies::new(keys, CACHE_ROOM),
                counters,
                turns: Turns::default(),
                open: OpenCalls::default(),
            }),
            calls: RefCell::default(),
            ticks: Cell::new(0),
            counted_at_ms: Cell::new(0),
            period_ms: Cell::new(TICK_MS),
        }
    }

    fn on_tick(&self, root: u32) {
        if let Some(shared) = &self.shared {
            self.work_for_a_turn(shared);
            if self.is_time_to_count() {
                self.keep_house(root, shared);
            }
            self.set_pace(shared);
        }
    }

    /// What is done five times a second, whatever there is to be done between.
    fn keep_house(&self, root: u32, shared: &Shared) {
        // What could not be told now is told on the next tick.
        let _untold = shared.counters.tick(&ProxyWasmHost);
        let ticks = self.ticks.get().wrapping_add(1);
        self.ticks.set(ticks);
        if ticks.is_multiple_of(TICKS_PER_SWEEP) {
            self.look_after_quiet_calls(shared);
        }
        if ticks.is_multiple_of(TICKS_PER_LOOK) {
            // What could not be looked at now is looked at a second later.
            let _unseen = shared.open.look_for_late(&ProxyWasmHost);
            let _unasked = shared.open.look(&ProxyWasmHost, root);
        }
        self.end_what_is_due(shared);
    }

    /// While there is work that waits, ticks come more often than there is something to be told.
    fn is_time_to_count(&self) -> bool {
        let Ok(now_ms) = ProxyWasmHost.now_ms() else {
            return true;
        };
        let is_time = now_ms.abs_diff(self.counted_at_ms.get()) >= TICK_MS.into();
        if is_time {
            self.counted_at_ms.set(now_ms);
        }
        is_time
    }

    /// Has ticks come as often as the work that waits wants it.
    fn set_pace(&self, shared: &Shared) {
        let period_ms = match shared.turns.is_empty() {
            true => TICK_MS,
            false => TURN_PERIOD_MS,
        };
        if self.period_ms.replace(period_ms) != period_ms
            && abi::set_tick_period(period_ms).is_err()
        {
            ProxyWasmHost.warn("the pace of ticks could not be set");
        }
    }

    /// Goes on with bodies that are much work, one organisation after another.
    fn work_for_a_turn(&self, shared: &Shared) {
        let mut turn = Turn::of(TURN_STEPS);
        while turn.left() > 0
            && let Some(stream) = shared.turns.next()
        {
            let turned = self.work_on(stream, shared, &mut turn);
            let valve = shared.turns.took(turned != Turned::Waits);
            if turned == Turned::Done && valve.is_some_and(|valve| ProxyWasmHost.enter(valve)) {
                continue_response();
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
    fn look_after_quiet_calls(&self, shared: &Shared) {
        let quiet = self.calls.borrow_mut().quiet();
        for stream in quiet {
            let is_there = ProxyWasmHost.enter(stream);
            let Some(mut call) = self.take(stream) else {
                continue;
            };
            if is_there {
                call.on_silence(&ProxyWasmHost);
                self.keep(stream, call);
            } else {
                call.on_end(&ProxyWasmHost, shared);
            }
        }
    }

    fn on_request_head(&self, stream: u32, is_end: bool) -> Flow {
        // A VM that did not start serves nobody.
        let Some(shared) = &self.shared else {
            return Flow::AwaitAnswer;
        };
        let mut call = Box::new(Call::new(stream));
        let flow = call.on_request_head(&ProxyWasmHost, shared, is_end);
        self.keep(stream, call);
        flow
    }

    fn on_response_head(&self, stream: u32, is_end: bool) -> u32 {
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
    fn on(&self, stream: u32, callback: impl FnOnce(&mut Call, &Shared) -> Flow) -> u32 {
        self.go_on(stream, self.take(stream), callback)
    }

    /// As [`Vm::on`], for what may be about a valve: then that is for the call that it belongs to.
    fn on_response(
        &self,
        stream: u32,
        callback: impl FnOnce(&mut Call, &Shared) -> Flow,
        at_valve: impl FnOnce(&mut Call, &Shared) -> Flow,
    ) -> u32 {
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
    ) -> u32 {
        let (Some(shared), Some(mut call)) = (&self.shared, call) else {
            return CONTINUE;
        };
        let flow = callback(&mut call, shared);
        self.keep(stream, call);
        self.set_pace(shared);
        status(flow)
    }

    fn on_answer(&self, token: u32, size: Option<usize>) {
        let Some(shared) = &self.shared else {
            return;
        };
        let message = size.map(|size| abi::buffer(abi::BufferType::GrpcMessage, size));
        let message = message.and_then(Result::ok);
        if shared.open.on_answer(token, message.as_deref()) {
            self.end_what_is_due(shared);
            return;
        }
        let answered = match message {
            Some(bytes) => shared.counters.on_answer(&ProxyWasmHost, token, &bytes),
            None => shared.counters.on_failure(&ProxyWasmHost, token),
        };
        if let Some(answered) = answered {
            self.resume(answered, shared);
        }
    }

    /// Goes on with a call that waited for the region server, if it is still there.
    fn resume(&self, Answered { stream, asked }: Answered, shared: &Shared) {
        let Some(mut call) = self.take(stream) else {
            return;
        };
        if !ProxyWasmHost.enter(stream) {
            return;
        }
        let flow = call.on_answer(&ProxyWasmHost, shared, asked);
        self.keep(stream, call);
        if flow == Flow::Continue && abi::continue_request().is_err() {
            ProxyWasmHost.warn("a held request could not be continued");
        }
    }

    fn on_request_part(&self, stream: u32, size: usize) {
        if let Some(shared) = &self.shared {
            shared.open.on_request_part(stream, size);
        }
    }

    fn on_request_end(&self, stream: u32) {
        if let Some(shared) = &self.shared {
            shared.open.on_request_end(stream);
        }
    }

    /// Ends calls that were let through and may not go on, those that are still there.
    fn end_what_is_due(&self, shared: &Shared) {
        for Ending { stream, denial } in shared.open.due(&ProxyWasmHost) {
            if ProxyWasmHost.enter(stream) {
                let call = self.take(stream);
                let call = call.map_or_else(|| Call::new(stream), |call| *call);
                call.end(&ProxyWasmHost, shared, denial);
            }
        }
    }

    fn keep(&self, stream: u32, call: Box<Call>) {
        self.calls.borrow_mut().keep(stream, call);
    }

    fn take(&self, stream: u32) -> Option<Box<Call>> {
        self.calls.borrow_mut().take(stream)
    }
}

fn continue_response() {
    if abi::continue_response().is_err() {
        ProxyWasmHost.warn("a held response could not be continued");
    }
}

fn status(flow: Flow) -> u32 {
    match flow {
        Flow::Continue => CONTINUE,
        Flow::AwaitBody | Flow::AwaitAnswer | Flow::Ended => STOP_ITERATION,
        Flow::Held => STOP_ITERATION,
        Flow::HeldBack => STOP_WATERMARK,
        Flow::Dropped => STOP_NO_BUFFER,
    }
}

fn region_keys() -> Option<KeyRing> {
    let text = std::env::var_os(KEYS_VARIABLE)?;
    text.to_str()?.parse().ok()
}

#[cfg(feature = "trap-header")]
fn trap_if_asked() {
    use crate::abi::{MapType, header};
    if let Ok(Some(_)) = header(MapType::RequestHeaders, "rr-test-trap") {
        std::process::abort();
    }
}
