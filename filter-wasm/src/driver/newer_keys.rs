//! Calls whose token may be signed with a key that is not known here yet. The region server is asked
//! to look for newer ones, and the call waits for that.
//!
//! Anybody can make up such a token. So of one credential there is a question now and then, a few
//! calls wait for its answer, and all others are refused at once.

use std::{
    cell::{RefCell, RefMut},
    collections::BTreeMap,
};

use requestrocket_policy::{id::CredentialId, renewal};

use super::{Call, Flow};
use crate::host::{Host, HostFailure, Shared};

/// Between two questions about a credential. The region asks its issuer less often.
const PAUSE_MS: u64 = 5_000;
/// No call waits longer for an answer, and for what the answer brings.
const PATIENCE_MS: u64 = 2_000;
/// New keys come on another way than the answer.
const ON_THEIR_WAY_MS: u64 = 300;
/// Calls of one credential that wait.
const MAX_WAITING: usize = 32;
/// Credentials that are remembered.
const MAX_CREDENTIALS: usize = 10_000;

/// What one worker asked.
#[derive(Debug, Default)]
pub struct NewerKeys(RefCell<Questions>);

type Questions = BTreeMap<CredentialId, Question>;

#[derive(Debug)]
struct Question {
    asked_at_ms: u64,
    /// Under which its answer comes.
    token: u32,
    /// When those that wait go on.
    due_ms: u64,
    /// Their streams.
    waiting: Vec<u32>,
}

impl NewerKeys {
    /// Has the call of a stream wait for newer keys of these credentials. False: there is nothing to
    /// wait for.
    pub(super) fn wait(
        &self,
        host: &impl Shared,
        credentials: &[CredentialId],
        stream: u32,
    ) -> Result<bool, HostFailure> {
        let now_ms = host.now_ms()?;
        let mut waits = false;
        for credential in credentials {
            waits |= match self.join(*credential, stream, now_ms)? {
                Joined::Yes => true,
                Joined::No => false,
                Joined::NotAsked => self.ask(host, *credential, stream, now_ms).is_ok(),
            };
        }
        Ok(waits)
    }

    fn ask(
        &self,
        host: &impl Shared,
        credential: CredentialId,
        stream: u32,
        now_ms: u64,
    ) -> Result<(), HostFailure> {
        let timeout_ms = u32::try_from(PATIENCE_MS).unwrap_or(u32::MAX);
        // Not borrowed meanwhile: the host may call back.
        let token = host.renew_keys(&renewal::request(credential), timeout_ms)?;
        let question = Question {
            asked_at_ms: now_ms,
            token,
            due_ms: now_ms.saturating_add(PATIENCE_MS),
            waiting: vec![stream],
        };
        self.questions()?.insert(credential, question);
        Ok(())
    }

    fn join(
        &self,
        credential: CredentialId,
        stream: u32,
        now_ms: u64,
    ) -> Result<Joined, HostFailure> {
        let mut questions = self.questions()?;
        let is_recent = |one: &Question| now_ms < one.asked_at_ms.saturating_add(PAUSE_MS);
        if let Some(question) = questions.get_mut(&credential)
            && is_recent(question)
        {
            let is_open = now_ms < question.due_ms && question.waiting.len() < MAX_WAITING;
            if is_open {
                question.waiting.push(stream);
            }
            return Ok(if is_open { Joined::Yes } else { Joined::No });
        }
        if questions.len() >= MAX_CREDENTIALS {
            questions.retain(|_, one| is_recent(one) || !one.waiting.is_empty());
        }
        if questions.len() >= MAX_CREDENTIALS {
            return Ok(Joined::No);
        }
        Ok(Joined::NotAsked)
    }

    /// The region server answered, or will not. False: it was not asked from here.
    pub fn on_answer(&self, host: &impl Shared, token: u32, bytes: Option<&[u8]>) -> bool {
        let Ok(mut questions) = self.questions() else {
            return false;
        };
        let mut asked = questions.values_mut();
        let Some(question) = asked.find(|one| one.token == token) else {
            return false;
        };
        let way_ms = match bytes {
            Some(bytes) if renewal::is_renewed(bytes) => ON_THEIR_WAY_MS,
            Some(_) | None => 0,
        };
        let now_ms = host.now_ms().unwrap_or(u64::MAX);
        question.due_ms = question.due_ms.min(now_ms.saturating_add(way_ms));
        true
    }

    /// The streams of calls that go on now, of as many as are named. A call that waits for several
    /// answers goes on with the last.
    pub fn due(&self, host: &impl Shared, most: usize) -> Vec<u32> {
        let Ok(mut questions) = self.questions() else {
            return Vec::new();
        };
        let now_ms = host.now_ms().unwrap_or(u64::MAX);
        let mut due = Vec::new();
        for question in questions.values_mut().filter(|one| one.due_ms <= now_ms) {
            let room = most.saturating_sub(due.len()).min(question.waiting.len());
            due.extend(question.waiting.drain(..room));
        }
        let waits_on = |stream: &u32| questions.values().any(|one| one.waiting.contains(stream));
        due.retain(|stream| !waits_on(stream));
        due
    }

    fn questions(&self) -> Result<RefMut<'_, Questions>, HostFailure> {
        self.0.try_borrow_mut().map_err(|_| HostFailure)
    }
}

/// Whether a call waits for a question that was asked before.
enum Joined {
    Yes,
    No,
    NotAsked,
}

impl Call {
    /// There may be newer keys now: the call is judged by what its route says then.
    pub fn on_newer_keys(&mut self, host: &impl Host) -> Flow {
        match self.take_waiting() {
            Some(waiting) => self.come_again(host, waiting.inquiry),
            None => Flow::Ended,
        }
    }
}
