//! The program itself: its commands, its first start and its end.

mod peers;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_requestrocket-core-api");
/// Longer than any start or end takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder with a settings file.
struct Home {
    folder: TempDir,
}

/// A process that serves.
struct Running {
    child: Child,
    rest: SocketAddr,
    region: SocketAddr,
}

impl Home {
    fn new(settings: &str) -> Self {
        let home = Self::without_bootstrap_file(settings);
        let file = home.path("bootstrap.json");
        let line = format!("bootstrap_file = \"{}\"\n", file.display());
        let settings = line + &home.text("settings.toml");
        std::fs::write(home.path("settings.toml"), settings).unwrap();
        home
    }

    fn without_bootstrap_file(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let settings = format!(
            "data_dir = \"{path}/core\"\nlisten = \"127.0.0.1:0\"\n\
             region_listen = \"127.0.0.1:0\"\nready_file = \"{path}/ready.json\"\n{settings}\n"
        );
        std::fs::write(folder.path().join("settings.toml"), settings).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .arg("--config")
            .arg(self.path("settings.toml"))
            .args(words);
        command
    }

    fn ask(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    fn start(&self) -> Running {
        let ready = self.path("ready.json");
        let _ = std::fs::remove_file(&ready);
        let out = std::fs::File::create(self.path("out")).unwrap();
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("log"));
        let mut command = self.command(&["serve"]);
        let child = command
            .stdout(out)
            .stderr(log.unwrap())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        wait_until("ready", || ready.exists());
        let ready = json(&ready);
        let address = |name: &str| {
            let url = ready[name].as_str().unwrap();
            url.rsplit('/').next().unwrap().parse().unwrap()
        };
        Running {
            child,
            rest: address("restUrl"),
            region: address("regionLinkUrl"),
        }
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
}

impl Running {
    /// A request over a connection of its own.
    fn get(&self, path: &str, token: &str) -> String {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nConnection: close\r\n\r\n"
        );
        exchange(self.rest, request.as_bytes())
    }

    /// Chooses an address and a password over a connection of its own.
    fn set_up(&self, token: &str) -> String {
        let body = format!(
            r#"{{"token":"{token}","email":"me@example.com","password":"seven grey herons on a wire"}}"#
        );
        let length = body.len();
        let request = format!(
            "POST /session/setup HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        exchange(self.rest, request.as_bytes())
    }

    /// Asks it to end; how long that took.
    fn stop(mut self) -> Duration {
        let began = now();
        let pid = self.child.id().to_string();
        assert!(
            Command::new("sh")
                .args(["-c", "kill -TERM $0", &pid])
                .status()
                .unwrap()
                .success()
        );
        wait_until("ended", || self.child.try_wait().unwrap().is_some());
        assert!(self.child.wait().unwrap().success());
        began.elapsed()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the clock of the test, not of the program"
)]
fn now() -> Instant {
    Instant::now()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "not {what}");
        std::thread::yield_now();
    }
}

fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    exchange_on(TcpStream::connect(address).unwrap(), bytes)
}

fn exchange_on(mut connection: TcpStream, bytes: &[u8]) -> String {
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    connection.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    // A reset is an answer too.
    let _ = connection.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap().trim().to_owned()
}

#[test]
fn settings_are_checked_without_a_start() {
    let home = Home::new("");
    for words in [&["--check-config"][..], &["serve", "--check-config"]] {
        let checked = home.ask(words);
        assert_eq!(
            (checked.status.success(), text(&checked.stdout).as_str()),
            (true, "ok")
        );
    }
    assert!(!home.path("core").exists());
    for (settings, named) in [
        ("lisen = \"127.0.0.1:0\"", "lisen"),
        (
            "allow_private_targets = [\"everything\"]",
            "allow_private_targets",
        ),
        ("log = \"requestrocket=loud\"", "log"),
    ] {
        let checked = Home::new(settings).ask(&["--check-config"]);
        let problem = text(&checked.stderr);
        assert!(
            !checked.status.success() && problem.contains(named),
            "{problem}"
        );
        assert!(problem.lines().count() <= 2, "{problem}");
    }
}

