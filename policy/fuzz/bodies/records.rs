//! Any stream of records comes out as the same records, whatever its chunks, or ends.

use requestrocket_policy::records::{Framer, RecordError};

const MAX_BYTES: usize = 64;

/// What comes out when each record is put back as it is, the records, and how it ended.
type Outcome = (Vec<u8>, Vec<Vec<u8>>, Result<(), RecordError>);

fn run_framer(mut framer: Framer, stream: &[u8], chunk_bytes: usize) -> Outcome {
    let (mut out, mut records) = (Vec::new(), Vec::new());
    let mut put_back = |record: &[u8], out: &mut Vec<u8>| {
        records.push(record.to_vec());
        out.extend_from_slice(record);
        Ok(())
    };
    let pushed = stream
        .chunks(chunk_bytes)
        .try_for_each(|chunk| framer.push(chunk, &mut put_back, &mut out));
    let end = pushed.and_then(|()| framer.finish(&mut put_back, &mut out));
    (out, records, end)
}

/// The first byte says which format, the second how long the chunks are.
pub(crate) fn run(data: &[u8]) {
    let Some((&[format, chunk_bytes], stream)) = data.split_first_chunk() else {
        return;
    };
    let is_sse = format % 2 == 0;
    let framer = if is_sse { Framer::sse } else { Framer::ndjson };
    let chunk_bytes = 1 + usize::from(chunk_bytes);
    let (out, records, end) = run_framer(framer(MAX_BYTES), stream, chunk_bytes);
    let at_once = run_framer(framer(MAX_BYTES), stream, usize::MAX);
    assert_eq!(
        at_once,
        (out.clone(), records.clone(), end),
        "chunks matter"
    );
    assert!(records.iter().all(|record| record.len() <= MAX_BYTES));
    if !is_sse {
        assert!(stream.starts_with(&out), "another stream");
        assert!(end.is_err() || out == stream, "not the whole stream");
    }
    // Data lines grow by the space after their colon.
    let again = run_framer(framer(MAX_BYTES * 8), &out, chunk_bytes);
    assert_eq!(
        again,
        (out, records, Ok(())),
        "what came out is another stream"
    );
}
