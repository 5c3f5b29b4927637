//! Calls from pages of other origins, all of it Envoy's own work. What a browser asks before such a
//! call is answered by routes that lead nowhere, so our filter need not see it. On every other answer
//! Envoy's CORS filter says that the page may read it, ours and Envoy's refusals included, because
//! that filter stands first and so is the last that an answer passes.

use std::collections::{BTreeMap, HashMap};

use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use envoy_types::pb::envoy::config::core::v3::{HeaderValueOption, TypedExtensionConfig};
use envoy_types::pb::envoy::config::route::v3::{
    DirectResponseAction, HeaderMatcher, Route, RouteMatch, header_matcher::HeaderMatchSpecifier,
    route, route_match::PathSpecifier,
};
use envoy_types::pb::envoy::extensions::filters::http::cors::v3::{Cors as Filter, CorsPolicy};
use envoy_types::pb::envoy::extensions::filters::http::header_mutation::v3::{
    HeaderMutationPerRoute, Mutations,
};
use envoy_types::pb::envoy::r#type::matcher::v3::{
    RegexMatcher, StringMatcher, string_matcher::MatchPattern,
};
use envoy_types::pb::google::protobuf::Any;
use envoy_types::util::pack_any;
use requestrocket_policy::denial::{
    Denial, GRANTED_MESSAGE, PROXY_CODE_HEADER, PROXY_MESSAGE_HEADER, PROXY_WARNING_HEADER,
    ProxyCode, REQUEST_ID_HEADER,
};
use requestrocket_policy::http::ALLOWED_METHODS;
use requestrocket_proto::region::v1::Cors;

use super::filter_name::FILTER;
use super::unread;
use super::wire::{extension, flag, header, put_header, remove_matching};

/// Names of the filters that the routes of a proxy configure.
const CORS: &str = "envoy.filters.http.cors";
pub(super) const ROUTE_NAME: &str = "route-name";
/// Stands for every origin, and every header.
const ANY: &str = "*";
const ASKED_METHOD: &str = "access-control-request-method";
const ASKED_HEADERS: &str = "access-control-request-headers";

/// Envoy's filter; what it does is said by routes, and without a word it does nothing.
pub(super) fn filter() -> TypedExtensionConfig {
    extension(CORS, Filter {})
}

/// What browsers ask before they call: allowed origins are answered, others refused.
pub(super) fn preflights(cors: &Cors) -> [Route; 2] {
    let allowed = DirectResponseAction {
        status: 204,
        ..DirectResponseAction::default()
    };
    let refused = DirectResponseAction {
        status: u32::from(Denial::OriginNotAllowed.status()),
        ..DirectResponseAction::default()
    };
    let is_allowed = HeaderMatchSpecifier::StringMatch(origins(cors));
    [
        Route {
            response_headers_to_add: permissions(cors),
            ..preflight(is_allowed, allowed)
        },
        // Envoy takes the first route that matches: here are the origins that are not allowed.
        Route {
            // Else a cache may give this answer to a page whose origin is allowed.
            response_headers_to_add: vec![header("vary", "Origin")],
            ..preflight(something(), refused)
        },
    ]
}

/// For the routes of calls: what the filters add to answers and drop of the target's.
pub(super) fn on_calls(cors: &Cors) -> BTreeMap<String, Any> {
    let policy = CorsPolicy {
        allow_origin_string_match: vec![origins(cors)],
        expose_headers: exposed(cors),
        allow_credentials: flag(cors.allow_credentials),
        ..CorsPolicy::default()
    };
    // The target's own `Vary` has to stay: caches go by all of it.
    let append = HeaderAppendAction::AppendIfExistsOrAdd;
    let mutations = Mutations {
        // Answers pass this filter before Envoy's CORS filter, which stands first, so what that
        // adds stays.
        response_mutations: vec![
            remove_matching("access-control-.*"),
            put_header("vary", "Origin", append),
        ],
        ..Mutations::default()
    };
    let targets_own = HeaderMutationPerRoute {
        mutations: Some(mutations),
    };
    BTreeMap::from([
        (CORS.to_owned(), pack_any(policy)),
        (ROUTE_NAME.to_owned(), pack_any(targets_own)),
    ])
}

fn preflight(origin: HeaderMatchSpecifier, answer: DirectResponseAction) -> Route {
    let is_options = HeaderMatchSpecifier::StringMatch(exactly("OPTIONS"));
    // What the Fetch standard calls a preflight; any other OPTIONS is a call, and the target's.
    let headers = vec![
        matcher(":method", is_options),
        matcher(ASKED_METHOD, something()),
        matcher("origin", origin),
    ];
    // Browsers send no credential with a preflight: the filter would refuse it.
    let unasked = unread::unasked_with(ASKED_METHOD);
    Route {
        name: "preflight".to_owned(),
        r#match: Some(RouteMatch {
            path_specifier: Some(PathSpecifier::Prefix("/".to_owned())),
            headers,
            ..RouteMatch::default()
        }),
        action: Some(route::Action::DirectResponse(answer)),
        typed_per_filter_config: HashMap::from([(FILTER.to_owned(), pack_any(unasked))]),
        ..Route::default()
    }
}

