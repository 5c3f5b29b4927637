//! Server-sent events.

use super::*;

const REFUSED: Result<(), Stop> = Err(Stop::Refused);
const TOO_LARGE: Result<(), Stop> = Err(Stop::Framing(RecordError::TooLarge));
const NOT_TEXT: Result<(), Stop> = Err(Stop::Framing(RecordError::NotText));

#[test]
fn records_are_the_data_of_events() {
    for (stream, want) in [
        ("", ""),
        ("data: 1\n\n", "data: <1>\n\n"),
        ("data:1\n\n", "data: <1>\n\n"),
        ("data:  1 \n\n", "data: < 1 >\n\n"),
        ("data: 1\n\ndata: 2\n\n", "data: <1>\n\ndata: <2>\n\n"),
        (
            "data: 1\n\n\n\ndata: 2\n\n",
            "data: <1>\n\n\n\ndata: <2>\n\n",
        ),
        ("data: 1\ndata: 2\n\n", "data: <1\ndata: 2>\n\n"),
        ("data\ndata: 2\n\n", "data: <\ndata: 2>\n\n"),
        ("data: 1\ndata\n\n", "data: <1\ndata: >\n\n"),
    ] {
        check(Framer::sse, stream, want, Ok(()));
    }
}

#[test]
fn other_lines_stay_where_they_are() {
    for (stream, want) in [
        (
            "event: x\nid: 1\ndata: 1\nretry: 5\n\n",
            "event: x\nid: 1\ndata: <1>\nretry: 5\n\n",
        ),
        (
            "id: 1\ndata: 1\n: note\ndata: 2\nevent: x\n\n",
            "id: 1\ndata: <1\ndata: 2>\n: note\nevent: x\n\n",
        ),
        ("event: ping\n\ndata: 1\n\n", "event: ping\n\ndata: <1>\n\n"),
        (": hi\n\n", ": hi\n\n"),
        (":\n:\ndata: 1\n\n", ":\n:\ndata: <1>\n\n"),
        (
            "datas: 4\nx:data: 5\nx-1_2.3\n\n",
            "datas: 4\nx:data: 5\nx-1_2.3\n\n",
        ),
        ("data: [DONE]\n\n", "data: [DONE]\n\n"),
        ("id:7\ndata:[DONE]\n\n", "id:7\ndata:[DONE]\n\n"),
        ("data:\n\n", "data:\n\n"),
        ("data\n\n", "data\n\n"),
        ("data: \ndata:\n\n", "data: \ndata:\n\n"),
        ("data: [DONE]x\n\n", "data: <[DONE]x>\n\n"),
        ("data: [DONE]\ndata: 1\n\n", "data: <[DONE]\ndata: 1>\n\n"),
    ] {
        check(Framer::sse, stream, want, Ok(()));
    }
}

/// A target that says `text/event-stream` and sends something else.
#[test]
fn what_is_no_field_ends_a_stream_that_is_changed() {
    let not_field = Err(Stop::Framing(RecordError::NotField));
    for line in [
        "Data: 1",
        "DATA:1",
        " data: 1",
        "data : 1",
        "data 1",
        "\tdata: 1",
        "{\"s\":1}",
        "[1]",
        "\"s\"",
        "  \"s\": 1",
        "<s>",
    ] {
        for (before, sent) in [("", ""), ("data: 1\n\n", "data: <1>\n\n"), ("id: 1\n", "")] {
            for end in ["", "\n", "\n\n", "\ndata: 2\n\n"] {
                let stream = format!("{before}{line}{end}");
                check(Framer::sse, &stream, sent, not_field);
            }
        }
        let mut seen = 0;
        let mut reader = Framer::sse_to_read(MAX);
        let stream = format!("{line}\n\ndata: 1\n\n");
        reader.read(stream.as_bytes(), &mut |_| seen += 1).unwrap();
        assert_eq!(
            seen, 1,
            "{line:?} is passed over where a stream is only read"
        );
    }
}

