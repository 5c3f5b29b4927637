//! [`Host`] on the proxy-wasm ABI, for the stream whose callback is running.

use requestrocket_policy::{denial::DenialResponse, http::HeaderLine};

use crate::{
    abi::{self, MapType},
    header_map::HeaderMap,
    host::{Host, HostFailure},
};

/// Stateless: proxy-wasm knows which stream is meant.
pub(crate) struct ProxyWasmHost;

const ROUTE_NAME: &[u8] = b"xds\0route_name";
const ROUTE_POLICY: &[u8] = b"xds\0route_metadata\0typed_filter_metadata\0requestrocket";
const NANOSECONDS_PER_MILLISECOND: u64 = 1_000_000;

impl Host for ProxyWasmHost {
    fn request_headers(&self) -> Result<HeaderMap, HostFailure> {
        abi::header_map(MapType::RequestHeaders).map(HeaderMap::from_encoded)
    }

    fn set_request_header(&self, name: &str, value: &[u8]) -> Result<(), HostFailure> {
        abi::replace_header(MapType::RequestHeaders, name, value)
    }

    fn remove_request_header(&self, name: &str) -> Result<(), HostFailure> {
        abi::remove_header(MapType::RequestHeaders, name)
    }

    fn response_header(&self, name: &str) -> Result<Option<Vec<u8>>, HostFailure> {
        abi::header(MapType::ResponseHeaders, name)
    }

    fn route_name(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        abi::property(ROUTE_NAME)
    }

    fn route_policy(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        abi::property(ROUTE_POLICY)
    }

    fn now_ms(&self) -> Result<u64, HostFailure> {
        Ok(abi::now_ns()? / NANOSECONDS_PER_MILLISECOND)
    }

    fn random(&self) -> Result<[u8; 16], HostFailure> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|_| HostFailure)?;
        Ok(bytes)
    }

    fn send_reply(&self, reply: &DenialResponse) -> Result<(), HostFailure> {
        let lines: Vec<HeaderLine<'_>> = reply
            .headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        let headers = HeaderMap::encode(&lines).ok_or(HostFailure)?;
        abi::send_reply(reply.status, headers.as_encoded(), &reply.body)
    }

    fn warn(&self, line: &str) {
        // Nobody could be told that the line is lost.
        let _lost = abi::warn(line);
    }
}
