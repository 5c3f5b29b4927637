//! The scan of eight bytes at once against one that looks at each.

use proptest::prelude::*;

use super::*;

fn one_by_one(bytes: &[u8]) -> usize {
    let special = |byte: &u8| *byte < 0x20 || *byte > 0x7f || *byte == b'"' || *byte == b'\\';
    bytes.iter().position(special).unwrap_or(bytes.len())
}

#[test]
fn every_byte_at_every_place() {
    for byte in 0..=255 {
        for at in 0..20 {
            for filler in [b' ', b'!', b'#', b'[', b']', b'a', 0x7f] {
                let mut bytes = [filler; 20];
                bytes[at] = byte;
                assert_eq!(plain_bytes(&bytes), one_by_one(&bytes), "{byte} at {at}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(0x1e..0x82_u8, 0..40)) {
        prop_assert_eq!(plain_bytes(&bytes), one_by_one(&bytes));
    }
}
