//! Settings as written, and the configuration parsed from them.
//!
//! Invariant: whoever holds a [`Config`] holds legal values; there is nothing left to validate.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use http::Uri;
use ipnet::IpNet;
use serde::Deserialize;

use requestrocket_policy::secret::SecretText;

use crate::access_log::Retention;
use crate::translate::Collector;

#[cfg(test)]
mod tests;

/// Prefix of the environment variables.
pub const ENV_PREFIX: &str = "REQUESTROCKET_XDS_SERVER_";

/// The settings as an operator writes them; docs/settings.md tells what each means.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "docs/settings.md is their documentation")]
pub struct Settings {
    pub region: String,
    pub base_url: String,
    pub data_dir: PathBuf,
    pub database_url: Option<SecretText>,
    pub redis_url: Option<SecretText>,
    pub control_plane_url: String,
    pub control_plane_ca: PathBuf,
    pub enrolment_token: Option<SecretText>,
    pub ads_listen: String,
    pub ads_names: Vec<String>,
    pub http_listen: String,
    pub filter_wasm: PathBuf,
    pub allow_private_targets: Vec<String>,
    pub target_ca: Option<PathBuf>,
    pub ready_file: Option<PathBuf>,
    pub request_log_days: u16,
    pub request_log_bytes: u64,
    pub envoy_otlp_url: Option<String>,
    pub otlp_sample: f64,
    pub log: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: String::new(),
            base_url: String::new(),
            data_dir: PathBuf::from("."),
            database_url: None,
            redis_url: None,
            control_plane_url: String::new(),
            control_plane_ca: PathBuf::new(),
            enrolment_token: None,
            ads_listen: "127.0.0.1:18000".to_owned(),
            ads_names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            http_listen: "127.0.0.1:18001".to_owned(),
            filter_wasm: PathBuf::new(),
            allow_private_targets: Vec::new(),
            target_ca: None,
            ready_file: None,
            request_log_days: 90,
            request_log_bytes: 10 << 30,
            envoy_otlp_url: None,
            otlp_sample: 1.0,
            log: "info".to_owned(),
        }
    }
}

/// A setting that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("setting `{field}` {problem}")]
pub struct InvalidSetting {
    /// Its key.
    pub field: &'static str,
    /// What is wrong; never repeats the value of a secret.
    pub problem: String,
}

/// What the region server runs with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the region.
    pub region: String,
    /// Public base URL, without a trailing slash.
    pub base_url: String,
    /// Keys, certificates and the SQLite file live here.
    pub data_dir: PathBuf,
    /// `sqlite:` or `postgres:`; may hold a password.
    pub database_url: SecretText,
    /// Where servers of the same region count together; may hold a password.
    pub redis_url: Option<SecretText>,
    /// Where the control plane's region link listens.
    pub control_plane_url: Uri,
    /// PEM file of the authority that signed the control plane's certificate.
    pub control_plane_ca: PathBuf,
    /// Needed for the first contact only.
    pub enrolment_token: Option<SecretText>,
    /// Address for Envoys.
    pub ads_listen: SocketAddr,
    /// Names and addresses by which Envoys reach it.
    pub ads_names: Vec<String>,
    /// Address for health and metrics.
    pub http_listen: SocketAddr,
    /// The Wasm module, as Envoy sees it.
    pub filter_wasm: PathBuf,
    /// Private ranges that targets may be in.
    pub allow_private_targets: Vec<IpNet>,
    /// Further trusted roots for targets, as Envoy sees the file.
    pub target_ca: Option<PathBuf>,
    /// Written when everything is ready.
    pub ready_file: Option<PathBuf>,
    /// How much of the log of calls is kept.
    pub request_log: Retention,
    /// Where Envoys tell of calls as spans.
    pub collector: Option<Collector>,
}

impl TryFrom<Settings> for Config {
    type Error = InvalidSetting;

    fn try_from(settings: Settings) -> Result<Self, InvalidSetting> {
        // `log` is parsed by whoever starts the log.
        let Settings {
            region,
            base_url,
            data_dir,
            database_url,
            redis_url,
            control_plane_url,
            control_plane_ca,
            enrolment_token,
            ads_listen,
            ads_names,
            http_listen,
            filter_wasm,
            allow_private_targets,
            target_ca,
            ready_file,
            request_log_days,
            request_log_bytes,
            envoy_otlp_url,
            otlp_sample,
            log: _,
        } = settings;
        Ok(Self {
            region: parse_region(region)?,
            base_url: parse_base_url(&base_url)?,
            database_url: parse_database_url(database_url, &data_dir)?,
            redis_url: parse_redis_url(redis_url)?,
            data_dir: parse_path("data_dir", data_dir)?,
            control_plane_url: parse_control_plane_url(&control_plane_url)?,
            control_plane_ca: parse_path("control_plane_ca", control_plane_ca)?,
            enrolment_token: parse_enrolment_token(enrolment_token)?,
            ads_listen: parse_address("ads_listen", &ads_listen)?,
            ads_names: parse_names("ads_names", ads_names)?,
            http_listen: parse_address("http_listen", &http_listen)?,
            filter_wasm: parse_path("filter_wasm", filter_wasm)?,
            allow_private_targets: parse_networks(&allow_private_targets)?,
            target_ca: target_ca
                .map(|path| parse_path("target_ca", path))
                .transpose()?,
            ready_file: ready_file
                .map(|path| parse_path("ready_file", path))
                .transpose()?,
            request_log: parse_retention(request_log_days, request_log_bytes)?,
            collector: parse_collector(envoy_otlp_url.as_deref(), otlp_sample)?,
        })
    }
}

