//! Documents made to get a value past a filter.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::target::answer::{chunked, json as of_json};

use super::{SECRET, Scene, destroy, retain};
use crate::expect;

/// Documents that are JSON, with what is left of them when every member `s` goes.
#[tokio::test]
async fn no_spelling_of_a_name_or_place_hides_a_value() -> Result<()> {
    let scene = Scene::destroying(&["$..s"]).await?;
    let v = format!(r#""{SECRET}""#);
    let deep =
        |depth: usize, inner: &str| format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth));
    let cases = [
        (format!(r#"{{"s":1,"s":{v},"s":2}}"#), "{}".to_owned()),
        (format!(r#"{{"\u0073":{v}}}"#), "{}".to_owned()),
        (
            format!(r#"{{"\u0073":{v},"s":{v},"\u0073":{v}}}"#),
            "{}".to_owned(),
        ),
        (format!(r#"{{"s":[{v},{{"s":{v}}}]}}"#), "{}".to_owned()),
        (
            format!(r#"[[[{{"a":[{{"s":{v}}}]}}]]]"#),
            r#"[[[{"a":[{}]}]]]"#.to_owned(),
        ),
        (format!(r#"{{"s":"\ud800{SECRET}"}}"#), "{}".to_owned()),
        (
            format!(r#"{{"s":"\\","a":"\"","s":{v}}}"#),
            r#"{"a":"\""}"#.to_owned(),
        ),
        (
            format!(r#"{{"a":"}}","s":{v}}}"#),
            r#"{"a":"}"}"#.to_owned(),
        ),
        (format!("{{\"s\"\n:\t{v}\r}}"), "{".to_owned()),
        (
            format!(r#"{{"s":1e400,"s":-0,"s":{v},"n":1E+400}}"#),
            r#"{"n":1E+400}"#.to_owned(),
        ),
        (format!(r#"{{"":{{"s":{v}}}}}"#), r#"{"":{}}"#.to_owned()),
        (deep(100, &format!(r#"{{"s":{v}}}"#)), deep(100, "{}")),
    ];
    for (document, wanted) in cases {
        for script in [
            of_json(&document),
            chunked("application/json", &[&document]),
        ] {
            let reply = scene.reply(script).await?;
            expect::ok(&reply).context(document.clone())?;
            ensure!(
                reply.text().starts_with(&wanted),
                "{} of {document}",
                reply.text()
            );
        }
    }
    Ok(())
}

/// `M` stands for a member with the secret, `V` for the secret as a JSON text, `S` for itself.
const NO_JSON: [&str; 29] = [
    "{}M",
    "{} M",
    "{}\nM\n",
    "{}garbage S",
    ")]}',\nM",
    "callback(M)",
    "// S\n{}",
    "{} /* S */",
    "{'s':'S'}",
    "{s:V}",
    r#"{"s" V}"#,
    r#"{"a":1 "s":V}"#,
    r#"{"a":1,,"s":V}"#,
    r#"{"a":NaN,"s":V}"#,
    r#"{"a":01,"s":V}"#,
    r#"{"a":+1,"s":V}"#,
    r#"{"a":.5,"s":V}"#,
    r#"{"a":Infinity,"s":V}"#,
    "{\"a\":\"x\u{1}y\",\"s\":V}",
    "{\"a\":\"\n\",\"s\":V}",
    r#"{"a":"\x41","s":V}"#,
    r#"{"a":"\u12","s":V}"#,
    r#"{"a":tru,"s":V}"#,
    "[1,2,3]]M",
    "{}\0M",
    r#"{"a":1,"s":V"#,
    r#"{"a":1,"s":"S"#,
    "+ADw-M",
    "S",
];

/// The same with bytes that are no UTF-8, in other encodings, and too deep.
fn no_json() -> Vec<Vec<u8>> {
    let (quoted, member) = (format!("\"{SECRET}\""), format!(r#"{{"s":"{SECRET}"}}"#));
    let texts = NO_JSON.map(|text| {
        let text = text.replace('M', &member).replace('V', &quoted);
        if text.contains(SECRET) {
            text
        } else {
            text.replace('S', SECRET)
        }
    });
    let mut all = texts.map(String::into_bytes).to_vec();
    for wrong in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80"] {
        let rest = format!(r#"","s":{quoted}}}"#);
        all.push([br#"{"a":"x"#, wrong, rest.as_bytes()].concat());
    }
    let units = member.encode_utf16();
    let little: Vec<u8> = units.clone().flat_map(u16::to_le_bytes).collect();
    all.push([b"\xff\xfe", little.as_slice()].concat());
    all.push(little);
    all.push(units.flat_map(u16::to_be_bytes).collect());
    all.push(
        member
            .chars()
            .flat_map(|c| u32::from(c).to_le_bytes())
            .collect(),
    );
    let (open, close) = ("[".repeat(50_000), "]".repeat(50_000));
    all.push(format!("{open}{member}{close}").into());
    all.push(open.into());
    all
}

/// What some reader would take for JSON and another not. Whatever comes out, the value does not.
#[tokio::test]
async fn what_is_not_one_json_text_ends_the_answer() -> Result<()> {
    let documents = no_json();
    for filter in [destroy(&["$..s"]), retain(&["$.a"])] {
        let scene = Scene::start().await?;
        scene.filter(Layer::Proxy, &filter).await?;
        for document in &documents {
            let shown = document.escape_ascii().to_string();
            let label = shown.get(..60).unwrap_or(&shown).to_owned();
            for script in [of_json(document), chunked("application/json", &[document])] {
                let reply = scene.reply(script).await.with_context(|| label.clone())?;
                match reply.status {
                    200 => ensure!(!reply.complete, "{label} came whole: {}", reply.text()),
                    _ => expect::not_filterable(&reply).with_context(|| label.clone())?,
                }
            }
        }
    }
    Ok(())
}

/// Readers differ in whether they skip it, so the value must go either way.
#[tokio::test]
async fn a_byte_order_mark_hides_nothing() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    let document = format!("\u{feff}{{\"s\":\"{SECRET}\",\"a\":1}}");
    let reply = scene.reply(of_json(&document)).await?;
    if reply.status == 200 {
        ensure!(
            !reply.complete || reply.text().ends_with(r#"{"a":1}"#),
            "{}",
            reply.text()
        );
    } else {
        expect::not_filterable(&reply)?;
    }
    Ok(())
}

/// A value in a text that holds JSON is text: filters do not look into it, and say so by leaving
/// it alone.
#[tokio::test]
async fn json_inside_a_text_is_text() -> Result<()> {
    let scene = Scene::destroying(&["$..s"]).await?;
    let document = r#"{"a":"{\"s\":1}","s":"{\"a\":1}"}"#;
    ensure!(scene.redacted(document).await? == r#"{"a":"{\"s\":1}"}"#);
    Ok(())
}
