//! What Envoy tells of a call, with the filter's note, made a record.

use std::collections::BTreeMap;

use envoy_types::pb::envoy::config::core::v3::{Address, RequestMethod, address};
use envoy_types::pb::envoy::data::accesslog::v3::http_access_log_entry::HttpVersion;
use envoy_types::pb::envoy::data::accesslog::v3::{
    AccessLogCommon, HttpAccessLogEntry, HttpRequestProperties, HttpResponseProperties,
    ResponseFlags,
};
use envoy_types::pb::google::protobuf::{BytesValue, Duration, Timestamp};
use prost::Message as _;
use requestrocket_policy::denial::{
    Denial, GRANTED_MESSAGE, PROXY_CODE_HEADER, PROXY_MESSAGE_HEADER, PROXY_WARNING_HEADER,
    ProxyCode, REQUEST_ID_HEADER,
};
use requestrocket_policy::passage::REQUEST_HEADER;
use requestrocket_proto::record::v1::{Asynchronous, MeterDelta, Note, Outcome, Pair, Record};
use uuid::Uuid;

use super::call::Call;
use super::numbers::Number;
use crate::translate::listener::access_log::{END, NOTE, OUTCOME};
use crate::translate::tracing::TRACE_ID;

/// Bytes of a text that comes from Envoy itself.
const TEXT_BYTES: usize = 512;
/// How Envoy says that the target failed behind its head; what follows says how.
const RESET_BEHIND_HEAD: &str = "upstream_reset_after_response_started";
/// What stands in the place of what was not noted.
const UNKNOWN_PATH: &str = "***";

/// Whose a proxy is, and where it leads; empty where nobody knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) organisation_id: String,
    pub(super) target_id: String,
    /// Id of what it is given; empty for nothing.
    pub(super) given: String,
}

/// What was told of a call of a proxy.
#[derive(Debug)]
pub(super) struct Told {
    common: AccessLogCommon,
    protocol: i32,
    request: HttpRequestProperties,
    response: HttpResponseProperties,
    note: Note,
    outcome: Outcome,
    /// Why the filter cut the response.
    cut_by: Option<Denial>,
}

impl Told {
    /// None for what came by no proxy's route, and for a browser's question, which is no call.
    pub(super) fn of(entry: HttpAccessLogEntry) -> Option<Self> {
        let HttpAccessLogEntry {
            common_properties,
            protocol_version,
            request,
            response,
        } = entry;
        let mut common = common_properties?;
        let (proxy_id, _) = common.route_name.split_once('/')?;
        proxy_id.parse::<Uuid>().ok()?;
        let mut kept = |name: &str| {
            let any = common.filter_state_objects.remove(name)?;
            BytesValue::decode(&any.value[..]).ok()
        };
        let note = kept(NOTE).and_then(|bytes| Note::decode(&bytes.value[..]).ok());
        let outcome = kept(OUTCOME).and_then(|bytes| Outcome::decode(&bytes.value[..]).ok());
        let end = kept(END).map(|bytes| bytes.value);
        let cut_by = end.and_then(|code| {
            let mut denials = Denial::ALL.into_iter();
            denials.find(|denial| denial.code().as_bytes() == code)
        });
        Some(Self {
            common,
            protocol: protocol_version,
            request: request.unwrap_or_default(),
            response: response.unwrap_or_default(),
            note: note.unwrap_or_default(),
            outcome: outcome.unwrap_or_default(),
            cut_by,
        })
    }

    /// The proxy's id and the version of what it has.
    pub(super) fn route(&self) -> &str {
        &self.common.route_name
    }

    /// The call; none when nobody knows whose it was.
    pub(super) fn into_call(self, (region, node_id): (&str, &str), owner: Owner) -> Option<Call> {
        let noted = uuid_text(&self.note.organisation_id);
        let organisation_id = noted.unwrap_or(owner.organisation_id);
        if organisation_id.is_empty() {
            return None;
        }
        let number = self.note.worker_id[..].try_into().ok();
        let number = number.map(|worker| Number {
            worker,
            number: self.note.number,
        });
        let mut record = Record {
            organisation_id,
            target_id: owner.target_id,
            region: region.to_owned(),
            node_id: node_id.to_owned(),
            ..self.times()
        };
        self.add_request(&mut record);
        self.add_response(&mut record);
        self.add_note(&mut record);
        Some(Call {
            record,
            number: number.filter(|number| number.number > 0),
        })
    }

