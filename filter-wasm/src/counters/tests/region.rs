//! A region server that gives one Envoy all there is, or does not answer.

use prost::Message as _;
use requestrocket_policy::limit::Report;
use requestrocket_proto::meter::v1 as wire;

use super::super::{Answered, Counters};
use crate::fake_host::FakeHost;

pub(super) struct FakeRegion {
    epoch: Option<u32>,
}

fn last_request(host: &FakeHost) -> wire::SyncRequest {
    let sent = host.envoy.sent.borrow();
    let (_, request) = sent.last().unwrap();
    wire::SyncRequest::decode(request.as_slice()).unwrap()
}

/// The moment that the last request names.
pub(super) fn sent_at_ms(host: &FakeHost) -> u64 {
    last_request(host).sent_at_ms
}

/// The reports of the last request.
pub(super) fn reports(host: &FakeHost) -> Vec<Report> {
    let reports = last_request(host).reports.into_iter();
    reports
        .map(|wire| Report::from_wire(wire).unwrap())
        .collect()
}

impl FakeRegion {
    /// The only Envoy it knows is the one that asks.
    pub(super) fn alone() -> Self {
        Self::of_epoch(1)
    }

    pub(super) fn of_epoch(epoch: u32) -> Self {
        Self { epoch: Some(epoch) }
    }

    pub(super) fn silent() -> Self {
        Self { epoch: None }
    }

    /// Answers the last request.
    pub(super) fn answer_last(&self, (host, counters): (&FakeHost, &Counters)) -> Option<Answered> {
        let (token, _) = *host.envoy.sent.borrow().last().unwrap();
        let Some(epoch) = self.epoch else {
            return counters.on_failure(host, token);
        };
        let grants = reports(host).into_iter().map(|report| wire::Grant {
            others_micros: 0,
            ceiling_micros: report.limit.get().max(report.own.get()),
            // A count that only says that its grant has ended gets no other.
            valid_ms: if report.wanted.get() > 0 { 600 } else { 0 },
            nodes: 1,
        });
        let answer = wire::SyncResponse {
            grants: grants.collect(),
            epoch,
        };
        counters.on_answer(host, token, &answer.encode_to_vec())
    }
}
