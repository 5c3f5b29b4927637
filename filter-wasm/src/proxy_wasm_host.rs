//! [`Host`] on the proxy-wasm ABI, for the stream whose callback is running.

use std::time::UNIX_EPOCH;

use proxy_wasm::{
    hostcalls,
    types::{LogLevel, MapType, Status},
};
use requestrocket_policy::denial::DenialResponse;

use crate::host::{HeaderLines, Host, HostFailure};

/// Stateless: proxy-wasm knows which stream is meant.
pub(crate) struct ProxyWasmHost;

const ROUTE_NAME: [&str; 2] = ["xds", "route_name"];
const ROUTE_POLICY: [&str; 4] = [
    "xds",
    "route_metadata",
    "typed_filter_metadata",
    "requestrocket",
];

fn failure(_: Status) -> HostFailure {
    HostFailure
}

impl Host for ProxyWasmHost {
    fn request_headers(&self) -> Result<HeaderLines, HostFailure> {
        hostcalls::get_map_bytes(MapType::HttpRequestHeaders).map_err(failure)
    }

    fn set_request_header(&self, name: &str, value: &[u8]) -> Result<(), HostFailure> {
        hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, Some(value))
            .map_err(failure)
    }

    fn remove_request_header(&self, name: &str) -> Result<(), HostFailure> {
        hostcalls::remove_map_value(MapType::HttpRequestHeaders, name).map_err(failure)
    }

    fn response_header(&self, name: &str) -> Result<Option<Vec<u8>>, HostFailure> {
        hostcalls::get_map_value_bytes(MapType::HttpResponseHeaders, name).map_err(failure)
    }

    fn route_name(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        hostcalls::get_property(ROUTE_NAME.to_vec()).map_err(failure)
    }

    fn route_policy(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        hostcalls::get_property(ROUTE_POLICY.to_vec()).map_err(failure)
    }

    fn now_ms(&self) -> Result<u64, HostFailure> {
        let now = hostcalls::get_current_time().map_err(failure)?;
        let since = now.duration_since(UNIX_EPOCH).map_err(|_| HostFailure)?;
        u64::try_from(since.as_millis()).map_err(|_| HostFailure)
    }

    fn random(&self) -> Result<[u8; 16], HostFailure> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|_| HostFailure)?;
        Ok(bytes)
    }

    fn send_reply(&self, reply: &DenialResponse) -> Result<(), HostFailure> {
        let headers = reply
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let body = Some(reply.body.as_slice()).filter(|body| !body.is_empty());
        hostcalls::send_http_response(u32::from(reply.status), headers, body).map_err(failure)
    }

    fn warn(&self, line: &str) {
        // Nobody could be told that the line is lost.
        let _lost = hostcalls::log(LogLevel::Warn, line);
    }
}