    fn times(&self) -> Record {
        let common = &self.common;
        let start_us = common.start_time.as_ref().map_or(0, unix_us);
        let whole = common.duration.as_ref();
        let duration_us = whole
            .or(common.time_to_last_downstream_tx_byte.as_ref())
            .map_or(0, micros);
        let sent_us = common.time_to_first_upstream_tx_byte.as_ref().map(micros);
        let answered_us = common.time_to_last_upstream_rx_byte.as_ref().map(micros);
        // A target that stopped in the middle took the time until then.
        let end_us = answered_us.unwrap_or(duration_us);
        Record {
            received_at_ms: start_us / 1_000,
            sent_at_ms: sent_us.map(|sent| (start_us + sent) / 1_000),
            completed_at_ms: (start_us + duration_us) / 1_000,
            duration_us,
            target_duration_us: sent_us.map(|sent| end_us.saturating_sub(sent)),
            ..Record::default()
        }
    }

    fn add_request(&self, record: &mut Record) {
        let (proxy_id, version) = self.route().split_once('/').unwrap_or_default();
        proxy_id.clone_into(&mut record.proxy_id);
        record.config_version = cut(version);
        record.method = String::from(method(self.request.request_method()));
        record.protocol = String::from(protocol(self.protocol));
        record.request_bytes = self.request.request_body_bytes;
        record.caller_address = address(self.common.downstream_remote_address.as_ref());
        if self.common.time_to_first_upstream_tx_byte.is_some() {
            record.target_host = cut(&self.request.authority);
        }
    }

    fn add_response(&self, record: &mut Record) {
        let response = &self.response;
        let header = |name: &str| {
            response
                .response_headers
                .get(name)
                .map_or("", String::as_str)
        };
        let id = header(REQUEST_ID_HEADER).parse::<Uuid>();
        record.request_id = id.unwrap_or_else(|_| Uuid::new_v4()).to_string();
        record.status = response.response_code.as_ref().map_or(0, |code| code.value);
        let details = response.response_code_details.as_str();
        let is_cut_off = details.starts_with(RESET_BEHIND_HEAD);
        let is_targets = details == "via_upstream" || is_cut_off;
        record.target_status = is_targets.then_some(record.status);
        record.response_bytes = response.response_body_bytes;
        let warnings = header(PROXY_WARNING_HEADER).split(", ");
        let warnings = warnings.filter(|warning| !warning.is_empty());
        record.warnings = warnings.map(cut).collect();
        let is_cut = self.cut_by.is_some();
        record.flags = flags(self.common.response_flags.as_ref(), is_cut_off, is_cut);
        let (proxy_code, code) = if record.status == 0 {
            // The caller got no answer.
            ("", "")
        } else {
            said(header(PROXY_CODE_HEADER), header(PROXY_MESSAGE_HEADER))
        };
        record.proxy_code = String::from(proxy_code);
        record.code = String::from(match (code, self.cut_by) {
            ("", Some(denial)) => denial.code(),
            // The target failed behind its head.
            ("", None) if is_cut_off => Denial::TargetUnreachable.code(),
            (code, _) => code,
        });
    }

    fn add_note(self, record: &mut Record) {
        let Note {
            worker_id: _,
            number,
            organisation_id: _,
            credential_id,
            auth_type,
            path,
            query,
            headers,
            denial,
            subject,
            meters: counted,
            asynchronous,
        } = self.note;
        // Of what a call brought, the region server's answer says which it is.
        let brought = self.response.response_headers.get(REQUEST_HEADER);
        let brought = brought.and_then(|id| id.parse::<Uuid>().ok());
        let brought = brought.map(|id| Asynchronous {
            request_id: id.as_bytes().to_vec().into(),
            attempt: 0,
        });
        record.asynchronous = asynchronous.or(brought);
        let Outcome { filters, meters } = self.outcome;
        record.filters = filters;
        record.meters = summed(counted.into_iter().chain(meters));
        record.credential_id = uuid_text(&credential_id).unwrap_or_default();
        record.path = if number == 0 {
            UNKNOWN_PATH.to_owned()
        } else {
            path
        };
        // Of a call that Envoy traces, it knows which trace it continued, or began.
        let traced = self.common.custom_tags.get(TRACE_ID);
        // As the caller wrote it, who may have used capitals.
        let traced = traced.map(|id| id.to_ascii_lowercase());
        let traced = traced.as_deref().and_then(hexadecimal_id);
        let trace_id = traced.or_else(|| trace_id(&headers));
        record.trace_id = String::from(trace_id.unwrap_or_default());
        (record.auth_type, record.query, record.headers) = (auth_type, query, headers);
        (record.denial, record.subject) = (denial, subject);
    }
}

