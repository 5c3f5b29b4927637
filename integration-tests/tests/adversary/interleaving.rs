//! Answers that arrive in every order while their organisation has nothing left to spend at once: what
//! a caller gets of one is what the filter leaves of it, or the beginning of that and a cut, or a
//! refusal. Each answer is made from a number alone, so that a failure can be played again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::{Connection, Reply, Request};
use requestrocket_integration_tests::codings::encode;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan};
use requestrocket_integration_tests::http2;
use requestrocket_integration_tests::target::{
    Gate, Recorded, Script, Step, Target, chunk_bytes, head, respond, send,
};
use serde_json::json;
use tokio::task::JoinSet;

use crate::attack::at_once;
use crate::corpus::answering;
use crate::scene::{Scene, sized};

/// What no caller may see.
const HIDDEN: &str = "hidden-from-callers";
/// Calls at the same time.
const AT_ONCE: u64 = 8;
const CALLS: u64 = 96;
const KINDS: [&str; 3] = [
    "application/json",
    "application/x-ndjson",
    "text/event-stream",
];
const CODINGS: [&str; 5] = ["", "", "gzip", "br", "zstd"];

/// Numbers that look like chance and follow from the first.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap_or_default()
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length,
    Chunks,
    Trailers,
    Close,
}

/// One answer of the target, and what is left of it.
#[derive(Debug)]
struct Case {
    kind: &'static str,
    coding: &'static str,
    framing: Framing,
    /// The last record has no end of its own.
    is_open: bool,
    sent: Vec<u8>,
    left: Vec<u8>,
}

impl Case {
    fn of(seed: u64) -> Result<(Self, Dice)> {
        let mut dice = Dice(seed);
        let kind = KINDS[dice.below(KINDS.len())];
        let coding = CODINGS[dice.below(CODINGS.len())];
        let framings = [
            Framing::Length,
            Framing::Chunks,
            Framing::Trailers,
            Framing::Close,
        ];
        let framing = framings[dice.below(framings.len())];
        let is_open = kind == "application/x-ndjson" && dice.one_in(4);
        let documents = if kind == KINDS[0] {
            1
        } else {
            1 + dice.below(40)
        };
        let items = [1, 10, 100, 2_000][dice.below(4)] / documents + 1;
        let (mut sent, mut left) = (Vec::new(), Vec::new());
        for number in 0..documents {
            let is_last = number + 1 == documents;
            for (hides, body) in [(true, &mut sent), (false, &mut left)] {
                let document = document(seed, number, items, hides);
                let framed = match kind {
                    "application/json" => document,
                    "text/event-stream" => format!("data: {document}\n\n"),
                    _ if is_open && is_last => document,
                    _ => format!("{document}\n"),
                };
                body.extend_from_slice(framed.as_bytes());
            }
        }
        let case = Self {
            kind,
            coding,
            framing,
            is_open,
            sent: encode(coding, &sent)?,
            left,
        };
        Ok((case, dice))
    }

    /// In pieces, with pauses that end when something else has happened.
    fn script(&self, dice: &mut Dice, clock: &Gate) -> Script {
        let mut steps = vec![head("200 OK", &self.headers())];
        let mut rest = &self.sent[..];
        let longest = [1, 7, 300, 5_000, 70_000][dice.below(5)];
        let mut pieces = 0;
        while !rest.is_empty() {
            let length = if pieces < 200 {
                1 + dice.below(longest)
            } else {
                rest.len()
            };
            let (piece, later) = rest.split_at(length.min(rest.len()));
            steps.push(send(match self.framing {
                Framing::Chunks | Framing::Trailers => chunk_bytes(piece),
                Framing::Length | Framing::Close => Bytes::copy_from_slice(piece),
            }));
            rest = later;
            pieces += 1;
            if dice.one_in(8) {
                steps.push(Step::Wait(clock.clone()));
            }
        }
        for _ in 0..dice.below(8) {
            steps.push(Step::Wait(clock.clone()));
        }
        steps.extend(match self.framing {
            Framing::Length => None,
            Framing::Chunks => Some(send("0\r\n\r\n")),
            Framing::Trailers => Some(send("0\r\nx-sum: 1\r\n\r\n")),
            Framing::Close => Some(Step::Close),
        });
        Script::AfterRequest(steps)
    }

