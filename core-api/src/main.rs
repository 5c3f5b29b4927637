//! Entry point: the command line.

use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use requestrocket_core_api::bootstrap::{self, FirstStart};
use requestrocket_core_api::config::Config;
use requestrocket_core_api::domain::account::checkpoint::AuditPublicKey;
use requestrocket_core_api::domain::account::verify::{Bad, Verdict, verify_export};
use requestrocket_core_api::domain::gateway::region::RegionName;
use requestrocket_core_api::domain::id::UserId;
use requestrocket_core_api::region::link;
use requestrocket_core_api::serve::{self, Core};
use requestrocket_core_api::service::account::audit_key;
use requestrocket_process::logs;

/// RequestRocket's control plane.
#[derive(Debug, Parser)]
#[command(name = "requestrocket-core-api", version)]
struct Arguments {
    /// Settings file (TOML).
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// Check the settings and exit.
    #[arg(long, global = true)]
    check_config: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the REST API and the region link (the default).
    Serve,
    /// Print a token with which a region enrols once within an hour; makes the region when new.
    RegionToken {
        /// Name of the region.
        #[arg(long)]
        region: RegionName,
    },
    /// Print a new operator token.
    OperatorToken,
    /// Verify exports of audit logs.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Print a token with which a user chooses an address and a password, once within 15 minutes.
    SetupToken {
        /// Id of the user [default: who was here first].
        #[arg(long)]
        user: Option<UserId>,
    },
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Print the public key that checkpoints are signed with.
    Key,
    /// Say whether an export is whole; fail and name the first bad row if it is not.
    Verify {
        /// An NDJSON export of a whole log.
        file: PathBuf,
        /// A key that `audit key` printed; repeated where it was another before. Without one each
        /// checkpoint is believed that its own key signed.
        #[arg(long)]
        key: Vec<AuditPublicKey>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(std::io::stderr(), "requestrocket-core-api: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    // It needs no settings: exports are verified anywhere.
    if let Some(Command::Audit {
        command: AuditCommand::Verify { file, key },
    }) = arguments.command
    {
        return verify(&file, key);
    }
    let config = Config::load(arguments.config.as_deref())?;
    logs::start(&config.log).context("invalid settings: `log`")?;
    if arguments.check_config {
        return Ok(say("ok")?);
    }
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => {
            let mut core = Core::start(&config).await?;
            if let Some(first) = core.first_start.take() {
                introduce(&first, &config)?;
            }
            core.run(&config).await
        }
        Command::RegionToken { region } => {
            let state = serve::open(&config).await?;
            let token = link::issue_token(&state.db, &state.clock, &region).await?;
            Ok(say(token.expose())?)
        }
        Command::Audit { .. } => {
            let key = audit_key::load_or_create(&config.data_dir.join("pki"))?;
            Ok(say(&key.public().to_string())?)
        }
        Command::OperatorToken => {
            let state = serve::open(&config).await?;
            let token = bootstrap::mint_operator_token(&state).await?;
            Ok(say(token.expose())?)
        }
        Command::SetupToken { user } => {
            let state = serve::open(&config).await?;
            let token = bootstrap::mint_setup_token(&state, user).await?;
            Ok(say(token.expose())?)
        }
    }
}

fn verify(file: &Path, keys: Vec<AuditPublicKey>) -> anyhow::Result<()> {
    let name = file.display();
    let lines = std::fs::File::open(file).with_context(|| format!("`{name}` cannot be read"))?;
    let has_key = !keys.is_empty();
    let verdict = verify_export(BufReader::new(lines), keys);
    let Verdict { rows, bad } = verdict.with_context(|| format!("`{name}` cannot be read"))?;
    if let Some(Bad { row, problem }) = bad {
        let row = row.as_deref().unwrap_or("none");
        bail!("`{name}` is not whole: first bad row {row}: {problem}");
    }
    say(&format!("ok: {rows} rows"))?;
    if !has_key {
        say("without `--key` anybody could have signed it")?;
    }
    Ok(())
}

/// The only time that these tokens are shown: here, or in the file, which nobody's log has.
fn introduce(first: &FirstStart, config: &Config) -> std::io::Result<()> {
    say(&format!("organisation    {}", first.organisation))?;
    say(&format!("user            {}", first.user))?;
    if let Some(file) = config.bootstrap_file.as_deref() {
        return say(&format!("tokens          in {}", file.display()));
    }
    say(&format!("user token      {}", first.user_token.expose()))?;
    say(&format!(
        "operator token  {}",
        first.operator_token.expose()
    ))?;
    let token = first.setup_token.expose();
    match config.public_url.as_deref() {
        Some(url) if cfg!(feature = "dashboard") => say(&format!(
            "set-up link     {url}/app/set-up#token={token} (for 15 minutes)"
        )),
        Some(_) | None => say(&format!("set-up token    {token} (for 15 minutes)")),
    }
}

/// Standard output is for what a command answers; everything else is in the log.
fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}
