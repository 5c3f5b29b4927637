//! Answers that cost a gateway the most: shapes × codings × framings.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use anyhow::Result;
use requestrocket_integration_tests::codings::encode;
use requestrocket_integration_tests::target::{Script, Step, chunk_bytes, head, send};

/// What the body is, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// One document of small objects.
    Document,
    /// Lines of one digit.
    Records,
    /// Lines of objects that every path finds something in.
    Objects,
    Events,
    /// Arrays in arrays, as deep as documents may be, again and again.
    Deep,
    /// One array of 300,000 numbers.
    Array,
    /// Two mebibytes of the shortest values.
    Values,
    /// Texts and names that are nothing but escapes.
    Escapes,
}

/// How the body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Framing {
    Length,
    SmallChunks,
    OneChunk,
    Trailers,
}

pub(crate) const SHAPES: [Shape; 8] = [
    Shape::Document,
    Shape::Records,
    Shape::Objects,
    Shape::Events,
    Shape::Deep,
    Shape::Array,
    Shape::Values,
    Shape::Escapes,
];

pub(crate) const CODINGS: [&str; 5] = ["identity", "gzip", "deflate", "br", "zstd"];

pub(crate) const FRAMINGS: [Framing; 4] = [
    Framing::Length,
    Framing::SmallChunks,
    Framing::OneChunk,
    Framing::Trailers,
];

/// One answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) shape: Shape,
    pub(crate) coding: &'static str,
    pub(crate) framing: Framing,
}

impl Shape {
    fn content_type(self) -> &'static str {
        match self {
            Self::Records | Self::Objects => "application/x-ndjson",
            Self::Events => "text/event-stream",
            Self::Document | Self::Deep | Self::Array | Self::Values | Self::Escapes => {
                "application/json"
            }
        }
    }

    fn plain(self) -> Vec<u8> {
        const OBJECT: &str = r#"{"a":[1,{"x":1}],"a0":[2],"x":{"x":3}}"#;
        match self {
            Self::Document => array_of(r#"{"x":1,"y":"z","a7":[1]}"#, 40_000),
            Self::Records => b"1\n".repeat(512 << 10),
            Self::Objects => format!("{OBJECT}\n").repeat(25_000).into_bytes(),
            Self::Events => format!("data: {OBJECT}\n\n").repeat(20_000).into_bytes(),
            Self::Deep => array_of(&format!("{}{}", "[".repeat(90), "]".repeat(90)), 5_000),
            Self::Array => format!("[{}0]", "0,".repeat(299_999)).into_bytes(),
            Self::Values => array_of("1", 1 << 20),
            Self::Escapes => array_of(&format!(r#"{{"{0}":"{0}"}}"#, r"\u0041".repeat(1_000)), 90),
        }
    }
}

fn array_of(element: &str, times: usize) -> Vec<u8> {
    let others = format!(",{element}").repeat(times - 1);
    format!(r#"{{"a":[{element}{others}]}}"#).into_bytes()
}

impl Framing {
    fn script(self, content_type: &str, coding: &str, body: &[u8]) -> Script {
        let mut headers = vec![("content-type", content_type)];
        if coding != "identity" {
            headers.push(("content-encoding", coding));
        }
        let (length, framed) = (body.len().to_string(), self.frame(body));
        headers.push(match self {
            Self::Length => ("content-length", &length),
            Self::SmallChunks | Self::OneChunk | Self::Trailers => ("transfer-encoding", "chunked"),
        });
        Script::AfterRequest(vec![head("200 OK", &headers), send(framed)])
    }

    fn frame(self, body: &[u8]) -> Vec<u8> {
        let chunks = |size| {
            let pieces = body.chunks(size).map(chunk_bytes);
            pieces.collect::<Vec<_>>().concat()
        };
        match self {
            Self::Length => body.to_vec(),
            Self::SmallChunks => [chunks(61).as_slice(), b"0\r\n\r\n"].concat(),
            Self::OneChunk => [chunks(body.len()).as_slice(), b"0\r\n\r\n"].concat(),
            Self::Trailers => {
                let end = b"0\r\nx-rr-route: a\r\nx-last: b\r\n\r\n";
                [chunks(16 << 10).as_slice(), end].concat()
            }
        }
    }
}

/// Encodes each shape once per coding.
#[derive(Debug, Default)]
pub(crate) struct Encoded(BTreeMap<(Shape, &'static str), Vec<u8>>);

impl Encoded {
    pub(crate) fn script(&mut self, answer: Answer) -> Result<Script> {
        let Answer {
            shape,
            coding,
            framing,
        } = answer;
        let body = match self.0.entry((shape, coding)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(encode(coding, &shape.plain())?),
        };
        Ok(framing.script(shape.content_type(), coding, body))
    }
}

/// A 200 of a coded body whose head is followed by these steps.
pub(crate) fn answering(headers: &[(&str, &str)], body: Vec<Step>) -> Script {
    let mut steps = vec![head("200 OK", headers)];
    steps.extend(body);
    Script::AfterRequest(steps)
}

/// Which answers a reader (of so many) gets in the short form: every two of shape, coding, framing
/// and reader meet in some call.
pub(crate) fn pairs(reader: usize) -> impl Iterator<Item = Answer> {
    let every = SHAPES.iter().enumerate();
    every.map(move |(number, shape)| Answer {
        shape: *shape,
        coding: CODINGS[(number + reader) % CODINGS.len()],
        framing: FRAMINGS[(number + reader + reader / 4) % FRAMINGS.len()],
    })
}

/// All of them.
pub(crate) fn product() -> impl Iterator<Item = Answer> {
    let codings = CODINGS.iter().flat_map(|coding| {
        let framings = FRAMINGS.iter();
        framings.map(move |framing| (*coding, *framing))
    });
    codings.flat_map(|(coding, framing)| {
        SHAPES.iter().map(move |shape| Answer {
            shape: *shape,
            coding,
            framing,
        })
    })
}

#[test]
fn every_two_of_a_kind_meet_in_the_short_form() {
    use std::collections::BTreeSet;

    let readers = crate::readers::READERS.len();
    let mut met = BTreeSet::new();
    for reader in 0..readers {
        for answer in pairs(reader) {
            let words = [
                format!("{:?}", answer.shape),
                answer.coding.to_owned(),
                format!("{:?}", answer.framing),
                format!("reader {reader}"),
            ];
            for (number, one) in words.iter().enumerate() {
                let others = words.iter().skip(number + 1);
                met.extend(others.map(|other| format!("{one} {other}")));
            }
        }
    }
    let counts = [SHAPES.len(), CODINGS.len(), FRAMINGS.len(), readers];
    let squares: usize = counts.iter().map(|count| count * count).sum();
    let all: usize = counts.iter().sum();
    assert_eq!(met.len(), (all * all - squares) / 2);
}
