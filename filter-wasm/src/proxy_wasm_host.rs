//! [`Host`] on the proxy-wasm ABI, for the stream whose callback is running.

use requestrocket_policy::{denial::DenialResponse, http::HeaderLine, jose::Question};

use crate::{
    abi::{self, BufferType, MapType, lines},
    host::{HeaderMap, Host, HostFailure, ResponsePart, Shared},
};

/// Stateless: proxy-wasm knows which stream is meant.
pub(crate) struct ProxyWasmHost;

const ROUTE_NAME: &[u8] = b"xds\0route_name";
const ROUTE_ADMISSION: &[u8] = b"xds\0route_metadata\0typed_filter_metadata\0requestrocket";
const ROUTE_POLICY: &[u8] = b"xds\0virtual_host_metadata\0typed_filter_metadata\0requestrocket";
const TOKEN_SERIAL: &[u8] = b"xds\0cluster_metadata\0filter_metadata\0requestrocket\0serial";
const TOKEN: &[u8] = b"xds\0cluster_metadata\0typed_filter_metadata\0requestrocket";
const PEER_NAME: &[u8] = b"connection\0dns_san_peer_certificate";
const RESPONSE_CODE: &[u8] = b"response\0code";
/// Put by a native filter behind ours; the request's headers are no longer there.
const SWITCH_ASKED: &[u8] = b"filter_state\0requestrocket-switch-asked";
/// Where the cluster's filters and `local_reply_config` look for the request's warnings.
const WARNING: &str = "requestrocket-warning";
/// Where Envoy's access log looks for what the filter knows of a call.
const NOTE: &str = "requestrocket-note";
const END: &str = "requestrocket-end";
const OUTCOME: &str = "requestrocket-outcome";
/// Where another try of a call looks for the stream that the call is on.
const STREAM: &str = "requestrocket-stream";
/// Put by a script next to the target.
const REFUSED: &[u8] = b"metadata\0filter_metadata\0requestrocket\0refused";
/// `envoy.config.core.v3.GrpcService { envoy_grpc { cluster_name: "xds" } }`: the cluster of the
/// bootstrap, over which the node shows its certificate.
const REGION_SERVER: &[u8] = b"\x0a\x05\x0a\x03xds";
/// Calls that went on with what was known because the region server did not answer.
const UNANSWERED: &str = "rr_meter_unanswered_total";
/// Policies that were compiled because somebody was let in.
const COMPILED: &str = "rr_policy_compiled_total";
const METER_SYNC: (&str, &str) = ("requestrocket.meter.v1.MeterSync", "Sync");
const ACCESS_CHECK: (&str, &str) = ("requestrocket.access.v1.AccessCheck", "Check");
const KEY_RENEWAL: (&str, &str) = ("requestrocket.keys.v1.KeyRenewal", "Renew");
const TOKEN_RENEWAL: (&str, &str) = ("requestrocket.keys.v1.KeyRenewal", "RenewToken");
const USAGE_LEDGER: (&str, &str) = ("requestrocket.usage.v1.UsageLedger", "Tell");
const INTROSPECTION: (&str, &str) = ("requestrocket.keys.v1.KeyRenewal", "Introspect");
const NANOSECONDS_PER_MILLISECOND: u64 = 1_000_000;

impl Host for ProxyWasmHost {
    fn request_headers(&self) -> Result<HeaderMap, HostFailure> {
        lines::header_map(MapType::RequestHeaders).map(HeaderMap::from_encoded)
    }

    fn is_switch_asked(&self) -> Result<bool, HostFailure> {
        Ok(abi::property(SWITCH_ASKED)?.is_some())
    }

    fn set_request_header(&self, name: &str, value: &[u8]) -> Result<(), HostFailure> {
        lines::replace_header(MapType::RequestHeaders, name, value)
    }

    fn remove_request_header(&self, name: &str) -> Result<(), HostFailure> {
        lines::remove_header(MapType::RequestHeaders, name)
    }

    fn warn_caller(&self, text: &str) -> Result<(), HostFailure> {
        abi::set_property(WARNING, text.as_bytes())
    }

    fn keep_note(&self, note: &[u8]) -> Result<(), HostFailure> {
        abi::set_property(NOTE, note)
    }

    fn keep_stream(&self, stream: u32) -> Result<(), HostFailure> {
        abi::set_property(STREAM, stream.to_string().as_bytes())
    }

    fn refused_stream(&self) -> Result<Option<u32>, HostFailure> {
        if abi::property(REFUSED)?.is_none() {
            return Ok(None);
        }
        let stream = abi::property(STREAM.as_bytes())?;
        let stream = stream.as_deref().map(std::str::from_utf8);
        Ok(stream.and_then(|text| text.ok()?.parse().ok()))
    }

    fn keep_end(&self, code: &str) -> Result<(), HostFailure> {
        abi::set_property(END, code.as_bytes())
    }

    fn keep_outcome(&self, outcome: &[u8]) -> Result<(), HostFailure> {
        abi::set_property(OUTCOME, outcome)
    }

    fn request_body(&self, size: usize) -> Result<Vec<u8>, HostFailure> {
        abi::buffer(BufferType::RequestBody, size)
    }

