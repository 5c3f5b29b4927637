//! Questions on one link: each gets a number, and its answer finds back by it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use requestrocket_proto::region::v1::{Answer, Query, answer};
use tokio::sync::oneshot;

use crate::region::fleet::OpenQuestion;

/// Questions without an answer; more are refused.
const MAX_OPEN: usize = 256;

/// The questions of one link that were not answered yet.
#[derive(Debug, Default)]
pub(super) struct Inquiries(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    last_id: u64,
    waiting: BTreeMap<u64, oneshot::Sender<Option<answer::Kind>>>,
}

impl Inquiries {
    /// What to send for a question. None when too many are open; its asker hears of it.
    pub(super) fn open(&self, asked: OpenQuestion) -> Option<Query> {
        let OpenQuestion { question, answer } = asked;
        let mut open = self.lock();
        // Those whose askers gave up will never be missed.
        open.waiting.retain(|_, waiting| !waiting.is_closed());
        if open.waiting.len() >= MAX_OPEN {
            return None;
        }
        open.last_id += 1;
        let query_id = open.last_id;
        open.waiting.insert(query_id, answer);
        Some(Query {
            query_id,
            kind: Some(question),
        })
    }

    /// Hands an answer to its asker; one that nobody waits for any more is dropped.
    pub(super) fn close(&self, answer: Answer) {
        let Answer { query_id, kind } = answer;
        if let Some(waiting) = self.lock().waiting.remove(&query_id) {
            // The asker may have given up.
            let _ = waiting.send(kind);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing that holds the lock can leave it half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use requestrocket_proto::region::v1::{MeterUsage, MeterUsageQuery, query};

    use super::*;

    fn ask(inquiries: &Inquiries) -> (Option<Query>, oneshot::Receiver<Option<answer::Kind>>) {
        let (answer, answered) = oneshot::channel();
        let question = query::Kind::MeterUsage(MeterUsageQuery::default());
        (inquiries.open(OpenQuestion { question, answer }), answered)
    }

    fn answer(query_id: u64) -> Answer {
        let kind = Some(answer::Kind::MeterUsage(MeterUsage::default()));
        Answer { query_id, kind }
    }

    #[test]
    fn an_answer_finds_its_question_once() {
        let inquiries = Inquiries::default();
        let (first, mut to_first) = ask(&inquiries);
        let (second, mut to_second) = ask(&inquiries);
        let (first, second) = (first.unwrap().query_id, second.unwrap().query_id);
        assert_ne!(first, second);
        inquiries.close(answer(second));
        assert!(to_second.try_recv().unwrap().is_some());
        assert!(to_first.try_recv().is_err());
        for unasked in [second, 0, u64::MAX] {
            inquiries.close(answer(unasked));
        }
        inquiries.close(answer(first));
        assert!(to_first.try_recv().unwrap().is_some());
    }

    #[test]
    fn only_so_many_are_open_and_those_given_up_do_not_count() {
        let inquiries = Inquiries::default();
        let mut open = Vec::new();
        for _ in 0..MAX_OPEN {
            let (query, answered) = ask(&inquiries);
            assert!(query.is_some());
            open.push(answered);
        }
        let (query, mut answered) = ask(&inquiries);
        assert_eq!(query, None);
        assert!(answered.try_recv().is_err());
        open.pop();
        assert!(ask(&inquiries).0.is_some());
    }
}
