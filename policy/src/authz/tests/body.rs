//! Bodies that are JSON, are not, or cannot be told; and when they are
//! asked for at all.

use super::*;

fn body(body: &[u8]) -> Sent<'_> {
    Sent {
        body: Some(body),
        ..GET
    }
}

#[test]
fn a_body_is_asked_for_only_when_a_rule_that_else_matches_needs_it() {
    let layer = layer(
        "allow",
        &[
            "deny 900 p:^/closed",
            "deny 500 POST p:^/v1 h:^x-a$ q:^q$ c:$.sub b:$.model=^gpt-4$",
            "allow 100 b:$.late p:^/late",
        ],
    );
    let asking = Sent {
        method: "POST",
        path: "/v1",
        query: "q",
        headers: &[("x-a", "1")],
        claims: Some(r#"{"sub":1}"#),
        ..GET
    };
    assert_eq!(decide(&layer, &asking), LayerDecision::NeedsBody);
    for not_asking in [
        Sent {
            method: "PUT",
            ..asking
        },
        Sent {
            path: "/v2",
            ..asking
        },
        Sent {
            query: "",
            ..asking
        },
        Sent {
            headers: &[],
            ..asking
        },
        Sent {
            claims: None,
            ..asking
        },
    ] {
        assert_eq!(decide(&layer, &not_asking), ALLOWED, "{not_asking:?}");
    }
    // A rule before it decides.
    let closed = Sent {
        path: "/closed/v1",
        ..asking
    };
    assert_eq!(decide(&layer, &closed), denied_by(1));
    // A rule after it is not reached without the body either.
    let late = Sent {
        path: "/late",
        ..asking
    };
    assert_eq!(decide(&layer, &late), LayerDecision::NeedsBody);

    let with = |body| Sent {
        body: Some(body),
        ..asking
    };
    assert_eq!(decide(&layer, &with(br#"{"model":"gpt-4"}"#)), denied_by(2));
    assert_eq!(decide(&layer, &with(br#"{"model":"gpt-3"}"#)), ALLOWED);
}

#[test]
fn conditions_alone_say_that_they_need_the_body() {
    assert_eq!(hold_any("b:$.a", &GET), Hold::NeedsBody);
    assert_eq!(hold_any("!b:$.a", &GET), Hold::NeedsBody);
    assert_eq!(hold_any("POST b:$.a", &GET), Hold::No);
    assert_eq!(hold_any("GET", &GET), Hold::Yes);
}

#[test]
fn strings_are_decoded_and_other_values_are_their_text_in_the_document() {
    let document = br#" { "s" : "a\u0062\"c", "n" : 1.50e+2, "t" : true, "z" : null,
        "big" : 12345678901234567890, "o" : { "x" : [ 1,2 ] }, "e" : "" , "q": "\"x\"" } "#;
    for (conditions, want) in [
        ("b:$.s=^ab\"c$", true),
        ("b:$.n=^1\\.50e\\+2$", true),
        ("b:$.n=^150$", false),
        ("b:$.t=^true$", true),
        ("b:$.z=^null$", true),
        ("b:$.z", true),
        ("b:$.big=^12345678901234567890$", true),
        (r#"b:$.o=^\{\s"x"\s:\s\[\s1,2\s\]\s\}$"#, true),
        ("b:$.o.x=^\\[\\s1,2\\s\\]$", true),
        ("b:$.e=^$", true),
        ("b:$.q=^\"x\"$", true),
        ("b:$.nope", false),
        ("!b:$.nope", true),
        ("!b:$.s=^zz", true),
        ("b:$.s b:$.n b:$.t", true),
        ("b:$.s b:$.nope", false),
    ] {
        check(conditions, &body(document), want);
    }
    check("b:$=^12$", &body(b" 12 "), true);
    check("b:$=^x$", &body(b"\"x\""), true);
}

#[test]
fn every_duplicate_key_is_matched() {
    let deny = layer("allow", &["deny 1 b:$.model=^gpt-4$"]);
    let allow = layer("deny", &["allow 1 b:$.model=^gpt-3$"]);
    for document in [
        r#"{"model":"gpt-3","model":"gpt-4"}"#,
        r#"{"model":"gpt-4","model":"gpt-3"}"#,
        r#"{"model":"gpt-3","\u006dodel":"gpt-4"}"#,
        r#"{"model":"gpt-3","m\u006f\u0064el":"\u0067pt-4"}"#,
        r#"{"model":"gpt-3","a":{},"model":"gpt-4","model":"gpt-3"}"#,
    ] {
        let sent = body(document.as_bytes());
        assert_eq!(decide(&deny, &sent), denied_by(1), "{document}");
        assert_eq!(decide(&allow, &sent), DENIED, "{document}");
    }
}

const ANY_TYPE: &[(&str, &str)] = &[("content-type", "text/plain")];
const JSON_TYPE: &[(&str, &str)] = &[("content-type", "application/json")];

#[test]
fn a_body_that_is_no_json_to_anybody_has_no_nodes() {
    for document in [
        &b""[..],
        b"model=gpt-4&temperature=1",
        b"temperature=1",
        b"--b\r\ncontent-type: application/json\r\n\r\n{}\r\n--b--",
        b"<a>{\"model\":\"gpt-4\"}</a>",
        b"\x89PNG\r\n",
        b"\xff\xd8\xff\xe0",
        b"hello",
    ] {
        let sent = Sent {
            headers: ANY_TYPE,
            ..body(document)
        };
        check("b:$", &sent, false);
        check("b:$..*", &sent, false);
        check("!b:$.model", &sent, true);
    }
    // No body at all is no broken JSON, whatever the type says.
    let none = Sent {
        headers: JSON_TYPE,
        ..body(b"")
    };
    check("b:$", &none, false);
    check("!b:$", &none, true);
}

#[test]
fn json_is_found_by_parsing_not_by_its_type() {
    for headers in [
        &[][..],
        ANY_TYPE,
        JSON_TYPE,
        &[("content-type", "image/png")],
    ] {
        check(
            "b:$.a=^1$",
            &Sent {
                headers,
                ..body(b" {\"a\":1}\n")
            },
            true,
        );
    }
}

#[test]
fn a_body_that_could_be_json_but_cannot_be_read_for_sure_is_unreadable() {
    for document in [
        &b"{\"model\":\"gpt-4\"} {\"model\":\"gpt-3\"}"[..],
        b"{\"model\":1}\n{\"model\":2}\n",
        b"1\n{\"model\":2}",
        b"{\"model\":1}garbage",
        b"{\"model\":1",
        b"{'model':1}",
        b"{\"model\":1,}",
        b"{model:1}",
        b"[{\"model\":1},]",
        b"{\"model\":01}",
        b"{\"model\":NaN}",
        b"/* x */{\"model\":1}",
        b"// x\n{\"model\":1}",
        b"{\"model\":\"\xff\"}",
        b"{\"mo\xc3del\":1}",
        b"{\"model\":\"\x01\"}",
        b"\xef\xbb\xbf{\"model\":1}",
        b"\xff\xfe{\0m\0o\0d\0e\0l\0:\0",
        b"\xfe\xff\0{\0m\0o\0d\0e\0l\0:",
        b"{\"model\":1}\0",
    ] {
        for headers in [&[][..], ANY_TYPE, JSON_TYPE] {
            let sent = Sent {
                headers,
                ..body(document)
            };
            let shown = String::from_utf8_lossy(document);
            assert_eq!(hold_any("b:$.model", &sent), Hold::Unreadable, "{shown}");
            assert_eq!(hold_all("!b:$.model", &sent), Hold::Unreadable, "{shown}");
        }
    }
    let deep = [b"[".repeat(100_000), b"{model:".to_vec()].concat();
    assert_eq!(hold_any("b:$.model", &body(&deep)), Hold::Unreadable);
    assert_eq!(hold_any("b:$.other", &body(&deep)), Hold::No);
}

#[test]
fn what_claims_to_be_json_and_is_not_is_unreadable() {
    for content_type in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "text/json",
        "application/problem+json",
        "application/vnd.x+json;v=1",
        "application/x-ndjson",
    ] {
        for document in [&b"hello"[..], b"model=gpt-4", b" ", b"\x89PNG", b")]}'\n{}"] {
            let headers = &[("content-type", content_type)][..];
            let sent = Sent {
                headers,
                ..body(document)
            };
            assert_eq!(hold_any("b:$", &sent), Hold::Unreadable, "{content_type}");
        }
    }
    // One claim among several lines is a claim.
    let headers = &[
        ("content-type", "text/plain"),
        ("content-type", "text/json"),
    ][..];
    assert_eq!(
        hold_any(
            "b:$",
            &Sent {
                headers,
                ..body(b"x")
            }
        ),
        Hold::Unreadable
    );
    // A type that mentions JSON elsewhere claims nothing.
    let headers = &[(
        "content-type",
        "multipart/related; type=\"application/json\"",
    )][..];
    check(
        "b:$",
        &Sent {
            headers,
            ..body(b"--x")
        },
        false,
    );
}

#[test]
fn json_in_another_charset_is_unreadable() {
    for (content_type, is_read) in [
        ("application/json; charset=utf-8", true),
        ("application/json; charset=\"UTF-8\"", true),
        ("application/json;charset=utf8", true),
        ("text/plain; charset=us-ascii", true),
        ("application/json; charset=utf-16", false),
        ("application/json; charset=utf-7", false),
        ("text/plain; Charset = \"utf-16le\"", false),
        ("application/json; charset=iso-8859-1", false),
        ("application/json; charset=utf-8; charset=utf-16", false),
        ("application/json; charset=", false),
    ] {
        let headers = &[("content-type", content_type)][..];
        let sent = Sent {
            headers,
            ..body(b"{\"a\":1}")
        };
        let want = if is_read { Hold::Yes } else { Hold::Unreadable };
        assert_eq!(hold_any("b:$.a", &sent), want, "{content_type}");
    }
}

#[test]
fn unreadable_denies_as_soon_as_a_body_condition_would_be_tried() {
    let sent = body(b"{\"a\":");
    let layer = layer(
        "allow",
        &[
            "allow 900 p:^/open",
            "deny 800 p:^/closed",
            "allow 500 p:^/v1 b:$.a",
            "deny 400 p:^/v2 b:$.a",
        ],
    );
    for (path, want) in [
        ("/open/v1", allowed_by(1)),
        ("/closed", denied_by(2)),
        ("/v1", UNREADABLE),
        ("/v2", UNREADABLE),
        ("/other", ALLOWED),
    ] {
        assert_eq!(decide(&layer, &Sent { path, ..sent }), want, "{path}");
    }
}

/// The text in a coding.
fn coded(coding: &str, text: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    match coding {
        "gzip" => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder =
                flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        "br" => {
            let mut out = Vec::new();
            let mut writer = brotli::CompressorWriter::new(&mut out, 4096, 5, 20);
            writer.write_all(text).unwrap();
            drop(writer);
            out
        }
        "zstd" => zstd::encode_all(text, 1).unwrap(),
        other => panic!("no coding: {other}"),
    }
}

#[test]
fn compressed_bodies_are_decoded_for_the_check() {
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let check_coded = |text: &[u8], want: Hold| {
            let document = coded(coding, text);
            let headers = &[("Content-Encoding", coding)][..];
            let sent = Sent {
                headers,
                ..body(&document)
            };
            let shown = String::from_utf8_lossy(text);
            assert_eq!(
                hold_any("b:$.model=^gpt-4$", &sent),
                want,
                "{coding} {shown}"
            );
        };
        check_coded(br#"{"model":"gpt-4"}"#, Hold::Yes);
        check_coded(br#"{"model":"gpt-3","m\u006fdel":"gpt-4"}"#, Hold::Yes);
        check_coded(br#"{"model":"gpt-3"}"#, Hold::No);
        check_coded(b"hello", Hold::No);
        check_coded(b"", Hold::No);
        check_coded(br#"{"model":"gpt-4""#, Hold::Unreadable);
        check_coded(b"{} {model:1}", Hold::Unreadable);
        check_coded(b"{} {}", Hold::No);
        // As it was sent it is no JSON, and says so.
        let document = coded(coding, br#"{"model":"gpt-4"}"#);
        let headers = &[("content-type", "application/json")][..];
        let sent = Sent {
            headers,
            ..body(&document)
        };
        assert_eq!(hold_any("b:$.model", &sent), Hold::Unreadable, "{coding}");
        // Cut short.
        let (cut, _) = document.split_at(document.len() / 2);
        let headers = &[("content-encoding", coding)][..];
        let sent = Sent {
            headers,
            ..body(cut)
        };
        assert_eq!(hold_any("b:$.model", &sent), Hold::Unreadable, "{coding}");
    }
}

#[test]
fn what_decodes_to_more_than_a_mebibyte_is_unreadable() {
    let of_bytes = |count: usize| {
        let document = format!("\"{}\"", "a".repeat(count - 2));
        let document = coded("gzip", document.as_bytes());
        let headers = &[("content-encoding", "gzip")][..];
        hold_any(
            "b:$",
            &Sent {
                headers,
                ..body(&document)
            },
        )
    };
    assert_eq!(of_bytes(1 << 20), Hold::Yes);
    assert_eq!(of_bytes((1 << 20) + 1), Hold::Unreadable);
    assert_eq!(of_bytes(64 << 20), Hold::Unreadable);
}

#[test]
fn codings_that_cannot_be_taken_off_are_unreadable() {
    for coding in [
        "gzip",
        "br",
        "deflate",
        "zstd",
        "compress",
        "x",
        "gzip, gzip",
        "identity, x",
    ] {
        let headers = &[("content-encoding", coding)][..];
        // Neither in that coding nor, behind it, JSON; and JSON that only pretends to be coded.
        for document in [&b"{\"a\":1}"[..], b"[", b"\x01\x02hello"] {
            let sent = Sent {
                headers,
                ..body(document)
            };
            assert_eq!(hold_any("b:$.a", &sent), Hold::Unreadable, "{coding}");
        }
        check(
            "b:$.a",
            &Sent {
                headers,
                ..body(b"")
            },
            false,
        );
    }
    for headers in [
        &[("content-encoding", "identity")][..],
        &[("content-encoding", "")],
    ] {
        check(
            "b:$.a",
            &Sent {
                headers,
                ..body(b"{\"a\":1}")
            },
            true,
        );
    }
    let two_lines = &[
        ("content-encoding", "identity"),
        ("Content-Encoding", "gzip"),
    ][..];
    let sent = Sent {
        headers: two_lines,
        ..body(b"{\"a\":1}")
    };
    assert_eq!(hold_any("b:$.a", &sent), Hold::Unreadable);
}