    fn set_response_header(&self, name: &str, value: &[u8]) -> Result<(), HostFailure> {
        lines::replace_header(MapType::ResponseHeaders, name, value)
    }

    fn remove_response_header(&self, name: &str) -> Result<(), HostFailure> {
        lines::remove_header(MapType::ResponseHeaders, name)
    }

    fn response_chunk(&self, size: usize) -> Result<Vec<u8>, HostFailure> {
        abi::buffer(BufferType::ResponseBody, size)
    }

    fn replace_response_chunk(&self, bytes: &[u8]) -> Result<(), HostFailure> {
        abi::replace_buffer(BufferType::ResponseBody, bytes)
    }

    fn reset(&self) -> Result<(), HostFailure> {
        abi::reset_stream()
    }

    fn response_lines(&self, part: ResponsePart) -> Result<HeaderMap, HostFailure> {
        lines::header_map(map_of(part)).map(HeaderMap::from_encoded)
    }

    fn put_response_lines(
        &self,
        part: ResponsePart,
        name: &str,
        values: &[Vec<u8>],
    ) -> Result<(), HostFailure> {
        let map = map_of(part);
        // Replacing would touch the first line only.
        lines::remove_header(map, name)?;
        values
            .iter()
            .try_for_each(|value| lines::add_header(map, name, value))
    }

    fn response_header(&self, name: &str) -> Result<Option<Vec<u8>>, HostFailure> {
        lines::header(MapType::ResponseHeaders, name)
    }

    fn route_name(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        abi::property(ROUTE_NAME)
    }

    fn route_admission(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        abi::property(ROUTE_ADMISSION)
    }

    fn route_policy(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        abi::property(ROUTE_POLICY)
    }

    fn token_serial(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        abi::property(TOKEN_SERIAL)
    }

    fn token(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        abi::property(TOKEN)
    }

    fn peer_name(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        abi::property(PEER_NAME)
    }

    fn is_answered(&self) -> Result<bool, HostFailure> {
        Ok(abi::property(RESPONSE_CODE)?.is_some())
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
}

impl Shared for ProxyWasmHost {
    fn now_ms(&self) -> Result<u64, HostFailure> {
        Ok(abi::now_ns()? / NANOSECONDS_PER_MILLISECOND)
    }

    fn random(&self) -> Result<[u8; 16], HostFailure> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|_| HostFailure)?;
        Ok(bytes)
    }

    fn sign(&self, hash: &str, pkcs8: &[u8], text: &[u8]) -> Result<Option<Vec<u8>>, HostFailure> {
        abi::foreign::sign(hash, pkcs8, text)
    }

    fn shared_data(&self, key: &[u8]) -> Result<Option<(Vec<u8>, u32)>, HostFailure> {
        abi::shared_data(key)
    }

    fn set_shared_data(&self, key: &[u8], value: &[u8], mark: u32) -> Result<bool, HostFailure> {
        abi::set_shared_data(key, value, mark)
    }

    fn sync_counters(&self, request: &[u8], timeout_ms: u32) -> Result<u32, HostFailure> {
        abi::grpc_call(REGION_SERVER, METER_SYNC, request, timeout_ms)
    }

    fn check_access(&self, request: &[u8], timeout_ms: u32) -> Result<u32, HostFailure> {
        abi::grpc_call(REGION_SERVER, ACCESS_CHECK, request, timeout_ms)
    }

    fn renew_keys(&self, request: &[u8], timeout_ms: u32) -> Result<u32, HostFailure> {
        abi::grpc_call(REGION_SERVER, KEY_RENEWAL, request, timeout_ms)
    }

    fn renew_token(&self, request: &[u8], timeout_ms: u32) -> Result<u32, HostFailure> {
        abi::grpc_call(REGION_SERVER, TOKEN_RENEWAL, request, timeout_ms)
    }

    fn tell_usage(&self, request: &[u8], timeout_ms: u32) -> Result<u32, HostFailure> {
        abi::grpc_call(REGION_SERVER, USAGE_LEDGER, request, timeout_ms)
    }

    fn introspect(&self, request: &[u8], timeout_ms: u32) -> Result<u32, HostFailure> {
        abi::grpc_call(REGION_SERVER, INTROSPECTION, request, timeout_ms)
    }

    fn is_signed(&self, question: &Question<'_>) -> Result<bool, HostFailure> {
        abi::foreign::is_signed(question)
    }

    fn enter(&self, context: u32) -> bool {
        abi::enter(context)
    }

    fn count_unanswered(&self) {
        thread_local! {
            static METRIC: Option<u32> = abi::define_counter(UNANSWERED).ok();
        }
        METRIC.with(|metric| count(*metric));
    }

    fn count_compiled(&self) {
        thread_local! {
            static METRIC: Option<u32> = abi::define_counter(COMPILED).ok();
        }
        METRIC.with(|metric| count(*metric));
    }

    fn warn(&self, line: &str) {
        // Nobody could be told that the line is lost.
        let _lost = abi::warn(line);
    }
}

fn map_of(part: ResponsePart) -> MapType {
    match part {
        ResponsePart::Head => MapType::ResponseHeaders,
        ResponsePart::Trailers => MapType::ResponseTrailers,
    }
}

fn count(metric: Option<u32>) {
    if let Some(metric) = metric {
        let _uncounted = abi::increment(metric);
    }
}