    fn headers(&self) -> Vec<(&str, &str)> {
        let mut headers = vec![("content-type", self.kind)];
        if !self.coding.is_empty() {
            headers.push(("content-encoding", self.coding));
        }
        match self.framing {
            Framing::Length => headers.push(("x-length", "below")),
            Framing::Chunks | Framing::Trailers => {
                headers.push(("transfer-encoding", "chunked"));
            }
            Framing::Close => headers.push(("connection", "close")),
        }
        headers
    }

    /// What is no record cannot be told from one that is not whole when trailers follow nothing.
    fn may_be_cut(&self) -> bool {
        self.is_open && self.framing == Framing::Trailers
    }

    fn check(&self, reply: &Reply) -> Result<&'static str> {
        let text = reply.text();
        ensure!(!text.contains(HIDDEN), "it shows what is hidden");
        if reply.status != 200 {
            ensure!(reply.code() == "OVERLOADED", "{} {text:.300}", reply.status);
            return Ok("refused");
        }
        ensure!(
            self.left.starts_with(&reply.body),
            "other bytes: {} instead of {}, the same up to {:?}",
            reply.body.len(),
            self.left.len(),
            reply.body.iter().zip(&self.left).position(|(a, b)| a != b),
        );
        if reply.complete {
            ensure!(
                reply.body.len() == self.left.len(),
                "{} bytes of {} and no cut",
                reply.body.len(),
                self.left.len()
            );
            Ok("whole")
        } else {
            ensure!(self.may_be_cut(), "cut after {} bytes", reply.body.len());
            Ok("cut")
        }
    }
}

