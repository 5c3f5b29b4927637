//! Puts the parts together: stored state first, then Envoys, then the control plane.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use requestrocket_process::clock::Clock;
use requestrocket_process::file::create_private_dir;
use requestrocket_process::tasks::TaskSet;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::listen::{announce, listen};
use self::logs::{call_log, known_terms};
use crate::access::AccessChecks;
use crate::access_log::{AccessLogs, Listeners, with_buckets};
use crate::asynchronous::{Arrivals, Couriers};
use crate::audit::Vault;
use crate::config::{Config, InvalidSetting};
use crate::http::{self, Health};
use crate::keys::{KeyRenewals, RefusedTokens};
use crate::meters::Meters;
use crate::metrics;
use crate::node_api::{self, Services};
use crate::pki::NodeAuthority;
use crate::pki::identity::Identity;
use crate::queue::{self, Queue};
use crate::records::ingest::Ingest;
use crate::region::RegionWriter;
use crate::region_link::{LinkConfig, RegionLink, Sources};
use crate::secrets::keys::RegionKeys;
use crate::secrets::renew::client::Client;
use crate::secrets::renew::job::Renewals;
use crate::secrets::renew::key_source::KeySources;
use crate::store::Store;
use crate::store::state::{key_check_fetch, state_insert};
use crate::target_tests::{TargetChecking, TargetTests};
use crate::translate::{Settings, TargetRoots};
use crate::usage::Usage;
use crate::xds::ads::Ads;
use crate::xds::doors::Doors;
use crate::xds::publisher::Publisher;
use crate::xds::snapshot::Snapshot;
use crate::xds::status::Fleet;

mod listen;
mod logs;
mod missed;
#[cfg(test)]
mod tests;

/// Tasks that have not ended by then are left behind.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(7);
/// But for requests for tokens that are on their way, which a provider may answer with a refresh
/// token that takes the place of the stored one: as long as one request may take.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(21);

/// Runs the region server until it is told to stop.
///
/// # Errors
/// It cannot start, or a part of it fails.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let metrics_handle = with_buckets(PrometheusBuilder::new())?
        .install_recorder()
        .context("metrics")?;
    metrics::describe();
    let tasks = TaskSet::default();
    let stopping = tasks.stopping();
    let (store, renewed) = start(&config, metrics_handle, &tasks).await?;
    run_until_stopped(&tasks, stopping, renewed).await?;
    store.close().await;
    Ok(())
}

/// Starts every part; when it returns, Envoys are served from the stored state.
#[expect(clippy::too_many_lines, reason = "a line for each part")]
async fn start(
    config: &Config,
    metrics_handle: PrometheusHandle,
    tasks: &TaskSet,
) -> anyhow::Result<(Store, CancellationToken)> {
    check_enrolment(config)?;
    make_data_dir(config)?;
    let clock = Clock::default();
    let store = open_store(config).await?;
    let keys = Arc::new(open_keys(config, &store).await?);
    let ingest = Ingest::new(store.clone(), config.region.clone(), Arc::clone(&keys));
    let settings = translation_settings(config)?;
    let client = client(&settings);
    let publisher = Arc::new(Publisher::new(settings));
    let writer = Arc::new(RegionWriter::new(ingest, Arc::clone(&publisher)));
    let revision = writer.load().await?;

    let (ads_listener, http_listener, ready) = listen(config).await?;
    let fleet = Fleet::new(clock.clone());
    tasks.spawn("fleet status", fleet.clone().run(tasks.stopping()));
    let meters = meters(config, &store, &clock, tasks).await?;
    let (calls, inlet) = call_log(config, &clock, tasks).await?;
    let terms = known_terms(config, &publisher, (&clock, tasks)).await?;
    let told = Listeners::start(&store, &writer, &clock, tasks).await?;
    let into = (inlet, told.clone(), terms.clone());
    let tokens = RefusedTokens::new(&writer, &store, &clock);
    let usage = Usage::open(store.clone(), clock.clone(), tasks).await?;
    let (snapshots, status) = (publisher.subscribe(), fleet.clone());
    let queue = Queue::new(&store, (&config.region, &keys), &clock, tasks);
    let ads = Ads::new(&config.region, snapshots, status, tasks.clone());
    let doors = ads.doors();
    let services = Services {
        arrivals: Arrivals::new(queue.clone(), publisher.subscribe(), &config.base_url),
        ads,
        meters: told.notices.watching(&meters),
        access: AccessChecks::new(publisher.subscribe(), clock.clone()),
        access_logs: AccessLogs::new(&config.region, store.clone(), into, tasks.clone()),
        keys: KeyRenewals::asking((&config.region, &keys), &client, &tokens),
        usage: usage.clone(),
    };
    missed::start(&calls, &told.notices, &clock, tasks);
    let authority = NodeAuthority::load_or_create(&pki_dir(config), &config.region, clock.now())?;
    let couriers = couriers(&authority, doors, publisher.subscribe(), (&clock, tasks))?;
    spawn_ads(
        config,
        &authority,
        (&clock, tasks),
        (ads_listener, services),
    )?;
    queue::start(queue, couriers, tasks);
    let is_ready = spawn_health(http_listener, metrics_handle, tasks);
    let targets = TargetTests::new((&config.region, &keys), (&store, &client), &clock);
    let renewed = spawn_renewals(config, tasks, (&keys, client), tokens);
    let sources = Sources {
        meters,
        calls,
        usage,
        terms,
        vault: Vault::new(store.clone()),
        targets: targets.clone(),
    };
    let link = RegionLink {
        config: link_config(config, &keys),
        writer,
        fleet: fleet.subscribe(),
        sources,
        uses: told.uses.subscribe(),
        notices: told.notices.subscribe(),
        checks: TargetChecking::start(targets, tasks).subscribe(),
    };
    spawn_link(link, tasks);

    is_ready.send_replace(true);
    announce(config, &ready, revision)?;
    Ok((store, renewed))
}

