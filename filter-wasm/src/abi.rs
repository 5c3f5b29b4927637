//! The host calls of proxy-wasm that the filter makes, each with its status as a value.
//!
//! Not the SDK's: those panic on a status they did not expect, which costs every request of the VM,
//! and copy each header twice. `unsafe` code is here and at the exports of `entry`, nowhere else.

#![expect(unsafe_code, reason = "host calls cross the ABI as raw pointers")]

use std::ptr::{null, null_mut};

use crate::host::HostFailure;

/// The header maps that the filter works on.
#[derive(Clone, Copy)]
pub(crate) enum MapType {
    RequestHeaders,
    ResponseHeaders,
}

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const LEVEL_WARN: u32 = 3;
const NO_GRPC_STATUS: i32 = -1;

mod host {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        pub(super) fn proxy_log(level: u32, text: *const u8, length: usize) -> u32;
        pub(super) fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
        pub(super) fn proxy_get_property(
            path: *const u8,
            path_length: usize,
            value: *mut *mut u8,
            length: *mut usize,
        ) -> u32;
        pub(super) fn proxy_get_header_map_pairs(
            map: u32,
            value: *mut *mut u8,
            length: *mut usize,
        ) -> u32;
        pub(super) fn proxy_get_header_map_value(
            map: u32,
            name: *const u8,
            name_length: usize,
            value: *mut *mut u8,
            length: *mut usize,
        ) -> u32;
        pub(super) fn proxy_replace_header_map_value(
            map: u32,
            name: *const u8,
            name_length: usize,
            value: *const u8,
            length: usize,
        ) -> u32;
        pub(super) fn proxy_remove_header_map_value(
            map: u32,
            name: *const u8,
            name_length: usize,
        ) -> u32;
        pub(super) fn proxy_send_local_response(
            status: u32,
            details: *const u8,
            details_length: usize,
            body: *const u8,
            body_length: usize,
            headers: *const u8,
            headers_length: usize,
            grpc_status: i32,
        ) -> u32;
    }
}

/// Parts of a property's path, each but the last followed by a zero byte.
pub(crate) fn property(path: &[u8]) -> Result<Option<Vec<u8>>, HostFailure> {
    // SAFETY: the pointers are of live values; the host writes only the two out-values.
    received(|value, length| unsafe {
        host::proxy_get_property(path.as_ptr(), path.len(), value, length)
    })
}

pub(crate) fn header_map(map: MapType) -> Result<Vec<u8>, HostFailure> {
    // SAFETY: as above.
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

pub(crate) fn remove_header(map: MapType, name: &str) -> Result<(), HostFailure> {
    // SAFETY: as above.
    done(unsafe { host::proxy_remove_header_map_value(number(map), name.as_ptr(), name.len()) })
}

pub(crate) fn now_ns() -> Result<u64, HostFailure> {
    let mut time = 0;
    // SAFETY: the host writes one u64.
    done(unsafe { host::proxy_get_current_time_nanoseconds(&raw mut time) })?;
    Ok(time)
}

/// `headers` as a header map is encoded.
pub(crate) fn send_reply(status: u16, headers: &[u8], body: &[u8]) -> Result<(), HostFailure> {
    // SAFETY: the host reads the slices during the call only.
    done(unsafe {
        host::proxy_send_local_response(
            u32::from(status),
            null(),
            0,
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            NO_GRPC_STATUS,
        )
    })
}

pub(crate) fn warn(line: &str) -> Result<(), HostFailure> {
    // SAFETY: the host reads the text during the call only.
    done(unsafe { host::proxy_log(LEVEL_WARN, line.as_ptr(), line.len()) })
}

/// proxy-wasm's numbers for them.
fn number(map: MapType) -> u32 {
    match map {
        MapType::RequestHeaders => 0,
        MapType::ResponseHeaders => 2,
    }
}

fn done(status: u32) -> Result<(), HostFailure> {
    if status == OK {
        Ok(())
    } else {
        Err(HostFailure)
    }
}

/// A value that the host puts into memory which it asks our allocator for.
fn received(
    call: impl FnOnce(*mut *mut u8, *mut usize) -> u32,
) -> Result<Option<Vec<u8>>, HostFailure> {
    let (mut value, mut length) = (null_mut::<u8>(), 0_usize);
    match call(&raw mut value, &raw mut length) {
        OK if value.is_null() => Ok(Some(Vec::new())),
        // SAFETY: `entry::proxy_on_memory_allocate` made it as a boxed slice of exactly this
        // length, the host filled it, and nobody else has it.
        OK => Ok(Some(unsafe { Vec::from_raw_parts(value, length, length) })),
        NOT_FOUND => Ok(None),
        _ => Err(HostFailure),
    }
}
