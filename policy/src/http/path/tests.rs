//! Which paths are refused, a corpus of traversals, and properties.

use proptest::prelude::*;

use super::{super::percent::decoded, *};

mod model;

fn below(raw: &str) -> Result<String, AmbiguousPath> {
    let path = CallPath::parse(raw.as_bytes())?;
    assert!(path.proxy.is_some(), "{raw}");
    Ok(String::from_utf8(path.below.into_owned()).unwrap())
}

/// `below` is what follows `/api/p`.
fn check(cases: &[(&str, Option<&str>)]) {
    for &(raw, want) in cases {
        let got = below(&format!("/api/p{raw}"));
        assert_eq!(got, want.map(str::to_owned).ok_or(AmbiguousPath), "{raw}");
    }
}

fn refused(raw: &[&str]) {
    for raw in raw {
        assert_eq!(below(&format!("/api/p{raw}")), Err(AmbiguousPath), "{raw}");
    }
}

fn unchanged(raw: &[&str]) {
    for &raw in raw {
        assert_eq!(below(&format!("/api/p{raw}")), Ok(raw.to_owned()), "{raw}");
    }
}

#[test]
fn backslashes_control_bytes_and_nul_are_refused() {
    refused(&[
        "/\\",
        "/a\\b",
        "/a%5cb",
        "/a%5Cb",
        "/%5c",
        "/a%00",
        "/%00/b",
        "/a%00.txt",
    ]);
    refused(&[
        "/a\u{0}",
        "/a\tb",
        "/a\nb",
        "/a\rb",
        "/\u{1b}[31m",
        "/a\u{7f}",
    ]);
    // Envoy refuses these two itself; to a reader they would end the path.
    refused(&["/a b", "/a#b", "/a#/../.."]);
}

#[test]
fn segments_that_decode_to_dots_are_refused() {
    refused(&[
        "/%2e",
        "/%2E/a",
        "/%2e%2e/a",
        "/.%2e/a",
        "/%2e./a",
        "/a/%2e%2e",
        "/a/.%2E",
    ]);
    // Any number of times.
    refused(&[
        "/%252e%252e/a",
        "/%252e/a",
        "/%25252e%25252e/a",
        "/.%252e",
        "/%25%32%65",
    ]);
    refused(&["/%%32%65/a", "/%%32e%%32e/a", "/%2%65%2%65/a"]);
    // With an escaped slash as a slash.
    refused(&[
        "/..%2fa",
        "/a%2f..",
        "/a%2F..%2Fb",
        "/a%2f.%2fb",
        "/%2e%2e%2fa",
        "/..%252fa",
    ]);
    refused(&["/a%252f..%252fb", "/a%2f%2e%2e"]);
    // Cut at a semicolon, escaped or not.
    refused(&[
        "/..;/a",
        "/.;/a",
        "/..;x=1/a",
        "/..;",
        "/%2e%2e;/a",
        "/..%3b/a",
        "/..%253b/a",
    ]);
    refused(&["/a%2f..;x", "/a%2f%2e;%2fb"]);
}

#[test]
fn readers_that_decode_too_much_find_no_dots_either() {
    // A doubly escaped backslash between dots.
    refused(&["/..%255ca", "/a%255c..", "/%2e%2e%255c"]);
    // Overlong UTF-8 dots and slashes, and %u escapes.
    refused(&[
        "/%c0%ae%c0%ae/a",
        "/%c0%ae./a",
        "/..%c0%afa",
        "/%e0%80%ae%e0%80%ae/a",
    ]);
    refused(&[
        "/%f0%80%80%ae./a",
        "/..%c1%9ca",
        "/%c0%2e%c0%2e/a",
        "/%25c0%25ae./a",
    ]);
    refused(&[
        "/%u002e%u002e/a",
        "/..%u002fa",
        "/.%u002E",
        "/..%u005ca",
        "/%U002e",
    ]);
}

#[test]
fn raw_overlong_bytes_are_read_too() {
    for segment in [
        &b"\xc0\xae\xc0\xae"[..],
        b".\xc0\xae",
        b"..\xc0\xafa",
        b"..\xc1\x9ca",
    ] {
        let raw = [b"/api/p/", segment, b"/b"].concat();
        assert_eq!(CallPath::parse(&raw), Err(AmbiguousPath), "{segment:x?}");
    }
}

