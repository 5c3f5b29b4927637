//! What the filter needs of Envoy. Every call can fail and every failure is a value.

mod header_map;

use requestrocket_policy::{denial::DenialResponse, jose::Question};

pub use self::header_map::HeaderMap;

/// A host call failed. What failed does not matter: the request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("host call failed")]
pub struct HostFailure;

/// What of a response has lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponsePart {
    /// Its head, pseudo-headers included.
    Head,
    /// Its trailers.
    Trailers,
}

/// The stream that a callback is about, and what the VM has besides.
pub trait Host: Shared {
    /// All lines of the request's head, pseudo-headers included; names are lower case.
    fn request_headers(&self) -> Result<HeaderMap, HostFailure>;

    /// Whether the request asked the target to switch protocols.
    fn is_switch_asked(&self) -> Result<bool, HostFailure>;

    /// Puts a request header in place of its line, or adds it. Works for `:path` too.
    fn set_request_header(&self, name: &str, value: &[u8]) -> Result<(), HostFailure>;

    /// Removes all lines of a request header.
    fn remove_request_header(&self, name: &str) -> Result<(), HostFailure>;

    /// Has Envoy say this in the warning header of the response, whoever makes that.
    fn warn_caller(&self, text: &str) -> Result<(), HostFailure>;

    /// Has Envoy keep this with the stream for the record of the call.
    fn keep_note(&self, note: &[u8]) -> Result<(), HostFailure>;

    /// Has Envoy keep with the stream which it is, for other tries of its call.
    fn keep_stream(&self, stream: u32) -> Result<(), HostFailure>;

    /// The stream of a call whose target refused it, of another try of it.
    fn refused_stream(&self) -> Result<Option<u32>, HostFailure>;

    /// Has Envoy keep with the stream why its response was cut: the code of a denial.
    fn keep_end(&self, code: &str) -> Result<(), HostFailure>;

    /// Has Envoy keep with the stream what the response came to, for the record of the call, in place
    /// of what it kept before.
    fn keep_outcome(&self, outcome: &[u8]) -> Result<(), HostFailure>;

    /// The first `size` bytes of the request's body that Envoy holds.
    fn request_body(&self, size: usize) -> Result<Vec<u8>, HostFailure>;

    /// All lines of a part of the response.
    fn response_lines(&self, part: ResponsePart) -> Result<HeaderMap, HostFailure>;

    /// Puts lines in place of those of that name.
    fn put_response_lines(
        &self,
        part: ResponsePart,
        name: &str,
        lines: &[Vec<u8>],
    ) -> Result<(), HostFailure>;

    /// A response header, `:status` included.
    fn response_header(&self, name: &str) -> Result<Option<Vec<u8>>, HostFailure>;

    /// Puts a response header in place of its line, or adds it.
    fn set_response_header(&self, name: &str, value: &[u8]) -> Result<(), HostFailure>;

    /// Removes all lines of a response header.
    fn remove_response_header(&self, name: &str) -> Result<(), HostFailure>;

    /// The `size` bytes of the response's body that this callback is about.
    fn response_chunk(&self, size: usize) -> Result<Vec<u8>, HostFailure>;

    /// Puts `bytes` in their place.
    fn replace_response_chunk(&self, bytes: &[u8]) -> Result<(), HostFailure>;

    /// Resets the caller's stream, so that it can see that the response is not complete.
    fn reset(&self) -> Result<(), HostFailure>;

    /// Name of the chosen route; none when no route matches.
    fn route_name(&self) -> Result<Option<Vec<u8>>, HostFailure>;

    /// The encoded light part of the policy, which lies on the chosen route.
    fn route_admission(&self) -> Result<Option<Vec<u8>>, HostFailure>;

    /// The encoded rest of the policy, which lies on the virtual host of the chosen route.
    fn route_policy(&self) -> Result<Option<Vec<u8>>, HostFailure>;

    /// The serial of the token that travels beside the policy; none where no token does, and when the
    /// call has found its way to the target.
    fn token_serial(&self) -> Result<Option<Vec<u8>>, HostFailure>;

    /// That token, encoded.
    fn token(&self) -> Result<Option<Vec<u8>>, HostFailure>;

    /// The first host name in the certificate that the peer of the connection shows and Envoy has
    /// verified; none where it shows none.
    fn peer_name(&self) -> Result<Option<Vec<u8>>, HostFailure>;

    /// Whether an answer to the caller has begun, the target's or another.
    fn is_answered(&self) -> Result<bool, HostFailure>;

    /// Answers the caller in the target's place.
    fn send_reply(&self, reply: &DenialResponse) -> Result<(), HostFailure>;
}

/// What does not belong to a stream.
pub trait Shared {
    /// Unix time in milliseconds.
    fn now_ms(&self) -> Result<u64, HostFailure>;

    /// Fresh randomness.
    fn random(&self) -> Result<[u8; 16], HostFailure>;

    /// The signature of a text under a private key in PKCS#8; none when that key cannot sign. The
    /// hash goes by its name.
    fn sign(&self, hash: &str, pkcs8: &[u8], text: &[u8]) -> Result<Option<Vec<u8>>, HostFailure>;

    /// What all workers share under a key, with the mark of its version.
    fn shared_data(&self, key: &[u8]) -> Result<Option<(Vec<u8>, u32)>, HostFailure>;

    /// Replaces what is shared under a key if it still has this mark; a mark of 0 always does.
    fn set_shared_data(&self, key: &[u8], value: &[u8], mark: u32) -> Result<bool, HostFailure>;

    /// Sends the region server an encoded `meter.v1.SyncRequest`; its answer comes under the
    /// returned token.
    fn sync_counters(&self, request: &[u8], timeout_ms: u32) -> Result<u32, HostFailure>;

    /// Sends the region server an encoded `access.v1.CheckRequest`; its answer comes under the
    /// returned token.
    fn check_access(&self, request: &[u8], timeout_ms: u32) -> Result<u32, HostFailure>;

    /// Sends the region server an encoded `keys.v1.RenewRequest`; its answer comes under the returned
    /// token.
    fn renew_keys(&self, request: &[u8], timeout_ms: u32) -> Result<u32, HostFailure>;

    /// Sends the region server an encoded `keys.v1.RenewTokenRequest`; its answer comes under the
    /// returned token.
    fn renew_token(&self, request: &[u8], timeout_ms: u32) -> Result<u32, HostFailure>;

    /// Sends the region server an encoded `usage.v1.TellRequest`; its answer comes under the returned
    /// token.
    fn tell_usage(&self, request: &[u8], timeout_ms: u32) -> Result<u32, HostFailure>;

    /// Sends the region server an encoded `keys.v1.IntrospectRequest`; its answer comes under the
    /// returned token.
    fn introspect(&self, request: &[u8], timeout_ms: u32) -> Result<u32, HostFailure>;

    /// Whether a public key made a signature.
    fn is_signed(&self, question: &Question<'_>) -> Result<bool, HostFailure>;

    /// Makes the following calls mean this stream, or the VM's own context. False: it is gone.
    fn enter(&self, context: u32) -> bool;

    /// Counts, in Envoy's statistics, that the region server did not answer.
    fn count_unanswered(&self);

    /// Counts, in Envoy's statistics, that a policy was compiled.
    fn count_compiled(&self);

    /// Tells the operator. A line that cannot be written is lost.
    fn warn(&self, line: &str);
}
