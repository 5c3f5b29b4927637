//! What is found, at once and on a stream.

use proptest::prelude::*;

use super::*;

fn paths(paths: &[&str]) -> Vec<JsonPath> {
    paths
        .iter()
        .map(|path| JsonPath::parse(path).unwrap())
        .collect()
}

fn texts(list: &[&str], text: &str) -> Vec<String> {
    let found = find(&paths(list), text.as_bytes()).unwrap();
    found
        .iter()
        .map(|node| format!("{}:{}", node.path, node.text()))
        .collect()
}

/// What a stream finds, in document order; `!` for what is unusable.
fn streamed(list: &[&str], text: &[u8], size: usize) -> Result<Vec<String>, InvalidJson> {
    let mut finder = Finder::new(&paths(list));
    let mut all = Vec::new();
    let mut on_found = |path: usize, found: Found<'_>| {
        all.push(match found {
            Found::Scalar(json) => format!("{path}:{json}"),
            Found::Unusable => format!("{path}:!"),
        });
    };
    for chunk in text.chunks(size) {
        finder.push(chunk, &mut on_found)?;
    }
    finder.finish(&mut on_found)?;
    Ok(all)
}

#[test]
fn the_text_of_a_node_is_what_patterns_see() {
    let text = r#"{"s":"a\u0062\ud800","n":1.50,"c":[ 1 ,"x\n" ],"t":true,"z":null}"#;
    for (path, want) in [
        ("$.s", "ab\u{fffd}"),
        ("$.n", "1.50"),
        ("$.c", r#"[ 1 ,"x\n" ]"#),
        ("$.c[1]", "x\n"),
        ("$.t", "true"),
        ("$.z", "null"),
        ("$", text),
    ] {
        assert_eq!(texts(&[path], text), [format!("0:{want}")], "{path}");
    }
    assert!(texts(&["$.none", "$.s.x"], text).is_empty());
}

#[test]
fn every_occurrence_is_found() {
    let text = r#"{"model":"a","\u006dodel":"b","x":{"model":"c"},"model":"a"}"#;
    assert_eq!(texts(&["$.model"], text), ["0:a", "0:b", "0:a"]);
    assert_eq!(
        texts(&["$..model", "$.x"], text),
        ["0:a", "0:b", "0:c", "0:a", r#"1:{"model":"c"}"#]
    );
    // A filter sees the document as each reader may.
    let text = r#"{"u":{"role":"user","role":"admin","id":7}}"#;
    assert_eq!(texts(&["$[?@.role=='admin'].id"], text), ["0:7"]);
    assert_eq!(texts(&["$[?@.role=='user'].id"], text), ["0:7"]);
    assert_eq!(
        texts(&["$[?@.role=='user' && @.role=='admin'].id"], text),
        [""; 0]
    );
    assert_eq!(texts(&["$[?@.id==7].role"], text), ["0:user", "0:admin"]);
}

#[test]
fn what_cannot_be_read_in_full_is_an_error() {
    let find = |path, text: &str| {
        let found = find(&paths(&[path]), text.as_bytes());
        found
            .map(|found| found.len())
            .map_err(|error| error.problem)
    };
    for text in ["", "{", "{}{}", "\u{feff}{}", "nope", r#"{"a":1,}"#] {
        assert!(find("$.a", text).is_err(), "{text}");
    }
    let list = format!("[{}0]", "0,".repeat(MAX_FOUND));
    assert_eq!(find("$[*]", &list), Err(Problem::TooManyValues));
    assert_eq!(find("$[1:]", &list), Ok(MAX_FOUND));
    let repeated = format!("{{{}}}", vec![r#""a":1"#; 65].join(","));
    assert_eq!(find("$[?@ == 1]", &repeated), Err(Problem::TooManyReadings));
    assert_eq!(find("$.a", &repeated), Ok(65));
}

#[test]
fn a_stream_tells_scalars_as_they_are() {
    let long = format!("\"{}\"", "x".repeat(MAX_FOUND_BYTES - 2));
    let longer = format!("\"{}\"", "x".repeat(MAX_FOUND_BYTES - 1));
    let document = format!(
        r#" {{"usage":{{"total":12.50,"t\u006ftal":"7"}},"long":{long},"longer":{longer},"list":[1,[2]]}} "#
    );
    let long = format!("0:{long}");
    for (list, want) in [
        (vec!["$.usage.total"], vec!["0:12.50", "0:\"7\""]),
        (vec!["$.usage"], vec!["0:!"]),
        (
            vec!["$.usage", "$..total"],
            vec!["0:!", "1:12.50", "1:\"7\""],
        ),
        (vec!["$.long"], vec![long.as_str()]),
        (vec!["$.longer"], vec!["0:!"]),
        (
            vec!["$.list[*]", "$.list[0]", "$.list[0,0]"],
            vec!["0:1", "1:1", "2:1", "0:!"],
        ),
        (vec!["$.none", "$[0]"], vec![]),
        (vec!["$[?@.total]"], vec![]),
    ] {
        for size in [1, 2, 7, 4096] {
            let found = streamed(&list, document.as_bytes(), size).unwrap();
            assert_eq!(found, want, "{list:?} by {size}");
        }
    }
    for size in [1, 9] {
        assert_eq!(streamed(&["$"], b" 15", size).unwrap(), ["0:15"]);
        assert_eq!(streamed(&["$"], b"\"a\" ", size).unwrap(), ["0:\"a\""]);
        assert_eq!(streamed(&["$"], b"[]", size).unwrap(), ["0:!"]);
    }
}

#[test]
fn a_stream_that_breaks_stays_broken() {
    for text in [&b"[1"[..], b"", b"[1]]", b"{\"a\":\xff}", b"{} {}", b"tru"] {
        for size in [1, 50] {
            assert!(streamed(&["$.a"], text, size).is_err());
        }
    }
    let mut finder = Finder::new(&paths(&["$[*]"]));
    let mut count = 0;
    let mut on_found = |_, _: Found<'_>| count += 1;
    let error = finder.push(b"[1,2,!", &mut on_found).unwrap_err();
    assert_eq!((error.offset, error.problem), (5, Problem::Unexpected));
    assert!(finder.push(b"3]", &mut on_found).is_err());
    assert!(finder.finish(&mut on_found).is_err());
    assert_eq!(count, 2);
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let scalar = prop_oneof![
        Just(serde_json::Value::Null),
        any::<i32>().prop_map(Into::into),
        "[a-c\\n\"é]{0,4}".prop_map(Into::into),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::btree_map("[ab\\n]", inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    /// The automaton on a stream against evaluation of the whole.
    #[test]
    fn a_stream_finds_the_same(
        value in json(),
        path in "\\$(\\.[ab]|\\.\\.[ab]|\\.\\*|\\.\\.\\*|\\[[0-2]\\]|\\[[0-2]:3:2\\]|\\['a',0\\]){0,4}",
        size in 1..9_usize,
    ) {
        let text = serde_json::to_string(&value).unwrap();
        let whole = find(&paths(&[&path]), text.as_bytes()).unwrap();
        let want: Vec<_> = whole
            .iter()
            .map(|node| match node.json.as_bytes() {
                [b'{' | b'[', ..] => "0:!".to_owned(),
                _ => format!("0:{}", node.json),
            })
            .collect();
        prop_assert_eq!(streamed(&[&path], text.as_bytes(), size).unwrap(), want);
    }

    #[test]
    fn any_bytes(text in proptest::collection::vec(any::<u8>(), 0..64), size in 1..9_usize) {
        let whole = find(&paths(&["$..a", "$[?@.a]"]), &text);
        prop_assert_eq!(whole.is_ok(), streamed(&["$..a"], &text, size).is_ok());
    }
}
