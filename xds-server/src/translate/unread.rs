//! What Envoy passes without asking a filter, because each callback into ours costs a call 1 to 3 µs.
//! Of responses, where only the length can matter, those that declare one which is short enough; of
//! the filter's second place, the requests that did not wait; of its third, those whose responses
//! nobody looks into.
//!
//! In its first place the filter decides every request. Source: Envoy's "Matching API" (`ExtensionWithMatcher`); what
//! it compares with a response's header it cannot tell before there is one, and asks until then.

use std::num::NonZeroU32;

use envoy_types::pb::envoy::config::core::v3::TypedExtensionConfig;
use envoy_types::pb::envoy::extensions::common::matching::v3::{
    ExtensionWithMatcher, ExtensionWithMatcherPerRoute,
};
use envoy_types::pb::envoy::extensions::filters::common::matcher::action::v3::SkipFilter;
use envoy_types::pb::envoy::r#type::matcher::v3::{
    HttpRequestHeaderMatchInput, HttpResponseHeaderMatchInput,
};
use envoy_types::pb::xds::core::v3::TypedExtensionConfig as MatcherExtension;
use envoy_types::pb::xds::r#type::matcher::v3::matcher::matcher_list::predicate::{
    MatchType, PredicateList, SinglePredicate, single_predicate,
};
use envoy_types::pb::xds::r#type::matcher::v3::matcher::matcher_list::{FieldMatcher, Predicate};
use envoy_types::pb::xds::r#type::matcher::v3::matcher::{
    MatcherList, MatcherType, OnMatch, on_match,
};
use envoy_types::pb::xds::r#type::matcher::v3::regex_matcher::{EngineType, GoogleRe2};
use envoy_types::pb::xds::r#type::matcher::v3::string_matcher::MatchPattern;
use envoy_types::pb::xds::r#type::matcher::v3::{Matcher, RegexMatcher, StringMatcher};
use envoy_types::util::pack_any;
use prost::{Message, Name};

/// The filter, asked about everything unless the route says otherwise. The empty matcher is needed:
/// without any, Envoy would ask about nothing.
pub(super) fn asked_about_all(filter: TypedExtensionConfig) -> ExtensionWithMatcher {
    ExtensionWithMatcher {
        xds_matcher: Some(Matcher::default()),
        extension_config: Some(filter),
        ..ExtensionWithMatcher::default()
    }
}

/// The filter, asked only about requests with this header, which no caller can bring.
pub(super) fn asked_with(header: &str, filter: TypedExtensionConfig) -> ExtensionWithMatcher {
    asked_if(header, ".+", filter)
}

/// The filter, asked only about requests of which a header's whole value matches.
pub(super) fn asked_if(
    header: &str,
    regex: &str,
    filter: TypedExtensionConfig,
) -> ExtensionWithMatcher {
    // A matcher can only skip, so the question is asked the other way round.
    let is_other = MatchType::NotMatcher(Box::new(predicate(is(header, regex))));
    ExtensionWithMatcher {
        xds_matcher: Some(skip_if(is_other)),
        extension_config: Some(filter),
        ..ExtensionWithMatcher::default()
    }
}

/// The filter, asked only about requests without this header.
pub(super) fn asked_without(header: &str, filter: TypedExtensionConfig) -> ExtensionWithMatcher {
    ExtensionWithMatcher {
        xds_matcher: Some(skip_if(is_there(header))),
        extension_config: Some(filter),
        ..ExtensionWithMatcher::default()
    }
}

/// The filter, asked only about responses with a header whose value is not as usual.
pub(super) fn asked_of_unusual(
    header: &str,
    usual: &str,
    filter: TypedExtensionConfig,
) -> ExtensionWithMatcher {
    let of_response = |regex| {
        let input = HttpResponseHeaderMatchInput {
            header_name: header.to_owned(),
        };
        MatchType::SinglePredicate(matches(named(header, input), regex))
    };
    // A header that is not there matches nothing, not even this.
    let is_missing = MatchType::NotMatcher(Box::new(predicate(of_response(".*"))));
    let is_usual = MatchType::OrMatcher(PredicateList {
        predicate: vec![predicate(is_missing), predicate(of_response(usual))],
    });
    ExtensionWithMatcher {
        xds_matcher: Some(skip_if(is_usual)),
        extension_config: Some(filter),
        ..ExtensionWithMatcher::default()
    }
}

