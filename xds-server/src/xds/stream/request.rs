//! A client's message, taken apart.

use envoy_types::pb::envoy::service::discovery::v3::DeltaDiscoveryRequest;

/// Before the reason, Envoy writes the whole message that it refuses.
const MESSAGE: &str = "goo.gle/debug";
/// What stands between the two.
const END_OF_MESSAGE: &str = "\n: ";
/// Longest part of a reason that is kept.
const MAX_REASON_CHARS: usize = 512;

/// Why a node refuses a response.
///
/// Invariant: one line of at most [`MAX_REASON_CHARS`] without the message that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

/// What of a delta discovery request concerns the stream.
#[derive(Debug, Default)]
pub struct Request {
    /// Resource type.
    pub type_url: String,
    /// The response that is answered; none for a request that answers nothing, or whose nonce is
    /// none of ours.
    pub nonce: Option<u64>,
    /// Why the response is refused.
    pub error: Option<Reason>,
    /// Names wanted from now on.
    pub subscribe: Vec<String>,
    /// Names not wanted any more.
    pub unsubscribe: Vec<String>,
    /// Name and version of what the client holds from an earlier stream.
    pub initial: Vec<(String, String)>,
}

impl From<DeltaDiscoveryRequest> for Request {
    fn from(wire: DeltaDiscoveryRequest) -> Self {
        let DeltaDiscoveryRequest {
            node: _,
            type_url,
            resource_names_subscribe,
            resource_names_unsubscribe,
            // Locators belong to a form of subscription that Envoy does not use on ADS.
            resource_locators_subscribe: _,
            resource_locators_unsubscribe: _,
            initial_resource_versions,
            response_nonce,
            error_detail,
        } = wire;
        Self {
            type_url,
            nonce: response_nonce.parse().ok(),
            error: error_detail.map(|status| Reason::of(&status.message)),
            subscribe: resource_names_subscribe,
            unsubscribe: resource_names_unsubscribe,
            initial: initial_resource_versions.into_iter().collect(),
        }
    }
}

impl Reason {
    /// What there is of a reason in what the node says. A long message may have been cut, and with it
    /// what comes after it.
    #[must_use]
    pub fn of(said: &str) -> Self {
        let (before, after) = match said.split_once(MESSAGE) {
            None => (said, ""),
            // From the right: the refused message may hold the same bytes.
            Some((before, rest)) => match rest.rsplit_once(END_OF_MESSAGE) {
                None => (before, "a part of it is not valid"),
                Some((_, after)) => (before, after),
            },
        };
        let words = before.split_whitespace().chain(after.split_whitespace());
        let line = words.collect::<Vec<_>>().join(" ");
        Self(line.chars().take(MAX_REASON_CHARS).collect())
    }

    /// The line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_without_what_is_refused() {
        let cluster = "name: \"c\"\nconnect_timeout {\n}\nalt_stat_name: \"a\\n: b\"";
        let whole = format!("goo.gle/debugonly   \n{cluster}\n: Proto constraint (Timeout)");
        let cut = format!("Error adding c: goo.gle/debugonly \n{cluster}");
        for (said, want) in [
            ("bad regex", "bad regex"),
            ("Error adding\n  cluster", "Error adding cluster"),
            (whole.as_str(), "Proto constraint (Timeout)"),
            (cut.as_str(), "Error adding c: a part of it is not valid"),
            ("", ""),
        ] {
            assert_eq!(Reason::of(said).as_str(), want);
        }
        let long = Reason::of(&"a".repeat(5_000));
        assert_eq!(long.as_str().len(), MAX_REASON_CHARS);
    }
}
