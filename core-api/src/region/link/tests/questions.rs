use requestrocket_proto::region::v1::{
    Answer, MeterUsage, MeterUsageQuery, answer, query, region_message,
};

use super::harness::{Attached, Control};
use crate::region::fleet::Unanswered;
use crate::store::testing::sqlite;

fn question(meter_id: &str) -> query::Kind {
    query::Kind::MeterUsage(MeterUsageQuery {
        meter_id: meter_id.to_owned(),
    })
}

async fn attached(control: &Control) -> Attached {
    let mut link = control.region("eu-1").await.attach(control, 0).await;
    link.batch().await;
    link
}

#[tokio::test]
async fn questions_go_down_the_link_and_answers_come_up_in_any_order() {
    let control = Control::with_records(sqlite().await).await;
    let mut link = attached(&control).await;
    let region = async {
        let (first, second) = (link.query().await, link.query().await);
        assert_eq!(second.kind, Some(question("b")));
        for (query_id, kind) in [
            (
                second.query_id,
                Some(answer::Kind::MeterUsage(MeterUsage::default())),
            ),
            (777, None),
            (first.query_id, None),
        ] {
            let answer = Answer { query_id, kind };
            link.send(region_message::Kind::Answer(answer)).await;
        }
    };
    let (a, b, ()) = tokio::join!(
        control.fleets.ask("eu-1", question("a")),
        control.fleets.ask("eu-1", question("b")),
        region
    );
    assert_eq!(a, Err(Unanswered::Unknown));
    assert_eq!(b, Ok(answer::Kind::MeterUsage(MeterUsage::default())));
    // The link lives on.
    control.put_credential("eu-1", "later", 2).await;
    link.batch().await;
}

#[tokio::test]
async fn a_link_that_ends_leaves_no_question_waiting() {
    let control = Control::with_records(sqlite().await).await;
    let mut link = attached(&control).await;
    let region = async {
        link.query().await;
        drop(link);
    };
    let (asked, ()) = tokio::join!(control.fleets.ask("eu-1", question("a")), region);
    assert_eq!(asked, Err(Unanswered::Away));
    control
        .fleets
        .until("eu-1", |state| !state.is_connected())
        .await;
    let asked = control.fleets.ask("eu-1", question("a")).await;
    assert_eq!(asked, Err(Unanswered::Away));
    let asked = control.fleets.ask("us-1", question("a")).await;
    assert_eq!(asked, Err(Unanswered::Away));
}

#[tokio::test]
async fn a_newer_link_gets_the_questions() {
    let control = Control::with_records(sqlite().await).await;
    let mut first = attached(&control).await;
    let mut second = attached(&control).await;
    first.end().await;
    let region = async {
        let query_id = second.query().await.query_id;
        let kind = Some(answer::Kind::MeterUsage(MeterUsage::default()));
        let answer = Answer { query_id, kind };
        second.send(region_message::Kind::Answer(answer)).await;
    };
    let (asked, ()) = tokio::join!(control.fleets.ask("eu-1", question("a")), region);
    assert!(asked.is_ok());
}
