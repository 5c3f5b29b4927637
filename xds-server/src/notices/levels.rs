//! How far meters are used, seen where Envoys count together.

use requestrocket_policy::limit::{Micros, NEAR_PERCENT};
use requestrocket_proto::meter::v1::counter::Kind as CounterKind;
use requestrocket_proto::meter::v1::meter_sync_server::MeterSync;
use requestrocket_proto::meter::v1::{Grant, Report, SyncRequest, SyncResponse};
use requestrocket_proto::region::v1 as wire;
use requestrocket_proto::region::v1::notice::Kind;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{Cause, NoticeRegister};
use crate::meters::Meters;

/// The counting service, whose answers are looked at.
#[derive(Clone, Debug)]
pub struct WatchedMeters {
    meters: Meters,
    notices: NoticeRegister,
}

#[tonic::async_trait]
impl MeterSync for WatchedMeters {
    async fn sync(&self, request: Request<SyncRequest>) -> Result<Response<SyncResponse>, Status> {
        // Plans and proxies have limits, too; of meters alone people are told.
        let is_watched = |report: &Report| report.limit_micros > 0 && meter(report).is_some();
        let reports = request.get_ref().reports.iter().enumerate();
        let watched = reports.filter(|(_, report)| is_watched(report));
        let watched: Vec<(usize, Report)> =
            watched.map(|(place, it)| (place, it.clone())).collect();
        let answer = self.meters.sync(request).await?;
        for (place, report) in &watched {
            if let Some(grant) = answer.get_ref().grants.get(*place) {
                self.notices.level(report, grant);
            }
        }
        Ok(answer)
    }
}

impl NoticeRegister {
    /// The same counting service; what comes near its end is raised here.
    #[must_use]
    pub fn watching(&self, meters: &Meters) -> WatchedMeters {
        let (meters, notices) = (meters.clone(), self.clone());
        WatchedMeters { meters, notices }
    }

    /// Raises what an Envoy's report of a meter and the answer to it come to.
    pub(super) fn level(&self, report: &Report, grant: &Grant) {
        let Some(meter_id) = meter(report) else {
            return;
        };
        // 0: the region does not judge this window.
        if grant.nodes == 0 {
            return;
        }
        let used = Micros::new(report.own_micros).plus(Micros::new(grant.others_micros));
        let limit = Micros::new(report.limit_micros);
        if !used.reaches_percent(NEAR_PERCENT, limit) {
            return;
        }
        let level = wire::MeterLevel {
            meter_id: meter_id.to_string(),
            window: report.window,
            start_ms: report.start_ms,
            used_micros: used.get(),
            limit_micros: report.limit_micros,
        };
        let of = |cause: fn(String, i32, u64) -> Cause| {
            cause(meter_id.to_string(), report.window, report.start_ms)
        };
        let would_be = used.plus(Micros::new(report.wanted_micros));
        if used >= limit || (report.wanted_micros > 0 && would_be > limit) {
            let exceeded = Kind::MeterExceeded(level.clone());
            self.raise(of(Cause::Exceeded), exceeded);
        }
        self.raise(of(Cause::NearLimit), Kind::MeterNearLimit(level));
    }
}

/// The meter that a report is of; none: it is of something else.
fn meter(report: &Report) -> Option<Uuid> {
    let counter = report.counter.as_ref()?;
    let is_meter = counter.kind() == CounterKind::Meter;
    let id = Uuid::from_slice(&counter.id).ok()?;
    is_meter.then_some(id)
}
