//! Callers that send very many small things, and begin what they never end.

use anyhow::{Result, ensure};
use bytes::Bytes;
use requestrocket_integration_tests::caller::Connection;
use requestrocket_integration_tests::gateway::Proxy;
use requestrocket_integration_tests::http2;
use requestrocket_integration_tests::target::Target;
use tokio::net::TcpStream;

use crate::scene::{Scene, sized};

/// A frame of HTTP/2 on no stream, with a payload of zeros.
fn frame(kind: u8, length: u8) -> Vec<u8> {
    let mut frame = vec![0, 0, length, kind, 0, 0, 0, 0, 0];
    frame.resize(9 + usize::from(length), 0);
    frame
}

/// As many of the frames as the gateway takes before it closes, or all of them.
async fn frames(address: &str, frame: &[u8], times: usize) -> Result<()> {
    let mut connection = Connection::open(address).await?;
    connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await?;
    connection.send(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await?;
    // It may close in the middle, which is an answer.
    let _ = connection.send(&frame.repeat(times)).await;
    Ok(())
}

/// Begins calls and takes each back at once.
async fn resets(address: &str, proxy: &Proxy, times: usize) -> Result<()> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = h2::client::handshake(stream).await?;
    let mut driver = tokio::task::JoinSet::new();
    driver.spawn(async move {
        let _ = connection.await;
    });
    for _ in 0..times {
        let request = http::Request::get(format!("http://gateway.test{}", proxy.path("/")))
            .header("authorization", &proxy.authorization)
            .body(())?;
        // The gateway may have had enough of it.
        let Ok(ready) = sender.ready().await else {
            break;
        };
        sender = ready;
        let Ok((_, mut upload)) = sender.send_request(request, false) else {
            break;
        };
        upload.send_reset(h2::Reason::CANCEL);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_flood_of_http2_costs_another_call() -> Result<()> {
    let scene = Scene::new().await?;
    let address = scene.gateway.address.as_str();
    let target = Target::unrecorded().await?;
    let own = scene.gateway.proxy_to(&target.url()).await?;
    let times = sized(20_000, 500_000);
    for (name, kind, length) in [("pings", 6, 8), ("settings", 4, 0), ("windows", 8, 4)] {
        let frame = frame(kind, length);
        let work = frames(address, &frame, times);
        scene
            .beside(&format!("HTTP/2: {times} {name}"), work)
            .await?;
    }
    let taken_back = async {
        for _ in 0..sized(5, 100) {
            resets(address, &own, 2_000).await?;
        }
        Ok(())
    };
    scene
        .beside("HTTP/2: calls that are taken back", taken_back)
        .await?;
    let mut named = http::Request::get(format!("http://gateway.test{}", own.path("/")))
        .header("authorization", &own.authorization);
    for number in 0..80 {
        named = named.header(format!("x-rr-{number}"), "x".repeat(500));
    }
    let reply = http2::call(address, named.body(())?, Bytes::new()).await?;
    ensure!(matches!(reply.status, 200 | 431), "{}", reply.status);
    Ok(())
}

/// A head that is never finished, on many connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_that_never_end_cost_no_other_call() -> Result<()> {
    let scene = Scene::new().await?;
    let begin = async {
        let mut open = Vec::new();
        for _ in 0..sized(500, 5_000) {
            let mut connection = scene.gateway.connect().await?;
            connection
                .send(b"GET /api/x HTTP/1.1\r\nhost: g\r\nx-slow: ")
                .await?;
            open.push(connection);
        }
        Ok(open)
    };
    let open = scene.beside("heads that never end", begin).await?;
    scene.beside("the same, all open", async { Ok(()) }).await?;
    drop(open);
    Ok(())
}