#[test]
fn other_escapes_semicolons_and_dots_pass_unchanged() {
    unchanged(&[
        "/a;b",
        "/a;b=1/c;d",
        "/;",
        "/;/;",
        "/a;/b",
        "/;..",
        "/a;..",
        "/a;../b",
    ]);
    unchanged(&[
        "/a%2Fb", "/a%2fb", "/%2F", "/%2f%2f", "/a%252Fb", "/100%25", "/%25", "/a%3Bb",
    ]);
    unchanged(&[
        "/...", "/..a", "/a..", "/.a", "/a.", "/....//", "/a/...b/", "/..%20", "/..+",
    ]);
    unchanged(&[
        "/%255c",
        "/a%0ab",
        "/a%0d%0ab",
        "/%7f",
        "/%c3%a9",
        "/%E2%82%AC",
        "/%ff",
    ]);
    unchanged(&[
        "/a%",
        "/a%2",
        "/a%zz",
        "/%%",
        "/%u00e9",
        "/a:b@c",
        "/$&'()*+,=!",
        "/*",
    ]);
    assert_eq!(
        CallPath::parse(b"/api/p/\xff\xc3\xa9")
            .unwrap()
            .below
            .as_ref(),
        b"/\xff\xc3\xa9"
    );
}

#[test]
fn plain_dot_segments_are_resolved() {
    check(&[
        ("/a/./b", Some("/a/b")),
        ("/./a", Some("/a")),
        ("/a/.", Some("/a/")),
        ("/.", Some("/")),
        ("/./", Some("/")),
        ("/a/../b", Some("/b")),
        ("/a/b/..", Some("/a/")),
        ("/a/b/../", Some("/a/")),
        ("/a/..", Some("/")),
        ("/a/b/../../c", Some("/c")),
        ("/a//../b", Some("/a/b")),
        ("//..", Some("/")),
        ("/a/b/c/./../../g", Some("/a/g")),
        ("/mid/content=5/../6", Some("/mid/6")),
        ("/a%2Fb/../c", Some("/c")),
        ("/a;x/../c", Some("/c")),
        ("/%2561/./b", Some("/%2561/b")),
    ]);
}

#[test]
fn climbing_above_the_proxy_is_refused() {
    refused(&[
        "/..",
        "/../",
        "/../a",
        "/./..",
        "/a/../..",
        "/a/../../b",
        "//../..",
        "/a/./../..",
    ]);
    refused(&["/../p/a", "/../../etc/passwd", "/a/b/../../../p"]);
    for raw in [
        "/..",
        "/.",
        "/../x",
        "/./api/p",
        "/api/..",
        "/api/.",
        "/api/../api/p",
        "/x/../..",
    ] {
        assert_eq!(CallPath::parse(raw.as_bytes()), Err(AmbiguousPath), "{raw}");
    }
}

#[test]
fn unreserved_escapes_are_decoded_and_others_keep_their_spelling() {
    check(&[
        ("/%61%62c", Some("/abc")),
        ("/%41%5A%30%39", Some("/AZ09")),
        ("/a%2db%5Fc%7ed%2Ee", Some("/a-b_c~d.e")),
        ("/%2f%2F%3a%3A", Some("/%2f%2F%3a%3A")),
        ("/%e2%82%AC", Some("/%e2%82%AC")),
        ("/%2561", Some("/%2561")),
        ("/a%2ejson", Some("/a.json")),
        ("/%2e%2e%2e", Some("/...")),
        // An escape never grows out of a stray percent sign and a decoded digit.
        ("/%6%31", Some("/%6%31")),
        ("/%%36%31", Some("/%%361")),
        ("/%%361", Some("/%%361")),
        ("/%4%7ex", Some("/%4~x")),
    ]);
}

#[test]
fn repeated_slashes_stay() {
    unchanged(&["//", "//a", "/a//b", "/a//", "///"]);
}

