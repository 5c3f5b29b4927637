//! Whether some reader could take a body for JSON.

/// Whether the body starts like JSON: with a container, a string or a comment, or with one number
/// or word after the other, in UTF-8, UTF-16 or UTF-32, with or without a byte order mark.
pub(super) fn starts_like_json(body: &[u8]) -> bool {
    // Without the NULs, the ASCII of every encoding is ASCII.
    let mut bytes = body.iter().copied().filter(|&byte| byte != 0).peekable();
    while bytes
        .next_if(|&byte| is_blank(byte) || is_mark(byte))
        .is_some()
    {}
    loop {
        let is_scalar = match bytes.peek().copied() {
            Some(b'{' | b'[' | b'"') => return true,
            Some(b'/') => {
                bytes.next();
                return matches!(bytes.next(), Some(b'/' | b'*'));
            }
            Some(b'-' | b'0'..=b'9') => take_number(&mut bytes),
            Some(b't') => take_word(&mut bytes, b"true"),
            Some(b'f') => take_word(&mut bytes, b"false"),
            Some(b'n') => take_word(&mut bytes, b"null"),
            Some(_) | None => false,
        };
        if !is_scalar {
            return false;
        }
        let mut is_apart = false;
        while bytes.next_if(|&byte| is_blank(byte)).is_some() {
            is_apart = true;
        }
        match bytes.peek() {
            None | Some(b'{' | b'[' | b'"') => return true,
            Some(_) if is_apart => {}
            Some(_) => return false,
        }
    }
}

type Bytes<'i, I> = &'i mut std::iter::Peekable<I>;

fn take_number<I: Iterator<Item = u8>>(bytes: Bytes<'_, I>) -> bool {
    bytes.next_if_eq(&b'-');
    if !take_digits(bytes) {
        return false;
    }
    if bytes.next_if_eq(&b'.').is_some() && !take_digits(bytes) {
        return false;
    }
    if bytes.next_if(|byte| matches!(byte, b'e' | b'E')).is_none() {
        return true;
    }
    bytes.next_if(|byte| matches!(byte, b'+' | b'-'));
    take_digits(bytes)
}

fn take_digits<I: Iterator<Item = u8>>(bytes: Bytes<'_, I>) -> bool {
    let mut is_some = false;
    while bytes.next_if(u8::is_ascii_digit).is_some() {
        is_some = true;
    }
    is_some
}

fn take_word<I: Iterator<Item = u8>>(bytes: Bytes<'_, I>, word: &[u8]) -> bool {
    word.iter().all(|wanted| bytes.next_if_eq(wanted).is_some())
}

/// The white space of JSON, and what lenient readers skip as well.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// The bytes of byte order marks.
fn is_mark(byte: u8) -> bool {
    matches!(byte, 0xef | 0xbb | 0xbf | 0xfe | 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_some_reader_could_take_for_json_starts_like_it() {
        for body in [
            &b"{}"[..],
            b" \t\r\n{",
            b"[1",
            b"\"a\",\"b\"",
            b"12",
            b"-1.5e+3 \n",
            b"true",
            b" null\n",
            b"false false",
            b"1\n{\"a\":1}",
            b"1{\"a\":1}",
            b"null[]",
            b"// x\n{}",
            b"/* x */{}",
            b"\xef\xbb\xbf{}",
            b"\xef\xbb\xbf {}",
            b"\xfe\xff\0{\0}",
            b"\xff\xfe{\0}\0",
            b"\0{\0}",
            b"{\0}\0",
            b" \0{\0}\0",
            b"\0\0\xfe\xff\0\0\0[",
            b"\xff\xfe\0\0[\0\0\0",
            b"1\x002\x00",
            b"\x0b\x0c{",
        ] {
            assert!(starts_like_json(body), "{body:?}");
        }
    }

    #[test]
    fn what_nobody_takes_for_json_does_not() {
        for body in [
            &b""[..],
            b" ",
            b"a=1",
            b"true=1&b=2",
            b"name=x",
            b"1=a",
            b"-",
            b"--boundary\r\nContent-Type: application/json\r\n\r\n{}",
            b"2026-11-26",
            b"12,13",
            b"12 apples",
            b"1 2 x",
            b"1.x",
            b"1e",
            b"nul",
            b"t",
            b"<a>{}</a>",
            b"/path",
            b"/",
            b")]}'\n{}",
            b"'a'",
            b"\x1f\x8b\x08",
            b"\xff\xd8\xff",
            b"\x89PNG",
            "é{}".as_bytes(),
        ] {
            assert!(!starts_like_json(body), "{body:?}");
        }
    }
}
