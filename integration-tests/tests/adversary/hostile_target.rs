//! Targets whose answers are made to cost, to trap, or to end the gateway.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use requestrocket_integration_tests::codings::repeated;
use requestrocket_integration_tests::gateway::{Gateway, Proxy};
use requestrocket_integration_tests::target::{Script, Step, Target, respond, send};

use crate::attack::at_once;
use crate::corpus::{Encoded, answering, pairs, product};
use crate::readers::{HUNDRED_PATHS, LAST_FOUR_TIMES, ONE_PATH, READERS, Reader, VALUE};
use crate::scene::{Scene, is_long, sized};
use crate::streams::Streams;
use crate::witness::Witness;

const MEBIBYTE: usize = 1 << 20;

/// An answer of the target passes, is cut or is refused.
const OUTCOMES: &[u16] = &[200, 413, 422];

/// A target with an answer for each path `/{number}`.
struct Hostile {
    target: Target,
    witness: Witness,
}

impl Hostile {
    async fn new(scripts: Vec<Script>) -> Result<Self> {
        let witness = Witness::new("a-hostile-target");
        let target = witness.target(move |request| {
            let number = request.path().trim_start_matches('/').parse();
            let script = number.ok().and_then(|number: usize| scripts.get(number));
            script
                .cloned()
                .unwrap_or_else(|| respond("404 X", &[], b""))
        });
        let target = target.await?.keeping_newest();
        Ok(Self { target, witness })
    }

    async fn proxy(&self, gateway: &Gateway, reader: &Reader) -> Result<Proxy> {
        let plan = self
            .witness
            .plan(&self.target.url())
            .with("proxyMaxResponseBytes", 1_u64 << 30);
        reader.proxy(gateway, &plan).await.context(reader.name)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn costly_answers_cost_no_other_call() -> Result<()> {
    let scene = Scene::new().await?;
    let address = scene.gateway.address.as_str();
    let mut encoded = Encoded::default();
    for (number, reader) in READERS.iter().enumerate() {
        let answers: Vec<_> = if is_long() {
            product().collect()
        } else {
            pairs(number).collect()
        };
        let scripts = answers.iter().map(|answer| encoded.script(*answer));
        let hostile = Hostile::new(scripts.collect::<Result<_>>()?).await?;
        let proxy = hostile.proxy(&scene.gateway, reader).await?;
        let calls = async {
            for (number, answer) in answers.iter().enumerate() {
                let request = proxy.get(&format!("/{number}"));
                at_once(address, OUTCOMES, vec![request])
                    .await
                    .with_context(|| format!("{answer:?}"))?;
            }
            Ok(())
        };
        scene
            .beside(&format!("corpus: {}", reader.name), calls)
            .await?;
        hostile.witness.check()?;
    }
    Ok(())
}

/// Answers that once held a worker until Envoy's watchdog ended everything.
fn deadly() -> Result<Vec<(&'static str, Reader, Script)>> {
    let ndjson = ("content-type", "application/x-ndjson");
    let json = ("content-type", "application/json");
    let gzip = ("content-encoding", "gzip");
    let chunked = ("transfer-encoding", "chunked");
    let coded = |kind, body: Vec<u8>| {
        let length = body.len().to_string();
        answering(&[kind, gzip, ("content-length", &length)], vec![send(body)])
    };
    let lines = b"1\n".repeat(MEBIBYTE / 2);
    let plain = lines.len().to_string();
    let values = "{\"x\":1}\n".repeat(MEBIBYTE / 8).into_bytes();
    let filler = format!("{:x}\r\n{}\r\n", MEBIBYTE, "[1],".repeat(MEBIBYTE / 4));
    Ok(vec![
        (
            "16 KB of gzip, 8 million records",
            ONE_PATH,
            coded(ndjson, repeated(b"", &lines, 16, b"")?),
        ),
        (
            "1 MB of records, 100 paths",
            HUNDRED_PATHS,
            answering(&[ndjson, ("content-length", &plain)], vec![send(lines)]),
        ),
        (
            "335 KB of gzip, a value",
            VALUE,
            coded(ndjson, repeated(b"", &values, 300, b"")?),
        ),
        (
            "a document of 128 MiB, held on four layers",
            LAST_FOUR_TIMES,
            answering(
                &[json, chunked],
                vec![
                    send("8\r\n{\"a\":[1,\r\n"),
                    Step::Repeat(filler.into(), 128),
                    send("3\r\n1]}\r\n0\r\n\r\n"),
                ],
            ),
        ),
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_holds_a_worker_until_envoy_ends() -> Result<()> {
    let scene = Scene::new().await?;
    let answers = deadly()?;
    let scripts = answers.iter().map(|(_, _, script)| script.clone());
    let hostile = Hostile::new(scripts.collect()).await?;
    let mut requests = BTreeMap::new();
    for (number, (name, reader, _)) in answers.iter().enumerate() {
        let proxy = hostile.proxy(&scene.gateway, reader).await?;
        requests.insert(*name, proxy.get(&format!("/{number}")));
    }
    let address = scene.gateway.address.as_str();
    for (name, request) in &requests {
        for times in sized(&[1][..], &[1, 8, 40]) {
            let calls = at_once(address, OUTCOMES, vec![request.clone(); *times]);
            scene
                .beside(&format!("{name}, {times} at once"), calls)
                .await?;
        }
    }
    for times in [8, 40] {
        let mixed = requests.values().cycle().take(times).cloned();
        let calls = at_once(address, OUTCOMES, mixed.collect());
        scene
            .beside(&format!("all of these, {times} at once"), calls)
            .await?;
    }
    hostile.witness.check()
}

/// More than the filter may hold, let alone than it has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_too_long_to_hold_cuts_no_other_stream() -> Result<()> {
    const OTHERS: usize = 11;
    let scene = Scene::new().await?;
    let text = format!("{:x}\r\n{}\r\n", MEBIBYTE, "x".repeat(MEBIBYTE));
    let long = answering(
        &[
            ("content-type", "application/json"),
            ("transfer-encoding", "chunked"),
        ],
        vec![
            send("7\r\n{\"a\":[\"\r\n"),
            Step::Repeat(text.into(), 400),
            send("4\r\n\",1]\r\n1\r\n}\r\n0\r\n\r\n"),
        ],
    );
    let hostile = Hostile::new(vec![long]).await?;
    let proxy = hostile.proxy(&scene.gateway, &LAST_FOUR_TIMES).await?;
    let address = scene.gateway.address.as_str();
    let streams = Streams::open(&scene.innocent, address, OTHERS).await?;
    for times in sized(&[1, 8][..], &[1, 8, 40]) {
        let calls = at_once(address, OUTCOMES, vec![proxy.get("/0"); *times]);
        let case = format!("a held body of 400 MiB, {times} at once");
        scene.beside(&case, calls).await?;
    }
    streams.finish().await?;
    hostile.witness.check()
}
