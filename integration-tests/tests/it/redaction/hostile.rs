//! F17: documents made to get a value past a filter.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::target::answer::{chunked, json as of_json};

use super::{SECRET, Scene, destroy, retain};
use crate::expect;

/// Documents that are JSON, with what is left of them when every member `s` goes.
#[tokio::test]
async fn f17_no_spelling_of_a_name_or_place_hides_a_value() -> Result<()> {
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

/// What some reader would take for JSON and another not. Whatever comes out, the value does not.
#[tokio::test]
async fn f17_what_is_not_one_json_text_ends_the_answer() -> Result<()> {
    let v = format!(r#""{SECRET}""#);
    let member = format!(r#"{{"s":{v}}}"#);
    let utf16_le: Vec<u8> = member.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16_be: Vec<u8> = member.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let utf32: Vec<u8> = member
        .chars()
        .flat_map(|c| u32::from(c).to_le_bytes())
        .collect();
    let documents: Vec<Vec<u8>> = vec![
        format!("{{}}{member}").into(),
        format!("{{}} {member}").into(),
        format!("{{}}\n{member}\n").into(),
        format!("{{}}garbage {SECRET}").into(),
        format!(")]}}',\n{member}").into(),
        format!("callback({member})").into(),
        format!("// {SECRET}\n{{}}").into(),
        format!("{{}} /* {SECRET} */").into(),
        format!("{{'s':'{SECRET}'}}").into(),
        format!("{{s:{v}}}").into(),
        format!(r#"{{"s" {v}}}"#).into(),
        format!(r#"{{"a":1 "s":{v}}}"#).into(),
        format!(r#"{{"a":1,,"s":{v}}}"#).into(),
        format!(r#"{{"a":NaN,"s":{v}}}"#).into(),
        format!(r#"{{"a":01,"s":{v}}}"#).into(),
        format!(r#"{{"a":+1,"s":{v}}}"#).into(),
        format!(r#"{{"a":.5,"s":{v}}}"#).into(),
        format!(r#"{{"a":Infinity,"s":{v}}}"#).into(),
        format!(r#"{{"a":"x{}y","s":{v}}}"#, '\u{1}').into(),
        format!("{{\"a\":\"\n\",\"s\":{v}}}").into(),
        format!(r#"{{"a":"\x41","s":{v}}}"#).into(),
        format!(r#"{{"a":"\u12","s":{v}}}"#).into(),
        format!(r#"{{"a":tru,"s":{v}}}"#).into(),
        format!("[1,2,3]]{member}").into(),
        format!("{{}}\0{member}").into(),
        format!(r#"{{"a":1,"s":{v}"#).into(),
        format!(r#"{{"a":1,"s":"{SECRET}"#).into(),
        [
            &br#"{"a":"x"#[..],
            b"\xff",
            br#"","s":"#,
            v.as_bytes(),
            b"}",
        ]
        .concat(),
        [
            &br#"{"a":"x"#[..],
            b"\xc0\xaf",
            br#"","s":"#,
            v.as_bytes(),
            b"}",
        ]
        .concat(),
        [
            &br#"{"a":"x"#[..],
            b"\xed\xa0\x80",
            br#"","s":"#,
            v.as_bytes(),
            b"}",
        ]
        .concat(),
        utf16_le.clone(),
        utf16_be,
        [b"\xff\xfe".to_vec(), utf16_le].concat(),
        utf32,
        format!("+ADw-{member}").into(),
        SECRET.into(),
        "[".repeat(50_000).into(),
        format!("{}{member}{}", "[".repeat(50_000), "]".repeat(50_000)).into(),
    ];
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
async fn f17_a_byte_order_mark_hides_nothing() -> Result<()> {
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
async fn f17_json_inside_a_text_is_text() -> Result<()> {
    let scene = Scene::destroying(&["$..s"]).await?;
    let document = r#"{"a":"{\"s\":1}","s":"{\"a\":1}"}"#;
    ensure!(scene.redacted(document).await? == r#"{"a":"{\"s\":1}"}"#);
    Ok(())
}