#[test]
fn lines_end_as_they_did() {
    for (stream, want) in [
        ("data: 1\r\n\r\n", "data: <1>\r\n\r\n"),
        ("data: 1\r\r", "data: <1>\r\r"),
        ("data: 1\r\r\ndata: 2\n\r", "data: <1>\r\r\ndata: <2>\n\r"),
        ("id: 1\rdata: 1\r\n\n", "id: 1\rdata: <1>\r\n\n"),
        ("data: 1\r\ndata: 2\n\r\n", "data: <1\r\ndata: 2>\r\n\r\n"),
        (
            "data: 1\n\r\ndata: 2\r\n\n\r\n",
            "data: <1>\n\r\ndata: <2>\r\n\n\r\n",
        ),
        (": hi\r\n\r\n: ho\r\r", ": hi\r\n\r\n: ho\r\r"),
        // The blank line must not become a part of the line end before it.
        ("data: 1\rdata: 2\n\n", "data: <1\rdata: 2>\r\n\n"),
        (
            "data: 1\nid: 1\rdata: 2\n\n",
            "data: <1\ndata: 2>\nid: 1\r\n\n",
        ),
        ("\r\n\r\rdata: 1\n\n", "\r\n\r\rdata: <1>\n\n"),
    ] {
        check(Framer::sse, stream, want, Ok(()));
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    for (stream, want) in [
        ("\u{feff}data: 1\n\n", "\u{feff}data: <1>\n\n"),
        ("\u{feff}\ndata: 1\n\n", "\u{feff}\ndata: <1>\n\n"),
        ("\u{feff}", "\u{feff}"),
    ] {
        check(Framer::sse, stream, want, Ok(()));
    }
    let cut = run(Framer::sse(MAX), b"\xef\xbb", &[1], &mut bracket);
    // Half of one, or one anywhere else, is of a line, which then is no field.
    let not_field = Err(Stop::Framing(RecordError::NotField));
    assert_eq!(cut, (Vec::new(), not_field));
    check(Framer::sse, "\n\u{feff}data: 1\n\n", "\n", not_field);
    let twice = "\u{feff}\u{feff}data: 1\n\n";
    check(Framer::sse, twice, "\u{feff}", not_field);
}

#[test]
fn the_end_of_the_stream_ends_the_last_event() {
    for (stream, want) in [
        ("data: 1\n\ndata: 2\n", "data: <1>\n\ndata: <2>\n"),
        ("data: 1", "data: <1>"),
        ("data:1", "data: <1>"),
        ("data: 1\r", "data: <1>\r"),
        ("data: 1\r\n", "data: <1>\r\n"),
        ("id: 2\ndata: 1\nevent: x", "id: 2\ndata: <1>\nevent: x"),
        ("data: 1\ndata: 2", "data: <1\ndata: 2>\n"),
        ("data: 1\rid: 1\rdata: 2", "data: <1\rdata: 2>\rid: 1\r"),
        ("\u{feff}data: 1", "\u{feff}data: <1>"),
        ("id: 1\n", "id: 1\n"),
        ("da", "da"),
        ("data", "data"),
        (": bye", ": bye"),
        ("data: 1\n\ndata: [DONE]\n", "data: <1>\n\ndata: [DONE]\n"),
        ("data: 1\n\ndata: [DONE]", "data: <1>\n\ndata: [DONE]"),
    ] {
        check(Framer::sse, stream, want, Ok(()));
    }
    for last in ["data: bad", "id: 2\ndata: bad\n", "data: bad\r\n"] {
        let stream = format!("data: 1\n\n{last}");
        check(Framer::sse, &stream, "data: <1>\n\n", REFUSED);
    }
}

#[test]
fn lines_made_of_a_last_record_end() {
    let split = &mut |_: &[u8], out: &mut Vec<u8>| {
        out.extend_from_slice(b"[\n]");
        Ok(())
    };
    let (out, end) = run(Framer::sse(MAX), b"data: []", &[1], split);
    assert_eq!((out, end), (b"data: [\ndata: ]".to_vec(), Ok(())));
}

#[test]
fn nothing_of_a_refused_event_is_sent() {
    for (stream, want, end) in [
        ("data: bad\n\n", "", REFUSED),
        (
            "data: 1\n\nid: 2\nevent: x\ndata: bad\n\ndata: 3\n\n",
            "data: <1>\n\n",
            REFUSED,
        ),
        (
            ": note\nid: 2\n: secret\ndata: bad\n\n",
            ": note\n",
            REFUSED,
        ),
        (
            "data: 1\n\nd\0a\0t\0a\0:\0\n\0\n\0",
            "data: <1>\n\n",
            NOT_TEXT,
        ),
        ("data: 1\n\nid: 2\0\n\n", "data: <1>\n\n", NOT_TEXT),
        ("data: 1\n\nid: 2\0", "data: <1>\n\n", NOT_TEXT),
    ] {
        check(Framer::sse, stream, want, end);
    }
}

#[test]
fn what_can_be_sent_is_sent_at_once() {
    let mut framer = Framer::sse(MAX);
    for (chunk, want) in [
        ("id: 1\n", ""),
        ("data: 1\r\n", ""),
        ("\r", "id: 1\ndata: <1>\r\n\r"),
        ("\n", "\n"),
        (": hi\n", ": hi\n"),
        (": ho\r", ": ho\r"),
        ("\n", "\n"),
        ("event: x\n: hi\n", ""),
        ("\n", "event: x\n: hi\n\n"),
    ] {
        let mut out = Vec::new();
        framer
            .push(chunk.as_bytes(), &mut bracket, &mut out)
            .unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), want, "{chunk:?}");
    }
}

