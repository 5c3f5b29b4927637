use super::*;
use crate::store::testing::{run, stores};

const CHANGES: &str = "
    INSERT INTO change (region_name, kind, record_id, revision, is_removed)
    VALUES ('eu-1', 'proxy', 'p1', 3, 0), ('eu-1', 'credential', 'c1', 3, 0),
           ('eu-1', 'target', 't1', 1, 0), ('eu-1', 'proxy', 'p2', 5, 1),
           ('*', 'organisation', 'o1', 2, 0), ('*', 'organisation', 'o2', 4, 0),
           ('us-1', 'proxy', 'p3', 3, 0)";

async fn ids(conn: &mut AnyConnection, cursor: &Cursor, limit: u16) -> Vec<String> {
    let rows = change_list(conn, "eu-1", cursor, limit).await.unwrap();
    rows.into_iter().map(|row| row.record_id).collect()
}

#[tokio::test]
async fn a_region_reads_its_own_and_the_shared_changes_oldest_first() {
    for store in stores().await {
        let mut conn = store.conn().await;
        run(&mut conn, CHANGES).await;
        for (from, limit, want) in [
            (0, 10, &["t1", "o1", "c1", "p1", "o2", "p2"][..]),
            (0, 2, &["t1", "o1"]),
            (2, 10, &["c1", "p1", "o2", "p2"]),
            (4, 10, &["p2"]),
            (5, 10, &[]),
        ] {
            assert_eq!(
                ids(&mut conn, &Cursor::behind(from), limit).await,
                want,
                "{from} {limit}"
            );
        }
    }
}

#[tokio::test]
async fn a_page_goes_on_where_the_last_one_ended_even_inside_a_revision() {
    for store in stores().await {
        let mut conn = store.conn().await;
        run(&mut conn, CHANGES).await;
        let mut cursor = Cursor::behind(0);
        let mut seen = Vec::new();
        loop {
            let page = change_list(&mut conn, "eu-1", &cursor, 1).await.unwrap();
            let Some(row) = page.into_iter().next() else {
                break;
            };
            cursor = Cursor::after(&row);
            seen.push((row.record_id, row.is_removed));
        }
        let gone: Vec<_> = seen
            .iter()
            .map(|(id, removed)| (id.as_str(), *removed))
            .collect();
        assert_eq!(
            gone,
            [
                ("t1", 0),
                ("o1", 0),
                ("c1", 0),
                ("p1", 0),
                ("o2", 0),
                ("p2", 1)
            ]
        );
    }
}

#[tokio::test]
async fn reading_what_is_new_uses_the_index() {
    let store = crate::store::testing::sqlite().await;
    let mut conn = store.conn().await;
    let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(
        "EXPLAIN QUERY PLAN SELECT kind FROM change
         WHERE region_name = 'a' AND revision >= 1 AND (revision > 1 OR (kind, record_id) > ('', ''))
         ORDER BY revision, kind, record_id LIMIT 5",
    )
    .fetch_all(&mut *conn)
    .await
    .unwrap();
    let steps: Vec<_> = plan.into_iter().map(|(_, _, _, step)| step).collect();
    assert!(
        steps.iter().any(|step| step.contains("change_by_revision")),
        "{steps:?}"
    );
}

#[tokio::test]
async fn the_newest_revision_begins_at_nought() {
    for store in stores().await {
        assert_eq!(revision_newest(&mut *store.conn().await).await.unwrap(), 0);
    }
}