/// Empty values make no header.
fn permissions(cors: &Cors) -> Vec<HeaderValueOption> {
    let headers = if is_any(&cors.allowed_headers) {
        // `*` would not stand for `Authorization`.
        format!("%REQ({ASKED_HEADERS})%")
    } else {
        literal(&cors.allowed_headers.join(", "))
    };
    let with_credentials = if cors.allow_credentials { "true" } else { "" };
    vec![
        // Not `*`, which browsers refuse for calls with credentials.
        header("access-control-allow-origin", "%REQ(origin)%"),
        header("access-control-allow-methods", &ALLOWED_METHODS.join(", ")),
        header("access-control-allow-headers", &headers),
        header("access-control-allow-credentials", with_credentials),
        header("access-control-max-age", &cors.max_age_seconds.to_string()),
        header("vary", "Origin, Access-Control-Request-Headers"),
        header(PROXY_CODE_HEADER, ProxyCode::AccessGranted.as_str()),
        header(PROXY_MESSAGE_HEADER, GRANTED_MESSAGE),
        header(REQUEST_ID_HEADER, "%UNIQUE_ID%"),
    ]
}

fn exposed(cors: &Cors) -> String {
    // Of other origins' answers a page sees no headers but the few that Fetch lists.
    let own = [
        PROXY_CODE_HEADER,
        PROXY_MESSAGE_HEADER,
        PROXY_WARNING_HEADER,
        REQUEST_ID_HEADER,
        "retry-after",
        "ratelimit",
        "ratelimit-policy",
    ];
    let configured = cors.exposed_headers.iter().map(String::as_str);
    own.into_iter()
        .chain(configured)
        .collect::<Vec<_>>()
        .join(", ")
}

/// What Envoy's filter, and the matcher that passes ours by, take for sent: an empty value is none.
fn something() -> HeaderMatchSpecifier {
    HeaderMatchSpecifier::StringMatch(matching(".+".to_owned()))
}

/// Whatever is not allowed matches nothing, an empty list included.
fn origins(cors: &Cors) -> StringMatcher {
    let regex = if is_any(&cors.allowed_origins) {
        ".+".to_owned()
    } else {
        let each = cors.allowed_origins.iter();
        each.map(|origin| pattern(origin))
            .collect::<Vec<_>>()
            .join("|")
    };
    matching(regex)
}

fn matching(regex: String) -> StringMatcher {
    StringMatcher {
        match_pattern: Some(MatchPattern::SafeRegex(RegexMatcher {
            regex,
            ..RegexMatcher::default()
        })),
        ..StringMatcher::default()
    }
}

/// `*.` stands for one label or several.
fn pattern(origin: &str) -> String {
    match origin.split_once("://*.") {
        Some((scheme, host)) => {
            // Browsers write hosts of origins in lower case, other scripts as Punycode.
            format!("{}://(?:[a-z0-9-]+\\.)+{}", escaped(scheme), escaped(host))
        }
        None => escaped(origin),
    }
}

fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        // RE2 takes a backslash before any ASCII punctuation for that character.
        if char.is_ascii_punctuation() {
            pattern.push('\\');
        }
        pattern.push(char);
    }
    pattern
}

/// Text where Envoy looks for `%COMMANDS%`.
fn literal(text: &str) -> String {
    text.replace('%', "%%")
}

fn is_any(names: &[String]) -> bool {
    names.iter().any(|name| name == ANY)
}

fn exactly(text: &str) -> StringMatcher {
    StringMatcher {
        match_pattern: Some(MatchPattern::Exact(text.to_owned())),
        ..StringMatcher::default()
    }
}

fn matcher(name: &str, specifier: HeaderMatchSpecifier) -> HeaderMatcher {
    HeaderMatcher {
        name: name.to_owned(),
        header_match_specifier: Some(specifier),
        ..HeaderMatcher::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_matched_as_it_is_written() {
        for (origin, want) in [
            ("https://a.example.com", r"https\:\/\/a\.example\.com"),
            (
                "https://*.example.com:8443",
                r"https://(?:[a-z0-9-]+\.)+example\.com\:8443",
            ),
        ] {
            assert_eq!(pattern(origin), want);
        }
    }

    #[test]
    fn no_header_name_is_a_command_of_envoys() {
        let cors = Cors {
            allowed_headers: vec!["a%REQ(authorization)%".to_owned()],
            ..Cors::default()
        };
        let allowed = permissions(&cors).swap_remove(2).header.map(|it| it.value);
        assert_eq!(allowed.as_deref(), Some("a%%REQ(authorization)%%"));
    }
}
