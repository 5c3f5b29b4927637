//! The callbacks that Envoy makes, and nothing else. A callback that is not needed is left out,
//! because each costs every request a call into the VM.

use std::rc::Rc;

use proxy_wasm::{
    traits::{Context, HttpContext, RootContext},
    types::{Action, ContextType},
};
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

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::new(Root { policies: Rc::new(policies()) }));
}}

struct Root {
    policies: Rc<Policies>,
}

struct Stream {
    policies: Rc<Policies>,
    call: Call,
}

impl Context for Root {}

impl RootContext for Root {
    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream {
            policies: Rc::clone(&self.policies),
            call: Call::default(),
        }))
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        #[cfg(feature = "trap-header")]
        trap_if_asked();
        action(self.call.on_request_head(&ProxyWasmHost, &self.policies))
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        action(self.call.on_response_head(&ProxyWasmHost))
    }
}

fn policies() -> Policies {
    let keys = region_keys();
    if keys.is_none() {
        ProxyWasmHost.warn("no usable keys in REQUESTROCKET_REGION_KEYS: every call is refused");
    }
    Policies::new(keys, CACHE_CAPACITY)
}

fn region_keys() -> Option<KeyRing> {
    let text = std::env::var_os(KEYS_VARIABLE)?;
    text.to_str()?.parse().ok()
}

fn action(flow: Flow) -> Action {
    match flow {
        Flow::Continue => Action::Continue,
        Flow::Stop => Action::Pause,
    }
}

#[cfg(feature = "trap-header")]
fn trap_if_asked() {
    use crate::abi::{MapType, header};
    if let Ok(Some(_)) = header(MapType::RequestHeaders, "rr-test-trap") {
        std::process::abort();
    }
}
