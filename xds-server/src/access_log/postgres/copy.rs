//! Rows as `COPY … FROM STDIN (FORMAT binary)` takes them
//! (<https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format").

use std::borrow::Cow;

/// Eleven bytes that say what follows, no flags, no more of a header.
const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// In place of a count of fields.
const END: i16 = -1;

/// Rows that are being put together.
#[derive(Debug)]
pub(super) struct Rows(Vec<u8>);

/// PostgreSQL's texts hold no zero byte.
pub(in super::super) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

impl Rows {
    /// With room for so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        let mut rows = Vec::with_capacity(HEAD.len() + bytes);
        rows.extend_from_slice(HEAD);
        Self(rows)
    }

    /// A row of so many fields, which come next.
    pub(super) fn row(&mut self, fields: i16) {
        self.0.extend_from_slice(&fields.to_be_bytes());
    }

    /// A `BIGINT`.
    pub(super) fn number(&mut self, number: i64) {
        self.bytes(&number.to_be_bytes());
    }

    /// A `TEXT`.
    pub(super) fn text(&mut self, value: &str) {
        self.bytes(text(value).as_bytes());
    }

    /// A `BYTEA`. Nothing here is near 2 GiB, which PostgreSQL would refuse.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let length = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&END.to_be_bytes());
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_fields_of_counted_bytes() {
        let mut rows = Rows::with_capacity(0);
        rows.row(2);
        rows.number(-2);
        rows.text("a\0");
        let want = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x02\
            \0\0\0\x08\xff\xff\xff\xff\xff\xff\xff\xfe\0\0\0\x04a\xef\xbf\xbd\xff\xff";
        assert_eq!(rows.finish(), want);
    }
}
