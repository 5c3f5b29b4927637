//! Normalized paths.

use super::*;

#[test]
fn paths_are_written_as_the_rfc_says() {
    let text = r#"{"a":[0,{"b":1}],"it's":2,"\\\"/":3,"\b\f\n\r\t":4,"\u0000\u000b\u001f":5,"é😀":6,"":7,"\ud800":8}"#;
    let doc = Doc::parse(text.as_bytes()).unwrap();
    let paths: Vec<_> = (0..doc.len()).map(|node| normalized(&doc, node)).collect();
    let want = [
        "$",
        "$['a']",
        "$['a'][0]",
        "$['a'][1]",
        "$['a'][1]['b']",
        r"$['it\'s']",
        r#"$['\\"/']"#,
        r"$['\b\f\n\r\t']",
        r"$['\u0000\u000b\u001f']",
        "$['é😀']",
        "$['']",
        "$['\u{fffd}']",
    ];
    assert_eq!(paths, want);
}
