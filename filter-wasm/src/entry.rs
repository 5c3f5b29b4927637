//! What Envoy calls, and nothing else: it makes only the calls that the module exports, and each
//! costs every request. So there is no SDK here, which would export them all.

#![expect(
    unsafe_code,
    reason = "exports carry the names that the host looks for"
)]

use crate::{
    abi,
    counters::TICK_MS,
    driver::{Chunk, Flow},
    proxy_wasm_host::ProxyWasmHost,
    vm::Vm,
};

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
/// an error, and only that stream's call ends.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    let mut value: Vec<u8> = Vec::new();
    // Exactly, because `abi` takes over a slice of just this length.
    if value.try_reserve_exact(size).is_err() {
        return std::ptr::null_mut();
    }
    value.resize(size, 0);
    Box::into_raw(value.into_boxed_slice()).cast()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_root: u32, _configuration_size: usize) -> u32 {
    // Missing keys are reported when Envoy starts, not when the first caller comes.
    let is_counting = VM.with(Vm::has_started);
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
    status(VM.with(|vm| {
        vm.on_request_part(stream, size);
        if is_end {
            vm.on_request_end(stream);
        }
        vm.on(stream, |call, shared| {
            call.on_request_body(&ProxyWasmHost, shared, (size, is_end))
        })
    }))
}

/// The body is complete; the host holds all of it.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(stream: u32, _lines: usize) -> u32 {
    status(VM.with(|vm| {
        vm.on_request_end(stream);
        vm.on(stream, |call, shared| {
            call.on_request_trailers(&ProxyWasmHost, shared)
        })
    }))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(stream: u32, _lines: usize, is_end: u32) -> u32 {
    status(VM.with(|vm| vm.on_response_head(stream, is_end != 0)))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_body(stream: u32, size: usize, is_end: u32) -> u32 {
    let chunk = Chunk {
        size,
        is_end: is_end != 0,
    };
    status(VM.with(|vm| {
        vm.on_response(
            stream,
            |call, shared| call.on_response_body(&ProxyWasmHost, shared, chunk),
            |call, shared| call.on_valve_body((&ProxyWasmHost, shared), stream, chunk),
        )
    }))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_trailers(stream: u32, _lines: usize) -> u32 {
    status(VM.with(|vm| {
        vm.on_response(
            stream,
            |call, shared| call.on_response_trailers(&ProxyWasmHost, shared),
            |call, shared| call.on_valve_trailers((&ProxyWasmHost, shared), stream),
        )
    }))
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

#[cfg(feature = "trap-header")]
fn trap_if_asked() {
    use crate::abi::{MapType, lines::header};
    if let Ok(Some(_)) = header(MapType::RequestHeaders, "rr-test-trap") {
        std::process::abort();
    }
}
