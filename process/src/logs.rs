//! Log lines: one JSON object a line on standard error.

use tracing_subscriber::EnvFilter;

/// Starts logging for this process. `directives` are those of `tracing`'s `EnvFilter`, such as
/// `info` or `info,requestrocket_xds_server=debug`.
///
/// # Errors
/// The directives do not parse, or logging was started before.
pub fn start(directives: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(directives)?;
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        // Standard output is for what commands answer.
        .with_writer(std::io::stderr)
        .try_init()
        .map_err(|source| anyhow::anyhow!("logging cannot be started: {source}"))
}