fn make_data_dir(config: &Config) -> anyhow::Result<()> {
    let context = || format!("`data_dir`: cannot use {}", config.data_dir.display());
    create_private_dir(&config.data_dir).with_context(context)
}

/// Before the first contact a token and the authority's certificate are needed, later neither.
///
/// # Errors
/// Names the setting that is missing or unusable.
pub fn check_enrolment(config: &Config) -> anyhow::Result<()> {
    if Identity::load(&pki_dir(config))
        .context("`data_dir`")?
        .is_some()
    {
        return Ok(());
    }
    if config.enrolment_token.is_none() {
        let problem = "is needed until the region is enrolled".to_owned();
        return Err(InvalidSetting {
            field: "enrolment_token",
            problem,
        }
        .into());
    }
    let has_certificate = CertificateDer::pem_file_iter(&config.control_plane_ca)
        .is_ok_and(|mut certificates| certificates.next().is_some_and(|first| first.is_ok()));
    if !has_certificate {
        let path = config.control_plane_ca.display();
        let problem = format!("names `{path}`, which is no readable PEM certificate");
        return Err(InvalidSetting {
            field: "control_plane_ca",
            problem,
        }
        .into());
    }
    Ok(())
}

/// Makes a certificate for a node of this region.
///
/// # Errors
/// The id is not legal, or the file system says no.
pub fn node_certificate(config: &Config, node_id: &str, out: &Path) -> anyhow::Result<()> {
    let now = Clock::default().now();
    let authority = NodeAuthority::load_or_create(&pki_dir(config), &config.region, now)?;
    Ok(authority.write_node_certificate(node_id, out, now)?)
}

fn pki_dir(config: &Config) -> std::path::PathBuf {
    config.data_dir.join("pki")
}

async fn open_store(config: &Config) -> anyhow::Result<Store> {
    let opened = Store::open(config.database_url.expose()).await;
    opened.context("`database_url`")
}

/// A new store gets new keys; a used one is opened with its own or not at all.
async fn open_keys(config: &Config, store: &Store) -> anyhow::Result<RegionKeys> {
    let mut tx = store.begin().await?;
    if let Some(check) = key_check_fetch(&mut tx).await? {
        return Ok(RegionKeys::load(&config.data_dir, &config.region, &check)?);
    }
    let keys = RegionKeys::load_or_create(&config.data_dir)?;
    state_insert(&mut tx, &keys.check(&config.region)?).await?;
    tx.commit().await?;
    Ok(keys)
}

fn translation_settings(config: &Config) -> anyhow::Result<Settings> {
    Ok(Settings {
        region: config.region.clone(),
        filter_wasm: config.filter_wasm.clone(),
        allow_private_targets: config.allow_private_targets.clone(),
        target_roots: TargetRoots::load(config.target_ca.as_deref())?,
        collector: config.collector.clone(),
    })
}

