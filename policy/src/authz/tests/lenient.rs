//! Details of unreadable bodies, fuzzed: whatever lenient readers find in a body, a condition does not
//! overlook; and uploads that are no JSON pass.

use serde_json::Value;
use serde_json_path::JsonPath as Reference;

use super::*;
use crate::chance::Chance;

const SEED: u64 = 8259;
const MUTATIONS: usize = 12_000;

const PATHS: [&str; 7] = [
    "$.model",
    "$..model",
    "$.messages[0].role",
    "$['a']",
    "$[0]",
    "$[*].model",
    "$..*",
];

/// Texts that some reader takes, in its own ways.
const TEXTS: [&str; 26] = [
    r#"{"model":"gpt-4","messages":[{"role":"user"}],"a":1}"#,
    r#"{"model":"gpt-4"} {"model":"gpt-3"}"#,
    "{\"a\":1}\n{\"model\":2}\n",
    "1\n[{\"model\":2}]",
    "NaN {\"model\":2}",
    r#"{"m\u006fdel":"gpt-4",}"#,
    r"{'model':'gpt-4','a':[1,2,],}",
    r#"{model:"gpt-4",messages:[{role:'user'}]}"#,
    r"{m\u006Fdel:1}",
    r#"{"\x6dodel":+1,a:.5,b:0xff,c:Infinity}"#,
    "{\"mo\\\ndel\":1}",
    "// a\n{\"model\":1} // b",
    "/* { */ {/* ' */\"model\"/* : */:/* x */1/* ' */}",
    "# a\n{\n  # b\n  model: gpt-4\n  a: it's\n  messages: [\n    {role: user}\n  ]\n}",
    "{\n  a: /* x\n  model: y */ z\n}",
    "{\n  a: '''\n    model\n    '''\n  model: x\n}",
    "{\"a\" : \"x\u{1}\", \"model\" : 1}",
    r#"{"a":"\\","model":"\"}"}"#,
    r#"[{"model":1},'a',"b",]"#,
    r#"[1 2 {"model":3}]"#,
    r#"{"a":1 "model":2}"#,
    r#"{"a":01,"model":-}"#,
    "\u{feff}{\"model\":1}",
    "\u{a0}\u{2028}{\"a\":{\"model\":[]}}",
    r#"{"a":{"a":{"model":1}},"messages":[{"role":1,"role":2}]"#,
    r#"{"":1,"\ud83d\ude00":{"model":1},"é":2}"#,
];

const PIECES: [&str; 46] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "'",
    "\\",
    "\n",
    " ",
    "\t",
    "/",
    "*",
    "//",
    "/*",
    "*/",
    "#",
    "model",
    "\"model\":",
    "model:",
    "m\\u006fdel",
    "'model'",
    "role",
    "a:",
    "1",
    "-",
    "+",
    "0x1",
    "NaN",
    "true",
    "\\\n",
    "\\\u{2028}",
    "\u{2029}",
    "\\x6d",
    "\\u",
    "\\\\",
    "\u{feff}",
    "\u{a0}",
    "\u{0}",
    "\u{1}",
    "é",
    "'''",
    "\r",
    "=",
    ";",
];

fn mutated(chance: &mut Chance) -> String {
    let mut text: Vec<char> = chance.one(&TEXTS).chars().collect();
    for _ in 0..chance.below(4) {
        let at = chance.below(text.len() + 1);
        let to = (at + chance.below(5)).min(text.len());
        match chance.below(5) {
            0 => drop(text.drain(at..to)),
            1 => drop(text.splice(at..to, chance.one(&PIECES).chars())),
            2 => {
                let part: Vec<char> = chance.one(&TEXTS).chars().collect();
                drop(text.splice(at..at, part));
            }
            _ => drop(text.splice(at..at, chance.one(&PIECES).chars())),
        }
    }
    text.into_iter().collect()
}

/// A text as it may be sent, and what readers make of its encoding; the second drop what is no text.
fn sent(text: &str, chance: &mut Chance) -> (Vec<u8>, Vec<String>) {
    let wide = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect();
    let wider = |bytes: fn(u32) -> [u8; 4]| text.chars().map(u32::from).flat_map(bytes).collect();
    let decoded = vec![text.to_owned()];
    match chance.below(8) {
        0 => (wide(u16::to_le_bytes), decoded),
        1 => (wide(u16::to_be_bytes), decoded),
        2 => (wider(u32::to_le_bytes), decoded),
        3 => (wider(u32::to_be_bytes), decoded),
        4 => {
            // Bytes that are no text are replaced by some, and dropped by others.
            let mut bytes = text.as_bytes().to_vec();
            let at = chance.below(text.len() + 1);
            bytes.splice(at..at, [0xff, 0xc3].into_iter().take(1 + chance.below(2)));
            let dropped = bytes.utf8_chunks().map(|chunk| chunk.valid()).collect();
            let replaced = String::from_utf8_lossy(&bytes).into_owned();
            (bytes, vec![replaced, dropped])
        }
        _ => (text.as_bytes().to_vec(), decoded),
    }
}

