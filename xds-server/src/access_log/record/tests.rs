use std::collections::HashMap;

use envoy_types::pb::google::protobuf::{Any, UInt32Value};
use envoy_types::util::pack_any;
use requestrocket_proto::record::v1::{Denial as RuleDenial, Removed};

use super::*;

const PROXY: &str = "7f2c1e0a-1111-4222-8333-444455556666";
const ID: &str = "0d9f6b5e-2222-4333-8444-555566667777";

fn note() -> Note {
    Note {
        worker_id: vec![1; 16].into(),
        number: 5,
        organisation_id: vec![2; 16].into(),
        credential_id: vec![3; 16].into(),
        auth_type: "apiKey".to_owned(),
        path: "/v1/things".to_owned(),
        headers: vec![Pair {
            name: "traceparent".to_owned(),
            value: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
        }],
        ..Note::default()
    }
}

fn duration(millis: i32) -> Duration {
    Duration {
        seconds: 0,
        nanos: millis * 1_000_000,
    }
}

/// A granted call, as Envoy tells it.
fn entry(note: Option<&Note>) -> HttpAccessLogEntry {
    let state: HashMap<String, Any> = note
        .map(|note| {
            let value = note.encode_to_vec();
            (NOTE.to_owned(), pack_any(BytesValue { value }))
        })
        .into_iter()
        .collect();
    let said = [
        (PROXY_CODE_HEADER, "proxy-access-granted"),
        (PROXY_MESSAGE_HEADER, GRANTED_MESSAGE),
        (REQUEST_ID_HEADER, ID),
        (PROXY_WARNING_HEADER, "meter-near-limit; meter=m, other"),
    ];
    HttpAccessLogEntry {
        common_properties: Some(AccessLogCommon {
            route_name: format!("{PROXY}/v9"),
            start_time: Some(Timestamp {
                seconds: 100,
                nanos: 1_000_000,
            }),
            duration: Some(duration(30)),
            time_to_first_upstream_tx_byte: Some(duration(5)),
            time_to_last_upstream_rx_byte: Some(duration(25)),
            filter_state_objects: state,
            ..AccessLogCommon::default()
        }),
        protocol_version: HttpVersion::Http11.into(),
        request: Some(HttpRequestProperties {
            request_method: RequestMethod::Post.into(),
            authority: "api.example.com".to_owned(),
            path: "/base/v1/things?key=injected".to_owned(),
            request_body_bytes: 11,
            ..HttpRequestProperties::default()
        }),
        response: Some(HttpResponseProperties {
            response_code: Some(UInt32Value { value: 200 }),
            response_code_details: "via_upstream".to_owned(),
            response_body_bytes: 22,
            response_headers: said
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..HttpResponseProperties::default()
        }),
    }
}

fn call(entry: HttpAccessLogEntry) -> Option<Call> {
    Told::of(entry)?.into_call(("eu-1", "envoy-1"), Owner::default())
}

/// Of the same call with another answer of Envoy's.
fn answered(change: impl FnOnce(&mut AccessLogCommon, &mut HttpResponseProperties)) -> Record {
    let mut entry = entry(Some(&note()));
    let common = entry.common_properties.as_mut().unwrap();
    change(common, entry.response.as_mut().unwrap());
    call(entry).unwrap().record
}

fn says(response: &mut HttpResponseProperties, denial: Denial) {
    let code = denial.proxy_code().unwrap().as_str().to_owned();
    let headers = &mut response.response_headers;
    headers.insert(PROXY_CODE_HEADER.to_owned(), code);
    headers.insert(PROXY_MESSAGE_HEADER.to_owned(), denial.message().to_owned());
    response.response_code = Some(UInt32Value {
        value: denial.status().into(),
    });
    response.response_code_details = String::new();
}

#[test]
fn a_granted_call_is_told_in_full_and_without_what_the_target_got() {
    let Call { record, number } = call(entry(Some(&note()))).unwrap();
    assert_eq!(number.unwrap().number, 5);
    assert_eq!(record.request_id, ID);
    assert_eq!(
        (record.received_at_ms, record.completed_at_ms),
        (100_001, 100_031)
    );
    assert_eq!(
        (record.sent_at_ms, record.target_duration_us),
        (Some(100_006), Some(20_000))
    );
    assert_eq!((record.status, record.target_status), (200, Some(200)));
    assert_eq!(
        (record.method.as_str(), record.path.as_str()),
        ("POST", "/v1/things")
    );
    assert_eq!(record.warnings, ["meter-near-limit; meter=m", "other"]);
    assert_eq!(record.trace_id, "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(
        (record.code.as_str(), record.config_version.as_str()),
        ("", "v9")
    );
    let encoded = record.encode_to_vec();
    assert!(!encoded.windows(8).any(|bytes| bytes == b"injected"));
}

