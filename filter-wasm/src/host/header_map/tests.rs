use super::*;

const LINES: [HeaderLine<'static>; 4] = [
    (b":method", b"GET"),
    (b"x-empty", b""),
    (b"x-bytes", b"\xff\0\n"),
    (b"", b"nameless"),
];

#[test]
fn lines_come_back_as_they_went() {
    for count in 0..=LINES.len() {
        let map = HeaderMap::encode(&LINES[..count]).unwrap();
        assert_eq!(map.lines().unwrap(), LINES[..count]);
    }
}

#[test]
fn the_encoding_is_proxy_wasms() {
    let map = HeaderMap::encode(&[(b"ab", b"c")]).unwrap();
    assert_eq!(
        map.as_encoded(),
        b"\x01\0\0\0\x02\0\0\0\x01\0\0\0ab\0c\0".as_slice()
    );
}

#[test]
fn no_bytes_are_no_lines() {
    assert_eq!(HeaderMap::default().lines(), Ok(Vec::new()));
}

#[test]
fn whatever_is_cut_or_bent_is_a_failure_or_other_lines_but_no_panic() {
    let map = HeaderMap::encode(&LINES).unwrap();
    let bytes = map.as_encoded();
    for end in 1..bytes.len() {
        let cut = HeaderMap::from_encoded(bytes[..end].to_vec());
        assert_eq!(cut.lines(), Err(HostFailure), "cut at {end}");
    }
    for at in 0..bytes.len() {
        for byte in [0, 1, 0x7f, 0xff] {
            let mut bent = bytes.to_vec();
            bent[at] = byte;
            let _ = HeaderMap::from_encoded(bent).lines();
        }
    }
}

#[test]
fn a_count_beyond_the_bytes_reserves_nothing() {
    let map = HeaderMap::from_encoded(vec![0xff; 64]);
    assert_eq!(map.lines(), Err(HostFailure));
}