/// What each reader makes of the text.
fn readings(text: &str) -> Vec<(&'static str, Value)> {
    let mut readings = Vec::new();
    let first = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let plain = serde_json::Deserializer::from_str(first).into_iter::<Value>();
    readings.extend(
        plain
            .map_while(Result::ok)
            .map(|value| ("serde_json", value)),
    );
    readings.extend(json5::from_str(text).ok().map(|value| ("json5", value)));
    let options = jsonc_parser::ParseOptions::default();
    let jsonc = jsonc_parser::parse_to_serde_value::<Value>(text, &options);
    readings.extend(jsonc.ok().map(|value| ("jsonc", value)));
    // Hjson's root may lack its braces; that is no JSON.
    if first.starts_with(['{', '[']) {
        // It panics now and then.
        let hjson = std::panic::catch_unwind(|| deser_hjson::from_str::<Value>(first));
        readings.extend(
            hjson
                .ok()
                .and_then(Result::ok)
                .map(|value| ("hjson", value)),
        );
    }
    readings
}

#[test]
fn no_reader_finds_what_a_condition_overlooks() {
    let references = PATHS.map(|path| (path, Reference::parse(path).unwrap()));
    let mut chance = Chance::seeded(SEED);
    let mut found = std::collections::BTreeMap::new();
    for _ in 0..MUTATIONS {
        let text = mutated(&mut chance);
        let (bytes, decoded) = sent(&text, &mut chance);
        let values: Vec<_> = decoded.iter().flat_map(|text| readings(text)).collect();
        // Names and texts of Hjson without quotes may hold anything, so where bytes are no text it
        // reads what nobody could tell from a binary, but for a longer name.
        let is_text = decoded.len() == 1;
        for (path, reference) in &references {
            let is_telling = is_text || path.contains("model") || path.contains("role");
            let finds = |(reader, value): &&(&str, Value)| {
                (is_telling || *reader != "hjson") && !reference.query(value).all().is_empty()
            };
            let Some((reader, _)) = values.iter().find(finds) else {
                continue;
            };
            *found.entry(*reader).or_insert(0) += 1;
            let sent = Sent {
                body: Some(&bytes),
                ..GET
            };
            let hold = hold_any(&format!("b:{path}"), &sent);
            assert_ne!(
                hold,
                Hold::No,
                "seed {SEED}: {reader} finds {path} in {text:?}"
            );
        }
    }
    for reader in ["serde_json", "json5", "jsonc", "hjson"] {
        assert!(
            found.get(reader).is_some_and(|times| *times > 100),
            "{found:?}"
        );
    }
}

/// How many of so many random uploads that begin like this are denied for a condition.
fn denied(path: &str, start: &[u8], times: usize) -> usize {
    let mut chance = Chance::seeded(SEED);
    let mut denied = 0;
    for _ in 0..times {
        let mut body = start.to_vec();
        let length = 1 + chance.below(1500);
        body.extend((0..length).map(|_| u8::try_from(chance.below(256)).unwrap()));
        let sent = Sent {
            body: Some(&body),
            ..GET
        };
        denied += usize::from(hold_any(&format!("b:{path}"), &sent) != Hold::No);
    }
    denied
}

#[test]
fn random_uploads_are_not_denied() {
    for (path, most) in [
        ("$.model", 0),
        ("$..messages[*].role", 0),
        ("$.id", 0),
        // A name of one letter is found by chance.
        ("$.a", 2),
        // So is anything at all.
        ("$[0]", 60),
        ("$..*", 60),
    ] {
        let denied = denied(path, b"", 10_000);
        assert!(denied <= most, "seed {SEED}: {path}: {denied}");
    }
}

#[test]
fn uploads_of_known_formats_are_not_denied() {
    let formats: [&[u8]; 18] = [
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0\0\x10JFIF\0",
        b"GIF89a",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        b"PK\x03\x04\x14\0",
        b"\x1f\x8b\x08\0\0\0\0\0",
        b"\x28\xb5\x2f\xfd",
        b"\x7fELF\x02\x01\x01\0",
        b"\0asm\x01\0\0\0",
        b"\0\0\0\x20ftypisom",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"OggS\0\x02",
        b"ID3\x04\0",
        b"SQLite format 3\0",
        b"\xca\xfe\xba\xbe\0\0\0\x34",
        b"--boundary\r\nContent-Type: application/json\r\n\r\n",
        b"{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}",
        b"[section]\nkey=",
    ];
    for start in formats {
        let denied = denied("$.model", start, 100);
        assert_eq!(denied, 0, "{}", String::from_utf8_lossy(start));
    }
}