#[test]
fn every_denial_is_known_by_its_words() {
    for denial in Denial::ALL {
        if denial.proxy_code().is_none() {
            continue;
        }
        let record = answered(|_, response| says(response, denial));
        assert_eq!(record.code, denial.code());
        assert_eq!(record.proxy_code, denial.proxy_code().unwrap().as_str());
    }
    let bare = answered(|_, response| response.response_headers.clear());
    assert_eq!(
        (bare.code.as_str(), bare.proxy_code.as_str()),
        ("GATEWAY_FAULT", "")
    );
    assert!(bare.request_id.parse::<Uuid>().is_ok());
}

#[test]
fn a_refusal_names_its_rule() {
    let denial = RuleDenial {
        layer: "target".to_owned(),
        rule_id: "r".to_owned(),
    };
    let note = Note {
        denial: Some(denial.clone()),
        ..note()
    };
    assert_eq!(
        call(entry(Some(&note))).unwrap().record.denial,
        Some(denial)
    );
}

#[test]
fn what_went_wrong_has_words() {
    let flagged = |flags: ResponseFlags| answered(|common, _| common.response_flags = Some(flags));
    let reset = answered(|_, response| {
        "upstream_reset_after_response_started{connection_termination}"
            .clone_into(&mut response.response_code_details);
    });
    assert_eq!(reset.flags, ["target_reset"]);
    assert_eq!(
        (reset.status, reset.code.as_str()),
        (200, "TARGET_UNREACHABLE")
    );
    let closed = flagged(ResponseFlags {
        downstream_connection_termination: true,
        ..ResponseFlags::default()
    });
    assert_eq!(
        (closed.flags, closed.code),
        (vec!["caller_closed".to_owned()], String::new())
    );
}

#[test]
fn of_no_proxy_there_is_no_record_and_without_a_note_a_poor_one() {
    for name in ["", "closed", "preflight", "not-an-id/1"] {
        let mut entry = entry(Some(&note()));
        entry.common_properties.as_mut().unwrap().route_name = name.to_owned();
        assert!(Told::of(entry).is_none(), "{name}");
    }
    assert!(call(entry(None)).is_none(), "nobody knows whose");
    let owner = Owner {
        organisation_id: "o".to_owned(),
        target_id: "t".to_owned(),
        given: String::new(),
    };
    let told = Told::of(entry(None)).unwrap();
    let Call { record, number } = told.into_call(("eu-1", "envoy-1"), owner).unwrap();
    assert_eq!(number, None);
    assert_eq!(
        (record.path.as_str(), record.organisation_id.as_str()),
        ("***", "o")
    );
}

#[test]
fn whatever_is_told_is_bounded() {
    let mut entry = entry(Some(&note()));
    let request = entry.request.as_mut().unwrap();
    request.authority = "ä".repeat(10_000);
    let note = Note::decode(&b"\xff\xff"[..]);
    assert!(note.is_err());
    assert!(call(entry).unwrap().record.target_host.len() <= TEXT_BYTES);
}

#[test]
fn what_the_filter_cut_says_why_and_nothing_else_is_believed() {
    for (kept, code) in [
        ("RESPONSE_TOO_LARGE", "RESPONSE_TOO_LARGE"),
        ("<script>", ""),
        ("", ""),
    ] {
        let record = answered(|common, _| {
            let value = kept.as_bytes().to_vec();
            let kept = pack_any(BytesValue { value });
            common.filter_state_objects.insert(END.to_owned(), kept);
        });
        assert_eq!(record.code, code);
        assert_eq!(
            record.flags,
            if code.is_empty() { vec![] } else { vec!["cut"] }
        );
    }
}

#[test]
fn what_the_filter_says_of_meters_and_filters_is_told_each_meter_once() {
    let delta = |id: u8, micros| MeterDelta {
        meter_id: vec![id; 16].into(),
        micros,
    };
    let removed = Removed {
        stage: "target".to_owned(),
        nodes: 3,
    };
    let note = Note {
        meters: vec![delta(2, 1_000_000), delta(1, 1_000_000)],
        ..note()
    };
    let outcome = Outcome {
        filters: vec![removed.clone()],
        meters: vec![delta(3, 5), delta(1, 7)],
    };
    let mut entry = entry(Some(&note));
    let common = entry.common_properties.as_mut().unwrap();
    let value = outcome.encode_to_vec();
    let kept = pack_any(BytesValue { value });
    common.filter_state_objects.insert(OUTCOME.to_owned(), kept);
    let record = call(entry).unwrap().record;
    assert_eq!(record.filters, [removed]);
    let meters = [delta(1, 1_000_007), delta(2, 1_000_000), delta(3, 5)];
    assert_eq!(record.meters, meters);
}
