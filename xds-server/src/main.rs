//! The region server's command line.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use requestrocket_process::{logs, settings};
use requestrocket_xds_server::access_log::{self, Place};
use requestrocket_xds_server::config::{Config, ENV_PREFIX, Settings};
use requestrocket_xds_server::serve;

/// The region server of RequestRocket: configuration, secrets and fleet of one data plane.
#[derive(Debug, Parser)]
#[command(name = "requestrocket-xds-server", version)]
struct Cli {
    /// Settings file (TOML); environment variables override it.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the settings, print `ok` and end.
    #[arg(long, global = true)]
    check_config: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve Envoys and keep the link to the control plane (the default).
    Serve,
    /// Make the certificate with which an Envoy node shows who it is.
    NodeCertificate {
        /// The node's id, `{region}-…`.
        #[arg(long)]
        node_id: String,
        /// Folder for node.pem, node.key and ca.pem.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Look at the records of calls.
    Log {
        #[command(subcommand)]
        command: LogCommand,
    },
}

#[derive(Debug, Subcommand)]
enum LogCommand {
    /// Say of every day whether its records are as they were written, and fail if one is not.
    Verify,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let settings: Settings = settings::load(cli.config.as_deref(), ENV_PREFIX)?;
    logs::start(&settings.log).context("setting `log` cannot be used")?;
    let config = Config::try_from(settings)?;
    if cli.check_config {
        serve::check_enrolment(&config)?;
        writeln!(std::io::stdout(), "ok")?;
        return Ok(());
    }
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(config).await,
        Command::NodeCertificate { node_id, out } => {
            serve::node_certificate(&config, &node_id, &out)
        }
        Command::Log {
            command: LogCommand::Verify,
        } => {
            let place = Place::of(&config.data_dir, config.database_url.expose())?;
            let is_whole = access_log::verify(&place, &mut std::io::stdout()).await?;
            anyhow::ensure!(is_whole, "records of calls are not as they were written");
            Ok(())
        }
    }
}

/// One JSON line like the log's, also when the log was never started.
fn report(error: &anyhow::Error) {
    if tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!(error = format!("{error:#}"), "region server ends");
    } else {
        let line = serde_json::json!({ "level": "ERROR", "message": format!("{error:#}") });
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}
