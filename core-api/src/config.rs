//! The settings of core-api, parsed into what the process uses.
//!
//! Every problem names its field; the database URL may hold a password and is never repeated.

mod mail;
mod oidc;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use requestrocket_policy::secret_form::endpoint::Endpoint;
use requestrocket_process::settings::{self, InvalidSettings};
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::domain::account::billing::{Money, Prices};
use crate::domain::ceiling::Ceilings;
use crate::domain::people::organisation::Plan;
use crate::domain::people::provider::Provider;
use crate::mail::MailSettings;
use crate::state::FAILURES_PER_MINUTE;

/// What the names of this process's environment variables begin with.
pub const ENV_PREFIX: &str = "REQUESTROCKET_CORE_API_";

/// For how long rows of audit logs are kept unless the settings say otherwise.
const AUDIT_DAYS: u64 = 730;
/// Below this share of the last credit a balance is low, unless the settings say otherwise.
const LOW_BALANCE_SHARE: &str = "0.2";
/// A century; more is a mistake.
const MOST_DAYS: u64 = 36_500;

/// What the process runs with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Holds `pki/` and the default store.
    pub data_dir: PathBuf,
    /// The control-plane store.
    pub database_url: DatabaseUrl,
    /// Where the REST API listens.
    pub listen: SocketAddr,
    /// Base URL at which browsers reach the REST API, without a trailing slash; none: the address
    /// where it listens.
    pub public_url: Option<String>,
    /// Where the region link listens.
    pub region_listen: SocketAddr,
    /// DNS names and addresses in the region link's certificate; not empty.
    pub region_link_names: Vec<String>,
    /// Written when everything is ready.
    pub ready_file: Option<PathBuf>,
    /// Gets the ids and tokens of the first start.
    pub bootstrap_file: Option<PathBuf>,
    /// Plan of the organisation that the first start creates.
    pub bootstrap_plan: Plan,
    /// Log directives.
    pub log: String,
    /// Ranges that saved URLs may name although they are not public.
    pub allow_private_targets: Vec<IpNet>,
    /// How many records there may be.
    pub ceilings: Ceilings,
    /// What an address may do in vain in a minute.
    pub failures_per_minute: u64,
    /// Rows of audit logs that are older are dropped.
    pub audit_age: Duration,
    /// What calls cost; none: nothing.
    pub billing: Option<Prices>,
    /// Who else says who somebody is.
    pub providers: Vec<Provider>,
    /// Whether passwords let nobody in.
    pub is_sso_only: bool,
    /// How letters go out; none: nobody gets one.
    pub mail: Option<MailSettings>,
    /// Load balancers whose `X-Forwarded-For` says whose failures those are.
    pub trusted_proxies: Vec<IpNet>,
}

/// Where the store is. Prints without what may be a password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidConfig {
    /// The file or a variable does not parse.
    #[error(transparent)]
    Settings(#[from] InvalidSettings),
    /// A value that has the right type and no meaning.
    #[error("invalid settings: `{field}` {problem}")]
    Field {
        /// Key in the file; the variable has the same name in upper case, after the prefix.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

/// The keys as an operator writes them.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    data_dir: PathBuf,
    database_url: Option<String>,
    listen: String,
    public_url: Option<String>,
    region_listen: String,
    region_link_names: Vec<String>,
    ready_file: Option<PathBuf>,
    bootstrap_file: Option<PathBuf>,
    bootstrap_plan: String,
    log: String,
    allow_private_targets: Vec<String>,
    failures_per_minute: u64,
    trusted_proxies: Vec<String>,
    audit_days: u64,
    billing: Option<BillingSettings>,
    oidc: BTreeMap<String, oidc::Table>,
    sso_only: bool,
    mail: Option<mail::Table>,
    /// Apart from the table, so that an environment variable can be just this.
    mail_password: Option<String>,
    max_credentials: u64,
    max_targets: u64,
    max_proxies: u64,
    max_members: u64,
    max_invites: u64,
    max_webhooks: u64,
    max_tokens: u64,
    max_organisations: u64,
}

/// The table `[billing]`. Amounts are texts, because a TOML number is a binary fraction.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BillingSettings {
    currency: String,
    price_per_1000_requests: String,
    #[serde(default)]
    meter_prices: BTreeMap<String, String>,
    low_balance_share: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let ceilings = Ceilings::default();
        Self {
            data_dir: PathBuf::from("."),
            database_url: None,
            listen: "127.0.0.1:8080".to_owned(),
            public_url: None,
            region_listen: "127.0.0.1:8081".to_owned(),
            region_link_names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            ready_file: None,
            bootstrap_file: None,
            bootstrap_plan: "business".to_owned(),
            log: "info".to_owned(),
            allow_private_targets: Vec::new(),
            failures_per_minute: FAILURES_PER_MINUTE,
            trusted_proxies: Vec::new(),
            audit_days: AUDIT_DAYS,
            billing: None,
            oidc: BTreeMap::new(),
            sso_only: false,
            mail: None,
            mail_password: None,
            max_credentials: ceilings.credentials,
            max_targets: ceilings.targets,
            max_proxies: ceilings.proxies,
            max_members: ceilings.members,
            max_invites: ceilings.invites,
            max_webhooks: ceilings.webhooks,
            max_tokens: ceilings.tokens,
            max_organisations: ceilings.organisations,
        }
    }
}

