//! Short forms of what Envoy's messages are made of.

use std::path::Path;

use envoy_types::pb::envoy::config::common::mutation_rules::v3::HeaderMutation;
use envoy_types::pb::envoy::config::common::mutation_rules::v3::header_mutation::{
    Action, RemoveOnMatch,
};
use envoy_types::pb::envoy::config::core::v3::{
    AggregatedConfigSource, ApiVersion, ConfigSource, DataSource, HeaderValue, HeaderValueOption,
    TypedExtensionConfig, config_source, data_source, header_value_option::HeaderAppendAction,
};
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpFilter, http_filter::ConfigType,
};
use envoy_types::pb::envoy::r#type::matcher::v3::{RegexMatcher, StringMatcher, string_matcher};
use envoy_types::pb::google::protobuf::{Any, BoolValue, Duration, UInt32Value};
use envoy_types::util::pack_any;
use prost::{Message, Name};

/// Key of what the filter reads in the metadata of routes, virtual hosts and clusters.
pub(super) const METADATA_KEY: &str = "requestrocket";

/// What the filter has to say in warning of a request: it keeps it with the stream under
/// `requestrocket-warning`. Without it no header is made.
pub(super) const WARNING: &str = "%FILTER_STATE(wasm.requestrocket-warning:PLAIN)%";

/// An extension and its configuration.
pub(super) fn extension<T: Name + Message>(name: &str, config: T) -> TypedExtensionConfig {
    TypedExtensionConfig {
        name: name.to_owned(),
        typed_config: some_any(config),
    }
}

/// An HTTP filter made of an extension.
pub(super) fn http_filter(extension: TypedExtensionConfig) -> HttpFilter {
    let TypedExtensionConfig { name, typed_config } = extension;
    HttpFilter {
        name,
        config_type: typed_config.map(ConfigType::TypedConfig),
        ..HttpFilter::default()
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every place that takes an Any takes an Option"
)]
pub(super) fn some_any<T: Name + Message>(config: T) -> Option<Any> {
    Some(pack_any(config))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every place that takes one takes an Option"
)]
pub(super) fn number(value: u32) -> Option<UInt32Value> {
    Some(UInt32Value { value })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every place that takes one takes an Option"
)]
pub(super) fn flag(value: bool) -> Option<BoolValue> {
    Some(BoolValue { value })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every place that takes one takes an Option"
)]
pub(super) fn seconds(seconds: u32) -> Option<Duration> {
    Some(Duration {
        seconds: i64::from(seconds),
        nanos: 0,
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every place that takes one takes an Option"
)]
pub(super) fn millis(millis: u16) -> Option<Duration> {
    let nanos = i32::from(millis % 1000) * 1_000_000;
    Some(Duration {
        seconds: i64::from(millis / 1000),
        nanos,
    })
}

pub(super) fn file(path: &Path) -> DataSource {
    let name = path.to_string_lossy().into_owned();
    DataSource {
        specifier: Some(data_source::Specifier::Filename(name)),
        ..DataSource::default()
    }
}

pub(super) fn text(text: String) -> DataSource {
    DataSource {
        specifier: Some(data_source::Specifier::InlineString(text)),
        ..DataSource::default()
    }
}

/// A header that is there once, with this value.
pub(super) fn header(key: &str, value: &str) -> HeaderValueOption {
    header_as(key, value, HeaderAppendAction::OverwriteIfExistsOrAdd)
}

fn header_as(key: &str, value: &str, action: HeaderAppendAction) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue {
            key: key.to_owned(),
            value: value.to_owned(),
            ..HeaderValue::default()
        }),
        append_action: action.into(),
        ..HeaderValueOption::default()
    }
}

pub(super) fn set_header(key: &str, value: &str) -> HeaderMutation {
    put_header(key, value, HeaderAppendAction::OverwriteIfExistsOrAdd)
}

/// A header that is put over or in the absence of what is there.
pub(super) fn put_header(key: &str, value: &str, action: HeaderAppendAction) -> HeaderMutation {
    HeaderMutation {
        action: Some(Action::Append(header_as(key, value, action))),
    }
}

/// Removes all headers whose whole name, in lower case, matches.
pub(super) fn remove_matching(names: &str) -> HeaderMutation {
    let regex = RegexMatcher {
        regex: names.to_owned(),
        ..RegexMatcher::default()
    };
    let key_matcher = StringMatcher {
        match_pattern: Some(string_matcher::MatchPattern::SafeRegex(regex)),
        ..StringMatcher::default()
    };
    let remove = RemoveOnMatch {
        key_matcher: Some(key_matcher),
    };
    HeaderMutation {
        action: Some(Action::RemoveOnMatch(remove)),
    }
}

pub(super) fn remove_header(name: &str) -> HeaderMutation {
    HeaderMutation {
        action: Some(Action::Remove(name.to_owned())),
    }
}

/// Names are the gateway's own in every spelling that the other side may take for them: the prefixes
/// that the policy reserves, with `_` for any `-`.
pub(super) fn remove_reserved() -> HeaderMutation {
    // Targets that follow CGI (RFC 3875 §4.1.18) read `-` and `_` as one.
    remove_matching("(?:requestrocket|x[-_]rr|x[-_]envoy)[-_].*")
}

/// The same of what a caller sends, but for what the region server reads of it: names that begin with
/// `requestrocket-ord` or `requestrocket-cal`. No rule sees those either, and no target gets them.
pub(super) fn remove_reserved_of_caller() -> HeaderMutation {
    // RE2 has no negative lookahead.
    const OTHERS: &str = "|[^co].*|o(?:|[^r].*|r(?:|[^d].*))|c(?:|[^a].*|a(?:|[^l].*))";
    remove_matching(&format!(
        "(?:x[-_]rr|x[-_]envoy)[-_].*|requestrocket(?:_.*|-(?:{OTHERS}))"
    ))
}

/// "By the stream this came on".
pub(super) fn from_ads() -> ConfigSource {
    ConfigSource {
        resource_api_version: ApiVersion::V3.into(),
        config_source_specifier: Some(config_source::ConfigSourceSpecifier::Ads(
            AggregatedConfigSource {},
        )),
        ..ConfigSource::default()
    }
}