/// What is given back says that the process is ready.
fn spawn_health(
    listener: TcpListener,
    metrics: PrometheusHandle,
    tasks: &TaskSet,
) -> watch::Sender<bool> {
    let (is_ready, watched) = watch::channel(false);
    let health = Health {
        is_ready: watched,
        metrics,
    };
    tasks.spawn(
        "health endpoints",
        http::serve(listener, health, tasks.stopping()),
    );
    is_ready
}

/// Who takes asynchronous requests to their targets.
fn couriers(
    authority: &NodeAuthority,
    doors: Doors,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    (clock, tasks): (&Clock, &TaskSet),
) -> anyhow::Result<Couriers> {
    let own = authority.deliverer_certificate(clock.now())?;
    let identity = (&own, authority.certificate_pem());
    Ok(Couriers::new(identity, doors, snapshots, tasks)?)
}

fn spawn_ads(
    config: &Config,
    authority: &NodeAuthority,
    (clock, tasks): (&Clock, &TaskSet),
    (listener, services): (TcpListener, Services),
) -> anyhow::Result<()> {
    let own = authority
        .server_certificate(&config.ads_names, clock.now())
        .context("`ads_names`")?;
    let tls = node_api::Tls {
        certificate_pem: own.certificate_pem,
        key_pem: (*own.key_pem).clone(),
        node_ca_pem: authority.certificate_pem().to_owned(),
    };
    tasks.spawn(
        "ADS",
        node_api::serve(listener, tls, services, tasks.stopping()),
    );
    Ok(())
}

/// Several servers of a region count together in Redis, one in its memory and store.
async fn meters(
    config: &Config,
    store: &Store,
    clock: &Clock,
    tasks: &TaskSet,
) -> anyhow::Result<Meters> {
    let meters = match &config.redis_url {
        Some(url) => {
            let (url, stopping) = (url.expose(), tasks.stopping());
            Meters::in_redis(url, &config.region, clock.clone(), stopping)?
        }
        None => Meters::in_memory(store.clone(), clock.clone(), tasks).await?,
    };
    Ok(meters)
}

fn link_config(config: &Config, keys: &RegionKeys) -> LinkConfig {
    LinkConfig {
        region: config.region.clone(),
        base_url: config.base_url.clone(),
        control_plane_url: config.control_plane_url.clone(),
        control_plane_ca: config.control_plane_ca.clone(),
        enrolment_token: config.enrolment_token.clone(),
        pki_dir: pki_dir(config),
        sealing_public_key: keys.sealing.public_key().to_bytes().to_vec(),
    }
}

fn spawn_link(link: RegionLink, tasks: &TaskSet) {
    let stopping = tasks.stopping();
    tasks.spawn("region link", async move {
        link.run(stopping).await;
        Ok(())
    });
}

fn spawn_renewals(
    config: &Config,
    tasks: &TaskSet,
    (keys, client): (&Arc<RegionKeys>, Client),
    tokens: RefusedTokens,
) -> CancellationToken {
    let RefusedTokens {
        writer,
        store,
        pace,
        clock,
    } = tokens;
    let renewals = Renewals {
        region: config.region.clone(),
        keys: Arc::clone(keys),
        store,
        writer,
        client,
        sources: KeySources::default(),
        pace,
        clock,
    };
    let stopping = tasks.stopping();
    let renewed = CancellationToken::new();
    // However the task ends, nobody waits for it longer.
    let ended = renewed.clone().drop_guard();
    tasks.spawn("tokens", async move {
        let _ended = ended;
        renewals.run(stopping).await;
        Ok(())
    });
    renewed
}

/// Providers of tokens are trusted, and may be called, as targets are.
fn client(settings: &Settings) -> Client {
    let roots = settings.target_roots.pem().unwrap_or_else(|error| {
        tracing::warn!(%error, "no authority vouches for providers of tokens");
        Vec::new()
    });
    Client::new(&roots, &settings.allow_private_targets)
}

async fn run_until_stopped(
    tasks: &TaskSet,
    stopping: CancellationToken,
    renewed: CancellationToken,
) -> anyhow::Result<()> {
    let too_long = async {
        stopping.cancelled().await;
        tokio::time::sleep(SHUTDOWN_TIMEOUT).await;
        let _ = tokio::time::timeout(RENEWAL_TIMEOUT, renewed.cancelled()).await;
    };
    tokio::select! {
        ended = tasks.run_until_stopped() => Ok(ended?),
        () = too_long => {
            tracing::warn!("some tasks did not end in time");
            Ok(())
        }
    }
}