fn invalid<T>(field: &'static str, problem: impl Into<String>) -> Result<T, InvalidSetting> {
    Err(InvalidSetting {
        field,
        problem: problem.into(),
    })
}

fn parse_region(raw: String) -> Result<String, InvalidSetting> {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (2..=32).contains(&raw.len()) && raw.bytes().all(legal) {
        Ok(raw)
    } else {
        invalid(
            "region",
            "must be 2 to 32 lower-case letters, digits or dashes",
        )
    }
}

fn parse_base_url(raw: &str) -> Result<String, InvalidSetting> {
    let problem = "must be an http or https URL without query, such as `https://eu.example.com`";
    let Ok(url) = raw.parse::<Uri>() else {
        return invalid("base_url", problem);
    };
    let is_web = matches!(url.scheme_str(), Some("http" | "https"));
    let has_userinfo = url
        .authority()
        .is_none_or(|authority| authority.as_str().contains('@'));
    if is_web && !has_userinfo && url.query().is_none() {
        Ok(raw.trim_end_matches('/').to_owned())
    } else {
        invalid("base_url", problem)
    }
}

fn parse_control_plane_url(raw: &str) -> Result<Uri, InvalidSetting> {
    match raw.parse::<Uri>() {
        Ok(url) if url.scheme_str() == Some("https") && url.path() == "/" => Ok(url),
        Ok(_) | Err(_) => invalid(
            "control_plane_url",
            "must be a URL such as `https://core.example.com:8081`",
        ),
    }
}

fn parse_database_url(
    raw: Option<SecretText>,
    data_dir: &Path,
) -> Result<SecretText, InvalidSetting> {
    let Some(url) = raw else {
        let file = data_dir.join("region.db");
        return Ok(SecretText::new(format!("sqlite://{}", file.display())));
    };
    let known = ["sqlite:", "postgres://", "postgresql://"];
    if known.iter().any(|scheme| url.expose().starts_with(scheme)) {
        Ok(url)
    } else {
        invalid("database_url", "must begin with `sqlite:` or `postgres://`")
    }
}

fn parse_redis_url(raw: Option<SecretText>) -> Result<Option<SecretText>, InvalidSetting> {
    let known = ["redis://", "redis+unix://"];
    let is_known = |url: &SecretText| known.iter().any(|scheme| url.expose().starts_with(scheme));
    match raw {
        Some(url) if !is_known(&url) => {
            invalid("redis_url", "must begin with `redis://` or `redis+unix://`")
        }
        url => Ok(url),
    }
}

fn parse_enrolment_token(raw: Option<SecretText>) -> Result<Option<SecretText>, InvalidSetting> {
    match raw {
        Some(token) if token.expose().trim().is_empty() => {
            invalid("enrolment_token", "must not be blank")
        }
        token => Ok(token),
    }
}

fn parse_address(field: &'static str, raw: &str) -> Result<SocketAddr, InvalidSetting> {
    match raw.parse() {
        Ok(address) => Ok(address),
        Err(_) => invalid(
            field,
            format!("must be an address and port as `127.0.0.1:0`, not `{raw}`"),
        ),
    }
}

fn parse_retention(days: u16, bytes: u64) -> Result<Retention, InvalidSetting> {
    if days == 0 {
        return invalid("request_log_days", "must be at least 1");
    }
    Ok(Retention { days, bytes })
}

fn parse_collector(raw: Option<&str>, sample: f64) -> Result<Option<Collector>, InvalidSetting> {
    let Some(sampled) = millionths(sample) else {
        return invalid("otlp_sample", "must be a share from 0 to 1");
    };
    let Some(raw) = raw else {
        return Ok(None);
    };
    let problem = "must be an http or https URL such as `http://collector:4318/v1/traces`";
    let Ok(uri) = raw.parse::<Uri>() else {
        return invalid("envoy_otlp_url", problem);
    };
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let has_userinfo = uri
        .authority()
        .is_none_or(|authority| authority.as_str().contains('@'));
    if is_web && !has_userinfo {
        Ok(Some(Collector { uri, sampled }))
    } else {
        invalid("envoy_otlp_url", problem)
    }
}

/// None: it is no share of something.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and a million"
)]
fn millionths(share: f64) -> Option<u32> {
    let is_share = (0.0..=1.0).contains(&share);
    is_share.then(|| (share * 1e6).round() as u32)
}

fn parse_names(field: &'static str, raw: Vec<String>) -> Result<Vec<String>, InvalidSetting> {
    let is_host = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'*');
    let is_legal = |name: &String| {
        let is_name = !name.is_empty() && name.bytes().all(is_host);
        is_name || name.parse::<IpAddr>().is_ok()
    };
    if raw.is_empty() {
        return invalid(field, "must hold at least one name or address");
    }
    match raw.iter().find(|name| !is_legal(name)) {
        Some(name) => invalid(
            field,
            format!("holds `{name}`, which is no host name or address"),
        ),
        None => Ok(raw),
    }
}

fn parse_path(field: &'static str, raw: PathBuf) -> Result<PathBuf, InvalidSetting> {
    if raw.as_os_str().is_empty() {
        invalid(field, "is missing")
    } else {
        Ok(raw)
    }
}

fn parse_networks(raw: &[String]) -> Result<Vec<IpNet>, InvalidSetting> {
    raw.iter()
        .map(|text| match text.parse() {
            Ok(network) => Ok(network),
            Err(_) => invalid(
                "allow_private_targets",
                format!("holds `{text}`, which is no range such as `10.0.0.0/8`"),
            ),
        })
        .collect()
}
