//! What a target says to the gateway alone: the headers that its `Connection` names.
//!
//! Envoy drops `Connection` itself and a fixed list of others. Few targets name more, so the script
//! sees only the responses that do.

use envoy_types::pb::envoy::config::core::v3::{DataSource, data_source::Specifier};
use envoy_types::pb::envoy::extensions::common::matching::v3::ExtensionWithMatcher;
use envoy_types::pb::envoy::extensions::filters::http::lua::v3::Lua;

use super::unread;
use super::wire::extension;

/// Values that name nothing which Envoy does not drop by itself.
const USUAL: &str = "(?i)(?:close|keep-alive|upgrade|keep-alive, *upgrade)";
/// `Connection` may be as long as a head; what it names and nobody sent costs one look.
/// A name with a colon is none of a header's.
const DROP_NAMED: &str = r#"
function envoy_on_response(call)
  local headers = call:headers()
  local sent = {}
  for name in pairs(headers) do sent[name] = not name:find(":", 1, true) end
  sent["upgrade"] = nil
  for name in (headers:get("connection") or ""):lower():gmatch("[^,%s]+") do
    if sent[name] then
      headers:remove(name)
      sent[name] = nil
    end
  end
end
"#;

/// Drops them, before anything of the gateway's is put on the response.
pub(super) fn drop_named() -> ExtensionWithMatcher {
    let lua = Lua {
        default_source_code: Some(DataSource {
            specifier: Some(Specifier::InlineString(DROP_NAMED.to_owned())),
            ..DataSource::default()
        }),
        ..Lua::default()
    };
    unread::asked_of_unusual("connection", USUAL, extension("connection", lua))
}
