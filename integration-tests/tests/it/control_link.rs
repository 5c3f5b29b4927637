//! Strangers and garbage on the ports of the control plane and of the region.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use bytes::{BufMut as _, Bytes, BytesMut};
use requestrocket_integration_tests::certificates::{Authority, Identity, provider};
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan, Secret};
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::traffic::Traffic;
use requestrocket_integration_tests::{machine, wait};
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{RootCertStore, client::danger};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::expect;

/// Accepts any server: these tests are about what the server accepts.
#[derive(Debug)]
struct AnyServer;

impl danger::ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: rustls::pki_types::UnixTime,
    ) -> Result<danger::ServerCertVerified, rustls::Error> {
        Ok(danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &rustls::DigitallySignedStruct,
    ) -> Result<danger::HandshakeSignatureValid, rustls::Error> {
        Ok(danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &rustls::DigitallySignedStruct,
    ) -> Result<danger::HandshakeSignatureValid, rustls::Error> {
        Ok(danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

async fn connect(port: u16, identity: Option<Identity>) -> Result<TlsStream<TcpStream>> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty());
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder.with_client_auth_cert(identity.chain, identity.key)?,
    };
    config
        .dangerous()
        .set_certificate_verifier(Arc::new(AnyServer));
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let name = ServerName::try_from("localhost")?;
    Ok(TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?)
}

/// Opens a delta stream as `node` and gives back the first bytes of an answer, or the refusal.
async fn first_resources(port: u16, identity: Option<Identity>, node: &str) -> Result<usize> {
    let stream = connect(port, identity).await?;
    let (sender, connection) = h2::client::handshake(stream).await?;
    let mut driver = tokio::task::JoinSet::new();
    driver.spawn(async move {
        // A refusal also shows on the stream.
        let _ = connection.await;
    });
    let path = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
    let request = http::Request::post(format!("https://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())?;
    let mut sender = sender.ready().await?;
    let (response, mut upload) = sender.send_request(request, false)?;
    upload.send_data(subscription(node), false)?;
    let response = response.await?;
    if let Some(status) = response.headers().get("grpc-status") {
        bail!("refused with grpc-status {status:?}");
    }
    let mut body = response.into_body();
    match body.data().await {
        Some(data) => Ok(data?.len()),
        None => bail!("ended with trailers {:?}", body.trailers().await?),
    }
}

/// A `DeltaDiscoveryRequest` of that node for every cluster, as one gRPC message.
fn subscription(node: &str) -> Bytes {
    let cluster = node.split("-envoy-").next().unwrap_or("");
    let mut inner = BytesMut::new();
    field(&mut inner, 1, node.as_bytes());
    field(&mut inner, 2, cluster.as_bytes());
    let mut message = BytesMut::new();
    field(&mut message, 1, &inner);
    field(
        &mut message,
        2,
        b"type.googleapis.com/envoy.config.cluster.v3.Cluster",
    );
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(0));
    framed.extend_from_slice(&message);
    framed.freeze()
}

/// A length-delimited protobuf field; all of these are shorter than 128 bytes.
fn field(message: &mut BytesMut, number: u8, value: &[u8]) {
    message.put_u8(number << 3 | 2);
    message.put_u8(u8::try_from(value.len()).unwrap_or(0));
    message.extend_from_slice(value);
}

fn file_below(folder: &Path, name: &str) -> Result<PathBuf> {
    for entry in std::fs::read_dir(folder)?.flatten() {
        let path = entry.path();
        if path.ends_with(name) {
            return Ok(path);
        }
        if path.is_dir()
            && let Ok(found) = file_below(&path, name)
        {
            return Ok(found);
        }
    }
    bail!("no {name} below {}", folder.display())
}

/// The identity that the stack's own Envoy uses.
fn node_identity(stack: &Stack) -> Result<Identity> {
    let certificate = file_below(stack.data_dir(), "node.pem")?;
    let key = file_below(stack.data_dir(), "node.key")?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate)?.collect();
    Ok(Identity {
        chain: chain?,
        key: PrivateKeyDer::from_pem_file(key)?,
    })
}

/// The ports of a process that speak TLS.
async fn tls_ports(pid: i32) -> Result<Vec<u16>> {
    let mut found = Vec::new();
    for port in machine::listening_ports(pid)? {
        if connect(port, None).await.is_ok() {
            found.push(port);
        }
    }
    ensure!(!found.is_empty(), "process {pid} has no TLS port");
    Ok(found)
}

#[tokio::test]
async fn x1_only_a_node_with_its_own_certificate_gets_configuration() -> Result<()> {
    // A stack of its own: a second stream of a node takes the place of the first one.
    let stack = Stack::start(&[]).await?;
    let region = &stack.region()?.name;
    let ads = *tls_ports(stack.xds_pid()?)
        .await?
        .first()
        .context("no ADS port")?;
    let node = format!("{region}-envoy-1");
    let good = first_resources(ads, Some(node_identity(&stack)?), &node).await;
    ensure!(
        good.is_ok(),
        "the node's own certificate was refused: {good:?}"
    );
    let stranger = Authority::new("Somebody else")?;
    for (name, identity, claimed) in [
        ("no certificate", None, node.clone()),
        (
            "unknown authority",
            Some(stranger.identity(&[&node])?),
            node.clone(),
        ),
        (
            "self-signed",
            Some(requestrocket_integration_tests::certificates::self_signed(
                &[&node],
            )?),
            node.clone(),
        ),
        (
            "another node's name",
            Some(node_identity(&stack)?),
            format!("{region}-envoy-99"),
        ),
        (
            "another region's name",
            Some(node_identity(&stack)?),
            "other-region-envoy-1".to_owned(),
        ),
        ("no name", Some(node_identity(&stack)?), String::new()),
    ] {
        let got = first_resources(ads, identity, &claimed).await;
        ensure!(got.is_err(), "{name}: {got:?} bytes of configuration");
    }
    Ok(())
}

/// What a scanner, a lost browser or a fuzzer sends.
fn garbage() -> Vec<Vec<u8>> {
    vec![
        Vec::new(),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff".to_vec(),
        b"SSH-2.0-x\r\n".to_vec(),
        vec![0; 4096],
        vec![0xff; 4096],
        b"\x16\x03\x01\xff\xff\x01\x00".to_vec(),
        (0..=255_u8).cycle().take(100_000).collect(),
    ]
}

/// Sends bytes and waits until the other side closes or stays silent.
async fn throw<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    mut stream: S,
    bytes: &[u8],
) {
    // A server that closes in the middle is right to do so.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut sink = Vec::new();
    let _ = tokio::time::timeout(
        std::time::Duration::from_secs(2),
        stream.read_to_end(&mut sink),
    )
    .await;
}

