//! A Redis of the test's own, and what is only so with Redis.

use std::path::Path;
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::*;

/// An own Redis on a unix socket; it ends with the test.
pub(super) struct RedisServer {
    pub(super) url: String,
    folder: tempfile::TempDir,
    process: Child,
}

impl RedisServer {
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("redis.sock");
        let process = spawn_redis(folder.path(), &socket);
        wait_for_socket(&socket).await;
        Self {
            url: format!("redis+unix://{}", socket.display()),
            folder,
            process,
        }
    }

    async fn stop(&mut self) {
        self.process.kill().await.unwrap();
    }

    /// Another run in the same place, with what was saved there.
    async fn start_again(&mut self) {
        let socket = self.folder.path().join("redis.sock");
        std::fs::remove_file(&socket).ok();
        self.process = spawn_redis(self.folder.path(), &socket);
        wait_for_socket(&socket).await;
    }

    async fn save(&self) {
        let client = ::redis::Client::open(self.url.as_str()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let saved: String = ::redis::cmd("SAVE")
            .query_async(&mut connection)
            .await
            .unwrap();
        assert_eq!(saved, "OK");
    }
}

fn spawn_redis(folder: &Path, socket: &Path) -> Child {
    Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--appendonly", "no"])
        .arg("--dir")
        .arg(folder)
        .arg("--unixsocket")
        .arg(socket)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("redis-server must be installed: apt-get install redis-server")
}

async fn wait_for_socket(socket: &Path) {
    let listening = async {
        while tokio::net::UnixStream::connect(socket).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT_WAIT, listening).await.unwrap();
}

#[tokio::test]
async fn servers_of_one_region_share_a_redis_and_others_do_not() {
    let redis = RedisServer::start().await;
    let stopping = CancellationToken::new();
    let server =
        |region| Meters::in_redis(&redis.url, region, Clock::default(), stopping.clone()).unwrap();
    let (one, two, other) = (server("eu"), server("eu"), server("us"));
    let told = |node| request(node, now_ms(), &[report(3, 0)]);
    let first = one.answer(told(1)).await.unwrap();
    let second = two.answer(told(2)).await.unwrap();
    assert_eq!(second.grants[0].others_micros, 3_000_000);
    assert_eq!(first.epoch, second.epoch);
    let third = other.answer(told(3)).await.unwrap();
    assert_eq!(third.grants[0].others_micros, 0);
}

/// The answer of a Redis that has just begun.
async fn first_answer(meters: &Meters, told: &SyncRequest) -> SyncResponse {
    let answered = async {
        loop {
            if let Ok(answer) = meters.answer(told.clone()).await {
                return answer;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT_WAIT, answered).await.unwrap()
}

#[tokio::test]
async fn without_redis_nothing_is_answered_and_with_a_new_one_everything_is_asked_anew() {
    let mut redis = RedisServer::start().await;
    let stopping = CancellationToken::new();
    let meters = Meters::in_redis(&redis.url, "eu", Clock::default(), stopping).unwrap();
    let told = |node, own| request(node, now_ms(), &[report(own, 0)]);
    let before = meters.answer(told(1, 3)).await.unwrap();
    redis.save().await;
    // This is not in what was saved, and is lost unless node 1 is asked for all it knows.
    meters.answer(told(1, 5)).await.unwrap();
    redis.stop().await;
    assert_eq!(
        meters.answer(told(2, 1)).await,
        Err(Unanswered::Unavailable)
    );
    assert_eq!(meters.usage(&Uuid::nil().to_string()).await, None);
    redis.start_again().await;
    let after = first_answer(&meters, &told(2, 1)).await;
    assert_eq!(after.grants[0].others_micros, 3_000_000, "an older count");
    assert_ne!(after.epoch, before.epoch, "so everything is told again");
    // And nothing is leased meanwhile.
    let asked = request(2, now_ms(), &[report(1, 1)]);
    let asks = meters.answer(asked);
    let tells = meters.answer(told(1, 5));
    let (asked, told_again) = tokio::join!(asks, tells);
    assert_eq!(told_again.unwrap().epoch, after.epoch);
    assert_eq!(asked.unwrap().grants[0].others_micros, 5_000_000);
    assert!(!format!("{meters:?}").contains("redis.sock"));
}
