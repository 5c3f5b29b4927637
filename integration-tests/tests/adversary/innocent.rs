//! Another organisation that does nothing wrong and wants its answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::{Connection, Reply, Request};
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret};
use requestrocket_integration_tests::target::answer::json as of_json;
use requestrocket_integration_tests::target::{Gate, Recorded, Script, Target};
use requestrocket_integration_tests::wait;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::measure::Measured;
use crate::streams;
use crate::witness::Witness;

/// So many that both workers have some.
const CALLERS: usize = 8;
/// Each calls this often, also when an answer is late.
const PACE: Duration = Duration::from_millis(20);
/// So many calls are measured alone.
const CALLS_ALONE: usize = 240;
/// So many calls follow what was done beside them, to see what is left of it.
const CALLS_AFTER: usize = 80;

/// The organisation, its target and two proxies: one that decides nothing of bodies, and one with a
/// rule and a filter that do.
#[derive(Debug)]
pub(crate) struct Innocent {
    address: String,
    pub(crate) witness: Witness,
    pub(crate) gate: Gate,
    pub(crate) plain: Proxy,
    pub(crate) inspected: Proxy,
    _target: Target,
}

/// A call and the only right answer.
#[derive(Clone, Debug)]
struct Call {
    request: Request,
    answer: &'static str,
}

#[derive(Debug, Default)]
struct State {
    stop: AtomicBool,
    calls: AtomicUsize,
}

impl Innocent {
    pub(crate) async fn new(gateway: &Gateway) -> Result<Self> {
        let gateway = gateway.neighbour().await?;
        let (witness, gate) = (Witness::new("the-innocent"), Gate::default());
        let target = {
            let (witness, gate) = (witness.clone(), gate.clone());
            Target::answering(move |request| answer(&witness, &gate, request)).await?
        };
        let target = target.keeping_newest();
        let injected = Secret::api_key(witness.secret());
        let to_target = ProxyPlan::to(&target.url()).injecting(injected);
        let plain = gateway.proxy(&to_target).await?;
        let inspected = gateway.proxy(&to_target).await?;
        let rule = json!({
            "effect": "deny",
            "body": [{ "path": "$.model", "value": { "pattern": "^large$" } }],
        });
        gateway.rule(&inspected, Layer::Proxy, &rule).await?;
        gateway.destroy(&inspected, &["$.hidden"]).await?;
        Ok(Self {
            address: gateway.address.clone(),
            witness,
            gate,
            plain,
            inspected,
            _target: target,
        })
    }

    fn calls(&self) -> [Call; 3] {
        let post = self.inspected.request("POST", "/chat");
        [
            (self.plain.get("/plain?a=1"), WHOLE),
            (self.inspected.get("/filtered"), LEFT),
            (post.body(r#"{"model":"small"}"#), LEFT),
        ]
        .map(|(request, answer)| Call { request, answer })
    }

    /// Calls steadily until `work` is done, and some calls longer.
    pub(crate) async fn beside<T>(
        &self,
        work: impl Future<Output = Result<T>>,
    ) -> Result<(T, Measured)> {
        self.and_then(work, CALLS_AFTER).await
    }

    async fn and_then<T>(
        &self,
        work: impl Future<Output = Result<T>>,
        calls: usize,
    ) -> Result<(T, Measured)> {
        let state = Arc::new(State::default());
        let mut callers = JoinSet::new();
        for call in self.calls().iter().cycle().take(CALLERS) {
            callers.spawn(repeat(self.address.clone(), call.clone(), state.clone()));
        }
        let done = work.await?;
        let enough = state.calls.load(Ordering::Relaxed) + calls;
        wait::until_within(Duration::from_mins(1), "innocent calls", || async {
            Ok((state.calls.load(Ordering::Relaxed) >= enough).then_some(()))
        })
        .await?;
        state.stop.store(true, Ordering::Relaxed);
        let mut measured = Measured::default();
        while let Some(one) = callers.join_next().await {
            measured.join(one?);
        }
        Ok((done, measured))
    }

    /// How the calls fare while nobody does anything else.
    pub(crate) async fn alone(&self) -> Result<Measured> {
        let ((), measured) = self.and_then(async { Ok(()) }, CALLS_ALONE).await?;
        ensure!(measured.failures.is_empty(), "{:?}", measured.failures);
        Ok(measured)
    }
}

const WHOLE: &str = r#"{"kept":1,"hidden":2}"#;
const LEFT: &str = r#"{"kept":1}"#;

fn answer(witness: &Witness, gate: &Gate, request: &Recorded) -> Script {
    witness.look(request);
    match request.path() {
        "/stream" => streams::script(gate),
        _ => of_json(WHOLE),
    }
}

async fn repeat(address: String, call: Call, state: Arc<State>) -> Measured {
    let mut measured = Measured::default();
    let mut connection = None;
    let mut due = interval(PACE);
    while !state.stop.load(Ordering::Relaxed) {
        let due = due.tick().await;
        let failure = one(&address, &call, &mut connection).await;
        measured.add(due.elapsed(), failure);
        state.calls.fetch_add(1, Ordering::Relaxed);
    }
    measured
}

/// One call, over the connection that was kept or a new one; says how it failed.
async fn one(address: &str, call: &Call, kept: &mut Option<Connection>) -> Option<String> {
    let mut connection = match kept.take() {
        Some(open) => open,
        None => match Connection::open(address).await {
            Ok(open) => open,
            Err(error) => return Some(format!("{error:#}")),
        },
    };
    match connection.call(&call.request).await {
        Ok(reply) if reply.status == 200 && reply.complete && reply.text() == call.answer => {
            *kept = stays_open(&reply).then_some(connection);
            None
        }
        Ok(reply) => Some(format!("{}: {}", reply.status, reply.text())),
        Err(error) => Some(format!("{error:#}")),
    }
}

fn stays_open(reply: &Reply) -> bool {
    reply
        .head
        .first("connection")
        .is_none_or(|value| value != "close")
}