impl Config {
    /// Reads `file` and the environment.
    ///
    /// # Errors
    /// Names the file or variable and the key that is wrong.
    pub fn load(file: Option<&Path>) -> Result<Self, InvalidConfig> {
        Self::parse(settings::load(file, ENV_PREFIX)?)
    }

    fn parse(settings: Settings) -> Result<Self, InvalidConfig> {
        let ceilings = ceilings(&settings)?;
        Ok(Self {
            database_url: database_url(settings.database_url, &settings.data_dir)?,
            data_dir: settings.data_dir,
            listen: address("listen", &settings.listen)?,
            public_url: settings.public_url.as_deref().map(public_url).transpose()?,
            region_listen: address("region_listen", &settings.region_listen)?,
            region_link_names: names(settings.region_link_names)?,
            ready_file: settings.ready_file,
            bootstrap_file: settings.bootstrap_file,
            bootstrap_plan: plan(&settings.bootstrap_plan)?,
            log: settings.log,
            allow_private_targets: ranges(
                "allow_private_targets",
                &settings.allow_private_targets,
            )?,
            ceilings,
            failures_per_minute: positive("failures_per_minute", settings.failures_per_minute)?,
            billing: settings.billing.map(billing).transpose()?,
            is_sso_only: sso_only(settings.sso_only, &settings.oidc)?,
            providers: oidc::providers(settings.oidc)?,
            mail: mail::settings(settings.mail, settings.mail_password)?,
            audit_age: days("audit_days", settings.audit_days)?,
            trusted_proxies: ranges("trusted_proxies", &settings.trusted_proxies)?,
        })
    }
}

