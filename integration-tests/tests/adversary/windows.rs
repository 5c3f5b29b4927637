//! Answers in a coding that makes whoever decodes them take memory, before there is anything in them:
//! who sends many has some refused, and nobody else.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::caller::Connection;
use requestrocket_integration_tests::target::answer::chunk_step;
use requestrocket_integration_tests::target::{Gate, Script, Step, head};

use crate::readers::ONE_PATH;
use crate::scene::Scene;
use crate::witness::Witness;

/// So many that all their windows together are more than what modules of both workers can have.
const ANSWERS: usize = 1_100;
/// The head of a zstd frame whose window is 8 MiB.
const LARGE_WINDOW: [u8; 6] = [0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3];

fn beginning(sent: &Gate, never: &Gate) -> Script {
    let headers = [
        ("content-type", "application/json"),
        ("content-encoding", "zstd"),
        ("transfer-encoding", "chunked"),
    ];
    Script::AfterRequest(vec![
        head("200 OK", &headers),
        chunk_step(&LARGE_WINDOW),
        Step::Open(sent.clone()),
        Step::Wait(never.clone()),
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_windows_refuse_no_other_call() -> Result<()> {
    let scene = Scene::new().await?;
    let (sent, never) = (Gate::default(), Gate::default());
    let witness = Witness::new("a-target-with-large-windows");
    let opened = sent.clone();
    let target = witness.target(move |_| beginning(&opened, &never)).await?;
    let target = target.keeping_newest();
    let plan = witness.plan(&target.url());
    let proxy = ONE_PATH.proxy(&scene.gateway, &plan).await?;
    let work = async {
        let (mut open, mut refused) = (Vec::new(), 0);
        for _ in 0..ANSWERS {
            let mut connection = Connection::open(&scene.gateway.address).await?;
            connection.send(&proxy.get("/").bytes()).await?;
            sent.pass().await;
            open.push(connection);
        }
        // The last ones have no room on either worker.
        for mut connection in open.drain(ANSWERS - 4..) {
            let status = connection.answer_head().await?.map(|reply| reply.status);
            ensure!(status == Some(503), "{status:?}");
            refused += 1;
        }
        ensure!(refused == 4, "{refused} are refused");
        Ok(open)
    };
    let case = format!("{ANSWERS} answers with large windows");
    let open = scene.beside(&case, work).await?;
    drop(open);
    scene.beside("the same, closed", async { Ok(()) }).await?;
    witness.check()
}
