//! Questions that only a region can answer, on their way to its link and back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use requestrocket_proto::region::v1::{answer, query};
use tokio::sync::{mpsc, oneshot};

use super::Fleets;

/// A region that has not answered by then is as good as away.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// A search takes longer.
const SEARCH_TIMEOUT: Duration = Duration::from_secs(10);
/// Nor does a target get more than ten seconds from its region.
const TEST_TIMEOUT: Duration = Duration::from_secs(12);
/// Questions that one link has not sent yet; more are refused.
const BACKLOG: usize = 64;

/// One question; whoever takes it answers or drops it.
#[derive(Debug)]
pub struct OpenQuestion {
    /// What is asked.
    pub question: query::Kind,
    /// None when the region cannot say.
    pub answer: oneshot::Sender<Option<answer::Kind>>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// No link, or it ended, or it is full of questions.
    #[error("the region is not connected")]
    Away,
    /// Not in time.
    #[error("the region did not answer in time")]
    Late,
    /// The region answered that it cannot say.
    #[error("the region cannot say")]
    Unknown,
}

/// The links that take questions, by region.
#[derive(Clone, Debug, Default)]
pub(super) struct Desks(Arc<Mutex<BTreeMap<String, mpsc::Sender<OpenQuestion>>>>);

impl Desks {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, mpsc::Sender<OpenQuestion>>> {
        // Nothing that holds the lock can leave it half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fleets {
    /// From now on the questions for `region` come here and nowhere else.
    #[must_use]
    pub fn take_questions(&self, region: &str) -> mpsc::Receiver<OpenQuestion> {
        let (sender, receiver) = mpsc::channel(BACKLOG);
        // Replaced, the former sender ends the receiver of a former link.
        self.desks.lock().insert(region.to_owned(), sender);
        receiver
    }

    /// Nobody answers for `region` any more.
    pub fn refuse_questions(&self, region: &str) {
        self.desks.lock().remove(region);
    }

    /// Asks `region`; several questions may be open at once.
    ///
    /// # Errors
    /// Says why there is no answer.
    pub async fn ask(
        &self,
        region: &str,
        question: query::Kind,
    ) -> Result<answer::Kind, Unanswered> {
        let limit = match question {
            query::Kind::MeterUsage(_)
            | query::Kind::Telemetry(_)
            | query::Kind::Usage(_)
            | query::Kind::Billed(_)
            | query::Kind::Terms(_) => ANSWER_TIMEOUT,
            query::Kind::Records(_) | query::Kind::Arrivals(_) | query::Kind::Audit(_) => {
                SEARCH_TIMEOUT
            }
            query::Kind::TargetTest(_) => TEST_TIMEOUT,
        };
        self.ask_within(region, question, limit).await
    }

    async fn ask_within(
        &self,
        region: &str,
        question: query::Kind,
        limit: Duration,
    ) -> Result<answer::Kind, Unanswered> {
        let (answer, answered) = oneshot::channel();
        let desk = self.desks.lock().get(region).cloned();
        let asked = OpenQuestion { question, answer };
        desk.and_then(|desk| desk.try_send(asked).ok())
            .ok_or(Unanswered::Away)?;
        match tokio::time::timeout(limit, answered).await {
            Ok(Ok(Some(answer))) => Ok(answer),
            Ok(Ok(None)) => Err(Unanswered::Unknown),
            Ok(Err(_)) => Err(Unanswered::Away),
            Err(_) => Err(Unanswered::Late),
        }
    }
}

#[cfg(test)]
mod tests {
    use requestrocket_proto::region::v1::{MeterUsage, MeterUsageQuery};

    use super::*;

    fn question(meter_id: &str) -> query::Kind {
        query::Kind::MeterUsage(MeterUsageQuery {
            meter_id: meter_id.to_owned(),
        })
    }

    #[tokio::test]
    async fn each_question_gets_its_own_answer_in_any_order() {
        let fleets = Fleets::default();
        let mut questions = fleets.take_questions("eu-1");
        let answer = async {
            let first = questions.recv().await.unwrap();
            let second = questions.recv().await.unwrap();
            assert_eq!(second.question, question("b"));
            let usage = answer::Kind::MeterUsage(MeterUsage::default());
            second.answer.send(Some(usage)).unwrap();
            first.answer.send(None).unwrap();
        };
        let (a, b, ()) = tokio::join!(
            fleets.ask("eu-1", question("a")),
            fleets.ask("eu-1", question("b")),
            answer
        );
        assert_eq!(a, Err(Unanswered::Unknown));
        assert!(b.is_ok());
    }

    #[tokio::test]
    async fn a_region_without_a_link_is_away_at_once() {
        let fleets = Fleets::default();
        let asked = fleets.ask("eu-1", question("a")).await;
        assert_eq!(asked, Err(Unanswered::Away));
        let questions = fleets.take_questions("eu-1");
        drop(questions);
        let asked = fleets.ask("eu-1", question("a")).await;
        assert_eq!(asked, Err(Unanswered::Away));
        let _questions = fleets.take_questions("eu-1");
        fleets.refuse_questions("eu-1");
        let asked = fleets.ask("eu-1", question("a")).await;
        assert_eq!(asked, Err(Unanswered::Away));
    }

    #[tokio::test]
    async fn a_link_that_ends_or_is_full_answers_nothing() {
        let fleets = Fleets::default();
        let mut questions = fleets.take_questions("eu-1");
        let ends = async {
            drop(questions.recv().await.unwrap());
        };
        let (asked, ()) = tokio::join!(fleets.ask("eu-1", question("a")), ends);
        assert_eq!(asked, Err(Unanswered::Away));
        let desk = fleets.desks.lock().get("eu-1").cloned().unwrap();
        for _ in 0..BACKLOG {
            let (answer, _) = oneshot::channel();
            let question = question("a");
            desk.try_send(OpenQuestion { question, answer }).unwrap();
        }
        let asked = fleets.ask("eu-1", question("a")).await;
        assert_eq!(asked, Err(Unanswered::Away));
    }

    #[tokio::test]
    async fn an_answer_is_not_waited_for_for_ever() {
        let fleets = Fleets::default();
        let _questions = fleets.take_questions("eu-1");
        let limit = Duration::from_millis(20);
        let asked = fleets.ask_within("eu-1", question("a"), limit).await;
        assert_eq!(asked, Err(Unanswered::Late));
    }
}
