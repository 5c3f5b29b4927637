//! The running process: store, region link and REST API, put together.

mod billing;
mod checkpoints;
mod mail;
pub(crate) mod rest;
mod rounds;
mod sweep;
mod trace;
mod watch;
mod webhooks;

use std::future::Future;
use std::time::Duration;

use anyhow::Context as _;
use ipnet::{Ipv4Net, Ipv6Net};
use requestrocket_process::clock::Clock;
use requestrocket_process::db::Db;
use requestrocket_process::file;
use requestrocket_process::tasks::TaskSet;
use serde_json::json;
use tokio::net::TcpListener;

use crate::bootstrap::{self, FirstStart};
use crate::config::Config;
use crate::identity::oidc::Providers;
use crate::mail::Mailer;
use crate::outbound::Outbound;
use crate::region::fleet::Fleets;
use crate::region::link::RegionLink;
use crate::region::pki::{Authority, Identity};
use crate::service::account::audit_key;
use crate::state::AppState;
use crate::store::MIGRATIONS;
use crate::store_key::StoreKey;

/// Connections that are still open after this are cut.
const GRACE: Duration = Duration::from_secs(3);
/// Changes that have begun get this long, so that the process ends within 5 s.
const LAST_CALL: Duration = Duration::from_secs(4);
/// The store has to let go within this.
const CLOSE: Duration = Duration::from_millis(500);

/// A process whose listeners are bound.
#[derive(Debug)]
pub struct Core {
    state: AppState,
    authority: Authority,
    identity: Identity,
    rest: TcpListener,
    region: TcpListener,
    mailer: Option<Mailer>,
    /// None when the store was filled before.
    pub first_start: Option<FirstStart>,
}

/// Opens the store that `config` names and what works on it.
///
/// # Errors
/// The data folder or the store cannot be used.
pub async fn open(config: &Config) -> anyhow::Result<AppState> {
    let folder = config.data_dir.display();
    file::create_private_dir(&config.data_dir)
        .with_context(|| format!("data folder `{folder}`"))?;
    let pki = config.data_dir.join("pki");
    let db = Db::open(config.database_url.expose(), &MIGRATIONS).await?;
    let state = AppState::new(db, Clock::default(), Fleets::default(), TaskSet::default());
    Ok(state
        .allowing(&config.allow_private_targets)
        .trusting(&config.trusted_proxies)
        .with_ceilings(config.ceilings)
        .with_failures_per_minute(config.failures_per_minute)
        .billing_by(config.billing.clone())
        .sending_mail(config.mail.is_some())
        .knowing(providers(config), config.is_sso_only)
        .signing_with(audit_key::load_or_create(&pki)?)
        .sealing_with(StoreKey::load_or_create(&pki)?))
}

/// Providers are the operator's own choice, wherever they are.
fn providers(config: &Config) -> Providers {
    let anywhere = [Ipv4Net::default().into(), Ipv6Net::default().into()];
    Providers::new(config.providers.iter().cloned(), &Outbound::new(&anywhere))
}

impl Core {
    /// Opens everything; nothing is served yet.
    ///
    /// # Errors
    /// Says which part cannot be opened.
    pub async fn start(config: &Config) -> anyhow::Result<Self> {
        let state = open(config).await?;
        let mailer = config.mail.as_ref().map(Mailer::new).transpose()?;
        let now = state.clock.now();
        let authority = Authority::load_or_create(&config.data_dir.join("pki"), now)?;
        let identity = authority.issue_server(&config.region_link_names, now)?;
        // Ports first: one that is taken must not use up the first start.
        let rest = bind("listen", config.listen).await?;
        let listens = format!("http://{}", rest.local_addr()?);
        let state = state.reached_at(config.public_url.as_deref().unwrap_or(&listens));
        let region = bind("region_listen", config.region_listen).await?;
        let (plan, file) = (config.bootstrap_plan, config.bootstrap_file.as_deref());
        let first_start = bootstrap::first_start(&state, plan, file).await?;
        Ok(Self {
            state,
            authority,
            identity,
            rest,
            region,
            mailer,
            first_start,
        })
    }

    /// Serves until the process is told to stop.
    ///
    /// # Errors
    /// The ready file cannot be written or signals cannot be heard.
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let Self {
            state,
            authority,
            identity,
            rest,
            region,
            mailer,
            first_start: _,
        } = self;
        let ready = json!({
            "restUrl": format!("http://{}", rest.local_addr()?),
            "regionLinkUrl": format!("https://{}", region.local_addr()?),
        });
        let metrics = trace::install_metrics()?;
        let (tasks, db) = (state.tasks.clone(), state.db.clone());
        let link = RegionLink {
            db: db.clone(),
            fleets: state.fleets.clone(),
            authority,
            clock: state.clock.clone(),
            tasks: tasks.clone(),
        };
        let stopping = tasks.stopping();
        tasks.spawn("region link server", async move {
            let server = link.serve(region, &identity);
            bounded(stopping.cancelled(), GRACE, server)
                .await
                .unwrap_or(Ok(()))?;
            Ok(())
        });
        let jobs = state.clone();
        let app = trace::layered(crate::http::router::router(state), metrics);
        let stopping = tasks.stopping();
        tasks.spawn("rest server", async move {
            bounded(
                stopping.cancelled(),
                GRACE,
                rest::serve(rest, app, stopping.clone(), rest::PATIENCE),
            )
            .await;
            Ok(())
        });
        spawn_jobs(&jobs, mailer, config.audit_age);
        if let Some(file) = &config.ready_file {
            file::write_private(file, ready.to_string().as_bytes())
                .with_context(|| format!("ready file `{}`", file.display()))?;
        }
        tracing::info!(urls = %ready, "ready");
        let ended = tasks.run_until_stopped();
        bounded(tasks.stopping().cancelled_owned(), LAST_CALL, ended)
            .await
            .unwrap_or(Ok(()))?;
        // A request that was cut may still hold a connection.
        let _ = tokio::time::timeout(CLOSE, db.close()).await;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Begins what is done now and then.
fn spawn_jobs(state: &AppState, mailer: Option<Mailer>, audit_age: Duration) {
    let tasks = &state.tasks;
    tasks.spawn("audit logs", checkpoints::run(state.clone(), audit_age));
    if let Some(mailer) = mailer {
        tasks.spawn("mail", mail::run(state.clone(), mailer));
    }
    tasks.spawn("billing", billing::run(state.clone()));
    tasks.spawn("webhooks", webhooks::run(state.clone()));
    tasks.spawn("watch", watch::run(state.clone()));
    tasks.spawn("sweep", sweep::run(state.clone()));
}

async fn bind(setting: &str, address: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("`{setting}` = `{address}` cannot be bound"))
}

/// Runs `work` to its end, or until `grace` after `stop`.
async fn bounded<T>(
    stop: impl Future<Output = ()>,
    grace: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    let cut = async {
        stop.await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        done = work => Some(done),
        () = cut => None,
    }
}
