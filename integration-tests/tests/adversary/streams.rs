//! Streams of the innocent that are open, redacted and silent while something else happens.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::caller::{Connection, Reply};
use requestrocket_integration_tests::target::answer::{chunk_step, chunked_head, last_chunk};
use requestrocket_integration_tests::target::{Gate, Script, Step};
use requestrocket_integration_tests::wire::{Framing, Part};

use crate::innocent::Innocent;

const EVENT: &[u8] = b"data: {\"kept\":1,\"hidden\":2}\n\n";
const REDACTED: &[u8] = b"data: {\"kept\":1}\n\n";

/// An event, and another when the gate opens.
pub(crate) fn script(gate: &Gate) -> Script {
    Script::AfterRequest(vec![
        chunked_head("text/event-stream"),
        chunk_step(EVENT),
        Step::Wait(gate.clone()),
        chunk_step(EVENT),
        last_chunk(),
    ])
}

/// Streams whose first event has come.
pub(crate) struct Streams<'a> {
    innocent: &'a Innocent,
    open: Vec<Connection>,
}

impl<'a> Streams<'a> {
    pub(crate) async fn open(innocent: &'a Innocent, address: &str, count: usize) -> Result<Self> {
        let mut open = Vec::with_capacity(count);
        for _ in 0..count {
            let mut connection = Connection::open(address).await?;
            let request = innocent.inspected.get("/stream");
            connection.send(&request.bytes()).await?;
            let head: Reply = connection.answer_head().await?.context("no head")?;
            ensure!(head.status == 200, "{head:?}");
            let first = read(&mut connection, REDACTED.len()).await?;
            ensure!(first == REDACTED, "{}", first.escape_ascii());
            open.push(connection);
        }
        Ok(Self { innocent, open })
    }

    /// Lets all of them go on, to an end that is whole.
    pub(crate) async fn finish(self) -> Result<()> {
        for _ in &self.open {
            self.innocent.gate.open();
        }
        for mut connection in self.open {
            let rest = read(&mut connection, usize::MAX).await?;
            ensure!(rest == REDACTED, "{}", rest.escape_ascii());
        }
        Ok(())
    }
}

/// So many bytes of a chunked body, or all until its end; a cut is an error.
async fn read(connection: &mut Connection, at_least: usize) -> Result<Vec<u8>> {
    let mut framing = Framing::Chunked;
    let mut body = Vec::new();
    while body.len() < at_least {
        match connection.part(&mut framing).await? {
            Part::Data(data) => body.extend_from_slice(&data),
            Part::End(_) => break,
            Part::Cut => anyhow::bail!("a stream was cut"),
        }
    }
    Ok(body)
}
