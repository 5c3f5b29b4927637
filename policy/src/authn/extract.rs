//! What the caller presents: the `Authorization` header, or the query parameter of that name.

use std::fmt;

use crate::{
    http::{
        Lines, RequestHead,
        query::{Carried, carried},
    },
    secret::SecretBytes,
};

/// The presented credential.
#[derive(PartialEq, Eq)]
pub(crate) enum Presented<'a> {
    /// None at all, or a blank one.
    Missing,
    /// Several values where one is allowed.
    Several,
    /// From the header.
    Header(&'a [u8]),
    /// From the query, decoded.
    Query(SecretBytes),
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "Missing",
            Self::Several => "Several",
            Self::Header(_) => "Header",
            Self::Query(_) => "Query",
        })
    }
}

/// Finds the presented credential. When there is a header it alone is judged.
pub(crate) fn presented<'a>(head: &RequestHead<'a>, query: Option<&[u8]>) -> Presented<'a> {
    match head.authorization {
        Lines::One(value) if is_blank(value) => Presented::Missing,
        Lines::One(value) => Presented::Header(value),
        Lines::Several => Presented::Several,
        Lines::None => match carried(query.unwrap_or_default()) {
            Carried::Nothing | Carried::Blank => Presented::Missing,
            Carried::One(value) => Presented::Query(value),
            Carried::Several => Presented::Several,
        },
    }
}

fn is_blank(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b' ' | b'\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[&str], query: Option<&str>, want: &Presented<'_>) {
        let lines: Vec<_> = headers
            .iter()
            .map(|value| (&b"authorization"[..], value.as_bytes()))
            .collect();
        let head = RequestHead::new(&lines);
        let got = presented(&head, query.map(str::as_bytes));
        assert_eq!(&got, want, "{headers:?} {query:?}");
    }

    #[test]
    fn the_header_wins_and_is_judged_alone() {
        let key = Presented::Header(b"key");
        check(&["key"], None, &key);
        check(&["key"], Some("Authorization=other"), &key);
        check(&["key"], Some("Authorization=a&Authorization=b"), &key);
        check(&["a,b"], None, &Presented::Header(b"a,b"));
        check(&[" key"], None, &Presented::Header(b" key"));
    }

    #[test]
    fn a_blank_header_presents_nothing_even_beside_a_parameter() {
        for blank in ["", " ", "\t "] {
            check(&[blank], None, &Presented::Missing);
            check(&[blank], Some("Authorization=key"), &Presented::Missing);
        }
    }

    #[test]
    fn two_lines_are_several_also_when_equal_or_blank() {
        for lines in [["a", "b"], ["a", "a"], ["", "a"], ["", ""]] {
            check(&lines, None, &Presented::Several);
            check(&lines, Some("Authorization=key"), &Presented::Several);
        }
    }

    #[test]
    fn without_a_header_the_parameter_counts() {
        let key = Presented::Query(SecretBytes::from(&b"key"[..]));
        check(&[], Some("Authorization=key"), &key);
        check(&[], Some("x=1&authorization=key"), &key);
        check(&[], Some("Authorization=&Authorization=key"), &key);
        check(
            &[],
            Some("Authorization=key&Authorization=key"),
            &Presented::Several,
        );
        check(&[], Some("Authorization="), &Presented::Missing);
        check(&[], Some("Authorization"), &Presented::Missing);
        check(&[], Some("Authorization=%20%09"), &Presented::Missing);
        check(&[], Some("x=1"), &Presented::Missing);
        check(&[], Some(""), &Presented::Missing);
        check(&[], None, &Presented::Missing);
    }
}
