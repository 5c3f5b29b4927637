//! The supervisor's options.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;
use ipnet::IpNet;

pub use crate::ports::Ports;

const LOOPBACK: &str = "127.0.0.0/8,::1/128";

/// How the stack is to be.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Names of the regions.
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        default_value = "local-1"
    )]
    pub regions: Vec<RegionName>,
    /// Envoys of each region.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=32))]
    pub envoys_per_region: u16,
    /// Worker threads of each Envoy.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=128))]
    pub envoy_threads: u16,
    /// Where everything is kept; a second start continues with it.
    #[arg(long, value_name = "DIR", default_value = ".local")]
    pub data_dir: PathBuf,
    /// `auto`, or the first port of a row.
    #[arg(long, value_name = "auto|N", default_value = "auto")]
    pub ports: Ports,
    /// Database of core-api and the regions (a schema each) instead of SQLite files:
    /// `postgres://…`.
    #[arg(long, value_name = "URL")]
    pub database_url: Option<DatabaseUrl>,
    /// Plan of the organisation [default at the first start: business].
    #[arg(long)]
    pub plan: Option<Plan>,
    /// Further settings of core-api, as TOML: `[mail]`, `[billing]` and others.
    #[arg(long, value_name = "FILE")]
    pub core_api_settings: Option<PathBuf>,
    /// Private ranges that targets may be in; an empty text allows none.
    #[arg(
        long,
        value_name = "CIDR,…",
        num_args = 0..=1,
        default_value = LOOPBACK,
        default_missing_value = LOOPBACK
    )]
    pub allow_private_targets: Networks,
    /// A PEM file of further trusted roots for targets.
    #[arg(long, value_name = "FILE")]
    pub target_ca: Option<PathBuf>,
    /// Where Envoys tell of calls as traces: a collector's URL for OTLP over HTTP.
    #[arg(long, value_name = "URL")]
    pub envoy_otlp_url: Option<String>,
    /// Of which share of all traces, from 0 to 1.
    #[arg(long, value_name = "SHARE")]
    pub otlp_sample: Option<f64>,
    /// Start no demo target and make no demo proxy.
    #[arg(long)]
    pub no_demo: bool,
    /// Leave a child that dies down until SIGHUP.
    #[arg(long)]
    pub no_restart: bool,
    /// Run the release builds of core-api and xds-server.
    #[arg(long)]
    pub release: bool,
    /// The filter module [default: the one `make wasm` built].
    #[arg(long, value_name = "FILE")]
    pub filter_wasm: Option<PathBuf>,
    /// What core-api and xds-server log.
    #[arg(long, value_name = "DIRECTIVES", default_value = "info")]
    pub log: String,
    /// The Envoy program [default: the one `scripts/setup` installed].
    #[arg(long, value_name = "FILE", env = "ENVOY_BIN")]
    pub envoy_bin: Option<PathBuf>,
    /// Where `scripts/setup` installs.
    #[arg(long, env = "XDG_CACHE_HOME", hide = true)]
    pub cache_home: Option<PathBuf>,
    /// For the default of the cache.
    #[arg(long, env = "HOME", hide = true)]
    pub home: Option<PathBuf>,
}

/// A region name such as `local-1`; the same rule as the Core API's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegionName(String);

impl RegionName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RegionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An option's value that cannot be used; the text says why.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidOption(String);

impl fmt::Display for InvalidOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidOption {}

impl FromStr for RegionName {
    type Err = InvalidOption;

    fn from_str(raw: &str) -> Result<Self, InvalidOption> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (2..=32).contains(&raw.len()) && raw.bytes().all(legal) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(InvalidOption(
                "a region is 2 to 32 lowercase letters, digits or dashes".to_owned(),
            ))
        }
    }
}

/// A `postgres:` URL; it may hold a password, so it does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The URL with its password.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The same database, with unqualified names in `schema`.
    pub(crate) fn with_schema(&self, schema: &str) -> String {
        let joint = if self.0.contains('?') { '&' } else { '?' };
        format!("{}{joint}options[search_path]={schema}", self.0)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidOption;

    fn from_str(raw: &str) -> Result<Self, InvalidOption> {
        if raw.starts_with("postgres://") || raw.starts_with("postgresql://") {
            Ok(Self(raw.to_owned()))
        } else {
            Err(InvalidOption(
                "must begin with `postgres://`; SQLite files are the default".to_owned(),
            ))
        }
    }
}

