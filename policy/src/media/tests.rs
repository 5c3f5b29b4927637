use proptest::prelude::*;

use super::*;
use MediaKind::{EventStream, Json, Missing, Ndjson, Other};

fn parse(value: &[u8]) -> MediaKind {
    MediaKind::parse(Some(value))
}

#[test]
fn kinds_are_told_by_type_and_charset() {
    for (value, want) in [
        ("application/json", Json),
        ("APPLICATION/Json", Json),
        ("  application/json  ", Json),
        ("text/json", Json),
        ("application/problem+json", Json),
        ("application/vnd.api.v1+JSON", Json),
        ("x/y+json", Json),
        ("application/geo+json-seq", Other),
        ("application/json-seq", Other),
        ("application/+json", Other),
        ("/a+json", Other),
        ("+json", Other),
        ("a+json", Other),
        ("a/b/c+json", Other),
        ("a b/c+json", Other),
        ("text/html,application/x+json", Other),
        ("application/json,text/html", Other),
        ("application/json, application/json", Other),
        ("application/javascript", Other),
        ("application/jsonp", Other),
        ("text/plain", Other),
        ("json", Other),
        ("*/*", Other),
        ("text/event-stream", EventStream),
        ("Text/Event-Stream", EventStream),
        ("text/event-stream;charset=utf-8", EventStream),
        ("text/event-streams", Other),
        ("application/event-stream", Other),
        ("application/x-ndjson", Ndjson),
        ("application/ndjson", Ndjson),
        ("application/jsonl", Ndjson),
        ("application/JSONL; charset=UTF-8", Ndjson),
        ("application/x-jsonlines", Other),
        ("", Missing),
        ("  \t", Missing),
        (";charset=utf-8", Other),
    ] {
        assert_eq!(parse(value.as_bytes()), want, "{value}");
    }
    assert_eq!(MediaKind::parse(None), Missing);
}

#[test]
fn any_parameter_may_follow_but_another_charset() {
    for (parameters, want) in [
        (";", Json),
        ("; ", Json),
        (" ; charset=utf-8", Json),
        (";charset=UTF-8", Json),
        ("; Charset = Utf-8", Json),
        ("; charset=utf8", Json),
        ("; charset=\"utf-8\"", Json),
        ("; charset=\"utf\\-8\"", Json),
        ("; charset=\"utf-8\" ; profile=x", Json),
        ("; profile=\"a;b, charset=utf-16\"", Json),
        ("; profile=\"a\\\"; charset=utf-16\"", Json),
        ("; charsets=utf-16", Json),
        ("; x-charset=utf-16", Json),
        ("; odata.metadata=minimal; q=0.9; v", Json),
        ("; charset=utf-16", Other),
        ("; charset=\"utf-16\"", Other),
        ("; charset='utf-8'", Other),
        ("; charset=utf-8; charset=utf-16", Other),
        ("; charset=utf-16; charset=utf-8", Other),
        ("; charset=\"utf-8\"x", Other),
        ("; charset=\"utf-8", Other),
        ("; a=\"b\\", Other),
        ("; charset=", Other),
        ("; charset", Other),
        ("; charset=us-ascii", Other),
        (";;charset=iso-8859-1", Other),
        ("; a=\"b\"; charset=iso-8859-1", Other),
        ("; a=\"\\\"\"; charset=iso-8859-1", Other),
    ] {
        let value = format!("application/json{parameters}");
        assert_eq!(parse(value.as_bytes()), want, "{value}");
    }
}

#[test]
fn streams_are_events_and_ndjson() {
    for (kind, want) in [
        (Json, false),
        (EventStream, true),
        (Ndjson, true),
        (Other, false),
        (Missing, false),
    ] {
        assert_eq!(kind.is_stream(), want, "{kind:?}");
    }
}

proptest! {
    #[test]
    fn no_value_is_too_odd(value: Vec<u8>) {
        let kind = parse(&value);
        prop_assert_eq!(kind == Missing, value.trim_ascii().is_empty());
    }

    #[test]
    fn a_charset_is_found_wherever_it_stands(
        before in proptest::collection::vec("[a-z]{1,8}=([a-z0-9]{1,8}|\"[a-z;=\\\\ ]{0,3}[a-z]\")", 0..4),
        after in proptest::collection::vec("[a-z]{1,8}=[a-z0-9]{1,8}", 0..4),
        is_utf8: bool,
    ) {
        let is_other = |parameter: &String| !parameter.starts_with("charset=");
        let charset = if is_utf8 { "charset=utf-8" } else { "charset=utf-16le" };
        let parameters: Vec<String> = before.into_iter().filter(is_other)
            .chain([charset.to_owned()])
            .chain(after.into_iter().filter(is_other))
            .collect();
        let value = format!("application/json;{}", parameters.join("; "));
        prop_assert_eq!(parse(value.as_bytes()), if is_utf8 { Json } else { Other });
    }
}
