//! HTTP/2 on both sides of the gateway: windows, and what a peer may flood a connection with.
//!
//! Envoy closes a connection on which one of these is passed. They are Envoy's defaults, written out
//! because they are part of what one party may cost others
//! (envoy/config/core/v3/protocol.proto, `Http2ProtocolOptions`).

use envoy_types::pb::envoy::config::core::v3::Http2ProtocolOptions;

use super::wire::number;

/// Bytes of the table that compresses heads, on each connection (RFC 7541 §4.2).
const HEADER_TABLE_BYTES: u32 = 4_096;
/// Frames that wait for a peer that does not read: a connection's windows full of small ones.
const OUTBOUND_FRAMES: u32 = 10_000;
/// Those of them that answer the peer (PING, SETTINGS, RST_STREAM): it asks and does not read.
const OUTBOUND_CONTROL_FRAMES: u32 = 1_000;
/// Empty frames in a row that end no stream: they are work and no progress.
const EMPTY_FRAMES_IN_A_ROW: u32 = 1;
/// PRIORITY frames for each stream that was opened; nobody obeys them (RFC 9113 §5.3.1).
const PRIORITY_FRAMES_PER_STREAM: u32 = 100;
/// WINDOW_UPDATE frames for each DATA frame that was sent.
const WINDOW_UPDATES_PER_DATA_FRAME: u32 = 10;

/// Of a connection.
pub(super) struct Windows {
    /// Streams at the same time.
    pub(super) streams: u32,
    /// Bytes that the peer may be ahead with in one stream, 65,535 at least.
    pub(super) stream_bytes: u32,
    /// And in all of them together.
    pub(super) connection_bytes: u32,
}

/// Options with every limit said.
pub(super) fn options(windows: &Windows) -> Http2ProtocolOptions {
    Http2ProtocolOptions {
        hpack_table_size: number(HEADER_TABLE_BYTES),
        max_concurrent_streams: number(windows.streams),
        initial_stream_window_size: number(windows.stream_bytes),
        initial_connection_window_size: number(windows.connection_bytes),
        max_outbound_frames: number(OUTBOUND_FRAMES),
        max_outbound_control_frames: number(OUTBOUND_CONTROL_FRAMES),
        max_consecutive_inbound_frames_with_empty_payload: number(EMPTY_FRAMES_IN_A_ROW),
        max_inbound_priority_frames_per_stream: number(PRIORITY_FRAMES_PER_STREAM),
        max_inbound_window_update_frames_per_data_frame_sent: number(WINDOW_UPDATES_PER_DATA_FRAME),
        ..Http2ProtocolOptions::default()
    }
}
