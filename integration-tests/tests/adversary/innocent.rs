//! Another organisation that does nothing wrong and wants its answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::{Connection, Reply, Request};
use requestrocket_integration_tests::gateway::{Gateway, Proxy, unique};
use requestrocket_integration_tests::target::answer::json as of_json;
use requestrocket_integration_tests::target::{Gate, Recorded, Script, Target};
use requestrocket_integration_tests::wait;
use tokio::time::interval;

use crate::apart::Apart;
use crate::measure::Measured;
use crate::readers::body_rule;
use crate::streams;
use crate::witness::Witness;

/// So many that both workers have some.
const CALLERS: usize = 8;
/// Each calls this often, also when an answer is late.
const PACE: Duration = Duration::from_millis(20);
/// So many calls are measured alone.
const CALLS_ALONE: usize = 1_600;
/// So many calls follow what was done beside them, to see what is left of it.
const CALLS_AFTER: usize = 80;

/// The organisation, its target and two proxies: one that decides nothing of bodies, and one with a
/// rule and a filter that do.
#[derive(Debug)]
pub(crate) struct Innocent {
    address: String,
    pub(crate) witness: Witness,
    pub(crate) gate: Gate,
    pub(crate) alias: String,
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
        let opened = gate.clone();
        let seen = witness.clone();
        let target = async move {
            let target = seen.target(move |request| answer(&opened, request));
            target.await
        };
        let target = Apart::get()?.spawn(target).await??.keeping_newest();
        let to_target = witness.plan(&target.url());
        let alias = unique("innocent");
        let with_alias = to_target.clone().with("proxyAlias", alias.as_str());
        let plain = gateway.proxy(&with_alias).await?;
        let inspected = gateway.proxy(&to_target).await?;
        gateway.rule(&inspected, Layer::Proxy, &body_rule()).await?;
        gateway.destroy(&inspected, &["$.hidden"]).await?;
        Ok(Self {
            address: gateway.address.clone(),
            witness,
            gate,
            alias,
            plain,
            inspected,
            _target: target,
        })
    }

    fn calls(&self) -> [Call; 3] {
        let mut by_alias = self.plain.get("");
        by_alias.path = format!("/api/{}/plain?a=1", self.alias);
        let post = self.inspected.request("POST", "/chat");
        [
            (by_alias, WHOLE),
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
        let apart = Apart::get()?;
        let callers: Vec<_> = self
            .calls()
            .iter()
            .cycle()
            .take(CALLERS)
            .map(|call| apart.spawn(repeat(self.address.clone(), call.clone(), state.clone())))
            .collect();
        let done = work.await?;
        let enough = state.calls.load(Ordering::Relaxed) + calls;
        wait::until_within(Duration::from_mins(1), "innocent calls", || async {
            Ok((state.calls.load(Ordering::Relaxed) >= enough).then_some(()))
        })
        .await?;
        state.stop.store(true, Ordering::Relaxed);
        let mut measured = Measured::default();
        for caller in callers {
            measured.join(caller.await?);
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

fn answer(gate: &Gate, request: &Recorded) -> Script {
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