#[test]
fn the_first_start_gives_tokens_once_and_nothing_gives_them_away() {
    let home = Home::new("");
    let running = home.start();
    let tokens = json(&home.path("bootstrap.json"));
    let (user, operator) = (
        tokens["userToken"].as_str().unwrap(),
        tokens["operatorToken"].as_str().unwrap(),
    );
    let out = home.text("out");
    assert!(out.contains("bootstrap.json"), "{out}");
    assert!(!out.contains(user) && !out.contains(operator), "{out}");
    let client = format!("/api/clients/{}", tokens["clientId"].as_str().unwrap());
    for token in [user, operator] {
        let answer = running.get(&client, token);
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains("\"clientPlan\":\"business\""),
            "{answer}"
        );
        assert!(answer.contains("requestrocket-request-id: "), "{answer}");
    }
    let given = tokens["setupToken"].as_str().unwrap();
    assert!(!out.contains(given), "{out}");
    let owner = tokens["userId"].as_str().unwrap();
    for words in [&["setup-token"][..], &["setup-token", "--user", owner]] {
        let printed = text(&home.ask(words).stdout);
        let answer = running.set_up(&printed);
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
        assert!(answer.contains("set-cookie: rr-session=s-"), "{answer}");
    }
    let answer = running.set_up(given);
    assert!(answer.starts_with("HTTP/1.1 404"), "void by now: {answer}");
    let nobody = home.ask(&[
        "setup-token",
        "--user",
        "00000000-0000-4000-8000-000000000000",
    ]);
    assert!(!nobody.status.success() && text(&nobody.stderr).contains("no such user"));
    let minted = text(&home.ask(&["operator-token"]).stdout);
    assert!(running.get(&client, &minted).starts_with("HTTP/1.1 200"));
    let metrics = running.get("/metrics", "");
    assert!(
        metrics.contains("rr_core_requests_total{method=\"GET\",status=\"2xx\"}"),
        "{metrics}"
    );
    running.stop();
    let again = home.start();
    assert_eq!(home.text("out"), "", "tokens are printed once");
    assert!(again.get(&client, user).starts_with("HTTP/1.1 200"));
    again.stop();
    let log = home.text("log");
    for token in [user, operator, &minted] {
        assert!(!log.contains(token), "{log}");
    }
    assert!(
        log.lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok()),
        "{log}"
    );
    assert!(
        log.contains("\"route\":\"/api/clients/{clientId}\""),
        "{log}"
    );
}

#[test]
fn without_a_file_the_first_start_prints_its_tokens() {
    let home = Home::without_bootstrap_file("");
    let running = home.start();
    let out = home.text("out");
    let value = |name: &str| {
        let mut lines = out.lines();
        let value = lines.find_map(|line| line.strip_prefix(name));
        value.unwrap().trim().to_owned()
    };
    let client = format!("/api/clients/{}", value("organisation "));
    for name in ["user token ", "operator token "] {
        let answer = running.get(&client, &value(name));
        assert!(answer.starts_with("HTTP/1.1 200"), "{name}: {answer}");
    }
    running.stop();
}

#[test]
fn a_region_token_is_one_line_that_no_log_repeats() {
    let home = Home::new("");
    let first = home.ask(&["region-token", "--region", "eu-1"]);
    let token = text(&first.stdout);
    assert!(
        token.starts_with("e-") && token.len() > 40 && !token.contains('\n'),
        "{token}"
    );
    assert!(!text(&first.stderr).contains(&token));
    assert_ne!(
        text(&home.ask(&["region-token", "--region", "eu-1"]).stdout),
        token
    );
    let refused = home.ask(&["region-token", "--region", "EU 1"]);
    assert!(!refused.status.success() && text(&refused.stderr).contains("--region"));
    // Tokens for regions are no first start.
    let running = home.start();
    assert!(home.path("bootstrap.json").exists());
    running.stop();
}

#[test]
fn garbage_on_either_port_ends_its_own_connection() {
    let home = Home::new("");
    let running = home.start();
    for garbage in [
        &b"\0\0\0\0\0\0\0\0\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0",
    ] {
        for address in [running.rest, running.region] {
            let mut connection = TcpStream::connect(address).unwrap();
            connection.write_all(garbage).unwrap();
            connection.shutdown(std::net::Shutdown::Write).unwrap();
            let _ = connection.read_to_end(&mut Vec::new());
        }
    }
    let long = format!(
        "GET /{} HTTP/1.1\r\nHost: x\r\n\r\n",
        "a".repeat(1024 * 1024)
    );
    assert!(!exchange(running.rest, long.as_bytes()).contains("HTTP/1.1 200"));
    assert!(running.get("/healthz", "").contains("ok"));
}

#[test]
fn the_process_ends_in_time_with_callers_still_connected() {
    let home = Home::new("");
    let running = home.start();
    let mut idle = TcpStream::connect(running.rest).unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).unwrap();
    let mut half = TcpStream::connect(running.rest).unwrap();
    half.write_all(b"GET /healthz HTT").unwrap();
    let _silent = TcpStream::connect(running.region).unwrap();
    assert!(running.stop() < Duration::from_secs(5));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let home = Home::new("");
    let address = taken.local_addr().unwrap().to_string();
    let refused = home
        .command(&[])
        .env("REQUESTROCKET_CORE_API_LISTEN", &address)
        .output()
        .unwrap();
    let problem = text(&refused.stderr);
    assert!(
        !refused.status.success() && problem.contains("`listen`"),
        "{problem}"
    );
}
