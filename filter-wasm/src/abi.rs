//! The host calls of proxy-wasm that the filter makes, each with its status as a value.
//!
//! Not the SDK's: those panic on a status they did not expect, which costs every request of the VM,
//! and copy each header twice. `unsafe` code is here and at the exports of `entry`, nowhere else.

#![expect(unsafe_code, reason = "host calls cross the ABI as raw pointers")]

pub(crate) mod foreign;
pub(crate) mod lines;

use std::ptr::{null, null_mut};

use crate::host::HostFailure;

/// The header maps that the filter works on.
#[derive(Clone, Copy)]
pub(crate) enum MapType {
    RequestHeaders,
    ResponseHeaders,
    ResponseTrailers,
}

/// The buffers that the filter works on.
#[derive(Clone, Copy)]
pub(crate) enum BufferType {
    RequestBody,
    ResponseBody,
    GrpcMessage,
}

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const CAS_MISMATCH: u32 = 8;
/// Of a stream's two directions, the caller's.
const REQUEST_STREAM: u32 = 0;
const RESPONSE_STREAM: u32 = 1;
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
        pub(super) fn proxy_set_property(
            path: *const u8,
            path_length: usize,
            value: *const u8,
            length: usize,
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
        pub(super) fn proxy_add_header_map_value(
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
        pub(super) fn proxy_get_buffer_bytes(
            buffer: u32,
            start: usize,
            length: usize,
            value: *mut *mut u8,
            value_length: *mut usize,
        ) -> u32;
        pub(super) fn proxy_set_buffer_bytes(
            buffer: u32,
            start: usize,
            length: usize,
            value: *const u8,
            value_length: usize,
        ) -> u32;
        pub(super) fn proxy_close_stream(stream: u32) -> u32;
        pub(super) fn proxy_continue_stream(stream: u32) -> u32;
        pub(super) fn proxy_set_effective_context(context: u32) -> u32;
        pub(super) fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
        pub(super) fn proxy_get_shared_data(
            key: *const u8,
            key_length: usize,
            value: *mut *mut u8,
            length: *mut usize,
            cas: *mut u32,
        ) -> u32;
        pub(super) fn proxy_set_shared_data(
            key: *const u8,
            key_length: usize,
            value: *const u8,
            length: usize,
            cas: u32,
        ) -> u32;
        pub(super) fn proxy_define_metric(
            kind: u32,
            name: *const u8,
            length: usize,
            metric: *mut u32,
        ) -> u32;
        pub(super) fn proxy_increment_metric(metric: u32, offset: i64) -> u32;
        pub(super) fn proxy_call_foreign_function(
            name: *const u8,
            name_length: usize,
            arguments: *const u8,
            arguments_length: usize,
            value: *mut *mut u8,
            length: *mut usize,
        ) -> u32;
        pub(super) fn proxy_grpc_call(
            target: *const u8,
            target_length: usize,
            service: *const u8,
            service_length: usize,
            method: *const u8,
            method_length: usize,
            metadata: *const u8,
            metadata_length: usize,
            message: *const u8,
            message_length: usize,
            timeout_ms: u32,
            token: *mut u32,
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

/// Keeps a value with the stream, where Envoy's own filters find it as filter state `wasm.{path}`.
pub(crate) fn set_property(path: &str, value: &[u8]) -> Result<(), HostFailure> {
    // SAFETY: the host reads the two slices during the call only.
    done(unsafe {
        host::proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len())
    })
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

/// Bytes of a buffer, as many as it has from its start.
pub(crate) fn buffer(buffer: BufferType, length: usize) -> Result<Vec<u8>, HostFailure> {
    // SAFETY: the host writes only the two out-values.
    let bytes = received(|value, value_length| unsafe {
        host::proxy_get_buffer_bytes(buffer_number(buffer), 0, length, value, value_length)
    });
    // An empty buffer is not there.
    Ok(bytes?.unwrap_or_default())
}

/// Puts `bytes` in place of all that the buffer has.
pub(crate) fn replace_buffer(buffer: BufferType, bytes: &[u8]) -> Result<(), HostFailure> {
    // SAFETY: the host reads the slice during the call only.
    done(unsafe {
        host::proxy_set_buffer_bytes(
            buffer_number(buffer),
            0,
            usize::MAX,
            bytes.as_ptr(),
            bytes.len(),
        )
    })
}

/// Resets the caller's stream.
pub(crate) fn reset_stream() -> Result<(), HostFailure> {
    // SAFETY: no pointers.
    done(unsafe { host::proxy_close_stream(RESPONSE_STREAM) })
}

/// Lets a held request go on.
pub(crate) fn continue_request() -> Result<(), HostFailure> {
    // SAFETY: no pointers.
    done(unsafe { host::proxy_continue_stream(REQUEST_STREAM) })
}

/// Goes on with a response that was held.
pub(crate) fn continue_response() -> Result<(), HostFailure> {
    // SAFETY: no pointers.
    done(unsafe { host::proxy_continue_stream(RESPONSE_STREAM) })
}

/// Makes the following calls mean this stream, or the VM's own context. False: it is gone.
pub(crate) fn enter(context: u32) -> bool {
    // SAFETY: no pointers.
    done(unsafe { host::proxy_set_effective_context(context) }).is_ok()
}

/// Asks for `proxy_on_tick` at this period.
pub(crate) fn set_tick_period(milliseconds: u32) -> Result<(), HostFailure> {
    // SAFETY: no pointers.
    done(unsafe { host::proxy_set_tick_period_milliseconds(milliseconds) })
}

/// What all workers share under a key, and the mark that says which version of it this is.
pub(crate) fn shared_data(key: &[u8]) -> Result<Option<(Vec<u8>, u32)>, HostFailure> {
    let mut cas = 0;
    // SAFETY: the host reads the key during the call only, and writes the three out-values.
    let value = received(|value, length| unsafe {
        host::proxy_get_shared_data(key.as_ptr(), key.len(), value, length, &raw mut cas)
    });
    Ok(value?.map(|value| (value, cas)))
}

/// False: somebody else was faster, and nothing was changed. A mark of 0 overwrites whatever is
/// there.
pub(crate) fn set_shared_data(key: &[u8], value: &[u8], cas: u32) -> Result<bool, HostFailure> {
    // SAFETY: the host reads the slices during the call only.
    let status = unsafe {
        host::proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas)
    };
    match status {
        CAS_MISMATCH => Ok(false),
        status => done(status).map(|()| true),
    }
}

/// Starts a unary gRPC call; the answer comes to the context that is running now. `target` is an
/// encoded `envoy.config.core.v3.GrpcService`.
pub(crate) fn grpc_call(
    target: &[u8],
    (service, method): (&str, &str),
    message: &[u8],
    timeout_ms: u32,
) -> Result<u32, HostFailure> {
    let mut token = 0;
    // SAFETY: the host reads the slices during the call only and writes one number.
    done(unsafe {
        host::proxy_grpc_call(
            target.as_ptr(),
            target.len(),
            service.as_ptr(),
            service.len(),
            method.as_ptr(),
            method.len(),
            null(),
            0,
            message.as_ptr(),
            message.len(),
            timeout_ms,
            &raw mut token,
        )
    })?;
    Ok(token)
}

/// A counter of Envoy's, `wasmcustom.{name}` in its statistics.
pub(crate) fn define_counter(name: &str) -> Result<u32, HostFailure> {
    const COUNTER: u32 = 0;
    let mut metric = 0;
    // SAFETY: the host reads the name during the call only and writes one number.
    done(unsafe {
        host::proxy_define_metric(COUNTER, name.as_ptr(), name.len(), &raw mut metric)
    })?;
    Ok(metric)
}

/// Counts one.
pub(crate) fn increment(metric: u32) -> Result<(), HostFailure> {
    // SAFETY: no pointers.
    done(unsafe { host::proxy_increment_metric(metric, 1) })
}

/// proxy-wasm's numbers for them.
fn buffer_number(buffer: BufferType) -> u32 {
    match buffer {
        BufferType::RequestBody => 0,
        BufferType::ResponseBody => 1,
        BufferType::GrpcMessage => 5,
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
        // For an empty value the host asks for no memory.
        OK if value.is_null() && length == 0 => Ok(Some(Vec::new())),
        OK if value.is_null() => Err(HostFailure),
        // SAFETY: `entry::proxy_on_memory_allocate` made it as a boxed slice of exactly this
        // length, the host filled it, and nobody else has it.
        OK => Ok(Some(unsafe { Vec::from_raw_parts(value, length, length) })),
        NOT_FOUND => Ok(None),
        _ => Err(HostFailure),
    }
}
