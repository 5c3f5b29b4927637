//! What the process has, for whoever serves a request or does a job.

use std::sync::Arc;

use ipnet::IpNet;
use requestrocket_process::clock::Clock;
use requestrocket_process::db::Db;
use requestrocket_process::tasks::TaskSet;
use sqlx::pool::PoolConnection;

use crate::domain::account::billing::Prices;
use crate::domain::account::checkpoint::AuditKey;
use crate::domain::ceiling::Ceilings;
use crate::domain::moment::Moment;
use crate::error::{ApiError, ApiResult};
use crate::identity::attempts::Attempts;
use crate::identity::oidc::Providers;
use crate::identity::rate::{Failures, Rates};
use crate::outbound::Outbound;
use crate::places::Places;
use crate::region::fleet::Fleets;
use crate::store::log::write::Write;
use crate::store_key::StoreKey;

/// What an address may do in vain in a minute unless the settings say otherwise.
pub const FAILURES_PER_MINUTE: u64 = 120;

/// What every handler can reach; cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The control-plane store.
    pub db: Db,
    /// Where "now" comes from.
    pub clock: Clock,
    /// What the regions' Envoys have.
    pub fleets: Fleets,
    /// Changes run here, so that shutdown waits for them and a caller cannot cut one short.
    pub tasks: TaskSet,
    /// Ranges that saved URLs may name although they are not public.
    pub allow_private_targets: Arc<[IpNet]>,
    /// Calls URLs that people save, as far as those ranges and public ones go.
    pub outbound: Outbound,
    /// Requests of this minute.
    pub rates: Rates,
    /// What strangers did in vain in this minute.
    pub failures: Failures,
    /// How many of these an address may have.
    pub failures_per_minute: u64,
    /// Passwords that were tried in vain.
    pub attempts: Attempts,
    /// Ranges of load balancers that say truly where a request came from.
    pub trusted_proxies: Arc<[IpNet]>,
    /// Base URL at which browsers reach this process, without a trailing slash.
    pub public_url: Arc<str>,
    /// How many records there may be.
    pub ceilings: Ceilings,
    /// Signs how audit logs end; none: nothing is signed.
    pub audit_key: Option<Arc<AuditKey>>,
    /// Seals what the store keeps and core-api reads back; none: nothing can be.
    pub store_key: Option<Arc<StoreKey>>,
    /// Whether letters are sent.
    pub sends_mail: bool,
    /// Who else says who somebody is.
    pub providers: Providers,
    /// Whether passwords let nobody in.
    pub is_sso_only: bool,
    /// What calls cost; none: nothing.
    pub billing: Option<Arc<Prices>>,
    /// For trying samples.
    pub trials: Places,
    /// For compiling what is to be saved.
    pub drafts: Places,
    /// For what regions are to look for.
    pub searches: Places,
    /// For who reads answers that go on.
    pub readers: Places,
    /// For trying webhooks.
    pub hook_trials: Places,
    /// For hashing passwords.
    pub sign_ins: Places,
}

impl AppState {
    /// A state without history.
    pub fn new(db: Db, clock: Clock, fleets: Fleets, tasks: TaskSet) -> Self {
        let allow_private_targets = Arc::from([]);
        Self {
            db,
            clock,
            fleets,
            tasks,
            allow_private_targets,
            outbound: Outbound::new(&[]),
            rates: Rates::default(),
            failures: Failures::default(),
            failures_per_minute: FAILURES_PER_MINUTE,
            attempts: Attempts::default(),
            trusted_proxies: Arc::from([]),
            public_url: Arc::from("http://localhost"),
            ceilings: Ceilings::default(),
            audit_key: None,
            store_key: None,
            sends_mail: false,
            providers: Providers::default(),
            is_sso_only: false,
            billing: None,
            trials: Places::for_trials(),
            drafts: Places::for_drafts(),
            searches: Places::for_searches(),
            readers: Places::for_readers(),
            hook_trials: Places::for_hook_trials(),
            sign_ins: Places::for_sign_ins(),
        }
    }

    /// The same with ranges that saved URLs may name although they are not public.
    #[must_use]
    pub fn allowing(mut self, ranges: &[IpNet]) -> Self {
        self.allow_private_targets = Arc::from(ranges);
        self.outbound = Outbound::new(ranges);
        self
    }

    /// The same with other ceilings.
    #[must_use]
    pub fn with_ceilings(mut self, ceilings: Ceilings) -> Self {
        self.ceilings = ceilings;
        self
    }

    /// The same with another number of failures that an address may have in a minute.
    #[must_use]
    pub fn with_failures_per_minute(mut self, limit: u64) -> Self {
        self.failures_per_minute = limit;
        self
    }

    /// The same with ranges of load balancers whose `X-Forwarded-For` counts.
    #[must_use]
    pub fn trusting(mut self, proxies: &[IpNet]) -> Self {
        self.trusted_proxies = Arc::from(proxies);
        self
    }

    /// The same with another base URL, which has no trailing slash.
    #[must_use]
    pub fn reached_at(mut self, url: &str) -> Self {
        self.public_url = Arc::from(url);
        self
    }

    /// The same with prices.
    #[must_use]
    pub fn billing_by(mut self, prices: Option<Prices>) -> Self {
        self.billing = prices.map(Arc::new);
        self
    }

    /// The same, where letters are sent.
    #[must_use]
    pub fn sending_mail(mut self, sends_mail: bool) -> Self {
        self.sends_mail = sends_mail;
        self
    }

    /// The same with providers, which alone let anybody in if that is so.
    #[must_use]
    pub fn knowing(mut self, providers: Providers, is_sso_only: bool) -> Self {
        self.providers = providers;
        self.is_sso_only = is_sso_only;
        self
    }

    /// The same with a key for audit logs.
    #[must_use]
    pub fn signing_with(mut self, key: AuditKey) -> Self {
        self.audit_key = Some(Arc::new(key));
        self
    }

    /// The same with a key for what the store keeps.
    #[must_use]
    pub fn sealing_with(mut self, key: StoreKey) -> Self {
        self.store_key = Some(Arc::new(key));
        self
    }

    /// The key for what the store keeps.
    ///
    /// # Errors
    /// There is none.
    pub fn store_key(&self) -> ApiResult<&StoreKey> {
        let key = self.store_key.as_deref();
        key.ok_or_else(|| ApiError::internal("there is no key for what the store keeps"))
    }

    /// The present moment.
    pub fn now(&self) -> Moment {
        self.clock.now().into()
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn connect(&self) -> sqlx::Result<PoolConnection<sqlx::Any>> {
        self.db.pool().acquire().await
    }

    /// Begins a change; end it with `write.commit(&state.fleets)`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn begin(&self) -> sqlx::Result<Write> {
        Write::begin(&self.db, self.now()).await
    }
}