fn document(seed: u64, number: usize, items: usize, hides: bool) -> String {
    let items = (0..items).map(|item| {
        let hidden = if hides {
            format!(r#","hidden":"{HIDDEN}-{seed}-{number}""#)
        } else {
            String::new()
        };
        let pad = "p".repeat(item % 50);
        format!(r#"{{"n":{item}{hidden},"pad":"{pad}"}}"#)
    });
    format!(r#"{{"a":[{}]}}"#, items.collect::<Vec<_>>().join(","))
}

/// Answers of these numbers, each after `/`; `/costly` is much work.
async fn target(clock: &Gate) -> Result<Target> {
    let clock = clock.clone();
    let costly = costly()?;
    let target = Target::answering(move |request: &Recorded| {
        let seed = request.path().trim_start_matches('/');
        match seed.parse().map(Case::of) {
            Ok(Ok((case, mut dice))) => with_length(case.script(&mut dice, &clock), &case),
            _ if seed == "costly" => costly.clone(),
            _ => respond("200 OK", &[("content-type", "application/json")], b"{}"),
        }
    });
    Ok(target.await?.keeping_newest())
}

fn with_length(script: Script, case: &Case) -> Script {
    let Script::AfterRequest(mut steps) = script else {
        return script;
    };
    if case.framing == Framing::Length {
        let length = case.sent.len().to_string();
        let mut headers = case.headers();
        headers.push(("content-length", &length));
        steps[0] = head("200 OK", &headers);
    }
    Script::AfterRequest(steps)
}

fn costly() -> Result<Script> {
    let body = format!("{{\"a\":[{}1]}}", r#"{"x":2},"#.repeat(1 << 17));
    let body = encode("gzip", body.as_bytes())?;
    let length = body.len().to_string();
    Ok(answering(
        &[
            ("content-type", "application/json"),
            ("content-encoding", "gzip"),
            ("content-length", &length),
        ],
        vec![send(body)],
    ))
}

/// Proxies that take the same out, one as it comes and one of the whole body.
async fn proxies(gateway: &Gateway, target: &Target) -> Result<[Proxy; 2]> {
    let plan = ProxyPlan::to(&target.url()).with("proxyMaxResponseBytes", 64_u64 << 20);
    let streaming = gateway.proxy(&plan).await?;
    gateway.destroy(&streaming, &["$.a[*].hidden"]).await?;
    let holding = gateway.proxy(&plan).await?;
    gateway
        .destroy(&holding, &["$.a[?@.n >= 0].hidden", "$.a[?@.x > 2]"])
        .await?;
    Ok([streaming, holding])
}

async fn costly_proxy(gateway: &Gateway, target: &Target) -> Result<Proxy> {
    let plan = ProxyPlan::to(&target.url()).with("proxyMaxResponseBytes", 64_u64 << 20);
    let proxy = gateway.proxy(&plan).await?;
    let filter = json!({ "operation": "destroy", "paths": ["$.a[-1]", "$.a[?@.x > 2]"] });
    for layer in Layer::ALL {
        gateway.filter(&proxy, layer, &filter).await?;
    }
    Ok(proxy)
}

/// Over HTTP/1.1 or HTTP/2; None for a caller that leaves.
async fn call(address: &str, request: &Request, way: usize) -> Result<Option<Reply>> {
    match way {
        0 => {
            let mut connection = Connection::open(address).await?;
            connection.send(&request.bytes()).await?;
            let _head = connection.answer_head().await?;
            Ok(None)
        }
        1 | 2 => over_http2(address, request).await.map(Some),
        _ => {
            let mut connection = Connection::open(address).await?;
            connection.call(request).await.map(Some)
        }
    }
}

async fn over_http2(address: &str, request: &Request) -> Result<Reply> {
    let mut builder = http::Request::builder().uri(format!("http://gateway.test{}", request.path));
    for (name, value) in &request.lines {
        builder = builder.header(name, &value[..]);
    }
    let got = http2::call(address, builder.body(())?, Bytes::new()).await;
    Ok(match got {
        Ok(got) => Reply {
            status: got.status,
            body: got.body,
            complete: true,
            ..Reply::default()
        },
        Err(error) if error.is::<h2::Error>() => Reply {
            status: 200,
            ..Reply::default()
        },
        Err(error) => return Err(error),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_its_turn_is_redacted_whole() -> Result<()> {
    let scene = Scene::new().await?;
    let gateway = scene.gateway.neighbour().await?;
    let clock = Gate::default();
    let target = target(&clock).await?;
    let proxies = Arc::new(proxies(&gateway, &target).await?);
    let costly = costly_proxy(&gateway, &target).await?;
    let is_over = Arc::new(AtomicBool::new(false));
    let mut load = JoinSet::new();
    for number in 0..6 {
        let address = gateway.address.clone();
        let (clock, is_over) = (clock.clone(), Arc::clone(&is_over));
        let request = match number {
            0 | 1 => proxies[0].get("/light"),
            _ => costly.get("/costly"),
        };
        load.spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                at_once(&address, &[200], vec![request.clone()]).await?;
                clock.open();
                clock.open();
            }
            Ok::<_, anyhow::Error>(())
        });
    }
    let work = play(&gateway.address, &proxies, 0..sized(CALLS, 20 * CALLS));
    let outcome = scene.beside("answers in every order", work).await;
    is_over.store(true, Ordering::Relaxed);
    while let Some(done) = load.join_next().await {
        done??;
    }
    eprintln!("{:?}", outcome?);
    Ok(())
}

type Counts = BTreeMap<&'static str, usize>;

async fn play(
    address: &str,
    proxies: &Arc<[Proxy; 2]>,
    seeds: std::ops::Range<u64>,
) -> Result<Counts> {
    let mut calls = JoinSet::new();
    for lane in 0..AT_ONCE {
        let (address, proxies) = (address.to_owned(), Arc::clone(proxies));
        let seeds = seeds.clone().filter(move |seed| seed % AT_ONCE == lane);
        calls.spawn(async move {
            let mut counts = Counts::new();
            for seed in seeds {
                let said = one(&address, &proxies, seed).await;
                *counts.entry(said?).or_default() += 1;
            }
            Ok::<_, anyhow::Error>(counts)
        });
    }
    let mut all = Counts::new();
    while let Some(counts) = calls.join_next().await {
        for (said, count) in counts?? {
            *all.entry(said).or_default() += count;
        }
    }
    Ok(all)
}

async fn one(address: &str, proxies: &[Proxy; 2], seed: u64) -> Result<&'static str> {
    let (case, _) = Case::of(seed)?;
    let mut dice = Dice(seed ^ 0xffff);
    let (holds, way) = (dice.below(2), dice.below(8));
    let request = proxies[holds].get(&format!("/{seed}"));
    let what = || {
        let Case {
            kind,
            coding,
            framing,
            is_open,
            ..
        } = &case;
        format!("{seed}: {kind} {coding} {framing:?} open {is_open} holds {holds} way {way}")
    };
    let reply = call(address, &request, way).await.with_context(what)?;
    match reply {
        Some(reply) => case.check(&reply).with_context(what),
        None => Ok("left"),
    }
}