#[tokio::test]
async fn garbage_on_any_port_crashes_nothing() -> Result<()> {
    let stack = Gateway::shared_stack().await?;
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let traffic = Traffic::start(&gateway.address, &proxy.get("/steady"), 1);
    traffic.more(5).await?;
    let identity = node_identity(stack)?;
    for pid in [
        stack.xds_pid()?,
        stack.file.pids.core_api,
        stack.envoy_pid()?,
    ] {
        for port in machine::listening_ports(pid)? {
            for bytes in garbage() {
                throw(TcpStream::connect(("127.0.0.1", port)).await?, &bytes).await;
                let identity = Identity {
                    chain: identity.chain.clone(),
                    key: identity.key.clone_key(),
                };
                if let Ok(stream) = connect(port, Some(identity)).await {
                    throw(stream, &bytes).await;
                }
            }
        }
        ensure!(!machine::is_gone(pid), "process {pid} is gone");
    }
    traffic.more(5).await?;
    traffic.finish().await?;
    let after = gateway.proxy_to(&target.url()).await?;
    expect::ok(&gateway.call(&after.get("/")).await?)
}

/// What one proxy asks for cannot hold up another, whatever it is.
#[tokio::test]
async fn x2_odd_but_legal_configuration_of_one_proxy_leaves_the_others_alone() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let long_host = format!("http://{}.test", vec!["a".repeat(60); 4].join("."));
    for (number, plan) in [
        ProxyPlan::to("http://-odd-.test"),
        ProxyPlan::to("http://a_b.test:65535"),
        ProxyPlan::to(&long_host),
        ProxyPlan::to(&format!("http://x.test/{}", "p/".repeat(900))),
        ProxyPlan::to("http://x.test/%25%7B%00%7D%REQ(x)%"),
        ProxyPlan::to(&target.url()).injecting(Secret::new(
            "custom",
            serde_json::json!({ "headers": { "x-percent": "%REQ(authorization)% %%" } }),
        )),
        ProxyPlan::to(&target.url()).injecting(Secret::api_key(&"k".repeat(8192))),
        ProxyPlan::to(&target.url()).callers(&vec![Secret::api_key(&"c".repeat(8000)); 20]),
    ]
    .into_iter()
    .enumerate()
    {
        // Refused when saved, refused by Envoy or served: all are fine, as long as the rest is.
        let made = gateway.proxy(&plan).await;
        let other = gateway
            .proxy_to(&target.url())
            .await
            .with_context(|| format!("after plan {number}: {made:?}"))?;
        expect::ok(&gateway.call(&other.get("/")).await?)?;
        if let Ok(odd) = made {
            let status = gateway.api.status(&odd.id).await?;
            let word = status["proxyStatus"].as_str().unwrap_or_default();
            ensure!(
                matches!(word, "applied" | "rejected"),
                "plan {number}: {status}"
            );
            gateway.call(&odd.get("/")).await?;
            gateway
                .api
                .applied(
                    "DELETE",
                    &format!("proxies/{}", odd.id),
                    &serde_json::Value::Null,
                )
                .await?;
        }
    }
    wait::until("the region to be connected", || async {
        let regions = gateway.api.get("/regions").await?.json;
        Ok((regions["data"][0]["regionConnected"] == true).then_some(()))
    })
    .await
}
