//! What the driver asks of Envoy: one method per host call, so that the cost of a request can be
//! read off the calls. Every call may fail, and a failure is a value.

use requestrocket_policy::denial::DenialResponse;

use crate::header_map::HeaderMap;

/// A host call came back with a status that gives no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("host call failed")]
pub struct HostFailure;

/// The stream that a callback is about, and what the VM has besides.
pub trait Host {
    /// All lines of the request's head, pseudo-headers included; names are lower case.
    fn request_headers(&self) -> Result<HeaderMap, HostFailure>;

    /// Puts a request header in place of its line, or adds it. Works for `:path` too.
    fn set_request_header(&self, name: &str, value: &[u8]) -> Result<(), HostFailure>;

    /// Removes all lines of a request header.
    fn remove_request_header(&self, name: &str) -> Result<(), HostFailure>;

    /// A response header, `:status` included.
    fn response_header(&self, name: &str) -> Result<Option<Vec<u8>>, HostFailure>;

    /// Name of the chosen route; none when no route matches.
    fn route_name(&self) -> Result<Option<Vec<u8>>, HostFailure>;

    /// The encoded policy that lies on the chosen route.
    fn route_policy(&self) -> Result<Option<Vec<u8>>, HostFailure>;

    /// Unix time in milliseconds.
    fn now_ms(&self) -> Result<u64, HostFailure>;

    /// Fresh randomness.
    fn random(&self) -> Result<[u8; 16], HostFailure>;

    /// Answers the caller in the target's place.
    fn send_reply(&self, reply: &DenialResponse) -> Result<(), HostFailure>;

    /// Tells the operator. A line that cannot be written is lost.
    fn warn(&self, line: &str);
}
