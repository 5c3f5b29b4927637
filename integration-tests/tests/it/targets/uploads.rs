//! Targets that answer an upload before all of it came, and close.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::caller::Connection;
use requestrocket_integration_tests::certificates::trusted;
use requestrocket_integration_tests::external::NodeTarget;
use requestrocket_integration_tests::gateway::Gateway;

/// As a server does whose limit for bodies is exceeded.
const REFUSING: &str = "
const server = http.createServer((request, response) => {
  response.writeHead(413, { connection: 'close' });
  response.end('too much', () => request.socket.destroySoon());
});
listen(server);
";

/// Envoy may notice the close before it reads the answer: a known limit. Whatever the caller gets,
/// it is an answer, and a whole one.
#[tokio::test]
async fn an_upload_that_is_refused_early_is_answered() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = NodeTarget::start(&trusted()?.identity(&["localhost"])?, REFUSING).await?;
    let proxy = gateway.proxy_to(&target.http_url()).await?;
    for _ in 0..CALLS {
        let request = proxy.request("POST", "/").body(vec![b'x'; 8 << 20]);
        let reply = Connection::open(&gateway.address)
            .await?
            .call(&request)
            .await?;
        match reply.status {
            413 => {
                ensure!(reply.text() == "too much" && reply.complete, "{reply:?}");
            }
            502 => ensure!(reply.code() == "TARGET_UNREACHABLE", "{reply:?}"),
            other => ensure!(false, "{other}"),
        }
    }
    Ok(())
}

const CALLS: usize = 20;
