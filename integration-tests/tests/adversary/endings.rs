//! Very many calls of one organisation that have something done to them at the same moment.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use bytes::Bytes;
use h2::client::ResponseFuture;
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan};
use requestrocket_integration_tests::target::{Gate, Script, Step, Target, head, send};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::attack::at_once;
use crate::scene::Scene;
use crate::streams::Streams;

const CONNECTIONS: usize = 30;
const STREAMS: usize = 80;
/// Streams of the innocent.
const OTHERS: usize = 11;

/// Never answers.
async fn silent() -> Result<Target> {
    let target = Target::answering(|_| Script::AfterRequest(Vec::new())).await?;
    Ok(target.keeping_newest())
}

/// Uploads over one connection that never end, and what came back for each.
async fn uploads(address: String, proxy: Proxy, opened: Gate) -> Result<Vec<String>> {
    let stream = TcpStream::connect(&address).await?;
    let (mut sender, connection) = h2::client::Builder::new()
        .initial_window_size(1 << 20)
        .initial_connection_window_size(1 << 28)
        .handshake::<_, Bytes>(stream)
        .await?;
    let mut driver = JoinSet::new();
    driver.spawn(async move {
        let _ = connection.await;
    });
    let mut calls = JoinSet::new();
    let mut held = Vec::new();
    for _ in 0..STREAMS {
        let request = http::Request::post(format!("http://gateway.test{}", proxy.path("/x")))
            .header("authorization", &proxy.authorization)
            .body(())?;
        sender = sender.ready().await?;
        let (response, mut upload) = sender.send_request(request, false)?;
        upload.send_data(Bytes::from_static(b"x"), false)?;
        held.push(upload);
        calls.spawn(answer(response));
    }
    opened.open();
    let mut answers = Vec::new();
    while let Some(answer) = calls.join_next().await {
        answers.push(answer?);
    }
    Ok(answers)
}

type Opened = JoinSet<Result<Vec<String>>>;

/// How many ended how; of a refusal the status alone.
async fn answers(mut connections: Opened) -> Result<BTreeMap<String, usize>> {
    let mut counts = BTreeMap::new();
    while let Some(answers) = connections.join_next().await {
        for answer in answers?? {
            let what = match answer.split_once(" Forbidden") {
                Some((status, _)) => format!("{status} "),
                None => answer,
            };
            *counts.entry(what).or_default() += 1;
        }
    }
    Ok(counts)
}

/// Opens all of them.
async fn open(gateway: &Gateway, proxy: &Proxy) -> Opened {
    let (mut connections, opened) = (JoinSet::new(), Gate::default());
    for _ in 0..CONNECTIONS {
        let (address, proxy) = (gateway.address.clone(), proxy.clone());
        connections.spawn(uploads(address, proxy, opened.clone()));
    }
    for _ in 0..CONNECTIONS {
        opened.pass().await;
    }
    connections
}

async fn answer(response: ResponseFuture) -> String {
    let Ok(response) = response.await else {
        return "reset".to_owned();
    };
    let status = response.status();
    let mut body = response.into_body();
    let mut text = format!("{status} ");
    while let Some(Ok(data)) = body.data().await {
        let _ = body.flow_control().release_capacity(data.len());
        text.push_str(&String::from_utf8_lossy(&data));
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_that_end_at_once_cost_no_other_call() -> Result<()> {
    let scene = Scene::new().await?;
    let gateway: Gateway = scene.gateway.neighbour().await?;
    let target = silent().await?;
    let proxy = gateway.proxy(&ProxyPlan::to(&target.url())).await?;
    gateway.destroy(&proxy, &["$.hidden"]).await?;
    let connections = open(&gateway, &proxy).await;
    let streams = Streams::open(&scene.innocent, &gateway.address, OTHERS).await?;
    let record = format!("credentials/{}", proxy.credential_ids[0]);
    let ends = async {
        gateway.api.applied("DELETE", &record, &Value::Null).await?;
        answers(connections).await
    };
    let counts = scene.beside("calls that end at once", ends).await?;
    streams.finish().await?;
    let is_refused = |(answer, _): (&String, &usize)| answer.starts_with("403 ");
    ensure!(counts.iter().all(is_refused), "{counts:?}");
    Ok(())
}

/// Streams of events that wait for their turn behind work of the same organisation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_small_parts_done_in_one_turn_cost_no_other_call() -> Result<()> {
    let scene = Scene::new().await?;
    let gateway: Gateway = scene.gateway.neighbour().await?;
    let gate = Gate::default();
    let held = gate.clone();
    let costly = format!(r#"{{"a":[{}1]}}"#, r#"{"x":2},"#.repeat(1 << 19));
    let target = Target::answering(move |request| {
        let json = ("content-type", "application/json");
        if request.path().starts_with("/costly") {
            let length = costly.len().to_string();
            let length = ("content-length", length.as_str());
            let steps = vec![head("200 OK", &[json, length]), send(costly.clone())];
            return Script::AfterRequest(steps);
        }
        let length = ("content-length", "9");
        Script::AfterHead(vec![
            head("200 OK", &[json, length]),
            Step::Wait(held.clone()),
            send(r#"{"a":[1]}"#),
        ])
    });
    let target = target.await?.keeping_newest();
    let plan = ProxyPlan::to(&target.url()).with("proxyMaxResponseBytes", 64_u64 << 20);
    let proxy = gateway.proxy(&plan).await?;
    let filter = json!({ "operation": "destroy", "paths": ["$.a[-1]"] });
    for layer in Layer::ALL {
        gateway.filter(&proxy, layer, &filter).await?;
    }
    let connections = open(&gateway, &proxy).await;
    let address = gateway.address.as_str();
    let work = async {
        let costly = at_once(address, &[200, 413, 422], vec![proxy.get("/costly"); 8]);
        let small = async {
            for _ in 0..CONNECTIONS * STREAMS {
                gate.open();
            }
            answers(connections).await
        };
        tokio::try_join!(costly, small).map(|((), counts)| counts)
    };
    let counts = scene.beside("small parts behind costly ones", work).await?;
    let whole = BTreeMap::from([(r#"200 OK {"a":[]}"#.to_owned(), CONNECTIONS * STREAMS)]);
    ensure!(counts == whole, "{counts:?}");
    Ok(())
}