#[test]
fn the_first_two_segments_say_which_proxy() {
    for (raw, proxy, below) in [
        ("/api/p", Some("p"), ""),
        ("/api/p/", Some("p"), "/"),
        ("/api/p//", Some("p"), "//"),
        ("/api/p/a", Some("p"), "/a"),
        ("/api/%70/a", Some("%70"), "/a"),
        ("/api/p;x/a", Some("p;x"), "/a"),
        ("/api//a", Some(""), "/a"),
        ("/api/", Some(""), ""),
        ("/api", Some(""), ""),
        ("/", None, ""),
        ("", None, ""),
        ("*", None, ""),
        ("api/p", None, ""),
        ("//api/p", None, "/p"),
        ("/API/p", None, ""),
        ("/apix/p", None, ""),
        ("/async/p/a", Some("p"), "/a"),
        ("/requests/p/a", Some("p"), "/a"),
        ("/Async/p/a", None, "/a"),
        ("/asyncs/p/a", None, "/a"),
        ("/%61pi/p/a", None, "/a"),
        ("http://x/api/p", None, "/api/p"),
    ] {
        let path = CallPath::parse(raw.as_bytes()).unwrap();
        let got = (path.proxy, path.below.as_ref());
        let want = (proxy.map(str::as_bytes), below.as_bytes());
        // What is below matters only where there is a proxy.
        assert_eq!(got.0, want.0, "{raw}");
        assert!(proxy.is_none() || got.1 == want.1, "{raw}");
    }
}

#[test]
fn base_path_and_callers_path_join_with_one_slash() {
    for (base, raw, want) in [
        ("", "/api/p", "/"),
        ("", "/api/p/", "/"),
        ("", "/api/p/a/", "/a/"),
        ("", "/api/p//a", "//a"),
        ("/v1", "/api/p", "/v1"),
        ("/v1", "/api/p/", "/v1/"),
        ("/v1", "/api/p/a", "/v1/a"),
        ("/v1", "/api/p//", "/v1//"),
        ("/v1/x", "/api/p/a/..", "/v1/x/"),
        ("/v1", "/api/p/.", "/v1/"),
    ] {
        let mut out = Vec::new();
        CallPath::parse(raw.as_bytes())
            .unwrap()
            .join_into(base.as_bytes(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), want, "{base} {raw}");
    }
}

/// How a target might read a path that it was sent: each variant decodes, cuts or splits more.
fn lenient_readings(path: &[u8]) -> Vec<Vec<u8>> {
    let mut readings = vec![path.to_vec()];
    for _ in 0..3 {
        let last = readings.last().cloned().unwrap_or_default();
        readings.push(decoded(&last).collect());
    }
    let cut: Vec<Vec<u8>> = readings
        .iter()
        .map(|reading| {
            let slashed: Vec<u8> = reading
                .iter()
                .map(|&b| if b == b'\\' { b'/' } else { b })
                .collect();
            let segments = slashed.split(|&b| b == b'/');
            segments
                .map(|segment| segment.split(|&b| b == b';').next().unwrap_or_default())
                .collect::<Vec<_>>()
                .join(&b'/')
        })
        .collect();
    readings.extend(cut);
    readings
}

/// Whether a reading has a segment that goes anywhere but down.
fn climbs(reading: &[u8]) -> bool {
    reading
        .split(|&b| b == b'/')
        .any(|segment| matches!(segment, b".." | b"."))
}