/// Each meter once, in the order of ids.
fn summed(deltas: impl Iterator<Item = MeterDelta>) -> Vec<MeterDelta> {
    let mut sums: BTreeMap<_, u64> = BTreeMap::new();
    for MeterDelta { meter_id, micros } in deltas {
        let sum = sums.entry(meter_id).or_default();
        *sum = sum.saturating_add(micros);
    }
    let sums = sums.into_iter();
    sums.map(|(meter_id, micros)| MeterDelta { meter_id, micros })
        .collect()
}

/// The proxy code, and the code of the one denial that says this: the gateway's own answers say
/// which they are, and no target can say it.
fn said(proxy_code: &str, message: &str) -> (&'static str, &'static str) {
    if message == GRANTED_MESSAGE {
        return (ProxyCode::AccessGranted.as_str(), "");
    }
    let mut denials = Denial::ALL.into_iter();
    let denial = denials.find(|denial| {
        let code = denial.proxy_code().map(ProxyCode::as_str);
        code == Some(proxy_code) && denial.message() == message
    });
    // Answers without our words are bare: the gateway is at fault.
    let denial = denial.unwrap_or(Denial::GatewayFault);
    let proxy_code = denial.proxy_code().map_or("", ProxyCode::as_str);
    (proxy_code, denial.code())
}

/// The words of what went wrong.
fn flags(flags: Option<&ResponseFlags>, is_cut_off: bool, is_cut: bool) -> Vec<String> {
    let default = ResponseFlags::default();
    let flags = flags.unwrap_or(&default);
    let words = [
        (
            flags.downstream_connection_termination || flags.downstream_remote_reset,
            "caller_closed",
        ),
        (
            is_cut_off || flags.upstream_remote_reset || flags.upstream_connection_termination,
            "target_reset",
        ),
        (
            flags.upstream_request_timeout || flags.stream_idle_timeout,
            "target_timeout",
        ),
        (
            flags.upstream_connection_failure || flags.dns_resolution_failure,
            "connect_failed",
        ),
        (is_cut || flags.local_reset, "cut"),
    ];
    let set = words.into_iter().filter(|(is_set, _)| *is_set);
    set.map(|(_, word)| word.to_owned()).collect()
}

fn method(method: RequestMethod) -> &'static str {
    match method {
        RequestMethod::MethodUnspecified => "",
        known => known.as_str_name(),
    }
}

fn protocol(version: i32) -> &'static str {
    match HttpVersion::try_from(version) {
        Ok(HttpVersion::Http10) => "HTTP/1.0",
        Ok(HttpVersion::Http11) => "HTTP/1.1",
        Ok(HttpVersion::Http2) => "HTTP/2",
        Ok(HttpVersion::Http3) => "HTTP/3",
        Ok(HttpVersion::ProtocolUnspecified) | Err(_) => "",
    }
}

fn address(address: Option<&Address>) -> String {
    match address.and_then(|address| address.address.as_ref()) {
        Some(address::Address::SocketAddress(socket)) => cut(&socket.address),
        Some(address::Address::Pipe(_) | address::Address::EnvoyInternalAddress(_)) | None => {
            String::new()
        }
    }
}

/// Of `traceparent` (W3C Trace Context).
fn trace_id(headers: &[Pair]) -> Option<&str> {
    let header = headers.iter().find(|pair| pair.name == "traceparent")?;
    hexadecimal_id(header.value.split('-').nth(1)?)
}

/// A trace's id is 16 bytes.
fn hexadecimal_id(id: &str) -> Option<&str> {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (id.len() == 32 && id.bytes().all(is_hex)).then_some(id)
}

fn uuid_text(bytes: &[u8]) -> Option<String> {
    Some(Uuid::from_slice(bytes).ok()?.to_string())
}

fn cut(text: &str) -> String {
    let most = text.floor_char_boundary(text.len().min(TEXT_BYTES));
    text.get(..most).unwrap_or_default().to_owned()
}

fn unix_us(timestamp: &Timestamp) -> u64 {
    sum_us(timestamp.seconds, timestamp.nanos)
}

fn micros(duration: &Duration) -> u64 {
    sum_us(duration.seconds, duration.nanos)
}

/// Nothing of what was before.
fn sum_us(seconds: i64, nanos: i32) -> u64 {
    let micros = i128::from(seconds) * 1_000_000 + i128::from(nanos) / 1_000;
    u64::try_from(micros).unwrap_or(0)
}

#[cfg(test)]
mod tests;
