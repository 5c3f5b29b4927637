use proptest::prelude::*;

use super::*;

mod ndjson;
mod sse;

const MAX: usize = 1000;

/// What ends a stream in these tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Framing(RecordError),
    /// The record was refused.
    Refused,
}

impl From<RecordError> for Stop {
    fn from(error: RecordError) -> Self {
        Self::Framing(error)
    }
}

/// Puts brackets around a record, and refuses one that says `bad`.
fn bracket(record: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
    out.push(b'<');
    if record == b"bad" {
        return Err(Stop::Refused);
    }
    out.extend_from_slice(record);
    out.push(b'>');
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "it is a `Rewrite`")]
fn same(record: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
    out.extend_from_slice(record);
    Ok(())
}

/// What comes out of a stream in chunks of these sizes over and over, and how it ended.
fn run(
    mut framer: Framer,
    stream: &[u8],
    sizes: &[usize],
    rewrite: Rewrite<'_, Stop>,
) -> (Vec<u8>, Result<(), Stop>) {
    let mut out = Vec::new();
    let mut rest = stream;
    for size in sizes.iter().cycle() {
        let Some((chunk, after)) = rest.split_at_checked(*size) else {
            break;
        };
        rest = after;
        if let Err(stop) = framer.push(chunk, rewrite, &mut out) {
            return (out, Err(stop));
        }
    }
    let end = framer
        .push(rest, rewrite, &mut out)
        .and_then(|()| framer.finish(rewrite, &mut out));
    (out, end)
}

/// Runs the stream at once and byte by byte, which must come to the same.
fn check(framer: fn(usize) -> Framer, stream: &str, want: &str, end: Result<(), Stop>) {
    for sizes in [&[usize::MAX][..], &[1], &[2], &[3, 1]] {
        let (out, ended) = run(framer(MAX), stream.as_bytes(), sizes, &mut bracket);
        let out = String::from_utf8_lossy(&out);
        assert_eq!(out, want, "{stream:?} by {sizes:?}");
        assert_eq!(ended, end, "{stream:?} by {sizes:?}");
    }
}

#[test]
fn what_failed_stays_failed() {
    for (mut framer, bad) in [
        (Framer::sse(MAX), "data: bad\n\n"),
        (Framer::ndjson(MAX), "bad\n"),
    ] {
        let mut out = Vec::new();
        let failed = Err(Stop::Framing(RecordError::Failed));
        let refused = framer.push(bad.as_bytes(), &mut bracket, &mut out);
        assert_eq!(refused, Err(Stop::Refused));
        assert_eq!(framer.push(b"\n", &mut bracket, &mut out), failed);
        assert_eq!(framer.finish(&mut bracket, &mut out), failed);
        assert_eq!(framer.read(b"1", &mut |_| {}), Err(RecordError::Failed));
        assert_eq!(out, b"");
    }
}

#[test]
fn a_reader_sees_the_records_and_nothing_else() {
    for (mut framer, stream, want) in [
        (
            Framer::sse(MAX),
            ": hi\n\nid: 1\ndata: 1\n\ndata: 2\ndata: 3\n\ndata: [DONE]\n\ndata: 4\n",
            &["1", "2\n3", "4"][..],
        ),
        (Framer::ndjson(MAX), "1\r\n\n2 \n 3", &["1", "2 ", " 3"]),
    ] {
        let mut seen = Vec::new();
        let mut look = |record: &[u8]| seen.push(String::from_utf8(record.to_vec()).unwrap());
        for chunk in stream.as_bytes().chunks(3) {
            framer.read(chunk, &mut look).unwrap();
        }
        framer.read_end(&mut look).unwrap();
        assert_eq!(seen, want);
    }
}

#[test]
fn errors_tell_nothing_of_the_content() {
    for (error, want) in [
        (RecordError::TooLarge, "a record of the stream is too long"),
        (RecordError::NotText, "an event of the stream is not text"),
        (
            RecordError::NotField,
            "a line of the stream is not a field of an event",
        ),
        (RecordError::Failed, "the stream of records has failed"),
    ] {
        assert_eq!(error.to_string(), want);
    }
}

proptest! {
    #[test]
    fn any_stream_is_framed_or_refused(
        is_sse: bool,
        stream: Vec<u8>,
        sizes in proptest::collection::vec(1usize..20, 1..5),
    ) {
        let framer = if is_sse { Framer::sse } else { Framer::ndjson };
        let (out, _) = run(framer(40), &stream, &sizes, &mut same);
        prop_assert!(out.len() <= stream.len() * 7);
    }
}
