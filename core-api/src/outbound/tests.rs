use rcgen::{CertifiedKey, generate_simple_self_signed};
use requestrocket_policy::fixtures::addresses::FORBIDDEN;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

fn open() -> Outbound {
    Outbound::new(&["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()])
}

fn post(url: &str) -> Request<Vec<u8>> {
    Request::post(url)
        .header("x-a", "1")
        .body(b"a=b".to_vec())
        .unwrap()
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Reads a request that ends with `a=b`.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut seen = Vec::new();
    while !seen.ends_with(b"a=b") {
        assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0, "{seen:?}");
    }
    String::from_utf8(seen).unwrap()
}

/// Answers a request; the request as it came.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, text: &str) -> String {
    let seen = read_request(&mut stream).await;
    // The client may have had enough.
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
    seen
}

/// What comes of a request to a server that answers one with `text`.
async fn served(text: String) -> (Result<Response<Vec<u8>>, Unreached>, String) {
    let (listener, port) = listen().await;
    let serve = async { answer(listener.accept().await.unwrap().0, &text).await };
    let client = open();
    let send = client.send(post(&format!("http://localhost:{port}/a?x=1")), PATIENCE);
    tokio::join!(send, serve)
}

#[tokio::test]
async fn an_answer_of_any_status_is_one_and_nothing_is_followed() {
    let text = "HTTP/1.1 302 Found\r\nlocation: http://localhost:1/\r\ncontent-length: 2\r\n\r\nno";
    let (got, seen) = served(text.to_owned()).await;
    let got = got.unwrap();
    assert_eq!(
        (got.status(), got.body().as_slice()),
        (StatusCode::FOUND, b"no".as_slice())
    );
    assert_eq!(got.headers()["location"], "http://localhost:1/");
    assert!(seen.starts_with("POST /a?x=1 HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("x-a: 1\r\n"), "{seen}");
}

#[tokio::test]
async fn an_answer_without_an_end_is_cut_off() {
    let body = "x".repeat(MAX_BODY_BYTES + 1);
    let (got, _) = served(format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}"
    ))
    .await;
    assert_eq!(got.unwrap_err(), Unreached::TooLong);
    let broken = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx";
    let (got, _) = served(broken.to_owned()).await;
    assert_eq!(got.unwrap_err(), Unreached::Broken);
    let (got, _) = served("SSH-2.0-x\r\n\r\n".to_owned()).await;
    assert_eq!(got.unwrap_err(), Unreached::Broken);
}

#[tokio::test]
async fn of_a_delivery_only_the_status_is_waited_for() {
    let (listener, port) = listen().await;
    let client = open();
    let sent = client.deliver(post(&format!("http://localhost:{port}/")), PATIENCE);
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        // The body that it promises never comes.
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n";
        read_request(&mut stream).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    };
    let (sent, _still_open) = tokio::join!(sent, serve);
    assert_eq!(sent.unwrap(), StatusCode::OK);
}

#[tokio::test]
async fn who_does_not_answer_is_left() {
    let (listener, port) = listen().await;
    let client = open();
    let url = format!("http://localhost:{port}/");
    let sent = client.send(post(&url), Duration::from_millis(50));
    let (sent, _never_answered) = tokio::join!(sent, listener.accept());
    assert_eq!(sent.unwrap_err(), Unreached::Late);
    drop(listener);
    let refused = client.send(post(&url), PATIENCE).await;
    assert_eq!(refused.unwrap_err(), Unreached::Unreachable);
    let unknown = client.send(post("https://x.invalid/"), PATIENCE).await;
    assert_eq!(unknown.unwrap_err(), Unreached::Unknown);
}

#[tokio::test]
async fn forbidden_addresses_are_not_connected_to_however_they_are_spelt() {
    let (listener, port) = listen().await;
    let closed = Outbound::new(&[]);
    let spelt = [
        "localhost",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "127.0.0.1.",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ];
    for host in spelt {
        let got = closed
            .send(post(&format!("https://{host}:{port}/")), PATIENCE)
            .await;
        assert_eq!(got.unwrap_err(), Unreached::AddressNotAllowed, "{host}");
        let got = closed
            .send(post(&format!("http://{host}:{port}/")), PATIENCE)
            .await;
        assert_eq!(got.unwrap_err(), Unreached::NotWithoutTls, "{host}");
    }
    for address in FORBIDDEN {
        let host = match address.parse().unwrap() {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("[{v6}]"),
        };
        let got = closed
            .send(post(&format!("https://{host}:{port}/")), PATIENCE)
            .await;
        assert_eq!(got.unwrap_err(), Unreached::AddressNotAllowed, "{host}");
    }
    let accepted = listener.into_std().unwrap().accept();
    let nobody = accepted.unwrap_err().kind();
    assert_eq!(nobody, io::ErrorKind::WouldBlock, "somebody connected");
}

#[tokio::test]
async fn without_tls_only_what_was_opened_is_called() {
    let got = open().send(post("http://1.1.1.1/"), PATIENCE).await;
    assert_eq!(got.unwrap_err(), Unreached::NotWithoutTls);
    for url in ["ftp://127.0.0.1/", "/a"] {
        let got = open().send(post(url), PATIENCE).await;
        assert_eq!(got.unwrap_err(), Unreached::Unwritable, "{url}");
    }
}

#[test]
fn of_several_addresses_the_forbidden_are_dropped() {
    let guard = |reach| Guard {
        allowed: ["10.1.0.0/16".parse().unwrap()].into(),
        reach,
    };
    let found = |texts: &[&str]| -> Vec<SocketAddr> {
        let addresses = texts.iter().map(|text| text.parse().unwrap());
        addresses
            .map(|address: IpAddr| (address, 0).into())
            .collect()
    };
    let mixed = || found(&["127.0.0.1", "1.1.1.1", "10.1.2.3"]);
    let (allowed, opened) = (guard(Reach::Allowed), guard(Reach::Opened));
    assert_eq!(
        allowed.of(mixed()).unwrap(),
        found(&["1.1.1.1", "10.1.2.3"])
    );
    assert_eq!(opened.of(mixed()).unwrap(), found(&["10.1.2.3"]));
    let local = allowed.of(found(&["127.0.0.1", "::1"]));
    assert_eq!(local.unwrap_err(), Unreached::AddressNotAllowed);
}

#[tokio::test]
async fn a_server_must_be_who_it_should_be() {
    let (listener, port) = listen().await;
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from_pem_slice(signing_key.serialize_pem().as_bytes()).unwrap();
    let server = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    for (client, host, want) in [
        (
            open().trusting(roots.clone()),
            "localhost",
            Ok(StatusCode::OK),
        ),
        (open().trusting(roots), "127.0.0.1", Err(Unreached::Tls)),
        (
            open().trusting(RootCertStore::empty()),
            "localhost",
            Err(Unreached::Tls),
        ),
    ] {
        let serve = async {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(stream) = acceptor.accept(stream).await {
                answer(stream, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
            }
        };
        let request = post(&format!("https://{host}:{port}/"));
        let (got, ()) = tokio::join!(client.deliver(request, PATIENCE), serve);
        assert_eq!(got, want, "{host}");
    }
}
