//! Calls whose target does not take the token that they carry: they are sent once more, with another
//! one if the region has, or obtains, one.
//!
//! Envoy repeats a call when the script marks the answer, once; the filter, at that try's place next
//! to the target, asks the region and puts the other token on the request. What Envoy cannot repeat (a
//! body that has not ended, or was longer than it keeps) passes on as it is.

use std::collections::HashMap;

use envoy_types::pb::envoy::config::core::v3::{DataSource, data_source::Specifier};
use envoy_types::pb::envoy::config::route::v3::{HeaderMatcher, header_matcher};
use envoy_types::pb::envoy::extensions::common::matching::v3::ExtensionWithMatcher;
use envoy_types::pb::envoy::extensions::filters::http::lua::v3::Lua;
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::google::protobuf::{Struct, Value, value::Kind};

use super::filter_name::TRY;
use super::unread;
use super::wire::extension;
use crate::records::region_config::ProxyConfig;

/// Marks an answer to be tried again; no target and no caller sees it.
pub(super) const MARK: &str = "x-rr-refused";
/// Which try of a call it is; Envoy says it.
const ATTEMPT: &str = "x-envoy-attempt-count";
/// Where scripts look for what a route says.
const SCRIPTS: &str = "envoy.filters.http.lua";
/// What it says: statuses, parted by commas.
const STATUSES: &str = "refresh_on";
/// So much of a body is kept for another try.
pub(super) const BODY_BYTES: u64 = 64 << 10;
/// Marks the first refusal of a call, and has Envoy keep that there was one.
const NOTE_REFUSAL: &str = r#"
function envoy_on_response(call)
  local statuses = call:metadata():get("refresh_on")
  local status = call:headers():get(":status")
  if not statuses or not statuses:find(status, 1, true) then return end
  local kept = call:streamInfo():dynamicMetadata()
  if kept:get("requestrocket") then return end
  kept:set("requestrocket", "refused", status)
  call:headers():replace("x-rr-refused", "1")
end
"#;

/// Whether another token may be had for calls of the proxy.
pub(super) fn is_renewable(config: &ProxyConfig) -> bool {
    let credential = config.target_credential.as_ref();
    credential.is_some_and(|credential| !credential.refresh_on.is_empty())
}

/// What the proxy's route says to the script.
pub(super) fn statuses(config: &ProxyConfig) -> HashMap<String, Struct> {
    let Some(credential) = config.target_credential.as_ref() else {
        return HashMap::new();
    };
    if credential.refresh_on.is_empty() {
        return HashMap::new();
    }
    // Statuses have three digits, so the script's plain search finds none in part.
    let statuses: Vec<String> = credential.refresh_on.iter().map(u32::to_string).collect();
    let value = Value {
        kind: Some(Kind::StringValue(statuses.join(","))),
    };
    let fields = HashMap::from([(STATUSES.to_owned(), value)]);
    HashMap::from([(SCRIPTS.to_owned(), Struct { fields })])
}

/// Answers that are tried again.
pub(super) fn marked() -> HeaderMatcher {
    HeaderMatcher {
        name: MARK.to_owned(),
        header_match_specifier: Some(header_matcher::HeaderMatchSpecifier::PresentMatch(true)),
        ..HeaderMatcher::default()
    }
}

/// Looks at the answers of targets that are no success.
pub(super) fn note() -> ExtensionWithMatcher {
    let lua = Lua {
        default_source_code: Some(DataSource {
            specifier: Some(Specifier::InlineString(NOTE_REFUSAL.to_owned())),
            ..DataSource::default()
        }),
        ..Lua::default()
    };
    unread::asked_of_unusual(":status", "[123][0-9][0-9]", extension("refused", lua))
}

/// The filter, asked about every try but the first.
pub(super) fn try_again(wasm: Wasm) -> ExtensionWithMatcher {
    // The early mutation drops what a caller calls so, and tries are far below ten.
    unread::asked_if(ATTEMPT, "[2-9]", extension(TRY, wasm))
}