/// Plans of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "their names say which they are")]
pub enum Plan {
    Basic,
    Team,
    Business,
}

impl Plan {
    /// The Core API's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Team => "team",
            Self::Business => "business",
        }
    }
}

/// Address ranges, comma separated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Whether 127.0.0.1 is in one of them.
    #[must_use]
    pub fn hold_loopback(&self) -> bool {
        let loopback = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
        self.0.iter().any(|network| network.contains(&loopback))
    }

    /// Each as text.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

impl FromStr for Networks {
    type Err = InvalidOption;

    fn from_str(raw: &str) -> Result<Self, InvalidOption> {
        let parse = |part: &str| {
            part.trim()
                .parse()
                .map_err(|_| InvalidOption(format!("`{part}` is no CIDR range")))
        };
        let parts = raw.split(',').filter(|part| !part.trim().is_empty());
        Ok(Self(parts.map(parse).collect::<Result<_, _>>()?))
    }
}

impl Options {
    /// Refuses options that cannot work together.
    ///
    /// # Errors
    /// Says which.
    pub fn check(&self) -> Result<(), InvalidOption> {
        let mut names: Vec<&RegionName> = self.regions.iter().collect();
        names.sort_unstable();
        names.dedup();
        if names.len() != self.regions.len() {
            return Err(InvalidOption("--regions names one region twice".to_owned()));
        }
        if !self.no_demo && !self.allow_private_targets.hold_loopback() {
            return Err(InvalidOption(
                "the demo target is on 127.0.0.1: allow it with --allow-private-targets, or use --no-demo"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        options: Options,
    }

    fn parse(arguments: &[&str]) -> Result<Options, String> {
        let line = ["stack"].iter().chain(arguments);
        let options = Cli::try_parse_from(line)
            .map_err(|error| error.to_string())?
            .options;
        options.check().map_err(|error| error.to_string())?;
        Ok(options)
    }

    #[test]
    fn the_defaults_are_one_region_and_loopback_targets() {
        let options = parse(&[]).unwrap();
        assert_eq!(options.regions, ["local-1".parse().unwrap()]);
        assert_eq!(options.ports, Ports::Auto);
        assert_eq!(
            options.allow_private_targets.texts(),
            ["127.0.0.0/8", "::1/128"]
        );
        let without_value = parse(&["--allow-private-targets"]).unwrap();
        assert_eq!(
            without_value.allow_private_targets,
            options.allow_private_targets
        );
    }

    #[test]
    fn what_cannot_work_is_refused_with_a_reason() {
        for (arguments, named) in [
            (&["--regions", "a,b"][..], "2 to 32"),
            (&["--regions", "eu-1,eu-1"], "twice"),
            (&["--envoys-per-region", "0"], "0"),
            (&["--ports", "many"], "auto"),
            (&["--database-url", "mysql://u:hunter2@h/d"], "postgres://"),
            (&["--allow-private-targets", "10.0.0.0/99"], "CIDR"),
            (&["--allow-private-targets", ""], "--no-demo"),
            (&["--plan", "gold"], "gold"),
        ] {
            let problem = parse(arguments).unwrap_err();
            assert!(problem.contains(named), "{arguments:?}: {problem}");
        }
        parse(&["--allow-private-targets", "", "--no-demo"]).unwrap();
    }

    #[test]
    fn a_region_has_its_own_schema_in_the_same_database() {
        for (url, want) in [
            (
                "postgres://u@h/d",
                "postgres://u@h/d?options[search_path]=r",
            ),
            (
                "postgres://u@h/d?host=/s",
                "postgres://u@h/d?host=/s&options[search_path]=r",
            ),
        ] {
            assert_eq!(url.parse::<DatabaseUrl>().unwrap().with_schema("r"), want);
        }
    }
}
