//! The whole stack's life: up, kept running, down.

use std::io::Write;
use std::path::Path;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::files::{DataDir, remove, write_json};
use crate::keeper::{Keeper, Roster};
use crate::options::Options;
use crate::report::{greeting, progress};
use crate::stack_file::{Pids, Region, StackFile};
use crate::start::Starting;

const STACK_FILE: &str = "stack.json";

/// Runs the stack until SIGINT or SIGTERM.
///
/// It must run on one thread: children end with the thread that started them.
///
/// # Errors
/// Something cannot be started; everything that was started is ended first.
pub async fn run(options: Options) -> anyhow::Result<()> {
    options.check()?;
    let mut signals = Signals::listen()?;
    let data = DataDir::open(&options.data_dir)?;
    let stack_file = data.file(STACK_FILE);
    // Whoever waits for the stack waits for this file: an old one tells of another run.
    remove(&stack_file)?;
    let mut starting = Starting::new(&options, &data)?;
    let outcome = tokio::select! {
        ready = starting.everything() => ready.map(Some),
        () = signals.stop() => Ok(None),
    };
    let (keeper, reservations) = starting.into_parts();
    let outcome = match outcome {
        Ok(Some(stack)) => serve(&keeper, stack, &stack_file, &mut signals).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    progress("stopping");
    remove(&stack_file)?;
    keeper.shutdown().await;
    // Last: until its Envoy has ended, a port is nobody else's.
    drop(reservations);
    outcome
}

async fn serve(
    keeper: &Keeper,
    mut stack: StackFile,
    path: &Path,
    signals: &mut Signals,
) -> anyhow::Result<()> {
    let mut roster = keeper.roster();
    stack.pids = pids(&roster.borrow_and_update(), &stack.regions);
    write_json(path, &stack)?;
    // A closed standard output is no reason to stop.
    let _ = std::io::stdout().write_all(greeting(&stack).as_bytes());
    loop {
        tokio::select! {
            asked = signals.next() => match asked {
                Asked::Stop => return Ok(()),
                Asked::Revive => keeper.revive(),
            },
            // The sender is in the keeper.
            _ = roster.changed() => {
                stack.pids = pids(&roster.borrow_and_update(), &stack.regions);
                write_json(path, &stack)?;
            }
        }
    }
}

/// The roster in the shape of `stack.json`.
fn pids(roster: &Roster, regions: &[Region]) -> Pids {
    let pid = |name: &str| roster.get(name).copied().unwrap_or_default();
    let of_region = |region: &Region| {
        let name = &region.name;
        (1..=region.envoys.len())
            .map(|n| pid(&format!("{name}-envoy-{n}")))
            .collect::<Vec<_>>()
    };
    Pids {
        supervisor: std::process::id(),
        core_api: pid("core-api"),
        regions: regions
            .iter()
            .map(|region| (region.name.clone(), pid(&format!("region.{}", region.name))))
            .collect(),
        envoys: regions.iter().flat_map(of_region).collect(),
    }
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Stop,
    Revive,
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.hang_up.recv() => Asked::Revive,
        }
    }

    async fn stop(&mut self) {
        while self.next().await == Asked::Revive {}
    }
}