impl DatabaseUrl {
    /// The URL with its password; for the driver only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

fn invalid(field: &'static str, problem: impl Into<String>) -> InvalidConfig {
    InvalidConfig::Field {
        field,
        problem: problem.into(),
    }
}

fn database_url(url: Option<String>, data_dir: &Path) -> Result<DatabaseUrl, InvalidConfig> {
    let Some(url) = url else {
        return Ok(DatabaseUrl(format!(
            "sqlite://{}",
            data_dir.join("core.db").display()
        )));
    };
    if ["sqlite:", "postgres://", "postgresql://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
    {
        Ok(DatabaseUrl(url))
    } else {
        Err(invalid(
            "database_url",
            "must begin with `sqlite:` or `postgres://`",
        ))
    }
}

fn address(field: &'static str, text: &str) -> Result<SocketAddr, InvalidConfig> {
    text.parse().map_err(|_| {
        invalid(
            field,
            format!("must be an address and a port, and is `{text}`"),
        )
    })
}

fn public_url(text: &str) -> Result<String, InvalidConfig> {
    let url = text.trim_end_matches('/');
    match Endpoint::parse(url) {
        Ok(_) if !url.contains('?') => Ok(url.to_owned()),
        Ok(_) | Err(_) => Err(invalid(
            "public_url",
            format!("must be an http or https URL without query and fragment, and is `{text}`"),
        )),
    }
}

fn names(names: Vec<String>) -> Result<Vec<String>, InvalidConfig> {
    let field = "region_link_names";
    if names.is_empty() {
        return Err(invalid(field, "must hold at least one name"));
    }
    match names.iter().find(|name| !is_host(name)) {
        None => Ok(names),
        Some(name) => Err(invalid(
            field,
            format!("holds `{name}`, which is no host name"),
        )),
    }
}

fn is_host(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte);
    name.parse::<IpAddr>().is_ok()
        || (!name.is_empty() && name.len() <= 253 && name.bytes().all(legal))
}

fn ceilings(settings: &Settings) -> Result<Ceilings, InvalidConfig> {
    Ok(Ceilings {
        credentials: positive("max_credentials", settings.max_credentials)?,
        targets: positive("max_targets", settings.max_targets)?,
        proxies: positive("max_proxies", settings.max_proxies)?,
        members: positive("max_members", settings.max_members)?,
        invites: positive("max_invites", settings.max_invites)?,
        webhooks: positive("max_webhooks", settings.max_webhooks)?,
        tokens: positive("max_tokens", settings.max_tokens)?,
        organisations: positive("max_organisations", settings.max_organisations)?,
    })
}

fn positive(field: &'static str, number: u64) -> Result<u64, InvalidConfig> {
    if number == 0 {
        return Err(invalid(field, "must be at least 1"));
    }
    Ok(number)
}

fn days(field: &'static str, number: u64) -> Result<Duration, InvalidConfig> {
    if number > MOST_DAYS {
        return Err(invalid(field, format!("must be at most {MOST_DAYS}")));
    }
    let hours = positive(field, number)?.saturating_mul(24);
    Ok(Duration::from_hours(hours))
}

fn billing(settings: BillingSettings) -> Result<Prices, InvalidConfig> {
    let BillingSettings {
        currency,
        price_per_1000_requests,
        meter_prices,
        low_balance_share,
    } = settings;
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        let text = "must be an ISO 4217 code such as `EUR`";
        return Err(invalid("billing.currency", text));
    }
    let price = |field, text: &str| {
        Money::price(text).map_err(|error| invalid(field, format!("{error}, from 0 up")))
    };
    let meters = meter_prices.into_iter().map(|(name, text)| {
        let price = price("billing.meter_prices", &text)?;
        Ok((name, price))
    });
    let share = low_balance_share.as_deref().unwrap_or(LOW_BALANCE_SHARE);
    let share = Decimal::from_str_exact(share).ok();
    let low_share = share.filter(|share| (Decimal::ZERO..=Decimal::ONE).contains(share));
    let low_share = low_share.ok_or_else(|| {
        let text = "must be a decimal number from 0 to 1, such as \"0.2\"";
        invalid("billing.low_balance_share", text)
    })?;
    Ok(Prices {
        currency,
        per_1000_requests: price("billing.price_per_1000_requests", &price_per_1000_requests)?,
        meters: meters.collect::<Result<_, InvalidConfig>>()?,
        low_share,
    })
}

fn sso_only(
    is_sso_only: bool,
    providers: &BTreeMap<String, oidc::Table>,
) -> Result<bool, InvalidConfig> {
    if is_sso_only && providers.is_empty() {
        return Err(invalid("sso_only", "lets nobody in without a table `oidc`"));
    }
    Ok(is_sso_only)
}

fn plan(text: &str) -> Result<Plan, InvalidConfig> {
    text.parse().map_err(|_| {
        invalid(
            "bootstrap_plan",
            format!("must be basic, team or business, and is `{text}`"),
        )
    })
}

fn ranges(field: &'static str, texts: &[String]) -> Result<Vec<IpNet>, InvalidConfig> {
    texts.iter().map(|text| range(field, text)).collect()
}

