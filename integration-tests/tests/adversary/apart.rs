//! Time of the processor for the innocent that nobody else in this process takes: what they wait for
//! is the gateway then, and not the hostile callers and targets that are played here too.

use std::fs;
use std::sync::OnceLock;

use anyhow::{Context, Result};
use rustix::process::{Pid, setpriority_process};
use rustix::thread::gettid;
use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;

/// How far everybody else steps back (nice value).
const STEP: i32 = 10;

/// A runtime on a thread of its own.
#[derive(Debug)]
pub(crate) struct Apart {
    handle: Handle,
    thread: Pid,
}

impl Apart {
    /// The one of this process. What was started before keeps its priority; every other thread of
    /// the process, and what they start, steps back.
    pub(crate) fn get() -> Result<&'static Self> {
        static APART: OnceLock<Apart> = OnceLock::new();
        if let Some(apart) = APART.get() {
            apart.come_first()?;
            return Ok(apart);
        }
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::Builder::new()
            .name("innocent".to_owned())
            .spawn(move || {
                send.send(gettid()).ok();
                runtime.block_on(std::future::pending::<()>());
            })?;
        let thread = receive.recv()?;
        let apart = APART.get_or_init(|| Self { handle, thread });
        apart.come_first()?;
        Ok(apart)
    }

    fn come_first(&self) -> Result<()> {
        for thread in fs::read_dir("/proc/self/task")? {
            let name = thread?.file_name();
            let id: i32 = name.to_string_lossy().parse()?;
            let id = Pid::from_raw(id).context("a thread without a number")?;
            if id != self.thread {
                // One that has just ended needs none.
                setpriority_process(Some(id), STEP).ok();
            }
        }
        Ok(())
    }

    pub(crate) fn spawn<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.handle.spawn(work)
    }
}
