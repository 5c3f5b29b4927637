use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Answers one connection with these bytes; the request as it came.
async fn served(
    answer: String,
    client: &Client,
    path: &str,
) -> (Result<Response, Failure>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("http://localhost:{port}{path}");
    let request = Outgoing {
        method: "POST".to_owned(),
        url: SecretText::new(url),
        headers: vec![("x-a".to_owned(), SecretText::new("1".to_owned()))],
        body: Some(SecretText::new("a=b".to_owned())),
        certificate: None,
    };
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = vec![0; 4096];
        let read = stream.read(&mut seen).await.unwrap();
        // The client may have had enough.
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
        String::from_utf8(seen[..read].to_vec()).unwrap()
    };
    tokio::select! {
        both = async { tokio::join!(client.send(&request), serve) } => both,
        () = tokio::time::sleep(Duration::from_secs(30)) => panic!("no answer"),
    }
}

fn open() -> Client {
    Client::new(
        b"",
        &["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
    )
}

#[tokio::test]
async fn an_answer_of_any_status_is_one_and_nothing_is_followed() {
    let answer = "HTTP/1.1 302 Found\r\nlocation: http://localhost/\r\ncontent-length: 2\r\n\r\nno";
    let (got, seen) = served(answer.to_owned(), &open(), "/token?x=1").await;
    let got = got.unwrap();
    assert_eq!((got.status, got.body.as_slice()), (302, b"no".as_slice()));
    assert!(seen.starts_with("POST /token?x=1 HTTP/1.1\r\n"), "{seen}");
    assert!(
        seen.contains("x-a: 1\r\n") && seen.contains("\r\n\r\na=b"),
        "{seen}"
    );
}

#[tokio::test]
async fn interim_answers_without_an_end_are_cut_off() {
    let interim = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
    let answer = interim.repeat(usize::try_from(MAX_BYTES).unwrap() / interim.len() + 1);
    let end = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let (got, _) = served(answer + end, &open(), "/").await;
    assert_eq!(got.unwrap_err().code, "connection");
    let (got, _) = served(interim.repeat(9) + end, &open(), "/").await;
    assert_eq!(got.unwrap().status, 200);
}

#[tokio::test]
async fn an_answer_without_an_end_is_cut_off() {
    let body = "x".repeat(MAX_BODY_BYTES + 1);
    let answer = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}");
    let (got, _) = served(answer, &open(), "/").await;
    assert_eq!(got.unwrap_err().code, "answer_body");
}

#[tokio::test]
async fn what_targets_may_not_have_is_not_connected_to() {
    let closed = Client::new(b"", &[]);
    for url in [
        "http://127.0.0.1:1/",
        "http://localhost:1/",
        "http://2130706433:1/",
        "http://[::1]:1/",
        "http://[::ffff:127.0.0.1]:1/",
        "http://169.254.169.254/",
    ] {
        let request = Outgoing {
            method: "GET".to_owned(),
            url: SecretText::new(url.to_owned()),
            headers: Vec::new(),
            body: None,
            certificate: None,
        };
        let failure = closed.send(&request).await.unwrap_err();
        assert_eq!(failure.code, "address_not_allowed", "{url}");
    }
}

#[tokio::test]
async fn keys_come_by_tls_or_from_a_network_that_was_opened() {
    let endpoint = |url: &str| Endpoint::parse(url).unwrap();
    // A public address, which nobody would connect to here.
    for url in ["http://1.1.1.1:1/", "http://localhost:1/"] {
        let failure = Client::new(b"", &[]).fetch(&endpoint(url), None).await;
        let failure = failure.unwrap_err();
        assert_eq!(failure.code, "address_not_allowed", "{url}");
        assert_eq!(failure.text, "address not allowed without TLS");
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = vec![0; 4096];
        let read = stream.read(&mut seen).await.unwrap();
        let answer = "HTTP/1.1 304 Not Modified\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(seen[..read].to_vec()).unwrap()
    };
    let (client, url) = (open(), endpoint(&format!("http://127.0.0.1:{port}/keys")));
    let (got, seen) = tokio::join!(client.fetch(&url, Some("\"v1\"")), serve);
    assert_eq!(got.unwrap().status, 304);
    assert!(seen.starts_with("GET /keys HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("if-none-match: \"v1\"\r\n"), "{seen}");
}