#[test]
fn an_event_has_a_longest() {
    let longest = format!("data: {}\n\n", "1".repeat(MAX - 8));
    let (out, end) = run(Framer::sse(MAX), longest.as_bytes(), &[7], &mut same);
    assert_eq!((&out[..], end), (longest.as_bytes(), Ok(())));
    let one = "data: 1\n\n";
    for stream in [
        format!("{one}data: {}\n\n", "1".repeat(MAX - 7)),
        format!("{one}data: {}", "1".repeat(MAX)),
        format!("{one}{}\n", "id: 1\n".repeat(MAX / 6 + 1)),
        format!("{one}:{}\n", " ".repeat(MAX)),
        format!("{one}{}", "x".repeat(MAX + 1)),
    ] {
        check(Framer::sse, &stream, "data: <1>\n\n", TOO_LARGE);
    }
}

/// What a browser makes of a stream that ends with a blank line: type, data and id of each event
/// (WHATWG HTML §9.2.6).
fn dispatched(stream: &str) -> Vec<(String, String, String)> {
    let stream = format!("{stream}\n\n");
    let text = stream.strip_prefix('\u{feff}').unwrap_or(&stream);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.pop();
    let (mut kind, mut data, mut id) = (String::new(), String::new(), String::new());
    let mut events = Vec::new();
    for line in lines {
        if line.is_empty() {
            if let Some(data) = data.strip_suffix('\n') {
                events.push((std::mem::take(&mut kind), data.to_owned(), id.clone()));
            }
            data.clear();
            kind.clear();
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut kind),
            "data" => data = format!("{data}{value}\n"),
            "id" => value.clone_into(&mut id),
            _ => {}
        }
    }
    events
}

fn stream() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        4 => "data: ?[a-z {}\"]{0,8}",
        1 => "(data|data: ?|data:\\[DONE\\])",
        1 => "(event|id|retry|datas|x-data): ?[a-z0-9]{0,4}",
        1 => ":[a-z ]{0,5}",
        3 => Just(String::new()),
    ];
    let lines = proptest::collection::vec((line, "\n|\r\n|\r"), 0..20);
    (lines, "\u{feff}?", "[a-z:]{0,5}").prop_map(|(lines, start, rest)| {
        let lines: String = lines.into_iter().map(|(line, end)| line + &end).collect();
        format!("{start}{lines}{rest}")
    })
}

proptest! {
    #[test]
    fn a_browser_sees_the_same_events(
        stream in stream(),
        sizes in proptest::collection::vec(1usize..20, 1..5),
    ) {
        let (out, end) = run(Framer::sse(MAX), stream.as_bytes(), &sizes, &mut same);
        prop_assert_eq!(end, Ok(()));
        let out = String::from_utf8(out).unwrap();
        prop_assert_eq!(dispatched(&out), dispatched(&stream));
    }

    #[test]
    fn records_are_the_data_that_a_browser_sees(
        stream in stream(),
        sizes in proptest::collection::vec(1usize..20, 1..5),
    ) {
        let is_record = |data: &String| !matches!(data.trim(), "" | "[DONE]");
        let want: Vec<String> = dispatched(&stream)
            .into_iter()
            .map(|(_, data, _)| data)
            .filter(is_record)
            .collect();
        let mut seen = Vec::new();
        let mut look = |record: &[u8], _: &mut Vec<u8>| {
            seen.push(String::from_utf8(record.to_vec()).unwrap());
            Ok(())
        };
        let (_, end) = run(Framer::sse(MAX), stream.as_bytes(), &sizes, &mut look);
        prop_assert_eq!(end, Ok(()));
        prop_assert_eq!(seen, want);
    }

    #[test]
    fn chunks_change_nothing(
        stream in stream(),
        sizes in proptest::collection::vec(1usize..20, 1..5),
    ) {
        let at_once = run(Framer::sse(MAX), stream.as_bytes(), &[usize::MAX], &mut bracket);
        let chunked = run(Framer::sse(MAX), stream.as_bytes(), &sizes, &mut bracket);
        prop_assert_eq!(at_once, chunked);
    }
}
