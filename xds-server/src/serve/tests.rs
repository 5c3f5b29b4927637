use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::*;
use crate::config;
use crate::fixtures::{REGION, http_get, organisation, proxy, target};
use crate::secrets::keys::{InvalidKeys, RING_FILE, SEALING_FILE};
use crate::store::state::revision_fetch;
use requestrocket_policy::secret::SecretText;

/// A region whose control plane is not there.
fn settings(folder: &Path) -> config::Settings {
    let ca = folder.join("ca.pem");
    let authority = NodeAuthority::load_or_create(&folder.join("other"), "core", now()).unwrap();
    fs::write(&ca, authority.certificate_pem()).unwrap();
    config::Settings {
        region: REGION.to_owned(),
        base_url: "https://eu-1.example.com".to_owned(),
        data_dir: folder.join("data"),
        // Nobody listens there.
        control_plane_url: "https://127.0.0.1:1".to_owned(),
        control_plane_ca: ca,
        enrolment_token: Some(SecretText::new("e-token".to_owned())),
        ads_listen: "127.0.0.1:0".to_owned(),
        http_listen: "127.0.0.1:0".to_owned(),
        filter_wasm: "filter.wasm".into(),
        ready_file: Some(folder.join("ready.json")),
        ..config::Settings::default()
    }
}

fn now() -> time::OffsetDateTime {
    Clock::default().now()
}

fn configured(folder: &Path) -> Config {
    Config::try_from(settings(folder)).unwrap()
}

async fn started(config: &Config) -> anyhow::Result<(Store, TaskSet)> {
    let tasks = TaskSet::default();
    let recorder = PrometheusBuilder::new().build_recorder();
    let (store, _) = start(config, recorder.handle(), &tasks).await?;
    Ok((store, tasks))
}

async fn run_once(config: &Config) {
    let (store, tasks) = started(config).await.unwrap();
    tasks.shutdown().await;
    store.close().await;
}

#[tokio::test]
async fn it_is_ready_from_stored_state_without_the_control_plane() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path());
    let (store, tasks) = started(&config).await.unwrap();
    let keys = Arc::new(open_keys(&config, &store).await.unwrap());
    let ingest = Ingest::new(store.clone(), REGION.to_owned(), keys);
    let changes = vec![
        organisation(false),
        target("t", "https://a"),
        proxy("p", &[], "t", "c"),
    ];
    ingest.apply_full(12, changes).await.unwrap();
    tasks.shutdown().await;
    store.close().await;

    fs::remove_file(folder.path().join("ready.json")).unwrap();
    let (store, tasks) = started(&config).await.unwrap();
    let ready: Value =
        serde_json::from_slice(&fs::read(folder.path().join("ready.json")).unwrap()).unwrap();
    let base = ready["httpUrl"].as_str().unwrap();
    assert_eq!(http_get(base, "/readyz").await.0, 200);
    let ads: std::net::SocketAddr = ready["adsAddress"].as_str().unwrap().parse().unwrap();
    tokio::net::TcpStream::connect(ads).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    assert_eq!(revision_fetch(&mut tx).await.unwrap(), 12);
    drop(tx);
    tasks.shutdown().await;
    store.close().await;
}

#[tokio::test]
async fn a_redis_that_is_away_stops_no_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    let url = format!("redis+unix://{}", folder.path().join("nobody").display());
    settings.redis_url = Some(SecretText::new(url));
    run_once(&Config::try_from(settings).unwrap()).await;
}

#[tokio::test]
async fn a_wrong_or_missing_key_stops_the_start_and_is_left_alone() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (config, foreign) = (configured(folder.path()), configured(other.path()));
    run_once(&config).await;
    run_once(&foreign).await;
    for name in [RING_FILE, SEALING_FILE] {
        let (path, kept) = (config.data_dir.join(name), folder.path().join("kept"));
        fs::rename(&path, &kept).unwrap();
        let error = started(&config).await.err().unwrap();
        assert!(
            matches!(error.downcast_ref(), Some(InvalidKeys::Missing(_))),
            "{error:#}"
        );
        assert!(!path.exists());

        fs::copy(foreign.data_dir.join(name), &path).unwrap();
        let before = fs::read(&path).unwrap();
        let error = started(&config).await.err().unwrap();
        assert!(
            matches!(error.downcast_ref(), Some(InvalidKeys::Wrong(_))),
            "{error:#}"
        );
        assert_eq!(fs::read(&path).unwrap(), before);
        let text = String::from_utf8(before).unwrap();
        let material = text.split(':').next_back().unwrap();
        assert!(STANDARD.decode(material).is_ok() && !format!("{error:?}").contains(material));
        fs::rename(&kept, &path).unwrap();
    }
    run_once(&config).await;
}

#[tokio::test]
async fn what_stops_the_start_is_named() {
    type Spoil = fn(&mut config::Settings);
    let cases: &[(&str, Spoil)] = &[
        ("enrolment_token", |s| s.enrolment_token = None),
        ("control_plane_ca", |s| {
            s.control_plane_ca = "/nonexistent.pem".into();
        }),
        ("control_plane_ca", |s| {
            s.control_plane_ca = "/dev/null".into();
        }),
        ("data_dir", |s| s.data_dir = "/dev/null/data".into()),
        ("database_url", |s| {
            s.database_url = Some(SecretText::new(
                "sqlite:///nonexistent/region.db".to_owned(),
            ));
        }),
        ("ads_names", |s| s.ads_names = vec!["a:b".to_owned()]),
        ("target_ca", |s| {
            s.target_ca = Some("/nonexistent.pem".into());
        }),
        ("ads_listen", |s| s.ads_listen = "192.0.2.1:0".to_owned()),
        ("http_listen", |s| s.http_listen = "192.0.2.1:0".to_owned()),
        ("ready_file", |s| {
            s.ready_file = Some("/nonexistent/ready.json".into());
        }),
    ];
    for (field, spoil) in cases {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path());
        spoil(&mut settings);
        let error = match Config::try_from(settings) {
            Ok(config) => format!("{:#}", started(&config).await.err().unwrap()),
            Err(error) => error.to_string(),
        };
        assert!(error.contains(field), "{field}: {error}");
    }
}

#[tokio::test]
async fn an_enrolled_region_needs_neither_token_nor_authority_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.enrolment_token = None;
    settings.control_plane_ca = "/nonexistent.pem".into();
    let config = Config::try_from(settings).unwrap();
    assert!(check_enrolment(&config).is_err());
    let identity = Identity {
        certificate_pem: String::new(),
        private_key_pem: SecretText::new(String::new()),
        ca_pem: String::new(),
    };
    identity.store(&pki_dir(&config)).unwrap();
    check_enrolment(&config).unwrap();
    run_once(&config).await;
}

#[test]
fn a_node_certificate_can_be_made_before_the_first_start() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path());
    let out = folder.path().join("node");
    node_certificate(&config, "eu-1-envoy-1", &out).unwrap();
    for name in ["node.pem", "node.key", "ca.pem"] {
        assert!(out.join(name).is_file(), "{name}");
    }
    assert!(node_certificate(&config, "us-1-envoy-1", &out).is_err());
}
