use super::*;

fn good() -> Settings {
    Settings {
        region: "local-1".to_owned(),
        base_url: "http://127.0.0.1:20001/".to_owned(),
        data_dir: PathBuf::from("data"),
        control_plane_url: "https://127.0.0.1:8081".to_owned(),
        control_plane_ca: PathBuf::from("ca.pem"),
        filter_wasm: PathBuf::from("filter.wasm"),
        ..Settings::default()
    }
}

#[test]
fn defaults_fill_what_is_left_out() {
    let config = Config::try_from(good()).unwrap();
    assert_eq!(config.base_url, "http://127.0.0.1:20001");
    assert_eq!(config.database_url.expose(), "sqlite://data/region.db");
    assert_eq!(config.ads_listen.port(), 18000);
    assert_eq!(config.ads_names, ["localhost", "127.0.0.1"]);
}

#[test]
fn each_bad_setting_is_named() {
    type Spoil = fn(&mut Settings);
    let cases: &[(&str, Spoil)] = &[
        ("region", |s| s.region = String::new()),
        ("region", |s| s.region = "EU".to_owned()),
        ("region", |s| s.region = "e".repeat(33)),
        ("base_url", |s| s.base_url = "ftp://x".to_owned()),
        ("base_url", |s| s.base_url = "https://x/?a=b".to_owned()),
        ("base_url", |s| s.base_url = "https://u:p@x".to_owned()),
        ("base_url", |s| s.base_url = "x".to_owned()),
        ("data_dir", |s| s.data_dir = PathBuf::new()),
        ("database_url", |s| {
            s.database_url = Some(SecretText::new("mysql://hunter2".to_owned()));
        }),
        ("redis_url", |s| {
            s.redis_url = Some(SecretText::new("http://:hunter2@x".to_owned()));
        }),
        ("control_plane_url", |s| {
            s.control_plane_url = "http://x".to_owned();
        }),
        ("control_plane_url", |s| {
            s.control_plane_url = "https://x/link".to_owned();
        }),
        ("control_plane_ca", |s| s.control_plane_ca = PathBuf::new()),
        ("enrolment_token", |s| {
            s.enrolment_token = Some(SecretText::new(" ".to_owned()));
        }),
        ("ads_listen", |s| s.ads_listen = "localhost".to_owned()),
        ("http_listen", |s| s.http_listen = "1.2.3.4".to_owned()),
        ("ads_names", |s| s.ads_names = vec![]),
        ("ads_names", |s| s.ads_names = vec!["a b".to_owned()]),
        ("ads_names", |s| s.ads_names = vec!["a:b".to_owned()]),
        ("filter_wasm", |s| s.filter_wasm = PathBuf::new()),
        ("allow_private_targets", |s| {
            s.allow_private_targets = vec!["10.0.0.0/33".to_owned()];
        }),
        ("target_ca", |s| s.target_ca = Some(PathBuf::new())),
        ("ready_file", |s| s.ready_file = Some(PathBuf::new())),
        ("envoy_otlp_url", |s| {
            s.envoy_otlp_url = Some("grpc://x:4317".to_owned());
        }),
        ("envoy_otlp_url", |s| {
            s.envoy_otlp_url = Some("http://u:hunter2@x/v1/traces".to_owned());
        }),
        ("otlp_sample", |s| s.otlp_sample = 1.5),
        ("otlp_sample", |s| s.otlp_sample = f64::NAN),
    ];
    for (field, spoil) in cases {
        let mut settings = good();
        spoil(&mut settings);
        let error = Config::try_from(settings).unwrap_err();
        assert_eq!(error.field, *field);
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn a_share_of_traces_is_told_in_millionths() {
    let mut settings = good();
    assert_eq!(Config::try_from(settings.clone()).unwrap().collector, None);
    settings.envoy_otlp_url = Some("http://x:4318/v1/traces".to_owned());
    settings.otlp_sample = 0.25;
    let collector = Config::try_from(settings).unwrap().collector.unwrap();
    assert_eq!(collector.sampled, 250_000);
}

#[test]
fn an_unknown_key_of_the_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("region.toml");
    std::fs::write(&path, "region = \"eu-1\"\nfilter_wsm = \"x\"").unwrap();
    let error = requestrocket_process::settings::load::<Settings>(Some(&path), "RR_NONE_");
    assert!(error.unwrap_err().to_string().contains("filter_wsm"));
}

#[test]
fn debug_shows_no_secret() {
    let mut settings = good();
    settings.enrolment_token = Some(SecretText::new("hunter2".to_owned()));
    settings.database_url = Some(SecretText::new("postgres://u:hunter2@h/d".to_owned()));
    let text = format!(
        "{:?} {:?}",
        settings.clone(),
        Config::try_from(settings).unwrap()
    );
    assert!(!text.contains("hunter2"));
}
