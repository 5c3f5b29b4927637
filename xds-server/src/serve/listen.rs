//! Where the process listens, and how others learn of it.

use anyhow::Context;
use requestrocket_process::file::write_private;
use serde::Serialize;
use tokio::net::TcpListener;

use crate::config::Config;

/// Content of `ready_file`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ready {
    ads_address: String,
    http_url: String,
}

impl Ready {
    fn of(ads: &TcpListener, http: &TcpListener) -> std::io::Result<Self> {
        Ok(Self {
            ads_address: ads.local_addr()?.to_string(),
            http_url: format!("http://{}", http.local_addr()?),
        })
    }
}

/// For Envoys, and for health and metrics.
pub(super) async fn listen(config: &Config) -> anyhow::Result<(TcpListener, TcpListener, Ready)> {
    let ads = bind("ads_listen", config.ads_listen).await?;
    let http = bind("http_listen", config.http_listen).await?;
    let ready = Ready::of(&ads, &http)?;
    Ok((ads, http, ready))
}

/// Says, where that is looked for, that Envoys are served.
pub(super) fn announce(config: &Config, ready: &Ready, revision: u64) -> anyhow::Result<()> {
    let Ready {
        ads_address,
        http_url,
    } = ready;
    tracing::info!(
        region = config.region,
        ads_address,
        http_url,
        revision,
        "region server is up"
    );
    if let Some(path) = &config.ready_file {
        let text = serde_json::to_vec(ready)?;
        write_private(path, &text)
            .with_context(|| format!("`ready_file`: cannot write {}", path.display()))?;
    }
    Ok(())
}

async fn bind(field: &str, address: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    let context = || format!("`{field}`: cannot listen on {address}");
    TcpListener::bind(address).await.with_context(context)
}
