//! NDJSON.

use super::*;

const REFUSED: Result<(), Stop> = Err(Stop::Refused);
const TOO_LARGE: Result<(), Stop> = Err(Stop::Framing(RecordError::TooLarge));

#[test]
fn records_are_lines() {
    for (stream, want, end) in [
        ("", "", Ok(())),
        ("1", "<1>", Ok(())),
        ("1\n", "<1>\n", Ok(())),
        ("1\r\n", "<1>\r\n", Ok(())),
        ("1\n2\n", "<1>\n<2>\n", Ok(())),
        ("1\n\n2", "<1>\n\n<2>", Ok(())),
        ("\n\r\n \t\r\n1\n  ", "\n\r\n \t\r\n<1>\n  ", Ok(())),
        (" 1 \n", "< 1 >\n", Ok(())),
        ("1\r2\n", "<1\r2>\n", Ok(())),
        ("1\r\r\n", "<1\r>\r\n", Ok(())),
        ("1\r", "<1>\r", Ok(())),
        ("[DONE]\n", "<[DONE]>\n", Ok(())),
        ("1\nbad\n2\n", "<1>\n", REFUSED),
        ("1\n\nbad", "<1>\n\n", REFUSED),
        ("bad", "", REFUSED),
    ] {
        check(Framer::ndjson, stream, want, end);
    }
}

#[test]
fn a_record_has_a_longest() {
    let longest = "1".repeat(MAX - 1);
    check(
        Framer::ndjson,
        &format!("{longest}\n{longest}\n"),
        &format!("<{longest}>\n<{longest}>\n"),
        Ok(()),
    );
    check(
        Framer::ndjson,
        &format!("1\n{longest}1\n"),
        "<1>\n",
        TOO_LARGE,
    );
    check(
        Framer::ndjson,
        &format!("1\n{longest}11"),
        "<1>\n",
        TOO_LARGE,
    );
}

proptest! {
    #[test]
    fn the_same_records_make_the_same_stream(
        lines in proptest::collection::vec(("[a-z \t{}\":,]{0,12}", "\n|\r\n"), 0..12),
        last in "[a-z \r]{0,5}",
        sizes in proptest::collection::vec(1usize..20, 1..5),
    ) {
        let mut stream: String = lines.into_iter().map(|(line, end)| line + &end).collect();
        stream.push_str(&last);
        let (out, end) = run(Framer::ndjson(MAX), stream.as_bytes(), &sizes, &mut same);
        prop_assert_eq!(end, Ok(()));
        prop_assert_eq!(String::from_utf8(out).unwrap(), stream);
    }

    #[test]
    fn records_are_what_a_splitter_finds(
        lines in proptest::collection::vec("[a-z ]{0,6}\r?", 1..12),
        sizes in proptest::collection::vec(1usize..20, 1..5),
    ) {
        let stream = lines.join("\n");
        let want: Vec<&str> = stream
            .split('\n')
            .filter(|line| !line.trim().is_empty())
            .map(|line| line.strip_suffix('\r').unwrap_or(line))
            .collect();
        let mut seen = Vec::new();
        let mut look = |record: &[u8], _: &mut Vec<u8>| {
            seen.push(String::from_utf8(record.to_vec()).unwrap());
            Ok(())
        };
        let (_, end) = run(Framer::ndjson(MAX), stream.as_bytes(), &sizes, &mut look);
        prop_assert_eq!(end, Ok(()));
        prop_assert_eq!(seen, want);
    }
}
