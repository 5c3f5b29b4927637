//! Lines of heads and trailers.

use super::{MapType, done, host, received};
use crate::host::HostFailure;

pub(crate) fn header_map(map: MapType) -> Result<Vec<u8>, HostFailure> {
    // SAFETY: the host writes to the two places during the call only.
    let pairs = received(|value, length| unsafe {
        host::proxy_get_header_map_pairs(number(map), value, length)
    });
    pairs?.ok_or(HostFailure)
}

pub(crate) fn header(map: MapType, name: &str) -> Result<Option<Vec<u8>>, HostFailure> {
    // SAFETY: as above.
    received(|value, length| unsafe {
        host::proxy_get_header_map_value(number(map), name.as_ptr(), name.len(), value, length)
    })
}

pub(crate) fn replace_header(map: MapType, name: &str, value: &[u8]) -> Result<(), HostFailure> {
    // SAFETY: the host reads the two slices during the call only.
    done(unsafe {
        host::proxy_replace_header_map_value(
            number(map),
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    })
}

pub(crate) fn add_header(map: MapType, name: &str, value: &[u8]) -> Result<(), HostFailure> {
    // SAFETY: as above.
    done(unsafe {
        host::proxy_add_header_map_value(
            number(map),
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    })
}

pub(crate) fn remove_header(map: MapType, name: &str) -> Result<(), HostFailure> {
    // SAFETY: as above.
    done(unsafe { host::proxy_remove_header_map_value(number(map), name.as_ptr(), name.len()) })
}

/// proxy-wasm's numbers for them.
fn number(map: MapType) -> u32 {
    match map {
        MapType::RequestHeaders => 0,
        MapType::ResponseHeaders => 2,
        MapType::ResponseTrailers => 3,
    }
}
