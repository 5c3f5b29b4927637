//! What people are to be told of and only the region sees: kept for the control plane, which tells of
//! each once, however often it hears of it.

mod levels;

use std::sync::Arc;

use imbl::OrdMap;
use requestrocket_process::clock::Clock;
use requestrocket_proto::record::v1::Record;
use requestrocket_proto::region::v1 as wire;
use requestrocket_proto::region::v1::notice::Kind;
use tokio::sync::watch;

pub use self::levels::WatchedMeters;

/// How many are remembered; beyond that those of the last hour only, and no new ones.
const MOST: usize = 10_000;
/// In milliseconds.
pub const HOUR_MS: u64 = 60 * 60 * 1000;
/// Between two looks for old ones, when there is no room.
const TIDY_MS: u64 = 60_000;
/// Notices of one message.
const NOTICES_A_MESSAGE: usize = 1_000;
const ECHO: &str = "secret-echo";

/// Why something is told: nothing is for the same cause twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    /// Of a meter, in the window of this kind that begins then.
    NearLimit(String, i32, u64),
    /// The same.
    Exceeded(String, i32, u64),
    /// Of a credential, in the hour that begins then.
    Echo(String, u64),
    /// In the hour that begins then.
    Lost(u64),
}

/// A notice, and when it was raised (Unix time in milliseconds).
#[derive(Clone, Debug, PartialEq)]
pub struct Raised {
    notice: wire::Notice,
    at_ms: u64,
}

/// All that are remembered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notices {
    known: OrdMap<Cause, Raised>,
    /// When old ones were looked for; Unix time in milliseconds.
    tidied_ms: u64,
}

/// What is raised. Cheap to clone, and the same for all clones.
#[derive(Clone, Debug)]
pub struct NoticeRegister {
    clock: Clock,
    raised: Arc<watch::Sender<Notices>>,
}

impl NoticeRegister {
    /// Without history: what goes on is raised again.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let raised = Arc::new(watch::Sender::default());
        Self { clock, raised }
    }

    /// What was raised, and word of what comes.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Notices> {
        self.raised.subscribe()
    }

    /// A call is over whose target was given that credential.
    pub fn call(&self, record: &Record, given: &str) {
        if given.is_empty() || !record.warnings.iter().any(|warning| warning == ECHO) {
            return;
        }
        let hour_ms = hour_of(record.completed_at_ms);
        let cause = Cause::Echo(given.to_owned(), hour_ms);
        let credential_id = given.to_owned();
        let echo = wire::SecretEcho {
            credential_id,
            hour_ms,
        };
        self.raise(cause, Kind::SecretEcho(echo));
    }

    /// So many calls are missed in the hour that begins then (Unix time in milliseconds).
    pub fn lost(&self, hour_ms: u64, calls: u64) {
        if calls > 0 {
            let lost = wire::LostCalls { hour_ms, calls };
            self.raise(Cause::Lost(hour_ms), Kind::LostCalls(lost));
        }
    }

    fn raise(&self, cause: Cause, kind: Kind) {
        // Most are known, and looking does not keep others from it.
        if self.raised.borrow().known.contains_key(&cause) {
            return;
        }
        let at_ms = self.clock.unix_ms();
        self.raised.send_if_modified(|notices| {
            if notices.known.len() >= MOST && !notices.tidy(at_ms) {
                return false;
            }
            let notice = wire::Notice { kind: Some(kind) };
            notices.known.insert(cause, Raised { notice, at_ms });
            true
        });
    }
}

impl Notices {
    /// Forgets those of more than an hour ago, and says whether there is room then. It is looked for
    /// once a minute, as that takes longer than a call may.
    fn tidy(&mut self, now_ms: u64) -> bool {
        if self.tidied_ms.saturating_add(TIDY_MS) > now_ms {
            return false;
        }
        self.tidied_ms = now_ms;
        let is_new = |raised: &Raised| raised.at_ms.saturating_add(HOUR_MS) > now_ms;
        let kept = self.known.iter().filter(|(_, raised)| is_new(raised));
        self.known = kept
            .map(|(cause, it)| (cause.clone(), it.clone()))
            .collect();
        let has_room = self.known.len() < MOST;
        if !has_room {
            tracing::warn!("too much is to be told: what comes now is not");
        }
        has_room
    }
}

/// What is in `after` and was not in `before`, in messages; `None`: nothing was told yet.
#[must_use]
pub fn told(before: Option<&Notices>, after: &Notices) -> Vec<wire::Notices> {
    let is_news = |cause: &Cause| before.is_none_or(|it| !it.known.contains_key(cause));
    let news = after.known.iter().filter(|(cause, _)| is_news(cause));
    let news: Vec<_> = news.map(|(_, raised)| raised.notice.clone()).collect();
    let messages = news.chunks(NOTICES_A_MESSAGE);
    messages
        .map(|notices| wire::Notices {
            notices: notices.to_vec(),
        })
        .collect()
}

fn hour_of(unix_ms: u64) -> u64 {
    unix_ms - unix_ms % HOUR_MS
}

#[cfg(test)]
mod tests;
