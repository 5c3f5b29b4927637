//! apiKey: the presented value as it is and nothing else.

pub(super) fn compared(value: &[u8]) -> &[u8] {
    value
}