/// For a route whose responses nobody looks into. None: no length is short enough to be told by
/// its number of digits.
pub(super) fn asked_unless_short(max_bytes: u64) -> Option<ExtensionWithMatcherPerRoute> {
    // A regular expression cannot compare, but a number with fewer digits is smaller.
    let digits = max_bytes.checked_ilog10().and_then(NonZeroU32::new)?;
    let input = HttpResponseHeaderMatchInput {
        header_name: "content-length".to_owned(),
    };
    let is_short = matches(
        named("content-length", input),
        &format!("[0-9]{{1,{digits}}}"),
    );
    Some(ExtensionWithMatcherPerRoute {
        xds_matcher: Some(skip_if(MatchType::SinglePredicate(is_short))),
    })
}

/// For a route that answers by itself: the filter is not asked about requests with this header.
pub(super) fn unasked_with(header: &str) -> ExtensionWithMatcherPerRoute {
    ExtensionWithMatcherPerRoute {
        xds_matcher: Some(skip_if(is_there(header))),
    }
}

fn is_there(name: &str) -> MatchType {
    is(name, ".+")
}

fn is(name: &str, regex: &str) -> MatchType {
    let input = HttpRequestHeaderMatchInput {
        header_name: name.to_owned(),
    };
    MatchType::SinglePredicate(matches(named(name, input), regex))
}

fn matches(input: MatcherExtension, regex: &str) -> SinglePredicate {
    SinglePredicate {
        input: Some(input),
        matcher: Some(single_predicate::Matcher::ValueMatch(StringMatcher {
            match_pattern: Some(MatchPattern::SafeRegex(RegexMatcher {
                regex: regex.to_owned(),
                // This API's form of a regular expression wants an engine named.
                engine_type: Some(EngineType::GoogleRe2(GoogleRe2 {})),
            })),
            ..StringMatcher::default()
        })),
    }
}

fn predicate(holds: MatchType) -> Predicate {
    Predicate {
        match_type: Some(holds),
    }
}

fn skip_if(holds: MatchType) -> Matcher {
    let skip = OnMatch {
        on_match: Some(on_match::OnMatch::Action(named("skip", SkipFilter {}))),
        ..OnMatch::default()
    };
    let matcher = FieldMatcher {
        predicate: Some(predicate(holds)),
        on_match: Some(skip),
    };
    Matcher {
        matcher_type: Some(MatcherType::MatcherList(MatcherList {
            matchers: vec![matcher],
        })),
        ..Matcher::default()
    }
}

fn named<T: Name + Message>(name: &str, config: T) -> MatcherExtension {
    MatcherExtension {
        name: name.to_owned(),
        typed_config: Some(pack_any(config)),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The longest declared length that is passed without asking. Panics on a matcher that could
    /// take anything else away from the filter: a request, or a response of another kind.
    pub(in crate::translate) fn longest_unread(per_route: ExtensionWithMatcherPerRoute) -> u64 {
        let matcher = per_route.xds_matcher.unwrap();
        assert_eq!(matcher.on_no_match, None);
        let Some(MatcherType::MatcherList(mut list)) = matcher.matcher_type else {
            panic!("another kind of matcher")
        };
        assert_eq!(list.matchers.len(), 1);
        let predicate = list.matchers.remove(0).predicate.unwrap();
        let Some(MatchType::SinglePredicate(single)) = predicate.match_type else {
            panic!("another kind of predicate")
        };
        let input = single.input.unwrap().typed_config.unwrap();
        assert_eq!(input.type_url, HttpResponseHeaderMatchInput::type_url());
        let input = HttpResponseHeaderMatchInput::decode(&input.value[..]).unwrap();
        assert_eq!(input.header_name, "content-length");
        let Some(single_predicate::Matcher::ValueMatch(text)) = single.matcher else {
            panic!("another kind of match")
        };
        let Some(MatchPattern::SafeRegex(regex)) = text.match_pattern else {
            panic!("another kind of pattern")
        };
        let digits = regex.regex.strip_prefix("[0-9]{1,").unwrap();
        let digits: u32 = digits.strip_suffix('}').unwrap().parse().unwrap();
        10_u64.pow(digits) - 1
    }

    #[test]
    fn what_is_short_is_never_above_the_limit() {
        for (max_bytes, longest) in [
            (0, None),
            (1, None),
            (9, None),
            (10, Some(9)),
            (99, Some(9)),
            (100, Some(99)),
            (6 << 20, Some(999_999)),
            (999_999, Some(99_999)),
            (1_000_000, Some(999_999)),
            (u64::MAX, Some(9_999_999_999_999_999_999)),
        ] {
            let per_route = asked_unless_short(max_bytes);
            assert_eq!(per_route.map(longest_unread), longest, "{max_bytes}");
        }
    }
}
