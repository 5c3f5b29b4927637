//! What Envoy calls, and nothing else: it makes only the calls that the module exports, and each
//! costs every request. So there is no SDK here, which would export them all.

#![expect(
    unsafe_code,
    reason = "exports carry the names that the host looks for"
)]

use std::{cell::Cell, collections::BTreeMap};

use requestrocket_policy::envelope::KeyRing;

use crate::{
    driver::{Call, Flow, Policies},
    host::Host as _,
    proxy_wasm_host::ProxyWasmHost,
};

/// The environment variable with the region's key ring.
const KEYS_VARIABLE: &str = "REQUESTROCKET_REGION_KEYS";
/// Compiled policies a VM keeps, a few KB each.
const CACHE_CAPACITY: usize = 16_384;

/// Answers to the host.
const CONTINUE: u32 = 0;
const PAUSE: u32 = 1;
const STARTED: u32 = 1;

/// A module instance; it has one thread.
struct Vm {
    policies: Policies,
    /// The calls that were forwarded and have no response yet, by stream.
    forwarded: Cell<BTreeMap<u32, Call>>,
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
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    Box::into_raw(vec![0; size].into_boxed_slice()).cast()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_root: u32, _configuration_size: usize) -> u32 {
    // Missing keys are reported when Envoy starts, not when the first caller comes.
    VM.with(|_| STARTED)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(stream: u32, _lines: usize, _is_end: u32) -> u32 {
    #[cfg(feature = "trap-header")]
    trap_if_asked();
    VM.with(|vm| vm.on_request_head(stream))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(stream: u32, _lines: usize, _is_end: u32) -> u32 {
    VM.with(|vm| vm.on_response_head(stream))
}

/// The stream is over.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(stream: u32) {
    VM.with(|vm| drop(vm.take(stream)));
}

impl Vm {
    fn new() -> Self {
        let keys = region_keys();
        if keys.is_none() {
            ProxyWasmHost.warn(&format!(
                "no usable keys in {KEYS_VARIABLE}: every call is refused"
            ));
        }
        Self {
            policies: Policies::new(keys, CACHE_CAPACITY),
            forwarded: Cell::default(),
        }
    }

    fn on_request_head(&self, stream: u32) -> u32 {
        let mut call = Call::default();
        match call.on_request_head(&ProxyWasmHost, &self.policies) {
            Flow::Continue => {
                let mut forwarded = self.forwarded.take();
                forwarded.insert(stream, call);
                self.forwarded.set(forwarded);
                CONTINUE
            }
            Flow::Stop => PAUSE,
        }
    }

    /// Of calls that were never forwarded there is no response but ours or Envoy's.
    fn on_response_head(&self, stream: u32) -> u32 {
        let flow = self
            .take(stream)
            .map(|mut call| call.on_response_head(&ProxyWasmHost));
        match flow {
            Some(Flow::Continue) | None => CONTINUE,
            Some(Flow::Stop) => PAUSE,
        }
    }

    fn take(&self, stream: u32) -> Option<Call> {
        let mut forwarded = self.forwarded.take();
        let call = forwarded.remove(&stream);
        self.forwarded.set(forwarded);
        call
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