fn range(field: &'static str, text: &str) -> Result<IpNet, InvalidConfig> {
    text.parse()
        .map_err(|_| invalid(field, format!("holds `{text}`, which is no CIDR range")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("core-api.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(Some(&path)).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_file_gives_the_documented_defaults() {
        let config = load("").unwrap();
        assert_eq!(config.database_url.expose(), "sqlite://./core.db");
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.region_listen.to_string(), "127.0.0.1:8081");
        assert_eq!(config.region_link_names, ["localhost", "127.0.0.1"]);
        assert!(config.allow_private_targets.is_empty());
        assert!(config.trusted_proxies.is_empty());
        assert_eq!(config.ceilings, Ceilings::default());
    }

    #[test]
    fn a_public_url_ends_without_a_slash() {
        let config = load("public_url = \"https://core.example/rr/\"").unwrap();
        assert_eq!(
            config.public_url.as_deref(),
            Some("https://core.example/rr")
        );
    }

    #[test]
    fn the_store_lies_in_the_data_folder_unless_told_otherwise() {
        let config = load("data_dir = \"/var/lib/rr\"").unwrap();
        assert_eq!(config.database_url.expose(), "sqlite:///var/lib/rr/core.db");
        let config = load("database_url = \"postgres://u:p@h/d\"").unwrap();
        assert_eq!(config.database_url.expose(), "postgres://u:p@h/d");
    }

    #[test]
    fn a_problem_names_its_field() {
        for (text, field) in [
            ("listn = \"127.0.0.1:0\"", "listn"),
            ("listen = \"8080\"", "listen"),
            ("region_listen = \"localhost\"", "region_listen"),
            ("public_url = \"core.example\"", "public_url"),
            ("public_url = \"https://core.example/?a=b\"", "public_url"),
            ("region_link_names = []", "region_link_names"),
            ("region_link_names = [\"a b\"]", "region_link_names"),
            ("bootstrap_plan = \"gold\"", "bootstrap_plan"),
            (
                "allow_private_targets = [\"10.0.0.0\\\\8\"]",
                "allow_private_targets",
            ),
            (
                "allow_private_targets = \"10.0.0.0/8\"",
                "allow_private_targets",
            ),
            ("failures_per_minute = 0", "failures_per_minute"),
            ("trusted_proxies = [\"balancer\"]", "trusted_proxies"),
            ("[billing]\ncurrency = \"EUR\"", "price_per_1000_requests"),
            (
                "[billing]\ncurrency = \"Euro\"\nprice_per_1000_requests = \"1\"",
                "billing.currency",
            ),
            (
                "[billing]\ncurrency = \"EUR\"\nprice_per_1000_requests = \"-1\"",
                "billing.price_per_1000_requests",
            ),
            (
                "[billing]\ncurrency = \"EUR\"\nprice_per_1000_requests = \"1\"\n\
                 low_balance_share = \"20 %\"",
                "billing.low_balance_share",
            ),
            ("[mail]\nhost = \"mail.example\"", "from"),
            (
                "[mail]\nhost = \"mail.example\"\nfrom = \"nobody\"",
                "mail.from",
            ),
            (
                "[mail]\nhost = \"mail.example\"\nfrom = \"a@b.example\"\nsecurity = \"none\"",
                "mail.security",
            ),
            (
                "[mail]\nhost = \"mail.example\"\nfrom = \"a@b.example\"\nuser = \"me\"",
                "mail_password",
            ),
            ("mail_password = \"hunter2\"", "mail_password"),
            ("audit_days = 0", "audit_days"),
            ("audit_days = 40000", "audit_days"),
            ("max_tokens = 0", "max_tokens"),
            ("max_proxies = -1", "max_proxies"),
            ("log = 5", "log"),
            ("database_url = \"mysql://h/d\"", "database_url"),
        ] {
            let problem = load(text).unwrap_err();
            assert!(
                problem.contains(&format!("`{field}`")) || problem.contains(field),
                "{problem}"
            );
        }
    }

    #[test]
    fn the_password_of_the_store_is_never_printed() {
        let config = load("database_url = \"postgres://u:hunter2@h/d\"").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        let problem = load("database_url = \"mysql://u:hunter2@h/d\"").unwrap_err();
        assert!(!problem.contains("hunter2"));
    }
}
