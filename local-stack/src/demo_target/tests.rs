use super::*;
use serde_json::{Value, json};

/// Serves in the background of a test; the runtime's end ends it.
async fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    requestrocket_process::tasks::TaskSet::default().spawn("demo target", async move {
        axum::serve(listener, router()).await?;
        Ok(())
    });
    url
}

fn http() -> reqwest::Client {
    crate::client::http().build().unwrap()
}

#[tokio::test]
async fn the_echo_repeats_what_arrived() {
    let url = start().await;
    let request = http()
        .post(format!("{url}/anything/a%2Fb?q=%20&&"))
        .header("X-One", "1")
        .body("{\"a\":1}");
    let echo: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(echo["method"], "POST");
    assert_eq!(echo["path"], "/anything/a%2Fb");
    assert_eq!(echo["query"], "q=%20&&");
    assert_eq!(echo["body"]["text"], "{\"a\":1}");
    assert_eq!(echo["body"]["length"], 7);
    assert!(
        echo["headers"]
            .as_array()
            .unwrap()
            .contains(&json!(["x-one", "1"]))
    );
}

#[tokio::test]
async fn statuses_and_delays_are_as_asked() {
    let url = start().await;
    for (path, want) in [
        ("/status/418", 418),
        ("/status/1", 400),
        ("/delay/0", 200),
        ("/delay/-1", 400),
        ("/nothing", 404),
    ] {
        let answer = http().get(format!("{url}{path}")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), want, "{path}");
    }
}

#[tokio::test]
async fn streams_have_the_length_asked_for() {
    let url = start().await;
    let text = |path: &str| {
        let request = http().get(format!("{url}{path}"));
        async { request.send().await.unwrap().bytes().await.unwrap() }
    };
    assert_eq!(text("/bytes/100000").await.len(), 100_000);
    assert_eq!(text("/ndjson?count=2&ms=0").await, "{\"n\":0}\n{\"n\":1}\n");
    assert_eq!(
        text("/sse?count=1&ms=0").await,
        "id: 0\ndata: {\"n\":0}\n\n"
    );
    assert_eq!(text("/trailers").await, "body\n");
}

#[tokio::test]
async fn an_upload_is_counted_and_digested() {
    let url = start().await;
    let request = http().put(format!("{url}/upload")).body("abc");
    let received: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(received["length"], 3);
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(received["sha256"], digest);
}
