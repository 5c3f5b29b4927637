//! A folder with the supervisor and its stand-ins, and the supervisor started from there.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a harness fails its test"
)]

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread::park_timeout;
use std::time::Duration;

use nix::sys::signal::{Signal, kill as send};
use nix::unistd::Pid;
use requestrocket_local_stack::stack_file::{Pids, StackFile};

const SUPERVISOR: &str = "requestrocket-local-stack";
/// 30 s of looking every 10 ms.
const LOOKS: u32 = 3000;

/// Where one test's programs and data lie.
///
/// The number counts the supervisors that were started.
pub(crate) struct Place(tempfile::TempDir, AtomicU32);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap(), AtomicU32::new(0));
        fs::create_dir_all(place.program("")).unwrap();
        // The supervisor looks for its programs beside itself.
        fs::copy(
            env!("CARGO_BIN_EXE_requestrocket-local-stack"),
            place.program(SUPERVISOR),
        )
        .unwrap();
        for name in [
            "requestrocket-core-api",
            "requestrocket-xds-server",
            "envoy",
        ] {
            fs::write(place.program(name), include_str!("fake_program.py")).unwrap();
            fs::set_permissions(place.program(name), Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(place.program("filter.wasm"), "").unwrap();
        place
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.0.path().join("target/debug").join(name)
    }

    /// As a build does: another file under the same name.
    pub(crate) fn replace_supervisor(&self) {
        let next = self.program("next");
        fs::copy(self.program(SUPERVISOR), &next).unwrap();
        fs::rename(next, self.program(SUPERVISOR)).unwrap();
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub(crate) fn stack_file(&self) -> PathBuf {
        self.data().join("stack.json")
    }

    /// Who may do what with a file of the data directory.
    pub(crate) fn mode_of(&self, name: &str) -> u32 {
        let file = fs::metadata(self.data().join(name)).unwrap();
        file.permissions().mode() & 0o777
    }

    /// What the supervisor keeps of the first start.
    pub(crate) fn kept_tokens(&self) -> serde_json::Value {
        let text = fs::read(self.data().join("tokens.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    pub(crate) fn start(&self, options: &[&str]) -> Stack {
        let path = self
            .0
            .path()
            .join(format!("said-{}", self.1.fetch_add(1, SeqCst)));
        let said = File::create(&path).unwrap();
        let child = Command::new(self.program(SUPERVISOR))
            .args(["--no-demo", "--data-dir"])
            .arg(self.data())
            .arg("--envoy-bin")
            .arg(self.program("envoy"))
            .arg("--filter-wasm")
            .arg(self.program("filter.wasm"))
            .args(options)
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .unwrap();
        Stack {
            child,
            file: self.stack_file(),
            said: path,
        }
    }
}

/// A started supervisor; killed when the test ends.
pub(crate) struct Stack {
    child: Child,
    file: PathBuf,
    said: PathBuf,
}

impl Stack {
    /// Waits until everything is ready.
    pub(crate) fn wait_for_file(&mut self) -> StackFile {
        for _ in 0..LOOKS {
            if let Some(file) = read(&self.file) {
                return file;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "the supervisor ended: {}",
                self.wait_for_end().1
            );
            park_timeout(Duration::from_millis(10));
        }
        panic!("no {}", self.file.display());
    }

    pub(crate) fn wait_for_pids(&self, wanted: impl Fn(&Pids) -> bool) -> Pids {
        let mut found = None;
        wait_until("stack.json has the process ids", || {
            found = read(&self.file).map(|file| file.pids).filter(&wanted);
            found.is_some()
        });
        found.unwrap()
    }

    pub(crate) fn child_pids(&self) -> Vec<u32> {
        let Pids {
            core_api,
            regions,
            envoys,
            ..
        } = read(&self.file).unwrap().pids;
        [core_api]
            .into_iter()
            .chain(regions.into_values())
            .chain(envoys)
            .collect()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        send(pid(self.child.id()), signal).unwrap();
    }

    /// How it ended, and what it said on standard error.
    pub(crate) fn wait_for_end(&mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        (status, self.said())
    }

    /// What it said on standard error so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(path: &Path) -> Option<StackFile> {
    Some(serde_json::from_slice(&fs::read(path).ok()?).unwrap())
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).unwrap())
}

pub(crate) fn kill(id: u32) {
    send(pid(id), Signal::SIGKILL).unwrap();
}

/// Whether it runs; a zombie does not.
pub(crate) fn is_alive(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit(") ")
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if holds() {
            return;
        }
        park_timeout(Duration::from_millis(10));
    }
    panic!("waited in vain until {what}");
}
