//! Counts in Redis, for a region of several servers: what [`super::totals`] does, as a script that
//! Redis runs as one step for each counter's window.

use std::fmt;
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{AsyncCommands as _, Client, RedisError, Script};
use futures::future::try_join_all;
use requestrocket_policy::limit::{CounterKind, Grant, Micros, Report, SETTLE_MARGIN_MS};

use super::totals::{At, Key, Request, Verdict, unjudged};
use super::{FORGET_MS, HEARD_MS, LEASE_MS, POLL_MS, QUIET_MS, SKEW_MS};

/// An Envoy is not kept waiting for a Redis that does not answer.
const TIMEOUT: Duration = Duration::from_millis(500);

/// The counts of one region.
pub(super) struct Redis {
    manager: ConnectionManager,
    script: Script,
    region: String,
}

/// What the script says of one report.
type Answer = (u8, u64, u64, u32, u32, u32);

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redis([redacted])")
    }
}

impl Redis {
    /// Connects when it is asked first; so a Redis that is away stops no start.
    pub(super) fn new(url: &str, region: &str) -> Result<Self, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT))
            .set_max_delay(TIMEOUT)
            .set_number_of_retries(1);
        Ok(Self {
            manager: ConnectionManager::new_lazy_with_config(Client::open(url)?, config)?,
            script: Script::new(include_str!("redis/sync.lua")),
            region: region.to_owned(),
        })
    }

    /// As [`super::totals::Totals::sync`], with the epoch.
    pub(super) async fn sync(
        &self,
        request: &Request,
        at: At,
    ) -> Result<(u32, Option<Vec<Grant>>), RedisError> {
        let epoch = self.hear(request).await?;
        let reports = request.reports.iter();
        let judged = reports.map(|report| self.judge(request, report, (epoch, at)));
        let verdicts = try_join_all(judged).await?;
        Ok((epoch, request.answer(&verdicts, at.steady_ms)))
    }

    /// What all Envoys counted.
    pub(super) async fn used_micros(&self, key: &Key) -> Result<u64, RedisError> {
        let fields: Vec<(String, String)> =
            self.manager.clone().hgetall(self.count_key(key)).await?;
        let own = fields
            .iter()
            // Written by sync.lua: an Envoy's own count.
            .filter(|(name, _)| name.starts_with("o:"))
            .filter_map(|(_, own)| own.parse::<u64>().ok());
        Ok(own.fold(0, u64::saturating_add))
    }

    /// The epoch; the sender counts among those that were heard.
    async fn hear(&self, request: &Request) -> Result<u32, RedisError> {
        let mut call = self.script.key(self.key("nodes"));
        call.key(self.key("epoch"));
        for argument in [
            request.incarnation.to_string(),
            QUIET_MS.to_string(),
            HEARD_MS.to_string(),
        ] {
            call.arg(argument);
        }
        call.invoke_async(&mut self.manager.clone()).await
    }

    async fn judge(
        &self,
        request: &Request,
        report: &Report,
        (epoch, at): (u32, At),
    ) -> Result<Verdict, RedisError> {
        let key = Key::of(report);
        if !key.is_judged(at.wall_ms) {
            return Ok(Verdict::Settled(unjudged(epoch)));
        }
        let mut call = self.script.key(self.key("nodes"));
        call.key(self.key("epoch")).key(self.count_key(&key));
        for argument in [
            request.incarnation.to_string(),
            QUIET_MS.to_string(),
            HEARD_MS.to_string(),
            request.sent_at_ms.to_string(),
            report.own.get().to_string(),
            report.limit.get().to_string(),
            report.wanted.get().to_string(),
            request.waited_ms(at.steady_ms).to_string(),
            LEASE_MS.to_string(),
            FORGET_MS.to_string(),
            SETTLE_MARGIN_MS.to_string(),
            (4 * POLL_MS).to_string(),
            key.end_ms().saturating_add(2 * SKEW_MS).to_string(),
            report.queued.get().to_string(),
        ] {
            call.arg(argument);
        }
        let answer = call.invoke_async(&mut self.manager.clone()).await?;
        Ok(verdict(answer))
    }

    /// All keys of a region are in one slot of a Redis cluster.
    fn key(&self, name: &str) -> String {
        format!("rr:{{{}}}:{name}", self.region)
    }

    fn count_key(&self, key: &Key) -> String {
        let kind = match key.counter.kind {
            CounterKind::Plan => "plan",
            CounterKind::Proxy => "proxy",
            CounterKind::Meter => "meter",
        };
        let (id, window) = (key.counter.id, key.window.name());
        self.key(&format!("{kind}:{id}:{window}:{}", key.start_ms))
    }
}

fn verdict((kind, others, ceiling, valid_ms, nodes, epoch): Answer) -> Verdict {
    let grant = Grant {
        others: Micros::new(others),
        ceiling: Micros::new(ceiling),
        valid_ms,
        nodes,
        epoch,
    };
    match kind {
        0 => Verdict::Settled(grant),
        1 => Verdict::Full(grant),
        _ => Verdict::Busy(grant),
    }
}
