//! WebSockets on their way to a target: over HTTP/1.1, also where it offers HTTP/2.
//!
//! Over HTTP/2 they would need extended CONNECT (RFC 8441), which few targets have.

use envoy_types::pb::envoy::config::common::mutation_rules::v3::HeaderMutation as Mutation;
use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use envoy_types::pb::envoy::config::core::v3::{
    SubstitutionFormatString, substitution_format_string::Format,
};
use envoy_types::pb::envoy::extensions::common::matching::v3::ExtensionWithMatcher;
use envoy_types::pb::envoy::extensions::filters::common::set_filter_state::v3::FilterStateValue;
use envoy_types::pb::envoy::extensions::filters::common::set_filter_state::v3::filter_state_value::{
    Key, Value,
};
use envoy_types::pb::envoy::extensions::filters::http::header_mutation::v3::{
    HeaderMutation, Mutations,
};
use envoy_types::pb::envoy::extensions::filters::http::set_filter_state::v3::Config;

use super::unread;
use super::wire::{extension, put_header, set_header, text};

/// What Envoy offers a target in the TLS handshake, in place of what its cluster says.
const OFFERED_PROTOCOLS: &str = "envoy.network.application_protocols";

/// That a switch of protocols was asked for: the filter looks for it when one is answered.
const SWITCH_ASKED: &str = "requestrocket-switch-asked";

fn kept(key: &str, value: &str) -> FilterStateValue {
    FilterStateValue {
        key: Some(Key::ObjectKey(key.to_owned())),
        value: Some(Value::FormatString(SubstitutionFormatString {
            format: Some(Format::TextFormatSource(text(value.to_owned()))),
            ..SubstitutionFormatString::default()
        })),
        ..FilterStateValue::default()
    }
}

/// Upgrades are sent over connections for which HTTP/1.1 alone was offered. They are others than
/// those of the other calls, which go by what was offered.
pub(super) fn over_http1() -> ExtensionWithMatcher {
    let asked = FilterStateValue {
        // A key that is none of Envoy's own has no factory by that name.
        factory_key: "envoy.string".to_owned(),
        ..kept(SWITCH_ASKED, "1")
    };
    let state = Config {
        on_request_headers: vec![kept(OFFERED_PROTOCOLS, "http/1.1"), asked],
        ..Config::default()
    };
    unread::asked_with("upgrade", extension("offered-protocols", state))
}

/// What an upgrade is called on its way through Envoy's router.
const DISGUISE: &str = "x-rr-websocket";

pub(super) fn disguised() -> ExtensionWithMatcher {
    let mutations = Mutations {
        request_mutations: vec![
            set_header("upgrade", DISGUISE),
            // What else it names, a proxy before the target would drop: ours among it.
            set_header("connection", "upgrade"),
        ],
        ..Mutations::default()
    };
    let edit = HeaderMutation {
        mutations: Some(mutations),
        ..HeaderMutation::default()
    };
    unread::asked_with("upgrade", extension("disguise", edit))
}

pub(super) fn undisguised() -> Mutation {
    put_header(
        "upgrade",
        "websocket",
        // Only where one is there: other calls must not ask for an upgrade.
        HeaderAppendAction::OverwriteIfExists,
    )
}
