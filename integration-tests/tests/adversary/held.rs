//! Answers that are held until their end, which does not come: what they hold is theirs, and
//! nobody else's answers are refused for it.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::caller::Connection;
use requestrocket_integration_tests::target::answer::json as of_json;
use requestrocket_integration_tests::target::answer::{chunk_step, chunked_head};
use requestrocket_integration_tests::target::{Gate, Script, Step};

use crate::readers::LAST;
use crate::scene::Scene;
use crate::witness::Witness;

/// How long bodies are, in KiB, and how many of each: more than all workers hold together, and what
/// fits beside them.
const BODIES: [(usize, usize); 5] = [(7 << 10, 40), (1 << 10, 40), (128, 40), (16, 40), (4, 40)];

/// More than comes at once.
fn document(elements: &str) -> String {
    format!(r#"{{"b":"{}","a":{elements}}}"#, "x".repeat(300 << 10))
}

/// The beginning of a document, so long that what is held of it takes so many KiB.
fn beginning(kibibytes: usize, sent: &Gate, never: &Gate) -> Script {
    let body = format!(r#"{{"a":["{}"#, "x".repeat(kibibytes << 10));
    Script::AfterRequest(vec![
        chunked_head("application/json"),
        chunk_step(body.as_bytes()),
        Step::Open(sent.clone()),
        Step::Wait(never.clone()),
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn held_answers_that_never_end_refuse_no_other_call() -> Result<()> {
    let scene = Scene::new().await?;
    let (sent, never) = (Gate::default(), Gate::default());
    let witness = Witness::new("a-target-without-an-end");
    let opened = sent.clone();
    let target = witness.target(move |request| {
        let length = request.path().trim_start_matches('/').parse();
        beginning(length.unwrap_or(1), &opened, &never)
    });
    let target = target.await?;
    let plan = witness
        .plan(&target.url())
        .with("proxyMaxResponseBytes", 1_u64 << 30);
    let endless = LAST.proxy(&scene.gateway, &plan).await?;

    let other = scene.gateway.neighbour().await?;
    let honest = Witness::new("a-target-that-is-held");
    let honest_target = honest.target(|_| of_json(document("[1,2]"))).await?;
    let plan = honest.plan(&honest_target.url());
    let held = LAST.proxy(&other, &plan).await?;

    let work = async {
        let mut open = Vec::new();
        for (kibibytes, count) in BODIES {
            let call = endless.get(&format!("/{kibibytes}"));
            for _ in 0..count {
                let mut connection = Connection::open(&scene.gateway.address).await?;
                connection.send(&call.bytes()).await?;
                // It is held, or there was no room for it.
                tokio::select! {
                    () = sent.pass() => {}
                    refused = connection.answer_head() => drop(refused),
                }
                open.push(connection);
            }
        }
        for number in 0..16 {
            let reply = other.call(&held.get("/")).await?;
            let is_right = reply.status == 200 && reply.text() == document("[1]");
            ensure!(is_right, "call {number}: {}", reply.status);
        }
        Ok(())
    };
    scene.beside("held answers without an end", work).await?;
    honest.check()?;
    witness.check()
}