fn assert_safe(raw: &[u8]) {
    let Ok(path) = CallPath::parse(raw) else {
        return;
    };
    let mut sent = Vec::new();
    path.join_into(b"/base", &mut sent);
    assert!(sent.starts_with(b"/base"), "{raw:?}");
    for reading in lenient_readings(&sent) {
        assert!(
            !climbs(&reading),
            "{:?} read as {:?}",
            lossy(raw),
            lossy(&reading)
        );
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const DOTS: &str = ". .. %2e %2E%2e .%2e %2e. %252e%252e %25252e%25252e %c0%ae%c0%ae ..; ..;a=b ;.. \
    %2e%2e; ..%00 ..%20 ..%09 ... %%32%65%%32%65 %u002e%u002e ..%3b %e0%80%ae. ..%c0%af .%00. x.. ..x";

const SLASHES: &str = "/ // %2f %2F %252f \\ %5c %5C %255c %c0%af %c1%9c ;/ /;/ %u2215 /./ %2f/ /%2f \
    %25%32%66";

#[test]
fn no_reader_leaves_the_base_url_over_the_traversal_corpus() {
    let mut tried = 0;
    for dot in DOTS.split_whitespace() {
        for slash in SLASHES.split_whitespace() {
            for raw in [
                format!("/api/p/{dot}{slash}etc"),
                format!("/api/p/a{slash}{dot}"),
                format!("/api/p/a{slash}{dot}{slash}{dot}{slash}b"),
                format!("/api/p{slash}{dot}{slash}{dot}{slash}api{slash}q"),
                format!("{slash}api{slash}{dot}{slash}p"),
            ] {
                assert_safe(raw.as_bytes());
                tried += 1;
            }
        }
    }
    assert!(tried > 2_000);
}

fn hostile_path() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static str> = vec![
        ".", "..", "/", "//", "%2e", "%2E", "%2f", "%5c", "\\", ";", "%25", "%", "2e", "2f", "a",
        "6", "1", "%31", "%61", "%c0%ae", "\u{e9}", "%3b", "5c", "%2", "%u002e",
    ];
    proptest::collection::vec(proptest::sample::select(pieces), 0..16)
        .prop_map(|pieces| format!("/api/p/{}", pieces.concat()).into_bytes())
}

proptest! {
    #[test]
    fn what_is_sent_never_climbs(raw in hostile_path()) {
        assert_safe(&raw);
    }

    #[test]
    fn normalising_is_idempotent(raw in hostile_path()) {
        if let Ok(path) = CallPath::parse(&raw) {
            let again = [b"/api/p", path.below.as_ref()].concat();
            prop_assert_eq!(CallPath::parse(&again).map(|path| path.below.into_owned()),
                Ok(path.below.into_owned()));
        }
    }

    #[test]
    fn decoding_keeps_the_meaning(raw in hostile_path()) {
        let plain: Vec<u8> = raw.get(6..).unwrap_or_default().to_vec();
        let has_dot_segment = plain.split(|&b| b == b'/').any(is_dot_segment);
        if let (Ok(path), false) = (CallPath::parse(&raw), has_dot_segment) {
            prop_assert_eq!(decoded(&path.below).collect::<Vec<_>>(),
                decoded(&plain).collect::<Vec<_>>());
        }
    }

    #[test]
    fn any_bytes_are_judged_without_panic(raw: Vec<u8>) {
        assert_safe(&raw);
        assert_safe(&[b"/api/p/", raw.as_slice()].concat());
    }
}

#[test]
fn rules_see_the_normalised_path_below_the_proxy() {
    for (raw, want) in [
        ("/api/p", "/"),
        ("/api/p/", "/"),
        ("/api/p/v1", "/v1"),
        ("/api/p/a/../b/./c", "/b/c"),
        ("/api/p/%61%2Fb%2f", "/a%2Fb%2f"),
        ("/api/p//a//", "//a//"),
    ] {
        let path = CallPath::parse(raw.as_bytes()).unwrap();
        assert_eq!(path.target_path(), want.as_bytes(), "{raw}");
    }
}

#[test]
fn what_is_asked_for_is_the_first_segment_as_it_is() {
    for (raw, want) in [
        ("/api/p/a", Entry::Api),
        ("/async/p/a", Entry::Async),
        ("/async/p", Entry::Async),
        ("/requests/p/a", Entry::Requests),
        // None of them is an entry, and none names a proxy.
        ("/a%73ync/p/a", Entry::Api),
        ("//async/p", Entry::Api),
        ("/async;x/p", Entry::Api),
        ("/ASYNC/p", Entry::Api),
    ] {
        let path = CallPath::parse(raw.as_bytes()).unwrap();
        assert_eq!(path.entry, want, "{raw}");
        let is_named = raw.starts_with(&format!("/{}/p", want.as_str()));
        assert_eq!(path.proxy.is_some(), is_named, "{raw}");
    }
}
